internal import Core

/// Room that is kept for a blocked job from a time on.
struct Hold {
    var job: JobID
    var start: Instant
    var pieces: [Piece]
    /// What its nodes will have beside it at `start`: entry `i` belongs to `pieces[i]`'s node.
    var spare: Columns
}

/// When a demand fits a centre.
struct Opening {
    var at: Instant
    /// The job whose end makes it possible; `nil` when it fits now, or when a reservation's end does.
    var after: JobID?
    /// Whether there would have been room earlier, but for reservations.
    var isPushed = false
}

/// One centre while a plan is made: what is free now, what becomes free when, and for whom room is kept.
///
/// A class because the planner holds one for each centre and looks at them all the time: a struct in an array would be
/// copied, with all its columns' counts, at every look. It never leaves the call that made it.
final class Ground {
    /// A live or just placed run and when it is expected to be gone.
    struct Occupant {
        var at: Instant
        /// `nil` for others than us.
        var job: JobID?
        var pieces: Range<Int>
        /// Index into the centre's runs; `nil` for what this plan placed.
        var run: Int?
    }

    let make: Make
    let load: Load
    let now: Instant
    private let policy: Policy
    /// Nodes that are not schedulable have less than nothing.
    private(set) var free: Columns
    /// What this plan has placed, and once somebody has asked also the runs.
    private var known: [Occupant] = []
    private var knowsRuns = false
    private(set) var pieces: [Piece]
    private(set) var holds: [Hold] = []
    /// How many holds are the policy's own, not made by preemption.
    private(set) var reservations = 0
    /// Which of the centre's runs are on their way out.
    private(set) var stopping: [Bool]
    /// Counts changes, so that what was found out before one is known to be old.
    private(set) var version = 0
    private var isSorted = false
    /// What this plan has placed or kept something on, and what reservations are about, is marked.
    private var alike: Alike
    /// What was usable at a version beside holds, and which of them counted.
    private var usable: (version: Int, holds: [Int], columns: Columns)?
    /// `nil` where nothing is reserved in advance.
    var booked: Booked?

    /// - Parameter families: Of the projects that something is reserved for here.
    init(
        _ centre: Snapshot.Centre,
        _ make: Make,
        _ load: Load,
        families: [ProjectName: Set<ProjectName>],
        now: Instant,
        policy: Policy
    ) {
        self.make = make
        self.load = load
        self.now = now
        self.policy = policy
        free = load.free
        pieces = load.pieces
        alike = load.alike
        stopping = load.held.map(\.stopping)
        if !centre.reservations.isEmpty,
            let bookings = Bookings(centre.reservations, on: make, families: families, now: now)
        {
            book(bookings)
            for node in bookings.nodes { alike.mark(node) }
        }
    }

    /// The same, to be changed apart.
    init(_ other: Ground) {
        (make, load, now) = (other.make, other.load, other.now)
        (policy, free) = (other.policy, other.free)
        (known, knowsRuns, isSorted) = (other.known, other.knowsRuns, other.isSorted)
        (pieces, holds, reservations) = (other.pieces, other.holds, other.reservations)
        (stopping, version, alike, booked) = (other.stopping, other.version, other.alike, other.booked)
    }

    /// The runs and what this plan has placed: made when first asked for, since most plans place and look no further.
    var occupants: [Occupant] {
        if !knowsRuns {
            knowsRuns = true
            isSorted = false
            known.reserveCapacity(known.count + load.byLimit.count)
            for number in load.byLimit {
                let run = load.held[number]
                known.append(
                    Occupant(at: expectedEnd(run), job: run.job, pieces: load.piecesOfRun[number], run: number)
                )
            }
            if !load.piecesOfOthers.isEmpty {
                known.append(Occupant(at: othersEnd, job: nil, pieces: load.piecesOfOthers, run: nil))
            }
        }
        return known
    }

    /// When what others hold is expected to be theirs no more.
    var othersEnd: Instant { now + .seconds(policy.othersHorizonSeconds) }

    /// By its time limit, or its grace period once it was asked to stop; never in the past.
    func expectedEnd(_ run: Load.Held) -> Instant {
        let limit = run.limitEnd > now ? run.limitEnd : now + .seconds(policy.overrunGraceSeconds)
        return run.stopping ? min(limit, now + .seconds(run.gracePeriodSeconds)) : limit
    }

    /// The best place for a demand when the cycle began, or what was missing then.
    func initially(_ demand: Demand) -> Load.Answer { load.answer(demand, on: make) }

