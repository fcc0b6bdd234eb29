internal import Core

/// What is known of the nodes that reservations in advance are about, while a plan is made.
struct Booked {
    /// Somebody who stands on a node, or for whom room is kept there.
    struct Stay {
        var start: Instant
        var end: Instant
        /// `nil` for others than us.
        var project: ProjectName?
        var piece: Piece
        /// The centre's run, if it is one.
        var run: Int?
        /// Kept, not taken: what is free does not know of it.
        var isKept: Bool
    }

    /// What is left on a node beside all that is reserved, at the beginning of a reservation.
    struct Moment {
        var at: Instant
        var spare: Amounts
    }

    let bookings: Bookings
    /// By position.
    fileprivate(set) var stays: [[Stay]]
    /// By tenant and position, as far as asked for since something changed there.
    fileprivate var moments: [ProjectName?: [[Moment]?]] = [:]

    init(_ bookings: Bookings) {
        self.bookings = bookings
        stays = Array(repeating: [], count: bookings.nodes.count)
    }

    mutating func add(_ stay: Stay) {
        let position = bookings.positions[stay.piece.node]
        guard position >= 0 else { return }
        stays[position].append(stay)
        forget(position)
    }

    mutating func stop(run: Int, by end: Instant) {
        for position in stays.indices {
            for index in stays[position].indices where stays[position][index].run == run {
                stays[position][index].end = min(stays[position][index].end, end)
                forget(position)
            }
        }
    }

    private mutating func forget(_ position: Int) {
        for tenant in moments.keys { moments[tenant]?[position] = nil }
    }

    /// What a node has at a time for a job of `tenant`, beside those who are expected to stand there then and what is
    /// reserved for others. Of a reservation that counts which its project's runs do not hold already.
    ///
    /// While a reservation lasts this only grows as runs end, so its beginning speaks for all of it.
    func spare(_ position: Int, at time: Instant, for tenant: ProjectName?, free: Columns) -> Amounts {
        let entries = bookings.entries[position]
        let node = bookings.nodes[position]
        var spare = Amounts(free, at: node)
        let flavours = spare.cards.count
        if entries.contains(where: { $0.isWhole && $0.isOn(at: time) && $0.binds(tenant) }) {
            return .never(flavours: flavours)
        }
        for stay in stays[position] {
            if stay.isKept {
                if stay.start <= time, time < stay.end { spare.add(stay.piece, times: -1) }
            } else if stay.end <= time {
                spare.add(stay.piece)
            }
        }
        for (index, entry) in entries.enumerated() where entry.isOn(at: time) && entry.binds(tenant) {
            let isSame = { (other: Bookings.Entry) in other.project == entry.project && other.isOn(at: time) }
            // Several of one project count together, once.
            guard !entries[..<index].contains(where: isSame) else { continue }
            var kept = entry.amounts
            for other in entries[(index + 1)...] where isSame(other) { kept.add(other.amounts) }
            spare.add(kept.owed(after: used(position, by: entry.family, at: time, flavours)), times: -1)
        }
        return spare
    }

    fileprivate func moments(_ position: Int, for tenant: ProjectName?, free: Columns) -> [Moment] {
        var made: [Moment] = []
        for entry in bookings.entries[position] where entry.binds(tenant) && made.last?.at != entry.start {
            made.append(Moment(at: entry.start, spare: spare(position, at: entry.start, for: tenant, free: free)))
        }
        return made
    }

    fileprivate mutating func keep(_ made: [Moment], _ position: Int, for tenant: ProjectName?) {
        moments[tenant, default: Array(repeating: nil, count: bookings.nodes.count)][position] = made
    }

    /// What runs of some projects, and those that room is kept for, hold of a node at a time.
    func used(_ position: Int, by family: Set<ProjectName>, at time: Instant, _ flavours: Int) -> Amounts {
        var used = Amounts(flavours: flavours)
        for stay in stays[position] where stay.start <= time && time < stay.end {
            if let project = stay.project, family.contains(project) { used.add(stay.piece) }
        }
        return used
    }
}

