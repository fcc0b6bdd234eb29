internal import Core

/// Where some tasks of a job stand.
struct Stand {
    var node: Int32
    var tasks: Int32
    /// Whether this is the smaller task of a need with a rest.
    var isRest = false
    /// Number of the node's shared card; -1 when whole cards or none are taken.
    var card: Int32 = -1
}

/// A job that holds nodes, and when it is expected to be gone.
struct Occupant {
    var end: Int64
    var job: Int32
}

/// One centre: its nodes in groups of equal state, who stands where until when, and the room that is promised.
///
/// What changes is written to a short log, so that a class of jobs that looked at the centre before has to look only at
/// what is new.
struct Site {
    /// Nodes of one state.
    struct Group {
        var state: Int32
        /// In ascending order: of equally good nodes the first is taken.
        var nodes: [Int32]
    }

    struct SharedCard {
        var number: Int32
        var free: UInt16
    }

    private(set) var groups: [Group] = []
    /// By state; -1 where no node is in it.
    private var slotOfState: [Int32] = []
    /// By node.
    private(set) var states: [Int32]
    private var sharedCards: [Int32: [SharedCard]] = [:]
    private var nextCard: Int32 = 0
    private(set) var totalMilliCores = 0
    private(set) var totalMemoryMiB = 0
    private(set) var totalCardMilli = 0
    private(set) var freeMilliCores = 0
    private(set) var freeCardMilli = 0

    /// By expected end, then by job.
    private(set) var occupants: [Occupant] = []
    /// Whether anything may start there.
    var isOpen = true
    /// The room that is kept for blocked jobs, in the order in which it was promised; no node for two of them.
    var promises: [Promise] = []
    /// What is reserved in advance.
    private(set) var windows = Windows()

    /// States that nodes came into, in order; `version` is the number of the next entry.
    private(set) var changes: [Int32] = []
    private var firstVersion = 0
    var version: Int { firstVersion + changes.count }

    init(nodes: [NodeKind], in table: inout NodeStates) {
        states = []
        states.reserveCapacity(nodes.count)
        for (number, kind) in nodes.enumerated() {
            let state = table.id(
                NodeState(
                    kind: Int32(table.kind(kind)),
                    milliCores: Int32(clamping: kind.milliCores),
                    memoryMiB: Int32(clamping: kind.memoryMiB),
                    wholeCards: Int32(clamping: kind.cards)
                )
            )
            states.append(state)
            totalMilliCores += kind.milliCores
            totalMemoryMiB += kind.memoryMiB
            totalCardMilli += kind.cards * 1000
            enter(Int32(number), state)
        }
        freeMilliCores = totalMilliCores
        freeCardMilli = totalCardMilli
    }

    // MARK: groups

    private mutating func enter(_ node: Int32, _ state: Int32) {
        let slot = self.slot(of: state)
        if slot >= 0 {
            groups[slot].nodes.insertAscending(node)
        } else {
            if state >= slotOfState.count {
                slotOfState.append(contentsOf: repeatElement(-1, count: Int(state) + 64 - slotOfState.count))
            }
            slotOfState[Int(state)] = Int32(groups.count)
            groups.append(Group(state: state, nodes: [node]))
        }
        changes.append(state)
        if changes.count > 4096 {
            changes.removeFirst(2048)
            firstVersion += 2048
        }
    }

    private mutating func leave(_ node: Int32, _ state: Int32) {
        let slot = self.slot(of: state)
        groups[slot].nodes.removeAscending(node)
        if groups[slot].nodes.isEmpty {
            slotOfState[Int(state)] = -1
            let last = groups.removeLast()
            if slot < groups.count {
                groups[slot] = last
                slotOfState[Int(last.state)] = Int32(slot)
            }
        }
    }

    @inline(__always)
    private func slot(of state: Int32) -> Int { state < slotOfState.count ? Int(slotOfState[Int(state)]) : -1 }

