import CCuration

/// Finds the passages by which texts are known to say at length what others said before.
///
/// Of a text some passages of `bytesMin` bytes are selected, by their own bytes alone, so that every stretch of
/// ``stretchBytesMin`` bytes has one. Passages that were selected before mark what goes. So whatever goes stands in
/// `bytesMin` bytes that stood before, byte for byte; of a stretch of ``stretchBytesMin`` or more all goes but for at
/// most a quarter of `bytesMin` at either end.
///
/// Cost: two passages in a quarter of `bytesMin`, 16 bytes each: two thirds of a text's size at 200.
///
/// > Source: Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for document fingerprinting" (2003); what goes is
/// > what Lee et al., "Deduplicating training data makes language models better" (2022), section 4.1, find by arrays of
/// > all suffixes, which need the whole corpus in memory.
public struct PassageSelector: Sendable {
    public let bytesMin: Int
    private let window: Int

    /// What `bytesMin` may be.
    public static let bytesMinRange = 40...100_000

    public init(bytesMin: Int) {
        self.bytesMin = min(max(bytesMin, Self.bytesMinRange.lowerBound), Self.bytesMinRange.upperBound)
        window = self.bytesMin / 4
    }

    /// A stretch of so many bytes or more that stood before is found.
    public var stretchBytesMin: Int { bytesMin + window - 1 }

    /// A passage of `bytesMin` bytes: where it begins, and the hash of its bytes.
    public struct Passage: Sendable, Hashable {
        public let place: Int
        public let hash: TextHash
    }

    /// The passages of a text, by place; none of a text that is shorter than ``stretchBytesMin``.
    public func passages(of text: Span<UInt8>) -> [Passage] {
        let room = text.count - bytesMin + 1
        guard room >= window else { return [] }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: window) { ring in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: room) { places in
                let found = text.withUnsafeBufferPointer {
                    onepoint_winnow(
                        $0.baseAddress,
                        $0.count,
                        bytesMin,
                        window,
                        ring.baseAddress,
                        places.baseAddress
                    )
                }
                return places.prefix(found).map { place in
                    let place = Int(place)
                    return Passage(place: place, hash: TextHash(text.extracting(place..<place + bytesMin)))
                }
            }
        }
    }

    /// What to take out of a text so that no character is cut, nor a sentence if that leaves half of a stretch.
    ///
    /// - Parameter stretches: Of the text, ascending and apart.
    public func removals(of text: Span<UInt8>, stretches: [Range<Int>]) -> [Range<Int>] {
        var removals: [Range<Int>] = []
        // A stretch may have moved its end over punctuation with which the next begins.
        var done = 0
        for stretch in stretches {
            let stretch = stretch.clamped(to: min(done, text.count)..<text.count)
            guard !stretch.isEmpty else { continue }
            let range = SentenceBorders.trimmed(stretch, in: text)
            guard !range.isEmpty else { continue }
            removals.append(range)
            done = range.upperBound
        }
        return removals
    }
}
