public import Core

/// What an agent tells the point: heartbeat, report and list of what it holds, in one.
///
/// Everything here may arrive twice or late and means the same.
public struct ExchangeRequest: Codable, Sendable, Hashable {
    public struct Report: Codable, Sendable, Hashable {
        public var run: RunKey
        /// Counts the agent's own changes of this run; the point acknowledges by it.
        public var version: Int
        public var observation: RunObservation

        public init(run: RunKey, version: Int, observation: RunObservation) {
            self.run = run
            self.version = version
            self.observation = observation
        }
    }

    public var agent: AgentID
    /// Stands for one folder on one boot of one machine, which two processes cannot hold at once. An identity that was
    /// copied speaks from another seat.
    public var seat: String
    /// The agent's clock, to see skew by.
    public var at: Instant
    /// `nil` when it is what the point acknowledged last.
    public var capacity: CentreCapacity?
    /// What the engine's other users hold, by node; `nil` when it is what the point took last, or the engine does not tell.
    public var others: [NodeUse]?
    /// Runs whose state the point has not acknowledged.
    public var reports: [Report]
    /// Every run on the agent's disk.
    public var holds: [RunKey]
    /// Runs that the engine has and the agent has no record of: its disk was lost, or it was restored from an old copy.
    /// `nil` as long as the engine was not listed in this life of the agent: then nothing that is missing here is known
    /// to be absent.
    public var strays: [RunKey]?
    /// How long the point may hold its answer when it has nothing to say.
    public var waitMilliseconds: Int

    public init(
        agent: AgentID,
        seat: String,
        at: Instant,
        capacity: CentreCapacity?,
        others: [NodeUse]? = nil,
        reports: [Report],
        holds: [RunKey],
        strays: [RunKey]? = [],
        waitMilliseconds: Int
    ) {
        self.agent = agent
        self.seat = seat
        self.at = at
        self.capacity = capacity
        self.others = others
        self.reports = reports
        self.holds = holds
        self.strays = strays
        self.waitMilliseconds = waitMilliseconds
    }

    /// Runs in one exchange; an agent with more sends several.
    public static let reportsMax = 1000
    public static let holdsMax = 100_000
    /// Nodes of one centre.
    public static let nodesMax = 100_000
    public static let seatBytesMax = 128
    public static let waitMillisecondsMax = 30_000
}

/// What the point tells an agent.
public struct ExchangeResponse: Codable, Sendable, Hashable {
    public struct Acknowledgement: Codable, Sendable, Hashable {
        public var run: RunKey
        public var version: Int
        public init(run: RunKey, version: Int) { (self.run, self.version) = (run, version) }
    }

    public struct Stop: Codable, Sendable, Hashable {
        public var run: RunKey
        public var reason: StopReason
        public var graceSeconds: Int
        public init(run: RunKey, reason: StopReason, graceSeconds: Int) {
            (self.run, self.reason, self.graceSeconds) = (run, reason, graceSeconds)
        }
    }

    /// Every lease that the agent has not yet said it holds, repeated until it does; strays of its engine among them, those
    /// too that are settled.
    public var leases: [LeaseOrder]
    /// Every live run that is to stop; repeated until it has.
    public var stops: [Stop]
    public var acknowledged: [Acknowledgement]
    /// Runs that the point knows to be over: the agent ends what its engine still has of them, and may forget them once
    /// their logs are delivered.
    public var settled: [RunKey]
    public var at: Instant

    public init(
        leases: [LeaseOrder],
        stops: [Stop],
        acknowledged: [Acknowledgement],
        settled: [RunKey],
        at: Instant
    ) {
        self.leases = leases
        self.stops = stops
        self.acknowledged = acknowledged
        self.settled = settled
        self.at = at
    }
}

/// One run for an agent to carry out.
public struct LeaseOrder: Codable, Sendable, Hashable {
    /// An input with its source resolved to bytes.
    public struct Input: Codable, Sendable, Hashable {
        /// Under the inputs folder: `text`, or `text/0` for an element of an array.
        public var path: String
        public var kind: ArtifactKind
        public var digest: Digest
        public init(path: String, kind: ArtifactKind, digest: Digest) {
            (self.path, self.kind, self.digest) = (path, kind, digest)
        }
    }

    public var run: RunKey
    public var project: ProjectName
    public var spec: JobSpec
    public var nodes: [NodeShare]
    public var arrayIndex: Int?
    public var arrayCount: Int?
    public var inputs: [Input]

    public init(
        run: RunKey,
        project: ProjectName,
        spec: JobSpec,
        nodes: [NodeShare],
        arrayIndex: Int?,
        arrayCount: Int?,
        inputs: [Input]
    ) {
        self.run = run
        self.project = project
        self.spec = spec
        self.nodes = nodes
        self.arrayIndex = arrayIndex
        self.arrayCount = arrayCount
        self.inputs = inputs
    }
}

/// An agent asks to join with a one-time token.
public struct JoinRequest: Codable, Sendable, Hashable {
    public var token: String
    public init(token: String) { self.token = token }
}

/// The credentials of an agent that joined.
public struct JoinResponse: Codable, Sendable, Hashable {
    public var centre: CentreName
    public var agent: AgentID
    /// The bearer token of its further calls. Shown once.
    public var key: String

    public init(centre: CentreName, agent: AgentID, key: String) {
        self.centre = centre
        self.agent = agent
        self.key = key
    }
}

/// Digests to be looked up.
public struct DigestList: Codable, Sendable, Hashable {
    public var digests: [Digest]
    public init(digests: [Digest]) { self.digests = digests }

    /// Digests in one request.
    public static let countMax = 10_000
}

/// Those of the digests asked for that have to be uploaded.
public struct MissingBlobs: Codable, Sendable, Hashable {
    public var missing: [Digest]
    public init(missing: [Digest]) { self.missing = missing }
}

/// Where a log ends now.
public struct LogPosition: Codable, Sendable, Hashable {
    public var offset: Int64
    public init(offset: Int64) { self.offset = offset }
}