    /// The first node in a state; `nil` when none is.
    @inline(__always)
    func first(in state: Int32) -> Int32? {
        let slot = slot(of: state)
        return slot >= 0 ? groups[slot].nodes[0] : nil
    }

    /// A quick look that can only err on the hopeful side.
    @inline(__always)
    func mayHold(milliCores: Int, cardMilli: Int) -> Bool {
        isOpen && freeMilliCores >= milliCores && freeCardMilli >= cardMilli
    }

    /// The states entered since a version, or `nil` when that is too long ago.
    @inline(__always)
    func changed(since version: Int) -> ArraySlice<Int32>? {
        guard version >= firstVersion, self.version - version <= groups.count else { return nil }
        return changes[(version - firstVersion)...]
    }

    private mutating func move(_ node: Int32, to state: NodeState, _ table: inout NodeStates) {
        let old = states[Int(node)]
        let new = table.id(state)
        states[Int(node)] = new
        if !isApart(node) {
            leave(node, old)
            enter(node, new)
        }
    }

    // MARK: taking and giving back

    /// Puts tasks on a node. For a share of a card, `on` is how much of that card is free, 1000 for an unused one.
    mutating func take(_ need: Need, tasks: Int, node: Int32, on free: UInt16, _ table: inout NodeStates) -> Int32 {
        var state = table[states[Int(node)]]
        var card: Int32 = -1
        if need.isShare {
            let left = free - UInt16(need.cardMilli)
            if free == 1000 {
                state.openCard(left: left)
                card = nextCard
                nextCard += 1
                sharedCards[node, default: []].append(SharedCard(number: card, free: left))
            } else {
                let position = sharedCards[node]?.firstIndex { $0.free == free } ?? 0
                card = sharedCards[node]?[position].number ?? -1
                sharedCards[node]?[position].free = left
                state.replaceShared(free, by: left)
            }
            freeCardMilli -= need.cardMilli
        } else {
            state.wholeCards -= Int32(need.cards * tasks)
            freeCardMilli -= need.cards * tasks * 1000
        }
        state.milliCores -= Int32(need.milliCores * tasks)
        state.memoryMiB -= Int32(need.memoryMiB * tasks)
        freeMilliCores -= need.milliCores * tasks
        move(node, to: state, &table)
        return card
    }

    mutating func give(_ need: Need, _ stand: Stand, _ table: inout NodeStates) {
        let need = stand.isRest ? need.rest : need
        let tasks = Int(stand.tasks)
        var state = table[states[Int(stand.node)]]
        if need.isShare, stand.card >= 0,
            let position = sharedCards[stand.node]?.firstIndex(where: { $0.number == stand.card }),
            let before = sharedCards[stand.node]?[position].free
        {
            let after = before + UInt16(need.cardMilli)
            state.replaceShared(before, by: after)
            if after == 1000 {
                sharedCards[stand.node]?.remove(at: position)
            } else {
                sharedCards[stand.node]?[position].free = after
            }
            freeCardMilli += need.cardMilli
        } else {
            state.wholeCards += Int32(need.cards * tasks)
            freeCardMilli += need.cards * tasks * 1000
        }
        state.milliCores += Int32(need.milliCores * tasks)
        state.memoryMiB += Int32(need.memoryMiB * tasks)
        freeMilliCores += need.milliCores * tasks
        move(stand.node, to: state, &table)
    }

    // MARK: occupants

    mutating func add(_ occupant: Occupant) {
        occupants.insert(occupant, at: position(of: occupant))
    }

    mutating func remove(_ occupant: Occupant) {
        let at = position(of: occupant)
        precondition(at < occupants.count && occupants[at].job == occupant.job, "an occupant leaves that never came")
        occupants.remove(at: at)
    }

    private func position(of occupant: Occupant) -> Int {
        occupants.partitioningIndex { ($0.end, $0.job) >= (occupant.end, occupant.job) }
    }

    // MARK: promises

