public import Core
import Scheduling
import Store
public import Wire

extension Point {
    /// A year and a day.
    private static let reservedSecondsMax = 366 * 86_400
    static let reservationsOfCentreMax = 100
    static let reservationsMax = 1000
    /// More nodes than this are reserved as a whole centre.
    private static let reservedNodesMax = 4096

    /// Keeps room in advance.
    ///
    /// - Throws: `.invalid` with all faults; `.impossible` for more than the centre has; `.conflict` when the name is
    ///   taken, when other reservations or runs that may last into it leave too little, and at the limits.
    public func createReservation(_ request: ReservationRequest, _ caller: Principal) async throws -> ReservationView {
        try Self.requireOperator(caller)
        let now = now()
        let start = request.startsAt ?? now
        let (wanted, end) = try Self.read(request, from: start, now: now)
        let view = try await write { tx in
            let centre = try Self.find(request.centre, tx)
            if let project = request.project { _ = try Self.require(.viewer, in: project, caller, tx) }
            let live = try tx.liveReservations(now: now)
            try Self.checkRoomForOneMore(request, among: live)
            let snapshot = try Self.snapshot(centre, live, tx)
            guard
                let search = RoomSearch(
                    at: snapshot,
                    for: request.project,
                    among: try Self.tree(tx),
                    from: start,
                    until: end,
                    now: now
                )
            else {
                throw Failure(
                    .conflict,
                    "Centre '\(centre.name)' has not reported what it has. Wait until its agent has joined and spoken."
                )
            }
            let shares: [Reservation.Share]?
            switch search.find(wanted, ignoringRuns: request.ignoreRunning) {
            case .success(let found): shares = found
            case .failure(let refused): throw Self.failure(refused, request, from: start)
            }
            let reservation = Reservation(
                name: request.name,
                centre: centre.name,
                project: request.project,
                startsAt: start,
                endsAt: end,
                shares: shares,
                note: request.note,
                user: caller.user
            )
            let sequence = try tx.append(
                .reservationCreated(reservation),
                project: request.project,
                subject: "reservation/\(request.name)",
                actor: Actor.user(caller),
                at: now
            )
            let record = ReservationRecord(reservation: reservation, sequence: sequence, createdAt: now)
            return Self.view(record, nil, now: now, lacking: search.lacking(shares))
        }
        placeBell.ring()
        return view
    }

    /// Gives the room back, at once.
    public func cancelReservation(_ name: ReservationName, _ caller: Principal) async throws -> ReservationView {
        try Self.requireOperator(caller)
        let now = now()
        let view = try await write { tx in
            var record = try Self.find(name, tx)
            guard record.cancelledAt == nil, record.reservation.endsAt > now else {
                throw Failure(.conflict, "Reservation '\(name)' is over already; nothing is kept for it any more.")
            }
            try Self.cancel(record.reservation, by: Actor.user(caller), at: now, tx)
            record.cancelledAt = now
            return Self.view(record, nil, now: now)
        }
        placeBell.ring()
        return view
    }

    /// Which project is part of which.
    static func tree(_ tx: ReadTransaction) throws -> [Snapshot.Project] {
        try tx.projects().map { Snapshot.Project(name: $0.name, parent: $0.parent) }
    }

    static func cancel(
        _ reservation: Reservation,
        by actor: String,
        at now: Instant,
        _ tx: WriteTransaction
    ) throws {
        try tx.append(
            .reservationCancelled(.init(reservation: reservation.name)),
            project: reservation.project,
            subject: "reservation/\(reservation.name)",
            actor: actor,
            at: now
        )
    }

    public func reservation(_ name: ReservationName, _ caller: Principal) async throws -> ReservationView {
        let now = now()
        return try await store.read { tx in
            let record = try Self.find(name, tx)
            let reservation = record.reservation
            let names = try Self.visible(to: caller, tx)
            guard record.cancelledAt == nil, reservation.endsAt > now,
                let centre = try tx.centre(reservation.centre), centre.state != .removed
            else { return Self.view(record, names, now: now) }
            let search = RoomSearch(
                at: try Self.snapshot(centre, [], tx),
                for: reservation.project,
                among: try Self.tree(tx),
                from: max(now, reservation.startsAt),
                until: reservation.endsAt,
                now: now
            )
            return Self.view(
                record,
                names,
                now: now,
                lacking: search?.lacking(reservation.shares),
                capacity: centre.capacity
            )
        }
    }

