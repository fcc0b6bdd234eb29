internal import Core
internal import Synchronization

/// What a centre's runs take, and who they belong to.
final class Load: Sendable {
    /// What a run holds, in plain numbers: a plan looks at every run's.
    struct Held {
        var job: JobID
        var resources: TaskResources
        var tasks: Int
        var limitEnd: Instant
        var gracePeriodSeconds: Int
        var stopping: Bool
        /// Index into ``tenants``.
        var tenant: Int
    }

    /// Less than nothing on a node where runs of ours wait that others are before.
    let free: Columns
    /// Of all runs, and then of others than us.
    let pieces: [Piece]
    /// By run.
    let piecesOfRun: [Range<Int>]
    let piecesOfOthers: Range<Int>
    /// By run.
    let held: [Held]
    let tenants: [ProjectName]
    /// The lowest priority of a run that may be preempted; `Int.max` when there is none.
    let preemptibleFloor: Int
    /// The runs in the order of their time limits' ends.
    let byLimit: [Int]
    /// Whether every run's cards are known by model, so that it does not matter in which order they were looked at.
    private let isOrderFree: Bool
    /// The nodes in the states that there are.
    let alike: Alike
    /// What was found for each demand while nothing was placed or kept here.
    private let answers = Mutex<[Demand: Answer]>([:])

    /// The best place for a demand beside the runs; or what is missing.
    struct Answer {
        var fit: Fit?
        var lack: Lack?
    }

    /// More than any federation has distinct requests; a full memory is begun anew.
    private static let answersMax = 10_000

    /// - Parameters:
    ///   - known: Of the same make at an earlier time, when `knownRuns` were there: what has not changed since is taken
    ///     from it. The answer is the same, sooner.
    init(
        _ runs: [Snapshot.Run],
        others: [NodeUse],
        on make: Make?,
        after known: Load? = nil,
        of knownRuns: [Snapshot.Run] = []
    ) {
        let known = known.flatMap { $0.isOrderFree ? $0 : nil }
        var draft = Draft(
            free: known?.free ?? make?.whole ?? Columns(),
            tenants: known?.tenants ?? [],
            runs: runs.count
        )
        if let known { for piece in known.pieces[known.piecesOfOthers] { draft.free.add(piece) } }
        /// By run that was known: where it is now, or -1.
        var moved: [Int] = []
        var came: [Int] = []
        moved.reserveCapacity(knownRuns.count)
        func leave(_ old: Int) {
            guard let known else { return }
            for piece in known.pieces[known.piecesOfRun[old]] { draft.free.add(piece) }
            moved.append(-1)
        }
        var old = 0
        let (before, now) = (knownRuns.span, runs.span)
        for index in now.indices {
            if let known {
                while old < before.count, before[old].key < now[index].key {
                    leave(old)
                    old += 1
                }
                if old < before.count, before[old].key == now[index].key {
                    if before[old] == now[index] {
                        moved.append(index)
                        draft.keep(known.pieces[known.piecesOfRun[old]], known.held[old])
                        old += 1
                        continue
                    }
                    leave(old)
                    old += 1
                }
            }
            came.append(index)
            draft.add(runs[index], on: make)
        }
        if known != nil { for old in old..<knownRuns.count { leave(old) } }
        let lower = draft.pieces.count
        if let make { for use in others { draft.add(use, on: make) } }
        piecesOfOthers = lower..<draft.pieces.count
        var floor = Int.max
        for index in runs.indices where runs[index].preemptible && !runs[index].stopping {
            floor = min(floor, runs[index].priority)
        }
        preemptibleFloor = floor
        (free, pieces, piecesOfRun) = (draft.free, draft.pieces, draft.piecesOfRun)
        (held, tenants, isOrderFree) = (draft.held, draft.tenants, draft.isOrderFree)
        let ends = draft.held.map(\.limitEnd)
        func isEarlier(_ a: Int, _ b: Int) -> Bool { (ends[a], runs[a].key) < (ends[b], runs[b].key) }
        came.sort(by: isEarlier)
        let stayed = known?.byLimit.compactMap { moved[$0] < 0 ? nil : moved[$0] } ?? []
        byLimit = merged(stayed, came, by: isEarlier)
        alike = Alike(draft.free, plain: make?.plain ?? [])
    }

    func answer(_ demand: Demand, on make: Make) -> Answer {
        if let known = answers.withLock({ $0[demand] }) { return known }
        let fit = free.fit(demand, plain: make.plain, leaders: alike.leaders)
        let answer = Answer(fit: fit, lack: fit == nil ? free.lack(demand, leaders: alike.leaders) : nil)
        answers.withLock { answers in
            if answers.count >= Self.answersMax { answers.removeAll() }
            answers[demand] = answer
        }
        return answer
    }
}

/// Nodes that have the same left, told apart by the first of them: only that one is ever the best place for a task, or
/// comes nearest to being one.
struct Alike: Sendable {
    /// In order: the first of every state, and all those that were marked.
    private(set) var leaders: [Int] = []
    /// The next one in the same state; -1 for the last.
    private let next: [Int32]
    private var marked: Set<Int> = []

