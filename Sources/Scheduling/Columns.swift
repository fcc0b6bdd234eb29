internal import Core

/// The model of a card and whether it is emulated: what one run's cards all have in common.
struct Flavour: Hashable {
    var model: String
    var emulated: Bool
}

/// What a request takes of one kind of node, in plain numbers.
struct Demand: Hashable {
    /// Per task: milli-cores, bytes, cards.
    var cores: Int64
    var memory: Int64
    var cards: Int64
    var tasks: Int
    /// The column of the cards that it takes; meaningless without cards.
    var flavour: Int
    /// The dimension that best fit is measured in.
    var dominant: Dimension

    init(_ request: Request, flavour: Int = 0, dominant: Dimension = .cores) {
        cores = max(0, request.resources.cores.count)
        memory = max(0, request.resources.memory.count)
        cards = Int64(max(0, request.resources.cards))
        tasks = max(1, request.tasks)
        self.flavour = flavour
        self.dominant = dominant
    }
}

/// Amounts of every resource, one entry per node (or per shape of node): columns, because scans of plain integers are
/// what a plan spends its time on.
struct Columns {
    var cores: [Int64] = []
    var memory: [Int64] = []
    /// By flavour, then by node.
    var cards: [[Int64]] = []

    /// So far below zero that nothing given back makes it usable.
    static let never = Int64.min / 4

    var count: Int { cores.count }

    /// How many tasks fit on a node. Only 0 or 1 where one is all that is asked: that saves the divisions.
    @inline(__always)
    func tasks(at node: Int, _ demand: Demand) -> Int {
        guard cores[node] >= demand.cores, memory[node] >= demand.memory else { return 0 }
        if demand.cards > 0, cards[demand.flavour][node] < demand.cards { return 0 }
        if demand.tasks == 1 { return 1 }
        var fit = Int64(demand.tasks) << 20
        if demand.cores > 0 { fit = min(fit, cores[node] / demand.cores) }
        if demand.memory > 0 { fit = min(fit, memory[node] / demand.memory) }
        if demand.cards > 0 { fit = min(fit, cards[demand.flavour][node] / demand.cards) }
        return Int(fit)
    }

    /// How many tasks fit on all nodes; counting may stop once it is enough.
    func tasks(_ demand: Demand, counts: [Int]? = nil) -> Int {
        var sum = 0
        for node in 0..<count {
            sum += tasks(at: node, demand) * (counts?[node] ?? 1)
            if sum >= demand.tasks { return sum }
        }
        return sum
    }

    @inline(__always)
    mutating func add(_ piece: Piece, times sign: Int64 = 1) {
        cores[piece.node] += piece.cores * sign
        memory[piece.node] += piece.memory * sign
        if piece.cards > 0 { cards[piece.flavour][piece.node] += piece.cards * sign }
    }

    func amount(_ dimension: Dimension, at node: Int, flavour: Int) -> Int64 {
        switch dimension {
        case .cores: cores[node]
        case .memory: memory[node]
        case .cards: cards[flavour][node]
        case .tasks, .runs: 0
        }
    }
}

/// What tasks of one run take on one node, together.
struct Piece {
    var node: Int
    var flavour: Int
    var cores: Int64
    var memory: Int64
    var cards: Int64

    init(node: Int, tasks: Int, _ demand: Demand) {
        self.node = node
        flavour = demand.flavour
        cores = demand.cores * Int64(tasks)
        memory = demand.memory * Int64(tasks)
        cards = demand.cards * Int64(tasks)
    }

    init(node: Int, flavour: Int, cores: Int64, memory: Int64, cards: Int64) {
        self.node = node
        self.flavour = flavour
        self.cores = cores
        self.memory = memory
        self.cards = cards
    }
}

/// Where the tasks of a request would stand, and how tight that is.
struct Fit {
    var shares: [(node: Int, tasks: Int)]
    /// Whether a request without cards would stand on a node with cards, which others may need.
    var blocksCards: Bool
    /// What is left of the dominant resource on the nodes used.
    var leftover: Int64
}

