internal import Core
internal import Synchronization

/// What the shared folder says of a run, read in one look.
struct RunTraces: Hashable, Sendable {
    var isReleased: Bool
    /// Its script has begun: nobody else will start this run any more.
    var isClaimed: Bool
    var startedAt: Instant?
    /// How it ended, by its own exit record or by ours.
    var ending: EngineRun.State?
    /// Changes every ten seconds while its script lives.
    var beat: [String] = []
}

/// An engine's word and the shared folder's, joined. The folder goes first: engines forget, and are wrong at times.
enum RunReading: Hashable, Sendable {
    case known(EngineRun.State)
    /// Over, as far as the engine can tell, and without an exit record yet. Believed when it stays so.
    case doubtful(RunOutcome)
}

/// Runs on a shared folder that their engine is posted as one document, with what the agent has to remember of them.
/// Blocks, as files do.
final class PostedRuns: Sendable {
    let runs: SharedRuns
    /// A run whose script shows no beat for so long, while its engine says that it is over, is gone: three beats.
    let stillnessMax: Duration
    /// For a run that never began and whose engine says that it is over: time for its claim to be seen here.
    let lastWordMax: Duration
    /// Beyond its grace, for a script that was asked to end and does not.
    let overtimeMax: Duration
    private let known = Mutex(Known())

    /// What need not be read again. Losing it costs time only.
    private struct Known {
        var members: [RunKey: Int] = [:]
        /// Of runs in doubt: their last beat, and since when it stands.
        var still: [RunKey: (beat: [String], since: ContinuousClock.Instant)] = [:]
        /// When a run is ended hard, as far as its folder was asked; `nil` for one that was not told to end.
        var deadlines: [RunKey: ContinuousClock.Instant?] = [:]
        /// When it was last said that they have passed.
        var overdue: [RunKey: ContinuousClock.Instant] = [:]
    }

    /// - Throws: ``EngineError/unreachable(_:)`` when the folder cannot be made.
    init(
        root: String,
        stillnessMax: Duration = .seconds(35),
        lastWordMax: Duration = .seconds(10),
        overtimeMax: Duration = .seconds(20)
    ) throws(EngineError) {
        runs = try SharedRuns(root: root)
        self.overtimeMax = overtimeMax
        self.stillnessMax = stillnessMax
        self.lastWordMax = lastWordMax
    }

    func folder(_ run: RunKey) -> RunFolder { runs.folder(run) }

    func isKnown(_ run: RunKey) -> Bool { Disk.exists(folder(run).file("submission")) }

    /// Every run that was submitted here.
    func all() throws(EngineError) -> [RunKey] { try runs.runs().filter { isKnown($0) } }

    /// Writes a run down as held, what its engine will be posted last.
    ///
    /// - Parameters:
    ///   - members: How many members its engine starts by themselves; 0 for a run with a main.
    ///   - files: Further files for the run's folder.
    func write(
        _ order: EngineOrder,
        members: Int,
        document: JSON,
        files: [(name: String, text: String)] = []
    ) throws(EngineError) {
        try runs.write(order)
        try change(order.run) { folder throws(Disk.Fault) in
            for (name, text) in files + [("members", "\(members)\n"), ("submission", document.text)] {
                try Disk.replace(Array(text.utf8), in: folder.path, as: name)
            }
        }
    }

    /// What the engine is posted for a run, as it was written down at its submission.
    func document(_ run: RunKey) throws(EngineError) -> JSON {
        guard isKnown(run) else { throw .unknownRun(run) }
        guard let bytes = Disk.read(folder(run).file("submission"), bytesMax: 8 << 20),
            let json = try? JSON(parsing: bytes)
        else { throw .unreachable("What is to be submitted for \(run) cannot be read in \(runs.root).") }
        return json
    }

    /// Puts a file into a run's folder, unless there is one of that name.
    func keep(_ bytes: [UInt8], as name: String, of run: RunKey) throws(EngineError) {
        try change(run) { folder throws(Disk.Fault) in _ = try Disk.publish(bytes, in: folder.path, as: name) }
    }

    private func members(_ run: RunKey) -> Int {
        if let members = known.withLock({ $0.members[run] }) { return members }
        let text = Disk.read(folder(run).file("members"), bytesMax: 64).map { String(decoding: $0, as: UTF8.self) }
        let members = text.flatMap { Int($0.filter { !$0.isWhitespace }) } ?? 0
        known.withLock { $0.members[run] = members }
        return members
    }

