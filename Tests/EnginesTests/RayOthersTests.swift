import Core
import Foundation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Engines

@Suite("What others hold of a Ray cluster")
struct RayOthersTests {
    /// A head with two nodes, that has given out what it is told to.
    final class Head: Sendable {
        struct State {
            var used: [String: [(String, Double)]]? = [:]
            var counted = 1.0
            var jobs: [JSON] = []
            var actors: [JSON] = []
            var groups: [JSON] = []
            var asked: [String] = []
        }
        let state = Mutex(State())

        func answer(_ request: LoopbackHTTP.Request) -> LoopbackHTTP.Answer {
            state.withLock { state in
                let path = String(request.target.split(separator: "?")[0])
                state.asked.append(path)
                switch path {
                case "/api/jobs/": return .init(200, JSON.array(state.jobs).text)
                case "/api/v0/nodes":
                    let nodes = ["a", "b"].map {
                        RayFixtures.node("\($0)1", name: $0, [("CPU", 8), ("memory", 1e10), ("neuron_cores", 4)])
                    }
                    return .init(200, RayFixtures.nodes(nodes).text)
                case "/api/v0/actors": return .init(200, RayFixtures.nodes(state.actors).text)
                case "/api/v0/placement_groups": return .init(200, RayFixtures.nodes(state.groups).text)
                case "/api/cluster_status":
                    let usage = state.used.map { used in
                        JSON.object(
                            used.sorted { $0.key < $1.key }.map { node, uses in
                                (
                                    key: node,
                                    value: .object(uses.map { ($0.0, .array([.number($0.1), .number(1e10)])) })
                                )
                            }
                        )
                    }
                    let report = JSON.object([("usageByNode", usage ?? .null)])
                    let status = JSON.object([("loadMetricsReport", report), ("time", .number(state.counted))])
                    return .init(200, JSON.object([("data", .object([("clusterStatus", status)]))]).text)
                default: return .init(404, "404: Not Found")
                }
            }
        }

        func set(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }
    }

