import CCuration

extension EnglishTokenizer {
    /// The longest exception's bytes.
    private static let exceptionBytesMax = 29

    /// Whether the chunk's characters are an exception.
    @inline(__always)
    func isException(_ text: UnsafePointer<UInt8>, _ low: Int, _ high: Int) -> Bool {
        let start = offset(low)
        return Self.exception(tables, text + start, offset(high) - start) > 0
    }

    /// The number of the exception that these bytes are, from one, or nought.
    @inline(__always)
    static func exception(_ tables: QualityTables, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard count <= exceptionBytesMax else { return 0 }
        let raw = tables.raw
        var slot = self.slot(bytes, count, bits: 12)
        while true {
            let number = Int(raw.pointee.exception_slots[slot])
            if number == 0 { return 0 }
            let offset = Int(raw.pointee.exception_offsets[number - 1])
            if Int(raw.pointee.exception_offsets[number]) - offset == count,
                equal(bytes, raw.pointee.exception_text + offset, count)
            {
                return number
            }
            slot = (slot + 1) & 4095
        }
    }

    /// The number of the piece that these bytes are, from one, or nought.
    @inline(__always)
    static func piece(_ tables: QualityTables, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard count <= 8 else { return 0 }
        let raw = tables.raw
        var slot = self.slot(bytes, count, bits: 10)
        while true {
            let number = Int(raw.pointee.piece_slots[slot])
            if number == 0 { return 0 }
            let offset = Int(raw.pointee.piece_offsets[number - 1])
            if Int(raw.pointee.piece_offsets[number]) - offset == count,
                equal(bytes, raw.pointee.piece_text + offset, count)
            {
                return number
            }
            slot = (slot + 1) & 1023
        }
    }

    /// Where to look for bytes in a table of two to the power of `bits` slots: by their length and the first eight.
    @inline(__always)
    private static func slot(_ bytes: UnsafePointer<UInt8>, _ count: Int, bits: UInt64) -> Int {
        var key = UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self)
        if count < 8 { key &= (1 << UInt64(count * 8)) &- 1 }
        let mixed = (key ^ (UInt64(count) &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
        return Int(mixed >> (64 - bits))
    }

    @inline(__always)
    static func equal(_ bytes: UnsafePointer<UInt8>, _ other: UnsafePointer<CChar>, _ count: Int) -> Bool {
        for at in 0..<count where bytes[at] != UInt8(bitPattern: other[at]) { return false }
        return true
    }
}

/// Finds exceptions once more in the words that were made, and joins or cuts them anew.
///
/// ":" and ")" that came off a word one after the other are one ":)" again. Of matches that overlap the longest counts
/// and then the first, and one that is passed over still bars those it overlaps.
struct EnglishSequences: ~Copyable {
    private struct Match {
        var start: Int
        var count: Int
        var isAccepted = false
    }

    private var matches = Scratch<Match>()
    private var taken = Scratch<Bool>()
    /// The matches that count, in order.
    private var accepted = Scratch<Match>()
    private var rebuilt = Scratch<EnglishToken>()

    /// The words of the longest sequence.
    private static let countMax = 11

    mutating func join(_ tokens: inout Scratch<EnglishToken>, _ text: UnsafePointer<UInt8>, _ tables: QualityTables) {
        find(tokens, text, tables)
        guard !matches.isEmpty else { return }
        choose(tokens.count)
        rebuild(&tokens, text, tables)
    }

    /// All sequences that exceptions are made of, whether or not blanks stand between their words.
    private mutating func find(_ tokens: borrowing Scratch<EnglishToken>, _ text: UnsafePointer<UInt8>, _ tables: QualityTables) {
        matches.removeAll()
        guard tokens.count > 1 else { return }
        for first in 0..<(tokens.count - 1) {
            // One of a sequence's first two words has a character that cuts.
            if tokens[first].has(EnglishToken.plain), tokens[first + 1].has(EnglishToken.plain) { continue }
            var state = 0
            var last = first
            while last < tokens.count {
                let token = tokens[last]
                let piece = EnglishTokenizer.piece(tables, text + Int(token.start), token.count)
                guard piece > 0, let next = edge(tables, state, piece) else { break }
                state = next
                last += 1
                if tables.raw.pointee.state_ends[state] != 0 {
                    matches.append(Match(start: first, count: last - first))
                }
            }
        }
    }

    @inline(__always)
    private func edge(_ tables: QualityTables, _ state: Int, _ piece: Int) -> Int? {
        let key = UInt32(truncatingIfNeeded: state << 8 | piece)
        var slot = Int((key &* 0x9E37_79B1) >> 21)
        while true {
            let found = tables.raw.pointee.edge_keys[slot]
            if found == key { return Int(tables.raw.pointee.edge_states[slot]) }
            if found == 0 { return nil }
            slot = (slot + 1) & 2047
        }
    }

    private mutating func choose(_ tokenCount: Int) {
        accepted.removeAll()
        taken.reset(to: false, count: tokenCount)
        for count in stride(from: Self.countMax, through: 2, by: -1) {
            for index in 0..<matches.count where matches[index].count == count {
                let start = matches[index].start
                let last = start + count - 1
                matches[index].isAccepted = !taken[start] && !taken[last]
                for token in start...last { taken[token] = true }
            }
        }
        for index in 0..<matches.count where matches[index].isAccepted { accepted.append(matches[index]) }
    }

    /// The exception that a match's text is, if nothing stands between its words.
    private func number(
        _ match: Match, _ tokens: borrowing Scratch<EnglishToken>, _ text: UnsafePointer<UInt8>, _ tables: QualityTables
    ) -> Int {
        let start = Int(tokens[match.start].start)
        let end = tokens[match.start + match.count - 1].end
        return EnglishTokenizer.exception(tables, text + start, end - start)
    }

    private mutating func rebuild(
        _ tokens: inout Scratch<EnglishToken>, _ text: UnsafePointer<UInt8>, _ tables: QualityTables
    ) {
        rebuilt.removeAll()
        var next = 0
        for index in 0..<accepted.count {
            let match = accepted[index]
            let exception = number(match, tokens, text, tables)
            guard exception > 0 else { continue }
            rebuilt.append(tokens.base + next, count: match.start - next)
            let chunkStart = tokens[match.start].flags & EnglishToken.chunkStart
            EnglishTokenizer.appendWords(
                of: exception, at: Int(tokens[match.start].start), chunkStart, text, tables, to: &rebuilt)
            next = match.start + match.count
        }
        guard next > 0 else { return }
        rebuilt.append(tokens.base + next, count: tokens.count - next)
        swap(&tokens, &rebuilt)
    }
}

extension EnglishTokenizer {
    /// Adds the words of an exception that stands at `start`, the first with `flags` besides its own.
    static func appendWords(
        of exception: Int, at start: Int, _ flags: UInt32, _ text: UnsafePointer<UInt8>, _ tables: QualityTables,
        to tokens: inout Scratch<EnglishToken>
    ) {
        var start = start
        var flags = flags
        for word in 0..<3 {
            let count = Int(tables.raw.pointee.exception_words[(exception - 1) * 3 + word])
            guard count > 0 else { return }
            var any: UInt32 = 0
            var at = start
            while at < start + count {
                let (mask, length) = tables.character(at: text + at)
                any |= mask
                at += length
            }
            tokens.append(
                EnglishToken(start: start, end: start + count, flags: EnglishToken.flags(of: any) | flags))
            start += count
            flags = 0
        }
    }
}
