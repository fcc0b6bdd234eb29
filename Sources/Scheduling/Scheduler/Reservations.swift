/// What conservative backfill knows beside the sites: when and where every waiting job is to start.
struct Reservations {
    struct Reservation {
        var site: Int32
        var start: Int64
        var end: Int64
        var stands: [Stand]
    }

    /// Room that has come free, which somebody might use to start earlier.
    struct Hole {
        var site: Int32
        /// -1 for every node.
        var node: Int32
        /// Who starts from here on has no use of it.
        var to: Int64
    }

    /// By site; empty under other rules.
    private(set) var timetables: [Timetable]
    /// By job.
    private var booked: [Reservation?] = []
    /// Every waiting job, in the order in which they are asked.
    private(set) var queue = ClassQueue()
    /// Waiting jobs without a reservation: that came since the last pass, or that have lost theirs.
    var unbooked: [Int32] = []
    /// When reservations fall due; some of them are no more.
    private var dues = EndHeap()
    /// Since the last pass.
    var holes: [Hole] = []
    /// When something was last heard of.
    private(set) var clock = Int64.min
    /// Counts what changes in the timetables.
    private(set) var revision = 0
    /// By class: the revision at which none of its jobs could use any of the holes.
    private var hopelessAt: [Int] = []

    init(_ sites: [Site], _ states: NodeStates, rules: Rules) {
        timetables = rules.promises == .everybody ? sites.map { Timetable($0, states) } : []
    }

    var isInUse: Bool { !timetables.isEmpty }

    subscript(job: Int32) -> Reservation? { Int(job) < booked.count ? booked[Int(job)] : nil }

    mutating func advance(to now: Int64) { clock = max(clock, now) }

    // MARK: the queue

    mutating func come(_ entry: ClassQueue.Entry) {
        queue.insert(entry)
        unbooked.append(entry.job)
    }

    mutating func leave(_ entry: ClassQueue.Entry) { queue.remove(entry) }

    // MARK: reservations

    mutating func book(_ job: Int32, _ need: Need, _ new: Reservation, now: Int64) {
        for stand in new.stands {
            timetables[Int(new.site)].take(
                job,
                stand.room(need),
                node: stand.node,
                from: new.start,
                to: new.end,
                now: now
            )
        }
        while booked.count <= Int(job) { booked.append(nil) }
        booked[Int(job)] = new
        if new.start > now { dues.push(new.start, job) }
        revision += 1
    }

    /// A job loses its reservation, and others may use the room.
    ///
    /// - Returns: That room.
    @discardableResult
    mutating func release(_ job: Int32, _ need: Need, now: Int64) -> [Hole] {
        guard let old = self[job] else { return [] }
        var made: [Hole] = []
        for stand in old.stands {
            timetables[Int(old.site)].giveBack(
                job,
                stand.room(need),
                node: stand.node,
                from: old.start,
                to: old.end,
                now: now
            )
            made.append(Hole(site: old.site, node: stand.node, to: max(old.end, now + 1)))
        }
        for hole in made { open(hole) }
        booked[Int(job)] = nil
        return made
    }

    /// The jobs that are booked at a site.
    func booked(at site: Int32) -> [Int32] {
        booked.indices.filter { booked[$0]?.site == site }.map { Int32($0) }
    }

    /// A job starts as it was booked: its room stays taken.
    mutating func start(_ job: Int32) { booked[Int(job)] = nil }

    /// The next reservation that has fallen due.
    mutating func due(at now: Int64) -> Int32? {
        while let first = dues.first, first <= now, let due = dues.pop() {
            if self[due.number]?.start == first { return due.number }
        }
        return nil
    }

    // MARK: runs

    /// A run that was given its place by somebody else.
    mutating func hold(_ job: Int32, _ need: Need, _ stands: [Stand], site: Int32, from: Int64, to: Int64) {
        for stand in stands {
            timetables[Int(site)].take(job, stand.room(need), node: stand.node, from: from, to: to, now: from)
        }
        revision += 1
    }

    /// A run is over, or goes on after its end: until `later`.
    mutating func move(
        _ job: Int32,
        _ need: Need,
        _ stands: [Stand],
        site: Int32,
        end: Int64,
        to later: Int64?,
        now: Int64
    ) {
        for stand in stands {
            let room = stand.room(need)
            timetables[Int(site)].giveBack(job, room, node: stand.node, from: .min, to: end, now: now)
            if let later {
                timetables[Int(site)].take(job, room, node: stand.node, from: .min, to: later, now: now)
            } else {
                // Also what was expected to be free is so only now.
                open(Hole(site: site, node: stand.node, to: max(end, now + 1)))
            }
        }
        revision += 1
    }

    mutating func open(_ hole: Hole) {
        revision += 1
        holes.add(hole)
    }

    // MARK: what was found out

    func isHopeless(_ number: Int) -> Bool { number < hopelessAt.count && hopelessAt[number] == revision }

    mutating func giveUp(_ number: Int) {
        while hopelessAt.count <= number { hopelessAt.append(-1) }
        hopelessAt[number] = revision
    }
}

extension [Reservations.Hole] {
    mutating func add(_ hole: Element) {
        if let known = firstIndex(where: { $0.site == hole.site && $0.node == hole.node }) {
            self[known].to = Swift.max(self[known].to, hole.to)
        } else {
            append(hole)
        }
    }
}

extension Stand {
    func room(_ need: Need) -> Timetable.Room {
        Timetable.Room(isRest ? need.rest : need.one, tasks: tasks)
    }
}
