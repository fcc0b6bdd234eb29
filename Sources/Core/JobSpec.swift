/// What a user asked for, resolved: the one description that is stored, priced, placed and carried out.
///
/// Field names in JSON and YAML are these in `snake_case`. Lengths and counts are capped by the reader in `Wire`.
public struct JobSpec: Hashable, Sendable, Codable {
    /// For people; 1 to 63 characters of a DNS label.
    public var name: String
    /// The program and its arguments. For an algorithm: its entry point, `{algorithm}` standing for its folder.
    public var command: [String]
    public var algorithm: AlgorithmReference?
    public var parameters: [String: JSON]
    /// Environment variables. Not for secrets: members of the project can read them.
    public var environment: [String: String]
    /// Above 1 a gang: all tasks start together, inside one centre, or not at all.
    public var tasks: Int
    /// Per task.
    public var resources: TaskResources
    public var timeLimitSeconds: Int
    /// How many elements, when this is an array.
    public var array: Int?
    public var placement: PlacementConstraint
    /// 0 to 1000; higher goes first within the project.
    public var priority: Int
    public var preemptible: Bool
    /// From the request to stop until it is enforced.
    public var gracePeriodSeconds: Int
    public var retries: RetryPolicy
    public var onCentreLoss: CentreLossPolicy
    public var isolation: Isolation
    public var inputs: [JobInput]
    /// Names of the artifacts it leaves in its outputs folder.
    public var outputs: [String]
    /// Outputs that are committed to a repository once it has succeeded.
    public var publish: [Publication]?
    /// Jobs (ids, or names within the workflow) that must succeed first.
    public var after: [String]

    public init(name: String, command: [String]) {
        self.name = name
        self.command = command
        algorithm = nil
        parameters = [:]
        environment = [:]
        tasks = 1
        resources = TaskResources()
        timeLimitSeconds = 3600
        array = nil
        placement = PlacementConstraint()
        priority = 500
        preemptible = false
        gracePeriodSeconds = 10
        retries = RetryPolicy()
        onCentreLoss = .wait
        isolation = .auto
        inputs = []
        outputs = []
        publish = nil
        after = []
    }
}

/// An algorithm by content: what was submitted is what runs.
public struct AlgorithmReference: Hashable, Sendable, Codable {
    public var name: String
    public var version: String
    /// The tree artifact that holds its folder.
    public var tree: Digest
    /// Path of the requirements file inside the tree, when it needs an environment.
    public var requirements: String?

    public init(name: String, version: String, tree: Digest, requirements: String?) {
        self.name = name
        self.version = version
        self.tree = tree
        self.requirements = requirements
    }
}

/// Where a job may run; empty lists allow all.
public struct PlacementConstraint: Hashable, Sendable, Codable {
    public var tiers: [Tier]
    public var centres: [CentreName]
    /// Whether emulated cards will do. Never by default.
    public var emulated: Bool

    public init(tiers: [Tier] = [], centres: [CentreName] = [], emulated: Bool = false) {
        self.tiers = tiers
        self.centres = centres
        self.emulated = emulated
    }
}

/// Which failed attempts are repeated, and how often.
public struct RetryPolicy: Hashable, Sendable, Codable {
    /// Repeats after the first attempt; preemption does not count.
    public var limit: Int
    public var on: [Cause]
    /// Wait before the first repeat; doubles each time, up to an hour.
    public var backoffSeconds: Int

    /// A class of failures.
    public enum Cause: String, Hashable, Sendable, Codable, CaseIterable {
        /// A non-zero exit status or a signal of its own.
        case exit
        case timeLimit = "time_limit"
        case outOfMemory = "out_of_memory"
        /// The node or the supervising process went away under it.
        case nodeFailure = "node_failure"
        /// The engine forgot it. A run given up under `onCentreLoss` is no failure and costs no repeat.
        case lost
        /// Inputs could not be brought, or the engine refused it.
        case rejected
    }

    public init(limit: Int = 0, on: [Cause] = [.nodeFailure, .lost, .rejected], backoffSeconds: Int = 1) {
        self.limit = limit
        self.on = on
        self.backoffSeconds = backoffSeconds
    }

    /// The longest wait before a repeat.
    public static let waitSecondsMax = 3600

    /// Seconds to wait once this many repeats are used up.
    func wait(before used: Int) -> Int {
        // Both sides are capped before the shift, which would drop high bits in silence.
        let first = min(max(backoffSeconds, 0), Self.waitSecondsMax)
        return min(first << min(max(used, 0), 12), Self.waitSecondsMax)
    }
}

/// What happens to a run whose centre has gone silent.
public enum CentreLossPolicy: Hashable, Sendable, Codable {
    /// Wait until it is heard of again.
    case wait
    /// Give the run up after this long without a word, and run the job again.
    case requeue(afterSeconds: Int)

    private enum CodingKeys: String, CodingKey { case requeueAfterSeconds }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self =
            try container.decodeIfPresent(Int.self, forKey: .requeueAfterSeconds).map { .requeue(afterSeconds: $0) }
            ?? .wait
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if case .requeue(let seconds) = self { try container.encode(seconds, forKey: .requeueAfterSeconds) }
    }
}

/// How far a run is kept from the machine it runs on.
public enum Isolation: String, Hashable, Sendable, Codable, CaseIterable {
    /// A private file system without network where the centre can, plain processes where it cannot.
    case auto
    /// Only at a centre that isolates.
    case required
    /// Plain processes. Operators only.
    case none
}

/// A named input and where its bytes come from.
public struct JobInput: Hashable, Sendable, Codable {
    /// The name under the job's inputs folder.
    public var name: String
    public var source: Source
    /// Of bytes that were named by a repository's revision.
    public var origin: RevisionPin?

    /// Exactly one of the two.
    public enum Source: Hashable, Sendable {
        /// Bytes already in the store.
        case artifact(Digest, ArtifactKind)
        /// The output of a job (a name within the workflow, an id, or an array's id) once it has succeeded.
        case output(job: String, output: String)
    }

    public init(name: String, source: Source, origin: RevisionPin? = nil) {
        self.name = name
        self.source = source
        self.origin = origin
    }

    private enum CodingKeys: String, CodingKey { case name, digest, kind, job, output, origin }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        origin = try container.decodeIfPresent(RevisionPin.self, forKey: .origin)
        if let digest = try container.decodeIfPresent(Digest.self, forKey: .digest) {
            source = .artifact(digest, try container.decode(ArtifactKind.self, forKey: .kind))
        } else {
            source = .output(
                job: try container.decode(String.self, forKey: .job),
                output: try container.decode(String.self, forKey: .output)
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encodeIfPresent(origin, forKey: .origin)
        switch source {
        case .artifact(let digest, let kind):
            try container.encode(digest, forKey: .digest)
            try container.encode(kind, forKey: .kind)
        case .output(let job, let output):
            try container.encode(job, forKey: .job)
            try container.encode(output, forKey: .output)
        }
    }
}

/// Whether an artifact is one file or a folder.
public enum ArtifactKind: String, Hashable, Sendable, Codable {
    case file
    /// The digest is that of a ``TreeManifest``.
    case tree
}
