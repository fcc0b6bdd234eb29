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

    /// Whether nodes have the same of everything.
    @inline(__always)
    func isSame(_ a: Int, _ b: Int) -> Bool {
        guard cores[a] == cores[b], memory[a] == memory[b] else { return false }
        for flavour in cards.indices where cards[flavour][a] != cards[flavour][b] { return false }
        return true
    }

    @inline(__always)
    mutating func add(_ piece: Piece, times sign: Int64 = 1) {
        cores[piece.node] += piece.cores * sign
        memory[piece.node] += piece.memory * sign
        if piece.cards > 0 { cards[piece.flavour][piece.node] += piece.cards * sign }
    }

    /// As many nodes and kinds of cards, and nothing of anything.
    static func none(like other: Columns) -> Columns {
        var none = Columns()
        none.cores = Array(repeating: 0, count: other.count)
        none.memory = none.cores
        none.cards = other.cards.map { _ in none.cores }
        return none
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
    /// Whether that is room which is reserved for the job's project.
    var isReserved = false
}

extension Columns {
    /// Best fit: for one task the node that it leaves the least on; for a gang the fewest nodes, and for its rest the
    /// tightest. Nodes with cards come last for requests without. `nil` when not all tasks fit.
    ///
    /// - Parameters:
    ///   - plain: Whether a node has no cards at all.
    ///   - leaders: Nodes, in order, among which is the first of all in every state: enough for one task.
    /// - Complexity: O(nodes) for one task, O(nodes · log nodes) for a gang.
    func fit(_ demand: Demand, plain: [Bool], leaders: [Int]? = nil) -> Fit? {
        if demand.tasks == 1 {
            return leaders.map { fitOne(demand, plain, among: $0) } ?? fitOne(demand, plain, among: 0..<count)
        }
        if demand.cards == 0, plain.contains(true), plain.contains(false),
            let fit = fitGang(demand, where: { plain[$0] }, blocksCards: false)
        {
            return fit
        }
        return fitGang(demand, where: { _ in true }, blocksCards: demand.cards == 0 && plain.contains(false))
    }

    private func fitOne(_ demand: Demand, _ plain: [Bool], among nodes: some Sequence<Int>) -> Fit? {
        var best = -1
        var bestBlocks = true
        var bestLeft = Int64.max
        var bestOther = Int64.max
        for node in nodes {
            guard cores[node] >= demand.cores, memory[node] >= demand.memory else { continue }
            var left = demand.dominant == .memory ? memory[node] : cores[node]
            var blocks = false
            if demand.cards > 0 {
                let cards = cards[demand.flavour][node]
                guard cards >= demand.cards else { continue }
                if demand.dominant == .cards { left = cards }
            } else {
                blocks = !plain[node]
            }
            let other = demand.dominant == .cores ? memory[node] : cores[node]
            guard best < 0 || (blocks != bestBlocks ? !blocks : (left, other) < (bestLeft, bestOther)) else { continue }
            best = node
            bestBlocks = blocks
            bestLeft = left
            bestOther = other
        }
        guard best >= 0 else { return nil }
        return Fit(
            shares: [(best, 1)],
            blocksCards: bestBlocks,
            leftover: bestLeft - demand.amount(demand.dominant)
        )
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

    /// The node that comes nearest to holding one task: the largest of the smallest ratios of what is there to what
    /// is needed. `nil` without nodes.
    private func nearest(
        _ demand: Demand,
        among nodes: some Sequence<Int>
    ) -> (node: Int, dimension: Dimension, ratio: Double)? {
        var best: (node: Int, dimension: Dimension, ratio: Double)?
        for node in nodes {
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
            if best.map({ ratio > $0.ratio }) ?? true { best = (node, dimension, ratio) }
        }
        return best
    }

    /// What is missing for a demand that does not fit.
    ///
    /// - Parameter leaders: Nodes, in order, among which is the first of all in every state.
    func lack(_ demand: Demand, counts: [Int]? = nil, leaders: [Int]? = nil) -> Lack {
        let tasks = demand.tasks > 1 ? tasks(demand, counts: counts) : 0
        if tasks > 0 { return Lack(dimension: .tasks, need: Int64(demand.tasks), have: Int64(tasks)) }
        let best = leaders.map { nearest(demand, among: $0) } ?? nearest(demand, among: 0..<count)
        guard let (node, dimension, _) = best else {
            return Lack(dimension: .cores, need: demand.cores, have: 0)
        }
        let have = amount(dimension, at: node, flavour: demand.flavour)
        return Lack(dimension: dimension, need: demand.amount(dimension), have: max(0, have))
    }

    /// The most like `request` that would fit: fewer tasks when one fits at all, else a smaller task.
    ///
    /// - Returns: The request and the smallest ratio of what it keeps; `nil` when some resource is wholly absent.
    func shrink(_ request: Request, _ demand: Demand, counts: [Int]? = nil) -> (request: Request, ratio: Double)? {
        var smaller = request
        var demand = demand
        var ratio = 1.0
        if tasks(demand, counts: counts) == 0 {
            guard let (node, _, _) = nearest(demand, among: 0..<count) else { return nil }
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
