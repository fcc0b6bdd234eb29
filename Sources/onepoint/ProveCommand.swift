import ArgumentParser
import Core
import Glibc
import NIOPosix
import Simulation
import Wire

/// `onepoint prove`: injects faults into the real thing and checks what it promises.
struct ProveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Prove the promise: nothing lost, nothing run twice, nothing killed, under injected faults.",
        discussion: """
            Runs the real point and the real agents in virtual time against simulated engines, networks and disks that \
            fail, and holds what they say against what was really executed. The same seed does the same again. Exits \
            with status 1 when a promise was broken, after shrinking the failure to a short trace.
            """
    )

    @Option(help: "How many jobs.") var jobs = 20_000
    @Option(help: "How many faults.") var faults = 500
    @Option(help: "What chance begins with; a random one, which is told, when left out.") var seed: UInt64?
    @Option(
        name: .customLong("kind"),
        help: "Only faults of this kind; may be repeated. \(Self.names(Fault.Kind.self))."
    )
    var kinds: [String] = []
    @Option(
        help: ArgumentHelp(
            "Instead of chance, one misfortune while all jobs run. \(Self.names(Scenario.self)).",
            valueName: "name"
        )
    )
    var scenario: String?
    @Option(help: "Worlds at a time.") var threads = 2
    @Option(help: "Only this one of the worlds that jobs and faults fall into, from 1.") var world: Int?
    @Option(help: "Where worlds keep their databases while they run: best in memory.") var scratch: String?
    @Flag(help: "Print one JSON object.") var json = false
    @Option(help: ArgumentHelp("A defect to plant, to see that it is found.", visibility: .hidden))
    var sabotage: String?
    @Option(help: ArgumentHelp("The folder of the process that waits for this one.", visibility: .hidden))
    var within: String?

    func validate() throws {
        guard (1...100_000_000).contains(jobs) else { throw ValidationError("--jobs: from 1 to 100,000,000") }
        guard (0...10_000_000).contains(faults) else { throw ValidationError("--faults: from 0 to 10,000,000") }
        guard (1...64).contains(threads) else { throw ValidationError("--threads: from 1 to 64") }
        guard world ?? 1 >= 1 else { throw ValidationError("--world: from 1") }
        for kind in kinds where Fault.Kind(rawValue: kind) == nil {
            throw ValidationError("--kind: there is no kind '\(kind)'")
        }
        if let scenario {
            guard Scenario(rawValue: scenario) != nil else { throw ValidationError("--scenario: not known") }
            guard jobs <= 100_000 else { throw ValidationError("--jobs: at most 100,000 can run at once") }
        }
        if let sabotage, Sabotage(rawValue: sabotage) == nil { throw ValidationError("--sabotage: not known") }
    }

    func run() async throws {
        guard let folder = within else { throw ExitCode(try ProofProcess(scratch: scratch).run()) }
        try await ProofProcess.withParent { try await prove(in: folder) }
    }

    private func prove(in folder: String) async throws {
        var plan = ProofPlan(jobs: jobs, faults: faults, seed: seed ?? UInt64.random(in: 0 ... .max))
        plan.threads = threads
        plan.world = world
        if plan.worlds.isEmpty { throw ValidationError("--world: there are not so many") }
        if !kinds.isEmpty { plan.kinds = Set(kinds.compactMap { Fault.Kind(rawValue: $0) }) }
        plan.sabotage = sabotage.flatMap { Sabotage(rawValue: $0) }
        let pool = NIOThreadPool(numberOfThreads: threads + 2)
        pool.start()
        let prover = Prover(folder: folder, threads: pool)
        if let scenario = scenario.flatMap({ Scenario(rawValue: $0) }) {
            let result = try await prover.play(scenario, jobs: jobs, seed: plan.seed)
            print(json ? result.json.text : result.text)
            fflush(nil)
            if !result.isKept { throw ExitCode(1) }
            return
        }
        standardError("seed \(plan.seed): \(jobs) jobs and \(faults) faults in \(plan.worlds.count) worlds\n")
        let report = try await prover.prove(plan) { ended, count, world in
            let verdict = "world \(world.plan.number) \(world.findings.isClean ? "clean" : "BROKEN")"
            standardError(
                "\(ended)/\(count) \(verdict): \(world.jobs) jobs, \(world.runs) runs, \(world.plan.faults.count) "
                    + "faults, \(world.elapsedSeconds) s of virtual time\n"
            )
        }
        print(json ? report.json.text : report.text)
        fflush(nil)
        if let broken = report.worlds.first(where: { !$0.findings.isClean }) {
            try await explain(broken, plan, prover)
            throw ExitCode(1)
        }
    }

    /// Shrinks a failure and tells its trace.
    private func explain(_ broken: WorldResult, _ plan: ProofPlan, _ prover: Prover) async throws {
        standardError("a promise was broken with seed \(plan.seed); looking for a shorter way there\n")
        let small = try await prover.shrink(broken.plan, sabotage: plan.sabotage) {
            standardError("  fails too: \($0.jobs) jobs, \($0.faults.count) faults\n")
        }
        let result = try await prover.run(small, sabotage: plan.sabotage)
        var text = "world \(small.seed) with \(small.jobs) jobs and these \(small.faults.count) faults:\n"
        for fault in small.faults { text += "  \(fault.text)\n" }
        for example in result.findings.examples { text += "! \(example)\n" }
        let keys = result.findings.examples.compactMap { example in
            example.split(separator: " ").first { $0.hasPrefix("op-") || $0.hasPrefix("job-") }.map {
                String($0.split(separator: "-")[1])
            }
        }
        for line in try await prover.trace(small, sabotage: plan.sabotage) {
            let isOfInterest = keys.prefix(3).contains { line.contains($0) }
            if isOfInterest || !line.contains("run=") || keys.isEmpty { text += "  \(line)\n" }
        }
        standardError(text)
    }

    private static func names<Name: CaseIterable & RawRepresentable<String>>(_: Name.Type) -> String {
        Name.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
