public import Core

/// One job in a list.
public struct JobView: Codable, Sendable, Hashable {
    public var job: JobID
    public var name: String
    public var project: ProjectName
    public var user: UserName
    public var state: JobState
    public var priority: Int
    public var tasks: Int
    /// Per task.
    public var resources: TaskResources
    public var timeLimitSeconds: Int
    public var workflow: WorkflowID?
    public var array: ArrayID?
    public var arrayIndex: Int?
    public var submittedAt: Instant
    public var startedAt: Instant?
    public var endedAt: Instant?
    /// Where its current run is, or its last one was.
    public var centre: CentreName?
    /// The current run's state.
    public var runState: RunState?
    /// Set while the current run's centre is silent.
    public var unseenSince: Instant?
    public var cancelRequested: Bool
    /// Why it ended, or why it waits, in one sentence.
    public var detail: String?
    /// The code of the reason for which it waits, such as `capacity`.
    public var waitingCode: String?

    public init(
        job: JobID,
        name: String,
        project: ProjectName,
        user: UserName,
        state: JobState,
        priority: Int,
        tasks: Int,
        resources: TaskResources,
        timeLimitSeconds: Int,
        workflow: WorkflowID?,
        array: ArrayID?,
        arrayIndex: Int?,
        submittedAt: Instant,
        startedAt: Instant?,
        endedAt: Instant?,
        centre: CentreName?,
        runState: RunState?,
        unseenSince: Instant?,
        cancelRequested: Bool,
        detail: String?,
        waitingCode: String?
    ) {
        self.job = job
        self.name = name
        self.project = project
        self.user = user
        self.state = state
        self.priority = priority
        self.tasks = tasks
        self.resources = resources
        self.timeLimitSeconds = timeLimitSeconds
        self.workflow = workflow
        self.array = array
        self.arrayIndex = arrayIndex
        self.submittedAt = submittedAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.centre = centre
        self.runState = runState
        self.unseenSince = unseenSince
        self.cancelRequested = cancelRequested
        self.detail = detail
        self.waitingCode = waitingCode
    }
}

/// One job, whole.
public struct JobDetail: Codable, Sendable {
    public var summary: JobView
    public var spec: JobSpec
    public var runs: [RunView]
    /// What its successful run left.
    public var artifacts: [Artifact]
    public var dependencies: [DependencyView]
    /// What was foretold of it when it was first looked at; absent while nothing was.
    public var forecast: ForecastView?
    public var retriesUsed: Int
    /// What all its runs cost so far, in millionths of a credit.
    public var charged: MicroCredits
    public var reserved: MicroCredits

    public init(
        summary: JobView,
        spec: JobSpec,
        runs: [RunView],
        artifacts: [Artifact],
        dependencies: [DependencyView],
        forecast: ForecastView?,
        retriesUsed: Int,
        charged: MicroCredits,
        reserved: MicroCredits
    ) {
        self.summary = summary
        self.spec = spec
        self.runs = runs
        self.artifacts = artifacts
        self.dependencies = dependencies
        self.forecast = forecast
        self.retriesUsed = retriesUsed
        self.charged = charged
        self.reserved = reserved
    }
}

/// What a job waits for, and how far that is.
public struct DependencyView: Codable, Sendable, Hashable {
    public var on: Dependency
    public var name: String
    public var states: [String: Int]

    public init(on: Dependency, name: String, states: [String: Int]) {
        self.on = on
        self.name = name
        self.states = states
    }
}

/// One attempt.
public struct RunView: Codable, Sendable, Hashable {
    public var run: RunKey
    public var number: Int
    public var centre: CentreName
    public var tier: Tier
    public var state: RunState
    public var lease: LeaseState
    public var stop: StopReason?
    /// Since the last word of its centre; `nil` while it is seen, and once it is over.
    public var unseenSince: Instant?
    public var tasks: Int
    public var nodes: [NodeShare]
    /// Why here and why then.
    public var reason: String
    public var engineJob: String?
    /// How far its inputs or outputs are, or why the engine lets it wait, in its centre's words.
    public var waiting: String?
    public var leasedAt: Instant
    public var startedAt: Instant?
    public var endedAt: Instant?
    public var outcome: RunOutcome?
    /// The outcome in one sentence.
    public var summary: String?
    public var pricePerHour: MicroCredits
    public var reserved: MicroCredits
    public var charged: MicroCredits?
    public var artifacts: [Artifact]

    public init(_ run: Run, tier: Tier) {
        self.run = run.key
        number = run.key.number
        centre = run.centre
        self.tier = tier
        state = run.state
        lease = run.lifecycle.lease
        stop = run.lifecycle.stop
        unseenSince = run.outOfSightSince
        tasks = run.tasks
        nodes = run.nodes
        reason = run.reason
        engineJob = run.engineJob
        waiting = run.waiting
        leasedAt = run.leasedAt
        startedAt = run.startedAt
        endedAt = run.endedAt
        outcome = run.outcome
        summary = run.outcome?.summary
        pricePerHour = run.pricePerHour
        reserved = run.reserved
        charged = run.charged
        artifacts = run.artifacts
    }
}

