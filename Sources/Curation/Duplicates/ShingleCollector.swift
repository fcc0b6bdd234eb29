import CCuration

/// Collects the distinct shingles of a text, ascending.
struct ShingleCollector: Sendable {
    /// Distinct shingles, ascending, once a text has ended.
    private(set) var shingles: [UInt64] = []
    /// Words of the text; its shingles are at most as many.
    var wordCount: Int { shingler.wordCount }

    private var shingler = WordShingler()
    private var scratch: [UInt64] = []
    private var counts = [UInt32](repeating: 0, count: 65_537)
    private var first: UInt64 = 0
    private var last: UInt64 = .max
    private var sortAt = 0
    private var isOpen = true
    private let limit: Int

    /// - Parameter limit: Shingles beyond which a text is not collected; ``isWhole`` is false then.
    init(limit: Int) { self.limit = limit }

    /// Whether all of the text's shingles in the range were collected.
    var isWhole: Bool { isOpen }

    /// Starts a text of which only shingles in a range count.
    mutating func begin(_ range: ClosedRange<UInt64> = 0...UInt64.max) {
        shingles.removeAll(keepingCapacity: true)
        shingler.begin()
        first = range.lowerBound
        last = range.upperBound
        sortAt = 1 << 16
        isOpen = true
    }

    mutating func add(_ piece: Span<UInt8>) {
        var position = 0
        while shingler.next(piece, from: &position) { take() }
    }

    mutating func end() {
        shingler.last()
        take()
        if isOpen { sortUnique() } else { shingles.removeAll() }
    }

    private mutating func take() {
        let count = shingler.shingleCount
        guard isOpen, count > 0 else { return }
        if first == 0, last == .max {
            shingles.append(contentsOf: shingler.shingles[..<count])
        } else {
            for index in 0..<count where shingler.shingles[index] >= first && shingler.shingles[index] <= last {
                shingles.append(shingler.shingles[index])
            }
        }
        // Repeats are dropped now and then, so that a text that says one thing for ever takes no memory.
        guard shingles.count >= sortAt else { return }
        sortUnique()
        sortAt = max(1 << 16, 2 * shingles.count)
        if shingles.count > limit {
            isOpen = false
            shingles.removeAll()
        }
    }

    private mutating func sortUnique() {
        let count = shingles.count
        if scratch.count < count { scratch = [UInt64](repeating: 0, count: count + count / 2) }
        let kept = shingles.withUnsafeMutableBufferPointer { shingles in
            scratch.withUnsafeMutableBufferPointer { scratch in
                counts.withUnsafeMutableBufferPointer {
                    onepoint_sort_unique(shingles.baseAddress, scratch.baseAddress, count, $0.baseAddress)
                }
            }
        }
        shingles.removeLast(count - kept)
    }
}