    private func with(_ body: (Head, RayEngine) async throws -> Void) async throws {
        let head = Head()
        let server = try await LoopbackHTTP { head.answer($0) }
        let folder = NSTemporaryDirectory() + "onepoint-ray-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var result: Result<Void, any Error> = .success(())
        do {
            let engine = try await RayEngine(
                .init(address: server.address, folder: folder, cardAliases: ["neuron_cores": "trn1"]),
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            try await body(head, engine)
        } catch { result = .failure(error) }
        await server.close()
        try result.get()
    }

    private func seen(_ engine: RayEngine) async throws -> [NodeUse] { try await engine.others() }

    /// After Ray has counted again.
    private func counted(_ engine: RayEngine, _ head: Head) async throws -> [NodeUse] {
        head.set { $0.counted += 5 }
        return try await engine.others()
    }

    private static func job(_ folder: String) -> JSON {
        guard case .object(var members) = RayFixtures.job(RayFixtures.run, status: "RUNNING") else { return .null }
        members.removeAll { ["job_id", "metadata"].contains($0.key) }
        members.append((key: "job_id", value: .string("07000000")))
        members.append((key: "metadata", value: .object([(key: "onepoint_folder", value: .string(folder))])))
        return .object(members)
    }

    private static let supervisor = JSON.object([
        ("actor_id", .string("s1")), ("name", .string("_ray_internal_job_actor_\(RayFixtures.run)")),
        ("node_id", .string("a1")), ("required_resources", .object([("CPU", .number(2))])),
    ])

    private static func group(_ nodes: [String], driver: String) -> JSON {
        .object([
            ("placement_group_id", .string("g\(driver)")), ("creator_job_id", .string(driver)),
            (
                "bundles",
                .array(
                    nodes.map { node in
                        .object([
                            ("node_id", .string(node)),
                            ("unit_resources", .object([("CPU", .number(1)), ("neuron_cores", .number(1))])),
                        ])
                    }
                )
            ),
        ])
    }

    @Test("what is given out less what is ours, once two counts agree; where nobody counts, nothing")
    func counts() async throws {
        try await with { head, engine in
            let folder = engine.configuration.folder
            head.set { state in
                state.jobs = [Self.job(folder)]
                state.actors = [Self.supervisor]
                state.groups = [Self.group(["b1", "b1"], driver: "07000000"), Self.group(["b1"], driver: "09000000")]
                state.used = [
                    "a1": [("CPU", 2.5), ("memory", 1000), ("neuronCores", 0)], "b1": [("CPU", 3), ("neuronCores", 3)],
                ]
            }
            for _ in 0..<3 {
                let use = try await seen(engine)
                #expect(use.isEmpty, "looking again is no second count")
            }
            let second = try await counted(engine, head)
            #expect(second.isEmpty, "one count may have been taken before what had ended when we first looked")
            let held = [
                NodeUse(node: "a", cores: MilliCores(500), memory: Bytes(1000)),
                NodeUse(
                    node: "b",
                    cores: MilliCores(1000),
                    memory: 0,
                    cards: [CardGroup(model: "trn1", count: 1, emulated: false)]
                ),
            ]
            #expect(try await counted(engine, head) == held)
            #expect(try await seen(engine) == held)
            // Ours ends. The count that we have, and perhaps the next, has it still.
            head.set { ($0.jobs, $0.actors) = ([], []) }
            #expect(try await seen(engine) == held)
            #expect(try await counted(engine, head) == held)
            // The count after that has not, and what two counts agree on is what is left.
            head.set { $0.used = ["a1": [("CPU", 0.25), ("memory", 1000)]] }
            let rest = [NodeUse(node: "a", cores: MilliCores(250), memory: Bytes(1000))]
            #expect(try await counted(engine, head) == rest)
            head.set { $0.used = nil }
            #expect(try await seen(engine).isEmpty)
        }
    }

    @Test("what has ended before an agent begins to look is nobody's")
    func begun() async throws {
        try await with { head, engine in
            head.set { $0.used = ["a1": [("CPU", 2)]] }
            var told = try await seen(engine)
            told += try await counted(engine, head)
            head.set { $0.used = ["a1": [("CPU", 0)]] }
            told += try await counted(engine, head)
            #expect(told.isEmpty)
        }
    }

    @Test("runs of another centre on the same cluster are others'; a cluster of ours alone has none")
    func centres() async throws {
        try await with { head, engine in
            let ours = engine.configuration.folder
            head.set { ($0.jobs, $0.actors, $0.used) = ([Self.job(ours)], [Self.supervisor], ["a1": [("CPU", 2)]]) }
            for _ in 0..<4 {
                let use = try await counted(engine, head)
                #expect(use.isEmpty)
            }
        }
        try await with { head, engine in
            head.set {
                ($0.jobs, $0.actors, $0.used) = ([Self.job("/another")], [Self.supervisor], ["a1": [("CPU", 2)]])
            }
            _ = try await seen(engine)
            _ = try await counted(engine, head)
            #expect(try await counted(engine, head) == [NodeUse(node: "a", cores: MilliCores(2000), memory: 0)])
        }
    }

    @Test("a run stands where its supervisor is, a gang in its bundles")
    func standing() async throws {
        try await with { head, engine in
            let folder = engine.configuration.folder
            let run = EngineRun(
                run: RayFixtures.run,
                engineJob: "e",
                state: .running(startedAt: Instant(milliseconds: 0))
            )
            head.set { state in
                state.jobs = [Self.job(folder)]
                state.actors = [Self.supervisor]
            }
            let jobs = Dictionary(uniqueKeysWithValues: try await engine.client.jobs().map { ($0.run, $0) })
            #expect(await engine.standing([run], jobs).first?.nodes == [NodeShare(node: "a", tasks: 1)])
            let calls = head.state.withLock { $0.asked.count }
            #expect(await engine.standing([run], jobs).first?.nodes != nil)
            #expect(head.state.withLock { $0.asked.count } == calls, "asked once")
            head.set { $0.groups = [Self.group(["a1", "b1", "b1"], driver: "07000000")] }
            _ = try await seen(engine)
            let gang = [NodeShare(node: "a", tasks: 1), NodeShare(node: "b", tasks: 2)]
            #expect(await engine.standing([run], jobs).first?.nodes == gang)
        }
    }
}
