public import Core

/// Everything that ``plan(_:policy:)`` looks at: the federation, who shares it, and what waits, at one moment.
///
/// Plain values without a clock or a disk behind them, so that the server, a simulator and `onepoint why` ask the same
/// question and get the same answer.
public struct Snapshot: Hashable, Sendable {
    public var now: Instant
    /// Every centre that is not forgotten, with all its live runs, whatever its state: runs count against quotas
    /// wherever they are.
    public var centres: [Centre]
    /// A project missing here weighs 100, is unlimited and unmetered.
    public var projects: [Project]
    /// Jobs in state `queued`, in any order, each once.
    public var queue: [QueuedJob]
    /// Jobs on their way from where their run was to other nodes, each once.
    public var moves: [Move]
    /// Runs that have been waiting for long in queues of centres' own engines.
    public var guests: [Guest]

    public init(
        now: Instant,
        centres: [Centre],
        projects: [Project],
        queue: [QueuedJob],
        moves: [Move] = [],
        guests: [Guest] = []
    ) {
        self.now = now
        self.centres = centres
        self.projects = projects
        self.queue = queue
        self.moves = moves
        self.guests = guests
    }
}

extension Snapshot {
    /// A centre and what lives on it.
    public struct Centre: Hashable, Sendable {
        public var name: CentreName
        public var tier: Tier
        public var state: CentreState
        /// Since when nothing has been heard of it; `nil` while it reports.
        public var unseenSince: Instant?
        /// As last reported; `nil` until the first report.
        public var capacity: CentreCapacity?
        public var prices: PriceTable
        /// `nil` where nobody has said.
        public var link: Link?
        /// Every run that is not over, stopping ones included.
        public var runs: [Run]
        /// What is kept in advance; those that are over keep nothing.
        public var reservations: [Reservation]
        /// What its engine's other users hold, where it tells; each node once.
        public var others: [NodeUse]
        public var queue: EngineQueue

        public init(
            name: CentreName,
            tier: Tier,
            state: CentreState = .open,
            unseenSince: Instant? = nil,
            capacity: CentreCapacity?,
            prices: PriceTable = PriceTable(),
            link: Link? = nil,
            runs: [Run] = [],
            reservations: [Reservation] = [],
            others: [NodeUse] = [],
            queue: EngineQueue = EngineQueue()
        ) {
            self.name = name
            self.tier = tier
            self.state = state
            self.unseenSince = unseenSince
            self.capacity = capacity
            self.prices = prices
            self.link = link
            self.runs = runs
            self.reservations = reservations
            self.others = others
            self.queue = queue
        }

        /// A centre as it is stored, with what only the caller knows of it.
        public init(
            _ centre: Core.Centre,
            unseenSince: Instant?,
            link: Link? = nil,
            runs: [Run],
            reservations: [Reservation] = [],
            others: [NodeUse] = [],
            queue: EngineQueue = EngineQueue()
        ) {
            self.init(
                name: centre.name,
                tier: centre.tier,
                state: centre.state,
                unseenSince: unseenSince,
                capacity: centre.capacity,
                prices: centre.prices,
                link: link,
                runs: runs,
                reservations: reservations,
                others: others,
                queue: queue
            )
        }
    }

    /// The queue of a centre's own engine. Where others use the centre too, what becomes free goes to who waits there, so
    /// we must wait there as well; but not with everything, since what waits there cannot go anywhere else.
    public struct EngineQueue: Hashable, Sendable {
        /// How many more runs may be given to it that have no room now.
        public var turns: Int
        /// How long ours waited there of late, in the median; `nil` before the first has started.
        public var waitSeconds: Int?

        public init(turns: Int = 0, waitSeconds: Int? = nil) { (self.turns, self.waitSeconds) = (turns, waitSeconds) }
    }

