import CCuration

/// Cuts text into the words that spaCy's blank English pipeline cuts it into, which datatrove's filters count.
///
/// White space separates chunks. From a chunk prefixes and suffixes are peeled, one of each a turn, until it is an
/// exception with words of its own or nothing comes off; what is left is one word if it is a URL and is else cut at
/// infixes. Last, words that together make an exception are joined to it. All of it is linear in the text's length.
///
/// > Source: the behaviour of spaCy 3.8 (https://spacy.io/usage/linguistic-features#how-tokenizer-works), its English
/// > rules as the tables carry them. Words are compared with spaCy's on every document of the corpora.
struct EnglishTokenizer: ~Copyable {
    /// The tokens of the last text, in order; white space other than one blank is a token too.
    private(set) var tokens = Scratch<EnglishToken>()
    /// Whether the last text has a line break other than U+000A.
    private(set) var hasOtherLineBreaks = false

    let tables = QualityTables()
    /// Of the chunk that is being cut: each character's class and first byte, and one more for the end.
    private var masks = Scratch<UInt32>()
    private var offsets = Scratch<UInt32>()
    /// Suffixes that were peeled, as pairs of character indices; they come after the rest, the last first.
    private var suffixes = Scratch<(Int, Int)>()
    private var sequences = EnglishSequences()

    /// The bytes that must be readable behind a text's end.
    static let paddingBytes = 16

    /// - Parameters:
    ///   - text: UTF-8 with `paddingBytes` blanks behind it.
    ///   - count: The text's bytes, at most 2^24 - 1.
    mutating func tokenize(_ text: UnsafePointer<UInt8>, _ count: Int) {
        tokens.removeAll()
        hasOtherLineBreaks = false
        var at = 0
        while at < count {
            at = whiteSpace(text, at, count)
            if at < count { at = chunk(text, at, count) }
        }
        sequences.join(&tokens, text, tables)
    }

    /// Passes over white space, which makes a token unless it is one blank between chunks.
    private mutating func whiteSpace(_ text: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
        var at = start
        while at < count {
            if text[at] == 0x20 {
                at += 1
                continue
            }
            let (mask, length) = tables.character(at: text + at)
            guard mask & CharacterClass.space != 0 else { break }
            if mask & CharacterClass.lineBreak != 0, text[at] != 0x0A { hasOtherLineBreaks = true }
            at += length
        }
        let first = start > 0 && text[start] == 0x20 ? start + 1 : start
        if first < at {
            tokens.append(
                EnglishToken(start: first, end: at, flags: EnglishToken.space | EnglishToken.plain))
        }
        return at
    }

    /// Cuts the chunk that begins at `start` and returns its end.
    private mutating func chunk(_ text: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
        var any: UInt32 = 0
        var at = start
        while at < count {
            let (mask, length) = tables.character(at: text + at)
            if mask & CharacterClass.space != 0 { break }
            any |= mask
            at += length
        }
        at = min(at, count)
        // A chunk of letters is one word, and so is one of letters and digits that ends in a digit.
        let onlyDigitsCut = any & (CharacterClass.cutting & ~CharacterClass.asciiDigit) == 0
        let endsInDigit = text[at - 1] &- 0x30 < 10
        let firstToken = tokens.count
        if any & CharacterClass.cutting == 0 || (onlyDigitsCut && endsInDigit) {
            if !exception(text, start, at) {
                tokens.append(EnglishToken(start: start, end: at, flags: EnglishToken.flags(of: any)))
            }
        } else {
            cut(text, start, at)
        }
        let first = tokens[firstToken]
        tokens[firstToken] = EnglishToken(
            start: Int(first.start), end: first.end, flags: first.flags | EnglishToken.chunkStart)
        return at
    }