    /// By start.
    ///
    /// - Parameter past: Also those that are over.
    public func reservations(
        centre: CentreName? = nil,
        project: ProjectName? = nil,
        past: Bool = false,
        cursor: String? = nil,
        limit: Int,
        _ caller: Principal
    ) async throws -> Page<ReservationView> {
        guard (1...1000).contains(limit) else { throw Failure(.malformed, "A page has 1 to 1,000 reservations.") }
        let after = try cursor.map { try Self.reservationCursor($0) }
        let now = now()
        return try await store.read { tx in
            let names = try Self.visible(to: caller, tx)
            if let project { _ = try Self.require(.viewer, in: project, caller, tx) }
            if let centre { _ = try Self.find(centre, tx) }
            let found = try tx.reservations(
                centre: centre,
                project: project,
                liveAt: past ? nil : now,
                after: after,
                limit: limit + 1
            )
            let page = found.prefix(limit)
            var capacities: [CentreName: CentreCapacity?] = [:]
            for record in page where record.mayMiss(at: now) && capacities[record.reservation.centre] == nil {
                capacities[record.reservation.centre] = try tx.centre(record.reservation.centre)?.capacity
            }
            return Page(
                items: page.map {
                    Self.view($0, names, now: now, capacity: capacities[$0.reservation.centre] ?? nil)
                },
                next: found.count > limit
                    ? page.last.map { "\($0.cursor.startsAt.milliseconds).\($0.cursor.sequence)" } : nil
            )
        }
    }

    private static func reservationCursor(_ text: String) throws -> ReservationRecord.Cursor {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let start = Int64(parts[0]), let sequence = Int64(parts[1]) else { throw Cursor.broken }
        return .init(startsAt: Instant(milliseconds: start), sequence: sequence)
    }

    static func find(_ name: ReservationName, _ tx: ReadTransaction) throws -> ReservationRecord {
        guard let record = try tx.reservation(name) else {
            throw Failure(
                .notFound,
                "There is no reservation '\(name)'. `onepoint reservation list` shows those there are."
            )
        }
        return record
    }

    /// The centre with all that lives there and is kept there.
    static func snapshot(
        _ centre: Centre,
        _ live: [ReservationRecord],
        _ tx: ReadTransaction
    ) throws -> Snapshot.Centre {
        let runs = try tx.liveRuns(at: centre.name).compactMap { run in
            try tx.job(run.key.job).map { Snapshot.Run(run, spec: $0.spec) }
        }
        return Snapshot.Centre(
            centre,
            unseenSince: nil,
            runs: runs,
            reservations: live.map(\.reservation).filter { $0.centre == centre.name }
        )
    }

    private static func checkRoomForOneMore(_ request: ReservationRequest, among live: [ReservationRecord]) throws {
        if let known = live.first(where: { $0.reservation.name == request.name }) {
            throw Failure(
                .conflict,
                "There is a reservation '\(request.name)' until \(known.reservation.endsAt) already. Choose another "
                    + "name, or cancel that one."
            )
        }
        let here = live.count { $0.reservation.centre == request.centre }
        guard here < reservationsOfCentreMax, live.count < reservationsMax else {
            throw Failure(
                .conflict,
                "There are \(here) reservations at '\(request.centre)' and \(live.count) in all that are not over; at "
                    + "most \(reservationsOfCentreMax) and \(reservationsMax) can be. Cancel one first."
            )
        }
    }

    // MARK: Reading

    /// What is asked for, and until when.
    private static func read(
        _ request: ReservationRequest,
        from start: Instant,
        now: Instant
    ) throws -> (RoomWanted, Instant) {
        var violations: [Violation] = []
        func fault(_ pointer: String, _ message: String) { violations.append(Violation(pointer, message)) }
        if (request.project == nil) != request.maintenance {
            fault("/project", "name the project that it is for, or say maintenance: true; one of the two")
        }
        if (request.endsAt == nil) == (request.durationSeconds == nil) {
            fault("/ends_at", "say when it ends, or duration_seconds; one of the two")
        }
        let end = request.endsAt ?? start + .seconds(Int64(request.durationSeconds ?? 0))
        if start < now { fault("/starts_at", "is in the past; leave it out to begin now") }
        if start - now > .seconds(Int64(reservedSecondsMax)) { fault("/starts_at", "is more than 366 days ahead") }
        if start >= now, end <= start {
            fault(request.endsAt == nil ? "/duration_seconds" : "/ends_at", "it must end after it begins")
        }
        if end - start > .seconds(Int64(reservedSecondsMax)) { fault("/ends_at", "it may last at most 366 days") }
        let given: [(String, RoomWanted?)] = [
            ("whole_centre", request.wholeCentre ? .centre : nil), ("node_names", request.nodeNames.map { .named($0) }),
            ("nodes", request.nodes.map { .nodes($0, card: request.card) }),
            ("cards", request.cards.map { .cards($0, card: request.card) }),
            ("cores", request.cores.map { .cores($0, memory: request.memory) }),
        ]
        let wanted = given.compactMap(\.1)
        if wanted.count != 1 {
            fault("/nodes", "say what to keep by exactly one of \(given.map(\.0).joined(separator: ", "))")
        }
        if request.card != nil, request.nodes == nil, request.cards == nil {
            fault("/card", "goes with nodes or cards only")
        }
        if request.memory != nil, request.cores == nil { fault("/memory", "goes with cores only") }
        for (name, count, most) in [
            ("nodes", request.nodes, reservedNodesMax), ("node_names", request.nodeNames?.count, reservedNodesMax),
            ("cards", request.cards, 1_000_000),
        ] {
            if let count, !(1...most).contains(count) {
                fault("/\(name)", "must be 1 to \(most)\(name == "cards" ? "" : "; for more reserve the whole centre")")
            }
        }
        if let cores = request.cores, !(1...1_000_000_000_000).contains(cores.count) {
            fault("/cores", "must be 1 to 10¹² thousandths of a core")
        }
        if let memory = request.memory, !(1...(1 << 60)).contains(memory.count) {
            fault("/memory", "must be 1 byte to 1 EiB")
        }
        guard violations.isEmpty, let room = wanted.first else {
            throw Failure(.invalid, "The reservation cannot be made as asked.", violations: violations)
        }
        return (room, end)
    }

