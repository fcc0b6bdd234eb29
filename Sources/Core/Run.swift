/// Which attempt of which job. The number is the fence: only the job's current number may start, write or be billed.
public struct RunKey: Hashable, Sendable, Comparable, TextCoded, LosslessStringConvertible {
    public let job: JobID
    /// From 1.
    public let number: Int

    public init(job: JobID, number: Int) {
        self.job = job
        self.number = number
    }

    /// The name that engines know the run by, such as `op-01j…-1`: at most 40 characters of a DNS label.
    public var description: String {
        let digits = String(number)
        let length = Self.headLength + digits.utf8.count
        return String(unsafeUninitializedCapacity: length) { buffer in
            _ = buffer.update(fromContentsOf: "op-".utf8)
            Base32.write(job.high, job.low, to: buffer[3...])
            buffer[Self.headLength - 1] = UInt8(ascii: "-")
            _ = buffer[Self.headLength...].update(fromContentsOf: digits.utf8)
            return length
        }
    }

    /// What precedes the number.
    private static let headLength = 3 + Base32.length + 1

    public init?(_ description: String) {
        var text = description
        guard let key = text.withUTF8({ Self(utf8: $0) }) else { return nil }
        self = key
    }

    /// One text for one key: no sign, no leading zero, no more than 40 characters in all.
    private init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard (Self.headLength + 1...40).contains(bytes.count), bytes.starts(with: "op-".utf8),
            bytes[Self.headLength - 1] == UInt8(ascii: "-"), bytes[Self.headLength] != UInt8(ascii: "0"),
            let words = Base32.read(bytes[3..<Self.headLength - 1])
        else { return nil }
        var number = 0
        for byte in bytes[Self.headLength...] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        self.init(job: JobID(high: words.high, low: words.low), number: number)
    }

    public static var misread: String { "not a run's name" }

    public static func < (a: RunKey, b: RunKey) -> Bool { (a.job, a.number) < (b.job, b.number) }
}

/// How a run ended.
public struct RunOutcome: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case succeeded
        /// Left with a non-zero exit status: `code`.
        case exit
        /// Ended by a signal that we did not send: `code`.
        case signal
        case timeLimit = "time_limit"
        case outOfMemory = "out_of_memory"
        /// Refused by the engine, or its inputs could not be brought.
        case rejected
        /// Succeeded without leaving an output that it had declared.
        case missingOutput = "missing_output"
        /// The node or the supervising process went away under it.
        case nodeFailure = "node_failure"
        case cancelled
        case preempted
        /// The engine knows nothing of it any more, or its centre was given up.
        case lost
    }

    public var kind: Kind
    public var code: Int?
    /// A sentence for people, where there is more to say.
    public var detail: String?

    public init(_ kind: Kind, code: Int? = nil, detail: String? = nil) {
        self.kind = kind
        self.code = code
        self.detail = detail
    }

    public var state: RunState {
        switch kind {
        case .succeeded: .succeeded
        case .exit, .signal, .timeLimit, .outOfMemory, .rejected, .missingOutput, .nodeFailure: .failed
        case .cancelled: .cancelled
        case .preempted: .preempted
        case .lost: .lost
        }
    }

    /// The class that retry policies name; `nil` for what is never retried by policy.
    public var retryCause: RetryPolicy.Cause? {
        switch kind {
        case .succeeded, .cancelled, .preempted: nil
        case .exit, .signal, .missingOutput: .exit
        case .timeLimit: .timeLimit
        case .outOfMemory: .outOfMemory
        case .rejected: .rejected
        case .nodeFailure: .nodeFailure
        case .lost: .lost
        }
    }

    /// One sentence for people.
    public var summary: String {
        let sentence =
            switch kind {
            case .succeeded: "succeeded"
            case .exit: "left with exit status \(code ?? 1)"
            case .signal: "was ended by signal \(code ?? 0)"
            case .timeLimit: "reached its time limit"
            case .outOfMemory: "needed more memory than it had asked for"
            case .rejected: "could not be started"
            case .missingOutput: "did not leave a declared output"
            case .nodeFailure: "lost the machine under it"
            case .cancelled: "was cancelled"
            case .preempted: "was preempted"
            case .lost: "was lost by its centre"
            }
        return detail.map { "\(sentence): \($0)" } ?? sentence
    }
}

