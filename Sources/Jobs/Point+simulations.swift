public import Core
import Store
public import Wire

extension Point {
    static let simulationsMax = 200

    /// Keeps a report of a simulation where everybody signed in can look at it, in the place of an earlier one of that
    /// name. The same report again changes nothing.
    ///
    /// - Throws: `.invalid` with every fault of the document; `.conflict` at the limit.
    /// - Returns: Whether there was none of that name.
    public func publishSimulation(
        _ name: SimulationName,
        _ document: JSON,
        _ caller: Principal
    ) async throws -> (view: SimulationSummary, isNew: Bool) {
        try Self.requireOperator(caller)
        let report = try SimulationReport.read(document)
        let now = now()
        return try await write { tx in
            let known = try tx.simulation(name)
            if let known, try tx.simulationReport(at: known.sequence) == report { return (known.summary, false) }
            if known == nil, try tx.simulationCount() >= Self.simulationsMax {
                throw Failure(
                    .conflict,
                    "There are \(Self.simulationsMax) simulations, as many as can be. Delete one first, or publish under "
                        + "the name of one that is not needed any more."
                )
            }
            try tx.append(
                .simulationPublished(.init(simulation: name, report: report, user: caller.user)),
                project: nil,
                subject: "simulation/\(name)",
                actor: Actor.user(caller),
                at: now
            )
            return (try Self.find(name, tx).summary, known == nil)
        }
    }

    public func removeSimulation(_ name: SimulationName, _ caller: Principal) async throws {
        try Self.requireOperator(caller)
        let now = now()
        try await write { tx in
            _ = try Self.find(name, tx)
            try tx.append(
                .simulationRemoved(.init(simulation: name)),
                project: nil,
                subject: "simulation/\(name)",
                actor: Actor.user(caller),
                at: now
            )
        }
    }

    /// The newest first.
    public func simulations(
        cursor: String? = nil,
        limit: Int,
        _ caller: Principal
    ) async throws -> Page<SimulationSummary> {
        guard (1...1000).contains(limit) else { throw Failure(.malformed, "A page has 1 to 1,000 simulations.") }
        let before = try cursor.map { try Cursor.integer($0) }
        return try await store.read { tx in
            let found = try tx.simulations(before: before, limit: limit + 1)
            let page = found.prefix(limit)
            return Page(
                items: page.map(\.summary),
                next: found.count > limit ? page.last.map { "\($0.sequence)" } : nil
            )
        }
    }

    public func simulation(_ name: SimulationName, _ caller: Principal) async throws -> SimulationDetail {
        try await store.read { tx in
            let record = try Self.find(name, tx)
            var report = try tx.simulationReport(at: record.sequence)
            // A trace may be the point's own log: whose the projects in it are is not for everybody.
            if let names = try Self.visible(to: caller, tx) { report.hideProjects(except: Set(names.map(\.text))) }
            return SimulationDetail(summary: record.summary, report: report)
        }
    }

    private static func find(_ name: SimulationName, _ tx: ReadTransaction) throws -> SimulationRecord {
        guard let record = try tx.simulation(name) else {
            throw Failure(
                .notFound,
                "There is no simulation '\(name)'. `onepoint simulation list` shows those there are."
            )
        }
        return record
    }
}

extension SimulationReport {
    fileprivate mutating func hideProjects(except names: Set<String>) {
        for index in policies.indices {
            let all = policies[index].projects
            policies[index].projects = all.filter { names.contains($0.name) }
            policies[index].projectsMore += all.count - policies[index].projects.count
        }
    }
}
