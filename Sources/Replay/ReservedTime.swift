internal import Core
internal import Scheduling

/// What became of one reservation in a replay.
public struct ReservationMetrics: Hashable, Sendable {
    public var name: String
    public var centre: String
    /// `nil` for maintenance.
    public var project: String?
    public var nodes: Int
    /// In seconds of the trace's time.
    public var start: Int64
    public var seconds: Int64
    /// Of the reserved time, in cards where its nodes have any, else in cores, what jobs held for whom it was; `nil` for
    /// maintenance.
    public var used: Double?
    /// What jobs of others held of it. They run longer than they said, or it would be none.
    public var others: Double
}

extension [ReservationMetrics] {
    /// Those first of which least was used; maintenance last.
    public var leastUsedFirst: [ReservationMetrics] {
        sorted { ($0.used ?? .infinity, $0.name) < ($1.used ?? .infinity, $1.name) }
    }
}

/// Counts who stood in what is reserved.
struct ReservedTime {
    private let federation: Federation
    private let bookings: [Federation.Booking]
    /// By reservation, then by project: whose jobs may use it.
    private let holders: [[Bool]]
    /// By reservation, in thousandths of a card or a core, times seconds.
    private var used: [(own: Double, others: Double)]

    init(_ federation: Federation, _ bookings: [Federation.Booking], holders: [[Bool]]) {
        (self.federation, self.bookings, self.holders) = (federation, bookings, holders)
        used = Array(repeating: (0, 0), count: bookings.count)
    }

    var isEmpty: Bool { bookings.isEmpty }

    /// A run is over.
    ///
    /// - Parameter owner: The number of its project; -1 for none.
    mutating func note(
        _ places: [Scheduler.Place],
        _ need: Need,
        at centre: Int32,
        from start: Int64,
        to end: Int64,
        owner: Int32
    ) {
        for index in bookings.indices where federation.reservations[index].centre == Int(centre) {
            let booking = bookings[index]
            let seconds = min(end, booking.end) - max(start, booking.start)
            guard seconds > 0 else { continue }
            let hasCards = hasCards(index)
            var milli = 0
            for place in places where booking.nodes.contains(sorted: Int(place.node)) {
                let cards = place.isRest ? need.restCards * 1000 : need.cards * need.cardMilli * Int(place.tasks)
                let cores =
                    place.isRest
                    ? need.milliCores * need.restCards / max(1, need.cards) : need.milliCores * Int(place.tasks)
                milli += hasCards ? cards : cores
            }
            let isOwn = owner >= 0 && holders[index][Int(owner)]
            if isOwn { used[index].own += Double(milli) * Double(seconds) }
            if !isOwn { used[index].others += Double(milli) * Double(seconds) }
        }
    }

    private func hasCards(_ index: Int) -> Bool {
        let nodes = federation.centres[federation.reservations[index].centre].nodes
        return bookings[index].nodes.contains { nodes[$0].cards > 0 }
    }

    var metrics: [ReservationMetrics] {
        bookings.indices.map { index in
            let (reservation, booking) = (federation.reservations[index], bookings[index])
            let centre = federation.centres[reservation.centre]
            let hasCards = hasCards(index)
            let kept = booking.nodes.reduce(0) { sum, node in
                sum + (hasCards ? centre.nodes[node].cards * 1000 : centre.nodes[node].milliCores)
            }
            let all = max(1, Double(kept) * Double(reservation.seconds))
            return ReservationMetrics(
                name: reservation.name,
                centre: centre.name,
                project: reservation.project,
                nodes: booking.nodes.count,
                start: booking.start,
                seconds: reservation.seconds,
                used: reservation.project == nil ? nil : used[index].own / all,
                others: used[index].others / all
            )
        }
    }
}

extension [Int] {
    /// Whether it is there, in ascending order.
    fileprivate func contains(sorted value: Int) -> Bool {
        let at = partitioningIndex { $0 >= value }
        return at < count && self[at] == value
    }
}
