/// What one task of a job needs while it runs.
public struct TaskResources: Hashable, Sendable, Codable {
    public var cores: MilliCores
    public var memory: Bytes
    /// Accelerators, whole ones.
    public var cards: Int
    /// The catalogue model the cards must be of; `nil` takes any.
    public var card: String?

    public init(cores: MilliCores = 1000, memory: Bytes = .mebi(512), cards: Int = 0, card: String? = nil) {
        self.cores = cores
        self.memory = memory
        self.cards = cards
        self.card = card
    }
}

/// Equal cards of one node.
public struct CardGroup: Hashable, Sendable, Codable {
    /// Catalogue model, or the engine's own word where the catalogue has none.
    public var model: String
    public var count: Int
    /// Emulated cards exist for trials: they can be scheduled on, are always shown as such, and count no PFLOPS.
    public var emulated: Bool
    /// FP16 TFLOPS of one card as measured here, where it was.
    public var measuredTflops: Double?

    public init(model: String, count: Int, emulated: Bool = false, measuredTflops: Double? = nil) {
        self.model = model
        self.count = count
        self.emulated = emulated
        self.measuredTflops = measuredTflops
    }
}

/// One machine of a centre as its engine reports it.
public struct Node: Hashable, Sendable, Codable {
    public var name: String
    /// The engine's partition or pool, where it has such.
    public var partition: String?
    /// Up and open to work. A node that is down, drained or reserved is not.
    public var schedulable: Bool
    public var cores: MilliCores
    public var memory: Bytes
    public var cards: [CardGroup]
    public var measured: NodeMeasurement?

    public init(
        name: String,
        partition: String? = nil,
        schedulable: Bool = true,
        cores: MilliCores,
        memory: Bytes,
        cards: [CardGroup] = [],
        measured: NodeMeasurement? = nil
    ) {
        self.name = name
        self.partition = partition
        self.schedulable = schedulable
        self.cores = cores
        self.memory = memory
        self.cards = cards
        self.measured = measured
    }
}

/// What a short benchmark at join saw the node really do.
public struct NodeMeasurement: Hashable, Sendable, Codable {
    /// FP32 fused multiply-add throughput over all cores, 10⁹ operations a second.
    public var fp32Gflops: Double
    /// Large-copy memory throughput, 10⁹ bytes a second.
    public var memoryGbps: Double
    /// Sequential write with fsync to the agent's folder, 10⁶ bytes a second.
    public var diskMbps: Double
    public var at: Instant

    public init(fp32Gflops: Double, memoryGbps: Double, diskMbps: Double, at: Instant) {
        self.fp32Gflops = fp32Gflops
        self.memoryGbps = memoryGbps
        self.diskMbps = diskMbps
        self.at = at
    }
}

/// Everything a centre's engine offers, as its agent last reported it.
public struct CentreCapacity: Hashable, Sendable, Codable {
    public var engine: EngineKind
    /// The engine's own version text.
    public var engineVersion: String
    public var nodes: [Node]
    /// Whether jobs run in a private file system without network here.
    public var isolates: Bool

    public init(engine: EngineKind, engineVersion: String, nodes: [Node], isolates: Bool) {
        self.engine = engine
        self.engineVersion = engineVersion
        self.nodes = nodes
        self.isolates = isolates
    }
}

/// What others than we hold of a node: jobs of the engine's other users, and what the engine gives out beyond what was
/// asked for.
public struct NodeUse: Hashable, Sendable, Codable {
    public var node: String
    public var cores: MilliCores
    public var memory: Bytes
    public var cards: [CardGroup]

    public init(node: String, cores: MilliCores, memory: Bytes, cards: [CardGroup] = []) {
        (self.node, self.cores, self.memory, self.cards) = (node, cores, memory, cards)
    }

    public var isNothing: Bool { cores <= 0 && memory <= 0 && cards.allSatisfy { $0.count <= 0 } }
}

/// What a centre schedules with.
public enum EngineKind: String, Hashable, Sendable, Codable, CaseIterable {
    case local, slurm, kubernetes, ray, fake

    /// Whether a run stands on the nodes that were planned for it; the others choose by themselves.
    public var takesNodes: Bool { self == .local || self == .fake }
}

/// Where the tasks of one run stand.
public struct NodeShare: Hashable, Sendable, Codable {
    public var node: String
    public var tasks: Int
    /// The cards' model, when the run has cards.
    public var card: String?
    public var emulated: Bool

    public init(node: String, tasks: Int, card: String? = nil, emulated: Bool = false) {
        self.node = node
        self.tasks = tasks
        self.card = card
        self.emulated = emulated
    }
}
