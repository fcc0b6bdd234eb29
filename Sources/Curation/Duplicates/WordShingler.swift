import CCuration

/// Turns a text, whole or in pieces, into the hashes of its runs of five words, about a thousand at a time.
///
/// Words are as `onepoint_words` has them. A text of one to four words has one shingle, the whole of it; a text
/// without words has none. Feed pieces to ``next(_:from:)`` until it is false, then ``last()``; ``shingles`` holds
/// what came of each call.
struct WordShingler: Sendable {
    /// Words taken at a time. The identity depends on it.
    static let blockWords = 1024
    static let carriedWords = 4
    // Before a block's words stand the identity so far (2) and the last words of the block before (4).
    private static let first = 2 + carriedWords

    /// Hashes that the last call made.
    private(set) var shingles = [UInt64](repeating: 0, count: blockWords + carriedWords)
    private(set) var shingleCount = 0
    /// Words of the text so far.
    private(set) var wordCount = 0
    private var words = [UInt64](repeating: 0, count: first + blockWords + 2)
    private var filled = 0
    private var word = onepoint_word()
    /// The bytes of a character that the piece before has cut, at most three.
    private var cut: [UInt8] = []

    init() { cut.reserveCapacity(8) }

    mutating func begin() {
        for index in 0..<Self.first { words[index] = 0 }
        word = onepoint_word()
        cut.removeAll(keepingCapacity: true)
        filled = 0
        wordCount = 0
        shingleCount = 0
    }

    /// XXH3-128 of the words' hashes, a block's chained to that of the block before. Two texts with the same words
    /// have the same.
    var identity: TextHash { TextHash(high: words[1], low: words[0]) }

    /// Takes bytes from `position` on; true if a block of shingles is ready and there may be more, false when all are
    /// taken.
    mutating func next(_ bytes: Span<UInt8>, from position: inout Int) -> Bool {
        if !cut.isEmpty { takeCut(bytes, &position) }
        shingleCount = 0
        if position < bytes.count, cut.isEmpty {
            bytes.withUnsafeBufferPointer { split($0, &position) }
        }
        guard filled < Self.blockWords else {
            finishBlock(Self.blockWords)
            return true
        }
        while position < bytes.count {
            cut.append(bytes[position])
            position += 1
        }
        return false
    }

    /// The shingles left at the end of a text, at most a block of them.
    mutating func last() {
        shingleCount = 0
        cut.removeAll(keepingCapacity: true)
        var found: Int32 = 0
        let hash = onepoint_words_end(&word, &found)
        if found != 0 {
            words[Self.first + filled] = hash
            filled += 1
        }
        guard filled > 0 else { return }
        guard wordCount > 0 || filled > Self.carriedWords else {
            let count = filled
            shingles[0] = words.withUnsafeBufferPointer { onepoint_short_shingle($0.baseAddress! + Self.first, count) }
            shingleCount = 1
            chain(count)
            return
        }
        finishBlock(filled)
    }

    private mutating func split(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        let room = words.count - Self.first - filled
        let at = Self.first + filled
        // The buffers are never empty, so that they have a base address.
        filled += words.withUnsafeMutableBufferPointer {
            onepoint_words(&word, bytes.baseAddress, bytes.count, &position, $0.baseAddress! + at, room, nil, nil)
        }
    }

    /// Completes the character that the piece before has cut, byte by byte.
    private mutating func takeCut(_ bytes: Span<UInt8>, _ position: inout Int) {
        while !cut.isEmpty, position < bytes.count, filled < Self.blockWords {
            cut.append(bytes[position])
            position += 1
            let count = cut.count
            var taken = 0
            let whole = cut
            whole.withUnsafeBufferPointer { split($0, &taken) }
            cut.removeFirst(min(taken, count))
        }
    }

    private mutating func finishBlock(_ count: Int) {
        let carried = wordCount > 0 ? Self.carriedWords : 0
        let start = Self.first - carried
        let total = count + carried
        words.withUnsafeBufferPointer { words in
            shingles.withUnsafeMutableBufferPointer {
                onepoint_shingles(words.baseAddress! + start, total, $0.baseAddress!)
            }
        }
        shingleCount = total - Self.carriedWords
        chain(count)
        let end = Self.first + count
        for index in 0..<Self.carriedWords { words[2 + index] = words[end - Self.carriedWords + index] }
        for index in count..<max(filled, count) { words[Self.first + index - count] = words[Self.first + index] }
        filled -= count
    }

    /// Counts a block's words and adds them to the identity.
    private mutating func chain(_ count: Int) {
        wordCount += count
        let bytes = (Self.first + count) * MemoryLayout<UInt64>.stride
        let hash = words.withUnsafeBytes { onepoint_xxh3_128($0.baseAddress, bytes) }
        words[0] = hash.low
        words[1] = hash.high
    }
}
