import Core
import Logging
import TestKit
import Testing

@testable import Engines

@Suite(
    "A real Ray keeps the contract",
    .serialized,
    .enabled(if: RayCluster.isPossible, "Ray is not installed: scripts/setup-engines ray does it"),
    RayCluster()
)
struct RayEngineTests {
    @Test("the engines' suite", arguments: EngineConformance.cases(for: [.processes, .gangs, .reopens, .fences]))
    func conformance(_ one: EngineConformance) async throws {
        try await with { rig, _ in try await one.check(rig) }
    }

    @Test("a check sends a job through and leaves nothing behind")
    func check() async throws {
        try await with { rig, _ in
            let engine = try await rig.ray()
            let checks = await engine.check()
            #expect(
                checks.map(\.subject) == ["engine", "a job"] && checks.allSatisfy { $0.verdict == .passed },
                "\(checks)"
            )
            #expect(try await engine.list().isEmpty)
        }
    }

    @Test("cards are given out one to a task, by the catalogue's names, and told apart")
    func cards() async throws {
        try await with { rig, bench in
            let capacity = try await rig.ray().capacity()
            #expect(
                capacity.nodes.map(\.cards) == [[CardGroup(model: "h100-sxm5", count: 4, emulated: true)]] + [
                    [CardGroup(model: "h100-sxm5", count: 4, emulated: true)]
                ]
            )
            var seen: Set<String> = []
            var runs: [RunKey] = []
            for _ in 0..<2 {
                let order = try await bench.shell("echo $CUDA_VISIBLE_DEVICES; sleep 5") {
                    $0.resources.cards = 3
                    $0.resources.card = "h100-sxm5"
                }
                runs.append(order.run)
            }
            for run in runs {
                #expect(try await bench.end(of: run).outcome == RunOutcome(.succeeded))
                let cards = try await bench.log(of: run)
                #expect(cards.split(separator: ",").count == 3, "cards: \(cards)")
                seen.insert(cards)
            }
            // Two runs of three cards each do not fit on one node of four.
            #expect(!seen.isEmpty)
        }
    }

    @Test("what strangers hold is told by node, ours is not, and a run says where it stands")
    func strangers() async throws {
        try await with { rig, bench in
            let engine = try await rig.ray()
            func others() async throws -> [NodeUse] { try await engine.others() }
            let stranger: JSON = .object([
                ("submission_id", .string("stranger-\(UInt64.random(in: 0...UInt64.max))")),
                ("entrypoint", .string("exec sleep 600")), ("entrypoint_num_cpus", .number(3)),
                ("entrypoint_num_gpus", .number(1)), ("entrypoint_memory", .integer(1_000_000)),
            ])
            guard case .accepted = try await engine.client.submit(stranger) else { throw EngineFault("not taken") }
            let name = try #require(stranger["submission_id"]?.stringValue)
            do {
                let held = try await bench.wait("the stranger to be seen", others) { !$0.isEmpty }
                let seen = try #require(held.first)
                #expect(held.count == 1 && seen.cores == .cores(3) && seen.memory == Bytes(1_000_000))
                #expect(seen.cards == [CardGroup(model: "h100-sxm5", count: 1, emulated: true)])
                let nodes = try await engine.capacity().nodes.map(\.name)
                #expect(nodes.contains(seen.node))
                let gang = try await bench.start(EngineProgram(end: .never)) {
                    $0.tasks = 3
                    $0.resources.cards = 2
                }
                try await bench.running(gang.run)
                let listed = try await engine.list()
                let standing = try #require(listed.first { $0.run == gang.run }?.nodes)
                #expect(standing.reduce(0) { $0 + $1.tasks } == 3 && standing.count == 2)
                #expect(Set(standing.map(\.node)) == Set(nodes))
                // Ray counts late: what is ours may hide what is theirs for a while, and is never taken for it.
                func isNothingOfOurs() async throws -> Bool {
                    try await others().allSatisfy { use in
                        use.node == seen.node && use.cores <= seen.cores && use.cards.allSatisfy { $0.count <= 1 }
                    }
                }
                for _ in 0..<3 { #expect(try await isNothingOfOurs()) }
                _ = try await bench.wait("both to be counted", others) { $0 == held }
                try await engine.cancel(gang.run, grace: .zero)
                _ = try await bench.end(of: gang.run)
                for _ in 0..<10 { #expect(try await isNothingOfOurs()) }
            } catch {
                _ = try? await engine.client.http.call("POST", "/api/jobs/\(name)/stop")
                throw error
            }
            _ = try await engine.client.http.call("POST", "/api/jobs/\(name)/stop")
            _ = try await bench.wait("the stranger to be gone", others) { $0.isEmpty }
        }
    }

    @Test("what can never run is refused with everything that is wrong, and not written down")
    func impossible() async throws {
        try await with { rig, bench in
            do {
                _ = try await bench.submit(EngineProgram()) {
                    $0.resources = TaskResources(cores: 100_000, memory: .gibi(1 << 20), cards: 9, card: "h100-sxm5")
                    $0.isolation = .required
                }
                Issue.record("it was taken")
            } catch EngineError.refused(let sentence) {
                for word in ["100 cores", "isolation", "9 h100-sxm5", "memory"] {
                    #expect(sentence.contains(word), "'\(word)' is not in: \(sentence)")
                }
            }
            #expect(try await rig.ray().list().isEmpty)
        }
    }

    @Test("a run that waits is cancelled though Ray leaves it pending, and never starts")
    func cancelledWhilePending() async throws {
        try await with { rig, bench in
            let engine = try await rig.ray()
            func wholeNode(_ order: inout EngineOrder) { order.resources.cards = 4 }
            let first = try await bench.start(EngineProgram(end: .never), run: nil, wholeNode)
            let second = try await bench.start(EngineProgram(end: .never), run: nil, wholeNode)
            try await bench.running(first.run)
            try await bench.running(second.run)
            let waiting = try await bench.start(EngineProgram(prints: "no"), run: nil, wholeNode)
            _ = try await bench.wait("the third to wait", { try await engine.client.job(waiting.run)?.status }) {
                $0 == .pending
            }
            try await engine.cancel(waiting.run, grace: .zero)
            #expect(try await bench.end(of: waiting.run).outcome.kind == .cancelled)
            // Ray still has it, and cannot be told to drop it.
            try await engine.forget(waiting.run)
            #expect(try await bench.state(of: waiting.run) == nil)
            for run in [first.run, second.run] {
                try await engine.cancel(run, grace: .zero)
                #expect(try await bench.end(of: run).outcome.kind == .cancelled)
            }
            // Now that there is room, it comes up, finds no folder, and is cleared away.
            _ = try await bench.wait(
                "Ray to lose the cancelled run",
                {
                    _ = try await engine.list()
                    return try await engine.client.job(waiting.run)
                }
            ) { $0 == nil }
            #expect(try await rig.output("starts", of: waiting.run) == nil)
        }
    }

    @Test("when the head is killed and built anew: the ended stays, the waiting is sent again, the running is lost")
    func head() async throws {
        try await with { rig, bench in
            let cluster = try #require(RayCluster.folder)
            let configuration = try await rig.ray().configuration
            let engine = RayEngine(
                configuration,
                runs: try PostedRuns(root: configuration.folder, stillnessMax: .seconds(12)),
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            func state(_ run: RunKey) async throws -> EngineRun.State? {
                try await engine.list().first { $0.run == run }?.state
            }
            let ended = try await bench.start(EngineProgram(prints: "kept", end: .exit(3)))
            let end = try await bench.end(of: ended.run)
            let running = try await bench.start(EngineProgram(end: .never)) { $0.resources.cards = 4 }
            let other = try await bench.start(EngineProgram(end: .never)) { $0.resources.cards = 4 }
            try await bench.running(running.run)
            try await bench.running(other.run)
            let waiting = try await bench.start(EngineProgram(prints: "late")) { $0.resources.cards = 4 }
            try RayCluster.script("ray-down", [cluster, "--kill"])
            await #expect(throws: EngineError.self) { try await engine.list() }
            try RayCluster.script("ray-up", [cluster, RayCluster.portOfRunning, "2"])
            #expect(try await bench.end(of: ended.run) == end)
            #expect(try await bench.log(of: ended.run) == "kept")
            #expect(try await state(waiting.run) == .held)
            try await engine.release(waiting.run)
            #expect(try await bench.end(of: waiting.run).outcome == RunOutcome(.succeeded))
            for run in [running.run, other.run] {
                let seen = try await bench.wait("the loss of \(run)", { try await state(run) }) {
                    if case .ended = $0 { true } else { false }
                }
                guard case .ended(let outcome, _, _) = seen else { continue }
                // Its tasks may have seen their node go before the head was gone.
                #expect([.lost, .nodeFailure].contains(outcome.kind), "\(outcome)")
                #expect(try await rig.output("starts", of: run) == "started\n")
            }
        }
    }

    private func with(_ body: (RayEngineRig, EngineBench) async throws -> Void) async throws {
        let cluster = try #require(RayCluster.folder)
        let rig = try RayEngineRig(cluster: cluster)
        do { try await body(rig, EngineBench(rig)) } catch {
            await rig.remove()
            _ = await rig.endLeft()
            throw error
        }
        await rig.forgetAll()
        // Ray kills scripts together with their process group; what they ran must not go on without them. Their folder
        // must be there for that: one that is away ends nothing.
        let left = await rig.endLeft()
        #expect(left.isEmpty, "\(left)")
        await rig.remove()
    }
}

extension RayCluster {
    /// The first port of the cluster that runs, as its address tells.
    static var portOfRunning: String {
        let address = folder.flatMap { LocalEngineRig.text("\($0)/address") } ?? ""
        return address.split(separator: ":").last.flatMap { Int($0.filter(\.isNumber)) }.map { String($0 - 1) } ?? port
    }
}