    func traces(_ run: RunKey) throws(EngineError) -> RunTraces {
        let isReleased = Disk.exists(folder(run).file("released"))
        guard let look = runs.look(at: run, members: members(run)) else {
            return RunTraces(isReleased: isReleased, isClaimed: false)
        }
        var ending = look.ending
        // Whoever cancelled it may have been killed before the end was written.
        if ending == nil, look.claim == .cancelled { ending = try runs.conclude(run, RunOutcome(.cancelled)) }
        return RunTraces(
            isReleased: isReleased,
            isClaimed: look.claim == .started,
            startedAt: look.startedAt,
            ending: ending,
            beat: look.beat
        )
    }

    func noteRelease(_ run: RunKey) throws(EngineError) {
        try change(run) { folder throws(Disk.Fault) in
            _ = try Disk.publish([], in: folder.path, as: "released")
        }
    }

    /// Takes the claim of a run that nobody has started, and writes its end down; or tells its script to end, once it is
    /// on disk by when.
    ///
    /// - Returns: Whether nothing of it has started, nor ever will.
    func askToEnd(_ run: RunKey, grace: Duration) throws(EngineError) -> Bool {
        let patience = max(.zero, grace) + overtimeMax
        // A repeat gives it no more time, whoever asked first.
        let deadline = min(deadline(of: run) ?? .now + patience, .now + patience)
        try runs.note(HardEnd(in: deadline - .now), of: run)
        try runs.askToStop(run, grace: grace)
        if try end(run, RunOutcome(.cancelled)) != nil { return true }
        known.withLock { $0.deadlines[run] = .some(deadline) }
        return false
    }

    /// Whether its script was asked to end, and has had its grace and some time more. Said once a minute.
    func isOverdue(_ run: RunKey) -> Bool {
        guard let deadline = deadline(of: run), deadline <= .now else { return false }
        return known.withLock { known in
            if let said = known.overdue[run], .now - said < .seconds(60) { return false }
            known.overdue[run] = .now
            return true
        }
    }

    /// By this process's own clock: what others have written down is read once.
    private func deadline(of run: RunKey) -> ContinuousClock.Instant? {
        if let deadline = known.withLock({ $0.deadlines[run] }) { return deadline }
        let deadline = runs.hardEnd(of: run).map { ContinuousClock.now + $0.left }
        known.withLock { $0.deadlines[run] = .some(deadline) }
        return deadline
    }

    /// Writes down how a run ended that has not started, and sees to it that it never does.
    ///
    /// - Returns: Its end; `nil` when it has started after all.
    func end(_ run: RunKey, _ outcome: RunOutcome) throws(EngineError) -> EngineRun.State? {
        guard try runs.forbid(run, members: members(run)) else { return nil }
        return try runs.conclude(run, outcome)
    }

    /// Turns a reading into a state: a doubtful end is written down once it has stayed so for long enough.
    ///
    /// - Parameter limit: How long that is, where the engine's word makes it another than usual.
    func settle(
        _ reading: RunReading,
        of run: RunKey,
        _ traces: RunTraces,
        within limit: Duration? = nil
    ) throws(EngineError) -> EngineRun.State {
        switch reading {
        case .known(let state):
            noteLife(of: run)
            return state
        case .doubtful(let outcome):
            let since = known.withLock { known in
                if let still = known.still[run], still.beat == traces.beat { return still.since }
                known.still[run] = (traces.beat, .now)
                return .now
            }
            let isOver = ContinuousClock.now - since >= limit ?? (traces.isClaimed ? stillnessMax : lastWordMax)
            if isOver, !traces.isClaimed, let state = try end(run, outcome) { return state }
            if isOver, traces.isClaimed {
                // Should it live on where it cannot show it, it is to end, and its own record comes too late.
                try runs.askToStop(run, grace: .seconds(10))
                return try runs.conclude(run, outcome)
            }
            return traces.startedAt.map { .running(startedAt: $0) }
                ?? .pending("its engine says that it is over, and it has left no record yet")
        }
    }

    /// Its engine does not doubt that it lives.
    func noteLife(of run: RunKey) { known.withLock { $0.still[run] = nil } }

    func forget(_ run: RunKey) throws(EngineError) {
        try runs.forget(run)
        known.withLock {
            $0.members[run] = nil
            $0.still[run] = nil
            $0.deadlines[run] = nil
            $0.overdue[run] = nil
        }
    }

    private func change(_ run: RunKey, _ body: (RunFolder) throws(Disk.Fault) -> Void) throws(EngineError) {
        do throws(Disk.Fault) { try body(folder(run)) } catch {
            throw .unreachable("The folder of \(run) below \(runs.root) cannot be written: \(error.sentence).")
        }
    }
}

extension RunOutcome {
    /// The script was told to end by its engine: why, only the engine knows.
    var isStopByEngine: Bool { kind == .nodeFailure && detail == RunScript.stoppedByEngine }
}