    /// The best place now for a demand that lasts until `end`.
    ///
    /// - Parameter tenant: The project whose jobs may also use what is reserved for it.
    func fit(_ demand: Demand, until end: Instant, for tenant: ProjectName?) -> Fit? {
        guard let first = initially(demand).fit else { return nil }
        if version == 0, booked == nil { return first }
        return fitReserved(demand, until: end, for: tenant)
            ?? usable(until: end, for: tenant).fit(demand, plain: make.plain, leaders: alike.leaders)
    }

    /// The best place for a demand that lasts until `end` if others than us held nothing here; what waits there already has
    /// its place.
    func fitBesideUs(_ demand: Demand, until end: Instant, for tenant: ProjectName?) -> Fit? {
        guard !load.piecesOfOthers.isEmpty else { return nil }
        var columns = usable(until: end, for: tenant)
        for piece in pieces[load.piecesOfOthers] { columns.add(piece) }
        return columns.fit(demand, plain: make.plain)
    }

    /// What is missing now for a demand, whatever is kept.
    func lack(_ demand: Demand) -> Lack { free.lack(demand, leaders: alike.leaders) }

    /// What a request that lasts until `end` may use: what is free, less what holds and reservations for others that begin
    /// before `end` need.
    func usable(until end: Instant, for tenant: ProjectName?) -> Columns {
        var columns = usableBesideHolds(until: end)
        restrict(&columns, until: end, for: tenant)
        return columns
    }

    /// The same, but for reservations.
    func usableBesideHolds(until end: Instant) -> Columns {
        let counting = holds.indices.filter { holds[$0].start < end }
        guard !counting.isEmpty else { return free }
        if let usable, usable.version == version, usable.holds == counting { return usable.columns }
        var columns = free
        for hold in counting {
            for (index, piece) in holds[hold].pieces.enumerated() {
                let node = piece.node
                columns.cores[node] = min(columns.cores[node], holds[hold].spare.cores[index])
                columns.memory[node] = min(columns.memory[node], holds[hold].spare.memory[index])
                for flavour in columns.cards.indices {
                    columns.cards[flavour][node] =
                        min(columns.cards[flavour][node], holds[hold].spare.cards[flavour][index])
                }
            }
        }
        usable = (version, counting, columns)
        return columns
    }

    /// Writes down that a job starts now and stays until `end`.
    func take(_ taken: [Piece], job: JobID, of project: ProjectName, until end: Instant) {
        let lower = pieces.count
        // A copy kept of it would be made anew by the change.
        usable = nil
        for piece in taken {
            free.add(piece, times: -1)
            pieces.append(piece)
            alike.mark(piece.node)
            booked?.add(.init(start: now, end: end, project: project, piece: piece, run: nil, isKept: false))
        }
        known.append(Occupant(at: end, job: job, pieces: lower..<pieces.count, run: nil))
        for hold in holds.indices where holds[hold].start < end {
            for piece in taken {
                for index in holds[hold].pieces.indices where holds[hold].pieces[index].node == piece.node {
                    holds[hold].spare.cores[index] -= piece.cores
                    holds[hold].spare.memory[index] -= piece.memory
                    if piece.cards > 0 { holds[hold].spare.cards[piece.flavour][index] -= piece.cards }
                }
            }
        }
        isSorted = false
        version += 1
    }

    /// Keeps room for a job from `start` on. `columns`: what there will be then, the job's own pieces included. What
    /// preemption made room for comes on top of the policy's number.
    func hold(_ kept: [Piece], for job: QueuedJob, from start: Instant, of columns: Columns, byPreemption: Bool) {
        for piece in kept {
            let end = start.later(bySeconds: job.request.timeLimitSeconds)
            booked?.add(.init(start: start, end: end, project: job.project, piece: piece, run: nil, isKept: true))
        }
        var spare = Columns()
        spare.cores = kept.map { columns.cores[$0.node] - $0.cores }
        spare.memory = kept.map { columns.memory[$0.node] - $0.memory }
        spare.cards = columns.cards.indices.map { flavour in
            kept.map { columns.cards[flavour][$0.node] - ($0.flavour == flavour ? $0.cards : 0) }
        }
        holds.append(Hold(job: job.id, start: start, pieces: kept, spare: spare))
        if !byPreemption { reservations += 1 }
        for piece in kept { alike.mark(piece.node) }
        version += 1
    }

