/// Room at a centre that is kept from an instant to an instant: for the jobs of one project, or for nobody, which is a
/// maintenance window.
///
/// The words are Slurm's (`scontrol create reservation`): an advance reservation, in contrast to the room that a plan
/// keeps for a blocked job.
public struct Reservation: Hashable, Sendable, Codable {
    /// What is kept on one node.
    public struct Share: Hashable, Sendable, Codable {
        public var node: String
        /// `nil` is the whole node, whatever it has then.
        public var amount: Amount?
        /// Of a whole node, what it had when it was chosen: another in its place has at least that.
        public var size: Amount?
        /// The node whose place it took, since that had failed or gone.
        public var insteadOf: String?

        public init(node: String, amount: Amount? = nil, size: Amount? = nil, insteadOf: String? = nil) {
            (self.node, self.amount) = (node, amount)
            (self.size, self.insteadOf) = (size, insteadOf)
        }
    }

    /// A part of a node.
    public struct Amount: Hashable, Sendable, Codable {
        public var cores: MilliCores
        public var memory: Bytes
        public var cards: Int
        /// Of the cards.
        public var card: String?
        public var emulated: Bool

        public init(cores: MilliCores, memory: Bytes, cards: Int = 0, card: String? = nil, emulated: Bool = false) {
            (self.cores, self.memory, self.cards) = (cores, memory, cards)
            (self.card, self.emulated) = (card, emulated)
        }
    }

    /// Unique among those that are not over.
    public var name: ReservationName
    public var centre: CentreName
    /// Whose jobs may use it; `nil` for maintenance.
    public var project: ProjectName?
    public var startsAt: Instant
    /// Not part of it any more.
    public var endsAt: Instant
    /// `nil` is the whole centre, with nodes that come later.
    public var shares: [Share]?
    public var note: String
    public var user: UserName

    public init(
        name: ReservationName,
        centre: CentreName,
        project: ProjectName?,
        startsAt: Instant,
        endsAt: Instant,
        shares: [Share]?,
        note: String = "",
        user: UserName
    ) {
        self.name = name
        self.centre = centre
        self.project = project
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.shares = shares
        self.note = note
        self.user = user
    }

    /// Whether it and another have a moment in common.
    public func overlaps(from start: Instant, until end: Instant) -> Bool { startsAt < end && start < endsAt }
}
