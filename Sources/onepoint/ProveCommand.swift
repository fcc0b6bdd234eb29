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
    @Option(help: "Worlds at a time, each in a process of its own.") var threads = 2
    @Option(help: "Only this one of the worlds that jobs and faults fall into, from 1.") var world: Int?
    @Option(help: "Where worlds keep their databases while they run: best in memory.") var scratch: String?
    @Flag(help: "Print one JSON object.") var json = false
    @Option(help: ArgumentHelp("A defect to plant, to see that it is found.", visibility: .hidden))
    var sabotage: String?
    @Option(help: ArgumentHelp("The folder of the process that waits for this one.", visibility: .hidden))
    var within: String?
    @Flag(help: ArgumentHelp("Shrink the failure of one world.", visibility: .hidden)) var explain = false

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
        if let within { return try await ProofProcess.withParent { try await work(in: within) } }
        let plan = plan(seed: seed ?? UInt64.random(in: 0 ... .max))
        let process = try ProofProcess(scratch: scratch)
        let chance = ["--seed", "\(plan.seed)"]
        if scenario != nil { throw ExitCode(try process.run(1, adding: chance) { print($0) }) }
        let count = plan.worlds.count
        if count == 0 { throw ValidationError("--world: there are not so many") }
        standardError("seed \(plan.seed): \(jobs) jobs and \(faults) faults in \(count) worlds\n")
        let began = SystemRuntime().elapsed
        var worlds: [WorldResult] = []
        let status = try process.run(min(threads, count), adding: chance) { line in
            let world = try JSON(parsing: [UInt8](line.utf8)).decode(WorldResult.self)
            worlds.append(world)
            let verdict = "world \(world.number) \(world.findings.isClean ? "clean" : "BROKEN")"
            standardError(
                "\(worlds.count)/\(count) \(verdict): \(world.jobs) jobs, \(world.runs) runs, "
                    + "\(world.faults.values.reduce(0, +)) faults, \(world.elapsedSeconds) s of virtual time\n"
            )
        }
        guard status == 0 else { throw ExitCode(status) }
        var report = ProofReport(plan: plan)
        report.worlds = worlds.sorted { $0.number < $1.number }
        report.seconds = (SystemRuntime().elapsed - began).seconds
        print(json ? report.json.text : report.text)
        fflush(nil)
        guard let broken = report.worlds.first(where: { !$0.findings.isClean }) else { return }
        standardError("a promise was broken with seed \(plan.seed); looking for a shorter way there\n")
        let more = chance + ["--explain"] + (world == nil ? ["--world", "\(broken.number)"] : [])
        _ = try process.run(1, adding: more) { _ in }
        throw ExitCode(1)
    }

    private func plan(seed: UInt64) -> ProofPlan {
        var plan = ProofPlan(jobs: jobs, faults: faults, seed: seed)
        plan.world = world
        if !kinds.isEmpty { plan.kinds = Set(kinds.compactMap { Fault.Kind(rawValue: $0) }) }
        plan.sabotage = sabotage.flatMap { Sabotage(rawValue: $0) }
        return plan
    }

    /// What a child does: prints a line for each world, or what became of a scenario.
    private func work(in folder: String) async throws {
        guard let seed else { throw ValidationError("--within goes with --seed") }
        let plan = plan(seed: seed)
        let pool = NIOThreadPool(numberOfThreads: 3)
        pool.start()
        let prover = Prover(folder: folder, threads: pool)
        if let scenario = scenario.flatMap({ Scenario(rawValue: $0) }) {
            let result = try await prover.play(scenario, jobs: jobs, seed: plan.seed)
            print(json ? result.json.text : result.text)
            fflush(nil)
            if !result.isKept { throw ExitCode(1) }
        } else if explain {
            guard let world = plan.worlds.first else { return }
            try await tellShortest(world, plan, prover)
        } else {
            try await prover.prove(plan) { world in
                print(try JSON(encoding: world).text)
                fflush(nil)
            }
        }
    }

    /// Shrinks a failure and tells its trace.
    private func tellShortest(_ broken: WorldPlan, _ plan: ProofPlan, _ prover: Prover) async throws {
        let small = try await prover.shrink(broken, sabotage: plan.sabotage) {
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
