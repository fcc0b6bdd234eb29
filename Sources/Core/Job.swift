/// Where a job is. `succeeded`, `failed` and `cancelled` are final.
public enum JobState: String, Hashable, Sendable, Codable, CaseIterable {
    case queued, active, succeeded, failed, cancelled

    public var isTerminal: Bool {
        switch self {
        case .queued, .active: false
        case .succeeded, .failed, .cancelled: true
        }
    }
}

/// The states of one job. Takes events, returns what follows; knows no clock and no disk.
public struct JobLifecycle: Hashable, Sendable {
    public private(set) var state: JobState
    /// The number of the latest run; 0 before the first. Only this run counts.
    public private(set) var runNumber: Int
    public private(set) var retriesUsed: Int
    /// Not to be placed before, after a failed attempt.
    public private(set) var notBefore: Instant?
    public private(set) var cancelRequested: Bool

    public init(
        state: JobState = .queued,
        runNumber: Int = 0,
        retriesUsed: Int = 0,
        notBefore: Instant? = nil,
        cancelRequested: Bool = false
    ) {
        self.state = state
        self.runNumber = runNumber
        self.retriesUsed = retriesUsed
        self.notBefore = notBefore
        self.cancelRequested = cancelRequested
    }

    /// What a caller has to write down after an event.
    public enum Change: Hashable, Sendable {
        /// The job is over.
        case ended(JobState, detail: String?)
        /// Back in the queue; `retriesUsed` counts the attempt when the policy paid for it.
        case requeued(notBefore: Instant?, retriesUsed: Int)
        /// The wish to cancel is noted; the live run is to be stopped.
        case cancelRequested(run: Int)
    }

    /// A plan places the job: the number of the new run, or `nil` when the job is not waiting any more.
    public mutating func place() -> Int? {
        guard state == .queued else { return nil }
        state = .active
        runNumber += 1
        notBefore = nil
        return runNumber
    }

    /// A run ended. Only the current run's end counts, and only once.
    public mutating func runEnded(
        number: Int,
        outcome: RunOutcome,
        retries: RetryPolicy,
        now: Instant
    ) -> [Change] {
        guard state == .active, number == runNumber else { return [] }
        if outcome.kind == .succeeded { return finish(.succeeded, nil) }
        if cancelRequested { return finish(.cancelled, "cancelled while attempt \(number) was under way") }
        if outcome.kind == .preempted {
            state = .queued
            return [.requeued(notBefore: nil, retriesUsed: retriesUsed)]
        }
        if let cause = outcome.retryCause, retries.on.contains(cause), retriesUsed < retries.limit {
            state = .queued
            let wait = retries.wait(before: retriesUsed)
            retriesUsed += 1
            notBefore = now + .seconds(wait)
            return [.requeued(notBefore: notBefore, retriesUsed: retriesUsed)]
        }
        let tries = number == 1 ? "" : " (attempt \(number))"
        return finish(outcome.kind == .cancelled ? .cancelled : .failed, outcome.summary + tries)
    }

    /// The job's own `onCentreLoss` policy asks for a new attempt although the old one may live: not a retry.
    public mutating func runGivenUp(number: Int) -> [Change] {
        guard state == .active, number == runNumber else { return [] }
        if cancelRequested { return finish(.cancelled, "cancelled while its centre was silent") }
        state = .queued
        return [.requeued(notBefore: nil, retriesUsed: retriesUsed)]
    }

    /// Somebody wants the job gone.
    public mutating func requestCancel(detail: String?) -> [Change] {
        switch state {
        case .queued: return finish(.cancelled, detail)
        case .active:
            guard !cancelRequested else { return [] }
            cancelRequested = true
            return [.cancelRequested(run: runNumber)]
        case .succeeded, .failed, .cancelled: return []
        }
    }

    private mutating func finish(_ state: JobState, _ detail: String?) -> [Change] {
        self.state = state
        notBefore = nil
        return [.ended(state, detail: detail)]
    }
}

/// What must succeed before a job may start.
public enum Dependency: Hashable, Sendable, TextCoded {
    case job(JobID)
    /// Every element of it.
    case array(ArrayID)

    public static var misread: String { "not a job's or an array's id" }
}

extension Dependency: LosslessStringConvertible {
    public init?(_ description: String) {
        if let id = JobID(description) {
            self = .job(id)
        } else if let id = ArrayID(description) {
            self = .array(id)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .job(let id): id.description
        case .array(let id): id.description
        }
    }
}

/// One piece of work, as it stands.
public struct Job: Hashable, Sendable {
    public var id: JobID
    public var project: ProjectName
    public var user: UserName
    public var spec: JobSpec
    public var lifecycle: JobLifecycle
    public var workflow: WorkflowID?
    public var array: ArrayID?
    /// From 0; `nil` outside arrays.
    public var arrayIndex: Int?
    public var dependencies: [Dependency]
    /// How many of `dependencies` have not succeeded yet.
    public var unmetDependencies: Int
    /// The position of its submission in the event log: the order of arrival.
    public var sequence: Int64
    public var submittedAt: Instant
    public var endedAt: Instant?
    /// Why it ended as it did, for people.
    public var detail: String?

    public init(
        id: JobID,
        project: ProjectName,
        user: UserName,
        spec: JobSpec,
        lifecycle: JobLifecycle = JobLifecycle(),
        workflow: WorkflowID? = nil,
        array: ArrayID? = nil,
        arrayIndex: Int? = nil,
        dependencies: [Dependency] = [],
        unmetDependencies: Int = 0,
        sequence: Int64 = 0,
        submittedAt: Instant,
        endedAt: Instant? = nil,
        detail: String? = nil
    ) {
        self.id = id
        self.project = project
        self.user = user
        self.spec = spec
        self.lifecycle = lifecycle
        self.workflow = workflow
        self.array = array
        self.arrayIndex = arrayIndex
        self.dependencies = dependencies
        self.unmetDependencies = unmetDependencies
        self.sequence = sequence
        self.submittedAt = submittedAt
        self.endedAt = endedAt
        self.detail = detail
    }

    public var state: JobState { lifecycle.state }

    /// The current run's key; `nil` before the first.
    public var run: RunKey? { lifecycle.runNumber > 0 ? RunKey(job: id, number: lifecycle.runNumber) : nil }
}