    init(_ free: Columns, plain: [Bool]) {
        var next = [Int32](repeating: -1, count: free.count)
        var last: [UInt64: Int] = [:]
        for node in 0..<free.count {
            let mixed = Self.mixed(free, node, plain[node])
            // Where two states mix to the same number, their nodes lead more often than they must.
            if let before = last[mixed], plain[before] == plain[node], free.isSame(before, node) {
                next[before] = Int32(node)
            } else {
                leaders.append(node)
            }
            last[mixed] = node
        }
        self.next = next
    }

    /// A number that tells states apart, nearly always.
    private static func mixed(_ free: Columns, _ node: Int, _ isPlain: Bool) -> UInt64 {
        var mixed: UInt64 = isPlain ? 1 : 2
        func mix(_ amount: Int64) {
            mixed = (mixed ^ UInt64(bitPattern: amount)) &* 0x9E37_79B9_7F4A_7C15
            mixed ^= mixed >> 32
        }
        mix(free.cores[node])
        mix(free.memory[node])
        for flavour in free.cards.indices { mix(free.cards[flavour][node]) }
        return mixed
    }

    /// A node is not like the others any more: it leads itself, and the next of those that it led before takes its place.
    mutating func mark(_ node: Int) {
        guard marked.insert(node).inserted else { return }
        if !lead(node) { return }
        var heir = Int(next[node])
        while heir >= 0, marked.contains(heir) { heir = Int(next[heir]) }
        if heir >= 0 { _ = lead(heir) }
    }

    /// - Returns: Whether it did so before.
    private mutating func lead(_ node: Int) -> Bool {
        let at = leaders.partitioningIndex { $0 >= node }
        if at < leaders.count, leaders[at] == node { return true }
        leaders.insert(node, at: at)
        return false
    }
}

/// A load that is being added up.
private struct Draft {
    var free: Columns
    var tenants: [ProjectName]
    var pieces: [Piece] = []
    var piecesOfRun: [Range<Int>] = []
    var held: [Load.Held] = []
    var isOrderFree = true
    private var numbers: [ProjectName: Int]

    init(free: Columns, tenants: [ProjectName], runs: Int) {
        (self.free, self.tenants) = (free, tenants)
        numbers = Dictionary(tenants.enumerated().map { ($1, $0) }) { first, _ in first }
        pieces.reserveCapacity(runs)
        piecesOfRun.reserveCapacity(runs)
        held.reserveCapacity(runs)
    }

    /// A run as it was.
    mutating func keep(_ known: ArraySlice<Piece>, _ run: Load.Held) {
        let lower = pieces.count
        pieces.append(contentsOf: known)
        piecesOfRun.append(lower..<pieces.count)
        held.append(run)
    }

    mutating func add(_ run: Snapshot.Run, on make: Make?) {
        let tenant = numbers[run.project] ?? tenants.count
        if tenant == tenants.count {
            numbers[run.project] = tenant
            tenants.append(run.project)
        }
        held.append(
            .init(
                job: run.key.job,
                resources: run.resources,
                tasks: run.tasks,
                limitEnd: run.limitEnd,
                gracePeriodSeconds: run.gracePeriodSeconds,
                stopping: run.stopping,
                tenant: tenant
            )
        )
        let lower = pieces.count
        for share in run.nodes {
            guard let make, let node = make.index[share.node] else { continue }
            let flavour = run.resources.cards > 0 ? flavour(of: share, at: node, in: make.shapes) : nil
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

    /// What others hold of a node: no more than is there.
    mutating func add(_ use: NodeUse, on make: Make) {
        guard let node = make.index[use.node], make.nodes[node].schedulable else { return }
        let whole = make.nodes[node]
        var piece = Piece(node: node, flavour: 0)
        piece.cores = max(0, min(use.cores.count, whole.cores.count))
        piece.memory = max(0, min(use.memory.count, whole.memory.count))
        var rest: [Piece] = []
        for group in use.cards where group.count > 0 {
            let flavour = Flavour(model: group.model, emulated: group.emulated)
            guard let known = make.shapes.flavours.firstIndex(of: flavour) else { continue }
            var cards = Piece(node: node, flavour: known)
            cards.cards = min(Int64(group.count), make.shapes.count(of: known, in: whole))
            rest.append(cards)
        }
        for piece in [piece] + rest {
            free.add(piece, times: -1)
            pieces.append(piece)
        }
    }

    /// The cards a share holds: the model it names; else, of the node's own, the most plentiful.
    private mutating func flavour(of share: NodeShare, at node: Int, in shapes: Shapes) -> Int? {
        if let card = share.card,
            let known = shapes.flavours.firstIndex(of: Flavour(model: card, emulated: share.emulated))
        {
            return known
        }
        if shapes.flavours.count > 1 { isOrderFree = false }
        return shapes.flavours.indices.max { free.cards[$0][node] < free.cards[$1][node] }
    }
}

/// Two lists, each in order, as one.
private func merged(_ a: [Int], _ b: [Int], by isEarlier: (Int, Int) -> Bool) -> [Int] {
    guard !b.isEmpty else { return a }
    var result: [Int] = []
    result.reserveCapacity(a.count + b.count)
    var next = b.startIndex
    for index in a {
        while next < b.endIndex, isEarlier(b[next], index) {
            result.append(b[next])
            next += 1
        }
        result.append(index)
    }
    result.append(contentsOf: b[next...])
    return result
}
