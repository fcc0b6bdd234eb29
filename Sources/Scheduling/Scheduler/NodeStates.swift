/// What is free on a node. Cards in shared use are told apart only by how much of each is free.
struct NodeState: Equatable {
    var kind: Int32
    var milliCores: Int32
    var memoryMiB: Int32
    /// Cards nobody uses.
    var wholeCards: Int32
    /// Cards in shared use, those that are full included: at most ``sharedMax``.
    var sharedCards: Int32 = 0
    /// What is free of the cards in shared use, in thousandths, largest first, zeros at the end.
    var shared: SIMD8<UInt16> = .zero

    /// In thousandths of a card.
    var freeCardMilli: Int { Int(wholeCards) * 1000 + Int(shared.wrappedWidenedSum) }

    /// So many cards of a node can be in shared use at a time; the others are given out whole.
    static let sharedMax: Int32 = 8

    /// Whether one more card may be shared.
    var mayOpenCard: Bool { wholeCards > 0 && sharedCards < Self.sharedMax }

    /// How many tasks of a need would fit, at most `limit`. Of a share that is 0 or 1: shares come one by one.
    @inline(__always)
    func tasks(_ need: Need, isModelRight: Bool, limit: Int) -> Int {
        guard milliCores >= need.milliCores, memoryMiB >= need.memoryMiB else { return 0 }
        var fit = limit
        if need.cards > 0 {
            guard isModelRight else { return 0 }
            if need.isShare {
                return mayOpenCard || Int(shared[0]) >= need.cardMilli ? min(1, limit) : 0
            } else {
                guard Int(wholeCards) >= need.cards else { return 0 }
                if limit > 1 { fit = min(fit, Int(wholeCards) / need.cards) }
            }
        }
        if limit > 1 {
            if need.milliCores > 0 { fit = min(fit, Int(milliCores) / need.milliCores) }
            if need.memoryMiB > 0 { fit = min(fit, Int(memoryMiB) / need.memoryMiB) }
        }
        return fit
    }

    /// A number that spreads states over a table.
    fileprivate var mixed: Int {
        var hash = UInt64(truncatingIfNeeded: milliCores) << 32 | UInt64(UInt32(bitPattern: memoryMiB))
        hash = (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15
        hash ^= UInt64(truncatingIfNeeded: kind ^ sharedCards << 24) << 32 | UInt64(UInt32(bitPattern: wholeCards))
        if shared[0] != 0 {
            let words = unsafeBitCast(shared, to: SIMD2<UInt64>.self)
            hash = (hash ^ words[0] ^ hash >> 31) &* 0xBF58_476D_1CE4_E5B9
            hash ^= words[1]
        }
        hash = (hash ^ hash >> 32) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: hash >> 24)
    }

    /// Takes a card that nobody uses into shared use, so much of it left free.
    mutating func openCard(left: UInt16) {
        wholeCards -= 1
        sharedCards += 1
        replaceShared(0, by: left)
    }

    /// Replaces one shared amount by another, keeping the order. An amount of 1000 becomes a whole card.
    mutating func replaceShared(_ old: UInt16, by new: UInt16) {
        var lane = 0
        while lane < 7, shared[lane] != old { lane += 1 }
        shared[lane] = new
        if new == 1000 {
            wholeCards += 1
            sharedCards -= 1
            shared[lane] = 0
        }
        sortShared()
    }

    private mutating func sortShared() {
        for index in 1..<8 {
            var at = index
            while at > 0, shared[at - 1] < shared[at] {
                let larger = shared[at]
                shared[at] = shared[at - 1]
                shared[at - 1] = larger
                at -= 1
            }
        }
    }
}

extension SIMD8<UInt16> {
    /// The sum of all lanes, without overflow.
    var wrappedWidenedSum: UInt32 {
        var sum: UInt32 = 0
        for lane in 0..<8 { sum += UInt32(self[lane]) }
        return sum
    }
}

/// Every state that nodes are or were in, each once: nodes in the same state are equally good for everybody, so that
/// they are looked at together, and what was worked out for a state holds wherever it turns up again.
struct NodeStates {
    private(set) var kinds: [NodeKind] = []
    private(set) var all: [NodeState] = []
    /// Numbers of states by hash, open addressing; -1 is free. A table of our own, because this is asked twice for every
    /// run and the library's hash, made against attackers, costs several times as much.
    private var index: [Int32] = Array(repeating: -1, count: 1024)

    mutating func kind(_ kind: NodeKind) -> Int {
        if let known = kinds.firstIndex(of: kind) { return known }
        kinds.append(kind)
        return kinds.count - 1
    }

    mutating func id(_ state: NodeState) -> Int32 {
        if all.count * 2 > index.count { grow() }
        let slot = slot(of: state)
        if index[slot] >= 0 { return index[slot] }
        let id = Int32(all.count)
        all.append(state)
        index[slot] = id
        return id
    }

    /// Where a state is, or would be put.
    @inline(__always)
    private func slot(of state: NodeState) -> Int {
        let mask = index.count - 1
        var slot = state.mixed & mask
        while index[slot] >= 0, all[Int(index[slot])] != state { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        index = Array(repeating: -1, count: index.count * 2)
        for (id, state) in all.enumerated() { index[slot(of: state)] = Int32(id) }
    }

    @inline(__always)
    subscript(id: Int32) -> NodeState { all[Int(id)] }

    @inline(__always)
    func isModelRight(_ state: NodeState, _ need: Need) -> Bool {
        need.models >> UInt64(kinds[Int(state.kind)].model) & 1 == 1
    }

    /// How many tasks of a need fit on a node in a state, at most `limit`.
    @inline(__always)
    func tasks(_ id: Int32, _ need: Need, limit: Int) -> Int {
        let state = all[Int(id)]
        return state.tasks(need, isModelRight: need.cards == 0 || isModelRight(state, need), limit: limit)
    }
}
