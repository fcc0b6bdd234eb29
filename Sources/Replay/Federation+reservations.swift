/// Room that is reserved in advance, for the whole of a replay.
extension Federation {
    /// Nodes of one centre that are kept for a time: for a project and all below it, or for nobody.
    public struct Reservation: Hashable, Sendable {
        public enum Start: Hashable, Sendable {
            /// Seconds after the first submission.
            case after(Int64)
            /// Seconds of the trace's time.
            case at(Int64)
        }

        public var name: String
        /// As the trace or the federation names it; `nil` for maintenance.
        public var project: String?
        /// Index of the centre.
        public var centre: Int
        /// How many; `nil` is the whole centre.
        public var nodes: Int?
        /// Of the nodes' cards; `nil` when any nodes will do, and those without cards first.
        public var model: String?
        public var start: Start
        public var seconds: Int64

        public init(
            name: String,
            project: String? = nil,
            centre: Int,
            nodes: Int? = nil,
            model: String? = nil,
            start: Start,
            seconds: Int64
        ) {
            (self.name, self.project, self.centre) = (name, project, centre)
            (self.nodes, self.model, self.start, self.seconds) = (nodes, model, start, seconds)
        }
    }

    /// A reservation that cannot be had.
    public struct ReservationFault: Error, Hashable, Sendable {
        /// Index among the federation's.
        public var index: Int
        /// The member that asks for too much.
        public var pointer: String
        public var what: String
    }

    /// A reservation with its nodes and times.
    struct Booking: Hashable {
        var start: Int64
        /// Not part of it any more.
        var end: Int64
        /// Numbers of the centre's nodes, in order.
        var nodes: [Int]
    }

    /// Whether all reservations begin relative to the first submission, or all by the trace's time: then it can be told
    /// without a trace whether they are in one another's way.
    public var comparesReservations: Bool {
        let relative = reservations.count { if case .after = $0.start { true } else { false } }
        return relative == 0 || relative == reservations.count
    }

    /// Throws when there are not enough nodes for all reservations.
    public func checkReservations() throws(ReservationFault) { _ = try bookings(begin: 0, scale: 1) }

    /// Chooses nodes, in the order of the list: those that no other has at that time, without cards before those with.
    /// No two overlap on what they keep, as at a point.
    ///
    /// - Parameters:
    ///   - begin: When the first job comes.
    ///   - scale: What the trace's times are divided by.
    func bookings(begin: Int64, scale: Double) throws(ReservationFault) -> [Booking] {
        var made: [Booking] = []
        for (index, reservation) in reservations.enumerated() {
            let start =
                switch reservation.start {
                case .after(let seconds): begin + seconds
                case .at(let second): Int64(Double(second) / scale)
                }
            let end = start + reservation.seconds
            let centre = centres[reservation.centre]
            let fitting = centre.nodes.indices.filter {
                reservation.model == nil || centre.nodes[$0].cards > 0 && centre.nodes[$0].model == reservation.model
            }
            let others = zip(reservations, made).filter {
                $0.centre == reservation.centre && $1.start < end && start < $1.end
            }
            let taken = others.reduce(into: Set<Int>()) { $0.formUnion($1.1.nodes) }
            let open = fitting.filter { !taken.contains($0) }
            let count = reservation.nodes ?? centre.nodes.count
            guard open.count >= count else {
                var what = "needs \(count) of the nodes of \(centre.name), and there are \(open.count)"
                if !others.isEmpty {
                    what += " beside \(others.map(\.0.name).joined(separator: ", ")) at that time"
                }
                throw ReservationFault(
                    index: index,
                    pointer: reservation.nodes == nil ? "/centre" : "/nodes",
                    what: what
                )
            }
            let plain = open.filter { centre.nodes[$0].cards == 0 }
            let ordered = reservation.model == nil ? plain + open.filter { centre.nodes[$0].cards > 0 } : open
            made.append(Booking(start: start, end: end, nodes: ordered.prefix(count).sorted()))
        }
        return made
    }
}