/// The answer to "why": for a waiting job the one dominant reason, for any other where it stands and why there.
public struct WhyView: Codable, Sendable, Hashable {
    public var job: JobID
    public var state: JobState
    /// Stable, for programs: `dependency`, `quota`, `capacity`, `running`, …
    public var code: String
    /// One sentence.
    public var headline: String
    /// What was considered and what each lacked, a line each.
    public var evidence: [String]
    /// The cheapest way out.
    public var wayOut: String?
    /// As likely sooner as later.
    public var predictedStart: Instant?
    /// Not later in nine of ten cases; absent where that is not known.
    public var predictedStartP90: Instant?
    /// The numbers behind it.
    public var figures: [String: Int64]

    public init(
        job: JobID,
        state: JobState,
        code: String,
        headline: String,
        evidence: [String],
        wayOut: String?,
        predictedStart: Instant?,
        predictedStartP90: Instant? = nil,
        figures: [String: Int64]
    ) {
        self.job = job
        self.state = state
        self.code = code
        self.headline = headline
        self.evidence = evidence
        self.wayOut = wayOut
        self.predictedStart = predictedStart
        self.predictedStartP90 = predictedStartP90
        self.figures = figures
    }
}

/// What a submission made. Exactly one of `job`, `array` and `workflow` is set.
public struct SubmissionView: Codable, Sendable, Hashable {
    public var job: JobID?
    public var array: ArrayID?
    public var workflow: WorkflowID?
    public var project: ProjectName
    /// How many jobs it made.
    public var count: Int
    /// True when this answers a repeat of an earlier request with the same idempotency key.
    public var replayed: Bool

    public init(
        job: JobID? = nil,
        array: ArrayID? = nil,
        workflow: WorkflowID? = nil,
        project: ProjectName,
        count: Int,
        replayed: Bool
    ) {
        self.job = job
        self.array = array
        self.workflow = workflow
        self.project = project
        self.count = count
        self.replayed = replayed
    }
}

/// One workflow as a graph; an array is one node.
public struct WorkflowView: Codable, Sendable, Hashable {
    public struct Node: Codable, Sendable, Hashable {
        public var name: String
        /// Set unless the node is an array.
        public var job: JobID?
        public var array: ArrayID?
        public var count: Int
        /// Jobs by state.
        public var states: [String: Int]
        public var tasks: Int
        /// Where its runs are or were.
        public var centres: [CentreName]
        public var tiers: [Tier]
        public var startedAt: Instant?
        public var endedAt: Instant?
        /// Names of the nodes before it; a named edge carries that artifact.
        public var after: [Edge]
        public var charged: MicroCredits

        public init(
            name: String,
            job: JobID?,
            array: ArrayID?,
            count: Int,
            states: [String: Int],
            tasks: Int,
            centres: [CentreName],
            tiers: [Tier],
            startedAt: Instant?,
            endedAt: Instant?,
            after: [Edge],
            charged: MicroCredits
        ) {
            self.name = name
            self.job = job
            self.array = array
            self.count = count
            self.states = states
            self.tasks = tasks
            self.centres = centres
            self.tiers = tiers
            self.startedAt = startedAt
            self.endedAt = endedAt
            self.after = after
            self.charged = charged
        }
    }

    public struct Edge: Codable, Sendable, Hashable {
        public var node: String
        /// The outputs that travel along it; empty for order alone.
        public var outputs: [String]

        public init(node: String, outputs: [String]) {
            self.node = node
            self.outputs = outputs
        }
    }

    public var workflow: WorkflowID
    public var name: String
    public var project: ProjectName
    public var user: UserName
    /// `active` while any job is not terminal; then `failed` if any failed, else `cancelled` if any was, else `succeeded`.
    public var state: JobState
    public var submittedAt: Instant
    public var endedAt: Instant?
    public var charged: MicroCredits
    public var nodes: [Node]

    public init(
        workflow: WorkflowID,
        name: String,
        project: ProjectName,
        user: UserName,
        state: JobState,
        submittedAt: Instant,
        endedAt: Instant?,
        charged: MicroCredits,
        nodes: [Node]
    ) {
        self.workflow = workflow
        self.name = name
        self.project = project
        self.user = user
        self.state = state
        self.submittedAt = submittedAt
        self.endedAt = endedAt
        self.charged = charged
        self.nodes = nodes
    }
}

/// What a job list is narrowed to.
public struct JobQuery: Sendable, Hashable {
    public var project: ProjectName?
    public var states: Set<JobState>
    public var namePrefix: String?
    public var workflow: WorkflowID?
    public var array: ArrayID?
    public var centre: CentreName?
    public var cursor: String?
    /// 1 to 500.
    public var limit: Int

    public init(
        project: ProjectName? = nil,
        states: Set<JobState> = [],
        namePrefix: String? = nil,
        workflow: WorkflowID? = nil,
        array: ArrayID? = nil,
        centre: CentreName? = nil,
        cursor: String? = nil,
        limit: Int = 50
    ) {
        self.project = project
        self.states = states
        self.namePrefix = namePrefix
        self.workflow = workflow
        self.array = array
        self.centre = centre
        self.cursor = cursor
        self.limit = limit
    }
}
