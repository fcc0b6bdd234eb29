import Core
import Foundation
import NIOPosix
import Simulation
import Testing

private let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 4)
    pool.start()
    return pool
}()

private func withProver<Value>(_ body: (Prover) async throws -> Value) async throws -> Value {
    let memory = "/dev/shm"
    let isWritable = FileManager.default.isWritableFile(atPath: memory)
    let parent = isWritable ? memory : FileManager.default.temporaryDirectory.path
    // Not a name that a proof of this machine would take for its own leavings.
    let folder = "\(parent)/onepoint-world-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(Prover(folder: folder, threads: pool))
}

@Suite("Under injected faults") struct ProofTests {
    @Test("nothing is lost, doubled, killed or unexplained", arguments: [1, 2, 3] as [UInt64])
    func promise(seed: UInt64) async throws {
        let report = try await withProver { try await $0.prove(ProofPlan(jobs: 800, faults: 40, seed: seed)) }
        #expect(report.worlds.flatMap(\.findings.examples) == [])
        #expect(report.isClean)
        #expect(report.sum(\.jobs) == 800)
        #expect(report.sum(\.executions) > 600)
    }

    @Test("provers in one folder share the worlds of a proof out between them")
    func shares() async throws {
        var plan = ProofPlan(jobs: 300, faults: 6, seed: 5)
        plan.jobsOfOneWorldMax = 75
        let worlds = try await withProver { [plan] prover in
            async let first = prover.prove(plan)
            async let second = prover.prove(plan)
            return try await first.worlds + second.worlds
        }
        #expect(worlds.map(\.number).sorted() == [1, 2, 3, 4])
        #expect(worlds.flatMap(\.findings.examples) == [])
        #expect(worlds.reduce(0) { $0 + $1.jobs } == 300)
    }

    @Test("each kind of fault alone breaks nothing", arguments: Fault.Kind.allCases)
    func alone(kind: Fault.Kind) async throws {
        let result = try await withProver {
            try await $0.run(WorldPlan(seed: 7, jobs: 300, faults: 30, kinds: [kind]))
        }
        #expect(result.findings.examples == [])
        #expect(result.jobs == 300)
        switch kind {
        case .agentTwin, .agentCopied:
            // Refused every time, since the first is heard all the while.
            #expect(result.seatsRefused > 0 && result.handovers == 0)
        case .agentRestored: #expect(result.seatsRefused == 0, "what is restored in its place is the same holder")
        default: break
        }
    }

    @Test("a copy of an agent takes over once the first is cut off, and nothing breaks when that one is back")
    func handover() async throws {
        var plan = WorldPlan(seed: 3, jobs: 800, faults: 0)
        plan.faults = (0..<plan.centres).flatMap { centre in
            // The odd draw gives the copy a way of its own to the point.
            [(Fault.Kind.agentTwin, 10_000, 300_000), (.partition, 20_000, 120_000)].map { kind, at, lasts in
                let later = Int64(centre) * 30_000
                return Fault(
                    kind: kind,
                    atMilliseconds: Int64(at) + later,
                    centre: centre,
                    lastsMilliseconds: Int64(lasts),
                    draw: 1
                )
            }
        }
        let result = try await withProver { [plan] in try await $0.run(plan) }
        #expect(result.findings.examples == [])
        #expect(result.jobs == 800)
        #expect(result.handovers >= plan.centres)
    }

    @Test("an agent that lost its disk while its engine did not answer gets every run back")
    func blind() async throws {
        var plan = WorldPlan(seed: 4, jobs: 200, faults: 0)
        plan.jobSeconds = 300
        plan.faults = [
            Fault(kind: .engineDown, atMilliseconds: 30_000, centre: 0, lastsMilliseconds: 200_000, draw: 0),
            // This draw leaves it an empty folder.
            Fault(kind: .agentRestored, atMilliseconds: 31_000, centre: 0, lastsMilliseconds: 1000, draw: 4),
        ]
        let result = try await withProver { [plan] in try await $0.run(plan) }
        #expect(result.findings.examples == [])
        #expect(result.runs == 200 && result.executions == 200)
    }

    @Test("an agent that forgot runs whose end it had told, but not their logs, brings these too")
    func forgottenLogs() async throws {
        var plan = WorldPlan(seed: 10_767_612_947_977_357_250, jobs: 748, faults: 0)
        plan.faults = [
            // Goes back to what its disk held before the runs of the second fault began.
            Fault(kind: .agentRestored, atMilliseconds: 31_368, centre: 1, lastsMilliseconds: 129_838, draw: 200_811),
            // Neither logs nor ends can be told, and then the engine does not give the logs away any more.
            Fault(kind: .pointCrash, atMilliseconds: 102_638, centre: 0, lastsMilliseconds: 25_990, draw: 645_638),
            Fault(kind: .nodeFailure, atMilliseconds: 115_573, centre: 1, lastsMilliseconds: 108_255, draw: 829_216),
        ]
        let result = try await withProver { [plan] in try await $0.run(plan) }
        #expect(result.findings.examples == [])
        #expect(result.jobs == 748)
    }

    @Test("every planted defect is found", arguments: Sabotage.allCases)
    func sabotage(sabotage: Sabotage) async throws {
        let seen = try await withProver { prover in
            var seen: [Findings] = []
            for seed in 1...6 as ClosedRange<UInt64> where !seen.contains(where: sabotage.isFound) {
                seen.append(try await prover.run(sabotage.plan(seed: seed), sabotage: sabotage).findings)
            }
            return seen
        }
        #expect(seen.contains(where: sabotage.isFound))
    }

