import Core
import Testing

@testable import API

@Suite("Reservations over HTTP")
struct ReservationTests {
    @Test("made, listed by pages, shown and cancelled; what is wrong comes back as a problem that says what would do")
    func life() async throws {
        try await withScene { scene in
            try await scene.reportCapacity()
            let path = "/v1/reservations"
            func make(_ name: String, _ more: String) async throws -> Answer {
                try await scene.call("POST", path, json: #"{"name":"\#(name)","centre":"hub-1",\#(more)}"#)
            }
            for number in 1...3 {
                let made = try await make(
                    "r-\(number)",
                    #""project":"demo","cores":2000,"duration_seconds":\#(3600 * number),"note":"course""#
                )
                #expect(made.status == 201 && made.headers["location"] == "/v1/reservations/r-\(number)", "\(made)")
                let json = try made.json()
                #expect(json["state"]?.stringValue == "active" && json["purpose"]?.stringValue == "project")
                #expect(json["nodes"]?.arrayValue?.first?["cores"]?.integerValue == 2000, "\(made)")
            }
            let taken = try await make("more", #""maintenance":true,"cores":2001,"duration_seconds":60"#)
            #expect(taken.status == 409, "\(taken)")
            let detail = try taken.json()["detail"]?.stringValue
            #expect(detail?.contains("leaves 2 cores: 'r-1', 'r-2', 'r-3'") == true, "\(taken)")
            let large = try await make("more", #""maintenance":true,"nodes":2,"duration_seconds":60"#)
            #expect(try large.status == 422 && large.json()["code"]?.stringValue == "impossible", "\(large)")
            let wrong = try await make(
                "more",
                #""nodes":0,"starts_at":"yesterday","node_names":[],"ends_at":"2020-01-01T00:00:00Z","colour":"red""#
            )
            let pointers = try wrong.json()["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? []
            #expect(
                wrong.status == 422 && Set(pointers) == ["/nodes", "/starts_at", "/node_names", "/colour"],
                "\(wrong)"
            )
            let past = try await make("more", #""project":"demo","nodes":1,"ends_at":"2020-01-01T00:00:00Z""#)
            #expect(past.status == 422, "\(past)")
            var names: [String] = []
            var cursor = ""
            for _ in 0..<4 {
                let page = try await scene.call("GET", "\(path)?centre=hub-1&limit=2\(cursor)", as: .foreigner).json()
                let items = page["items"]?.arrayValue ?? []
                names += items.compactMap { $0["name"]?.stringValue }
                #expect(items.allSatisfy { $0["project"] == nil && $0["note"] == nil })
                guard let next = page["next"]?.stringValue else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(names == ["r-1", "r-2", "r-3"])
            let shown = try await scene.call("GET", path + "/r-2", as: .viewer)
            #expect(try shown.json()["note"]?.stringValue == "course", "\(shown)")
            let cancelled = try await scene.call("DELETE", path + "/r-2")
            #expect(
                try cancelled.status == 200 && cancelled.json()["state"]?.stringValue == "cancelled",
                "\(cancelled)"
            )
            #expect(try await scene.call("DELETE", path + "/r-2").status == 409)
            #expect(try await scene.call("DELETE", path + "/none").status == 404)
            #expect(try await scene.call("GET", path + "?cursor=x").status == 400)
        }
    }
}
