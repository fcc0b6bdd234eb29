public import Core

/// An event with its payload as the JSON text that the log holds, for passing on without reading it.
public struct StoredEvent: Hashable, Sendable {
    public var sequence: Int64
    public var at: Instant
    public var project: ProjectName?
    public var subject: String
    /// As in `Event.Kind`, or a newer version's word.
    public var kind: String
    public var actor: String
    /// A JSON object, `snake_case`, keys in order.
    public var payload: String
}

/// Jobs by state.
public struct JobCounts: Hashable, Sendable {
    public var queued = 0
    public var active = 0
    public var succeeded = 0
    public var failed = 0
    public var cancelled = 0

    public init() {}

    public subscript(state: JobState) -> Int {
        get {
            switch state {
            case .queued: queued
            case .active: active
            case .succeeded: succeeded
            case .failed: failed
            case .cancelled: cancelled
            }
        }
        set {
            switch state {
            case .queued: queued = newValue
            case .active: active = newValue
            case .succeeded: succeeded = newValue
            case .failed: failed = newValue
            case .cancelled: cancelled = newValue
            }
        }
    }

    public var total: Int { queued + active + succeeded + failed + cancelled }

    /// By the states' own words; states without jobs are left out.
    public var byName: [String: Int] {
        var result: [String: Int] = [:]
        for state in JobState.allCases where self[state] != 0 { result[state.rawValue] = self[state] }
        return result
    }
}

/// An array of jobs as a whole.
public struct JobArray: Hashable, Sendable {
    public var id: ArrayID
    /// The place of its submission in the log.
    public var sequence: Int64
    public var project: ProjectName
    public var workflow: WorkflowID?
    public var counts: JobCounts
}

/// A workflow as a whole.
public struct WorkflowRecord: Hashable, Sendable {
    public var id: WorkflowID
    public var name: String
    public var project: ProjectName
    public var user: UserName
    public var sequence: Int64
    public var submittedAt: Instant
    public var counts: JobCounts
}

/// Which jobs a list holds; every condition must hold.
public struct JobFilter: Hashable, Sendable {
    /// `nil` is all projects, an empty list none.
    public var projects: [ProjectName]?
    /// Empty is all states.
    public var states: Set<JobState>
    public var namePrefix: String?
    public var workflow: WorkflowID?
    public var array: ArrayID?
    /// The centre of the latest run.
    public var centre: CentreName?

    public init(
        projects: [ProjectName]? = nil,
        states: Set<JobState> = [],
        namePrefix: String? = nil,
        workflow: WorkflowID? = nil,
        array: ArrayID? = nil,
        centre: CentreName? = nil
    ) {
        self.projects = projects
        self.states = states
        self.namePrefix = namePrefix
        self.workflow = workflow
        self.array = array
        self.centre = centre
    }
}

/// A job's place in lists: the newest submission first, within an array the last element first.
public struct JobCursor: Hashable, Sendable, Comparable {
    public var sequence: Int64
    public var job: JobID

    public init(sequence: Int64, job: JobID) { (self.sequence, self.job) = (sequence, job) }
    public init(_ job: Job) { self.init(sequence: job.sequence, job: job.id) }

    public static func < (a: Self, b: Self) -> Bool { (a.sequence, a.job) < (b.sequence, b.job) }
}

/// What a project holds at this moment: the sums over its live runs, for quotas.
public struct ProjectUsage: Hashable, Sendable {
    public var runs = 0
    public var cores: MilliCores = 0
    public var cards = 0

    public init() {}
}

/// A one-time right to join that has not been used.
public struct JoinToken: Hashable, Sendable {
    public var centre: CentreName
    public var expiresAt: Instant
}

/// What a client's key stands for.
public struct IdempotencyRecord: Hashable, Sendable {
    /// The hash of the request that first used the key.
    public var request: Digest
    /// What that request made: a job's, an array's or a workflow's id.
    public var resource: String
    public var at: Instant
}

/// One side of a booking, in its place.
public struct LedgerRecord: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable { case grant, reserve, settle }

    /// The event that booked it, and which of its entries this is.
    public var cursor: LedgerCursor
    public var at: Instant
    public var entry: LedgerEntry
    public var project: ProjectName
    public var kind: Kind
    /// The run it was for; `nil` for vouchers.
    public var run: RunKey?
    /// A voucher's note.
    public var note: String?
}

/// An entry's place in the ledger.
public struct LedgerCursor: Hashable, Sendable, Comparable {
    public var sequence: Int64
    public var position: Int

    public init(sequence: Int64, position: Int) { (self.sequence, self.position) = (sequence, position) }

    public static func < (a: Self, b: Self) -> Bool { (a.sequence, a.position) < (b.sequence, b.position) }
}

/// A voucher as it was granted.
public struct Voucher: Hashable, Sendable {
    public var sequence: Int64
    public var at: Instant
    public var project: ProjectName
    public var amount: MicroCredits
    public var note: String
}

/// What one run used, with who used it and where.
public struct UsageRecord: Hashable, Sendable {
    public var usage: Usage
    public var project: ProjectName
    public var centre: CentreName
}

/// A usage row's place: by the end of its interval.
public struct UsageCursor: Hashable, Sendable {
    public var to: Instant
    public var run: RunKey
    public var meter: Meter
    public var from: Instant

    public init(to: Instant, run: RunKey, meter: Meter, from: Instant) {
        (self.to, self.run, self.meter, self.from) = (to, run, meter, from)
    }

    public init(_ record: UsageRecord) {
        let usage = record.usage
        self.init(to: usage.to, run: usage.run, meter: usage.meter, from: usage.from)
    }
}

/// What a project used of one meter in runs that ended within one hour.
public struct UsageHour: Hashable, Sendable {
    /// The full hour at which it begins.
    public var hour: Instant
    public var project: ProjectName
    public var meter: Meter
    public var microUnits: Int64
}
