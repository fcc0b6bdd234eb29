public import Core

/// The four figures of one resource, always told apart.
public struct Figures: Codable, Sendable, Hashable {
    /// By catalogue and description.
    public var nameplate: Double
    /// Up and allowed now.
    public var schedulable: Double
    /// Schedulable and not held by a live run.
    public var free: Double
    /// Really seen in a benchmark; `nil` when nothing was measured.
    public var measured: Double?

    public init(nameplate: Double = 0, schedulable: Double = 0, free: Double = 0, measured: Double? = nil) {
        self.nameplate = nameplate
        self.schedulable = schedulable
        self.free = free
        self.measured = measured
    }

    public static func + (a: Figures, b: Figures) -> Figures {
        Figures(
            nameplate: a.nameplate + b.nameplate,
            schedulable: a.schedulable + b.schedulable,
            free: a.free + b.free,
            measured: a.measured.map { $0 + (b.measured ?? 0) } ?? b.measured
        )
    }
}

/// What something can compute with.
public struct CapacityFigures: Codable, Sendable, Hashable {
    public var cores: Figures
    public var memoryBytes: Figures
    public var cards: Figures
    /// Dense FP16, 10¹⁵ operations a second, of real cards only.
    public var pflops: Figures
    /// Emulated cards are counted apart and never have PFLOPS.
    public var emulatedCards: Figures
    /// FP32 GFLOPS of processors, as measured at joining; `nil` where no node was measured.
    public var processorGflops: Double?

    public init(
        cores: Figures = Figures(),
        memoryBytes: Figures = Figures(),
        cards: Figures = Figures(),
        pflops: Figures = Figures(),
        emulatedCards: Figures = Figures(),
        processorGflops: Double? = nil
    ) {
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.cards = cards
        self.pflops = pflops
        self.emulatedCards = emulatedCards
        self.processorGflops = processorGflops
    }

    public static func + (a: CapacityFigures, b: CapacityFigures) -> CapacityFigures {
        CapacityFigures(
            cores: a.cores + b.cores,
            memoryBytes: a.memoryBytes + b.memoryBytes,
            cards: a.cards + b.cards,
            pflops: a.pflops + b.pflops,
            emulatedCards: a.emulatedCards + b.emulatedCards,
            processorGflops: a.processorGflops.map { $0 + (b.processorGflops ?? 0) } ?? b.processorGflops
        )
    }
}

/// Capacity of everything, by tier, centre and project.
public struct CapacityView: Codable, Sendable, Hashable {
    public struct TierRow: Codable, Sendable, Hashable {
        public var tier: Tier
        public var centres: Int
        public var capacity: CapacityFigures
        public init(tier: Tier, centres: Int, capacity: CapacityFigures) {
            (self.tier, self.centres, self.capacity) = (tier, centres, capacity)
        }
    }

    public struct CentreRow: Codable, Sendable, Hashable {
        public var centre: CentreName
        public var tier: Tier
        public var connected: Bool
        public var capacity: CapacityFigures
        public var shared: SharedUse?
        public init(
            centre: CentreName,
            tier: Tier,
            connected: Bool,
            capacity: CapacityFigures,
            shared: SharedUse? = nil
        ) {
            (self.centre, self.tier, self.connected) = (centre, tier, connected)
            (self.capacity, self.shared) = (capacity, shared)
        }
    }

    /// What one project holds now.
    public struct ProjectRow: Codable, Sendable, Hashable {
        public var project: ProjectName
        public var runs: Int
        public var cores: Double
        public var cards: Int
        public var pflops: Double
        public init(project: ProjectName, runs: Int, cores: Double, cards: Int, pflops: Double) {
            (self.project, self.runs, self.cores, self.cards, self.pflops) = (project, runs, cores, cards, pflops)
        }
    }

    public var total: CapacityFigures
    public var tiers: [TierRow]
    public var centres: [CentreRow]
    public var projects: [ProjectRow]

    public init(total: CapacityFigures, tiers: [TierRow], centres: [CentreRow], projects: [ProjectRow]) {
        self.total = total
        self.tiers = tiers
        self.centres = centres
        self.projects = projects
    }
}

