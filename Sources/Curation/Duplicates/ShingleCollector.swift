import CCuration

/// Collects the distinct shingles of a text, ascending.
struct ShingleCollector: Sendable {
    /// Distinct shingles, ascending, once a text has ended.
    private(set) var shingles: [UInt64] = []
    /// Words of the text; its shingles are at most as many.
    var wordCount: Int { shingler.wordCount }

    private static let sortAtLeast = 1 << 16
    private var shingler = WordShingler()
    private var scratch: [UInt64] = []
    private var counts = [UInt32](repeating: 0, count: 65_537)
    private var first: UInt64 = 0
    private var last: UInt64 = .max
    private var sortAt = 0
    private var limit = 0
    /// Whether all of the text's shingles in the range were collected.
    private(set) var isWhole = true

    init() {}

    /// Starts a text of which only shingles in a range count.
    ///
    /// - Parameter limit: Distinct shingles beyond which the text is not collected; ``isWhole`` is false then.
    mutating func begin(_ range: ClosedRange<UInt64>, limit: Int) {
        shingles.removeAll(keepingCapacity: true)
        self.limit = limit
        shingler.begin()
        first = range.lowerBound
        last = range.upperBound
        sortAt = Self.sortAtLeast
        isWhole = true
    }

    mutating func add(_ piece: Span<UInt8>) {
        var position = 0
        while shingler.next(piece, from: &position) { take() }
    }

    mutating func end() {
        shingler.last()
        take()
        if isWhole { settle() }
    }

    private mutating func take() {
        let count = shingler.shingleCount
        guard isWhole, count > 0 else { return }
        if first == 0, last == .max {
            shingles.append(contentsOf: shingler.shingles[..<count])
        } else {
            for index in 0..<count where shingler.shingles[index] >= first && shingler.shingles[index] <= last {
                shingles.append(shingler.shingles[index])
            }
        }
        // Repeats are dropped now and then, so that a text that says one thing for ever takes no memory.
        guard shingles.count >= sortAt else { return }
        settle()
        sortAt = max(Self.sortAtLeast, shingles.count + shingles.count / 2)
    }

    /// Drops repeats, and gives up a text that has too many left.
    private mutating func settle() {
        sortUnique()
        if shingles.count > limit {
            isWhole = false
            shingles.removeAll()
        }
    }

    private mutating func sortUnique() {
        let count = shingles.count
        if scratch.count < count { scratch = [UInt64](repeating: 0, count: max(count, Self.sortAtLeast)) }
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
