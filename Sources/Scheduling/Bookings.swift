internal import Core

/// An amount of every resource on one node.
struct Amounts {
    var cores: Int64 = 0
    var memory: Int64 = 0
    /// By flavour.
    var cards: [Int64]

    init(flavours: Int) { cards = Array(repeating: 0, count: flavours) }

    init(_ columns: Columns, at node: Int) {
        (cores, memory) = (columns.cores[node], columns.memory[node])
        cards = columns.cards.map { $0[node] }
    }

    mutating func add(_ piece: Piece, times sign: Int64 = 1) {
        cores += piece.cores * sign
        memory += piece.memory * sign
        if piece.cards > 0 { cards[piece.flavour] += piece.cards * sign }
    }

    mutating func add(_ other: Amounts, times sign: Int64 = 1) {
        cores += other.cores * sign
        memory += other.memory * sign
        for flavour in cards.indices { cards[flavour] += other.cards[flavour] * sign }
    }

    /// By each resource the larger, or the smaller, of two.
    func merged(_ other: Amounts, _ choose: (Int64, Int64) -> Int64) -> Amounts {
        var merged = self
        merged.cores = choose(cores, other.cores)
        merged.memory = choose(memory, other.memory)
        for flavour in cards.indices { merged.cards[flavour] = choose(cards[flavour], other.cards[flavour]) }
        return merged
    }

    /// What is left of it once `used` of it is taken; never less than nothing.
    func owed(after used: Amounts) -> Amounts { merged(used) { max(0, $0 - $1) } }

    /// Whether it holds all of another.
    func holds(_ other: Amounts) -> Bool {
        cores >= other.cores && memory >= other.memory && zip(cards, other.cards).allSatisfy { $0 >= $1 }
    }

    /// As ``Columns/tasks(at:_:)`` counts them.
    func tasks(_ demand: Demand) -> Int {
        guard cores >= demand.cores, memory >= demand.memory else { return 0 }
        if demand.cards > 0, cards[demand.flavour] < demand.cards { return 0 }
        if demand.tasks == 1 { return 1 }
        var fit = Int64(demand.tasks) << 20
        if demand.cores > 0 { fit = min(fit, cores / demand.cores) }
        if demand.memory > 0 { fit = min(fit, memory / demand.memory) }
        if demand.cards > 0 { fit = min(fit, cards[demand.flavour] / demand.cards) }
        return Int(fit)
    }

    /// Lowers what a node has in the columns to this.
    func limit(_ columns: inout Columns, at node: Int) {
        columns.cores[node] = min(columns.cores[node], cores)
        columns.memory[node] = min(columns.memory[node], memory)
        for flavour in columns.cards.indices {
            columns.cards[flavour][node] = min(columns.cards[flavour][node], cards[flavour])
        }
    }

    static func never(flavours: Int) -> Amounts {
        var amounts = Amounts(flavours: flavours)
        (amounts.cores, amounts.memory) = (Columns.never, Columns.never)
        return amounts
    }
}

/// What reservations in advance keep at one centre, node by node, from now on.
struct Bookings {
    /// What one of them keeps on one node.
    struct Entry {
        var project: ProjectName?
        /// The project and all below it; none for maintenance.
        var family: Set<ProjectName>
        var start: Instant
        var end: Instant
        var amounts: Amounts
        /// Nobody else gets anything of the node, whatever it has.
        var isWhole: Bool

        /// Whether it keeps its room from jobs of a project; `nil` is one for which nothing is reserved.
        func binds(_ tenant: ProjectName?) -> Bool { !admits(tenant) }

        func admits(_ tenant: ProjectName?) -> Bool { tenant.map(family.contains) ?? false }

        func isOn(at time: Instant) -> Bool { start <= time && time < end }
    }

    /// By start.
    let reservations: [Reservation]
    /// The nodes that any of them is about, in order.
    private(set) var nodes: [Int] = []
    /// By node: where it stands among `nodes`; -1 for the others.
    private(set) var positions: [Int]
    /// By position, then by start.
    private(set) var entries: [[Entry]] = []

    private let families: [ProjectName: Set<ProjectName>]

    /// - Parameter families: Of the projects that something is reserved for.
    /// - Returns: `nil` when nothing is kept any more.
    init?(
        _ reservations: [Reservation],
        on make: Make,
        families: [ProjectName: Set<ProjectName>],
        now: Instant
    ) {
        self.families = families
        let live = reservations.filter { $0.endsAt > now }.sorted { ($0.startsAt, $0.name) < ($1.startsAt, $1.name) }
        guard !live.isEmpty else { return nil }
        self.reservations = live
        var found: [Int: [Entry]] = [:]
        for reservation in live {
            for (node, amounts, isWhole) in Self.shares(reservation.shares, on: make) {
                found[node, default: []].append(
                    Entry(
                        project: reservation.project,
                        family: reservation.project.flatMap { families[$0] } ?? [],
                        start: max(now, reservation.startsAt),
                        end: reservation.endsAt,
                        amounts: amounts,
                        isWhole: isWhole
                    )
                )
            }
        }
        positions = Array(repeating: -1, count: make.nodes.count)
        for (position, node) in found.keys.sorted().enumerated() {
            nodes.append(node)
            positions[node] = position
            entries.append(found[node] ?? [])
        }
    }

    /// What a reservation keeps on which nodes; nodes that the centre does not have any more are left out.
    static func shares(
        _ shares: [Reservation.Share]?,
        on make: Make
    ) -> [(node: Int, amounts: Amounts, isWhole: Bool)] {
        guard let shares else {
            return make.nodes.indices.map { ($0, whole($0, of: make), true) }
        }
        return shares.compactMap { share in
            guard let node = make.index[share.node] else { return nil }
            guard let amount = share.amount else { return (node, whole(node, of: make), true) }
            var amounts = Amounts(flavours: make.shapes.flavours.count)
            (amounts.cores, amounts.memory) = (amount.cores.count, amount.memory.count)
            if amount.cards > 0, let card = amount.card,
                let flavour = make.shapes.flavours.firstIndex(of: Flavour(model: card, emulated: amount.emulated))
            {
                amounts.cards[flavour] = Int64(amount.cards)
            }
            return (node, amounts, false)
        }
    }

    /// All that a node has, up or not.
    static func whole(_ node: Int, of make: Make) -> Amounts {
        var amounts = Amounts(flavours: make.shapes.flavours.count)
        (amounts.cores, amounts.memory) = (make.nodes[node].cores.count, make.nodes[node].memory.count)
        for flavour in amounts.cards.indices {
            amounts.cards[flavour] = make.shapes.count(of: flavour, in: make.nodes[node])
        }
        return amounts
    }

    func binding(_ tenant: ProjectName?) -> [Reservation] {
        reservations.filter { reservation in
            guard let project = reservation.project, let tenant else { return true }
            return families[project]?.contains(tenant) != true
        }
    }
}