/// Where a run is. A terminal state is final.
public enum RunState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Promised to an agent, which may not know it yet.
    case leased
    /// On the agent's disk; whether the engine has it may be in doubt.
    case submitting
    /// Held or queued at the engine.
    case pending
    case running
    case succeeded, failed, cancelled, preempted, lost

    public var isTerminal: Bool {
        switch self {
        case .leased, .submitting, .pending, .running: false
        case .succeeded, .failed, .cancelled, .preempted, .lost: true
        }
    }

    /// How far along the way; states only ever move to a higher rank.
    var rank: Int {
        switch self {
        case .leased: 0
        case .submitting: 1
        case .pending: 2
        case .running: 3
        case .succeeded, .failed, .cancelled, .preempted, .lost: 4
        }
    }
}

/// The right of one agent to carry out one run.
public enum LeaseState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Written down, not yet told to anybody: can be taken back at once.
    case granted
    /// Told to the agent at least once: only the agent's word ends it.
    case offered
    /// The agent has it on disk.
    case accepted
    /// The run is over, or the lease was taken back.
    case ended
}

/// Why a run is to stop before its own end.
public enum StopReason: String, Hashable, Sendable, Codable, CaseIterable {
    case cancel, preempt, drain
    /// It goes on elsewhere in its centre, so that another job finds its place.
    case consolidate
    /// It waits in its engine's own queue and could start elsewhere now: it is taken back, unless it starts first.
    case withdraw
    /// Its centre was given up and the job may already run elsewhere.
    case superseded

    /// What the run's outcome is when it ends because of this.
    public var outcome: RunOutcome.Kind {
        switch self {
        case .cancel: .cancelled
        case .preempt, .drain, .consolidate, .withdraw: .preempted
        case .superseded: .lost
        }
    }

    /// What its agent is told: to the centre moving a run is preempting it.
    public var order: StopReason { self == .consolidate ? .preempt : self }

    /// What there is to say beside the kind of the outcome.
    public var detail: String? {
        switch self {
        case .consolidate: "it was moved to other nodes so that another job finds its place"
        case .withdraw: "it was taken back before it started, as there was room elsewhere"
        case .cancel, .preempt, .drain, .superseded: nil
        }
    }
}

/// What an agent says of one run.
public struct RunObservation: Hashable, Sendable, Codable {
    public enum Phase: String, Hashable, Sendable, Codable { case submitting, pending, running, ended }

    public var phase: Phase
    /// The engine's own name for it, once known.
    public var engineJob: String?
    public var startedAt: Instant?
    /// Where it runs, where its engine chooses the nodes and tells. Its cards are those of the plan.
    public var nodes: [NodeShare]?
    public var endedAt: Instant?
    /// Present exactly when `phase` is `ended`.
    public var outcome: RunOutcome?
    /// What it left; complete when it succeeded.
    public var artifacts: [Artifact]
    /// While it is submitted, how far its inputs have come; while it is pending, why, in the engine's words; while it is
    /// running, how far its outputs are, once it has ended at its engine.
    public var waiting: String?

    public init(
        phase: Phase,
        engineJob: String? = nil,
        startedAt: Instant? = nil,
        nodes: [NodeShare]? = nil,
        endedAt: Instant? = nil,
        outcome: RunOutcome? = nil,
        artifacts: [Artifact] = [],
        waiting: String? = nil
    ) {
        self.phase = phase
        self.engineJob = engineJob
        self.startedAt = startedAt
        self.nodes = nodes
        self.endedAt = endedAt
        self.outcome = outcome
        self.artifacts = artifacts
        self.waiting = waiting
    }
}