    private static func failure(
        _ refused: RoomRefused,
        _ request: ReservationRequest,
        from start: Instant
    ) -> Failure {
        let centre = request.centre
        func amount(_ count: Int64) -> String {
            if request.cores != nil { return "\(MilliCores(count)) cores" }
            let noun = request.cards == nil ? "node" : "card"
            let model = request.card.map { request.cards == nil ? " with cards of \($0)" : " of \($0)" } ?? ""
            return "\(count) \(noun)\(count == 1 ? "" : "s")\(model)"
        }
        switch refused {
        case .unknownNodes(let names):
            let some = names.prefix(5).map { "'\($0.prefix(100))'" }.joined(separator: ", ")
            return Failure(
                .invalid,
                "Some of these are no nodes of centre '\(centre)'. `onepoint centres show \(centre)` shows its nodes.",
                violations: [Violation("/node_names", "not known: \(some)\(names.count > 5 ? " and more" : "")")]
            )
        case .whichCard(let models):
            return Failure(
                .invalid,
                "Centre '\(centre)' has several kinds of cards.",
                violations: [Violation("/card", "say which: \(models.joined(separator: ", "))")]
            )
        case .tooMuch(let most):
            return Failure(
                .impossible,
                "Centre '\(centre)' has \(amount(most)) that can be reserved so, even with nothing else there. Ask for "
                    + "at most that."
            )
        case .taken(let most, let others):
            let names =
                others.prefix(5).map { "'\($0)'" }.joined(separator: ", ") + (others.count > 5 ? " and more" : "")
            let left = request.wholeCentre ? "less than all" : most == 0 ? "nothing" : amount(most)
            let way = request.wholeCentre || most == 0 ? "Choose" : "Ask for at most that, or choose"
            return Failure(
                .conflict,
                "What is reserved at '\(centre)' during that time leaves \(left): \(names). \(way) another time, or "
                    + "cancel what is in the way."
            )
        case .busy(let most, let from):
            let free = most == 0 ? "none" : amount(most)
            return Failure(
                .conflict,
                "Runs at '\(centre)' may last into it: \(free) of what was asked for will be free at \(start), all of "
                    + "it at \(from). Begin then, ask for less, or accept that with ignore_running (--ignore-running)."
            )
        }
    }

    // MARK: Views

    /// - Parameters:
    ///   - names: The projects that its reader sees; `nil` is all.
    ///   - capacity: Of its centre; `nil` leaves out what is missing.
    private static func view(
        _ record: ReservationRecord,
        _ names: [ProjectName]?,
        now: Instant,
        lacking: RoomLacking? = nil,
        capacity: CentreCapacity? = nil
    ) -> ReservationView {
        let reservation = record.reservation
        let isKnown = reservation.project.map { names?.contains($0) ?? true } ?? true
        let state: ReservationState =
            record.cancelledAt != nil
            ? .cancelled
            : reservation.endsAt <= now ? .ended : reservation.startsAt <= now ? .active : .planned
        return ReservationView(
            name: reservation.name,
            centre: reservation.centre,
            purpose: reservation.project == nil ? .maintenance : .project,
            project: isKnown ? reservation.project : nil,
            state: state,
            startsAt: reservation.startsAt,
            endsAt: reservation.endsAt,
            wholeCentre: reservation.shares == nil,
            nodes: (reservation.shares ?? []).map { share in
                .init(
                    node: share.node,
                    whole: share.amount == nil,
                    cores: share.amount?.cores,
                    memory: share.amount?.memory,
                    cards: share.amount?.cards,
                    card: share.amount?.card,
                    insteadOf: share.insteadOf
                )
            },
            note: isKnown && !reservation.note.isEmpty ? reservation.note : nil,
            user: isKnown ? reservation.user : nil,
            createdAt: record.createdAt,
            cancelledAt: record.cancelledAt,
            lacking: lacking.map { .init(nodes: $0.nodes, runs: $0.runs, until: $0.until) },
            missing: record.mayMiss(at: now) ? capacity.map { Self.lost(reservation, $0).map(\.node) } ?? [] : []
        )
    }
}
