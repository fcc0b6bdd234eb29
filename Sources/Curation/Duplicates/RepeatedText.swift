import CCuration

/// Finds passages that occur again, within a document or across documents, in a chunk of a corpus.
///
/// Append documents in the order of sources until one is refused, take the removals, and go on with the next chunk.
/// All that goes stands in a passage of the given length that occurred earlier in the chunk. Passages end at borders
/// of characters; if whole sentences are half of a passage or more, at borders of sentences.
///
/// Memory: a chunk of `n` bytes takes some 5 `n`, and up to 14 `n` if nearly all of it repeats; by words, some 30
/// bytes a word more. Time grows with the chunk alone, and where a text says one thing for ever with the length asked
/// for.
///
/// > Source: what Lee et al., "Deduplicating training data makes language models better" (2022), section 4.1, do by
/// > suffix arrays; all windows of one length by a rolling hash give the same passages in a fifth of the time.
public struct RepeatedText: Sendable {
    /// The most bytes that a chunk may have.
    public static let chunkBytesLimit = 1 << 30

    private let length: RepeatedTextLength
    private let chunkBytesMax: Int
    private var text: [UInt8] = []
    private var documents: [UInt64] = []
    /// The ends of documents in `text`.
    private var ends: [Int] = []

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
        ends.append(text.count)
        return true
    }

    /// The passages of the chunk that go, by document and then by place; the chunk is empty afterwards.
    ///
    /// - Throws: ``OutOfMemory`` if there is none to work in; the chunk is empty then too.
    public mutating func removals() throws(OutOfMemory) -> [PassageRemoval] {
        defer {
            text.removeAll(keepingCapacity: true)
            documents.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
        switch length {
        case .bytes: return passages(try spans(text, isWide: 0, ends))
        case .words:
            let words = ChunkWords(text.span, ends)
            let spans = try spans(words.hashes, isWide: 1, words.documentEnds)
            return passages(spans.map { Int(words.starts[$0.lowerBound])..<Int(words.ends[$0.upperBound - 1]) })
        }
    }

    /// There was no memory for the work arrays of a chunk: make chunks smaller.
    public struct OutOfMemory: Error {}

    /// The union of the windows that occurred before, less what their first occurrence covers itself.
    private func spans<Character>(_ text: [Character], isWide: Int32, _ ends: [Int]) throws(OutOfMemory) -> [Range<Int>]
    {
        guard !text.isEmpty else { return [] }
        let length = length.count
        let room = 4096
        var spans: [Range<Int>] = []
        var places = [UInt32](repeating: 0, count: room)
        var firsts = places
        let failed = text.withUnsafeBytes { bytes in
            ends.withUnsafeBufferPointer { ends in
                var search = onepoint_passages()
                defer { onepoint_passages_end(&search) }
                var failed = onepoint_passages_begin(
                    &search,
                    bytes.baseAddress,
                    isWide,
                    text.count,
                    length,
                    ends.baseAddress
                )
                var found = room
                while failed == 0, found > 0 {
                    failed = onepoint_passages_next(&search, &places, &firsts, room, &found)
                    for index in 0..<found { Self.add(Int(places[index]), Int(firsts[index]), length, to: &spans) }
                }
                return failed
            }
        }
        if failed != 0 { throw OutOfMemory() }
        return spans
    }

    private static func add(_ place: Int, _ first: Int, _ length: Int, to spans: inout [Range<Int>]) {
        // Where a passage overlaps its own first occurrence ("ababab"), that stays whole.
        let start = max(place, first + length)
        let end = place + length
        if let last = spans.last, last.upperBound >= start {
            spans[spans.count - 1] = min(last.lowerBound, start)..<max(last.upperBound, end)
        } else {
            spans.append(start..<end)
        }
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
                while ends[document] <= start { document += 1 }
                let documentStart = document == 0 ? 0 : ends[document - 1]
                let documentEnd = ends[document]
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
