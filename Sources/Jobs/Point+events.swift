public import Core
import Store
public import Wire

extension Point {
    /// What happened, in order: events of the caller's projects; for operators all.
    public func events(
        after sequence: Int64,
        subject: String?,
        project: ProjectName?,
        limit: Int,
        _ caller: Principal
    ) async throws -> [EventView] {
        guard (1...1000).contains(limit) else { throw Failure(.malformed, "A page has 1 to 1,000 events.") }
        return try await store.read { tx in
            let projects = try Self.visible(to: caller, asking: project, tx)
            return try tx.storedEvents(after: sequence, limit: limit, projects: projects, subject: subject)
                .map { try Self.view($0) }
        }
    }

    static func view(_ event: StoredEvent) throws -> EventView {
        var payload = try JSON(parsing: event.payload.utf8)
        // A secret's hash is nobody's business, not even an operator's.
        if case .object(let members) = payload {
            payload = .object(members.filter { $0.key != "hash" && $0.key != "key_hash" })
        }
        return EventView(
            sequence: event.sequence,
            at: event.at,
            project: event.project,
            subject: event.subject,
            kind: event.kind,
            actor: event.actor,
            payload: payload
        )
    }

    /// The last sequence number in the log.
    public func lastEvent() async throws -> Int64 { store.lastSequence }

    /// Returns when the log may be longer than `sequence`, or the time is over. A hint: look again.
    public func waitForEvents(after sequence: Int64, atMost limit: Duration) async {
        let rings = eventBell.rings
        guard store.lastSequence <= sequence else { return }
        await eventBell.wait(beyond: rings, atMost: limit, on: runtime)
    }
}
