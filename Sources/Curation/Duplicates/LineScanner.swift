import CCuration

/// Goes through the lines or paragraphs of one text after another, and hashes those long enough to be looked at.
public struct LineScanner: Sendable {
    private static let blockWords = 256
    private let settings: RepeatedLineSettings
    // In front of the words stands the hash of those before.
    private var words = [UInt64](repeating: 0, count: 1 + blockWords)
    private var starts = [UInt32](repeating: 0, count: blockWords)
    private var ends = [UInt32](repeating: 0, count: blockWords)

    public init(_ settings: RepeatedLineSettings) { self.settings = settings }

    /// What the lines of a text give to the count: an entry for each that is long enough.
    public mutating func appendLines(of text: Span<UInt8>, document: UInt64, to entries: inout [LineEntry]) {
        var position = 0
        while let unit = nextUnit(text, from: &position) {
            if let hash = hash(text, unit) { entries.append(LineEntry(hash: hash, document: document)) }
        }
    }

    /// The parts of a text to take out, ascending and apart, so that the text stays tidy.
    ///
    /// Where lines go, one run of blank lines of those around them stays at most, and none at the text's ends; the text ends with
    /// a line feed if it did before. A text all of whose lines go becomes empty.
    public mutating func removals(of text: Span<UInt8>, document: UInt64, repeated: RepeatedLines) -> [Range<Int>] {
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
            var isBlank = true
            while position < text.count {
                let byte = text[position]
                position += 1
                if byte == 0x0A { break }
                if isBlank { isBlank = Self.isSpace(text, &position) }
            }
            if isBlank {
                if let start { return start..<line }
            } else if settings.unit == .line {
                return line..<position
            } else if start == nil {
                start = line
            }
        }
        return start.map { $0..<text.count }
    }

    /// Whether the character whose first byte is before `position` is a space; steps over the rest of an ideographic one (U+3000)
    /// and one that does not break (U+00A0).
    private static func isSpace(_ text: Span<UInt8>, _ position: inout Int) -> Bool {
        switch text[position - 1] {
        case 0x20, 0x09, 0x0B, 0x0C, 0x0D: return true
        case 0xC2 where position < text.count && text[position] == 0xA0:
            position += 1
            return true
        case 0xE3 where position + 1 < text.count && text[position] == 0x80 && text[position + 1] == 0x80:
            position += 2
            return true
        default: return false
        }
    }

    /// A hash of the words; nil if there are too few letters.
    private mutating func hash(_ text: Span<UInt8>, _ unit: Range<Int>) -> UInt64? {
        var letterBytes = 0
        var word = onepoint_word()
        var position = 0
        words[0] = 0
        let unit = text.extracting(unit)
        var found: Int32 = 0
        while found == 0 {
            let before = position
            var count = unit.withUnsafeBufferPointer { bytes in
                words.withUnsafeMutableBufferPointer { words in
                    starts.withUnsafeMutableBufferPointer { starts in
                        ends.withUnsafeMutableBufferPointer { ends in
                            onepoint_words(
                                &word,
                                bytes.baseAddress,
                                bytes.count,
                                &position,
                                words.baseAddress! + 1,  // Never empty.
                                Self.blockWords - 1,
                                starts.baseAddress,
                                ends.baseAddress
                            )
                        }
                    }
                }
            }
            if position == unit.count || position == before {
                let start = word.start
                let last = onepoint_words_end(&word, &found)
                if found != 0 {
                    words[1 + count] = last
                    starts[count] = UInt32(truncatingIfNeeded: start)
                    ends[count] = UInt32(truncatingIfNeeded: unit.count)
                    count += 1
                }
                found = 1
            }
            for index in 0..<count { letterBytes += Int(ends[index] &- starts[index]) }
            let bytes = (1 + count) * MemoryLayout<UInt64>.stride
            words[0] = words.withUnsafeBytes { onepoint_xxh3_64($0.baseAddress, bytes, 0) }
        }
        return letterBytes >= settings.letterBytesMin ? words[0] : nil
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