/// The states of one run and its lease. Takes events, returns what follows; knows no clock and no disk.
public struct RunLifecycle: Hashable, Sendable {
    public private(set) var state: RunState
    public private(set) var lease: LeaseState
    public private(set) var stop: StopReason?
    /// Since when the run cannot be seen. Not seeing it says nothing about whether it lives.
    public private(set) var unseenSince: Instant?
    /// What it waits for: its inputs or outputs, in its agent's words, or its turn, in its engine's. Only while it does.
    public private(set) var waiting: String?

    public init(
        state: RunState = .leased,
        lease: LeaseState = .granted,
        stop: StopReason? = nil,
        unseenSince: Instant? = nil,
        waiting: String? = nil
    ) {
        self.state = state
        self.lease = lease
        self.stop = stop
        self.unseenSince = unseenSince
        self.waiting = waiting
    }

    /// What a caller has to write down after an event.
    public enum Change: Hashable, Sendable {
        case offered
        case accepted
        case pending(engineJob: String?)
        /// It waits for something else than before, or for nothing that anybody tells.
        case waits(String?)
        case started(at: Instant)
        case ended(RunOutcome, at: Instant)
        case unseen(since: Instant)
        case seen
        case stopRequested(StopReason)
    }

    /// The lease is about to be told to the agent. Write the change down before telling.
    public mutating func offer() -> [Change] {
        guard lease == .granted else { return [] }
        lease = .offered
        return [.offered]
    }

    /// The agent reports. Repeats, late and out-of-order reports change nothing; a terminal state stays.
    public mutating func observe(_ observation: RunObservation, now: Instant) -> [Change] {
        guard !state.isTerminal else { return [] }
        var changes: [Change] = []
        if unseenSince != nil {
            unseenSince = nil
            changes.append(.seen)
        }
        if lease != .accepted {
            lease = .accepted
            changes.append(.accepted)
            if state == .leased { state = .submitting }
        }
        let target: RunState =
            switch observation.phase {
            case .submitting: .submitting
            case .pending: .pending
            case .running: .running
            case .ended: observation.outcome?.state ?? .lost
            }
        guard target.rank > state.rank else {
            return target == state ? changes + wait(observation.waiting) : changes
        }
        let passesPending = target.rank > RunState.pending.rank && observation.engineJob != nil
        if state.rank < RunState.pending.rank, target == .pending || passesPending {
            changes.append(.pending(engineJob: observation.engineJob))
        }
        // A centre's clock may be ahead of ours; nothing that is reported can lie in the future.
        if let started = observation.startedAt, state != .running, target.rank >= RunState.running.rank {
            changes.append(.started(at: min(started, now)))
        }
        state = target
        // Too late to take it back, and then nobody wants it to stop.
        if target == .running, stop == .withdraw { stop = nil }
        if target == .pending { return changes + wait(observation.waiting) }
        // Whoever writes the start or the end down writes that too.
        waiting = nil
        if target.isTerminal {
            lease = .ended
            let outcome =
                observation.outcome ?? RunOutcome(.lost, detail: "the agent reported an end without an outcome")
            changes.append(.ended(outcome, at: min(observation.endedAt ?? now, now)))
        } else if target == .running, observation.startedAt == nil {
            changes.append(.started(at: now))
        }
        return target == .running ? changes + wait(observation.waiting) : changes
    }

    private mutating func wait(_ reason: String?) -> [Change] {
        guard reason != waiting else { return [] }
        waiting = reason
        return [.waits(reason)]
    }

    /// Nothing has been heard of the run's centre since `since`.
    public mutating func loseSight(since: Instant) -> [Change] {
        guard !state.isTerminal, lease != .granted, unseenSince == nil else { return [] }
        unseenSince = since
        return [.unseen(since: since)]
    }

