import CCuration

/// Finds passages that occur again, within a document or across documents, in a chunk of a corpus.
///
/// Append documents in the order of sources until one is refused, take the removals, and go on with the next chunk. All that
/// goes stands in a passage of the given length that occurred earlier in the chunk. Passages end at borders of characters;
/// if whole sentences are half of a passage or more, at borders of sentences.
///
/// Memory: by bytes, some 10 times the chunk; by words, the chunk and at most 50 bytes a word. Time grows with the chunk alone,
/// however much repeats.
///
/// > Source: suffix arrays as in Lee et al., "Deduplicating training data makes language models better" (2022), section 4.1.
public struct RepeatedText: Sendable {
    /// The most bytes that a chunk may have.
    public static let chunkBytesLimit = 1 << 30

    private let length: RepeatedTextLength
    private let chunkBytesMax: Int
    private var text: [UInt8] = []
    private var documents: [UInt64] = []
    /// The ends of documents in `text`.
    private var ends: [Int32] = []

    /// - Parameter chunkBytesMax: At most ``chunkBytesLimit``, and at least 1.
    public init(_ length: RepeatedTextLength, chunkBytesMax: Int = chunkBytesLimit) {
        self.length = length
        self.chunkBytesMax = min(max(1, chunkBytesMax), Self.chunkBytesLimit)
    }

    /// Adds a document to the chunk; false, and nothing is added, if there is no room for it.
    ///
    /// A document that is refused by an empty chunk is longer than a chunk: pass it over.
    public mutating func append(_ document: Span<UInt8>, number: UInt64) -> Bool {
        guard document.count <= chunkBytesMax - text.count else { return false }
        guard document.count > 0 else { return true }
        document.withUnsafeBufferPointer { text.append(contentsOf: $0) }
        documents.append(number)
        ends.append(Int32(text.count))
        return true
    }

    /// The passages of the chunk that go, by document and then by place; the chunk is empty afterwards.
    ///
    /// - Throws: ``OutOfMemory`` if there is none for the suffix array; the chunk is empty then too.
    public mutating func removals() throws(OutOfMemory) -> [PassageRemoval] {
        defer {
            text.removeAll(keepingCapacity: true)
            documents.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
        let spans: [Range<Int>]
        switch length {
        case .bytes: spans = try byteSpans()
        case .words: spans = try wordSpans()
        }
        return passages(spans)
    }

    /// There was no memory for the work arrays of a chunk: make chunks smaller.
    public struct OutOfMemory: Error {}

    private func byteSpans() throws(OutOfMemory) -> [Range<Int>] {
        let count = Int32(text.count)
        var suffixes = [Int32](repeating: 0, count: text.count)
        var first = [Int32](repeating: 0, count: text.count)
        let failed = suffixes.withUnsafeMutableBufferPointer { onepoint_suffixes_bytes(text, $0.baseAddress, count) }
        guard failed == 0 else { throw OutOfMemory() }
        first.withUnsafeMutableBufferPointer {
            onepoint_repeats_bytes(text, suffixes, count, self.length.count, ends, $0.baseAddress)
        }
        return Self.spans(first, Int(self.length.count))
    }

    private func wordSpans() throws(OutOfMemory) -> [Range<Int>] {
        var words = ChunkWords(text.span, ends)
        let count = Int32(words.numbers.count)
        guard count > 0 else { return [] }
        var suffixes = [Int32](repeating: 0, count: Int(count))
        let failed = suffixes.withUnsafeMutableBufferPointer {
            onepoint_suffixes_numbers(words.numbers, $0.baseAddress, count, words.alphabet)
        }
        guard failed == 0 else { throw OutOfMemory() }
        var first = [Int32](repeating: 0, count: Int(count))
        first.withUnsafeMutableBufferPointer {
            onepoint_repeats_numbers(words.numbers, suffixes, count, length.count, words.documentEnds, $0.baseAddress)
        }
        words.numbers = []
        return Self.spans(first, Int(length.count)).map {
            Int(words.starts[$0.lowerBound])..<Int(words.ends[$0.upperBound - 1])
        }
    }

    /// The union of what begins at each place that repeats an earlier one, less what the first occurrence covers itself.
    private static func spans(_ first: [Int32], _ length: Int) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        for index in first.indices where first[index] >= 0 {
            // Where a passage overlaps its own first occurrence ("ababab"), that stays whole.
            let start = max(index, Int(first[index]) + length)
            let end = index + length
            if let last = spans.last, last.upperBound >= start {
                spans[spans.count - 1] = min(last.lowerBound, start)..<max(last.upperBound, end)
            } else {
                spans.append(start..<end)
            }
        }
        return spans
    }

    /// Cuts spans of the chunk at the ends of documents and at good places.
    private func passages(_ spans: [Range<Int>]) -> [PassageRemoval] {
        var removals: [PassageRemoval] = []
        var document = 0
        // A passage may have moved its end over punctuation with which the next begins.
        var done = 0
        for span in spans {
            var start = span.lowerBound
            while start < span.upperBound {
                while Int(ends[document]) <= start { document += 1 }
                let documentStart = document == 0 ? 0 : Int(ends[document - 1])
                let documentEnd = Int(ends[document])
                let end = min(span.upperBound, documentEnd)
                let bytes = text.span.extracting(documentStart..<documentEnd)
                let range = SentenceBorders.trimmed(start - documentStart..<end - documentStart, in: bytes)
                let from = max(range.lowerBound, done - documentStart)
                if from < range.upperBound {
                    removals.append(PassageRemoval(document: documents[document], range: from..<range.upperBound))
                    done = documentStart + range.upperBound
                }
                start = end
            }
        }
        return removals
    }
}
