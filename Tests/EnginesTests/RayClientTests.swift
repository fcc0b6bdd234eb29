import Core
import Glibc
import TestKit
import Testing

@testable import Engines

@Suite("Ray's answers are taken for what they are")
struct RayClientTests {
    static func client(_ server: LoopbackHTTP, bytesMax: Int = 1 << 20, tokenFile: String? = nil) -> RayClient {
        RayClient(
            http: EngineHTTP(
                name: "Ray",
                base: server.address,
                token: tokenFile.map { .file($0) } ?? .none,
                answerBytesMax: bytesMax,
                timeout: .seconds(20)
            )
        )
    }

    /// What a call says when the server gives that answer to everything.
    static func fault(
        _ answer: LoopbackHTTP.Answer,
        _ call: (RayClient) async throws(EngineError) -> Void
    ) async throws -> EngineError? {
        let server = try await LoopbackHTTP { _ in answer }
        var fault: EngineError?
        do throws(EngineError) { try await call(client(server)) } catch { fault = error }
        await server.close()
        return fault
    }

    static let lies: [(LoopbackHTTP.Answer, String)] = [
        (.init(200, "<!DOCTYPE html><title>Sign in</title>"), "web page"),
        (.init(200, #"[{"type": "SUBMI"#), "no JSON"),
        (.init(200, #"[{"a":1}]"#, breaksOffAfter: 4), "cannot be reached"),
        (.init(200, "", breaksOffAfter: 0), "cannot be reached"), (.init(200, #"{"jobs": []}"#), "no list"),
        (.init(200, bytes: [UInt8](repeating: UInt8(ascii: " "), count: 2 << 20)), "more than 1 MiB"),
        (.init(401, "Unauthorized: Missing authentication token"), "wants a token"),
        (.init(403, "Forbidden: Invalid authentication token"), "does not allow"),
        (.init(500, "Server got itself in trouble"), "status 500"), (.init(502, "Bad Gateway"), "status 502"),
        (.init(204, ""), "status 204"),
    ]

    @Test("a list that cannot be believed is no list, and the sentence says why", arguments: lies.indices)
    func believed(_ index: Int) async throws {
        let (answer, words) = Self.lies[index]
        let fault = try await Self.fault(answer) { client throws(EngineError) in _ = try await client.jobs() }
        guard case .unreachable(let sentence) = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(sentence.contains(words))
    }

    @Test("a job is unknown only by Ray's own word")
    func unknown() async throws {
        let absent = try await LoopbackHTTP { _ in .init(404, "Job \(RayFixtures.run) does not exist") }
        #expect(try await Self.client(absent).job(RayFixtures.run) == nil)
        await absent.close()
        let fault = try await Self.fault(.init(404, "<h1>404 page not found</h1>")) { client throws(EngineError) in
            _ = try await client.job(RayFixtures.run)
        }
        guard case .unreachable = fault else {
            Issue.record("a proxy's 404 was taken for Ray's: \(String(describing: fault))")
            return
        }
    }

    @Test("another interface and something else than Ray are refused with what to do")
    func versions() async throws {
        let old = try await Self.fault(.init(200, #"{"version": "9", "ray_version": "7.0"}"#)) {
            client throws(EngineError) in _ = try await client.version()
        }
        guard case .refused(let sentence) = old else {
            Issue.record("\(String(describing: old))")
            return
        }
        #expect(sentence.contains("Install a Ray 2"))
        let other = try await Self.fault(.init(200, #"{"hello": 1}"#)) { client throws(EngineError) in
            _ = try await client.version()
        }
        guard case .unreachable(let why) = other else {
            Issue.record("\(String(describing: other))")
            return
        }
        #expect(why.contains("not Ray"))
    }

    @Test("a submission's answers: taken, there already, refused, or nothing known")
    func submissions() async throws {
        let body = JSON.object([("submission_id", .string("x")), ("entrypoint", .string("true"))])
        func answer(_ status: Int, _ text: String) async throws -> RayClient.Submission {
            let server = try await LoopbackHTTP { _ in .init(status, text) }
            let result: Result<RayClient.Submission, any Error>
            do { result = .success(try await Self.client(server).submit(body)) } catch { result = .failure(error) }
            await server.close()
            return try result.get()
        }
        #expect(try await answer(200, #"{"job_id": "x", "submission_id": "x"}"#) == .accepted)
        let traceback = "Traceback…\nValueError: Job with submission_id x already exists. Please use another.\n.\n"
        #expect(try await answer(500, traceback) == .exists)
        let refusal = try await answer(400, "Traceback…\nTypeError: entrypoint_num_cpus must be a number\n")
        #expect(refusal == .refused("TypeError: entrypoint_num_cpus must be a number"))
        await #expect(throws: EngineError.self) { try await answer(500, "500 Internal Server Error") }
        await #expect(throws: EngineError.self) { try await answer(200, #"{"submission_id": "y"}"#) }
    }

    @Test("the token is read anew for every call, and never sent when there is none")
    func tokens() async throws {
        let server = try await LoopbackHTTP { .init(401, $0.authorization ?? "none") }
        var template = Array("/tmp/onepoint-token-XXXXXX".utf8CString)
        close(mkstemp(&template))
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let http = Self.client(server, tokenFile: path).http
        for token in ["first", "second"] {
            try LocalEngineRig.write("\(token)\n", to: path)
            #expect(String(decoding: try await http.call("GET", "/").body, as: UTF8.self) == "Bearer \(token)")
        }
        try LocalEngineRig.write("two\nlines and\u{7f}", to: path)
        await #expect(throws: EngineError.self) { try await http.call("GET", "/") }
        unlink(path)
        await #expect(throws: EngineError.self) { try await http.call("GET", "/") }
        #expect(String(decoding: try await Self.client(server).http.call("GET", "/").body, as: UTF8.self) == "none")
        await server.close()
    }

    @Test("nodes and their cards get the catalogue's names")
    func nodes() async throws {
        let listed = RayFixtures.nodes([
            RayFixtures.node("aaaa0001", name: "192.0.2.2", [("CPU", 16), ("memory", 2.4e10)]),
            RayFixtures.node(
                "bbbb0002",
                name: "192.0.2.2",
                [("CPU", 8), ("memory", 1e9), ("GPU", 4), ("h100", 4)]
            ),
            RayFixtures.node("c", name: "c", [("CPU", 1), ("GPU", 2), ("accelerator_type:A100-80G", 1)]),
            RayFixtures.node("d", name: "d", [("CPU", 1), ("GPU", 2), ("accelerator_type:H100", 1)]),
            RayFixtures.node("e", name: "e", [("CPU", 1), ("NPU", 8), ("accelerator_type:Ascend910B", 1)]),
            RayFixtures.node("f", name: "f", [("CPU", 1), ("GPU", 1)]),
            RayFixtures.node("g", name: "g", state: "DEAD", [("CPU", 1)]),
            .object([("node_id", .string("broken"))]),
        ])
        let (good, broken) = (
            try await LoopbackHTTP { _ in .init(200, listed.text) }, try await LoopbackHTTP { _ in .init(200, "{}") }
        )
        let all = try await Self.client(good).nodes()
        await #expect(throws: EngineError.self) { try await Self.client(broken).nodes() }
        for server in [good, broken] { await server.close() }
        let cards = RayCards(aliases: [
            "h100": "h100-sxm5", "accelerator_type:H100": "h100-pcie", "Ascend910B": "ascend-910b3",
        ])
        let nodes = cards.nodes(all, emulated: true)
        #expect(nodes.map(\.name) == ["192.0.2.2#aaaa0001", "192.0.2.2#bbbb0002", "c", "d", "e", "f"])
        #expect(nodes[0].cores == 16_000 && nodes[0].memory == Bytes(24_000_000_000) && nodes[0].cards.isEmpty)
        #expect(
            nodes.dropFirst().map { $0.cards.map { "\($0.count) \($0.model)" } } == [
                ["4 h100-sxm5"], ["2 a100-80gb"], ["2 h100-pcie"], ["8 ascend-910b3"], ["1 gpu"],
            ]
        )
        #expect(nodes.allSatisfy { $0.cards.allSatisfy(\.emulated) })
        let asked = cards.groups(all[1])[0].request(3).map { "\($0.name)=\($0.amount)" }
        #expect(asked == ["GPU=3.0", "h100=3.0"])
        #expect(cards.groups(all[2])[0].request(2).map(\.amount) == [2, 0.001])
    }
}