extension Ground {
    /// Puts down who stands on the nodes that reservations are about.
    func book(_ bookings: Bookings) {
        var booked = Booked(bookings)
        for (number, run) in load.held.enumerated() {
            for index in load.piecesOfRun[number] {
                booked.add(
                    .init(
                        start: now,
                        end: expectedEnd(run),
                        project: load.tenants[run.tenant],
                        piece: pieces[index],
                        run: number,
                        isKept: false
                    )
                )
            }
        }
        for index in load.piecesOfOthers {
            let end = othersEnd
            booked.add(.init(start: now, end: end, project: nil, piece: pieces[index], run: nil, isKept: false))
        }
        self.booked = booked
    }

    /// Lowers columns to what a job of `tenant` that starts now and ends at `end` may have beside reservations.
    func restrict(_ columns: inout Columns, until end: Instant, for tenant: ProjectName?) {
        guard let bookings = booked?.bookings else { return }
        for (position, node) in bookings.nodes.enumerated() {
            for moment in moments(position, for: tenant) where moment.at < end {
                moment.spare.limit(&columns, at: node)
            }
        }
    }

    /// By time; one for each reservation of others that is not over.
    private func moments(_ position: Int, for tenant: ProjectName?) -> [Booked.Moment] {
        if let known = booked?.moments[tenant]?[position] ?? nil { return known }
        let made = booked?.moments(position, for: tenant, free: free) ?? []
        booked?.keep(made, position, for: tenant)
        return made
    }

    /// The best place in the room that is reserved for a project now; `nil` when not all tasks fit into that.
    func fitReserved(_ demand: Demand, until end: Instant, for tenant: ProjectName?) -> Fit? {
        guard let tenant, let booked else { return nil }
        let isOn = { (entry: Bookings.Entry) in entry.admits(tenant) && entry.isOn(at: self.now) }
        guard booked.bookings.entries.contains(where: { $0.contains(where: isOn) }) else { return nil }
        let usable = usable(until: end, for: tenant)
        let flavours = usable.cards.count
        var columns = Columns()
        columns.cores = Array(repeating: Columns.never, count: usable.count)
        columns.memory = columns.cores
        columns.cards = Array(repeating: Array(repeating: 0, count: usable.count), count: flavours)
        for (position, node) in booked.bookings.nodes.enumerated() {
            let own = booked.bookings.entries[position].filter(isOn)
            guard !own.isEmpty else { continue }
            var kept = Amounts(flavours: flavours)
            for entry in own { kept.add(entry.amounts) }
            let family = own.reduce(into: Set()) { $0.formUnion($1.family) }
            kept = kept.owed(after: booked.used(position, by: family, at: now, flavours))
            kept = kept.merged(Amounts(usable, at: node), min)
            (columns.cores[node], columns.memory[node]) = (kept.cores, kept.memory)
            for flavour in 0..<flavours { columns.cards[flavour][node] = kept.cards[flavour] }
        }
        var fit = columns.fit(demand, plain: make.plain)
        fit?.isReserved = true
        return fit
    }

    /// Takes those nodes out of the columns that are reserved for others at some time before `end`: room is not made by
    /// preemption where a reservation would have it.
    func leaveOutReserved(_ columns: inout Columns, until end: Instant, for tenant: ProjectName?) {
        guard let bookings = booked?.bookings else { return }
        for (position, node) in bookings.nodes.enumerated()
        where bookings.entries[position].contains(where: { $0.start < end && $0.binds(tenant) }) {
            columns.cores[node] = Columns.never
            columns.memory[node] = Columns.never
        }
    }