    @inline(__always)
    func isKept(_ node: Int32) -> Bool {
        for index in promises.indices where promises[index].position(of: node) != nil { return true }
        return false
    }

    /// Whether a node is in no group: it is kept for a blocked job, or something is reserved there in advance.
    @inline(__always)
    private func isApart(_ node: Int32) -> Bool { windows.position(of: node) != nil || isKept(node) }

    /// A job that starts here took something of a kept node, and is expected to be there still when room is needed.
    mutating func took(_ need: Need, tasks: Int, node: Int32, until end: Int64) {
        for index in promises.indices where end > promises[index].start {
            promises[index].took(need, tasks: tasks, node: node)
        }
    }

    /// Sets nodes aside for a blocked job: they leave their groups and are looked at one by one from now on.
    mutating func keep(_ new: Promise) {
        for kept in new.nodes where !isApart(kept.node) { leave(kept.node, states[Int(kept.node)]) }
        promises.append(new)
    }

    /// Forgets the promise to a job; its nodes are as any others again.
    mutating func release(_ job: Int32) {
        guard let index = promises.firstIndex(where: { $0.job == job }) else { return }
        let old = promises.remove(at: index)
        for kept in old.nodes where !isApart(kept.node) { enter(kept.node, states[Int(kept.node)]) }
    }

    // MARK: what is reserved in advance

    mutating func add(_ window: Scheduler.Window) { windows.add(window) }

    /// Forgets windows that are over, and sets the nodes of those aside that begin before `reaching`.
    ///
    /// - Returns: Those nodes.
    mutating func advanceWindows(to now: Int64, reaching: Int64, _ table: NodeStates) -> [Int32] {
        let (before, states) = (windows.nodes.map(\.node), states)
        let fresh = windows.advance(to: now, reaching: reaching) { node in
            Timetable.Room(all: table.kinds[Int(table[states[Int(node)]].kind)])
        }
        for node in before where !isApart(node) { enter(node, states[Int(node)]) }
        for node in fresh where !isKept(node) { leave(node, states[Int(node)]) }
        return fresh
    }

    mutating func come(_ job: Int32, _ room: Timetable.Room, node: Int32) { windows.come(job, room, node: node) }

    mutating func leave(_ job: Int32, node: Int32) { windows.leave(job, node: node) }
}

/// Room that is kept for a blocked job from a time on.
struct Promise {
    struct Kept {
        var node: Int32
        /// How many of the job's tasks are to stand there.
        var tasks: Int32
        /// What the node will have beside the job at that time.
        var spare: NodeState
    }

    var job: Int32
    /// Milliseconds.
    var start: Int64
    /// By node, ascending.
    var nodes: [Kept]

    @inline(__always)
    func position(of node: Int32) -> Int? {
        if nodes.count == 1 { return nodes[0].node == node ? 0 : nil }
        let at = nodes.partitioningIndex { $0.node >= node }
        return at < nodes.count && nodes[at].node == node ? at : nil
    }

    /// A job that is expected to be there at the start took something of a kept node.
    mutating func took(_ need: Need, tasks: Int, node: Int32) {
        guard let position = position(of: node) else { return }
        nodes[position].spare.milliCores -= Int32(need.milliCores * tasks)
        nodes[position].spare.memoryMiB -= Int32(need.memoryMiB * tasks)
        nodes[position].spare.wholeCards -= Int32(need.cards * tasks)
    }
}

extension Array where Element == Int32 {
    fileprivate mutating func insertAscending(_ value: Int32) {
        if let last, last > value {
            insert(value, at: ascendingPosition(value))
        } else {
            append(value)
        }
    }

    fileprivate mutating func removeAscending(_ value: Int32) {
        let at = ascendingPosition(value)
        precondition(at < count && self[at] == value, "a node leaves a group that it is not in")
        remove(at: at)
    }

    private func ascendingPosition(_ value: Int32) -> Int {
        partitioningIndex { $0 >= value }
    }
}
