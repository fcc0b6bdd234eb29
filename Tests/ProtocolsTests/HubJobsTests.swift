import AsyncHTTPClient
import Core
import Entry
import FoundationEssentials
import Hub
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import Jobs
@testable import Protocols

/// A centre whose agent is played by the test.
private struct HandCentre: Sendable {
    let scene: FaceScene
    let principal: AgentPrincipal
    let capacity: CentreCapacity

    /// - Parameter tier: Of the centre, which is called the same.
    static func join(_ scene: FaceScene, _ tier: Tier, _ nodes: [Node], _ prices: PriceTable) async throws -> Self {
        let root = try await scene.point.authenticate(bearer: try #require(scene.tokens[.operator]))
        let token = try await scene.point.createCentre(name(tier.rawValue), tier: tier, prices: prices, root).token
        let joined = try await scene.point.join(JoinRequest(token: token))
        let centre = HandCentre(
            scene: scene,
            principal: AgentPrincipal(centre: joined.centre, agent: joined.agent),
            capacity: CentreCapacity(engine: .fake, engineVersion: "1", nodes: nodes, isolates: false)
        )
        _ = try await centre.exchange([:], holds: [])
        return centre
    }

    @discardableResult
    func exchange(_ reports: [RunKey: RunObservation], holds: [RunKey]) async throws -> ExchangeResponse {
        let at = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return try await scene.point.exchange(
            ExchangeRequest(
                agent: principal.agent,
                seat: "here",
                at: at,
                capacity: capacity,
                reports: reports.map { .init(run: $0.key, version: Int(at.milliseconds), observation: $0.value) },
                holds: holds,
                waitMilliseconds: 0
            ),
            principal
        )
    }

    /// Places what waits, once it may be, and starts it here.
    func start() async throws -> RunKey {
        var found: RunKey?
        for _ in 0..<400 where found == nil {
            try await scene.point.place()
            found = try await exchange([:], holds: []).leases.first?.run
            // A second attempt waits its time.
            if found == nil { await scene.point.waitForEvents(after: .max, atMost: .milliseconds(50)) }
        }
        let run = try #require(found, "nothing was placed here")
        let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        try await exchange([run: RunObservation(phase: .running, engineJob: "e", startedAt: now)], holds: [run])
        return run
    }

    func print(_ text: String, at offset: Int64 = 0, _ run: RunKey, isLast: Bool = false) async throws {
        _ = try await scene.point.agentAppendLog(
            run,
            task: 0,
            offset: offset,
            Array(text.utf8),
            complete: isLast,
            principal
        )
    }

    func end(_ run: RunKey, _ kind: RunOutcome.Kind = .succeeded, code: Int? = nil) async throws {
        let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let outcome = RunOutcome(kind, code: code)
        try await exchange(
            [run: RunObservation(phase: .ended, engineJob: "e", endedAt: now, outcome: outcome)],
            holds: [run]
        )
    }
}

private let cards = [CardGroup(model: "h100-sxm5", count: 8)]
private let big = Node(name: "n1", cores: .cores(64), memory: .gibi(512), cards: cards)

extension FaceScene {
    fileprivate func hub(_ prices: PriceTable = PriceTable()) async throws -> HandCentre {
        try await HandCentre.join(self, .hub, [big], prices)
    }

    fileprivate func run(
        _ members: String = #""command":["true"],"dockerImage":"python:3.12""#,
        as who: Who = .member,
        in namespace: String = "demo"
    ) async throws -> Reply {
        try await call("POST", "/api/jobs/\(namespace)", as: who, body: Array("{\(members)}".utf8))
    }

    /// Runs one and says what it is called.
    fileprivate func started(_ members: String) async throws -> String {
        let reply = try await run(members)
        try #require(reply.status == 200, "\(reply)")
        return try #require(try reply.json()["id"]?.stringValue)
    }

