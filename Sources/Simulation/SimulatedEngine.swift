import Core
import Engines

/// An engine that behaves as real ones were seen to do, and writes down what it really executed.
///
/// What it shows lags behind, repeats itself, forgets and may start a job again; what it shows is not what it did. The
/// wrapper around user code is part of it: a start claims its run, once for ever, and a job's older run never starts
/// after a newer one here. Both claims stand on the centre's disk and survive every fault.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class SimulatedEngine: @unchecked Sendable {
    struct Entry {
        enum Phase {
            case held, pending
            case running(execution: Int)
            case ended(RunOutcome, startedAt: Instant?, at: Instant)
        }

        var order: EngineOrder
        var phase = Phase.held
        /// Not listed before.
        var shownFrom: Instant
        /// Counts changes of what is planned, so that a plan of before does nothing.
        var plan = 0
    }

    let centre: Int
    let time: VirtualTime
    let truth: Truth
    let sabotage: Sabotage?
    private let seed: UInt64
    private let jobDuration: Duration?
    private var chance: Chance
    private(set) var entries: [RunKey: Entry] = [:]
    private var claims: Set<RunKey> = []
    /// Of which runs the folder is there.
    private var folders: Set<RunKey> = []
    private var newest: [JobID: Int] = [:]
    /// Why nobody answers, until when.
    private var silence: (why: String, until: Instant)?
    /// The list as it was when it began to stand still, until when it does.
    private var standing: (list: [EngineRun], until: Instant)?
    private var repeatsUntil: Instant?
    /// The answer to the call after that many more is lost.
    private var answersLostAfter: [Int] = []

    let nodes: [Node]
    /// Whether the wrapper's record of an end is found on the centre's disk after the engine has forgotten the run; else
    /// what the engine forgets is forgotten.
    private var keepsRecords: Bool { centre.isMultiple(of: 2) }
    /// How long an ended run is remembered; as long as Slurm's `MinJobAge`.
    private static let memory = Duration.seconds(300)
    /// A run is listed at the latest this long after it was taken.
    private static let showsAfterMax = Duration.seconds(2)

    init(
        centre: Int,
        nodes: [Node],
        time: VirtualTime,
        truth: Truth,
        seed: UInt64,
        jobDuration: Duration? = nil,
        sabotage: Sabotage?
    ) {
        (self.centre, self.nodes, self.time, self.truth) = (centre, nodes, time, truth)
        (self.seed, self.jobDuration, self.sabotage) = (seed, jobDuration, sabotage)
        chance = Chance(seed: seed, stream: 100 + UInt64(centre))
    }

    /// Whether anything is left that has not ended.
    var livesOn: [RunKey] {
        entries.values.filter { if case .ended = $0.phase { false } else { true } }.map(\.order.run).sorted()
    }

    // MARK: Faults

    func fallSilent(_ why: String, for duration: Duration) {
        silence = (why, max(silence?.until ?? time.now, time.now + duration))
    }

    func loseAnswer(after calls: Int) { answersLostAfter.append(calls) }

    func standStill(for duration: Duration) { standing = (shown(), time.now + duration) }

    func repeatItself(for duration: Duration) { repeatsUntil = time.now + duration }

    /// Forgets every ended run at once.
    func forgetEnded() {
        guard !keepsRecords else { return }
        for (run, entry) in entries {
            if case .ended = entry.phase { drop(run) }
        }
    }

    /// Comes back with an old state file: a share of what runs is queued again and started anew. The first copies may
    /// have died with the engine or live on.
    func restart(share: Double, keepsCopies: Bool) {
        for run in entries.keys.sorted() {
            guard case .running(let execution)? = entries[run]?.phase, chance.happens(share) else { continue }
            if !keepsCopies { truth.end(execution, .node, at: time.now) }
            entries[run]?.phase = .pending
            entries[run]?.plan += 1
            planStart(run, after: chance.between(.seconds(1), .seconds(20)))
        }
    }

    /// A share of what runs dies with its node.
    func failNodes(share: Double) {
        for run in entries.keys.sorted() {
            guard case .running(let execution)? = entries[run]?.phase, chance.happens(share) else { continue }
            conclude(run, execution, .node)
        }
    }

    // MARK: What is really done

    private func planStart(_ run: RunKey, after delay: Duration) {
        guard let plan = entries[run]?.plan else { return }
        time.after(delay) { [self] in
            guard let entry = entries[run], entry.plan == plan, case .pending = entry.phase else { return }
            begin(run)
        }
    }

    /// The wrapper runs, and lets the user's code start once.
    private func begin(_ run: RunKey) {
        if sabotage != .fenceOff {
            guard !claims.contains(run) else { return turnAway(run) }
            guard run.number >= newest[run.job] ?? 0 else {
                entries[run]?.phase = .ended(
                    RunOutcome(.lost, detail: "a newer run of this job was claimed here"),
                    startedAt: nil,
                    at: time.now
                )
                truth.refuseTwin()
                return
            }
            claims.insert(run)
            newest[run.job] = run.number
        }
        guard let order = entries[run]?.order else { return }
        let execution = truth.start(run, centre: centre, at: time.now)
        entries[run]?.phase = .running(execution: execution)
        folders.insert(run)
        entries[run]?.plan += 1
        var fate = Fate(of: run, seed: seed)
        if let jobDuration { fate = Fate(duration: jobDuration) }
        let limit = Duration.seconds(order.timeLimitSeconds)
        let outcome = fate.duration < limit ? fate.outcome : RunOutcome(.timeLimit)
        time.after(min(fate.duration, limit)) { [self] in conclude(run, execution, .own(outcome)) }
    }

    /// A late twin leaves at once. What the engine shows from then on is what the first copy left, or still does.
    private func turnAway(_ run: RunKey) {
        truth.refuseTwin()
        guard let first = truth.starts[run]?.first else { return }
        let execution = truth.executions[first]
        if let ended = execution.ended {
            entries[run]?.phase = .ended(
                Self.outcome(of: ended.0),
                startedAt: execution.startedAt,
                at: ended.at
            )
        } else {
            entries[run]?.phase = .running(execution: first)
        }
    }

    private func conclude(_ run: RunKey, _ execution: Int, _ end: Execution.End) {
        guard truth.executions[execution].ended == nil else { return }
        truth.end(execution, end, at: time.now)
        guard case .running(let current)? = entries[run]?.phase, current == execution else { return }
        entries[run]?.phase = .ended(
            Self.outcome(of: end),
            startedAt: truth.executions[execution].startedAt,
            at: time.now
        )
        entries[run]?.plan += 1
    }

    static func outcome(of end: Execution.End) -> RunOutcome {
        switch end {
        case .own(let outcome): outcome
        case .stopped: RunOutcome(.cancelled)
        case .node: RunOutcome(.nodeFailure)
        }
    }

    private func drop(_ run: RunKey) {
        truth.forget(run)
        entries[run] = nil
    }

    // MARK: What is shown

    private func shown() -> [EngineRun] {
        let now = time.now
        var list: [EngineRun] = []
        list.reserveCapacity(entries.count)
        var tooOld: [RunKey] = []
        for (run, entry) in entries where entry.shownFrom <= now {
            let state: EngineRun.State
            switch entry.phase {
            case .held: state = .held
            case .pending: state = .pending("Priority")
            case .running(let execution): state = .running(startedAt: truth.executions[execution].startedAt)
            case .ended(let outcome, let startedAt, let at):
                if now - at > Self.memory, !keepsRecords {
                    tooOld.append(run)
                    continue
                }
                state = .ended(outcome, startedAt: startedAt, endedAt: at)
            }
            list.append(EngineRun(run: run, engineJob: "e-\(run.number)", state: state))
        }
        for run in tooOld { drop(run) }
        return list
    }

    /// Every call goes through here: it may find nobody, and its answer may be lost.
    private func call<Value>(
        after latency: Duration,
        _ life: Life,
        _ body: () throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        do {
            try life.pass()
            if latency > .zero { try await time.sleep(for: latency) }
        } catch { throw .unreachable("cancelled") }
        if let silence {
            if time.now < silence.until { throw .unreachable(silence.why) }
            self.silence = nil
        }
        var isLost = false
        if !answersLostAfter.isEmpty {
            answersLostAfter = answersLostAfter.map { $0 - 1 }
            isLost = answersLostAfter.contains { $0 < 0 }
            answersLostAfter.removeAll { $0 < 0 }
        }
        let value = try body()
        if isLost { throw .unreachable("no answer") }
        do { try life.pass() } catch { throw .unreachable("cancelled") }
        return value
    }

    /// The door of one agent's life to the engine.
    struct Door: Engine {
        let engine: SimulatedEngine
        let life: Life

        var kind: EngineKind { .fake }

        func capacity() async throws(EngineError) -> CentreCapacity {
            try await engine.call(after: .milliseconds(50), life) { () throws(EngineError) in
                CentreCapacity(engine: .fake, engineVersion: "1", nodes: engine.nodes, isolates: true)
            }
        }

        func submit(_ order: EngineOrder) async throws(EngineError) -> String {
            let latency = engine.chance.between(.milliseconds(10), .milliseconds(400))
            return try await engine.call(after: latency, life) { () throws(EngineError) in
                engine.take(order)
                return "e-\(order.run.number)"
            }
        }

        func release(_ run: RunKey) async throws(EngineError) {
            try await engine.call(after: .milliseconds(20), life) { () throws(EngineError) in
                guard let entry = engine.entries[run] else { throw .unknownRun(run) }
                guard case .held = entry.phase else { return }
                engine.entries[run]?.phase = .pending
                engine.planStart(run, after: engine.chance.between(.milliseconds(100), .seconds(2)))
            }
        }

        func list() async throws(EngineError) -> [EngineRun] {
            try await engine.call(after: .milliseconds(150), life) { () throws(EngineError) in engine.list() }
        }

        func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
            try await engine.call(after: .milliseconds(20), life) { () throws(EngineError) in
                try engine.stop(run, grace: grace)
            }
        }

        func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
            try await engine.call(after: .milliseconds(20), life) { () throws(EngineError) in
                switch engine.entries[run]?.phase {
                case nil: throw .unknownRun(run)
                case .running, .ended: return false
                case .held, .pending:
                    try engine.stop(run, grace: .zero)
                    return true
                }
            }
        }

        func logs(
            _ run: RunKey,
            task: Int,
            from offset: Int64,
            countMax: Int
        ) async throws(EngineError) -> [UInt8] {
            try await engine.call(after: .zero, life) { () throws(EngineError) in
                // What was printed lies in the run's folder, which the wrapper made and only `forget` removes.
                guard engine.folders.contains(run) else {
                    if engine.entries[run] == nil { throw .unknownRun(run) }
                    return []
                }
                return Array(LogBook.text(of: run).dropFirst(Int(offset)).prefix(countMax))
            }
        }

        func forget(_ run: RunKey) async throws(EngineError) {
            try await engine.call(after: .milliseconds(20), life) { () throws(EngineError) in
                if let entry = engine.entries[run] {
                    guard case .ended = entry.phase else { throw .refused("The run \(run) has not ended.") }
                }
                engine.entries[run] = nil
                engine.folders.remove(run)
            }
        }
    }

    private func take(_ order: EngineOrder) {
        guard entries[order.run] == nil else {
            if sabotage == .blindResubmission {
                // A second job under the same name, which a fence that stands beside it does not know.
                _ = truth.start(order.run, centre: centre, at: time.now)
            }
            return
        }
        let shownFrom = time.now + chance.between(.zero, Self.showsAfterMax)
        entries[order.run] = Entry(order: order, shownFrom: shownFrom)
    }

    private func list() -> [EngineRun] {
        var list = shown()
        if let standing {
            if time.now < standing.until { list = standing.list } else { self.standing = nil }
        }
        if let until = repeatsUntil {
            if time.now >= until { repeatsUntil = nil }
            list += list.prefix(list.count / 3)
            list.shuffle(using: &chance)
        }
        return list
    }

    private func stop(_ run: RunKey, grace: Duration) throws(EngineError) {
        guard let entry = entries[run] else { throw .unknownRun(run) }
        switch entry.phase {
        case .held, .pending:
            // Queued a second time, the first copy is what is left to stop.
            if let first = truth.starts[run]?.last, truth.executions[first].ended == nil {
                truth.end(first, .stopped, at: time.now)
            }
            let startedAt = truth.starts[run]?.first.map { truth.executions[$0].startedAt }
            entries[run]?.phase = .ended(RunOutcome(.cancelled), startedAt: startedAt, at: time.now)
            entries[run]?.plan += 1
        case .running(let execution):
            let delay = Fate(of: run, seed: seed).ignoresStop ? grace : .zero
            time.after(delay) { [self] in conclude(run, execution, .stopped) }
        case .ended: break
        }
    }
}

/// What a run's code does, fixed by its key.
struct Fate {
    let duration: Duration
    let outcome: RunOutcome
    let ignoresStop: Bool

    /// Success, after that long.
    init(duration: Duration) {
        (self.duration, outcome, ignoresStop) = (duration, RunOutcome(.succeeded), false)
    }

    init(of run: RunKey, seed: UInt64) {
        var chance = Chance(seed: seed ^ run.job.low ^ run.job.high, stream: UInt64(run.number))
        let kind = chance.fraction()
        duration =
            switch kind {
            case ..<0.7: chance.between(.seconds(1), .seconds(15))
            case ..<0.97: chance.between(.seconds(15), .seconds(60))
            default: chance.between(.seconds(60), .seconds(700))
            }
        // A code of its own, so that a result that no execution produced is told from one that did.
        let end = chance.fraction()
        outcome =
            switch end {
            case ..<0.95: RunOutcome(.succeeded)
            case ..<0.99: RunOutcome(.exit, code: 1 + Int(chance.next() % 250))
            default: RunOutcome(.signal, code: 1 + Int(chance.next() % 31))
            }
        ignoresStop = chance.happens(0.1)
    }
}
