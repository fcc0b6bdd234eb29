import Core
import Store
import Wire

/// What was found wrong, by the four promises.
package struct Findings: Sendable, Hashable, Codable {
    /// Accepted jobs that never ended, or ended with a result that no execution produced.
    package var lost = 0
    /// Executions of a job's code that its own policies did not allow.
    package var doubled = 0
    /// Healthy executions that were stopped although nobody wanted that.
    package var killed = 0
    /// Anything else that nothing injected explains.
    package var unexplained = 0
    /// The first of each, in words.
    package var examples: [String] = []

    package init() {}

    package var isClean: Bool { lost + doubled + killed + unexplained == 0 }

    private static let examplesMax = 20

    mutating func note(_ kind: WritableKeyPath<Findings, Int>, _ text: @autoclosure () -> String) {
        self[keyPath: kind] += 1
        if examples.count < Self.examplesMax { examples.append(text()) }
    }
}

/// Holds what the point says against what the engines really executed.
struct Audit {
    let world: World
    var findings = Findings()
    private(set) var jobs = 0
    private(set) var runs = 0
    private(set) var outcomes: [RunOutcome.Kind: Int] = [:]
    /// Jobs that are run again elsewhere when their centre is silent for long.
    private(set) var restartable: Set<JobID> = []

    init(_ world: World) { self.world = world }

    private var truth: Truth { world.truth }

    mutating func carryOut(_ store: EventStore, standstill: String?) throws {
        if let standstill { findings.note(\.unexplained, standstill) }
        for text in truth.complaints { findings.note(\.unexplained, text) }
        var known: Set<RunKey> = []
        for (view, _) in world.accepted {
            let (found, runs) = try store.rehearsedRead { tx in
                var found: [Job] = []
                if let id = view.job, let job = try tx.job(id) { found.append(job) }
                if let array = view.array { found += try tx.jobs(of: array, limit: view.count + 1) }
                return (found, try found.map { try tx.runs(of: $0.id) })
            }
            jobs += found.count
            if found.count != view.count {
                findings.note(\.lost, "of \(view.count) accepted jobs of one submission \(found.count) are there")
            }
            for (job, runs) in zip(found, runs) {
                self.runs += runs.count
                if case .requeue = job.spec.onCentreLoss { restartable.insert(job.id) }
                known.formUnion(runs.map(\.key))
                try check(job, runs, store)
                for run in runs where run.outcome?.kind == .lost && truth.starts[run.key] != nil {
                    try checkAcknowledged(run, store)
                }
            }
        }
        let counted = try store.rehearsedRead { tx in
            try tx.jobCounts().values.reduce(0) { sum, counts in
                sum + JobState.allCases.reduce(0) { $0 + counts[$1] }
            }
        }
        if counted != jobs { findings.note(\.unexplained, "\(jobs) jobs were accepted and \(counted) are there") }
        for (run, starts) in truth.starts where !known.contains(run) {
            findings.note(\.doubled, "\(run) was executed \(starts.count) times and the point does not know it")
        }
        for execution in truth.executions where execution.ended == nil {
            findings.note(\.unexplained, "\(execution.run) still runs at centre-\(execution.centre)")
        }
        try checkLedger(store)
    }

    // MARK: One job

    private mutating func check(_ job: Job, _ runs: [Run], _ store: EventStore) throws {
        guard job.state.isTerminal else {
            return findings.note(\.lost, "\(job.id) has not ended: \(job.state.rawValue), \(runs.count) runs")
        }
        for (index, run) in runs.enumerated() {
            guard run.state.isTerminal else {
                findings.note(\.lost, "\(run.key) of the ended job has not ended: \(run.state.rawValue)")
                continue
            }
            let executions = truth.starts[run.key, default: []].map { truth.executions[$0] }
            if executions.count > 1 {
                findings.note(\.doubled, "\(run.key) was executed \(executions.count) times")
            }
            checkResult(run, executions)
            try checkStop(job, run, executions, store)
            if index + 1 < runs.count { checkSuccessor(job, run, runs[index + 1], executions) }
        }
        if runs.isEmpty, job.state != .cancelled {
            findings.note(\.lost, "\(job.id) \(job.state.rawValue) without a run")
        }
        if job.state == .succeeded, runs.last?.outcome?.kind != .succeeded {
            findings.note(\.lost, "\(job.id) succeeded, and its last run \(runs.last?.outcome?.summary ?? "is none")")
        }
        if job.state == .cancelled, truth.cancelled[job.id] == nil {
            findings.note(\.killed, "\(job.id) is cancelled and nobody asked for that")
        }
    }

    /// A run's outcome is what an execution of it came to.
    private mutating func checkResult(_ run: Run, _ executions: [Execution]) {
        guard let outcome = run.outcome else { return }
        outcomes[outcome.kind, default: 0] += 1
        let ends = executions.compactMap { $0.ended.map { SimulatedEngine.outcome(of: $0.0) } }
        switch outcome.kind {
        case .succeeded, .exit, .signal, .timeLimit, .outOfMemory, .nodeFailure, .missingOutput:
            if !ends.contains(where: { $0.kind == outcome.kind && $0.code == outcome.code }) {
                findings.note(\.lost, "\(run.key) \(outcome.summary), which no execution did: \(ends.map(\.summary))")
            } else if outcome.kind == .succeeded, !world.book.isWhole(run.key) {
                findings.note(\.lost, "\(run.key) succeeded and its log is not whole")
            }
        case .rejected:
            if !executions.isEmpty { findings.note(\.lost, "\(run.key) was rejected, and executed") }
        case .lost:
            if !isExplained(run) { findings.note(\.unexplained, "\(run.key) \(outcome.summary): nothing explains it") }
        case .cancelled, .preempted: break
        }
    }

