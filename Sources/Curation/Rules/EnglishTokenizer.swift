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
                EnglishToken(start: first, end: at, flags: EnglishToken.space | EnglishToken.plain)
            )
        }
        return at
    }

    /// Cuts the chunk that begins at `start` and returns its end.
    private mutating func chunk(_ text: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
        let ascii = tables.ascii
        let (front, length) = tables.character(at: text + start)
        // The classes of the last character, and those of all between it and the first.
        var last: UInt32 = 0
        var inner: UInt32 = 0
        var at = start + length
        while at < count {
            let lead = text[at]
            if lead < 0x80 {
                let mask = ascii[Int(lead)]
                if mask & CharacterClass.space != 0 { break }
                inner |= last
                last = mask
                at += 1
            } else {
                let (mask, length) = tables.character(at: text + at)
                if mask & CharacterClass.space != 0 { break }
                inner |= last
                last = mask
                at += length
            }
        }
        at = min(at, count)
        let any = front | inner | last
        let firstToken = tokens.count
        if any & CharacterClass.cutting == 0 || isNumber(any, text[at - 1]) {
            whole(text, start, at, any)
        } else if inner & (CharacterClass.cutting | CharacterClass.beyondASCII) != 0
            || !peel(text, start, at, front, inner, last)
        {
            cut(text, start, at)
        }
        tokens[firstToken].begin()
        return at
    }

    /// Whether a chunk has no characters that cut but digits, and ends in one, so that no unit is to come off.
    @inline(__always)
    private func isNumber(_ any: UInt32, _ last: UInt8) -> Bool {
        any & (CharacterClass.cutting & ~CharacterClass.asciiDigit) == 0 && last &- 0x30 < 10
    }

    /// Makes one token of characters with these classes, or those of the exception that they are.
    @inline(__always)
    private mutating func whole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ any: UInt32) {
        if exception(text, start, end) { return }
        tokens.append(EnglishToken(start: start, end: end, flags: EnglishToken.flags(of: any)))
    }

    /// Cuts a word of ASCII with one prefix, one suffix or both, and no other character that cuts: what `cut` does, in
    /// short, for most chunks that are cut at all.
    ///
    /// - Returns: Whether it is such a word.
    private mutating func peel(
        _ text: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        _ front: UInt32,
        _ inner: UInt32,
        _ last: UInt32
    ) -> Bool {
        guard (front | last) & CharacterClass.beyondASCII == 0 else { return false }
        var low = start
        var high = end
        var core = inner
        if front & CharacterClass.cutting == 0 {
            core |= front
        } else {
            guard front & CharacterClass.prefix != 0 else { return false }
            low += 1
        }
        if last & CharacterClass.cutting == 0 {
            core |= last
        } else {
            high -= 1
            guard low < high else { return false }
            if last & CharacterClass.suffix == 0 {
                guard text[high] == UInt8(ascii: "."), isBeforeDot(text, low, high) else { return false }
            }
        }
        guard low < high, tables.exception(text + start, end - start) == 0 else { return false }
        if start < low, high < end {
            guard tables.exception(text + low, end - low) == 0, tables.exception(text + start, high - start) == 0 else {
                return false
            }
        }
        if start < low { tokens.append(EnglishToken(start: start, end: low, flags: EnglishToken.flags(of: front))) }
        whole(text, low, high, core)
        if high < end { tokens.append(EnglishToken(start: high, end: end, flags: EnglishToken.flags(of: last))) }
        return true
    }

    /// Whether a dot comes off the word of ASCII before it.
    @inline(__always)
    private func isBeforeDot(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Bool {
        let before = tables.ascii[Int(text[high - 1])]
        if before & CharacterClass.beforeDot != 0 { return true }
        return high - 2 >= low && before & tables.ascii[Int(text[high - 2])] & CharacterClass.upper != 0
    }

    /// Peels prefixes and suffixes from a chunk, then cuts what is left.
    private mutating func cut(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
        suffixes.removeAll()
        masks.resize(to: end - start)
        offsets.resize(to: end - start + 1)
        var low = 0
        var high = 0
        var at = start
        while at < end {
            let (mask, length) = tables.character(at: text + at)
            masks[high] = mask
            offsets[high] = UInt32(truncatingIfNeeded: at)
            at += length
            high += 1
        }
        offsets[high] = UInt32(truncatingIfNeeded: end)
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

    /// Whether the chunk's characters are an exception.
    @inline(__always)
    private func isException(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Bool {
        let start = offset(low)
        return tables.exception(text + start, offset(high) - start) > 0
    }

    /// Makes the tokens of the exception that these bytes are, if they are one.
    @inline(__always)
    private mutating func exception(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let number = tables.exception(text + start, end - start)
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
                start: Int(offsets[low]),
                end: Int(offsets[high]),
                flags: EnglishToken.flags(of: any)
            )
        )
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
        return tables.isUnit(text + start, Int(offsets[high]) - start) ? high - first : 0
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
            let isDouble =
                text[Int(offsets[at]) + 2] == dash && byte(text, at + 1) == 0xE2
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
