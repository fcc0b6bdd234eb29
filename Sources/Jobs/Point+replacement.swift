import Core
import Logging
import Scheduling
import Store
import Synchronization
import Wire

/// Reservations whose nodes fail or leave.
extension Point {
    /// At most so many nodes of one reservation are replaced at once; the rest with the next look.
    private static let replacedAtOnceMax = 64
    /// Between two searches while some are missing.
    private static let searchPeriod: Duration = .seconds(10)

    /// What a reservation keeps on nodes that are down or gone.
    static func lost(_ reservation: Reservation, _ capacity: CentreCapacity) -> [Reservation.Share] {
        guard let shares = reservation.shares else { return [] }
        var standing: Set<String> = []
        for node in capacity.nodes where node.schedulable { standing.insert(node.name) }
        return shares.filter { !standing.contains($0.node) }
    }

    /// Gives reservations other nodes of the same kind for those that are down or gone, before and in their windows.
    /// Maintenance stays where it is, and what is a whole centre's stays that.
    ///
    /// What cannot be had is looked for again once something has changed.
    func replaceLostNodes() async throws {
        let now = now()
        let (broken, revision) = try await store.read { tx -> ([ReservationName], UInt64) in
            guard try tx.hasLiveReservation(now: now) else { return ([], 0) }
            return try self.living.withLock { living in
                try living.follow(tx, now: now)
                return (living.broken(at: now), living.extent.revision)
            }
        }
        guard !broken.isEmpty else { return searched.withLock { $0 = nil } }
        let last = searched.withLock { $0 }
        if let last, last.revision == revision || now - last.at < Self.searchPeriod, now >= last.at { return }
        // Looked for beside all other work, and written only where something is found.
        let found = try await store.read { tx in
            try broken.compactMap { try Self.replacement(for: $0, at: now, tx) }
        }
        if found.contains(where: \.isNews) {
            try await write { tx in
                for name in found.filter(\.isNews).map(\.name) {
                    guard let fresh = try Self.replacement(for: name, at: now, tx), fresh.isNews else { continue }
                    try tx.append(
                        .reservationMoved(.init(reservation: name, shares: fresh.shares)),
                        project: fresh.project,
                        subject: "reservation/\(name)",
                        actor: Actor.point,
                        at: now
                    )
                }
            }
            placeBell.ring()
        }
        for replacement in found {
            if replacement.isNews {
                log.notice("reserved nodes replaced", metadata: ["reservation": "\(replacement.name)"])
            }
            if replacement.isShort, last == nil {
                log.warning("reserved nodes are missing", metadata: ["reservation": "\(replacement.name)"])
            }
        }
        searched.withLock { $0 = (revision, now) }
    }

    /// What a reservation is to keep from now on.
    private struct Replacement {
        var name: ReservationName
        var project: ProjectName?
        var shares: [Reservation.Share]
        /// Whether that is something else than before.
        var isNews: Bool
        /// Whether some of its nodes are missing still.
        var isShort: Bool
    }

    private static func replacement(
        for name: ReservationName,
        at now: Instant,
        _ tx: ReadTransaction
    ) throws -> Replacement? {
        guard let record = try tx.reservation(name), record.mayMiss(at: now), let shares = record.reservation.shares,
            let centre = try tx.centre(record.reservation.centre), centre.state != .removed,
            let capacity = centre.capacity
        else { return nil }
        let reservation = record.reservation
        let lost = lost(reservation, capacity)
        // Beside all that is reserved, its own included: no node is taken twice.
        guard !lost.isEmpty,
            var search = RoomSearch(
                at: try snapshot(centre, try tx.liveReservations(now: now), tx),
                for: reservation.project,
                among: try tree(tx),
                from: max(now, reservation.startsAt),
                until: reservation.endsAt,
                now: now
            )
        else { return nil }
        let isLost = Set(lost.map(\.node))
        var left = replacedAtOnceMax
        var inVain: Set<Reservation.Share> = []
        var made = Replacement(
            name: name,
            project: reservation.project,
            shares: [],
            isNews: false,
            isShort: false
        )
        for share in shares {
            guard isLost.contains(share.node) else {
                made.shares.append(share)
                continue
            }
            // Of one kind there is nothing more once there was nothing.
            let kind = Reservation.Share(node: "", amount: share.amount, size: share.size)
            if left > 0, !inVain.contains(kind), let others = search.others(for: share) {
                made.shares += others
                made.isNews = true
                left -= 1
            } else {
                inVain.insert(kind)
                made.shares.append(share)
                made.isShort = true
            }
        }
        return made
    }
}

extension ReservationRecord {
    /// Whether its nodes are of any concern: it is for a project, on chosen nodes, and not over.
    func mayMiss(at now: Instant) -> Bool {
        cancelledAt == nil && reservation.endsAt > now && reservation.project != nil && reservation.shares != nil
    }
}