    /// Whether something that was injected can have made the point lose a run: its centre was given up, the engine forgot
    /// it after its end, or the agent's disk lost its record before it came to an execution. What was executed and is
    /// still known to the engine has to be found there again.
    private func isExplained(_ run: Run) -> Bool {
        if run.lifecycle.stop == .superseded { return true }
        if truth.forgotten.contains(run.key) { return true }
        if truth.starts[run.key] != nil { return false }
        guard let index = world.centres.firstIndex(where: { $0.name == run.centre }) else { return false }
        return truth.amnesias.contains { $0.centre == index && $0.at >= run.leasedAt && $0.at <= run.endedAt ?? $0.at }
    }

    /// What the point had given up before its agent said that it had it must never have started.
    private mutating func checkAcknowledged(_ run: Run, _ store: EventStore) throws {
        let isAccepted = try anyEvent(of: run, store) {
            if case .runAccepted(let mark) = $0 { mark.run == run.key } else { false }
        }
        if !isAccepted { findings.note(\.doubled, "\(run.key) was started although the point never acknowledged it") }
    }

    private func wasToMakeRoom(_ run: Run, _ store: EventStore) throws -> Bool {
        try anyEvent(of: run, store) {
            if case .runStopRequested(let wish) = $0 {
                wish.run == run.key && [.preempt, .drain, .consolidate, .withdraw].contains(wish.reason)
            } else {
                false
            }
        }
    }

    private func anyEvent(of run: Run, _ store: EventStore, _ isMeant: (Event) -> Bool) throws -> Bool {
        let subject = "\(run.key.job)"
        return try store.rehearsedRead { tx in
            try tx.events(after: 0, limit: 10_000, subject: subject).contains { isMeant($0.event) }
        }
    }

    /// Nobody's code is stopped for any reason but a wish, a preemption, or a policy of its own.
    private mutating func checkStop(
        _ job: Job,
        _ run: Run,
        _ executions: [Execution],
        _ store: EventStore
    ) throws {
        for execution in executions {
            guard case (.stopped, let at)? = execution.ended else { continue }
            let stop = run.lifecycle.stop
            if stop == .preempt || stop == .drain || stop == .consolidate || stop == .withdraw { continue }
            if let asked = truth.cancelled[job.id], asked <= at { continue }
            if stop == .superseded, isGivenUpRightly(job, run) { continue }
            // What was declared lost with a reason may be cleared away when it turns up again.
            if run.outcome?.kind == .lost, isExplained(run), stop != .superseded { continue }
            // A cancel that came later took the place of the softer wish that stopped it.
            if try wasToMakeRoom(run, store) { continue }
            findings.note(
                \.killed,
                "\(run.key) was stopped at \(at): \(run.outcome?.summary ?? "no outcome"), stop \(stop?.rawValue ?? "none")"
            )
        }
    }

    /// A centre was given up only after it had been silent for as long as the job allows.
    private func isGivenUpRightly(_ job: Job, _ run: Run) -> Bool {
        guard case .requeue(let seconds) = job.spec.onCentreLoss, let at = run.endedAt,
            let index = world.centres.firstIndex(where: { $0.name == run.centre })
        else { return false }
        return truth.silence(centre: index, at: world.host.moment(of: at)) >= .seconds(seconds)
    }

    /// The next run may exist only because of how this one ended.
    private mutating func checkSuccessor(_ job: Job, _ run: Run, _ next: Run, _ executions: [Execution]) {
        guard let outcome = run.outcome else { return }
        let nextStarts = truth.starts[next.key, default: []].map { truth.executions[$0].startedAt }
        if outcome.kind == .preempted {
            // Over before the next begins.
        } else if run.lifecycle.stop == .superseded, outcome.kind == .lost {
            if !isGivenUpRightly(job, run) {
                findings.note(\.doubled, "\(run.key) was given up before its policy allows, and run again")
            }
            return
        } else if outcome.kind == .lost, isExplained(run), job.spec.retries.on.contains(.lost) {
            return
        } else if outcome.retryCause.map({ job.spec.retries.on.contains($0) }) != true {
            findings.note(\.doubled, "\(run.key) \(outcome.summary), and was run again without a policy")
        }
        guard let first = nextStarts.min() else { return }
        for execution in executions where (execution.ended?.at ?? .init(milliseconds: .max)) > first {
            findings.note(\.doubled, "\(run.key) still ran when \(next.key) started")
        }
    }

    // MARK: Accounts

    private mutating func checkLedger(_ store: EventStore) throws {
        let balances = try store.rehearsedRead { try $0.balances() }
        let sum = balances.reduce(Int64(0)) { $0 + $1.amount.count }
        if sum != 0 { findings.note(\.unexplained, "the ledger sums to \(sum)") }
        for entry in balances {
            if case .reserved(let project) = entry.account, entry.amount != 0 {
                findings.note(\.unexplained, "\(entry.amount) are still reserved for \(project), which has no live run")
            }
        }
    }
}
