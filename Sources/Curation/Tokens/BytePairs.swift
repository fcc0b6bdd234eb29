/// Byte-pair encoding: symbols of a piece are joined two by two, the pair of the lowest rank first, the leftmost of
/// equals first, until no pair has one.
///
/// > Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016); symbols
/// > that are bytes as in GPT-2 (Radford et al., 2019).
struct BytePairs: Sendable {
    /// From a pair of symbols to its rank, which is its place in `joined`.
    var ranks = WordTable(capacity: 16)
    /// What the pair of each rank becomes.
    var joined: [UInt32] = []
    /// From the hash of a piece's bytes to its symbol.
    var vocabulary = WordTable(capacity: 16)
    /// The symbol of each byte, for vocabularies of bytes; `nil` for those of characters.
    var bytes: [UInt32?]?
    /// For vocabularies of characters: the symbols that bytes of unknown ones become.
    var fallback: [UInt32]?
    var unknown: UInt32?
    var fusesUnknown = false
    /// Whether a piece that is in the vocabulary is one token whatever the pairs say.
    var looksUpWhole = false

    private var symbols: [UInt32] = []
    private var following: [Int32] = []
    private var preceding: [Int32] = []
    private var heap: [UInt64] = []

    static func key(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

    mutating func count(_ piece: Span<UInt8>) -> Int {
        if looksUpWhole, vocabulary[TextHash.hash64(piece)] != nil { return 1 }
        symbols.removeAll(keepingCapacity: true)
        if let bytes {
            for place in piece.indices {
                if let symbol = bytes[Int(piece[place])] { symbols.append(symbol) }
            }
        } else {
            readCharacters(piece)
        }
        return symbols.count <= 24 ? joinShort() : joinLong()
    }

    private mutating func readCharacters(_ piece: Span<UInt8>) {
        var at = 0
        var isUnknown = false
        while at < piece.count {
            let next = piece.scalar(at: at).next
            if let symbol = vocabulary[TextHash.hash64(piece.extracting(at..<next))] {
                symbols.append(symbol)
                isUnknown = false
            } else if let fallback {
                for place in at..<next { symbols.append(fallback[Int(piece[place])]) }
                isUnknown = false
            } else if let unknown {
                if !(isUnknown && fusesUnknown) { symbols.append(unknown) }
                isUnknown = true
            }
            at = next
        }
    }

    /// Looks at every pair each time: the fastest way for a few.
    private mutating func joinShort() -> Int {
        while symbols.count > 1 {
            var best = UInt32.max
            var place = 0
            for at in 0..<symbols.count - 1 {
                if let rank = ranks[Self.key(symbols[at], symbols[at + 1])], rank < best { (best, place) = (rank, at) }
            }
            guard best != .max else { break }
            symbols[place] = joined[Int(best)]
            symbols.remove(at: place + 1)
        }
        return symbols.count
    }

    /// Keeps the pairs in a heap and the symbols in a list: n log n steps for any piece.
    private mutating func joinLong() -> Int {
        let count = symbols.count
        following = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        preceding = (0..<count).map { Int32($0) - 1 }
        heap.removeAll(keepingCapacity: true)
        for place in 0..<count - 1 { push(place) }
        var left = count
        while let top = pop() {
            let place = Int(top & 0xFFFF_FFFF)
            let rank = UInt32(top >> 32)
            // A pair that has changed since it was pushed is another now, or none.
            guard following[place] >= 0 else { continue }
            let next = Int(following[place])
            guard ranks[Self.key(symbols[place], symbols[next])] == rank else { continue }
            symbols[place] = joined[Int(rank)]
            following[place] = following[next]
            // What is joined to its left begins no pair any more.
            following[next] = -1
            if following[place] >= 0 { preceding[Int(following[place])] = Int32(place) }
            left -= 1
            push(place)
            if preceding[place] >= 0 { push(Int(preceding[place])) }
        }
        return left
    }

    private mutating func push(_ place: Int) {
        guard following[place] >= 0 else { return }
        guard let rank = ranks[Self.key(symbols[place], symbols[Int(following[place])])] else { return }
        heap.append(UInt64(rank) << 32 | UInt64(place))
        var at = heap.count - 1
        while at > 0, heap[at] < heap[(at - 1) / 2] {
            heap.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private mutating func pop() -> UInt64? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return top }
        heap[0] = last
        var at = 0
        while true {
            var least = at
            for child in (2 * at + 1)...(2 * at + 2) where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == at { return top }
            heap.swapAt(at, least)
            at = least
        }
    }
}