    /// The run's agent holds it and speaks again.
    public mutating func regainSight() -> [Change] {
        guard !state.isTerminal, unseenSince != nil else { return [] }
        unseenSince = nil
        return [.seen]
    }

    /// Somebody wants the run to stop. A lease that nobody was told of ends at once; anything else waits for the agent.
    public mutating func requestStop(_ reason: StopReason, now: Instant) -> [Change] {
        guard !state.isTerminal, reason != .withdraw || state != .running else { return [] }
        if lease == .granted {
            lease = .ended
            state = RunOutcome(reason.outcome).state
            return [.ended(RunOutcome(reason.outcome, detail: "before its centre was told of it"), at: now)]
        }
        // A cancel overrides a softer wish; a softer wish never overrides a cancel. To take it back is the softest.
        guard stop == nil || (reason == .cancel && stop != .cancel) || (stop == .withdraw && reason != .withdraw) else {
            return []
        }
        stop = reason
        return [.stopRequested(reason)]
    }

    /// The centre was given up by the job's own policy. The run is lost to the job; what still lives there is stopped
    /// when the centre is heard of again.
    public mutating func giveUp(now: Instant) -> [Change] {
        guard !state.isTerminal, unseenSince != nil else { return [] }
        state = .lost
        lease = .ended
        stop = .superseded
        waiting = nil
        // The wish to stop is written down too: it is what the centre is told when it is heard of again.
        return [
            .stopRequested(.superseded),
            .ended(RunOutcome(.lost, detail: "its centre was silent for longer than the job allows"), at: now),
        ]
    }
}

/// One attempt of a job at one centre, as it stands.
public struct Run: Hashable, Sendable {
    public var key: RunKey
    public var project: ProjectName
    public var centre: CentreName
    public var lifecycle: RunLifecycle
    public var nodes: [NodeShare]
    /// Per task; copied from the job so that accounts need no join.
    public var resources: TaskResources
    public var tasks: Int
    /// Why here and why now: the scheduler's own words.
    public var reason: String
    public var engineJob: String?
    public var leasedAt: Instant
    public var startedAt: Instant?
    public var endedAt: Instant?
    public var outcome: RunOutcome?
    /// What an hour of the whole run costs; fixed when it was placed.
    public var pricePerHour: MicroCredits
    /// What is set aside for it until it ends.
    public var reserved: MicroCredits
    /// What it cost, once ended.
    public var charged: MicroCredits?
    public var artifacts: [Artifact]

    public init(
        key: RunKey,
        project: ProjectName,
        centre: CentreName,
        lifecycle: RunLifecycle = RunLifecycle(),
        nodes: [NodeShare],
        resources: TaskResources,
        tasks: Int,
        reason: String,
        engineJob: String? = nil,
        leasedAt: Instant,
        startedAt: Instant? = nil,
        endedAt: Instant? = nil,
        outcome: RunOutcome? = nil,
        pricePerHour: MicroCredits,
        reserved: MicroCredits,
        charged: MicroCredits? = nil,
        artifacts: [Artifact] = []
    ) {
        self.key = key
        self.project = project
        self.centre = centre
        self.lifecycle = lifecycle
        self.nodes = nodes
        self.resources = resources
        self.tasks = tasks
        self.reason = reason
        self.engineJob = engineJob
        self.leasedAt = leasedAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.outcome = outcome
        self.pricePerHour = pricePerHour
        self.reserved = reserved
        self.charged = charged
        self.artifacts = artifacts
    }

    public var state: RunState { lifecycle.state }
    /// Since when its centre is silent; `nil` while it is heard, and once the run is over, however it ended.
    public var outOfSightSince: Instant? { state.isTerminal ? nil : lifecycle.unseenSince }
    /// What it waits for: its inputs, its turn, or that its outputs arrive.
    public var waiting: String? { lifecycle.waiting }
}
