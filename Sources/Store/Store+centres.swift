public import Core

/// A centre without what it is made of, which is long to read where there are many nodes.
public struct CentreHead: Hashable, Sendable {
    public var name: CentreName
    public var tier: Tier
    public var state: CentreState
    /// `nil` until it has joined.
    public var agent: AgentID?
}

extension ReadTransaction {
    /// A centre without its nodes, also when it was removed.
    public func centreHead(_ name: CentreName) throws -> CentreHead? {
        try connection.first("\(Self.headQuery) WHERE name = ?", name, read: Self.head)
    }

    /// The centres by name, without their nodes, removed ones included.
    public func centreHeads() throws -> [CentreHead] {
        try connection.all("\(Self.headQuery) ORDER BY name", read: Self.head)
    }

    private static let headQuery = "SELECT name, tier, state, agent FROM centre"

    private static func head(_ row: borrowing Row) throws -> CentreHead {
        CentreHead(
            name: try row.value(0),
            tier: try row.choice(1),
            state: try row.choice(2),
            agent: try row.optional(3)
        )
    }

    /// A centre, also when it was removed.
    public func centre(_ name: CentreName) throws -> Centre? {
        try connection.first("\(Self.centreQuery) WHERE name = ?", name, read: Self.centre)
    }

    /// The centres by name, without those that were removed.
    public func centres() throws -> [Centre] {
        try connection.all("\(Self.centreQuery) WHERE state <> 'removed' ORDER BY name", read: Self.centre)
    }

    /// The unused right to join whose secret has that hash, also when it has expired.
    public func joinToken(_ hash: Digest) throws -> JoinToken? {
        try connection.first("SELECT centre, expires_at FROM join_token WHERE hash = ?", hash) {
            JoinToken(centre: try $0.value(0), expiresAt: $0.instant(1))
        }
    }

    private static let centreQuery =
        "SELECT name, tier, state, prices, agent, key_hash, capacity, created_at, joined_at, agent_seat FROM centre"

    private static func centre(_ row: borrowing Row) throws -> Centre {
        Centre(
            name: try row.value(0),
            tier: try row.choice(1),
            state: try row.choice(2),
            prices: try row.repeatedJSON(3),
            agent: try row.optional(4),
            agentKeyHash: try row.optional(5),
            agentSeat: try row.optional(9),
            capacity: row.isNull(6) ? nil : try row.repeatedJSON(6),
            createdAt: row.instant(7),
            joinedAt: row.optionalInstant(8)
        )
    }
}

extension WriteTransaction {
    func apply(_ created: Event.CentreCreated, _ at: Instant) throws {
        try connection.run(
            "INSERT INTO centre (name, tier, state, prices, created_at) VALUES (?, ?, ?, ?, ?)",
            created.centre,
            created.tier.rawValue,
            CentreState.open.rawValue,
            try StoredJSON.encode(created.prices),
            at
        )
    }

    func apply(_ changed: Event.CentreChanged) throws {
        try change(
            "centre \(changed.centre)",
            "UPDATE centre SET state = COALESCE(?, state), prices = COALESCE(?, prices) WHERE name = ?",
            changed.state?.rawValue,
            try changed.prices.map { try StoredJSON.encode($0) },
            changed.centre
        )
        if changed.state == .removed {
            try connection.run("DELETE FROM join_token WHERE centre = ?", changed.centre)
        }
    }

    func apply(_ issued: Event.JoinTokenIssued) throws {
        try connection.run(
            """
            INSERT INTO join_token (centre, hash, expires_at) VALUES (?, ?, ?)
            ON CONFLICT (centre) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at
            """,
            issued.centre,
            issued.hash,
            issued.expiresAt
        )
    }

    func apply(_ joined: Event.AgentJoined, _ at: Instant) throws {
        try change(
            "centre \(joined.centre)",
            "UPDATE centre SET agent = ?, key_hash = ?, joined_at = ?, agent_seat = NULL WHERE name = ?",
            joined.agent,
            joined.keyHash,
            at,
            joined.centre
        )
        try connection.run("DELETE FROM join_token WHERE centre = ?", joined.centre)
    }

    func apply(_ seated: Event.AgentSeated) throws {
        try change(
            "agent \(seated.agent) of centre \(seated.centre)",
            "UPDATE centre SET agent_seat = ? WHERE name = ? AND agent = ?",
            seated.seat,
            seated.centre,
            seated.agent
        )
    }

    func apply(_ reported: Event.CapacityReported) throws {
        try change(
            "centre \(reported.centre)",
            "UPDATE centre SET capacity = ? WHERE name = ?",
            try StoredJSON.encode(reported.capacity),
            reported.centre
        )
    }
}
