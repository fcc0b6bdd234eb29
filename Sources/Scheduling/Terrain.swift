internal import Core
internal import Synchronization

/// What plans over the same centres have in common from one moment to the next: what a centre is made of and what its
/// runs leave of it is worked out anew only where something has changed, so that a plan costs what changed.
///
/// A value: whoever copies it goes on from there on their own.
public struct Terrain: Sendable {
    /// In the order of the centres.
    private(set) var plots: [Plot] = []
    /// What is known of requests for as long as the centres are what they are.
    private(set) var classes = ClassMemory()

    public init() {}

    mutating func survey(_ centres: [Snapshot.Centre]) {
        let known = Dictionary(plots.map { ($0.centre.name, $0) }) { first, _ in first }
        let before = plots
        plots = centres.map { Plot($0, after: known[$0.name]) }
        if !before.elementsEqual(plots, by: { $0.centre == $1.centre }) { classes = ClassMemory() }
    }
}

/// What requests meet at centres, whatever runs there: worked out once, not by every plan.
final class ClassMemory: Sendable {
    private let classes = Mutex<[Request: RequestClass]>([:])

    /// More than any federation has distinct requests; a full memory is begun anew.
    private static let requestsMax = 10_000

    subscript(_ request: Request) -> RequestClass? {
        get { classes.withLock { $0[request] } }
        set {
            classes.withLock { classes in
                if classes.count >= Self.requestsMax { classes.removeAll() }
                classes[request] = newValue
            }
        }
    }
}

/// One centre, as far as it does not depend on the time.
struct Plot: Sendable {
    /// Without its runs.
    let centre: Snapshot.Centre
    private let runs: [Snapshot.Run]
    private let others: [NodeUse]
    /// `nil` until its first report.
    let make: Make?
    let load: Load

    /// - Parameter known: The same centre at an earlier time.
    init(_ centre: Snapshot.Centre, after known: Plot?) {
        var bare = centre
        (bare.runs, bare.others, bare.queue) = ([], [], Snapshot.EngineQueue())
        (self.centre, runs, others) = (bare, centre.runs, centre.others)
        // Arrays that share their storage, as those of a centre where nothing happened do, are equal at one look.
        guard let known, known.centre.capacity == centre.capacity else {
            make = centre.capacity.map { Make($0) }
            load = Load(centre.runs, others: centre.others, on: make)
            return
        }
        make = known.make
        load =
            known.runs == centre.runs && known.others == centre.others
            ? known.load
            : Load(centre.runs, others: centre.others, on: make, after: known.load, of: known.runs)
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