    /// The lines of a finished job's log, as clients take them.
    fileprivate func lines(_ id: String, _ query: String = "") async throws -> [String] {
        let reply = try await call("GET", "/api/jobs/demo/\(id)/logs\(query)")
        try #require(reply.status == 200, "\(reply)")
        // Or the client's next request would go into a connection that is being closed.
        #expect(reply["Connection"] == "close")
        return try reply.text.split(separator: "\n").filter { $0.hasPrefix("data: {") }.map {
            try #require(try JSON(parsing: $0.dropFirst(6).utf8)["data"]?.stringValue)
        }
    }
}

@Suite struct HubJobsTests {
    @Test("what can be asked for is what the centres have, by the Hub's names where it has some")
    func hardware() async throws {
        try await withFaces { scene in
            #expect(try await scene.call("GET", "/api/jobs/hardware").json() == .array([]))
            let none = try await scene.run()
            #expect(none.status == 400 && none["X-Error-Message"] == "No centre is connected now that takes work.")
            _ = try await scene.hub(PriceTable(coreHour: 60_000, cardHour: ["h100-sxm5": 6_000_000]))
            let small = Node(
                name: "n1",
                cores: .cores(1),
                memory: .gibi(2),
                cards: [CardGroup(model: "t4", count: 1), CardGroup(model: "Our Card", count: 3, emulated: true)]
            )
            _ = try await HandCentre.join(scene, .edge, [small], PriceTable())
            let list = try #require(try await scene.call("GET", "/api/jobs/hardware").json().arrayValue)
            #expect(
                list.compactMap { $0["name"]?.stringValue } == [
                    "cpu-basic", "cpu-upgrade", "cpu-xl", "cpu-performance", "our-card-emulated", "our-cardx2-emulated",
                    "our-cardx3-emulated", "h100-sxm5", "h100-sxm5x2", "h100-sxm5x4", "h100-sxm5x8", "t4",
                    "cpu-basic-hub", "cpu-basic-edge",
                ]
            )
            func flavor(_ name: String) throws -> JSON { try #require(list.first { $0["name"]?.stringValue == name }) }
            let basic = try flavor("cpu-basic")
            #expect(basic["cpu"] == "2 vCPU" && basic["ram"] == "16 GiB" && basic["accelerator"] == .null)
            // 2 cores at 0.06 an hour: 2,000 millionths a minute.
            #expect(basic["unitCostMicroUSD"] == 2000 && basic["unitCostUSD"] == .number(0.002))
            #expect(basic["unitLabel"] == "minute" && basic["prettyName"] == "CPU Basic")
            #expect(try flavor("cpu-basic-edge")["ram"] == "2 GiB")
            let two = try flavor("h100-sxm5x2")
            #expect(two["cpu"] == "16 vCPU" && two["ram"] == "128 GiB" && two["prettyName"] == "2x NVIDIA H100 SXM5")
            #expect(two["accelerator"]?["quantity"] == "2" && two["accelerator"]?["vram"] == "160 GiB")
            #expect(two["accelerator"]?["manufacturer"] == "NVIDIA" && two["accelerator"]?["type"] == "gpu")
            #expect(two["unitCostMicroUSD"] == 216_000)

            for (asked, resources) in [
                ("t4-small", ("t4", 1)), ("h100x8", ("h100-sxm5", 8)), ("h100-sxm5x4", ("h100-sxm5", 4)),
            ] {
                let id = try await scene.started(
                    #""command":["true"],"dockerImage":"ubuntu","flavor":"\#(asked)""#
                )
                let spec = try await scene.spec(id)
                #expect(spec.resources.card == resources.0 && spec.resources.cards == resources.1)
                #expect(!spec.placement.emulated)
            }
            let edge = try await scene.started(#""command":["true"],"dockerImage":"bash","flavor":"cpu-basic-edge""#)
            #expect(try await scene.spec(edge).placement.tiers == [.edge])
            let emulated = try await scene.started(
                #""command":["true"],"dockerImage":"bash","flavor":"our-cardx2-emulated""#
            )
            #expect(try await scene.spec(emulated).placement.emulated)
            let unknown = try await scene.run(#""command":["true"],"dockerImage":"bash","flavor":"a100x8""#)
            #expect(unknown.status == 400)
            #expect(unknown.text.contains("There is no flavor 'a100x8' here now. There are: cpu-basic, "), "\(unknown)")
        }
    }

    @Test("a job is told of with all that clients look for, from its submission to its end")
    func life() async throws {
        try await withFaces { scene in
            let centre = try await scene.hub()
            let made = try await scene.run(
                #"""
                "command":["python","-c","print('a b')"],"arguments":["x"],"environment":{"A":"1"},"secrets":{},
                "flavor":"cpu-upgrade","dockerImage":"python:3.12","timeoutSeconds":120,"attempts":3,
                "labels":{"name":"My Run.v2","team":"ml"}
                """#
            )
            try #require(made.status == 200, "\(made)")
            let job = try made.json()
            let id = try #require(job["id"]?.stringValue)
            #expect(job["status"]?["stage"] == "SCHEDULING" && job["status"]?["message"]?.stringValue?.isEmpty == false)
            #expect(job["owner"]?["name"] == "demo" && job["initiator"]?["name"] == "mia")
            #expect(job["dockerImage"] == "python:3.12" && job["flavor"] == "cpu-upgrade" && job["spaceId"] == .null)
            #expect(job["command"] == .list(["python", "-c", "print('a b')"]) && job["arguments"] == .list(["x"]))
            #expect(job["environment"]?["A"] == "1" && job["secrets"] == .object([]) && job["retry"] == 2)
            #expect(job["labels"]?["team"] == "ml" && job["startedAt"] == .null && job["finishedAt"] == .null)
            let spec = try await scene.spec(id)
            #expect(spec.name == "my-run-v2" && spec.timeLimitSeconds == 120 && spec.resources.cores == .cores(8))
            #expect(spec.retries.limit == 2 && spec.retries.on.contains(.exit) && !spec.retries.on.contains(.timeLimit))
            #expect(spec.command.last?.hasSuffix(#"exec 'python' '-c' 'print('\''a b'\'')' 'x'"#) == true)

            let run = try await centre.start()
            let running = try await scene.call("GET", "/api/jobs/demo/\(id)").json()
            #expect(running["status"]?["stage"] == "RUNNING" && running["startedAt"] != .null)
            #expect(running["durations"]?["runningSecs"]?.integerValue != nil)
            #expect(try await scene.call("GET", "/api/jobs/demo?stage=RUNNING").json().arrayValue?.count == 1)
            #expect(try await scene.call("GET", "/api/jobs/demo?stage=SCHEDULING").json() == .array([]))
            try await centre.print("done\n", run, isLast: true)
            try await centre.end(run)
            let over = try await scene.call("GET", "/api/jobs/demo/\(id)").json()
            #expect(over["status"]?["stage"] == "COMPLETED" && over["finishedAt"] != .null)

            let again = try await scene.call("POST", "/api/jobs/demo/\(id)/duplicate")
            let twin = try again.json()
            #expect(again.status == 200 && twin["id"] != job["id"] && twin["command"] == job["command"], "\(again)")
            #expect(twin["environment"] == job["environment"] && twin["labels"] == job["labels"])
            let stopped = try await scene.call("POST", "/api/jobs/demo/\(try #require(twin["id"]?.stringValue))/cancel")
            #expect(try stopped.json()["status"]?["stage"] == "CANCELED", "\(stopped)")
            #expect(try await scene.call("POST", "/api/jobs/demo/\(id)/cancel").status == 409)
            let page = try await scene.call("GET", "/jobs/demo/\(id)")
            // The client of these tests follows it to a console that is not there.
            #expect(page.status == 404)
        }
    }

    @Test("jobs are listed by stage and by label, page by page, those of other clients too")
    func list() async throws {
        try await withFaces { scene in
            _ = try await scene.hub()
            var ids: [String] = []
            for number in 0..<5 {
                ids.append(
                    try await scene.started(
                        #""command":["true"],"dockerImage":"bash","labels":{"name":"n\#(number % 2)","x":"1"}"#
                    )
                )
            }
            let mia = try await scene.point.authenticate(bearer: try #require(scene.tokens[.member]))
            let plain = try await scene.point.submit(
                JSON(parsing: #"{"name":"plain","command":["true"]}"#.utf8),
                project: name("demo"),
                idempotencyKey: nil,
                mia
            )
            var found: [String] = []
            var next: String? = "/api/jobs/demo?limit=2&label=name%3Dn0&label=x%3D1"
            while let path = next {
                let reply = try await scene.call("GET", path)
                found += (try reply.json().arrayValue ?? []).compactMap { $0["id"]?.stringValue }
                next = reply["Link"].flatMap { link in
                    link.split(separator: ">").first.map { String($0.dropFirst()) }
                }
            }
            #expect(found == [ids[4], ids[2], ids[0]])
            let all = try #require(try await scene.call("GET", "/api/jobs/demo").json().arrayValue)
            #expect(all.count == 6 && all[0]["id"]?.stringValue == plain.job?.description)
            #expect(all[0]["dockerImage"] == .null && all[0]["labels"]?["name"] == "plain")
            #expect(try await scene.call("GET", "/api/jobs/demo?stage=DELETED").json() == .array([]))
            let copied = try await scene.call("POST", "/api/jobs/demo/\(plain.job?.description ?? "")/duplicate")
            #expect(copied.status == 400, "\(copied)")
        }
    }

    @Test("a job is for its project's people, by role and by the token's scope")
    func roles() async throws {
        try await withFaces { scene in
            let centre = try await scene.hub()
            let id = try await scene.started(#""command":["true"],"dockerImage":"bash""#)
            let run = try await centre.start()
            try await centre.print("hello\n", run, isLast: true)
            try await centre.end(run)
            for path in ["/api/jobs/demo", "/api/jobs/demo/\(id)", "/api/jobs/demo/\(id)/logs"] {
                let stranger = try await scene.call("GET", path, as: .anonymous)
                #expect(stranger.status == 401, "\(path) \(stranger)")
                let foreigner = try await scene.call("GET", path, as: .foreigner)
                #expect(foreigner.status == 404 && foreigner["X-Error-Code"] == nil, "\(path) \(foreigner)")
                for who in [Who.viewer, .member, .owner, .operator] {
                    #expect(try await scene.call("GET", path, as: who).status == 200, "\(path) \(who)")
                }
            }
            #expect(try await scene.call("GET", "/api/jobs/hardware", as: .anonymous).status == 401)
            // It is not there under another project's name either.
            #expect(try await scene.call("GET", "/api/jobs/other/\(id)", as: .operator).status == 404)
            for path in ["cancel", "duplicate"].map({ "/api/jobs/demo/\(id)/\($0)" }) + ["/api/jobs/demo"] {
                let body = Array(#"{"command":["true"],"dockerImage":"bash"}"#.utf8)
                #expect(try await scene.call("POST", path, as: .anonymous, body: body).status == 401)
                #expect(try await scene.call("POST", path, as: .foreigner, body: body).status == 404, "\(path)")
                #expect(try await scene.call("POST", path, as: .viewer, body: body).status == 403, "\(path)")
            }
            let root = try await scene.point.authenticate(bearer: try #require(scene.tokens[.operator]))
            let reader = try await scene.point.issueToken(
                TokenRequest(user: name("mia"), scopes: [.read], label: "reads"),
                root
            ).secret
            let header = [("Authorization", "Bearer \(reader)")]
            #expect(try await scene.call("GET", "/api/jobs/demo/\(id)", headers: header).status == 200)
            let refused = try await scene.call(
                "POST",
                "/api/jobs/demo",
                headers: header,
                body: Array(#"{"command":["true"],"dockerImage":"bash"}"#.utf8)
            )
            #expect(refused.status == 403, "\(refused)")
        }
    }

    @Test("a namespace that is the user's own name stands for their only project")
    func namespace() async throws {
        try await withFaces { scene in
            _ = try await scene.hub()
            let own = try await scene.run(in: "mia")
            #expect(try own.json()["owner"]?["name"] == "demo", "\(own)")
            #expect(try await scene.run(in: "olga").status == 404)
        }
    }

    @Test(
        "what would not be kept is refused in a sentence, and nothing is submitted",
        arguments: [
            (#""command":["a"],"dockerImage":"bash","secrets":{"T":"hush"}"#, "no store of secrets"),
            (#""command":["a"],"dockerImage":"pytorch/pytorch:2.6""#, "centres pull no images"),
            (#""command":["a"],"dockerImage":"ghcr.io/astral-sh/uv:python3.12-bookworm""#, "centres pull no images"),
            (#""command":["a"],"spaceId":"demo/space""#, "no spaces"),
            (#""command":["a"],"dockerImage":"bash","expose":{"ports":[80],"portsPublic":[]}"#, "'expose' is refused"),
            (#""command":["a"],"dockerImage":"bash","ssh":{"enabled":true}"#, "'ssh' is refused"),
            (#""command":["a"],"dockerImage":"bash","network":{"group":"g"}"#, "'network' is refused"),
            (#""command":["a"],"dockerImage":"bash","resourceGroupId":"g"#, "not JSON"),
            (#""command":["a"],"dockerImage":"bash","resourceGroupId":"g""#, "no resource groups"),
            (#""command":["a"],"dockerImage":"bash","novel":1"#, "'novel' is not known here"),
            (#""command":[],"dockerImage":"bash""#, "'command' is missing"),
            (#""command":["a"]"#, "'dockerImage' is missing"),
            (#""command":[1],"dockerImage":"bash""#, "list of texts"),
            (#""command":["a"],"dockerImage":"bash","timeoutSeconds":0"#, "above 0"),
            (#""command":["a"],"dockerImage":"bash","timeoutSeconds":99999999"#, "/resources/time_limit"),
            (#""command":["a"],"dockerImage":"bash","attempts":1000"#, "/retries/limit"),
            (#""command":["a"],"dockerImage":"bash","environment":{"ONEPOINT_RUN":"1"}"#, "/environment/ONEPOINT_RUN"),
            (#""command":["a"],"dockerImage":"bash","environment":{"A":1}"#, "/environment/A"),
            (#""command":["a"],"dockerImage":"bash","labels":{"a":1}"#, "A label and its value"),
            (
                #""command":["a"],"dockerImage":"bash","volumes":[{"type":"bucket","source":"demo/b","mountPath":"/b"}]"#,
                "only models and datasets"
            ),
            (
                #""command":["a"],"dockerImage":"bash","volumes":[{"source":"demo/b","mountPath":"/b","readOnly":false}]"#,
                "can be read and not be written"
            ),
            (
                #""command":["a"],"dockerImage":"bash","volumes":[{"source":"demo/b","mountPath":"/a/../b"}]"#,
                "no path to mount at"
            ),
            (
                #""command":["a"],"dockerImage":"bash","volumes":[{"source":"demo/b","mountPath":"/"}]"#,
                "no path to mount at"
            ),
            (
                #""command":["a"],"dockerImage":"bash","volumes":[{"source":"b","mountPath":"/b"}]"#,
                "no repository"
            ),
            (
                #""command":["a"],"dockerImage":"bash","volumes":[{"source":"demo/none","mountPath":"/b"}]"#,
                "There is no repository 'demo/none'"
            ),
            (
                #"""
                "command":["a"],"dockerImage":"bash",
                "volumes":[{"source":"demo/a","mountPath":"/x/y"},{"source":"demo/b","mountPath":"/x-y"}]
                """#,
                "Two volumes are mounted"
            ),
        ]
    )
    func refusals(_ members: String, _ words: String) async throws {
        try await withFaces { scene in
            _ = try await scene.hub()
            let reply = try await scene.run(members)
            #expect(reply.status == 400 && reply.text.contains(words), "\(reply)")
            #expect(reply["X-Error-Message"] != nil && !reply.text.contains("hush"))
            #expect(try await scene.call("GET", "/api/jobs/demo").json() == .array([]))
        }
    }

    @Test("labels and volumes are taken up to their limits")
    func limits() throws {
        func request(labels: Int, volumes: Int) throws -> HubJobRequest {
            let paths = (0..<volumes).map { #"{"source":"demo/net","mountPath":"/v\#($0)"}"# }.joined(separator: ",")
            let word = String(repeating: "é", count: labels)
            let text = #"{"command":["a"],"dockerImage":"bash","labels":{"\#(word)":"\#(word)"},"volumes":[\#(paths)]}"#
            return try HubJobRequest(JSON(parsing: text.utf8))
        }
        #expect(try request(labels: 100, volumes: HubJobRequest.volumesMax).volumes.count == HubJobRequest.volumesMax)
        #expect(throws: Failure.self) { try request(labels: 101, volumes: 0) }
        #expect(throws: Failure.self) { try request(labels: 1, volumes: HubJobRequest.volumesMax + 1) }
    }

    @Test("what is not there yet says so: schedules, buckets, metrics, labels and ports of a job")
    func notThere() async throws {
        try await withFaces { scene in
            _ = try await scene.hub()
            let id = try await scene.started(#""command":["true"],"dockerImage":"bash""#)
            for (method, path, words) in [
                ("GET", "/api/scheduled-jobs/demo", "no schedules"),
                ("POST", "/api/scheduled-jobs/demo", "no schedules"),
                ("POST", "/api/buckets/demo/jobs-artifacts", "no buckets"),
                ("GET", "/api/jobs/demo/\(id)/metrics", "once it has ended"),
                ("PUT", "/api/jobs/demo/\(id)/labels", "labels of a job stay"),
                ("PUT", "/api/jobs/demo/\(id)/expose", "no ports to expose"),
            ] {
                let reply = try await scene.call(method, path, body: method == "GET" ? nil : Array("{}".utf8))
                #expect(reply.status == 400 && reply.text.contains(words), "\(path) \(reply)")
            }
            #expect(try await scene.call("GET", "/api/jobs/demo/\(id)/novel").status == 404)
            #expect(try await scene.call("GET", "/api/jobs/demo/none").status == 404)
            #expect(try await scene.call("GET", "/api/jobs/demo/\(id)/a/b").status == 404)
        }
    }

    @Test("a volume is an input at the revision that its name means now, and the command sees its folder")
    func volumes() async throws {
        try await withFaces { scene in
            _ = try await scene.hub()
            let made = try await scene.call(
                "POST",
                "/api/repos/create",
                body: Array(#"{"name":"text","organization":"demo","type":"dataset","private":true}"#.utf8)
            )
            try #require(made.status == 200, "\(made)")
            let line = #"{"key":"file","value":{"path":"sub/a.txt","content":"YQ==","encoding":"base64"}}"#
            let commit = try await scene.call(
                "POST",
                "/api/datasets/demo/text/commit/main",
                headers: [("Content-Type", "application/x-ndjson")],
                body: Array((#"{"key":"header","value":{"summary":"Add"}}"# + "\n" + line).utf8)
            )
            let revision = try #require(try commit.json()["commitOid"]?.stringValue)
            let id = try await scene.started(
                #"""
                "command":["cat","/data/text/a.txt"],"dockerImage":"ubuntu","volumes":[{
                "type":"dataset","source":"demo/text","mountPath":"/data/text/","path":"sub","readOnly":true}]
                """#
            )
            let job = try await scene.call("GET", "/api/jobs/demo/\(id)").json()
            let volume = try #require(job["volumes"]?.arrayValue?.first)
            #expect(volume["revision"]?.stringValue == revision && volume["mountPath"] == "/data/text")
            #expect(volume["path"] == "sub" && volume["readOnly"] == true && volume["type"] == "dataset")
            let spec = try await scene.spec(id)
            #expect(spec.inputs.map(\.name) == ["data-text"] && spec.inputs[0].origin?.revision.text == revision)
            #expect(spec.command.last == #"exec 'cat' "$ONEPOINT_INPUTS/data-text"'/a.txt'"#)
        }
    }

    @Test(
        "a mount path is found as a path, and not in what only looks like it",
        arguments: [
            ("/model", "{m}"), ("/model/", "{m}/"), ("/model/a.bin", "{m}/a.bin"), ("--x=/model", "--x={m}"),
            ("open('/model/c')", "open('{m}/c')"), ("cat /model/a /model/deep/b", "cat {m}/a {d}/b"),
            ("/models", "/models"), ("/model.bin", "/model.bin"), ("a/model", "a/model"), ("hf://model", "hf://model"),
            ("./model", "./model"), ("/model:/model", "{m}:{m}"), ("", ""), ("é/model", "é/model"), ("/mode", "/mode"),
        ]
    )
    func mounts(_ word: String, _ expected: String) throws {
        let volumes = try [("/model", "m"), ("/model/deep", "d")].map { path, _ in
            try HubVolume(JSON(parsing: #"{"source":"demo/net","mountPath":"\#(path)"}"#.utf8))
        }
        let pieces = HubVolume.pieces(of: word, volumes).map { piece in
            switch piece {
            case .text(let text): text
            case .mount(let name): name == "model" ? "{m}" : "{d}"
            }
        }
        #expect(pieces.joined() == expected)
    }

    // MARK: Logs

    @Test("a log is told line by line as it grows, attempt by attempt, and ends with the job")
    func logs() async throws {
        try await withFaces { scene in
            let centre = try await scene.hub()
            let id = try await scene.started(#""command":["a"],"dockerImage":"bash","attempts":2"#)
            // The stream is open before the job has an attempt.
            async let followed = scene.lines(id)
            let first = try await centre.start()
            try await centre.print("one\ntw", first)
            try await centre.print("o\n\nunended", at: 6, first, isLast: true)
            try await centre.end(first, .exit, code: 1)
            let second = try await centre.start()
            let odd = "\u{2028}a\u{85}b\u{2029}\r"
            try await centre.print("again\n\(odd)\n", second, isLast: true)
            try await centre.end(second)
            let notice = "onepoint: runs at centre 'hub', in its own environment instead of image 'bash'"
            let expected = [
                notice, "one", "two", "", "unended", notice.replacing("'hub'", with: "'hub' (attempt 2)"), "again", odd,
            ]
            #expect(try await followed == expected)
            #expect(try await scene.lines(id) == expected)
            #expect(try await scene.lines(id, "?tail=1") == [odd])
            #expect(try await scene.lines(id, "?tail=50") == ["again", odd])
            let text = try await scene.call("GET", "/api/jobs/demo/\(id)/logs").text
            #expect(!text.unicodeScalars.contains("\u{2028}") && !text.unicodeScalars.contains("\u{85}"))
            // What is later than the answer's `Date`, which lags, clients that do not follow would take for new.
            let latest = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) - .seconds(4)
            let times = try text.split(separator: "\n").filter { $0.hasPrefix("data: {") }.map {
                try JSON(parsing: $0.dropFirst(6).utf8)["timestamp"]?.stringValue.flatMap { Instant(rfc3339: $0) }
            }
            #expect(times.count == expected.count && times.allSatisfy { $0.map { $0 < latest } ?? false }, "\(times)")
        }
    }

    @Test("the stream of who lost the right to look ends")
    func revoked() async throws {
        try await withFaces { scene in
            let centre = try await scene.hub()
            let id = try await scene.started(#""command":["a"],"dockerImage":"bash""#)
            let run = try await centre.start()
            try await centre.print("seen\n", run)
            let root = try await scene.point.authenticate(bearer: try #require(scene.tokens[.operator]))
            let token = try await scene.point.issueToken(
                TokenRequest(user: name("vera"), scopes: [.read], label: "short"),
                root
            )
            var request = HTTPClientRequest(url: scene.address + "/api/jobs/demo/\(id)/logs")
            request.headers.add(name: "Authorization", value: "Bearer \(token.secret)")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
            var pieces = response.body.makeAsyncIterator()
            let first = try #require(try await pieces.next())
            #expect(String(buffer: first).contains("seen"))
            try await scene.point.revokeToken(token.token.token, root)
            scene.users.forgetAll()
            try await centre.print("hidden\n", at: 5, run, isLast: true)
            var rest = ""
            while let piece = try await pieces.next() { rest += String(buffer: piece) }
            #expect(!rest.contains("hidden"), "\(rest)")
        }
    }

    @Test("a log's lines are the same however it came in pieces")
    func lines() {
        let seed = UInt64.random(in: 0 ... .max)
        print("lines: seed \(seed)")
        var random = SplitMix(seed: seed)
        for _ in 0..<50 {
            var whole: [UInt8] = []
            for _ in 0..<Int(random.next() % 6) {
                let length = Int(random.next() % 40_000)
                let unit = Array(["x", "é", "漢", "🙂", "\u{FFFD}"][Int(random.next() % 5)].utf8)
                while whole.count < length { whole += unit }
                whole.append(UInt8(ascii: "\n"))
            }
            whole += Array("last".utf8)
            func read(_ next: () -> Int) -> [String] {
                var (lines, known, rest) = ([String](), 0, ArraySlice<UInt8>())
                while known < whole.count || !rest.isEmpty {
                    let more = min(whole.count - known, max(1, next()))
                    rest = Array(rest + whole[known..<(known + more)])[...]
                    known += more
                    while let line = HubJobLog.line(&rest, isLast: known == whole.count) { lines.append(line) }
                }
                return lines
            }
            let atOnce = read { whole.count }
            #expect(atOnce == read { Int(random.next() % 9000) })
            #expect(atOnce.allSatisfy { $0.utf8.count <= HubJobLog.lineBytesMax })
            // No character was taken apart.
            let isWhole = !atOnce.joined().contains("\u{FFFD}")
            #expect(isWhole || String(decoding: whole, as: UTF8.self).contains("\u{FFFD}"))
        }
    }
}

extension FaceScene {
    /// What the scheduler was given.
    fileprivate func spec(_ id: String) async throws -> JobSpec {
        let root = try await point.authenticate(bearer: try #require(tokens[.operator]))
        return try await point.job(try #require(JobID(id)), root).spec
    }
}
