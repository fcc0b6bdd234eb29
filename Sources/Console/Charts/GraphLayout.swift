/// Where the nodes and edges of a directed acyclic graph stand on a page, in layers from left to right.
///
/// Longest-path layering, edges over several layers kept apart from nodes by invisible stations, order within layers by
/// the mean of the neighbours over a few sweeps, then positions pulled towards the neighbours without overlap.
///
/// > Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures" (1981).
struct GraphLayout: Sendable {
    struct Edge: Sendable, Hashable {
        /// Indices of nodes.
        var from: Int
        var to: Int
        /// What stands on it; decides the gap between the layers.
        var label: String
    }

    struct Box: Sendable, Hashable {
        var x: Double
        var y: Double
        var width: Double
        var height: Double
        var layer: Int
    }

    struct Route: Sendable, Hashable {
        var edge: Edge
        /// From the right side of `from` to the left side of `to`; x never decreases. Between two points runs a curve,
        /// except over a layer it passes through, where it runs straight.
        var points: [Point]
    }

    struct Point: Sendable, Hashable {
        var x: Double
        var y: Double
    }

    private(set) var boxes: [Box] = []
    private(set) var routes: [Route] = []
    private(set) var width = 0.0
    private(set) var height = 0.0

    static let nodeWidth = 176.0
    static let nodeHeight = 66.0
    static let rowGap = 22.0
    /// Between two edges that enter one node.
    static let portGap = 20.0
    static let characterWidth = 6.6

    /// Lays out `count` nodes. Edges that name unknown nodes, loops, and edges that would close a cycle are left out.
    init(count: Int, edges: [Edge]) {
        var plan = Plan(count: count, edges: edges)
        plan.layer()
        plan.addStations()
        plan.order()
        place(plan)
    }

    private mutating func place(_ plan: Plan) {
        let columns = plan.columns(nodeWidth: Self.nodeWidth)
        var y = plan.heights.indices.map { _ in 0.0 }
        for layer in plan.layers {
            var top = 0.0
            for cell in layer {
                y[cell] = top
                top += plan.heights[cell] + Self.rowGap
            }
        }
        for sweep in 0..<8 {
            let forward = sweep % 2 == 0
            let sequence = forward ? Array(plan.layers.indices) : plan.layers.indices.reversed()
            for index in sequence { plan.pull(layer: index, towardsPrevious: forward, y: &y) }
        }
        let top = y.min() ?? 0
        for index in y.indices { y[index] -= top }
        boxes = (0..<plan.count).map { node in
            Box(
                x: columns[plan.layerOf[node]].start,
                y: y[node],
                width: Self.nodeWidth,
                height: plan.heights[node],
                layer: plan.layerOf[node]
            )
        }
        routes = plan.chains.map { chain in
            var points = [Point(x: boxes[chain.edge.from].x + Self.nodeWidth, y: leaving(chain, plan, y))]
            for station in chain.stations {
                let column = columns[plan.layerOf[station]]
                let middle = y[station] + plan.heights[station] / 2
                points += [Point(x: column.start, y: middle), Point(x: column.start + Self.nodeWidth, y: middle)]
            }
            points.append(Point(x: boxes[chain.edge.to].x, y: entering(chain, plan, y)))
            return Route(edge: chain.edge, points: points)
        }
        width = (columns.last?.start ?? 0) + (plan.count > 0 ? Self.nodeWidth : 0)
        height = plan.heights.indices.reduce(0) { max($0, y[$1] + plan.heights[$1]) }
    }

    private func leaving(_ chain: Plan.Chain, _ plan: Plan, _ y: [Double]) -> Double {
        y[chain.edge.from] + plan.heights[chain.edge.from] / 2
    }

    /// Edges enter one below the other, in the order in which they come.
    private func entering(_ chain: Plan.Chain, _ plan: Plan, _ y: [Double]) -> Double {
        func source(_ chain: Plan.Chain) -> (Double, Int) {
            let cell = chain.stations.last ?? chain.edge.from
            return (y[cell] + plan.heights[cell] / 2, chain.index)
        }
        let incoming = plan.chains.filter { $0.edge.to == chain.edge.to }.sorted { source($0) < source($1) }
        let place = incoming.firstIndex { $0.index == chain.index } ?? 0
        let middle = y[chain.edge.to] + plan.heights[chain.edge.to] / 2
        return middle + (Double(place) - Double(incoming.count - 1) / 2) * Self.portGap
    }
}

/// The steps between a list of edges and positions. Cells below `count` are nodes, those above are stations.
private struct Plan {
    struct Chain {
        var edge: GraphLayout.Edge
        var index: Int
        var stations: [Int] = []
        var cells: [Int] { [edge.from] + stations + [edge.to] }
    }

    let count: Int
    var chains: [Chain] = []
    var layerOf: [Int]
    var heights: [Double]
    var layers: [[Int]] = []
    private var before: [[Int]] = []
    private var after: [[Int]] = []

    init(count: Int, edges: [GraphLayout.Edge]) {
        self.count = count
        layerOf = Array(repeating: 0, count: count)
        heights = Array(repeating: GraphLayout.nodeHeight, count: count)
        let valid = edges.filter {
            (0..<count).contains($0.from) && (0..<count).contains($0.to) && $0.from != $0.to
        }
        chains = withoutCycles(valid).enumerated().map { Chain(edge: $1, index: $0) }
        for node in 0..<count {
            let incoming = chains.filter { $0.edge.to == node }.count
            heights[node] = max(GraphLayout.nodeHeight, Double(incoming) * GraphLayout.portGap + 8)
        }
    }