    @Test("an hour without the point and two without a centre cost nothing elsewhere", arguments: Scenario.allCases)
    func scenario(scenario: Scenario) async throws {
        let lasts = scenario == .centreDown ? 7200 : 3600
        let result = try await withProver { try await $0.play(scenario, jobs: 200, seed: 5, lastsSeconds: lasts) }
        #expect(result.world.findings.examples == [])
        #expect(result.running == 200)
        #expect(result.lostElsewhere == 0)
        #expect(result.restartSecondsMax <= 120)
        #expect((result.restartable > 0) == (scenario == .centreDown))
    }

    @Test("the same seed gives the same report, word for word, in another process")
    func determinism() throws {
        let first = try Self.report()
        #expect(first.contains("\"jobs\":400"))
        #expect(try Self.report() == first)
    }

    /// What the command says, without how long it took.
    private static func report() throws -> String {
        let process = Process()
        process.executableURL = executable
        process.arguments = ["prove", "--jobs", "400", "--faults", "60", "--seed", "11", "--json"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
        return text.replacing(/"seconds":[0-9.]+,/, with: "")
    }

    /// `onepoint`, built beside the tests.
    private static let executable: URL = {
        let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: runner).deletingLastPathComponent().appendingPathComponent("onepoint")
    }()

    @Test("a proof that is interrupted leaves nothing behind", arguments: [SIGINT, SIGTERM])
    func interrupted(signal: Int32) throws {
        let proof = try Proof(in: Scratch())
        defer { kill(proof.process.processIdentifier, SIGKILL) }
        try proof.waitForAWorld()
        #expect(proof.scratch.names.count == 1)
        kill(proof.process.processIdentifier, signal)
        proof.process.waitUntilExit()
        #expect(proof.process.terminationStatus == 128 + signal)
        #expect(proof.scratch.names == [])
    }

    @Test("what a killed proof has left is removed by the next, which leaves alone what is still used")
    func killed() throws {
        let scratch = Scratch()
        let (first, second) = (try Proof(in: scratch), try Proof(in: scratch))
        defer { for proof in [first, second] { kill(proof.process.processIdentifier, SIGKILL) } }
        try first.waitForAWorld()
        try second.waitForAWorld()
        #expect(scratch.names.count == 2)
        kill(first.process.processIdentifier, SIGKILL)
        // Its child goes with it.
        first.waitForSilence()
        #expect(scratch.names.count == 2)
        let third = try Proof(in: scratch)
        defer { kill(third.process.processIdentifier, SIGKILL) }
        try third.waitForAWorld()
        #expect(scratch.names.count == 2)
        for proof in [second, third] {
            proof.process.terminate()
            proof.process.waitUntilExit()
        }
        #expect(scratch.names == [])
    }

    /// A folder for the databases of proofs.
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory.path + "/onepoint-scratch-\(UInt64.random(in: 0 ... .max))"

        var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A process that has more to prove than anybody waits for.
    private struct Proof {
        let process = Process()
        let scratch: Scratch
        private let errors = Pipe()

        init(in scratch: Scratch) throws {
            self.scratch = scratch
            process.executableURL = ProofTests.executable
            process.arguments = ["prove", "--jobs", "10000000", "--faults", "0", "--scratch", scratch.path]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = errors
            try process.run()
        }

        /// Returns when one world has ended: others are under way.
        func waitForAWorld() throws {
            var text = ""
            while !text.contains("clean") {
                let bytes = errors.fileHandleForReading.availableData
                try #require(!bytes.isEmpty, "it ended: \(text)")
                text += String(decoding: bytes, as: UTF8.self)
            }
        }

        /// Returns when nobody is there to say anything any more.
        func waitForSilence() { while !errors.fileHandleForReading.availableData.isEmpty {} }
    }

    @Test("a failure is shrunk to less that fails too")
    func shrink() async throws {
        let plan = Sabotage.fenceOff.plan(seed: 1)
        try await withProver { prover in
            let first = try await prover.run(plan, sabotage: .fenceOff)
            #expect(!first.findings.isClean)
            let small = try await prover.shrink(plan, sabotage: .fenceOff, triesMax: 15)
            #expect(small.faults.count < plan.faults.count)
            let again = try await prover.run(small, sabotage: .fenceOff)
            #expect(!again.findings.isClean)
        }
    }
}

extension Sabotage {
    /// Whether the promise that it breaks is seen to be broken.
    fileprivate func isFound(_ findings: Findings) -> Bool {
        switch self {
        case .fenceOff, .blindResubmission, .earlyAcknowledgement, .sharedSeat, .hastyClock: findings.doubled > 0
        case .lyingDisk: findings.lost > 0
        case .strayStop: findings.killed > 0
        }
    }

    /// A world whose faults bring it to light.
    fileprivate func plan(seed: UInt64) -> WorldPlan {
        var plan = WorldPlan(seed: seed, jobs: 400, faults: self == .fenceOff ? 20 : 60, kinds: kinds)
        // All run when an engine comes back.
        if self == .fenceOff { plan.jobSeconds = 300 }
        if self == .earlyAcknowledgement || self == .hastyClock {
            // Restartable jobs, all placed after some two seconds, when a minority of the centres is cut off: of more
            // nothing would be given up.
            (plan.jobSeconds, plan.requeueAfterSeconds) = (300, 60)
            plan.faults = [0, 1].map {
                let at = 2000 + Int64(seed) * 300
                return Fault(kind: .partition, atMilliseconds: at, centre: $0, lastsMilliseconds: 900_000, draw: 0)
            }
        }
        return plan
    }

    private var kinds: Set<Fault.Kind> {
        switch self {
        case .fenceOff: [.engineRestart]
        case .blindResubmission: [.engineAnswerLost, .agentCrash]
        case .lyingDisk: [.pointCrash]
        case .sharedSeat: [.agentCopied]
        case .earlyAcknowledgement, .hastyClock, .strayStop: []
        }
    }
}
