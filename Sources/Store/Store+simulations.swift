public import Core

/// A published report of a simulation as it is listed. The report itself is read by its place in the log.
public struct SimulationRecord: Hashable, Sendable {
    public var name: SimulationName
    /// Of the event that holds the report.
    public var sequence: Int64
    public var trace: String
    public var jobs: Int
    public var policies: [String]
    public var centres: Int
    public var cores: Int
    public var cards: Int
    public var user: UserName
    public var publishedAt: Instant

    public init(
        name: SimulationName,
        sequence: Int64,
        trace: String,
        jobs: Int,
        policies: [String],
        centres: Int,
        cores: Int,
        cards: Int,
        user: UserName,
        publishedAt: Instant
    ) {
        (self.name, self.sequence, self.trace, self.jobs) = (name, sequence, trace, jobs)
        (self.policies, self.centres, self.cores, self.cards) = (policies, centres, cores, cards)
        (self.user, self.publishedAt) = (user, publishedAt)
    }
}

extension ReadTransaction {
    public func simulation(_ name: SimulationName) throws -> SimulationRecord? {
        try connection.first("\(Self.simulationQuery) WHERE name = ?", name, read: Self.simulation)
    }

    /// The newest first.
    public func simulations(before sequence: Int64? = nil, limit: Int) throws -> [SimulationRecord] {
        try connection.all(
            "\(Self.simulationQuery) WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
            sequence ?? Int64.max,
            limit,
            read: Self.simulation
        )
    }

    public func simulationCount() throws -> Int {
        try connection.first("SELECT COUNT(*) FROM simulation") { Int($0.integer(0)) } ?? 0
    }

    /// What was published at that place in the log.
    public func simulationReport(at sequence: Int64) throws -> SimulationReport {
        let payload = try connection.first("SELECT payload FROM event WHERE seq = ?", sequence) { $0.utf8(0) }
        guard let payload else { throw Failure.damaged("no event \(sequence)") }
        return try StoredJSON.decode(Event.SimulationPublished.self, from: payload).report
    }

    private static let simulationQuery =
        "SELECT name, sequence, trace, jobs, policies, centres, cores, cards, member, published_at FROM simulation"

    private static func simulation(_ row: borrowing Row) throws -> SimulationRecord {
        SimulationRecord(
            name: try row.value(0),
            sequence: row.integer(1),
            trace: row.text(2),
            jobs: Int(row.integer(3)),
            policies: try row.repeatedJSON(4, as: [String].self),
            centres: Int(row.integer(5)),
            cores: Int(row.integer(6)),
            cards: Int(row.integer(7)),
            user: try row.value(8),
            publishedAt: row.instant(9)
        )
    }
}

extension WriteTransaction {
    func apply(_ published: Event.SimulationPublished, _ sequence: Int64, _ at: Instant) throws {
        let report = published.report
        try connection.run(
            """
            INSERT INTO simulation (
                name, sequence, trace, jobs, policies, centres, cores, cards, member, published_at
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET
                sequence = excluded.sequence, trace = excluded.trace, jobs = excluded.jobs,
                policies = excluded.policies, centres = excluded.centres, cores = excluded.cores,
                cards = excluded.cards, member = excluded.member, published_at = excluded.published_at
            """,
            published.simulation,
            sequence,
            report.trace.name,
            report.trace.jobs,
            try StoredJSON.encode(report.policies.map(\.name)),
            report.centres.count,
            report.cores,
            report.cards,
            published.user,
            at
        )
    }

    func apply(_ removed: Event.SimulationRemoved) throws {
        try change("simulation \(removed.simulation)", "DELETE FROM simulation WHERE name = ?", removed.simulation)
    }
}