    /// The reservation of others that keeps a demand from starting now although there is room; `nil` when none does.
    func obstacle(_ demand: Demand, until end: Instant, for tenant: ProjectName?) -> Reservation? {
        guard let bookings = booked?.bookings,
            usableBesideHolds(until: end).tasks(demand) >= demand.tasks,
            usable(until: end, for: tenant).tasks(demand) < demand.tasks
        else { return nil }
        let others = bookings.binding(tenant).filter { $0.startsAt < end }
        return others.first { other in
            var columns = usableBesideHolds(until: end)
            restrict(&columns, until: max(now, other.startsAt) + .milliseconds(1), for: tenant)
            return columns.tasks(demand) < demand.tasks
        }
    }

    /// As ``opening(_:lasting:for:)``, where reservations are in the way: a job that starts must have its room for as
    /// long as it may last.
    ///
    /// - Complexity: O(runs · log runs + nodes), and for each reservation that comes into reach or ends a look at the
    ///   nodes that any is about.
    func openingBesideReservations(
        _ demand: Demand,
        lasting seconds: Int,
        for tenant: ProjectName?
    ) -> (opening: Opening, columns: Columns, beside: Columns)? {
        guard let booked else { preconditionFailure("asked only where something is reserved") }
        let bookings = booked.bookings
        let occupants = sortedOccupants()
        let others = bookings.binding(tenant)
        let ends = Set(others.map(\.endsAt)).sorted()
        var columns = unheld()
        var plain = (0..<columns.count).map { columns.tasks(at: $0, demand) }
        var plainSum = plain.reduce(0, +)
        var limited = plain
        var sum = plainSum
        /// How many reservations a job that starts at a time would meet or see the end of: what follows from them
        /// changes with this.
        func reach(_ time: Instant) -> [Int] {
            let end = time.later(bySeconds: seconds)
            return [others.count { $0.startsAt < end }, others.count { $0.endsAt <= time }]
        }
        func look(_ position: Int, at time: Instant) {
            let node = bookings.nodes[position]
            let end = time.later(bySeconds: seconds)
            var tasks = plain[node]
            for entry in bookings.entries[position]
            where tasks > 0 && entry.start < end && entry.end > time && entry.binds(tenant) {
                let spare = booked.spare(position, at: max(time, entry.start), for: tenant, free: free)
                tasks = min(tasks, spare.tasks(demand))
            }
            sum += tasks - limited[node]
            limited[node] = tasks
        }
        var time = now
        var after: JobID?
        var isPushed = false
        var known = reach(time)
        for position in bookings.nodes.indices { look(position, at: time) }
        var (next, nextEnd) = (0, 0)
        while true {
            if sum >= demand.tasks {
                var beside = columns
                let end = time.later(bySeconds: seconds)
                for (position, node) in bookings.nodes.enumerated() {
                    for entry in bookings.entries[position]
                    where entry.start < end && entry.end > time && entry.binds(tenant) {
                        booked.spare(position, at: max(time, entry.start), for: tenant, free: free)
                            .limit(&beside, at: node)
                    }
                }
                return (Opening(at: time, after: after, isPushed: isPushed), columns, beside)
            }
            if plainSum >= demand.tasks { isPushed = true }
            let candidates = [
                next < occupants.count ? occupants[next].at : nil, nextEnd < ends.count ? ends[nextEnd] : nil,
            ]
            guard let earliest = candidates.compactMap({ $0 }).min() else { return nil }
            time = max(time, earliest)
            after = nil
            var changed: [Int] = []
            while next < occupants.count, occupants[next].at <= time {
                for index in occupants[next].pieces {
                    columns.add(pieces[index])
                    changed.append(pieces[index].node)
                }
                after = occupants[next].job
                next += 1
            }
            while nextEnd < ends.count, ends[nextEnd] <= time { nextEnd += 1 }
            for node in changed {
                let tasks = columns.tasks(at: node, demand)
                plainSum += tasks - plain[node]
                plain[node] = tasks
                if bookings.positions[node] >= 0 {
                    look(bookings.positions[node], at: time)
                } else {
                    sum += tasks - limited[node]
                    limited[node] = tasks
                }
            }
            let fresh = reach(time)
            if fresh != known {
                known = fresh
                for position in bookings.nodes.indices { look(position, at: time) }
            }
        }
    }
}
