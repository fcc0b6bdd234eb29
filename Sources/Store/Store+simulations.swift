public import Core

/// A published report of a simulation as it is listed, and the place in the log of the event that holds the report.
public struct SimulationRecord: Hashable, Sendable {
    public var summary: SimulationSummary
    public var sequence: Int64
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
            summary: SimulationSummary(
                name: try row.value(0),
                trace: row.text(2),
                jobs: Int(row.integer(3)),
                policies: try row.repeatedJSON(4, as: [String].self),
                centres: Int(row.integer(5)),
                cores: Int(row.integer(6)),
                cards: Int(row.integer(7)),
                user: try row.value(8),
                publishedAt: row.instant(9)
            ),
            sequence: row.integer(1)
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
