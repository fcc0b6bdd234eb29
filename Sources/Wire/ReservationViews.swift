public import Core

/// What a reservation is for.
public enum ReservationPurpose: String, Codable, Sendable, Hashable, CaseIterable {
    case project
    /// Nobody's jobs may use it.
    case maintenance
}

/// Where in its life a reservation is.
public enum ReservationState: String, Codable, Sendable, Hashable, CaseIterable {
    case planned, active, ended, cancelled
}

/// Room that is kept in advance. Everybody signed in sees when and where, as they see centres; whose it is only those
/// who see the project.
public struct ReservationView: Codable, Sendable, Hashable {
    /// What is kept on one node.
    public struct NodePart: Codable, Sendable, Hashable {
        public var node: String
        /// All that it has; then there are no figures.
        public var whole: Bool
        public var cores: MilliCores?
        public var memory: Bytes?
        public var cards: Int?
        public var card: String?
        /// The node whose place it took, since that had failed or gone.
        public var insteadOf: String?
        public init(
            node: String,
            whole: Bool,
            cores: MilliCores? = nil,
            memory: Bytes? = nil,
            cards: Int? = nil,
            card: String? = nil,
            insteadOf: String? = nil
        ) {
            (self.node, self.whole, self.cores, self.memory) = (node, whole, cores, memory)
            (self.cards, self.card, self.insteadOf) = (cards, card, insteadOf)
        }
    }

    /// What will not be free when it begins if runs last as long as they may.
    public struct Lacking: Codable, Sendable, Hashable {
        public var nodes: Int
        public var runs: Int
        public var until: Instant
        public init(nodes: Int, runs: Int, until: Instant) {
            (self.nodes, self.runs, self.until) = (nodes, runs, until)
        }
    }

    public var name: ReservationName
    public var centre: CentreName
    public var purpose: ReservationPurpose
    /// Absent for maintenance, and for who may not see the project.
    public var project: ProjectName?
    public var state: ReservationState
    public var startsAt: Instant
    public var endsAt: Instant
    public var wholeCentre: Bool
    /// Empty where it is the whole centre.
    public var nodes: [NodePart]
    public var note: String?
    public var user: UserName?
    public var createdAt: Instant
    public var cancelledAt: Instant?
    /// Of one that is not over, when it is made or shown alone.
    public var lacking: Lacking?
    /// Of one that is not over: those of its nodes that are down or gone and for which there is no other of their kind.
    public var missing: [String]

    public init(
        name: ReservationName,
        centre: CentreName,
        purpose: ReservationPurpose,
        project: ProjectName?,
        state: ReservationState,
        startsAt: Instant,
        endsAt: Instant,
        wholeCentre: Bool,
        nodes: [NodePart],
        note: String? = nil,
        user: UserName? = nil,
        createdAt: Instant,
        cancelledAt: Instant? = nil,
        lacking: Lacking? = nil,
        missing: [String] = []
    ) {
        self.name = name
        self.centre = centre
        self.purpose = purpose
        self.project = project
        self.state = state
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.wholeCentre = wholeCentre
        self.nodes = nodes
        self.note = note
        self.user = user
        self.createdAt = createdAt
        self.cancelledAt = cancelledAt
        self.lacking = lacking
        self.missing = missing
    }
}

/// What somebody asks to be reserved, as it came; the point says what is wrong with it.
public struct ReservationRequest: Sendable, Hashable {
    public var name: ReservationName
    public var centre: CentreName
    public var project: ProjectName?
    public var maintenance = false
    /// `nil` is now.
    public var startsAt: Instant?
    public var endsAt: Instant?
    public var durationSeconds: Int?
    public var wholeCentre = false
    public var nodeNames: [String]?
    public var nodes: Int?
    public var cards: Int?
    public var card: String?
    public var cores: MilliCores?
    public var memory: Bytes?
    public var note = ""
    /// Accepted although runs may last into it.
    public var ignoreRunning = false

    public init(name: ReservationName, centre: CentreName) { (self.name, self.centre) = (name, centre) }
}