extension Columns {
    /// Best fit: for one task the node that it leaves the least on; for a gang the fewest nodes, and for its rest the
    /// tightest. Nodes with cards come last for requests without. `nil` when not all tasks fit.
    ///
    /// - Parameter plain: Whether a node has no cards at all.
    /// - Complexity: O(nodes) for one task, O(nodes · log nodes) for a gang.
    func fit(_ demand: Demand, plain: [Bool]) -> Fit? {
        if demand.tasks == 1 { return fitOne(demand, plain: plain) }
        if demand.cards == 0, plain.contains(true), plain.contains(false),
            let fit = fitGang(demand, where: { plain[$0] }, blocksCards: false)
        {
            return fit
        }
        return fitGang(demand, where: { _ in true }, blocksCards: demand.cards == 0 && plain.contains(false))
    }

    /// How good a node is for one task: the smaller the better.
    struct Rank {
        var node: Int
        /// Whether a request without cards would stand on a node with cards.
        var blocks: Bool
        /// What there is of the dominant resource, and of the other one.
        var left: Int64
        var other: Int64

        /// Of equal ones the first goes first.
        @inline(__always)
        func isBetter(than other: Rank) -> Bool {
            if blocks != other.blocks { return !blocks }
            if left != other.left { return left < other.left }
            return self.other != other.other ? self.other < other.other : node < other.node
        }
    }

    /// `nil` where one task does not fit.
    @inline(__always)
    func rank(_ node: Int, _ demand: Demand, plain: [Bool]) -> Rank? {
        guard cores[node] >= demand.cores, memory[node] >= demand.memory else { return nil }
        var left = demand.dominant == .memory ? memory[node] : cores[node]
        if demand.cards > 0 {
            let cards = cards[demand.flavour][node]
            guard cards >= demand.cards else { return nil }
            if demand.dominant == .cards { left = cards }
        }
        return Rank(
            node: node,
            blocks: demand.cards == 0 && !plain[node],
            left: left,
            other: demand.dominant == .cores ? memory[node] : cores[node]
        )
    }

    /// The best of some nodes, in order, for one task.
    @inline(__always)
    func best(of nodes: some Sequence<Int>, _ demand: Demand, plain: [Bool], besides known: Rank? = nil) -> Rank? {
        var best = known
        let (cores, memory) = (cores.span, memory.span)
        for node in nodes where cores[node] >= demand.cores && memory[node] >= demand.memory {
            guard let rank = rank(node, demand, plain: plain) else { continue }
            if best.map({ rank.isBetter(than: $0) }) ?? true { best = rank }
        }
        return best
    }

    private func fitOne(_ demand: Demand, plain: [Bool]) -> Fit? {
        best(of: 0..<count, demand, plain: plain).map { Fit($0, demand) }
    }

    private func fitGang(_ demand: Demand, where allowed: (Int) -> Bool, blocksCards: Bool) -> Fit? {
        var room: [(node: Int, tasks: Int)] = []
        var sum = 0
        for node in 0..<count where allowed(node) {
            let tasks = tasks(at: node, demand)
            guard tasks > 0 else { continue }
            room.append((node, tasks))
            sum += tasks
        }
        guard sum >= demand.tasks else { return nil }
        room.sort { ($1.tasks, $0.node) < ($0.tasks, $1.node) }
        var shares: [(node: Int, tasks: Int)] = []
        var left = demand.tasks
        var leftover: Int64 = 0
        for (index, next) in room.enumerated() {
            var chosen = next
            if next.tasks >= left {
                // The rest fits here: take the tightest node that still holds it, the first of its size.
                let last = room[index...].lastIndex { $0.tasks >= left } ?? index
                let size = room[last].tasks
                chosen = room[room[index...].firstIndex { $0.tasks == size } ?? last]
            }
            let tasks = min(left, chosen.tasks)
            shares.append((chosen.node, tasks))
            leftover +=
                amount(demand.dominant, at: chosen.node, flavour: demand.flavour)
                - demand.amount(demand.dominant) * Int64(tasks)
            left -= tasks
            if left == 0 { break }
        }
        return Fit(shares: shares, blocksCards: blocksCards, leftover: leftover)
    }

