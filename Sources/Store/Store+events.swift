public import Core

extension ReadTransaction {
    /// The last event's place; 0 in an empty log.
    public func lastSequence() throws -> Int64 {
        try connection.first("SELECT COALESCE(MAX(seq), 0) FROM event") { $0.integer(0) } ?? 0
    }

    /// Events in the order of the log.
    ///
    /// - Parameters:
    ///   - sequence: Only those after this place.
    ///   - projects: Only those of these projects; `nil` is all, with those that only operators see.
    ///   - subject: Only those about this.
    public func events(
        after sequence: Int64,
        limit: Int,
        projects: [ProjectName]? = nil,
        subject: String? = nil
    ) throws -> [EventRecord] {
        try storedEvents(after: sequence, limit: limit, projects: projects, subject: subject).map { try $0.record() }
    }

    /// The same events with their payloads as text.
    public func storedEvents(
        after sequence: Int64,
        limit: Int,
        projects: [ProjectName]? = nil,
        subject: String? = nil
    ) throws -> [StoredEvent] {
        if let subject {
            var values: [any SQLBindable] = [subject, sequence]
            var filter = ""
            if let projects {
                guard !projects.isEmpty else { return [] }
                filter = "AND project IN (\(Dialect.places(projects.count)))"
                values += projects
            }
            values.append(limit)
            return try connection.all(
                "\(Self.eventQuery) WHERE subject = ? AND seq > ? \(filter) ORDER BY seq LIMIT ?",
                list: values,
                read: Self.event
            )
        }
        guard let projects else {
            return try connection.all(
                "\(Self.eventQuery) WHERE seq > ? ORDER BY seq LIMIT ?",
                sequence,
                limit,
                read: Self.event
            )
        }
        // One short walk along each project's part of the index, then the first of all of them.
        let places = try projects.flatMap { project in
            try connection.all(
                "SELECT seq FROM event WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?",
                project,
                sequence,
                limit
            ) { $0.integer(0) }
        }
        return try events(at: places.sorted().prefix(limit))
    }

    /// The newest events, newest first.
    public func latestEvents(limit: Int, projects: [ProjectName]? = nil) throws -> [StoredEvent] {
        guard let projects else {
            return try connection.all("\(Self.eventQuery) ORDER BY seq DESC LIMIT ?", limit, read: Self.event)
        }
        let places = try projects.flatMap { project in
            try connection.all(
                "SELECT seq FROM event WHERE project = ? ORDER BY seq DESC LIMIT ?",
                project,
                limit
            ) { $0.integer(0) }
        }
        return try events(at: places.sorted(by: >).prefix(limit))
    }

    private func events(at places: ArraySlice<Int64>) throws -> [StoredEvent] {
        try places.map { place in
            let event = try connection.first("\(Self.eventQuery) WHERE seq = ?", place, read: Self.event)
            guard let event else { throw Failure.damaged("no event \(place)") }
            return event
        }
    }

    private static let eventQuery = "SELECT seq, at, project, subject, kind, actor, payload FROM event"

    private static func event(_ row: borrowing Row) throws -> StoredEvent {
        StoredEvent(
            sequence: row.integer(0),
            at: row.instant(1),
            project: try row.optional(2),
            subject: row.text(3),
            kind: row.text(4),
            actor: row.text(5),
            payload: row.text(6)
        )
    }
}

extension StoredEvent {
    /// Reads the payload.
    ///
    /// - Throws: `.internal` for a kind or payload that this version does not know.
    public func record() throws -> EventRecord {
        EventRecord(
            sequence: sequence,
            at: at,
            project: project,
            subject: subject,
            actor: actor,
            event: try StoredJSON.decode(kind: kind, payload: .init(payload.utf8))
        )
    }
}
