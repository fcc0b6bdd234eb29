import CCuration

/// Where a line stands, without its line break.
struct LineBounds {
    private var start: UInt32
    private var end: UInt32

    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    var range: Range<Int> { Int(start)..<Int(end) }
}

/// The lines and paragraphs of a text, and how much of them stood in it before.
struct TextLines: ~Copyable {
    /// Between U+000A, the empty ones too: where each begins, and one more behind the text's end.
    private(set) var starts = Scratch<UInt32>()
    /// Lines that are not empty, and how many of them and of their characters repeat; so for paragraphs.
    private(set) var lines = Repeats()
    private(set) var paragraphs = Repeats()
    /// Lines that are not blank; the last two are FineWeb's.
    private(set) var written = Repeats()
    private(set) var terminated = 0
    private(set) var short = 0
    private var met = ByteRuns()

    struct Repeats {
        var count = 0
        var repeated = 0
        var repeatedCharacters = 0
    }

    /// FineWeb's lines of at most these many characters are short.
    static let shortLineCharacters = 30

    /// - Parameters:
    ///   - text: UTF-8 with `EnglishTokenizer.paddingBytes` blanks behind it.
    ///   - isASCII: Whether all of it is.
    mutating func scan(
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        isASCII: Bool,
        seed: UInt64,
        tables: QualityTables
    ) {
        split(text, count)
        countLines(text, isASCII, seed, tables)
        countParagraphs(text, count, isASCII, seed, tables)
    }

    private mutating func split(_ text: UnsafePointer<UInt8>, _ count: Int) {
        starts.removeAll()
        starts.append(0)
        var at = 0
        while at < count, let found = onepoint_quality_find_byte(text + at, 0x0A, count - at) {
            at = found - text + 1
            starts.append(UInt32(truncatingIfNeeded: at))
        }
        starts.append(UInt32(truncatingIfNeeded: count + 1))
    }

    private mutating func countLines(
        _ text: UnsafePointer<UInt8>,
        _ isASCII: Bool,
        _ seed: UInt64,
        _ tables: QualityTables
    ) {
        lines = Repeats()
        written = Repeats()
        terminated = 0
        short = 0
        met.clear(for: starts.count)
        for line in 0..<(starts.count - 1) {
            let start = Int(starts[line])
            let end = Int(starts[line + 1]) - 1
            guard start < end else { continue }
            lines.count += 1
            let isRepeated = met.enter(text, start, end, seed)
            let isBlank = Self.isBlank(text, start, end, tables)
            let characters = isASCII ? end - start : Self.characters(text, start, end)
            if isRepeated {
                lines.repeated += 1
                lines.repeatedCharacters += characters
            }
            guard !isBlank else { continue }
            written.count += 1
            if isRepeated {
                written.repeated += 1
                written.repeatedCharacters += characters
            }
            if characters <= Self.shortLineCharacters { short += 1 }
            if Self.last(text, start, end, tables).mask & CharacterClass.terminal != 0 { terminated += 1 }
        }
    }

    /// Paragraphs stand between two line breaks or more, in the text without white space around it.
    private mutating func countParagraphs(
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        _ isASCII: Bool,
        _ seed: UInt64,
        _ tables: QualityTables
    ) {
        paragraphs = Repeats()
        let stripped = Self.stripped(text, 0, count, tables)
        guard !stripped.isEmpty else {
            paragraphs.count = 1
            return
        }
        met.clear(for: starts.count)
        var paragraph = -1
        for line in 0..<(starts.count - 1) {
            let start = max(Int(starts[line]), stripped.lowerBound)
            let end = min(Int(starts[line + 1]) - 1, stripped.upperBound)
            if start < end {
                if paragraph < 0 { paragraph = start }
                if end < stripped.upperBound, text[end + 1] != 0x0A { continue }
                paragraphs.count += 1
                if met.enter(text, paragraph, end, seed) {
                    paragraphs.repeated += 1
                    let characters = isASCII ? end - paragraph : Self.characters(text, paragraph, end)
                    paragraphs.repeatedCharacters += characters
                }
                paragraph = -1
            }
        }
    }
}

extension TextLines {
    /// The characters of bytes: those that do not go on with one.
    @inline(__always)
    static func characters(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var count = end - start
        var at = start
        // Eight at a time: a byte goes on with a character if its highest bit is set and the next is not.
        while end - at >= 8 {
            let eight = UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)
            count -= (eight & ~(eight << 1) & 0x8080_8080_8080_8080).nonzeroBitCount
            at += 8
        }
        while at < end {
            if text[at] & 0xC0 == 0x80 { count -= 1 }
            at += 1
        }
        return count
    }

    @inline(__always)
    static func characters(_ text: UnsafePointer<UInt8>, _ token: EnglishToken) -> Int {
        characters(text, Int(token.start), token.end)
    }

    /// The class and the first byte of the last character of bytes that are not none.
    @inline(__always)
    static func last(
        _ text: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        _ tables: QualityTables
    ) -> (mask: UInt32, start: Int) {
        var at = end - 1
        if text[at] < 0x80 { return (tables.ascii[Int(text[at])], at) }
        while at > start, end - at < 4, text[at] & 0xC0 == 0x80 { at -= 1 }
        return (tables.character(at: text + at).mask, at)
    }

    /// The bytes without the white space around them; at the start if there is nothing else.
    @inline(__always)
    static func stripped(
        _ text: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        _ tables: QualityTables
    ) -> Range<Int> {
        var low = start
        while low < end {
            let (mask, length) = tables.character(at: text + low)
            if mask & CharacterClass.space == 0 { break }
            low += length
        }
        guard low < end else { return start..<start }
        var high = end
        while high > low {
            let (mask, at) = last(text, low, high, tables)
            if mask & CharacterClass.space == 0 { break }
            high = at
        }
        return low..<high
    }

    @inline(__always)
    static func isBlank(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ tables: QualityTables) -> Bool {
        var at = start
        while at < end {
            let (mask, length) = tables.character(at: text + at)
            if mask & CharacterClass.space == 0 { return false }
            at += length
        }
        return true
    }
}
