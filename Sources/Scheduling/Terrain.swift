internal import Core
internal import Synchronization

/// What plans over the same centres have in common from one moment to the next: what a centre is made of and what its
/// runs leave of it is worked out anew only where something has changed, so that a plan costs what changed.
///
/// A value: whoever copies it goes on from there on their own.
public struct Terrain: Sendable {
    private var plots: [CentreName: Plot] = [:]

    public init() {}

    mutating func survey(_ centres: [Snapshot.Centre]) -> [Plot] {
        var fresh: [CentreName: Plot] = [:]
        fresh.reserveCapacity(centres.count)
        let surveyed = centres.map { centre in
            let plot = Plot(centre, after: plots[centre.name])
            fresh[centre.name] = plot
            return plot
        }
        plots = fresh
        return surveyed
    }
}

/// One centre, as far as it does not depend on the time.
struct Plot: Sendable {
    private let capacity: CentreCapacity?
    private let runs: [Snapshot.Run]
    /// `nil` until its first report.
    let make: Make?
    let load: Load

    /// - Parameter known: The same centre at an earlier time.
    init(_ centre: Snapshot.Centre, after known: Plot?) {
        // Arrays that share their storage, as those of a centre where nothing happened do, are equal at one look.
        capacity = centre.capacity
        runs = centre.runs
        let isSame = known.map { $0.capacity == centre.capacity } ?? false
        if isSame, let known, known.runs == centre.runs {
            (make, load) = (known.make, known.load)
            return
        }
        make = isSame ? known?.make : centre.capacity.map { Make($0) }
        load = Load(centre.runs, on: make)
    }
}

/// What a centre is made of.
final class Make: Sendable {
    let nodes: [Node]
    let shapes: Shapes
    /// Which nodes have no cards at all.
    let plain: [Bool]
    /// Of those with the same name the first counts.
    let index: [String: Int]
    /// All that is there. Nodes that are not schedulable have less than nothing.
    let whole: Columns
    let totals: FairShare.Totals

    init(_ capacity: CentreCapacity) {
        nodes = capacity.nodes
        let shapes = Shapes(capacity)
        self.shapes = shapes
        plain = nodes.map { $0.cards.allSatisfy { $0.count == 0 } }
        index = Dictionary(nodes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        var whole = Columns()
        whole.cores = nodes.map { $0.schedulable ? $0.cores.count : Columns.never }
        whole.memory = nodes.map { $0.schedulable ? $0.memory.count : Columns.never }
        whole.cards = shapes.flavours.indices.map { flavour in
            capacity.nodes.map { shapes.count(of: flavour, in: $0) }
        }
        self.whole = whole
        var totals = FairShare.Totals()
        for node in nodes where node.schedulable { totals.add(node) }
        self.totals = totals
    }
}

/// What a centre's runs take, and who they belong to.
final class Load: Sendable {
    let free: Columns
    let pieces: [Piece]
    /// By run.
    let piecesOfRun: [Range<Int>]
    let stopping: [Bool]
    let tenants: [ProjectName]
    /// By run, into `tenants`.
    let tenantOfRun: [Int32]
    /// The lowest priority of a run that may be preempted; `Int.max` when there is none.
    let preemptibleFloor: Int
    /// The runs in the order of their time limits' ends.
    let byLimit: [Int]
    /// What was found for each demand while nothing was placed or kept here.
    private let answers = Mutex<[Demand: Answer]>([:])

    /// The best place for a demand beside the runs; or what is missing.
    struct Answer {
        var fit: Fit?
        var lack: Lack?
    }

    /// More than any federation has distinct requests; a full memory is begun anew.
    private static let answersMax = 10_000

    init(_ runs: [Snapshot.Run], on make: Make?) {
        stopping = runs.map(\.stopping)
        var free = make?.whole ?? Columns()
        var pieces: [Piece] = []
        var piecesOfRun: [Range<Int>] = []
        var tenants: [ProjectName] = []
        var numbers: [ProjectName: Int32] = [:]
        var tenantOfRun: [Int32] = []
        var floor = Int.max
        piecesOfRun.reserveCapacity(runs.count)
        tenantOfRun.reserveCapacity(runs.count)
        for run in runs {
            let number = numbers[run.project] ?? Int32(tenants.count)
            if number == tenants.count {
                numbers[run.project] = number
                tenants.append(run.project)
            }
            tenantOfRun.append(number)
            if run.preemptible, !run.stopping { floor = min(floor, run.priority) }
            let lower = pieces.count
            for share in run.nodes {
                guard let make, let node = make.index[share.node] else { continue }
                let flavour = Self.flavour(of: share, at: node, in: make.shapes, free: free)
                let piece = Piece(
                    node: node,
                    flavour: flavour ?? 0,
                    cores: product(run.resources.cores.count, share.tasks),
                    memory: product(run.resources.memory.count, share.tasks),
                    cards: flavour == nil ? 0 : product(Int64(run.resources.cards), share.tasks)
                )
                free.add(piece, times: -1)
                pieces.append(piece)
            }
            piecesOfRun.append(lower..<pieces.count)
        }
        (self.free, self.pieces, self.piecesOfRun) = (free, pieces, piecesOfRun)
        (self.tenants, self.tenantOfRun, preemptibleFloor) = (tenants, tenantOfRun, floor)
        byLimit = runs.indices.sorted { (runs[$0].limitEnd, runs[$0].key) < (runs[$1].limitEnd, runs[$1].key) }
    }

    func answer(_ demand: Demand, on make: Make) -> Answer {
        if let known = answers.withLock({ $0[demand] }) { return known }
        let fit = free.fit(demand, plain: make.plain)
        let answer = Answer(fit: fit, lack: fit == nil ? free.lack(demand) : nil)
        answers.withLock { answers in
            if answers.count >= Self.answersMax { answers.removeAll() }
            answers[demand] = answer
        }
        return answer
    }

    /// The cards a share holds: the model it names; else, of the node's own, the most plentiful.
    private static func flavour(of share: NodeShare, at node: Int, in shapes: Shapes, free: Columns) -> Int? {
        if let card = share.card,
            let known = shapes.flavours.firstIndex(of: Flavour(model: card, emulated: share.emulated))
        {
            return known
        }
        return shapes.flavours.indices.max { free.cards[$0][node] < free.cards[$1][node] }
    }
}