/// What others hold of a centre whose engine they use too, and how runs of ours fare in that engine's own queue.
public struct SharedUse: Codable, Sendable, Hashable {
    public var cores: MilliCores
    public var memory: Bytes
    public var cards: Int
    /// Runs of ours that have not started.
    public var waiting: Int
    /// How many may wait there while others have what they need.
    public var waitingMax: Int
    /// How long the latest of them waited, in the median.
    public var waitSeconds: Int?

    public init(cores: MilliCores, memory: Bytes, cards: Int, waiting: Int, waitingMax: Int, waitSeconds: Int?) {
        (self.cores, self.memory, self.cards) = (cores, memory, cards)
        (self.waiting, self.waitingMax, self.waitSeconds) = (waiting, waitingMax, waitSeconds)
    }
}

/// One centre.
public struct CentreView: Codable, Sendable, Hashable {
    public struct NodeView: Codable, Sendable, Hashable {
        public var node: Node
        public var freeCores: MilliCores
        public var freeMemory: Bytes
        public var freeCards: Int
        /// Live runs with a task here.
        public var runs: [RunKey]
        public init(node: Node, freeCores: MilliCores, freeMemory: Bytes, freeCards: Int, runs: [RunKey]) {
            (self.node, self.freeCores, self.freeMemory) = (node, freeCores, freeMemory)
            (self.freeCards, self.runs) = (freeCards, runs)
        }
    }

    public var name: CentreName
    public var tier: Tier
    public var state: CentreState
    /// Heard of lately.
    public var connected: Bool
    public var lastSeen: Instant?
    public var engine: EngineKind?
    public var engineVersion: String?
    public var isolates: Bool?
    public var joinedAt: Instant?
    public var agent: AgentID?
    public var prices: PriceTable
    /// How bytes come to it; absent where nobody has said.
    public var link: Link?
    public var capacity: CapacityFigures
    /// Absent where nobody else uses the centre, or its engine does not tell.
    public var shared: SharedUse?
    public var nodes: [NodeView]
    public var liveRuns: Int
    public var unseenRuns: Int

    public init(
        name: CentreName,
        tier: Tier,
        state: CentreState,
        connected: Bool,
        lastSeen: Instant?,
        engine: EngineKind?,
        engineVersion: String?,
        isolates: Bool?,
        joinedAt: Instant?,
        agent: AgentID?,
        prices: PriceTable,
        link: Link? = nil,
        capacity: CapacityFigures,
        shared: SharedUse? = nil,
        nodes: [NodeView],
        liveRuns: Int,
        unseenRuns: Int
    ) {
        self.name = name
        self.tier = tier
        self.state = state
        self.connected = connected
        self.lastSeen = lastSeen
        self.engine = engine
        self.engineVersion = engineVersion
        self.isolates = isolates
        self.joinedAt = joinedAt
        self.agent = agent
        self.prices = prices
        self.link = link
        self.capacity = capacity
        self.shared = shared
        self.nodes = nodes
        self.liveRuns = liveRuns
        self.unseenRuns = unseenRuns
    }
}

/// A centre was made, or asked to be joined anew: what its operator runs there.
public struct JoinView: Codable, Sendable, Hashable {
    public var centre: CentreName
    /// Shown once.
    public var token: String
    public var expiresAt: Instant

    public init(centre: CentreName, token: String, expiresAt: Instant) {
        self.centre = centre
        self.token = token
        self.expiresAt = expiresAt
    }
}

/// The front page.
public struct OverviewView: Codable, Sendable {
    /// Waiting jobs that share a reason.
    public struct WaitingGroup: Codable, Sendable, Hashable {
        public var code: String
        public var count: Int
        /// The reason of the first of them.
        public var headline: String
        public init(code: String, count: Int, headline: String) {
            (self.code, self.count, self.headline) = (code, count, headline)
        }
    }

    public var capacity: CapacityView
    /// Jobs by state, of the projects that the caller sees.
    public var jobs: [String: Int]
    public var waiting: [WaitingGroup]
    public var running: [JobView]
    public var recent: [EventView]

    public init(
        capacity: CapacityView,
        jobs: [String: Int],
        waiting: [WaitingGroup],
        running: [JobView],
        recent: [EventView]
    ) {
        self.capacity = capacity
        self.jobs = jobs
        self.waiting = waiting
        self.running = running
        self.recent = recent
    }
}