    /// A run that holds its nodes.
    public struct Run: Hashable, Sendable {
        public var key: RunKey
        public var project: ProjectName
        public var nodes: [NodeShare]
        /// Per task.
        public var resources: TaskResources
        public var leasedAt: Instant
        public var startedAt: Instant?
        public var timeLimitSeconds: Int
        /// How long it is expected to run in all; `nil` for its time limit.
        public var estimateSeconds: Int?
        public var priority: Int
        /// Declared by the job itself; nothing else is ever preempted.
        public var preemptible: Bool
        /// Somebody already asked for its end: it is gone within its grace period and not asked again.
        public var stopping: Bool
        public var gracePeriodSeconds: Int
        /// How often its job was moved so far.
        public var moves: Int

        public init(
            key: RunKey,
            project: ProjectName,
            nodes: [NodeShare],
            resources: TaskResources,
            leasedAt: Instant,
            startedAt: Instant? = nil,
            timeLimitSeconds: Int,
            estimateSeconds: Int? = nil,
            priority: Int = 500,
            preemptible: Bool = false,
            stopping: Bool = false,
            gracePeriodSeconds: Int = 10,
            moves: Int = 0
        ) {
            self.key = key
            self.project = project
            self.nodes = nodes
            self.resources = resources
            self.leasedAt = leasedAt
            self.startedAt = startedAt
            self.timeLimitSeconds = timeLimitSeconds
            self.estimateSeconds = estimateSeconds
            self.priority = priority
            self.preemptible = preemptible
            self.stopping = stopping
            self.gracePeriodSeconds = gracePeriodSeconds
            self.moves = moves
        }

        /// A live run as it is stored, with its job's description.
        public init(_ run: Core.Run, spec: JobSpec, estimateSeconds: Int? = nil, moves: Int = 0) {
            self.init(
                key: run.key,
                project: run.project,
                nodes: run.nodes,
                resources: run.resources,
                leasedAt: run.leasedAt,
                startedAt: run.startedAt,
                timeLimitSeconds: spec.timeLimitSeconds,
                estimateSeconds: estimateSeconds,
                priority: spec.priority,
                preemptible: spec.preemptible,
                stopping: run.lifecycle.stop != nil,
                gracePeriodSeconds: spec.gracePeriodSeconds,
                moves: moves
            )
        }

        public var tasks: Int { nodes.reduce(0) { $0 + $1.tasks } }

        /// When its time limit ends it: counted from its start, or from its lease while it has not started.
        public var limitEnd: Instant { (startedAt ?? leasedAt).later(bySeconds: timeLimitSeconds) }
    }

    /// A job whose run was asked to stop so that it goes on elsewhere, and where its next run goes: nobody else is given
    /// that room while the run is stopping, and the job is considered before all others once it waits again.
    public struct Move: Hashable, Sendable {
        public enum Cause: Hashable, Sendable {
            /// A job finds its place by it, in the same centre.
            case room(for: JobID)
            /// It waited in the queue of that centre's own engine.
            case wait(at: CentreName)
        }

        public var job: JobID
        public var centre: CentreName
        public var nodes: [NodeShare]
        public var cause: Cause

        public init(job: JobID, centre: CentreName, nodes: [NodeShare], cause: Cause) {
            self.job = job
            self.centre = centre
            self.nodes = nodes
            self.cause = cause
        }
    }

    /// A run that has been waiting for long in the queue of a centre's own engine, among others. It is taken back for room
    /// elsewhere, in the order in which its job would have its turn here.
    public struct Guest: Hashable, Sendable {
        public var run: RunKey
        public var centre: CentreName
        /// As if it waited here.
        public var job: QueuedJob
        /// Whether it was asked back already.
        public var stopping: Bool
        /// How often its job was moved so far.
        public var moves: Int

        public init(run: RunKey, centre: CentreName, job: QueuedJob, stopping: Bool = false, moves: Int = 0) {
            self.run = run
            self.centre = centre
            self.job = job
            self.stopping = stopping
            self.moves = moves
        }
    }

