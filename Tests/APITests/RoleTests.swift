import API
import Core
import HTTPTypes
import Jobs
import TestKit
import Testing
import Wire

@Suite("Every route against every role")
struct RoleTests {
    /// A route, what to send to it, and the expected status for anonymous, another project's owner, viewer, member,
    /// owner, operator and agent, in this order. Requests run in this order too, so that the ones who may come last.
    private struct Row {
        let method: String
        let template: String
        let path: String
        let body: String?
        let expected: [Int]

        init(_ method: String, _ template: String, _ path: String, _ body: String? = nil, _ expected: Int...) {
            (self.method, self.template, self.path, self.body) = (method, template, path, body)
            self.expected = expected
        }
    }

    private static let digest = sha256(Array("hello".utf8))
    private static let nothing = sha256(Array("nobody has this".utf8))

    // What each row needs is made by `prepare`. `#` in a path stands for the caller's place in the row, so that every
    // caller of a destructive route has a victim of their own.
    // swift-format-ignore
    private static func rows(_ made: Made) -> [Row] {
        [
            Row("GET", "/v1/whoami", "/v1/whoami", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("GET", "/v1/users", "/v1/users", nil, 401, 403, 403, 403, 403, 200, 401),
            Row("POST", "/v1/users", "/v1/users", #"{"name":"new-#"}"#, 401, 403, 403, 403, 403, 201, 401),
            Row("GET", "/v1/projects", "/v1/projects", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("POST", "/v1/projects", "/v1/projects", #"{"name":"new-#"}"#, 401, 403, 403, 403, 403, 201, 401),
            Row("GET", "/v1/projects/{project}", "/v1/projects/demo", nil, 401, 404, 200, 200, 200, 200, 401),
            Row(
                "PATCH", "/v1/projects/{project}", "/v1/projects/demo", #"{"title":"Demo"}"#,
                401, 404, 403, 403, 200, 200, 401
            ),
            Row(
                "GET", "/v1/projects/{project}/members", "/v1/projects/demo/members", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "PUT", "/v1/projects/{project}/members/{user}", "/v1/projects/demo/members/spare-#",
                #"{"role":"viewer"}"#,
                401, 404, 403, 403, 200, 200, 401
            ),
            Row(
                "DELETE", "/v1/projects/{project}/members/{user}", "/v1/projects/demo/members/leaver-#", nil,
                401, 404, 403, 403, 204, 204, 401
            ),
            Row(
                "POST", "/v1/projects/{project}/vouchers", "/v1/projects/demo/vouchers",
                #"{"amount":1000000,"note":"test"}"#,
                401, 403, 403, 403, 403, 201, 401
            ),
            Row("GET", "/v1/tokens", "/v1/tokens", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/tokens", "/v1/tokens", #"{"scopes":["read"],"label":"mine"}"#,
                401, 201, 201, 201, 201, 201, 401
            ),
            Row("DELETE", "/v1/tokens/{token}", "/v1/tokens/\(made.token)", nil, 401, 404, 404, 404, 404, 204, 401),
            Row("GET", "/v1/centres", "/v1/centres", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/centres", "/v1/centres", #"{"name":"edge-#","tier":"edge"}"#,
                401, 403, 403, 403, 403, 201, 401
            ),
            Row("GET", "/v1/centres/{centre}", "/v1/centres/spare", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/centres/{centre}/join", "/v1/centres/spare/join", nil,
                401, 403, 403, 403, 403, 201, 401
            ),
            Row(
                "POST", "/v1/centres/{centre}/drain", "/v1/centres/spare/drain", #"{"evict":false}"#,
                401, 403, 403, 403, 403, 200, 401
            ),
            Row(
                "POST", "/v1/centres/{centre}/resume", "/v1/centres/spare/resume", nil,
                401, 403, 403, 403, 403, 200, 401
            ),
            Row(
                "PUT", "/v1/centres/{centre}/prices", "/v1/centres/spare/prices", #"{"core_hour":1}"#,
                401, 403, 403, 403, 403, 200, 401
            ),
            Row("DELETE", "/v1/centres/{centre}", "/v1/centres/spare", nil, 401, 403, 403, 403, 403, 204, 401),
            Row("GET", "/v1/reservations", "/v1/reservations", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/reservations", "/v1/reservations",
                #"{"name":"new-#","centre":"hub-1","maintenance":true,"whole_centre":true,"duration_seconds":60}"#,
                401, 403, 403, 403, 403, 201, 401
            ),
            Row(
                "GET", "/v1/reservations/{reservation}", "/v1/reservations/new-5", nil,
                401, 200, 200, 200, 200, 200, 401
            ),
            Row(
                "DELETE", "/v1/reservations/{reservation}", "/v1/reservations/new-5", nil,
                401, 403, 403, 403, 403, 200, 401
            ),
            Row("GET", "/v1/simulations", "/v1/simulations", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "PUT", "/v1/simulations/{simulation}", "/v1/simulations/kth", made.report,
                401, 403, 403, 403, 403, 201, 401
            ),
            Row(
                "GET", "/v1/simulations/{simulation}", "/v1/simulations/kth", nil,
                401, 200, 200, 200, 200, 200, 401
            ),
            Row(
                "DELETE", "/v1/simulations/{simulation}", "/v1/simulations/kth", nil,
                401, 403, 403, 403, 403, 204, 401
            ),
            Row("GET", "/v1/capacity", "/v1/capacity", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("GET", "/v1/overview", "/v1/overview", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("GET", "/v1/accelerators", "/v1/accelerators", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("POST", "/v1/jobs", "/v1/jobs?project=demo", made.document, 401, 404, 403, 201, 201, 201, 401),
            Row("POST", "/v1/estimates", "/v1/estimates?project=demo", made.document, 401, 404, 403, 200, 200, 200, 401),
            Row("GET", "/v1/estimates/accuracy", "/v1/estimates/accuracy", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("GET", "/v1/jobs", "/v1/jobs?project=demo", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("GET", "/v1/jobs/{job}", "/v1/jobs/\(made.job)", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("GET", "/v1/jobs/{job}/why", "/v1/jobs/\(made.job)/why", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("GET", "/v1/jobs/{job}/logs", "/v1/jobs/\(made.job)/logs", nil, 401, 404, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/jobs/{job}/cancel", "/v1/jobs/VICTIM/cancel", nil,
                401, 404, 403, 200, 200, 200, 401
            ),
            Row(
                "POST", "/v1/arrays/{array}/cancel", "/v1/arrays/\(made.array)/cancel", nil,
                401, 404, 403, 200, 200, 200, 401
            ),
            Row("GET", "/v1/workflows", "/v1/workflows?project=demo", nil, 401, 404, 200, 200, 200, 200, 401),
            Row(
                "GET", "/v1/workflows/{workflow}", "/v1/workflows/\(made.workflow)", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "POST", "/v1/workflows/{workflow}/cancel", "/v1/workflows/\(made.workflow)/cancel", nil,
                401, 404, 403, 200, 200, 200, 401
            ),
            Row("GET", "/v1/events", "/v1/events?project=demo", nil, 401, 404, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/blobs/missing", "/v1/blobs/missing", #"{"project":"demo","digests":["\#(nothing)"]}"#,
                401, 404, 403, 200, 200, 200, 401
            ),
            Row(
                "POST", "/v1/uploads", "/v1/uploads", #"{"project":"demo","digest":"\#(nothing)","size":15}"#,
                401, 404, 403, 201, 201, 201, 401
            ),
            // An upload is its maker's own: even an operator does not know of it.
            Row("GET", "/v1/uploads/{upload}", "/v1/uploads/\(made.upload)", nil, 401, 404, 404, 200, 404, 404, 401),
            Row(
                "PATCH", "/v1/uploads/{upload}", "/v1/uploads/\(made.upload)", "nobody has this",
                401, 404, 404, 200, 404, 404, 401
            ),
            Row(
                "POST", "/v1/uploads/{upload}/finish", "/v1/uploads/\(made.upload)/finish", nil,
                401, 404, 404, 200, 404, 404, 401
            ),
            Row(
                "DELETE", "/v1/uploads/{upload}", "/v1/uploads/\(made.secondUpload)", nil,
                401, 404, 404, 204, 404, 404, 401
            ),
            Row("GET", "/v1/blobs/{digest}", "/v1/blobs/\(digest)", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("HEAD", "/v1/blobs/{digest}", "/v1/blobs/\(digest)", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("GET", "/v1/trees/{digest}", "/v1/trees/\(made.tree)", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("GET", "/v1/ledger/balances", "/v1/ledger/balances", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "GET", "/v1/ledger/entries", "/v1/ledger/entries?project=demo", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row("GET", "/v1/ledger/usage", "/v1/ledger/usage?project=demo", nil, 401, 404, 200, 200, 200, 200, 401),
            Row("GET", "/metrics", "/metrics", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("GET", "/v1/repositories", "/v1/repositories", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "POST", "/v1/repositories", "/v1/repositories", #"{"kind":"model","path":"demo/new-#"}"#,
                401, 404, 403, 201, 201, 201, 401
            ),
            Row("GET", "/v1/repositories/stats", "/v1/repositories/stats", nil, 401, 200, 200, 200, 200, 200, 401),
            Row("POST", "/v1/repositories/collect", "/v1/repositories/collect", nil, 401, 403, 403, 403, 403, 200, 401),
            Row(
                "GET", "/v1/repositories/{repository}", "/v1/repositories/\(made.repository)", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "PATCH", "/v1/repositories/{repository}", "/v1/repositories/\(made.repository)", #"{"gating":"manual"}"#,
                401, 404, 403, 403, 200, 200, 401
            ),
            Row(
                "GET", "/v1/repositories/{repository}/access", "/v1/repositories/\(made.repository)/access", nil,
                401, 404, 403, 403, 200, 200, 401
            ),
            Row(
                "PUT", "/v1/repositories/{repository}/access/{user}",
                "/v1/repositories/\(made.repository)/access/spare-0", #"{"state":"accepted"}"#,
                401, 404, 403, 403, 204, 204, 401
            ),
            Row(
                "GET", "/v1/repositories/{repository}/lineage", "/v1/repositories/\(made.repository)/lineage", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "DELETE", "/v1/repositories/{repository}", "/v1/repositories/SACRIFICE", nil,
                401, 404, 403, 403, 204, 204, 401
            ),
            Row(
                "GET", "/v1/jobs/{job}/lineage", "/v1/jobs/\(made.job)/lineage", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row("GET", "/v1/releases", "/v1/releases", nil, 401, 200, 200, 200, 200, 200, 401),
            Row(
                "GET", "/v1/repositories/{repository}/samples", "/v1/repositories/\(made.release)/samples", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "GET", "/v1/repositories/{repository}/samples/{purpose}/items",
                "/v1/repositories/\(made.release)/samples/check/items?awaiting=true", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "GET", "/v1/repositories/{repository}/samples/{purpose}/items/{place}",
                "/v1/repositories/\(made.release)/samples/check/items/#", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            Row(
                "GET", "/v1/repositories/{repository}/samples/{purpose}/verdicts",
                "/v1/repositories/\(made.release)/samples/check/verdicts", nil,
                401, 404, 200, 200, 200, 200, 401
            ),
            // Each caller judges the record of their own place.
            Row(
                "POST", "/v1/repositories/{repository}/samples/{purpose}/verdicts",
                "/v1/repositories/\(made.release)/samples/check/verdicts", #"{"step":"judge","place":#,"good":true}"#,
                401, 404, 403, 201, 201, 201, 401
            ),
            Row("GET", "/healthz", "/healthz", nil, 200, 200, 200, 200, 200, 200, 200),
            Row("GET", "/readyz", "/readyz", nil, 200, 200, 200, 200, 200, 200, 200),
            Row("GET", "/openapi.json", "/openapi.json", nil, 200, 200, 200, 200, 200, 200, 200),
            // The token in the body is what counts here, and this one is none.
            Row(
                "POST", "/v1/agent/join", "/v1/agent/join", #"{"token":"oj_none"}"#,
                401, 401, 401, 401, 401, 401, 401
            ),
            Row("POST", "/v1/agent/exchange", "/v1/agent/exchange", made.exchange, 401, 401, 401, 401, 401, 401, 200),
            // The agent holds no lease: it may ask, and learns nothing.
            Row(
                "GET", "/v1/agent/runs/{run}/blobs/{digest}", "/v1/agent/runs/\(made.run)/blobs/\(digest)", nil,
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "HEAD", "/v1/agent/runs/{run}/blobs/{digest}", "/v1/agent/runs/\(made.run)/blobs/\(digest)", nil,
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "POST", "/v1/agent/runs/{run}/blobs/missing", "/v1/agent/runs/\(made.run)/blobs/missing",
                #"{"digests":["\#(digest)"]}"#,
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "POST", "/v1/agent/runs/{run}/uploads", "/v1/agent/runs/\(made.run)/uploads",
                #"{"digest":"\#(nothing)","size":15}"#,
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "GET", "/v1/agent/uploads/{upload}", "/v1/agent/uploads/\(made.upload)", nil,
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "PATCH", "/v1/agent/uploads/{upload}", "/v1/agent/uploads/\(made.upload)", "x",
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "POST", "/v1/agent/uploads/{upload}/finish", "/v1/agent/uploads/\(made.upload)/finish", nil,
                401, 401, 401, 401, 401, 401, 404
            ),
            Row(
                "PUT", "/v1/agent/runs/{run}/logs/{task}", "/v1/agent/runs/\(made.run)/logs/0?offset=0", "text",
                401, 401, 401, 401, 401, 401, 404
            ),
        ]
    }

    /// What the rows speak of.
    private struct Made {
        var document = #"{"name":"probe","command":["true"]}"#
        var exchange = ""
        var report = ""
        var job = ""
        /// A job for each caller to cancel.
        var victims: [String] = []
        /// A private repository of the owner's, and one for each caller to remove.
        var repository = ""
        var sacrifices: [String] = []
        /// A private data set with a sample of a record for each caller.
        var release = ""
        var array = ""
        var workflow = ""
        var token = ""
        var tree = ""
        var upload = ""
        var secondUpload = ""
        var run: String { "op-\(job.dropFirst(4))-1" }
    }

    @Test("each answers each caller as the table says, and no route is missing from the table")
    func matrix() async throws {
        try await withScene { scene in
            let made = try await prepare(scene)
            let rows = Self.rows(made)
            let covered = Set(rows.map { "\($0.method) \($0.template)" })
            let routes = Set(APIRoutes.routes.map { "\($0.method.rawValue) \($0.template)" })
            #expect(routes.subtracting(covered).sorted() == [], "routes that no row tests")
            #expect(covered.subtracting(routes).sorted() == [], "rows without a route")
            for row in rows {
                for (index, who) in Who.allCases.enumerated() {
                    let path = row.path.replacing("#", with: "\(index)")
                        .replacing("VICTIM", with: made.victims[index])
                        .replacing("SACRIFICE", with: made.sacrifices[index])
                    let body = row.body.map { Array($0.replacing("#", with: "\(index)").utf8) }
                    var headers: [String: String] = [:]
                    if row.method == "PATCH", row.template.contains("upload") { headers["Upload-Offset"] = "0" }
                    let answer = try await scene.call(row.method, path, as: who, headers: headers, body: body)
                    #expect(
                        answer.status == row.expected[index],
                        "\(row.method) \(row.template) as \(who): \(answer)"
                    )
                }
            }
        }
    }

    @Test("a token may only be used for what its scopes say")
    func scopes() async throws {
        try await withScene { scene in
            let routes = APIRoutes.routes.filter { $0.scope != nil }
            for scope in [Token.Scope.read, .write] {
                let request = TokenRequest(scopes: [scope], label: "narrow")
                let secret = try await scene.point.issueToken(request, scene.operator).secret
                for route in routes where route.method != .head {
                    let path = route.template.replacing("{", with: "").replacing("}", with: "")
                    let answer = try await scene.call(
                        route.method.rawValue,
                        path,
                        headers: ["Authorization": "Bearer \(secret)"]
                    )
                    if route.scope == scope {
                        #expect(answer.status != 403 && answer.status != 401, "\(path) with \(scope): \(answer)")
                    } else {
                        #expect(answer.status == 403, "\(path) with \(scope): \(answer)")
                    }
                }
            }
        }
    }

    @Test("the console's cookie reads, and changes nothing")
    func cookie() async throws {
        try await withScene { scene in
            let cookie = ["Cookie": "theme=dark; onepoint_session=\(scene.tokens[.owner] ?? "")", "Authorization": ""]
            var headers = cookie
            headers["Authorization"] = nil
            let connection = try RawConnection(port: scene.port)
            try await connection.send(
                "GET /v1/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: \(cookie["Cookie"] ?? "")\r\n\r\n"
            )
            #expect(try Answer(parsing: await connection.receiveAll()).status == 200)
            let second = try RawConnection(port: scene.port)
            try await second.send(
                "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
                    + "Cookie: \(cookie["Cookie"] ?? "")\r\n\r\n{}"
            )
            #expect(try Answer(parsing: await second.receiveAll()).status == 401)
        }
    }

    private func prepare(_ scene: Scene) async throws -> Made {
        var made = Made()
        let answers = { (answer: Answer, key: String) throws -> String in
            try #require(try answer.json()[key]?.stringValue, "\(answer)")
        }
        for index in 0..<7 {
            for name in ["spare", "leaver"] {
                _ = try await scene.call("POST", "/v1/users", json: #"{"name":"\#(name)-\#(index)"}"#)
            }
            _ = try await scene.call(
                "PUT",
                "/v1/projects/demo/members/leaver-\(index)",
                json: #"{"role":"viewer"}"#
            )
        }
        let token = try await scene.call("POST", "/v1/tokens", json: #"{"scopes":["read"],"label":"victim"}"#)
        made.token = try #require(try token.json()["token"]?["token"]?.stringValue)
        _ = try await scene.call("POST", "/v1/centres", json: #"{"name":"spare","tier":"device"}"#)
        let submit = "/v1/jobs?project=demo"
        made.job = try answers(try await scene.call("POST", submit, json: made.document), "job")
        for _ in Who.allCases {
            made.victims.append(try answers(try await scene.call("POST", submit, json: made.document), "job"))
        }
        for index in -1..<Who.allCases.count {
            let body = #"{"kind":"model","path":"demo/made\#(index)"}"#
            let answer = try await scene.call("POST", "/v1/repositories", json: body)
            let id = try #require(try answer.json()["summary"]?["repository"]?.stringValue, "\(answer)")
            if index < 0 { made.repository = id } else { made.sacrifices.append(id) }
        }
        made.release = try await scene.publishRelease(records: Who.allCases.count)
        made.array = try answers(
            try await scene.call("POST", submit, json: #"{"name":"many","command":["true"],"array":3}"#),
            "array"
        )
        made.workflow = try answers(
            try await scene.call(
                "POST",
                submit,
                json: #"{"workflow":"flow","jobs":[{"name":"a","command":["true"]}]}"#
            ),
            "workflow"
        )
        _ = try await scene.upload(Array("hello".utf8))
        let file = TreeManifest.File(path: "a", digest: Self.digest, size: 5, executable: false)
        made.tree = try await scene.upload(TreeManifest(files: [file]).canonical).description
        let upload = #"{"project":"demo","digest":"\#(Self.nothing)","size":15}"#
        made.upload = try answers(try await scene.call("POST", "/v1/uploads", as: .member, json: upload), "upload")
        made.secondUpload = try answers(
            try await scene.call("POST", "/v1/uploads", as: .member, json: upload),
            "upload"
        )
        let agent = try await scene.point.authenticateAgent(bearer: scene.tokens[.agent] ?? "").agent
        try await scene.reportCapacity()
        made.report = try JSON(encoding: SimulationReport.sample).text
        made.exchange = """
            {"agent":"\(agent)","seat":"here","at":"2026-01-01T00:00:00Z","reports":[],"holds":[],"strays":[],"wait_milliseconds":0}
            """
        return made
    }
}

extension Scene {
    /// The centre `hub-1` has a node of eight cores.
    func reportCapacity() async throws {
        let agent = try await point.authenticateAgent(bearer: tokens[.agent] ?? "").agent
        let node = #"{"name":"n1","schedulable":true,"cores":8000,"memory":68719476736,"cards":[]}"#
        let capacity = #"{"engine":"fake","engine_version":"1","isolates":false,"nodes":[\#(node)]}"#
        let report = """
            {"agent":"\(agent)","seat":"here","at":"2026-01-01T00:00:00Z","capacity":\(capacity),"reports":[],"holds":[],"strays":[],"wait_milliseconds":0}
            """
        let answer = try await call("POST", "/v1/agent/exchange", as: .agent, json: report)
        #expect(answer.status == 200, "\(answer)")
    }

    /// Uploads bytes to the project `demo` in one piece.
    func upload(_ bytes: [UInt8], as who: Who = .member) async throws -> Core.Digest {
        let digest = sha256(bytes)
        let begun = try await call(
            "POST",
            "/v1/uploads",
            as: who,
            json: #"{"project":"demo","digest":"\#(digest)","size":\#(bytes.count)}"#
        )
        let upload = try #require(try begun.json()["upload"]?.stringValue, "\(begun)")
        let sent = try await call(
            "PATCH",
            "/v1/uploads/\(upload)",
            as: who,
            headers: ["Upload-Offset": "0"],
            body: bytes
        )
        #expect(sent.status == 200, "\(sent)")
        let finished = try await call("POST", "/v1/uploads/\(upload)/finish", as: who)
        #expect(finished.status == 200, "\(finished)")
        return digest
    }
}