    /// A run was asked to stop in this plan and is gone at `end`.
    func stop(run: Int, by end: Instant) {
        stopping[run] = true
        if let index = occupants.firstIndex(where: { $0.run == run }) { known[index].at = min(known[index].at, end) }
        booked?.stop(run: run, by: end)
        isSorted = false
        version += 1
    }

    /// What is free now less all that is kept for anybody before `end`: careful, and simple.
    func unheld(until end: Instant = Instant(milliseconds: .max)) -> Columns {
        var columns = free
        for hold in holds where hold.start < end {
            for piece in hold.pieces { columns.add(piece, times: -1) }
        }
        return columns
    }

    /// The earliest time at which a demand fits beside everything that runs and is kept or reserved, when runs end as
    /// expected.
    ///
    /// - Complexity: Of one task that fits nowhere now O(runs that end before), where nothing is reserved; else O(nodes)
    ///   more. The sorting is shared by all requests of a plan.
    func opening(_ demand: Demand, lasting seconds: Int, for tenant: ProjectName?) -> Opening? {
        if booked != nil { return openingBesideReservations(demand, lasting: seconds, for: tenant)?.opening }
        if demand.tasks == 1, initially(demand).fit == nil {
            var gains: [Int: Piece] = [:]
            return ending { piece in
                var gain = gains[piece.node] ?? Piece(node: piece.node, flavour: demand.flavour)
                gain.add(piece)
                if fits(demand, on: gain) { return true }
                gains[piece.node] = gain
                return false
            }
        }
        var columns = unheld()
        var sum = 0
        for node in 0..<columns.count { sum += columns.tasks(at: node, demand) }
        if sum >= demand.tasks { return Opening(at: now) }
        return ending { piece in
            sum -= columns.tasks(at: piece.node, demand)
            columns.add(piece)
            sum += columns.tasks(at: piece.node, demand)
            return sum >= demand.tasks
        }
    }

    /// What is free at an opening, and what of that a job may have that lasts so long.
    func room(
        at opening: Opening,
        _ demand: Demand,
        lasting seconds: Int,
        for tenant: ProjectName?
    ) -> (columns: Columns, beside: Columns)? {
        if booked != nil {
            return openingBesideReservations(demand, lasting: seconds, for: tenant).map { ($0.columns, $0.beside) }
        }
        var columns = unheld()
        for occupant in occupants where occupant.at <= opening.at {
            for index in occupant.pieces { columns.add(pieces[index]) }
        }
        return (columns, columns)
    }

    /// By when they are expected to be gone; the sorting is shared by all requests of a plan.
    func sortedOccupants() -> [Occupant] {
        if !isSorted || !knowsRuns {
            known = occupants.sorted { a, b in
                guard let first = a.job, let second = b.job else { return a.at < b.at || a.at == b.at && a.job == nil }
                return (a.at, first) < (b.at, second)
            }
            isSorted = true
        }
        return known
    }

    /// When runs have given back enough, and the last one of those that end then.
    private func ending(_ isEnough: (Piece) -> Bool) -> Opening? {
        var end: Opening?
        for occupant in sortedOccupants() {
            if let end, occupant.at > end.at { return end }
            if end != nil {
                end?.after = occupant.job
                continue
            }
            for index in occupant.pieces where isEnough(pieces[index]) {
                end = Opening(at: occupant.at, after: occupant.job)
            }
        }
        return end
    }

    /// Whether one task fits on a node that is given something back, beside what is kept there.
    private func fits(_ demand: Demand, on gain: Piece) -> Bool {
        var room = gain
        for hold in holds {
            for piece in hold.pieces where piece.node == gain.node { room.add(piece, times: -1) }
        }
        let node = gain.node
        return free.cores[node] + room.cores >= demand.cores && free.memory[node] + room.memory >= demand.memory
            && (demand.cards == 0 || free.cards[demand.flavour][node] + room.cards >= demand.cards)
    }
}

extension Piece {
    /// Nothing, of a node and a kind of cards.
    init(node: Int, flavour: Int) {
        self.init(node: node, flavour: flavour, cores: 0, memory: 0, cards: 0)
    }

    /// Adds what another takes, as far as its cards are of the same kind.
    fileprivate mutating func add(_ other: Piece, times sign: Int64 = 1) {
        cores += other.cores * sign
        memory += other.memory * sign
        if other.flavour == flavour { cards += other.cards * sign }
    }
}
