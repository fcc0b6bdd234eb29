import CCuration

/// What the rules for Chinese measure, by characters and sentences, for there are no blanks between words to count by.
///
/// Characters are all but white space. A sentence ends at a full stop, a question or exclamation mark, an ellipsis or a
/// line's end. Ours; the English rules with their words, blanks and stops do not carry over.
struct ChineseMeasure: ~Copyable {
    private(set) var characters = 0
    private(set) var han = 0
    private(set) var punctuation = 0
    private(set) var symbols = 0
    private(set) var digits = 0
    private(set) var latin = 0
    /// U+FFFD, private and unassigned characters, controls, and what wrong decoding makes of Chinese.
    private(set) var mojibake = 0

    private(set) var sentences = 0
    private(set) var sentenceCharacters = 0
    private(set) var repeatedSentenceCharacters = 0
    private(set) var boilerplateCharacters = 0

    private(set) var lines = 0
    /// Lines that end in punctuation, or are long and have a sentence's end within.
    private(set) var endedLines = 0
    /// In lines as short as a menu's, without punctuation, or of little but separators.
    private(set) var menuCharacters = 0
    private(set) var ellipsisLines = 0
    /// Lines of five, and of seven Han characters and nothing else.
    private var verseLines = (five: 0, seven: 0)

    private var met = ByteRuns()
    var grams = CharacterRuns()

    /// A sentence that is shorter is too common to be called repeated.
    private static let repeatedSentenceCharactersMin = 5
    private static let menuLineCharactersMax = 12
    private static let longLineCharacters = 30

    /// - Parameter text: UTF-8 with `EnglishTokenizer.paddingBytes` blanks behind it.
    mutating func scan(_ text: UnsafePointer<UInt8>, _ count: Int, seed: UInt64, tables: QualityTables) {
        reset()
        met.clear(for: count / 3 + 1)
        grams.removeAll()
        var line = Line()
        var sentence = Sentence()
        var at = 0
        let bits = ChinesePhrases.firsts
        let firsts = bits.span
        while at < count {
            if Self.isIdeograph(text, at) {
                at = addIdeographs(text, at, count, firsts, &line, &sentence)
                continue
            }
            let (scalar, length) = text[at] < 0x80 ? (UInt32(text[at]), 1) : QualityTables.decode(text + at)
            let mask = tables.of(scalar)
            if scalar == 0x0A {
                end(&sentence, text, seed)
                end(&line)
            } else if mask & CharacterClass.space == 0 {
                add(scalar, mask, text, at)
                line.add(scalar, mask)
                if Self.endsSentence(scalar) {
                    end(&sentence, text, seed)
                } else {
                    sentence.add(mask, at, at + length, ChinesePhrases.find(text, at, count, scalar))
                }
            }
            at += length
        }
        end(&sentence, text, seed)
        end(&line)
        // Nothing but lines of five or of seven characters is a poem without punctuation, not a menu.
        let verse = max(verseLines.five, verseLines.seven)
        if lines >= 4, verse * 5 >= lines * 4 {
            menuCharacters = 0
            endedLines = lines
        }
    }

