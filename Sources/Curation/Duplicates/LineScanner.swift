import CCuration

/// Goes through the lines or paragraphs of one text after another, and hashes those long enough to be looked at.
public struct LineScanner: Sendable {
    private let settings: RepeatedLineSettings

    public init(_ settings: RepeatedLineSettings) { self.settings = settings }

    /// What the lines of a text give to the count: an entry for each that is long enough.
    public func appendLines(of text: Span<UInt8>, document: UInt64, to entries: inout [LineEntry]) {
        var position = 0
        while let unit = nextUnit(text, from: &position) {
            if let hash = hash(text, unit) { entries.append(LineEntry(hash: hash, document: document)) }
        }
    }

    /// The parts of a text to take out, ascending and apart, so that the text stays tidy.
    ///
    /// Where lines go, one run of blank lines of those around them stays at most, and none at the text's ends; the
    /// text ends with a line feed if it did before. A text all of whose lines go becomes empty.
    public func removals(of text: Span<UInt8>, document: UInt64, repeated: RepeatedLines) -> [Range<Int>] {
        var removals: [Range<Int>] = []
        // Lines of this document whose first occurrence stays, once met.
        var met: Set<UInt64> = []
        var keptEnd = 0
        var isRemoving = false
        var gap = Gap()
        var position = 0
        while let unit = nextUnit(text, from: &position) {
            if unit.lowerBound > gap.end { gap.addBlank(to: unit.lowerBound) }
            if isRepeated(hash(text, unit), document, repeated, &met) {
                isRemoving = true
                gap.addRemoved(to: unit.upperBound)
            } else {
                if isRemoving { gap.close(isFirst: keptEnd == 0, into: &removals) }
                isRemoving = false
                keptEnd = unit.upperBound
                gap = Gap(from: keptEnd)
            }
        }
        guard isRemoving else { return removals }
        // Nothing follows: the blank lines go too, and the last line ends as the text did.
        var start = keptEnd
        if start > 0, text[text.count - 1] != 0x0A {
            start -= 1
            if start > 0, text[start - 1] == 0x0D { start -= 1 }
        }
        removals.append(start..<text.count)
        return removals
    }

    private func isRepeated(
        _ hash: UInt64?,
        _ document: UInt64,
        _ repeated: RepeatedLines,
        _ met: inout Set<UInt64>
    ) -> Bool {
        guard let hash, let first = repeated.firstDocument(of: hash) else { return false }
        guard settings.keepsFirst, first == document else { return true }
        return !met.insert(hash).inserted
    }

    /// The next line that is not blank, with its line feed, or the next paragraph with all of its lines.
    private func nextUnit(_ text: Span<UInt8>, from position: inout Int) -> Range<Int>? {
        var start: Int?
        while position < text.count {
            let line = position
            position = text.withUnsafeBufferPointer { onepoint_line_end($0.baseAddress, $0.count, line) }
            if Self.isBlank(text.extracting(line..<position)) {
                if let start { return start..<line }
            } else if settings.unit == .line {
                return line..<position
            } else if start == nil {
                start = line
            }
        }
        return start.map { $0..<text.count }
    }

    /// Whether a line has nothing but spaces: those of ASCII, the ideographic (U+3000) and the one that does not
    /// break (U+00A0).
    private static func isBlank(_ line: Span<UInt8>) -> Bool {
        var place = 0
        while place < line.count {
            switch line[place] {
            case 0x09...0x0D, 0x20: place += 1
            case 0xC2 where place + 1 < line.count && line[place + 1] == 0xA0: place += 2
            case 0xE3 where place + 2 < line.count && line[place + 1] == 0x80 && line[place + 2] == 0x80: place += 3
            default: return false
            }
        }
        return true
    }

    /// A hash of the words; nil if there are too few letters.
    private func hash(_ text: Span<UInt8>, _ unit: Range<Int>) -> UInt64? {
        var wordBytes: UInt64 = 0
        let hash = text.extracting(unit).withUnsafeBufferPointer {
            onepoint_words_hash($0.baseAddress, $0.count, &wordBytes)
        }
        return wordBytes >= UInt64(settings.letterBytesMin) ? hash : nil
    }
}

/// What lies between two lines that stay: lines that go, and blank ones, the first run of which may stay.
private struct Gap {
    private var start = 0
    private(set) var end = 0
    private var blank: Range<Int>?

    init(from start: Int = 0) {
        self.start = start
        end = start
    }

    mutating func addBlank(to end: Int) {
        if blank == nil { blank = self.end..<end }
        self.end = end
    }

    mutating func addRemoved(to end: Int) { self.end = end }

    /// Takes the gap out but for its first blank lines; at the front of a text, with these.
    func close(isFirst: Bool, into removals: inout [Range<Int>]) {
        let stays = isFirst ? end..<end : blank ?? end..<end
        if start < stays.lowerBound { removals.append(start..<stays.lowerBound) }
        if stays.upperBound < end { removals.append(stays.upperBound..<end) }
    }
}
