package import Core
import FoundationEssentials
import Glibc
package import NIOPosix
import Store
import Synchronization

/// What is to be proved.
package struct ProofPlan: Sendable {
    package var jobs: Int
    package var faults: Int
    package var seed: UInt64
    /// A defect to be found, when the checks themselves are on trial.
    package var sabotage: Sabotage?
    /// Only faults of these kinds; `nil` is all.
    package var kinds: Set<Fault.Kind>?
    /// Jobs of one world at most: worlds are independent of each other, and a failure is looked for in one of them.
    package var jobsOfOneWorldMax = 3000
    /// Only this one of the worlds, from 1.
    package var world: Int?

    package init(jobs: Int, faults: Int, seed: UInt64) { (self.jobs, self.faults, self.seed) = (jobs, faults, seed) }

    /// The worlds that it falls into.
    package var worlds: [WorldPlan] {
        let count = max(1, (jobs + jobsOfOneWorldMax - 1) / jobsOfOneWorldMax)
        return (1...count).filter { world == nil || world == $0 }.map { number in
            let index = number - 1
            func part(_ whole: Int) -> Int { whole / count + (index < whole % count ? 1 : 0) }
            var world = WorldPlan(
                seed: SplitMix.mix(seed &+ UInt64(index) &* SplitMix.step),
                jobs: part(jobs),
                faults: part(faults),
                // First, because it takes longest: no thread is to wait for it in the end.
                days: count > 1 && index == 0,
                kinds: kinds
            )
            world.number = number
            world.rebuilds = index == count - 1
            return world
        }
    }
}

/// How one world went.
package struct WorldResult: Sendable, Hashable, Codable {
    /// Its number in the proof.
    package var number: Int
    /// How many faults of which kind struck.
    package var faults: [Fault.Kind: Int] = [:]
    package var jobs = 0
    package var runs = 0
    package var executions = 0
    package var twinsRefused = 0
    package var seatsRefused = 0
    package var handovers = 0
    package var commits = 0
    /// How many runs ended how.
    package var outcomes: [RunOutcome.Kind: Int] = [:]
    /// Virtual.
    package var elapsedSeconds = 0
    package var findings = Findings()
}

/// How it went.
package struct ProofReport: Sendable {
    package var plan: ProofPlan
    package var worlds: [WorldResult] = []
    package var seconds = 0.0

    package init(plan: ProofPlan) { self.plan = plan }

    package func sum(_ part: (WorldResult) -> Int) -> Int { worlds.reduce(0) { $0 + part($1) } }
    package var isClean: Bool { worlds.allSatisfy(\.findings.isClean) }
    package var faultsByKind: [(kind: Fault.Kind, count: Int)] {
        Fault.Kind.allCases.map { kind in (kind, sum { $0.faults[kind] ?? 0 }) }.filter { $0.count > 0 }
    }
}

