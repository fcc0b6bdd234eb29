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
    /// Where suffixes that were peeled begin; each ends where the one before it begins, the first at the chunk's end.
    private var suffixes = Scratch<UInt32>()
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
            // Mostly one blank between two characters of ASCII.
            if at > 0, text[at] == 0x20, text[at + 1] &- 0x21 < 0x5E {
                at += 1
            } else {
                at = whiteSpace(text, at, count)
            }
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
        // The blanks behind the text end its last chunk, whatever a broken character has made of the end.
        while true {
            let lead = text[at]
            if lead < 0x80 {
                let mask = ascii[Int(lead)]
                if mask & CharacterClass.space != 0 { break }
                inner |= last
                last = mask
                at &+= 1
            } else {
                let (mask, length) = tables.character(at: text + at)
                if mask & CharacterClass.space != 0 { break }
                inner |= last
                last = mask
                at &+= length
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
        if exception(text, start, end) { return }
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
            at &+= length
            high &+= 1
        }
        let characters = high
        offsets[high] = UInt32(truncatingIfNeeded: end)
        let chunk = EnglishChunk(text: text, masks: masks.base, offsets: offsets.base, tables: tables)
        while low < high, !chunk.isException(low, high) {
            let prefix = chunk.prefix(low, high)
            if prefix > 0, low + prefix < high, chunk.isException(low + prefix, high) {
                append(low, low + prefix)
                low += prefix
                break
            }
            let suffix = chunk.suffix(low + prefix, high)
            if suffix > 0, low < high - suffix, chunk.isException(low, high - suffix) {
                suffixes.append(UInt32(truncatingIfNeeded: high - suffix))
                high -= suffix
                break
            }
            if prefix == 0, suffix == 0 { break }
            if prefix > 0 { append(low, low + prefix) }
            if suffix > 0 { suffixes.append(UInt32(truncatingIfNeeded: high - suffix)) }
            low += prefix
            high -= suffix
        }
        if low < high, !exception(text, Int(offsets[low]), Int(offsets[high])) {
            if chunk.isURL(low, high) {
                append(low, high)
            } else {
                cutInfixes(chunk, low, high)
            }
        }
        var last = suffixes.count
        while last > 0 {
            last -= 1
            append(Int(suffixes[last]), last > 0 ? Int(suffixes[last - 1]) : characters)
        }
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

    /// Cuts characters at what stands between words and is neither prefix nor suffix.
    private mutating func cutInfixes(_ chunk: EnglishChunk, _ low: Int, _ high: Int) {
        var start = low
        var at = low
        while at < high {
            let length = masks[at] & (CharacterClass.infix | CharacterClass.joint) == 0 ? 0 : chunk.infix(at, low, high)
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
}