    /// Peels prefixes and suffixes from a chunk, then cuts what is left.
    private mutating func cut(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
        masks.removeAll()
        offsets.removeAll()
        suffixes.removeAll()
        var at = start
        while at < end {
            let (mask, length) = tables.character(at: text + at)
            masks.append(mask)
            offsets.append(UInt32(truncatingIfNeeded: at))
            at += length
        }
        offsets.append(UInt32(truncatingIfNeeded: end))
        var low = 0
        var high = masks.count
        while low < high, !isException(text, low, high) {
            let prefix = self.prefix(text, low, high)
            if prefix > 0, low + prefix < high, isException(text, low + prefix, high) {
                append(low, low + prefix)
                low += prefix
                break
            }
            let suffix = self.suffix(text, low + prefix, high)
            if suffix > 0, low < high - suffix, isException(text, low, high - suffix) {
                suffixes.append((high - suffix, high))
                high -= suffix
                break
            }
            if prefix == 0, suffix == 0 { break }
            if prefix > 0 { append(low, low + prefix) }
            if suffix > 0 { suffixes.append((high - suffix, high)) }
            low += prefix
            high -= suffix
        }
        if low < high, !exception(text, Int(offsets[low]), Int(offsets[high])) {
            if isURL(text, low, high) {
                append(low, high)
            } else {
                cutInfixes(text, low, high)
            }
        }
        var last = suffixes.count
        while last > 0 {
            last -= 1
            append(suffixes[last].0, suffixes[last].1)
        }
    }

    /// Makes the tokens of the exception that these bytes are, if they are one.
    @inline(__always)
    private mutating func exception(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let number = Self.exception(tables, text + start, end - start)
        guard number > 0 else { return false }
        Self.appendWords(of: number, at: start, 0, text, tables, to: &tokens)
        return true
    }

    /// Makes a token of the chunk's characters.
    @inline(__always)
    private mutating func append(_ low: Int, _ high: Int) {
        guard low < high else { return }
        var any: UInt32 = 0
        for character in low..<high { any |= masks[character] }
        tokens.append(
            EnglishToken(
                start: Int(offsets[low]), end: Int(offsets[high]), flags: EnglishToken.flags(of: any)))
    }

