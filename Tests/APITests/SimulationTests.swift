import Core
import TestKit
import Testing
import Wire

@testable import API

@Suite("Simulations over HTTP")
struct SimulationTests {
    private static let path = "/v1/simulations"

    private static func document(_ change: (inout SimulationReport) -> Void = { _ in }) throws -> String {
        var report = SimulationReport.sample
        change(&report)
        return try JSON(encoding: report).text
    }

    @Test("published, listed by pages, shown, replaced and deleted")
    func life() async throws {
        try await withScene { scene in
            for number in 1...3 {
                let put = try await scene.call("PUT", "\(Self.path)/s-\(number)", json: try Self.document())
                #expect(put.status == 201 && put.headers["location"] == "\(Self.path)/s-\(number)", "\(put)")
                #expect(try put.json()["policies"]?.arrayValue?.compactMap(\.stringValue) == ["easy", "onepoint"])
            }
            let same = try await scene.call("PUT", "\(Self.path)/s-1", json: try Self.document())
            #expect(same.status == 200, "\(same)")
            let other = try await scene.call("PUT", "\(Self.path)/s-1", json: try Self.document { $0.trace.jobs = 5 })
            #expect(try other.status == 200 && other.json()["jobs"]?.integerValue == 5, "\(other)")
            var names: [String] = []
            var cursor = ""
            for _ in 0..<4 {
                let page = try await scene.call("GET", "\(Self.path)?limit=2\(cursor)", as: .viewer).json()
                names += (page["items"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
                guard let next = page["next"]?.stringValue else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(names == ["s-1", "s-3", "s-2"], "what was replaced is the newest; the same again changed nothing")
            let shown = try await scene.call("GET", "\(Self.path)/s-2")
            let detail: SimulationDetail = try WireJSON.decode(from: shown.body)
            #expect(detail.report == .sample && detail.summary.user.text == "root")
            #expect(try await scene.call("DELETE", "\(Self.path)/s-2").status == 204)
            #expect(try await scene.call("GET", "\(Self.path)/s-2").status == 404)
            #expect(try await scene.call("DELETE", "\(Self.path)/s-2").status == 404)
            #expect(try await scene.call("GET", "\(Self.path)?cursor=x").status == 400)
            #expect(try await scene.call("GET", "\(Self.path)/no%20name").status == 404)
        }
    }

    @Test("what is wrong with a report comes back with a pointer each, and nothing is kept of it")
    func faults() async throws {
        try await withScene { scene in
            func put(_ json: String) async throws -> Answer {
                try await scene.call("PUT", "\(Self.path)/s", json: json)
            }
            let wrong = try await put(
                try Self.document {
                    $0.policies[1].queued.removeLast()
                    $0.policies[0].used.removeLast()
                    $0.differences[0].base = "nobody"
                }
            )
            let pointers = try wrong.json()["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? []
            #expect(wrong.status == 422, "\(wrong)")
            #expect(Set(pointers) == ["/policies/1/queued", "/policies/0/used", "/differences/0/base"], "\(wrong)")
            let newer = try await put(#"{"format":2,"something":"else"}"#)
            #expect(newer.status == 422 && "\(newer)".contains("/format"), "\(newer)")
            #expect(try await put("[]").status == 422)
            #expect(try await put("{").status == 400)
            #expect(try await put(String(repeating: "[", count: 100)).status == 400, "too deep")
            let large = #"{"format":1,"trace":""# + String(repeating: "x", count: 1 << 20) + #""}"#
            #expect(try await put(large).status == 413)
            #expect(try await scene.call("GET", Self.path).json()["items"]?.arrayValue?.isEmpty == true)
        }
    }
}