    /// Whether a character from U+4E00 to U+9FFF begins at `at`: they all have the same classes, and no other mark.
    @inline(__always)
    private static func isIdeograph(_ text: UnsafePointer<UInt8>, _ at: Int) -> Bool {
        let four = UInt32(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt32.self))
        return four & 0xC0C0F0 == 0x8080E0 && ideograph(four) &- 0x4E00 < 0x5200
    }

    /// The scalar of a character of three bytes, of which the first is the lowest.
    @inline(__always)
    private static func ideograph(_ bytes: UInt32) -> UInt32 {
        (bytes & 0xF) << 12 | bytes >> 2 & 0xFC0 | bytes >> 16 & 0x3F
    }

    /// Adds the ideographs from `at` on, which is one; returns where they end.
    private mutating func addIdeographs(
        _ text: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int,
        _ firsts: Span<UInt64>,
        _ line: inout Line,
        _ sentence: inout Sentence
    ) -> Int {
        var at = start
        while at < count {
            let four = UInt32(littleEndian: UnsafeRawPointer(text + at).loadUnaligned(as: UInt32.self))
            let scalar = Self.ideograph(four)
            guard four & 0xC0C0F0 == 0x8080E0, scalar &- 0x4E00 < 0x5200 else { break }
            grams.append(scalar)
            if firsts[unchecked: Int(scalar >> 6)] &>> UInt64(scalar & 63) & 1 != 0 {
                if Self.isBrokenHan(scalar, text, at) { mojibake += 3 }
                sentence.note(ChinesePhrases.look(text, at, count))
            }
            at &+= 3
        }
        let added = (at - start) / 3
        characters += added
        han += added
        line.addIdeographs(added)
        sentence.addIdeographs(added, start, at)
        return at
    }

    private mutating func add(_ scalar: UInt32, _ mask: UInt32, _ text: UnsafePointer<UInt8>, _ at: Int) {
        characters += 1
        grams.append(scalar)
        if mask & CharacterClass.han != 0 {
            han += 1
            if Self.isBrokenHan(scalar, text, at) { mojibake += 3 }
            return
        }
        if mask & CharacterClass.punctuation != 0 { punctuation += 1 }
        if mask & CharacterClass.symbol != 0 { symbols += 1 }
        if mask & CharacterClass.decimal != 0 { digits += 1 }
        if mask & CharacterClass.latin != 0 { latin += 1 }
        if scalar == 0xFFFD || isBrokenControl(scalar, mask) || Self.isBrokenLatin(scalar, text, at) { mojibake += 1 }
    }

    /// Controls and characters that Unicode has none of, but not the invisible joiners and marks that texts do have.
    private func isBrokenControl(_ scalar: UInt32, _ mask: UInt32) -> Bool {
        guard mask & CharacterClass.control != 0 else { return false }
        let isMark =
            (0x200B...0x200F).contains(scalar) || (0x202A...0x202E).contains(scalar)
            || (0x2060...0x206F).contains(scalar) || scalar == 0xFEFF || scalar == 0xAD
            || (0xE0000...0xE007F).contains(scalar)
        return !isMark
    }

    /// The characters that ``isBrokenHan(_:_:_:)`` looks behind.
    static let brokenHan: [UInt32] = [0x951F, 0x70EB, 0x5C6F]

    /// The first of three characters that come of reading U+FFFD as GBK, or memory that was not written to.
    private static func isBrokenHan(_ scalar: UInt32, _ text: UnsafePointer<UInt8>, _ at: Int) -> Bool {
        switch scalar {
        case 0x951F: return stands("锟斤拷", text, at)
        case 0x70EB: return stands("烫烫烫", text, at)
        case 0x5C6F: return stands("屯屯屯", text, at)
        default: return false
        }
    }

    /// A Latin letter and a sign behind it that come of reading the UTF-8 of a Han character byte by byte.
    private static func isBrokenLatin(_ scalar: UInt32, _ text: UnsafePointer<UInt8>, _ at: Int) -> Bool {
        // From U+00E4 to U+00E9, then something from U+0080 to U+00BF, whose lead byte is 0xC2.
        (0xE4...0xE9).contains(scalar) && text[at + 2] == 0xC2
    }

    /// Whether nine bytes stand at `at`; as many are readable.
    private static func stands(_ phrase: StaticString, _ text: UnsafePointer<UInt8>, _ at: Int) -> Bool {
        onepoint_bytes_equal(text + at, phrase.utf8Start, phrase.utf8CodeUnitCount)
    }

    private static func endsSentence(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x3002, 0xFF01, 0xFF1F, 0x21, 0x3F, 0x2026, 0xFF61: true
        default: false
        }
    }

    private mutating func end(_ sentence: inout Sentence, _ text: UnsafePointer<UInt8>, _ seed: UInt64) {
        defer { sentence = Sentence() }
        guard sentence.characters > 0 else { return }
        sentences += 1
        sentenceCharacters += sentence.characters
        if sentence.isBoilerplate { boilerplateCharacters += sentence.characters }
        if sentence.characters >= Self.repeatedSentenceCharactersMin,
            met.enter(text, sentence.start, sentence.end, seed)
        {
            repeatedSentenceCharacters += sentence.characters
        }
    }

    private mutating func end(_ line: inout Line) {
        defer { line = Line() }
        guard line.characters > 0 else { return }
        lines += 1
        let endsWell = line.last & CharacterClass.punctuation != 0
        if endsWell || (line.characters >= Self.longLineCharacters && line.sentenceEnds > 0) { endedLines += 1 }
        let isShort = line.characters <= Self.menuLineCharactersMax && line.punctuation == 0
        if isShort || (line.separators >= 2 && line.characters <= line.separators * 8) {
            menuCharacters += line.characters
        }
        if line.endsInEllipsis { ellipsisLines += 1 }
        if line.han == line.characters, line.han == 5 { verseLines.five += 1 }
        if line.han == line.characters, line.han == 7 { verseLines.seven += 1 }
    }

    private mutating func reset() {
        characters = 0
        han = 0
        punctuation = 0
        symbols = 0
        digits = 0
        latin = 0
        mojibake = 0
        sentences = 0
        sentenceCharacters = 0
        repeatedSentenceCharacters = 0
        boilerplateCharacters = 0
        lines = 0
        endedLines = 0
        menuCharacters = 0
        ellipsisLines = 0
        verseLines = (0, 0)
    }

    /// A sentence in the making; punctuation does not count for its length and does not begin it.
    private struct Sentence {
        var start = 0
        var end = 0
        var characters = 0
        private var hasStrongPhrase = false
        private var hasWeakPhrase = false

        /// A button's text is short; the same word in a long sentence says something about buttons.
        var isBoilerplate: Bool { hasStrongPhrase || (hasWeakPhrase && characters <= 8) }

        mutating func add(_ mask: UInt32, _ start: Int, _ end: Int, _ phrase: ChinesePhrases.Strength?) {
            if mask & CharacterClass.punctuation != 0 { return }
            if characters == 0 { self.start = start }
            self.end = end
            characters += 1
            note(phrase)
        }

        mutating func note(_ phrase: ChinesePhrases.Strength?) {
            if phrase == .strong { hasStrongPhrase = true }
            if phrase == .weak { hasWeakPhrase = true }
        }

        mutating func addIdeographs(_ count: Int, _ start: Int, _ end: Int) {
            if characters == 0 { self.start = start }
            self.end = end
            characters += count
        }
    }

    private struct Line {
        var characters = 0
        var han = 0
        var punctuation = 0
        var separators = 0
        var sentenceEnds = 0
        var last: UInt32 = 0
        private var dots = 0

        var endsInEllipsis: Bool { dots >= 3 }

        /// - Parameter count: At least one.
        mutating func addIdeographs(_ count: Int) {
            characters += count
            han += count
            last = CharacterClass.han
            dots = 0
        }

        mutating func add(_ scalar: UInt32, _ mask: UInt32) {
            characters += 1
            last = mask
            switch scalar {
            case 0x2E: dots += 1
            case 0x2026: dots = 3
            default: dots = 0
            }
            if mask & CharacterClass.han != 0 {
                han += 1
                return
            }
            switch scalar {
            case 0x7C, 0xFF5C, 0x3E, 0xBB, 0x203A, 0xB7, 0x2022, 0x2F: separators += 1
            default: if mask & CharacterClass.punctuation != 0 { punctuation += 1 }
            }
            if endsSentence(scalar) { sentenceEnds += 1 }
        }
    }
}
