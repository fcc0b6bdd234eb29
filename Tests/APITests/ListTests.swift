import Core
import NIOCore
import Testing

@testable import API

@Suite("Lists, tables and repeats")
struct ListTests {
    @Test("pages of jobs partition the list") func cursors() async throws {
        try await withScene { scene in
            for index in 0..<7 {
                let made = try await scene.call(
                    "POST",
                    "/v1/jobs?project=demo",
                    as: .member,
                    json: #"{"name":"job-\#(index)","command":["true"]}"#
                )
                #expect(made.status == 201, "\(made)")
            }
            var names: [String] = []
            var cursor = ""
            for _ in 0..<5 {
                let page = try await scene.call("GET", "/v1/jobs?project=demo&limit=3\(cursor)", as: .viewer).json()
                names += page["items"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
                guard let next = page["next"]?.stringValue else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(names == (0..<7).reversed().map { "job-\($0)" })
        }
    }

    @Test("a repeat with the same key finds the first, and another request under the key is refused")
    func idempotency() async throws {
        try await withScene { scene in
            let submit = { (name: String, key: String) in
                try await scene.call(
                    "POST",
                    "/v1/jobs?project=demo",
                    as: .member,
                    headers: ["Idempotency-Key": key],
                    body: Array(#"{"name":"\#(name)","command":["true"]}"#.utf8)
                )
            }
            let first = try await submit("a", "key-1")
            let second = try await submit("a", "key-1")
            #expect(first.status == 201 && second.status == 200, "\(first) \(second)")
            #expect(first.headers["location"] == second.headers["location"])
            #expect(try await submit("b", "key-1").status == 409)
            #expect(try await submit("b", "has a space").status == 400)
        }
    }

    @Test("tables come as CSV that no spreadsheet takes for formulas") func csv() async throws {
        try await withScene { scene in
            _ = try await scene.call(
                "POST",
                "/v1/projects/demo/vouchers",
                json: #"{"amount":1000000,"note":"=1+1, \"x\""}"#
            )
            for (path, headers) in [("?format=csv", [:]), ("", ["Accept": "text/csv"])] {
                let answer = try await scene.call("GET", "/v1/ledger/entries" + path, headers: headers)
                #expect(answer.headers["content-type"]?.hasPrefix("text/csv") == true)
                let lines = answer.text.split(separator: "\r\n")
                #expect(lines.first == "sequence,at,account,amount_micro_credits,memo")
                #expect(lines.contains { $0.contains(",-1000000,") }, "\(answer)")
                #expect(!lines.contains { $0.contains(",=1+1") || $0.contains(",\"=1+1") }, "\(answer)")
            }
            let header = try await scene.call("GET", "/v1/ledger/usage?format=csv", as: .viewer)
            #expect(header.text == "run,job,project,centre,meter,from,to,micro_units\r\n")
        }
    }

    @Test("a cell is quoted and defused") func cells() {
        func text(_ cell: Cell) -> String {
            var buffer = ByteBuffer()
            cell.write(into: &buffer)
            return String(buffer: buffer)
        }
        #expect(text(.number(-5)) == "-5")
        #expect(text(.text("a,b")) == "\"a,b\"")
        #expect(text(.text("say \"x\"")) == "\"say \"\"x\"\"\"")
        for prefix in ["=", "+", "-", "@"] { #expect(text(.text(prefix + "1")) == "'" + prefix + "1") }
        #expect(text(.text("\tx")) == "'\tx")
    }

    @Test("a reader who has the answer already gets 304") func etag() async throws {
        try await withScene { scene in
            let first = try await scene.call("GET", "/v1/whoami")
            let tag = try #require(first.headers["etag"])
            let second = try await scene.call("GET", "/v1/whoami", headers: ["If-None-Match": tag])
            #expect(second.status == 304 && second.body.isEmpty)
        }
    }

    @Test("metrics count what was answered, by template") func metrics() async throws {
        try await withScene { scene in
            _ = try await scene.call("GET", "/v1/jobs/job-nothing")
            let text = try await scene.call("GET", "/metrics").text
            #expect(text.contains(#"onepoint_http_requests_total{method="GET",route="/v1/jobs/{job}",status="4xx"} 1"#))
            #expect(!text.contains("job-nothing"))
        }
    }
}