    /// How many characters come off the front; none if no prefix is there.
    private func prefix(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Int {
        guard low < high else { return 0 }
        if masks[low] & CharacterClass.prefix != 0 { return 1 }
        switch text[Int(offsets[low])] {
        case UInt8(ascii: "+"):
            return low + 1 < high && masks[low + 1] & CharacterClass.asciiDigit != 0 ? 0 : 1
        case UInt8(ascii: "."):
            let dots = self.dots(text, low, high)
            return dots > 1 ? dots : 0
        case UInt8(ascii: "U"):
            return low + 2 < high && byte(text, low + 1) == UInt8(ascii: "S")
                && byte(text, low + 2) == UInt8(ascii: "$") ? 3 : 0
        case UInt8(ascii: "C"), UInt8(ascii: "A"):
            return low + 1 < high && byte(text, low + 1) == UInt8(ascii: "$") ? 2 : 0
        default:
            return 0
        }
    }

    /// How many characters come off the end: the longest suffix that is there, or none.
    private func suffix(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Int {
        guard low < high else { return 0 }
        let last = masks[high - 1]
        let before: UInt32 = high - 2 >= low ? masks[high - 2] : 0
        var longest = last & CharacterClass.suffix != 0 ? 1 : 0
        switch byte(text, high - 1) {
        case UInt8(ascii: "."):
            var dots = 1
            while high - dots > low, byte(text, high - dots - 1) == UInt8(ascii: ".") { dots += 1 }
            if dots > 1 { return dots }
            if before & CharacterClass.beforeDot != 0 { return 1 }
            if high - 3 >= low, before & masks[high - 3] & CharacterClass.upper != 0 { return 1 }
            // After "°" and one of FfCcKk; the small ones are before a dot anyway.
            let degrees = high - 3 >= low && byte(text, high - 3) == 0xC2 && text[Int(offsets[high - 3]) + 1] == 0xB0
            if degrees, [0x43, 0x46, 0x4B].contains(byte(text, high - 2)) { return 1 }
            return 0
        case UInt8(ascii: "+"):
            return before & CharacterClass.asciiDigit != 0 ? 1 : 0
        case UInt8(ascii: "s"), UInt8(ascii: "S"):
            if high - 2 >= low {
                let at = Int(offsets[high - 2])
                if text[at] == UInt8(ascii: "'") { return 2 }
                if text[at] == 0xE2, text[at + 1] == 0x80, text[at + 2] == 0x99 { return 2 }
            }
        case 0xE2:
            // The two ellipses in a row that spaCy names.
            if high - 2 >= low, isEllipsis(text, high - 1), isEllipsis(text, high - 2) { return 2 }
        default:
            break
        }
        longest = max(longest, unit(text, low, high))
        return longest
    }

    /// How many characters a unit or a currency behind a digit has at the end.
    private func unit(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Int {
        // No unit has a digit of ASCII in it, so that it is all that stands behind the last.
        var first = high
        while first > low, masks[first - 1] & CharacterClass.asciiDigit == 0 {
            first -= 1
            if high - first > 5 { return 0 }
        }
        guard first > low, first < high else { return 0 }
        let start = Int(offsets[first])
        let count = Int(offsets[high]) - start
        let raw = tables.raw.pointee
        for unit in 0..<Int(raw.unit_count) {
            let offset = Int(raw.unit_offsets[unit])
            if Int(raw.unit_offsets[unit + 1]) - offset == count,
                Self.equal(text + start, raw.unit_text + offset, count)
            {
                return high - first
            }
        }
        return 0
    }

    /// Cuts characters at what stands between words and is neither prefix nor suffix.
    private mutating func cutInfixes(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) {
        var start = low
        var at = low
        while at < high {
            let length = masks[at] & (CharacterClass.infix | CharacterClass.joint) == 0 ? 0 : infix(text, at, low, high)
            guard length > 0 else {
                at += 1
                continue
            }
            // One at the very front stays where it is.
            if at > low {
                append(start, at)
                append(at, at + length)
                start = at + length
            }
            at += length
        }
        append(start, high)
    }

    /// How many characters of an infix begin at `at`.
    private func infix(_ text: UnsafePointer<UInt8>, _ at: Int, _ low: Int, _ high: Int) -> Int {
        let character = byte(text, at)
        if character == UInt8(ascii: ".") {
            let dots = self.dots(text, at, high)
            if dots > 1 { return dots }
        }
        if masks[at] & CharacterClass.infix != 0 { return 1 }
        guard at > low, at + 1 < high else { return 0 }
        let before = masks[at - 1]
        let after = masks[at + 1]
        let alphaAfter = after & CharacterClass.alpha != 0
        let alphaOrDigit = before & (CharacterClass.alpha | CharacterClass.asciiDigit) != 0
        switch character {
        case UInt8(ascii: "+"), UInt8(ascii: "*"), UInt8(ascii: "^"), UInt8(ascii: "-"):
            if before & CharacterClass.asciiDigit != 0 {
                if after & CharacterClass.asciiDigit != 0 || byte(text, at + 1) == UInt8(ascii: "-") { return 1 }
            }
            guard character == UInt8(ascii: "-"), alphaOrDigit else { return 0 }
            var hyphens = 1
            while hyphens < 4, at + hyphens < high, byte(text, at + hyphens) == character { hyphens += 1 }
            guard hyphens < 4, at + hyphens < high else { return 0 }
            return masks[at + hyphens] & CharacterClass.alpha != 0 ? hyphens : 0
        case UInt8(ascii: "."):
            return before & CharacterClass.lowerOrQuote != 0 && after & CharacterClass.upperOrQuote != 0 ? 1 : 0
        case UInt8(ascii: ","):
            return before & CharacterClass.alpha != 0 && alphaAfter ? 1 : 0
        case UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "<"), UInt8(ascii: "="), UInt8(ascii: ">"),
            UInt8(ascii: "/"):
            return alphaOrDigit && alphaAfter ? 1 : 0
        case 0xE2:
            // U+2013 alone, U+2014 alone or twice; no other joint begins with this byte.
            guard alphaOrDigit else { return 0 }
            if alphaAfter { return 1 }
            let dash: UInt8 = 0x94
            let isDouble = text[Int(offsets[at]) + 2] == dash && byte(text, at + 1) == 0xE2
                && text[Int(offsets[at + 1]) + 1] == 0x80 && text[Int(offsets[at + 1]) + 2] == dash
            return isDouble && at + 2 < high && masks[at + 2] & CharacterClass.alpha != 0 ? 2 : 0
        default:
            return 0
        }
    }

    @inline(__always)
    func byte(_ text: UnsafePointer<UInt8>, _ character: Int) -> UInt8 { text[Int(offsets[character])] }

    @inline(__always)
    func mask(_ character: Int) -> UInt32 { masks[character] }

    @inline(__always)
    func offset(_ character: Int) -> Int { Int(offsets[character]) }

    private func dots(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Int {
        var end = low
        while end < high, byte(text, end) == UInt8(ascii: ".") { end += 1 }
        return end - low
    }

    private func isEllipsis(_ text: UnsafePointer<UInt8>, _ character: Int) -> Bool {
        let at = Int(offsets[character])
        return text[at] == 0xE2 && text[at + 1] == 0x80 && text[at + 2] == 0xA6
    }
}
