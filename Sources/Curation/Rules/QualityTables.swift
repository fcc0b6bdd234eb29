import CCuration

/// The generated tables, and the reading of characters and words by them.
///
/// One pointer, for it is handed about a great deal. It leads to constants of the program, whence `@unchecked Sendable`.
struct QualityTables: @unchecked Sendable {
    private let raw = onepoint_quality_tables()

    /// The classes of bytes: those from 128 on have none.
    var ascii: UnsafePointer<UInt32> { raw.pointee.class_ascii }

    /// The class of a scalar; anything above U+10FFFF is of none.
    @inline(__always)
    func of(_ scalar: UInt32) -> UInt32 {
        guard scalar < 0x110000 else { return 0 }
        let block = Int(raw.pointee.class_index[Int(scalar >> 8)]) << 8
        return raw.pointee.class_masks[Int(raw.pointee.class_blocks[block | Int(scalar & 255)])]
    }

    /// The class of the character at `text`, and its length in bytes.
    ///
    /// The text is UTF-8 with three readable bytes behind its end; a byte that begins nothing counts as a character.
    @inline(__always)
    func character(at text: UnsafePointer<UInt8>) -> (mask: UInt32, length: Int) {
        let lead = text[0]
        if lead < 0x80 { return (ascii[Int(lead)], 1) }
        let (scalar, length) = Self.decode(text)
        return (of(scalar) | CharacterClass.beyondASCII, length)
    }

    /// The scalar that begins at `text` with a byte above 127, and its length.
    @inline(__always)
    static func decode(_ text: UnsafePointer<UInt8>) -> (scalar: UInt32, length: Int) {
        let lead = UInt32(text[0])
        if lead < 0xC0 { return (0xFFFD, 1) }
        let second = UInt32(text[1] & 0x3F)
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
        let third = UInt32(text[2] & 0x3F)
        if lead < 0xF0 { return ((lead & 0x0F) << 12 | second << 6 | third, 3) }
        if lead < 0xF8 { return ((lead & 0x07) << 18 | second << 12 | third << 6 | UInt32(text[3] & 0x3F), 4) }
        return (0xFFFD, 1)
    }

    /// The number of the exception that these bytes are, from one, or nought. Eight of them are readable in any case.
    @inline(__always)
    func exception(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard count <= 29, count > 0 else { return 0 }
        // Few strings begin and end as an exception does.
        let ends = raw.pointee.exception_ends[Int(bytes[0] & 31)]
        guard ends &>> UInt32(bytes[count - 1] & 31) & 1 != 0 else { return 0 }
        let words = Words(
            slots: raw.pointee.exception_slots,
            bits: 12,
            offsets: raw.pointee.exception_offsets,
            text: raw.pointee.exception_text
        )
        return words.number(of: bytes, count)
    }

    /// The byte lengths of an exception's words: three, of which the last may be nought.
    func exceptionWords(_ number: Int) -> UnsafePointer<UInt8> { raw.pointee.exception_words + (number - 1) * 3 }

    /// The number of the piece of an exception that these bytes are, or nought.
    @inline(__always)
    func piece(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard count <= 8 else { return 0 }
        let words = Words(
            slots: raw.pointee.piece_slots,
            bits: 10,
            offsets: raw.pointee.piece_offsets,
            text: raw.pointee.piece_text
        )
        return words.number(of: bytes, count)
    }

    /// Whether these bytes are a unit or a currency.
    func isUnit(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count <= 10 else { return false }
        let words = Words(
            slots: raw.pointee.unit_slots,
            bits: 9,
            offsets: raw.pointee.unit_offsets,
            text: raw.pointee.unit_text
        )
        return words.number(of: bytes, count) > 0
    }

    /// Where a piece leads from a state of the automaton over pieces, if anywhere.
    @inline(__always)
    func edge(from state: Int, by piece: Int) -> Int? {
        let key = UInt32(truncatingIfNeeded: state << 8 | piece)
        var slot = Int((key &* 0x9E37_79B1) >> 21)
        while true {
            let found = raw.pointee.edge_keys[slot]
            if found == key { return Int(raw.pointee.edge_states[slot]) }
            if found == 0 { return nil }
            slot = (slot + 1) & 2047
        }
    }

    /// Whether the pieces that lead to a state are an exception.
    func isEnd(_ state: Int) -> Bool { raw.pointee.state_ends[state] != 0 }

    /// Strings with numbers from one.
    private struct Words {
        let slots: UnsafePointer<UInt16>
        let bits: Int
        let offsets: UnsafePointer<UInt16>
        let text: UnsafePointer<CChar>

        @inline(__always)
        func number(of bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
            var key = UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self)
            if count < 8 { key &= (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1 }
            let length = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
            let mixed = (key ^ length) &* 0xD6E8_FEB8_6659_FD93
            var slot = Int(truncatingIfNeeded: mixed &>> UInt64(64 - bits))
            while true {
                let found = slots[slot]
                if found == 0 { return 0 }
                if found >> 11 == UInt16(truncatingIfNeeded: mixed >> 16) & 31 {
                    let number = Int(found & 2047)
                    if isWord(number, bytes, count) { return number }
                }
                slot = (slot + 1) & (1 << bits - 1)
            }
        }

        @inline(never)
        private func isWord(_ number: Int, _ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
            let offset = Int(offsets[number - 1])
            guard Int(offsets[number]) - offset == count else { return false }
            for at in 0..<count where bytes[at] != UInt8(bitPattern: text[offset + at]) { return false }
            return true
        }
    }
}
