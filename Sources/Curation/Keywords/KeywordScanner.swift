import CVectorscan

/// Looks for a pack's words in texts: one for each thread, reused for every document.
///
/// Not `Sendable`, and a copy shares the scratch of Vectorscan with the original: make another scanner for another thread.
public struct KeywordScanner {
    /// Occurrences that one text may have; the rest is not looked at, and ``isTruncated`` says so.
    public static let matchLimit = 1 << 20
    /// Vectorscan takes lengths of 32 bits; larger views are scanned in blocks of this size, which overlap by a word.
    private static let blockBytes = 1 << 28

    public let pack: KeywordPack
    public let policy: KeywordPolicy
    /// Whether the last text had more occurrences than ``matchLimit``.
    public private(set) var isTruncated = false
    private let scratch: KeywordScratch
    private var view: NormalizedText
    private var hits: [Hit] = []

    /// An occurrence in the view.
    struct Hit {
        var end: Int
        var word: Int
        var start: Int
    }

    public init(pack: KeywordPack, policy: KeywordPolicy = .leftmostLongest) throws(KeywordError) {
        self.pack = pack
        self.policy = policy
        scratch = try KeywordScratch(pack.database)
        view = NormalizedText(table: pack.table)
    }

    /// Appends the words that are in `text` to `matches`, in order of their start.
    public mutating func scan(_ text: Span<UInt8>, into matches: inout [KeywordMatch]) {
        view.set(text)
        scan(view, into: &matches)
    }

    /// The same for a text whose view is there already; `view` must have been made by the pack's table.
    public mutating func scan(_ view: NormalizedText, into matches: inout [KeywordMatch]) {
        hits.removeAll(keepingCapacity: true)
        isTruncated = false
        let bytes = view.buffer.span.extracting(0..<view.count)
        var from = 0
        var reported = 0
        while from < bytes.count {
            let to = min(bytes.count, from + Self.blockBytes)
            scanBlock(bytes, from..<to, after: reported)
            if to == bytes.count || isTruncated { break }
            reported = to
            from = to - max(0, pack.longestForm - 1)
        }
        report(view, into: &matches)
    }

    private mutating func scanBlock(_ bytes: Span<UInt8>, _ range: Range<Int>, after reported: Int) {
        var found = Found(hits: hits, base: range.lowerBound, reported: reported)
        hits = []
        bytes.extracting(range).withUnsafeBufferPointer { block in
            block.withMemoryRebound(to: CChar.self) { block in
                withUnsafeMutablePointer(to: &found) { context in
                    let result = hs_scan(
                        pack.database,
                        block.baseAddress,
                        UInt32(block.count),
                        0,
                        scratch.pointer,
                        { id, _, end, _, context in
                            guard let found = context?.assumingMemoryBound(to: Found.self) else { return 1 }
                            return found.pointee.add(word: Int(id), end: Int(end))
                        },
                        context
                    )
                    // Of a good database and block nothing else comes but this: the scratch is in use.
                    precondition(
                        result == HS_SUCCESS || result == HS_SCAN_TERMINATED,
                        "two threads use one scanner"
                    )
                }
            }
        }
        hits = found.hits
        isTruncated = found.isFull
    }

    /// What the callback of Vectorscan writes to.
    private struct Found {
        var hits: [Hit]
        let base: Int
        let reported: Int
        var isFull = false

        mutating func add(word: Int, end: Int) -> Int32 {
            if base + end <= reported { return 0 }
            guard hits.count < KeywordScanner.matchLimit else {
                isFull = true
                return 1
            }
            hits.append(Hit(end: base + end, word: word, start: 0))
            return 0
        }
    }

    /// Checks the boundaries, orders by start and takes what the policy says back to the original.
    private mutating func report(_ view: NormalizedText, into matches: inout [KeywordMatch]) {
        let bytes = view.buffer.span.extracting(0..<view.count)
        var kept = 0
        for i in 0..<hits.count {
            var hit = hits[i]
            let form = pack.forms[hit.word]
            hit.start = hit.end - form.count
            if form.needsStart, Self.isAlphabetic(bytes, before: hit.start) { continue }
            if form.needsEnd, Self.isAlphabetic(bytes, at: hit.end) { continue }
            hits[kept] = hit
            kept += 1
        }
        hits.removeLast(hits.count - kept)
        hits.sort { ($0.start, $1.end, $0.word) < ($1.start, $0.end, $1.word) }
        var free = 0
        for hit in hits {
            if policy == .leftmostLongest {
                guard hit.start >= free else { continue }
                free = hit.end
            }
            let range = view.original(hit.start..<hit.end)
            matches.append(KeywordMatch(start: range.lowerBound, end: range.upperBound, word: hit.word))
        }
    }

    /// Whether a letter or digit of an alphabet begins at `index`: ASCII, or a character of two bytes (Latin, Greek, Cyrillic, …).
    static func isAlphabetic(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        guard index < bytes.count else { return false }
        let byte = bytes[index]
        return byte < 0x80 ? isASCIIWord(byte) : byte >= 0xC3 && byte < 0xE0
    }

    /// Whether one ends before `index`.
    static func isAlphabetic(_ bytes: Span<UInt8>, before index: Int) -> Bool {
        guard index > 0 else { return false }
        let byte = bytes[index - 1]
        if byte < 0x80 { return isASCIIWord(byte) }
        return index > 1 && bytes[index - 2] >= 0xC3 && bytes[index - 2] < 0xE0
    }

    private static func isASCIIWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10
    }
}
