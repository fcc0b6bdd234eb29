import API
import Core
import Entry
import HTTPTypes
import Jobs
import Testing
import Wire

@Suite("Problems and the document")
struct ProblemTests {
    @Test("the reference page lists every problem") func reference() throws {
        try expectGolden("docs/reference/problems.md", Problem.reference)
        #expect(Set(ProblemKind.all.map(\.code)).count == ProblemKind.all.count)
    }

    @Test("a problem comes back as the failure it was", arguments: Failure.Code.allCases)
    func roundTrip(_ code: Failure.Code) throws {
        let failure = Failure(code, "what", violations: [Violation("/a", "b")], retryAfter: .seconds(3))
        let back = try #require(Failure(problem: Problem(failure).json))
        #expect(back.code == code && back.detail == "what")
        #expect(back.violations == failure.violations && back.retryAfter == .seconds(3))
    }

    @Test("429 and 503 always say when to come back") func retryAfter() {
        #expect(Problem(Failure(.rateLimited, "x")).retryAfter != nil)
        #expect(Problem(Failure(.unavailable, "x")).retryAfter != nil)
    }

    @Test("the OpenAPI document is as published, and refers to nothing that is not there") func document() throws {
        let document = APIRoutes.openAPI(version: "1")
        try expectGolden("docs/reference/api.json", document.indented + "\n")
        let known = Set(document["components"]?["schemas"]?.keys ?? [])
        for name in document.references { #expect(known.contains(name), "\(name)") }
        let operations = APIRoutes.routes.map { route in
            document["paths"]?[route.template]?[route.method.rawValue.lowercased()]?["operationId"]?.stringValue
        }
        #expect(operations.allSatisfy { $0 != nil } && Set(operations).count == operations.count)
    }

    @Test("an agent is told what is wrong with its exchange, and where") func exchange() async throws {
        try await withScene { scene in
            let agent = try await scene.point.authenticateAgent(bearer: scene.tokens[.agent] ?? "").agent
            func answer(_ reports: String) async throws -> JSON {
                let body = """
                    {"agent":"\(agent)","seat":"here","at":"2026-01-01T00:00:00Z","reports":\(reports),"holds":[],\
                    "wait_milliseconds":0}
                    """
                let answer = try await scene.call("POST", "/v1/agent/exchange", as: .agent, json: body)
                return .object([("status", .integer(Int64(answer.status))), ("body", try answer.json())])
            }
            let cut = try await answer("[")
            #expect(cut["status"] == .integer(400))
            #expect(cut["body"]?["detail"]?.stringValue?.contains("not JSON") == true)
            let faulty = try await answer(
                #"[{"run":"op-7","version":1,"observation":{"phase":"running","artifacts":[]}}]"#
            )
            #expect(faulty["status"] == .integer(422))
            let errors = faulty["body"]?["errors"]?.arrayValue
            #expect(errors?.first?["pointer"] == .string("/reports/0/run"))
            #expect(try await answer("[]")["status"] == .integer(200))
        }
    }

    @Test("what goes wrong is told as RFC 9457 asks") func shapes() async throws {
        try await withScene { scene in
            let unknown = try await scene.call("GET", "/v1/nothing")
            #expect(unknown.status == 404 && unknown.headers["content-type"] == "application/problem+json")
            #expect(try unknown.json()["instance"]?.stringValue == "/v1/nothing")
            #expect(try unknown.json()["request_id"]?.stringValue == unknown.headers["x-request-id"])

            let method = try await scene.call("PUT", "/v1/jobs")
            #expect(method.status == 405 && method.headers["allow"] == "GET, HEAD, POST")

            let head = try await scene.call("HEAD", "/v1/projects/nothing")
            #expect(head.status == 404 && head.body.isEmpty)

            let anonymous = try await scene.call("GET", "/v1/whoami", as: .anonymous)
            #expect(anonymous.headers["www-authenticate"] == "Bearer realm=\"onepoint\"")

            let broken = try await scene.call("POST", "/v1/projects", json: #"{"name":"#)
            #expect(broken.status == 400, "\(broken)")

            let faulty = try await scene.call(
                "POST",
                "/v1/projects",
                json: #"{"name":"X!","foo":1,"weight":0,"quota":{"cores":-1,"b/a":2}}"#
            )
            #expect(faulty.status == 422)
            let pointers = try faulty.json()["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue }
            #expect(pointers == ["/name", "/weight", "/quota/cores", "/quota/b~1a", "/foo"])

            let query = try await scene.call("GET", "/v1/jobs?projct=demo")
            #expect(query.status == 400 && query.text.contains("projct"), "\(query)")
            #expect(try await scene.call("GET", "/v1/jobs?limit=501").status == 400)
            #expect(try await scene.call("GET", "/v1/jobs?cursor=%21%21").status == 400)

            let headers = try await scene.call("GET", "/v1/whoami").headers
            #expect(headers["x-content-type-options"] == "nosniff")
            #expect(headers["content-security-policy"]?.contains("default-src 'none'") == true)
        }
    }

    @Test("a new token answers once, a revoked one not at all") func revocation() async throws {
        try await withScene { scene in
            let issued = try await scene.call(
                "POST",
                "/v1/tokens",
                json: #"{"scopes":["read"],"label":"short"}"#
            ).json()
            let secret = try #require(issued["secret"]?.stringValue)
            let header = ["Authorization": "Bearer \(secret)"]
            #expect(try await scene.call("GET", "/v1/whoami", headers: header).status == 200)
            let id = try #require(issued["token"]?["token"]?.stringValue)
            #expect(try await scene.call("DELETE", "/v1/tokens/\(id)").status == 204)
            #expect(try await scene.call("GET", "/v1/whoami", headers: header).status == 401)
        }
    }
}

extension JSON {
    fileprivate var keys: [String]? { if case .object(let members) = self { members.map(\.key) } else { nil } }

    /// The names of all components that are referred to.
    fileprivate var references: [String] {
        switch self {
        case .object(let members):
            members.flatMap { member in
                member.key == "$ref"
                    ? [member.value.stringValue?.split(separator: "/").last.map(String.init) ?? "?"]
                    : member.value.references
            }
        case .array(let items): items.flatMap(\.references)
        case .null, .bool, .integer, .number, .string: []
        }
    }

    /// Two spaces a level, so that a change can be read as a difference of lines.
    fileprivate var indented: String { indented(by: "") }

    private func indented(by space: String) -> String {
        let inner = space + "  "
        switch self {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\(JSON.string($0.key).text): \($0.value.indented(by: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(space)}"
        case .array(let items) where !items.isEmpty:
            return "[\n" + items.map { inner + $0.indented(by: inner) }.joined(separator: ",\n") + "\n\(space)]"
        default: return text
        }
    }
}
