public import Core

/// A reservation as it is stored.
public struct ReservationRecord: Hashable, Sendable {
    public var reservation: Reservation
    /// Of the event that made it.
    public var sequence: Int64
    public var createdAt: Instant
    public var cancelledAt: Instant?

    public init(reservation: Reservation, sequence: Int64, createdAt: Instant, cancelledAt: Instant? = nil) {
        (self.reservation, self.sequence) = (reservation, sequence)
        (self.createdAt, self.cancelledAt) = (createdAt, cancelledAt)
    }

    /// Where it stands in lists.
    public struct Cursor: Hashable, Sendable, Comparable {
        public var startsAt: Instant
        public var sequence: Int64

        public init(startsAt: Instant, sequence: Int64) { (self.startsAt, self.sequence) = (startsAt, sequence) }

        public static func < (a: Cursor, b: Cursor) -> Bool { (a.startsAt, a.sequence) < (b.startsAt, b.sequence) }
    }

    public var cursor: Cursor { Cursor(startsAt: reservation.startsAt, sequence: sequence) }
}

extension ReadTransaction {
    /// The newest reservation of a name, also when it is over.
    public func reservation(_ name: ReservationName) throws -> ReservationRecord? {
        try connection.first(
            "\(Self.reservationQuery) WHERE name = ? ORDER BY sequence DESC LIMIT 1",
            name,
            read: Self.reservation
        )
    }

    /// Whether there is one that was not cancelled and ends after `now`.
    public func hasLiveReservation(now: Instant) throws -> Bool {
        try connection.first("SELECT 1 FROM reservation WHERE ends_at > ? AND cancelled_at IS NULL LIMIT 1", now) { _ in
            true
        } ?? false
    }

    /// Those that were not cancelled and end after `now`, by start.
    public func liveReservations(now: Instant) throws -> [ReservationRecord] {
        try connection.all(
            "\(Self.reservationQuery) WHERE ends_at > ? AND cancelled_at IS NULL ORDER BY starts_at, sequence",
            now,
            read: Self.reservation
        )
    }

    /// Those at one centre or of one project, or all; by start.
    ///
    /// - Parameter now: Without those that are over by then or were cancelled; `nil` is all.
    public func reservations(
        centre: CentreName? = nil,
        project: ProjectName? = nil,
        liveAt now: Instant? = nil,
        after cursor: ReservationRecord.Cursor? = nil,
        limit: Int
    ) throws -> [ReservationRecord] {
        var conditions: [String] = []
        var values: [any SQLBindable] = []
        if let centre {
            conditions.append("centre = ?")
            values.append(centre)
        }
        if let project {
            conditions.append("project = ?")
            values.append(project)
        }
        if let now {
            conditions.append("ends_at > ? AND cancelled_at IS NULL")
            values.append(now)
        }
        if let cursor {
            conditions.append("(starts_at > ? OR (starts_at = ? AND sequence > ?))")
            values += [cursor.startsAt, cursor.startsAt, cursor.sequence]
        }
        values.append(limit)
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try connection.all(
            "\(Self.reservationQuery) \(filter) ORDER BY starts_at, sequence LIMIT ?",
            list: values,
            read: Self.reservation
        )
    }

    private static let reservationQuery =
        """
        SELECT name, centre, project, starts_at, ends_at, shares, note, member, sequence, created_at, cancelled_at
        FROM reservation
        """

    private static func reservation(_ row: borrowing Row) throws -> ReservationRecord {
        ReservationRecord(
            reservation: Reservation(
                name: try row.value(0),
                centre: try row.value(1),
                project: try row.optional(2),
                startsAt: row.instant(3),
                endsAt: row.instant(4),
                shares: row.isNull(5) ? nil : try row.repeatedJSON(5, as: [Reservation.Share].self),
                note: row.text(6),
                user: try row.value(7)
            ),
            sequence: row.integer(8),
            createdAt: row.instant(9),
            cancelledAt: row.optionalInstant(10)
        )
    }
}

extension WriteTransaction {
    func apply(_ reservation: Reservation, _ sequence: Int64, _ at: Instant) throws {
        try connection.run(
            """
            INSERT INTO reservation (
                sequence, name, centre, project, starts_at, ends_at, shares, note, member, created_at
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            sequence,
            reservation.name,
            reservation.centre,
            reservation.project,
            reservation.startsAt,
            reservation.endsAt,
            try reservation.shares.map { try StoredJSON.encode($0) },
            reservation.note,
            reservation.user,
            at
        )
    }

    func apply(_ moved: Event.ReservationMoved) throws {
        try change(
            "reservation \(moved.reservation)",
            """
            UPDATE reservation SET shares = ? WHERE sequence = (SELECT MAX(sequence) FROM reservation WHERE name = ?)
            """,
            try StoredJSON.encode(moved.shares),
            moved.reservation
        )
    }

    func apply(_ cancelled: Event.ReservationCancelled, _ at: Instant) throws {
        // The first cancellation counts.
        try change(
            "reservation \(cancelled.reservation)",
            """
            UPDATE reservation SET cancelled_at = COALESCE(cancelled_at, ?)
            WHERE sequence = (SELECT MAX(sequence) FROM reservation WHERE name = ?)
            """,
            at,
            cancelled.reservation
        )
    }
}