    /// A project's part in the whole, and its limits.
    public struct Project: Hashable, Sendable {
        public var name: ProjectName
        /// Of whose share its own is a part, and whose quota holds for it too. One that is missing, that is the project
        /// itself or below it, or that has ``Core/Project/levelsMax`` levels already, counts as none.
        public var parent: ProjectName?
        /// 1 to 1000.
        public var weight: Int
        /// What its own jobs have used, in dominant-share hours, decayed; see
        /// ``FairShare/usage(of:now:halfLifeSeconds:)``. Without what its live runs are still promised, and without the
        /// projects below it: the plan adds both.
        public var usage: Double
        /// Of itself and all below.
        public var quota: Quota
        /// Vouchers minus what is already reserved; `nil` when the project is not metered.
        public var balance: MicroCredits?

        public init(
            name: ProjectName,
            parent: ProjectName? = nil,
            weight: Int = 100,
            usage: Double = 0,
            quota: Quota = Quota(),
            balance: MicroCredits? = nil
        ) {
            self.name = name
            self.parent = parent
            self.weight = weight
            self.usage = usage
            self.quota = quota
            self.balance = balance
        }
    }
}

extension [Snapshot.Project] {
    /// Some projects, each with all below it.
    func families(of heads: some Sequence<ProjectName>) -> [ProjectName: Set<ProjectName>] {
        var families = Dictionary(heads.map { ($0, Set([$0])) }) { first, _ in first }
        guard !families.isEmpty else { return [:] }
        let ranks = ranks
        for project in indices {
            var at = ranks[project].parent
            while at >= 0 {
                families[self[at].name]?.insert(self[project].name)
                at = ranks[at].parent
            }
        }
        return families
    }

    /// A project's place in the tree: the index of the one that it is part of, -1 at the top, and how many stand above it.
    struct Rank {
        var parent: Int
        var depth: Int
    }

    /// By index. Whatever the values say, it is a tree.
    var ranks: [Rank] {
        let index = Dictionary(enumerated().map { ($1.name, $0) }) { $1 }
        var ranks = map { Rank(parent: $0.parent.flatMap { index[$0] } ?? -1, depth: 0) }
        func climb(from project: Int) -> (end: Int, steps: Int) {
            var (at, steps) = (ranks[project].parent, 0)
            while at >= 0, at != project, steps + 1 < Core.Project.levelsMax {
                (at, steps) = (ranks[at].parent, steps + 1)
            }
            return (at, steps)
        }
        for project in indices where climb(from: project).end >= 0 { ranks[project].parent = -1 }
        for project in indices { ranks[project].depth = climb(from: project).steps }
        return ranks
    }
}

/// A job that waits to be placed.
public struct QueuedJob: Hashable, Sendable {
    public var id: JobID
    public var project: ProjectName
    /// Order of arrival.
    public var sequence: Int64
    public var submittedAt: Instant
    /// Higher goes first within the project.
    public var priority: Int
    public var preemptible: Bool
    public var request: Request
    /// How long it is expected to run, in seconds: what its place among equals goes by. At most its time limit.
    public var estimateSeconds: Int
    /// Not to be placed before, after a failed attempt.
    public var notBefore: Instant?
    /// How many of the jobs it depends on have not succeeded yet.
    public var unmetDependencies: Int
    /// Their names for people; may be cut short.
    public var waitingFor: [String]
    /// Where runs were preempted to make room for it. Such a job is considered before all others, or somebody else
    /// would take the room that was paid for with lost work. Cleared when it is placed.
    public var claim: CentreName?
    /// How much it takes with it.
    public var inputBytes: Bytes = 0
    /// How much of that centres have.
    public var near: [CentreName: Bytes]

    public init(
        id: JobID,
        project: ProjectName,
        sequence: Int64,
        submittedAt: Instant,
        priority: Int = 500,
        preemptible: Bool = false,
        request: Request,
        estimateSeconds: Int? = nil,
        notBefore: Instant? = nil,
        unmetDependencies: Int = 0,
        waitingFor: [String] = [],
        claim: CentreName? = nil,
        near: [CentreName: Bytes] = [:]
    ) {
        self.id = id
        self.project = project
        self.sequence = sequence
        self.submittedAt = submittedAt
        self.priority = priority
        self.preemptible = preemptible
        self.request = request
        self.estimateSeconds = min(estimateSeconds ?? .max, request.timeLimitSeconds)
        self.notBefore = notBefore
        self.unmetDependencies = unmetDependencies
        self.waitingFor = waitingFor
        self.claim = claim
        self.near = near
    }

