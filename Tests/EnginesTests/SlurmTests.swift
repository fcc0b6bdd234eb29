import Core
import Foundation
import TestKit
import Testing

@testable import Engines

enum SlurmHere {
    static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("scripts/engines").path

    static var isPossible: Bool {
        getuid() == 0
            && ["slurmctld", "slurmd", "munged"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "/usr/sbin/\($0)")
            }
    }
}

/// A real cluster of Slurm, for each of these its own.
@Suite("Slurm", .serialized, .enabled(if: SlurmHere.isPossible, "Slurm is not installed, or we are not root"))
final class SlurmTests {
    private let rig: SlurmRig
    private let bench: EngineBench

    init() throws {
        rig = try SlurmRig(scripts: SlurmHere.scripts, port: 26_000 + 20 * Int.random(in: 0..<250))
        bench = EngineBench(rig)
    }

    deinit { rig.remove() }

    @Test("keeps the contract, by its commands", .timeLimit(.minutes(15)))
    func conformance() async throws {
        for one in EngineConformance.cases(for: SlurmRig.features) {
            let began = ContinuousClock.now
            do { try await one.check(rig) } catch { Issue.record("\(one): \(error)") }
            print("slurm: \(one): \(ContinuousClock.now - began)")
        }
    }

    @Test("a job that Slurm starts twice, after its controller was killed, runs once")
    func twin() async throws {
        // Slurm's state on disk lags: killed at once, the controller takes up what runs as still waiting.
        let order = try await bench.shell("echo started >> $ONEPOINT_OUTPUTS/starts; sleep 12; echo ended")
        try await bench.running(order.run)
        try rig.end("slurmctld", signal: "KILL")
        #expect(await fault { _ = try await rig.engine().list() } != nil)
        try rig.start("slurmctld")
        // It may start the job again, end it on its nodes, or remember. Whichever: one start, and one end that is true.
        let seen = try await bench.wait("the end", limit: .seconds(120), { try await bench.state(of: order.run) }) {
            if case .ended? = $0 { true } else { false }
        }
        guard case .ended(let outcome, _, _)? = seen else { return }
        let log = try await bench.log(of: order.run)
        #expect(outcome.kind == (log == "ended\n" ? .succeeded : .nodeFailure), "\(outcome)")
        #expect(try await rig.output("starts", of: order.run) == "started\n")
        let hadTwin = try await rig.slurm().runs.look(at: order.run)?.hasTwin == true
        print("slurm: the run \(outcome.summary); a second start \(hadTwin ? "was turned away" : "was not tried")")
    }

    @Test("a controller that is down, and a node that goes, end nothing by themselves")
    func outages() async throws {
        let order = try await bench.shell("echo up; until [ -e $ONEPOINT_OUTPUTS/go ]; do sleep 0.1; done")
        try await bench.says("up", order.run)
        let engine = try await rig.engine()
        try rig.end("slurmctld")
        for _ in 0..<2 {
            guard case .unreachable(let why)? = await fault({ _ = try await engine.list() }) else {
                Issue.record("a controller that is down was listed")
                continue
            }
            #expect(why.contains("squeue failed"), "\(why)")
        }
        let held = try await rig.order(bench.newRun(), program: EngineProgram(prints: "once"))
        #expect(await fault { _ = try await engine.submit(held) } != nil)
        try rig.start("slurmctld")
        try rig.end("slurmd-1", signal: "KILL")
        try rig.start("slurmd-1")
        try await bench.running(order.run)
        _ = try await engine.submit(held)
        try await engine.release(held.run)
        #expect(try await bench.end(of: held.run).outcome == RunOutcome(.succeeded))
        #expect(FileManager.default.createFile(atPath: "\(rig.outputs(order.run))/go", contents: nil))
        #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
        #expect(try await rig.output("starts", of: held.run) == "started\n")
    }

    @Test(
        "a job that the controller has lost before it started is submitted again, and one cancelled outside has ended"
    )
    func lost() async throws {
        let (order, other) = (
            try await bench.submit(EngineProgram(prints: "here")), try await bench.submit(EngineProgram())
        )
        let engine = try await rig.slurm()
        // As if it had never been: a number that Slurm does not know.
        _ = try await engine.note("99999", for: order.run)
        try await cancelAtSlurm(other.run)
        try await engine.release(order.run)
        #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
        #expect(try await rig.output("starts", of: order.run) == "started\n")
        #expect(try await bench.end(of: other.run).outcome.kind == .cancelled)
    }

    private func fault(_ body: () async throws -> Void) async -> EngineError? {
        do { try await body() } catch { return error as? EngineError }
        return nil
    }

    private func cancelAtSlurm(_ run: RunKey) async throws {
        let id = try #require(SlurmEngine.engineJob(run, try await rig.slurm().runs))
        try await SlurmCommandLine().cancel(id)
    }

    @Test("cards are counted by the catalogue's names and given to the job; what cannot be is refused in Slurm's words")
    func cards() async throws {
        let capacity = try await rig.engine().capacity()
        #expect(capacity.nodes.map(\.name) == ["n1", "n2"])
        #expect(capacity.nodes.allSatisfy { $0.schedulable && $0.cores == .cores(64) })
        #expect(capacity.nodes[0].cards == [CardGroup(model: "a100-80gb", count: 8)])
        #expect(capacity.engineVersion.hasPrefix("Slurm 2"))
        let order = try await bench.shell("echo $CUDA_VISIBLE_DEVICES") {
            $0.resources.cards = 2
            $0.resources.card = "a100-80gb"
        }
        #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
        #expect(try await bench.log(of: order.run) == "0,1\n")
        let large = await fault { _ = try await bench.submit(EngineProgram()) { $0.resources.cores = .cores(1000) } }
        guard case .refused(let why)? = large else {
            Issue.record("1000 cores: \(String(describing: large))")
            return
        }
        #expect(why.contains("Slurm refuses it: sbatch: error: "), "\(why)")
    }

