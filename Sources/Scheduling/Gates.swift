internal import Core

/// What a centre is made of, without regard to what runs there: nodes of the same make counted together, so that a
/// question about empty centres costs what there are kinds of nodes, not nodes.
struct Shapes {
    /// The kinds of cards of this centre, real ones first, each in order of appearance.
    private(set) var flavours: [Flavour] = []
    private(set) var columns = Columns()
    /// How many nodes of each shape there are, and how many of them are up.
    private(set) var counts: [Int] = []
    private(set) var countsUp: [Int] = []

    init(_ capacity: CentreCapacity) {
        for node in capacity.nodes {
            for group in node.cards where group.count > 0 {
                let flavour = Flavour(model: group.model, emulated: group.emulated)
                if !flavours.contains(flavour) { flavours.append(flavour) }
            }
        }
        flavours = flavours.filter { !$0.emulated } + flavours.filter(\.emulated)
        columns.cards = Array(repeating: [], count: flavours.count)
        var index: [Node.Shape: Int] = [:]
        var previous: (shape: Node.Shape, index: Int)?
        for node in capacity.nodes {
            let shape = Node.Shape(cores: node.cores.count, memory: node.memory.count, cards: node.cards)
            let at: Int
            if let previous, previous.shape == shape {
                at = previous.index
            } else if let known = index[shape] {
                at = known
            } else {
                at = counts.count
                index[shape] = at
                columns.cores.append(shape.cores)
                columns.memory.append(shape.memory)
                for flavour in flavours.indices { columns.cards[flavour].append(count(of: flavour, in: node)) }
                counts.append(0)
                countsUp.append(0)
            }
            previous = (shape, at)
            counts[at] += 1
            if node.schedulable { countsUp[at] += 1 }
        }
    }

    /// How many cards of a flavour a node has.
    func count(of flavour: Int, in node: Node) -> Int64 {
        node.cards.reduce(0) {
            $1.model == flavours[flavour].model && $1.emulated == flavours[flavour].emulated
                ? $0 + Int64($1.count) : $0
        }
    }

    /// The flavours that a request may use, or what stands against all of them. A request without cards gets one
    /// entry, the number of which means nothing.
    func flavours(for request: Request) -> Result<[Int], GateClosed> {
        guard request.resources.cards > 0 else { return .success([0]) }
        guard !flavours.isEmpty else { return .failure(GateClosed(.noCards)) }
        let usable = flavours.indices.filter { !flavours[$0].emulated || request.placement.emulated }
        guard !usable.isEmpty else { return .failure(GateClosed(.onlyEmulated)) }
        let right = usable.filter { request.resources.card == nil || flavours[$0].model == request.resources.card }
        guard !right.isEmpty else {
            var models: [String] = []
            for flavour in usable where !models.contains(flavours[flavour].model) {
                models.append(flavours[flavour].model)
            }
            return .failure(GateClosed(.otherCards(models)))
        }
        return .success(right)
    }
}

extension Node {
    fileprivate struct Shape: Hashable {
        var cores: Int64
        var memory: Int64
        var cards: [CardGroup]
    }
}

/// An obstacle as an error, for `Result`.
struct GateClosed: Error {
    var obstacle: Obstacle
    init(_ obstacle: Obstacle) { self.obstacle = obstacle }
}

/// The gates between a request and a centre, in order. The submission's feasibility and the plan both ask these.
enum Gates {
    /// Every gate between a request and a centre, in order.
    ///
    /// - Returns: The flavours it could run on with the nodes that are up, never none. Of a request without cards the
    ///   entry means nothing.
    static func all(_ request: Request, _ centre: Snapshot.Centre, _ shapes: Shapes?) -> Result<[Int], GateClosed> {
        if let obstacle = placement(request, centre) ?? state(centre) { return .failure(GateClosed(obstacle)) }
        guard let shapes, let capacity = centre.capacity else { return .failure(GateClosed(.notReported)) }
        if case .failure(let closed) = make(request, shapes: shapes, isolates: capacity.isolates, upOnly: false) {
            return .failure(closed)
        }
        return make(request, shapes: shapes, isolates: capacity.isolates, upOnly: true)
    }

    /// Whether the job may go there at all: by name, by tier, and while the centre exists.
    static func placement(_ request: Request, _ centre: Snapshot.Centre) -> Obstacle? {
        if !request.placement.centres.isEmpty, !request.placement.centres.contains(centre.name) { return .notNamed }
        if !request.placement.tiers.isEmpty, !request.placement.tiers.contains(centre.tier) {
            return .tier(centre.tier)
        }
        return centre.state == .removed ? .removed : nil
    }

    /// Whether anybody may start something there now.
    static func state(_ centre: Snapshot.Centre) -> Obstacle? {
        switch centre.state {
        case .removed: return .removed
        case .draining: return .draining
        case .open: break
        }
        if let since = centre.unseenSince { return .unseen(since: since) }
        return centre.capacity == nil ? .notReported : nil
    }

    /// Whether the centre could run it when empty: isolation, emulated cards, card model, node by node.
    ///
    /// - Returns: The flavours it could run on, never none.
    static func make(
        _ request: Request,
        shapes: Shapes,
        isolates: Bool,
        upOnly: Bool
    ) -> Result<[Int], GateClosed> {
        if request.isolation == .required, !isolates { return .failure(GateClosed(.noIsolation)) }
        let flavours: [Int]
        switch shapes.flavours(for: request) {
        case .failure(let closed): return .failure(closed)
        case .success(let allowed): flavours = allowed
        }
        let counts = upOnly ? shapes.countsUp : shapes.counts
        let fitting = flavours.filter {
            let demand = Demand(request, flavour: $0)
            return shapes.columns.tasks(demand, counts: counts) >= demand.tasks
        }
        guard fitting.isEmpty else { return .success(fitting) }
        var worst: Lack?
        for flavour in flavours {
            let lack = shapes.columns.lack(Demand(request, flavour: flavour), counts: counts)
            if worst.map({ lack.ratio > $0.ratio }) ?? true { worst = lack }
        }
        let lack = worst ?? Lack(dimension: .cores, need: request.resources.cores.count, have: 0)
        return .failure(GateClosed(upOnly ? .nodesDown(lack) : .tooSmall(lack)))
    }
}

extension PriceTable {
    /// What an hour of all of a request's tasks costs on cards of a flavour, if it asks for any.
    func perHour(_ request: Request, flavour number: Int, of shapes: Shapes?) -> MicroCredits {
        let flavour = request.resources.cards > 0 ? shapes?.flavours[number] : nil
        let share = NodeShare(
            node: "",
            tasks: request.tasks,
            card: flavour?.model,
            emulated: flavour?.emulated ?? false
        )
        return perHour(resources: request.resources, nodes: [share])
    }
}