    /// A stored job. `waitingFor` names the dependencies that have not succeeded.
    public init(
        _ job: Job,
        estimateSeconds: Int? = nil,
        waitingFor: [String] = [],
        claim: CentreName? = nil,
        near: [CentreName: Bytes] = [:]
    ) {
        self.init(
            id: job.id,
            project: job.project,
            sequence: job.sequence,
            submittedAt: job.submittedAt,
            priority: job.spec.priority,
            preemptible: job.spec.preemptible,
            request: Request(job.spec),
            estimateSeconds: estimateSeconds,
            notBefore: job.lifecycle.notBefore,
            unmetDependencies: job.unmetDependencies,
            waitingFor: waitingFor,
            claim: claim,
            near: near
        )
    }
}

extension QueuedJob {
    /// Its place among jobs of equal priority in a project: smaller goes first.
    var turn: Instant { submittedAt.later(bySeconds: Patience.seconds(estimateSeconds: estimateSeconds)) }
}

extension Instant {
    /// As adding a duration, without its attoseconds: this is asked for every run and every job of a plan.
    func later(bySeconds seconds: Int) -> Instant {
        Instant(milliseconds: sum(milliseconds, product(1000, seconds)))
    }
}

/// What a job asks of a centre. Equal requests are decided together.
public struct Request: Hashable, Sendable {
    /// Above 1 a gang.
    public var tasks: Int
    /// Per task; a task never spreads over nodes.
    public var resources: TaskResources
    public var timeLimitSeconds: Int
    public var placement: PlacementConstraint
    public var isolation: Isolation

    public init(
        tasks: Int = 1,
        resources: TaskResources = TaskResources(),
        timeLimitSeconds: Int = 3600,
        placement: PlacementConstraint = PlacementConstraint(),
        isolation: Isolation = .auto
    ) {
        self.tasks = tasks
        self.resources = resources
        self.timeLimitSeconds = timeLimitSeconds
        self.placement = placement
        self.isolation = isolation
    }

    public init(_ spec: JobSpec) {
        self.init(
            tasks: spec.tasks,
            resources: spec.resources,
            timeLimitSeconds: spec.timeLimitSeconds,
            placement: spec.placement,
            isolation: spec.isolation
        )
    }
}

/// The few figures that steer a plan. The defaults need no tuning; docs/scheduling.md gives the reason of each.
public struct Policy: Hashable, Sendable {
    /// How many blocked jobs a centre keeps room for, in order. 1 is EASY backfill; 0 lets big jobs starve.
    public var reservationsPerCentre = 1
    /// A live run's promise counts towards its project's usage for at most this long.
    public var commitmentHorizonSeconds = 3600
    /// A run past its time limit is expected to be gone this much from now.
    public var overrunGraceSeconds = 60
    /// What others than us hold is expected to be theirs for so long from now on: nobody tells us their time limits.
    public var othersHorizonSeconds = 3600
    /// Whether preemptible runs give way to jobs of higher priority.
    public var preempts = true
    /// Whether preemptible runs are moved within their centre so that a blocked job finds its place.
    public var consolidates = true
    /// What a blocked job gains by it must be worth this many times what the moved runs lose.
    public var consolidationWorth = 10.0
    /// Nobody is moved so that a job starts sooner by less than this.
    public var consolidationGainSecondsMin = 600
    /// What a run that is moved loses beside what it has done and its grace period: until it is where it was.
    public var restartSeconds = 60
    /// At most so many runs are moved for one job.
    public var movedRunsMax = 16
    /// A job is moved at most so often, and the next time only after `settleSeconds` on its new place.
    public var movesMax = 2
    public var settleSeconds = 3600

    public init() {}
}