    /// How near a node comes to holding one task: the smallest of the ratios of what is there to what is needed.
    struct Nearest {
        var node: Int
        var dimension: Dimension
        var ratio: Double

        /// Of equal ones the first goes first.
        func isNearer(than other: Nearest) -> Bool {
            ratio != other.ratio ? ratio > other.ratio : node < other.node
        }

        /// Who has less of what so much is needed of comes less near, whatever the rounding.
        func least(_ need: Int64) -> Int64 { need > 0 ? Int64(ratio * Double(min(need, 1 << 60))) - 1024 : .min }
    }

    func nearness(_ node: Int, _ demand: Demand) -> Nearest {
        var dimension = Dimension.cores
        var ratio = 1.0
        func consider(_ candidate: Dimension, _ have: Int64, _ need: Int64) {
            guard need > 0, have < need else { return }
            let value = Double(max(0, have)) / Double(need)
            if value < ratio { (ratio, dimension) = (value, candidate) }
        }
        if demand.cards > 0 { consider(.cards, cards[demand.flavour][node], demand.cards) }
        consider(.cores, cores[node], demand.cores)
        consider(.memory, memory[node], demand.memory)
        if cores[node] < 0 || memory[node] < 0 { ratio = 0 }
        return Nearest(node: node, dimension: dimension, ratio: ratio)
    }

    /// The node of some, in order, that comes nearest to holding one task. `nil` without nodes.
    func nearest(of nodes: some Sequence<Int>, _ demand: Demand, besides known: Nearest? = nil) -> Nearest? {
        var best = known
        // Most nodes have too little of something, or the same as the one before: that is seen without a division.
        var least = best.map { ($0.least(demand.cores), $0.least(demand.memory)) } ?? (Int64.min, Int64.min)
        let (cores, memory) = (cores.span, memory.span)
        let cards = demand.cards > 0 ? cards[demand.flavour] : []
        var previous = (cores: Int64.min, memory: Int64.min, cards: Int64.min)
        for node in nodes {
            let here = (cores: cores[node], memory: memory[node], cards: cards.isEmpty ? 0 : cards[node])
            if here.cores < least.0 || here.memory < least.1 || here == previous { continue }
            previous = here
            let nearness = nearness(node, demand)
            if best.map({ nearness.isNearer(than: $0) }) ?? true {
                best = nearness
                least = (nearness.least(demand.cores), nearness.least(demand.memory))
            }
        }
        return best
    }

    func nearest(_ demand: Demand) -> Nearest? { nearest(of: 0..<count, demand) }

    /// What is missing for a demand that does not fit.
    func lack(_ demand: Demand, counts: [Int]? = nil) -> Lack {
        let tasks = demand.tasks > 1 ? tasks(demand, counts: counts) : 0
        if tasks > 0 { return Lack(dimension: .tasks, need: Int64(demand.tasks), have: Int64(tasks)) }
        return lack(demand, nearest: nearest(demand))
    }

    /// What one task lacks on the node that comes nearest to holding it.
    private func lack(_ demand: Demand, nearest: Nearest?) -> Lack {
        guard let nearest else { return Lack(dimension: .cores, need: demand.cores, have: 0) }
        let have = amount(nearest.dimension, at: nearest.node, flavour: demand.flavour)
        return Lack(dimension: nearest.dimension, need: demand.amount(nearest.dimension), have: max(0, have))
    }