/// Runs worlds and shrinks what fails.
package struct Prover: Sendable {
    private let folder: String
    private let threads: NIOThreadPool
    private let runtime = SystemRuntime()

    /// - Parameter folder: Absolute, of one's own: worlds keep their databases there while they run.
    package init(folder: String, threads: NIOThreadPool) { (self.folder, self.threads) = (folder, threads) }

    /// Runs a plan's worlds one after the other, but for those that another process with the same folder has begun.
    ///
    /// - Parameter progress: Told of every world that has ended.
    @discardableResult
    package func prove(
        _ plan: ProofPlan,
        progress: (WorldResult) throws -> Void = { _ in }
    ) async throws -> ProofReport {
        let began = runtime.elapsed
        var report = ProofReport(plan: plan)
        for world in plan.worlds where try begins(world) {
            let result = try await run(world, sabotage: plan.sabotage)
            try progress(result)
            report.worlds.append(result)
        }
        report.seconds = (runtime.elapsed - began).seconds
        return report
    }

    /// Whether that world is this process's to run.
    private func begins(_ world: WorldPlan) throws -> Bool {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if mkdir("\(folder)/begun-\(world.number)", 0o700) == 0 { return true }
        guard errno == EEXIST else {
            throw Failure(.storageExhausted, "\(folder) takes no more: \(String(cString: strerror(errno))).")
        }
        return false
    }

    /// One world from its beginning to its audit.
    package func run(
        _ plan: WorldPlan,
        sabotage: Sabotage? = nil,
        trace: (@Sendable (String) -> Void)? = nil
    ) async throws -> WorldResult {
        try await inWorld(plan, sabotage: sabotage, trace: trace) {
            try Self.runHere($0)
        } and: { path, result in
            if plan.rebuilds { try await rebuild(path, &result.findings) }
        }
    }

    /// A misfortune with that many jobs running, for as long as it says when nothing else is said.
    package func play(
        _ scenario: Scenario,
        jobs: Int,
        seed: UInt64,
        lastsSeconds: Int? = nil
    ) async throws -> ScenarioResult {
        let began = runtime.elapsed
        let plan = scenario.plan(jobs: jobs, seed: seed, lastsSeconds: lastsSeconds ?? scenario.lastsSeconds)
        var result = try await inWorld(plan, sabotage: nil, trace: nil) { world in
            let result = try Self.runHere(world)
            return world.result(of: scenario, result)
        }
        result.seconds = (runtime.elapsed - began).seconds
        return result
    }

    private func inWorld<Value: Sendable>(
        _ plan: WorldPlan,
        sabotage: Sabotage?,
        trace: (@Sendable (String) -> Void)?,
        _ body: @escaping @Sendable (World) throws -> Value,
        and then: (String, inout Value) async throws -> Void = { _, _ in }
    ) async throws -> Value {
        let path = "\(folder)/world-\(getpid())-\(Self.next.wrappingAdd(1, ordering: .relaxed).newValue)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let world = try await World.make(plan, in: path, threads: threads, sabotage: sabotage, trace: trace)
        var value = try await threads.runIfActive { try body(world) }
        try await then(world.databasePath, &value)
        return value
    }

    private static let next = Atomic<Int>(0)

    private static func runHere(_ world: World) throws -> WorldResult {
        let standstill = world.live()
        var result = WorldResult(number: world.plan.number)
        for fault in world.plan.faults { result.faults[fault.kind, default: 0] += 1 }
        result.elapsedSeconds = Int(world.time.elapsed.components.seconds)
        var audit = Audit(world)
        if let store = world.host.store {
            try audit.carryOut(store, standstill: standstill)
        } else {
            audit.findings.note(\.unexplained, "the point is down at the end: \(standstill ?? "")")
        }
        (result.jobs, result.runs, result.findings) = (audit.jobs, audit.runs, audit.findings)
        result.outcomes = audit.outcomes
        world.restartable = audit.restartable
        result.executions = world.truth.executions.count
        result.twinsRefused = world.truth.twinsRefused
        result.seatsRefused = world.truth.seatsRefused
        result.handovers = world.truth.handovers
        result.commits = world.host.commits
        world.end()
        return result
    }

    /// Makes the views anew from the log; they must be the same to the byte.
    private func rebuild(_ path: String, _ findings: inout Findings) async throws {
        let store = try await EventStore.open(.init(path: path))
        let before = try await store.dump()
        try await store.rebuild()
        let after = try await store.dump()
        for (view, rows) in before.sorted(by: { $0.key < $1.key }) where after[view] != rows {
            findings.note(\.unexplained, "the view \(view) is not what the log makes of it")
        }
        try await store.close()
    }

    // MARK: Shrinking

    /// A smaller plan that fails too, found by leaving jobs and faults out.
    ///
    /// - Parameter triesMax: Worlds run for it at most.
    package func shrink(
        _ plan: WorldPlan,
        sabotage: Sabotage?,
        triesMax: Int = 60,
        progress: @escaping @Sendable (WorldPlan) -> Void = { _ in }
    ) async throws -> WorldPlan {
        var (best, tries) = (plan, 0)
        best.rebuilds = false
        func fails(_ candidate: WorldPlan) async throws -> Bool {
            guard tries < triesMax else { return false }
            tries += 1
            let isWorse = try await !run(candidate, sabotage: sabotage).findings.isClean
            if isWorse { progress(candidate) }
            return isWorse
        }
        // Fewer jobs make every later try cheaper.
        while best.jobs > 1 {
            var candidate = best
            candidate.jobs = best.jobs / 4
            guard candidate.jobs > 0, try await fails(candidate) else { break }
            best = candidate
        }
        // Delta debugging. Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input" (2002).
        var parts = 2
        while !best.faults.isEmpty {
            let size = (best.faults.count + parts - 1) / parts
            var isShorter = false
            for start in stride(from: 0, to: best.faults.count, by: size) {
                var candidate = best
                candidate.faults.removeSubrange(start..<min(start + size, best.faults.count))
                if try await fails(candidate) {
                    best = candidate
                    parts = max(2, parts - 1)
                    isShorter = true
                    break
                }
            }
            if isShorter { continue }
            guard size > 1, tries < triesMax else { break }
            parts = min(best.faults.count, parts * 2)
        }
        return best
    }

    /// What happened in a world, line by line: its faults and what point and agents logged.
    package func trace(_ plan: WorldPlan, sabotage: Sabotage?) async throws -> [String] {
        let lines = Mutex<[String]>([])
        _ = try await run(plan, sabotage: sabotage) { line in
            lines.withLock { if $0.count < 20_000 { $0.append(line) } }
        }
        return lines.withLock { $0 }
    }
}