    /// Depth first; an edge back to a node still open would close a cycle.
    private func withoutCycles(_ edges: [GraphLayout.Edge]) -> [GraphLayout.Edge] {
        var outgoing = Array(repeating: [Int](), count: count)
        for (index, edge) in edges.enumerated() { outgoing[edge.from].append(index) }
        var state = Array(repeating: 0, count: count)
        var dropped: Set<Int> = []
        for root in 0..<count where state[root] == 0 {
            var stack = [(node: root, next: 0)]
            state[root] = 1
            while let (node, next) = stack.last {
                if next == outgoing[node].count {
                    state[node] = 2
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let edge = outgoing[node][next]
                switch state[edges[edge].to] {
                case 0:
                    state[edges[edge].to] = 1
                    stack.append((edges[edge].to, 0))
                case 1: dropped.insert(edge)
                default: break
                }
            }
        }
        return edges.enumerated().filter { !dropped.contains($0.offset) }.map(\.element)
    }

    /// A node stands one layer after the last of those before it.
    mutating func layer() {
        var incoming = Array(repeating: 0, count: count)
        for chain in chains { incoming[chain.edge.to] += 1 }
        var ready = (0..<count).filter { incoming[$0] == 0 }
        while let node = ready.popLast() {
            for chain in chains where chain.edge.from == node {
                layerOf[chain.edge.to] = max(layerOf[chain.edge.to], layerOf[node] + 1)
                incoming[chain.edge.to] -= 1
                if incoming[chain.edge.to] == 0 { ready.append(chain.edge.to) }
            }
        }
    }

    /// An edge over several layers gets a place of its own in each, so that no node stands on it.
    mutating func addStations() {
        for index in chains.indices {
            let edge = chains[index].edge
            for layer in layerOf[edge.from] + 1..<max(layerOf[edge.to], layerOf[edge.from] + 1) {
                chains[index].stations.append(layerOf.count)
                layerOf.append(layer)
                heights.append(6)
            }
        }
        layers = Array(repeating: [], count: (layerOf.max() ?? -1) + 1)
        for cell in layerOf.indices { layers[layerOf[cell]].append(cell) }
        before = Array(repeating: [], count: layerOf.count)
        after = before
        for chain in chains {
            for (a, b) in zip(chain.cells, chain.cells.dropFirst()) {
                after[a].append(b)
                before[b].append(a)
            }
        }
    }

    mutating func order() {
        var rank = Array(repeating: 0.0, count: layerOf.count)
        func remember(_ layer: [Int]) { for (place, cell) in layer.enumerated() { rank[cell] = Double(place) } }
        for layer in layers { remember(layer) }
        for sweep in 0..<6 {
            let forward = sweep % 2 == 0
            for index in forward ? Array(layers.indices.dropFirst()) : layers.indices.dropLast().reversed() {
                let keyed = layers[index].map { cell in
                    let near = forward ? before[cell] : after[cell]
                    let mean = near.isEmpty ? rank[cell] : near.reduce(0) { $0 + rank[$1] } / Double(near.count)
                    return (mean: mean, old: rank[cell], cell: cell)
                }
                layers[index] = keyed.sorted { ($0.mean, $0.old) < ($1.mean, $1.old) }.map(\.cell)
                remember(layers[index])
            }
        }
    }

    /// The x where each layer begins: the gap before it holds the longest label of the edges that enter it.
    func columns(nodeWidth: Double) -> [(start: Double, gap: Double)] {
        var out: [(start: Double, gap: Double)] = []
        for index in layers.indices {
            let labels = chains.filter { layerOf[$0.edge.to] == index }.map(\.edge.label.count)
            let gap = index == 0 ? 0 : Double(labels.max() ?? 0) * GraphLayout.characterWidth + 78
            out.append(((out.last?.start ?? -nodeWidth) + nodeWidth + gap, gap))
        }
        return out
    }

    /// Moves the cells of a layer towards the middle of their neighbours, keeping order and distance.
    func pull(layer index: Int, towardsPrevious: Bool, y: inout [Double]) {
        let layer = layers[index]
        let wished = layer.map { cell -> Double in
            let near = towardsPrevious ? before[cell] : after[cell]
            guard !near.isEmpty else { return y[cell] + heights[cell] / 2 }
            return near.reduce(0) { $0 + y[$1] + heights[$1] / 2 } / Double(near.count)
        }
        // Blocks of cells that touch share the mean of their wishes (pool adjacent violators).
        var blocks: [(cells: [Int], top: Double, sum: Double, height: Double)] = []
        for (cell, wish) in zip(layer, wished) {
            blocks.append(([cell], wish - heights[cell] / 2, wish - heights[cell] / 2, heights[cell]))
            while blocks.count > 1 {
                let (last, previous) = (blocks[blocks.count - 1], blocks[blocks.count - 2])
                guard last.top < previous.top + previous.height + GraphLayout.rowGap else { break }
                let shift = previous.height + GraphLayout.rowGap
                let cells = previous.cells + last.cells
                let sum = previous.sum + last.sum - shift * Double(last.cells.count)
                blocks.removeLast(2)
                blocks.append((cells, sum / Double(cells.count), sum, shift + last.height))
            }
        }
        for block in blocks {
            var top = block.top
            for cell in block.cells {
                y[cell] = top
                top += heights[cell] + GraphLayout.rowGap
            }
        }
    }
}