    /// The most like `request` that would fit: fewer tasks when one fits at all, else a smaller task.
    ///
    /// - Returns: The request and the smallest ratio of what it keeps; `nil` when some resource is wholly absent.
    func shrink(_ request: Request, _ demand: Demand, counts: [Int]? = nil) -> (request: Request, ratio: Double)? {
        var smaller = request
        var demand = demand
        var ratio = 1.0
        if tasks(demand, counts: counts) == 0 {
            guard let node = nearest(demand)?.node else { return nil }
            func keep(_ have: Int64, _ need: Int64, _ round: (Int64) -> Int64 = { $0 }) -> Int64 {
                guard need > 0, have < need else { return need }
                let kept = round(max(0, have))
                ratio = min(ratio, Double(kept) / Double(need))
                return kept
            }
            smaller.resources.cores = MilliCores(keep(cores[node], demand.cores, Self.roundDown(cores:)))
            smaller.resources.memory = Bytes(keep(memory[node], demand.memory, Self.roundDown(memory:)))
            if demand.cards > 0 { smaller.resources.cards = Int(keep(cards[demand.flavour][node], demand.cards)) }
            guard ratio > 0 else { return nil }
            demand = Demand(smaller, flavour: demand.flavour, dominant: demand.dominant)
        }
        let tasks = tasks(demand, counts: counts)
        guard tasks > 0 else { return nil }
        if tasks < demand.tasks {
            smaller.tasks = tasks
            ratio = min(ratio, Double(tasks) / Double(demand.tasks))
        }
        return (smaller, ratio)
    }

    /// To whole cores, and tenths below one: what a person would write.
    private static func roundDown(cores: Int64) -> Int64 {
        cores >= 1000 ? cores / 1000 * 1000 : cores / 100 * 100
    }

    /// To what prints exactly with one decimal: whole GiB from 4, halves from 1, MiB below.
    private static func roundDown(memory: Int64) -> Int64 {
        let step: Int64 = memory >= 4 << 30 ? 1 << 30 : memory >= 1 << 30 ? 1 << 29 : 1 << 20
        return memory / step * step
    }
}

extension Columns {
    /// The best place for a demand, or what is missing.
    func answer(_ demand: Demand, plain: [Bool]) -> Load.Answer {
        guard demand.tasks == 1 else {
            let fit = fit(demand, plain: plain)
            return Load.Answer(fit: fit, lack: fit == nil ? lack(demand) : nil)
        }
        return answer(demand, best(of: 0..<count, demand, plain: plain)) { nearest(demand) }
    }

    private func answer(_ demand: Demand, _ rank: Rank?, nearest: () -> Nearest?) -> Load.Answer {
        if let rank { return Load.Answer(fit: Fit(rank, demand), rank: rank) }
        let nearest = nearest()
        return Load.Answer(lack: lack(demand, nearest: nearest), nearest: nearest)
    }

    /// An answer that was right before some nodes changed, put right by a look at those.
    ///
    /// - Returns: `nil` where only a look at all nodes can tell.
    func renewed(_ known: Load.Answer, _ demand: Demand, changed: [Int], plain: [Bool]) -> Load.Answer? {
        guard demand.tasks == 1 else { return changed.isEmpty ? known : nil }
        if let rank = known.rank {
            guard changed.contains(rank.node) else {
                return answer(demand, best(of: changed, demand, plain: plain, besides: rank)) { nil }
            }
            // Where the best node has become worse, one of those that have not changed may be better now.
            guard let now = self.rank(rank.node, demand, plain: plain), !rank.isBetter(than: now) else { return nil }
            return answer(demand, best(of: changed, demand, plain: plain)) { nil }
        }
        if let rank = best(of: changed, demand, plain: plain) { return answer(demand, rank) { nil } }
        guard let nearest = known.nearest else { return nil }
        guard changed.contains(nearest.node) else {
            return answer(demand, nil) { self.nearest(of: changed, demand, besides: nearest) }
        }
        if nearest.isNearer(than: nearness(nearest.node, demand)) { return nil }
        return answer(demand, nil) { self.nearest(of: changed, demand) }
    }
}

extension Fit {
    init(_ rank: Columns.Rank, _ demand: Demand) {
        self.init(
            shares: [(rank.node, 1)],
            blocksCards: rank.blocks,
            leftover: rank.left - demand.amount(demand.dominant)
        )
    }
}

extension Demand {
    /// Of one task.
    func amount(_ dimension: Dimension) -> Int64 {
        switch dimension {
        case .cores: cores
        case .memory: memory
        case .cards: cards
        case .tasks: Int64(tasks)
        case .runs: 1
        }
    }
}
