import Core
import Testing

@Suite("Projects within projects, over HTTP")
struct ProjectTreeTests {
    @Test("a project is made below another, moved, and shown; what is no tree is refused with its place")
    func tree() async throws {
        try await withScene { scene in
            func send(_ method: String, _ path: String, _ json: String, as who: Who = .operator) async throws -> Answer
            {
                try await scene.call(method, "/v1/projects" + path, as: who, json: json)
            }
            func pointers(_ answer: Answer) throws -> [String]? {
                try answer.json()["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue }
            }
            let made = try await send("POST", "", #"{"name":"optics","parent":"demo","weight":300}"#)
            #expect(made.status == 201, "\(made)")
            #expect(try made.json()["project"]?["parent"]?.stringValue == "demo")
            #expect(try await send("POST", "", #"{"name":"lens","parent":"optics"}"#).status == 201)
            let alone = try await send("POST", "", #"{"name":"alone","parent":""}"#)
            #expect(try alone.status == 201 && alone.json()["project"]?["parent"] == nil, "\(alone)")

            let unknown = try await send("POST", "", #"{"name":"x","parent":"nowhere"}"#)
            #expect(unknown.status == 422 && unknown.headers["content-type"] == "application/problem+json")
            #expect(try pointers(unknown) == ["/parent"])
            let loop = try await send("PATCH", "/demo", #"{"parent":"lens"}"#)
            #expect(try loop.status == 409 && loop.json()["code"]?.stringValue == "conflict", "\(loop)")
            #expect(try pointers(loop) == ["/parent"])
            #expect(try pointers(await send("PATCH", "/demo", #"{"parent":"No!"}"#)) == ["/parent"])
            // An owner may set the title, and nothing of the tree.
            #expect(try await send("PATCH", "/demo", #"{"parent":"alone"}"#, as: .owner).status == 403)

            let kept = try await send("PATCH", "/optics", #"{"title":"Light"}"#)
            #expect(try kept.json()["project"]?["parent"]?.stringValue == "demo")
            let moved = try await send("PATCH", "/lens", #"{"parent":""}"#)
            #expect(try moved.status == 200 && moved.json()["project"]?["parent"] == nil, "\(moved)")
            #expect(try await send("PATCH", "/demo", #"{"parent":"lens"}"#).status == 200)
            let shown = try await scene.call("GET", "/v1/projects/demo", as: .viewer)
            #expect(try shown.json()["project"]?["parent"]?.stringValue == "lens")
            // The name is all that a member learns of it.
            #expect(try await scene.call("GET", "/v1/projects/lens", as: .viewer).status == 404)
            let listed = try await scene.call("GET", "/v1/projects", as: .viewer).json()
            #expect(listed.arrayValue?.compactMap { $0["project"]?["name"]?.stringValue } == ["demo"])
        }
    }
}