    @Test("hundreds of waiting jobs cost one call a look, and say why they wait")
    func many() async throws {
        let engine = try await rig.slurm()
        var runs: [RunKey] = []
        for _ in 0..<100 {
            let order = try await bench.submit(EngineProgram()) { $0.resources.cores = .cores(64) }
            runs.append(order.run)
        }
        #expect(try await engine.list().filter { runs.contains($0.run) }.count == 100)
        for run in runs.prefix(4) { try await engine.release(run) }
        for run in runs.prefix(4) { _ = try await bench.end(of: run) }
        let blocker = try await bench.start(EngineProgram(end: .never)) {
            $0.resources.cores = .cores(64); $0.tasks = 2
        }
        try await bench.running(blocker.run)
        try await engine.release(runs[4])
        let seen = try await bench.wait("a reason", { try await bench.state(of: runs[4]) }) {
            if case .pending(let why?) = $0 { why.contains("Slurm: ") } else { false }
        }
        print("slurm: waits because \(String(describing: seen))")
        for run in runs.dropFirst(4) + [blocker.run] { try await engine.cancel(run, grace: .zero) }
        for run in runs.dropFirst(4) + [blocker.run] {
            #expect(try await bench.end(of: run).outcome.kind == .cancelled)
        }
    }
}

@Suite("What Slurm says") struct SlurmReadingTests {
    @Test(
        "every state of a job is understood, in the words of all versions",
        arguments: [
            (["PENDING"], SlurmState.pending), (["RUNNING"], .running), (["SUSPENDED"], .running),
            (["COMPLETED"], .ended(.succeeded)), (["CANCELLED"], .ended(.cancelled)),
            (["CANCELLED by 0"], .ended(.cancelled)),
            (["FAILED"], .ended(.exit)), (["TIMEOUT"], .ended(.timeLimit)), (["DEADLINE"], .ended(.timeLimit)),
            (["OUT_OF_MEMORY"], .ended(.outOfMemory)), (["NODE_FAIL"], .ended(.nodeFailure)),
            (["BOOT_FAIL"], .ended(.nodeFailure)), (["PREEMPTED"], .ended(.preempted)),
            (["REVOKED"], .ended(.cancelled)),
            (["COMPLETING"], .running), (["FAILED", "COMPLETING"], .running), (["CONFIGURING"], .running),
            (["STAGE_OUT"], .running), (["SIGNALING"], .running), (["RESIZING"], .running), (["STOPPED"], .running),
            (["REQUEUED"], .pending), (["PENDING", "REQUEUED"], .pending), (["REQUEUE_HOLD"], .pending),
            (["SPECIAL_EXIT"], .pending), (["NEW_WORD"], .unknown("NEW_WORD")), ([], .unknown("")),
        ]
    )
    func states(words: [String], state: SlurmState) { #expect(SlurmState(words) == state) }

    @Test("generic resources are read in all their forms")
    func gres() {
        func read(_ text: String) -> [String] { SlurmNode.cards(text).map { "\($0.type)=\($0.count)" } }
        #expect(read("gpu:a100:8(S:0-1)") == ["a100=8"])
        #expect(read("gpu:2") == ["gpu=2"])
        #expect(read("gpu:h100:4(IDX:0,1,2,3),gpu:a30:1,nic:2") == ["h100=4", "a30=1"])
        #expect(read("(null)").isEmpty && read("").isEmpty && read("gpu:a100:-1").isEmpty && read("gpu").isEmpty)
    }

    @Test("a node is read from its line, and one that is not open is not schedulable")
    func node() throws {
        let line =
            "NodeName=n1 CPUTot=64 CPUEfctv=62 Gres=gpu:a100:8 RealMemory=256000 State=%S Partitions=main,long OS=Linux 6"
        func node(_ state: String) -> SlurmNode? {
            SlurmCommandLine.node(Substring(line.replacingOccurrences(of: "%S", with: state)))
        }
        let idle = try #require(node("IDLE"))
        #expect(
            idle.cores == 62 && idle.mebibytes == 256_000 && idle.partitions == ["main", "long"] && idle.isSchedulable
        )
        for state in ["MIXED", "ALLOCATED", "COMPLETING", "PLANNED", "IDLE+POWERED_UP"] {
            #expect(node(state)?.isSchedulable == true)
        }
        for state in [
            "DOWN*", "IDLE+DRAIN", "MIXED+MAINT", "IDLE*", "DOWN+NOT_RESPONDING", "RESERVED", "IDLE+REBOOT_ISSUED",
        ] {
            #expect(node(state)?.isSchedulable == false, "\(state)")
        }
        #expect(SlurmCommandLine.node("No nodes in the system") == nil)
    }

    @Test("calls are spread over the minute once a short burst is spent")
    func budget() async {
        let budget = CallBudget(perMinute: 600)
        let began = ContinuousClock.now
        for _ in 0..<75 { await budget.take() }
        #expect(ContinuousClock.now - began >= .milliseconds(1300))
    }
}
