/// One connected infrastructure with its own engine.
public struct Centre: Hashable, Sendable {
    public var name: CentreName
    public var tier: Tier
    public var state: CentreState
    public var prices: PriceTable
    /// The agent that joined last; only it may exchange.
    public var agent: AgentID?
    /// SHA-256 of that agent's key.
    public var agentKeyHash: Digest?
    /// Where that agent speaks from; `nil` until its first word.
    public var agentSeat: String?
    /// As last reported; `nil` until the first report.
    public var capacity: CentreCapacity?
    public var createdAt: Instant
    public var joinedAt: Instant?

    public init(
        name: CentreName,
        tier: Tier,
        state: CentreState = .open,
        prices: PriceTable = PriceTable(),
        agent: AgentID? = nil,
        agentKeyHash: Digest? = nil,
        agentSeat: String? = nil,
        capacity: CentreCapacity? = nil,
        createdAt: Instant,
        joinedAt: Instant? = nil
    ) {
        self.name = name
        self.tier = tier
        self.state = state
        self.prices = prices
        self.agent = agent
        self.agentKeyHash = agentKeyHash
        self.agentSeat = agentSeat
        self.capacity = capacity
        self.createdAt = createdAt
        self.joinedAt = joinedAt
    }
}

/// What an operator wants of a centre.
public enum CentreState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Takes new work.
    case open
    /// Takes no new work; what runs goes on to its end.
    case draining
    /// Gone for good; the name stays for the ledger.
    case removed
}

/// What a centre charges. All rates are per hour of one whole unit.
public struct PriceTable: Hashable, Sendable, Codable {
    public var coreHour: MicroCredits
    /// By catalogue model.
    public var cardHour: [String: MicroCredits]
    /// For models not listed in `cardHour`.
    public var cardHourDefault: MicroCredits

    public init(
        coreHour: MicroCredits = 20_000,
        cardHour: [String: MicroCredits] = [:],
        cardHourDefault: MicroCredits = 1_000_000
    ) {
        self.coreHour = coreHour
        self.cardHour = cardHour
        self.cardHourDefault = cardHourDefault
    }

    /// What an hour of all tasks costs on these nodes. Emulated cards cost nothing.
    public func perHour(resources: TaskResources, nodes: [NodeShare]) -> MicroCredits {
        nodes.reduce(0) { sum, share in
            // In 128 bits: a dear price times a large machine is beyond 64 before it is divided.
            let coresOfTask = (Int128(coreHour.count) * Int128(resources.cores.count) + 999) / 1000
            let rate = share.card.map { cardHour[$0] ?? cardHourDefault } ?? cardHourDefault
            let cardsOfTask = share.emulated ? 0 : Int128(rate.count) * Int128(resources.cards)
            let task = Int64(clamping: coresOfTask + cardsOfTask)
            return sum + MicroCredits(saturating(task, times: Int64(share.tasks)))
        }
    }

    /// What is set aside for a run before it is dispatched: its price for the whole time limit.
    public static func reservation(perHour: MicroCredits, timeLimitSeconds: Int) -> MicroCredits {
        .charge(perHour: perHour, milliseconds: saturating(Int64(timeLimitSeconds), times: 1000), units: 1)
    }
}
