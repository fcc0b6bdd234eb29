import CCuration

/// What a character is to the quality rules: one bit a property, in the order of `scripts/make-quality-tables`.
///
/// The properties are those of Python's `str` methods and of the classes in datatrove's and spaCy's rules, so that a
/// document is judged alike. Unicode 14.0, that of CPython 3.11.
enum CharacterClass {
    static let space: UInt32 = 1 << 0
    static let letter: UInt32 = 1 << 1
    /// Not in datatrove's set of punctuation.
    static let wordForming: UInt32 = 1 << 2
    /// What FineWeb wants at the end of a line.
    static let terminal: UInt32 = 1 << 3
    static let punctuation: UInt32 = 1 << 4
    static let sentenceEnd: UInt32 = 1 << 5
    // What spaCy cuts off a word's front, its end, and its middle, whatever stands beside it.
    static let prefix: UInt32 = 1 << 6
    static let suffix: UInt32 = 1 << 7
    static let infix: UInt32 = 1 << 8
    // What must stand beside a character that is cut off on conditions.
    static let alpha: UInt32 = 1 << 9
    static let lowerOrQuote: UInt32 = 1 << 10
    static let upperOrQuote: UInt32 = 1 << 11
    static let beforeDot: UInt32 = 1 << 12
    static let upper: UInt32 = 1 << 13
    static let lower: UInt32 = 1 << 14
    static let asciiDigit: UInt32 = 1 << 15
    /// `\w` and `\d` of Python, and the letters of a host's name in a URL.
    static let word: UInt32 = 1 << 16
    static let digit: UInt32 = 1 << 17
    static let host: UInt32 = 1 << 18
    /// Where `str.splitlines` splits.
    static let lineBreak: UInt32 = 1 << 19
    /// What is cut off on conditions.
    static let joint: UInt32 = 1 << 20
    static let han: UInt32 = 1 << 21
    static let symbol: UInt32 = 1 << 22
    static let control: UInt32 = 1 << 23
    static let latin: UInt32 = 1 << 24
    static let decimal: UInt32 = 1 << 25

    /// A word without any of these is not cut.
    static let cutting = prefix | suffix | infix | joint | asciiDigit
    /// Set beside the classes of a character beyond ASCII.
    static let beyondASCII: UInt32 = 1 << 31
}

/// The generated tables, and the reading of characters by them.
///
/// The pointers lead to constants of the program, whence `@unchecked Sendable`.
struct QualityTables: @unchecked Sendable {
    let raw: UnsafePointer<onepoint_quality_tables>
    let masks: UnsafePointer<UInt32>
    let index: UnsafePointer<UInt8>
    let blocks: UnsafePointer<UInt8>

    init() {
        raw = onepoint_quality_tables()
        masks = raw.pointee.class_masks
        index = raw.pointee.class_index
        blocks = raw.pointee.class_blocks
    }

    /// The class of a byte below 128.
    @inline(__always)
    func ascii(_ byte: UInt8) -> UInt32 { masks[Int(blocks[Int(byte)])] }

    /// The class of a scalar; anything above U+10FFFF is of none.
    @inline(__always)
    func of(_ scalar: UInt32) -> UInt32 {
        guard scalar < 0x110000 else { return 0 }
        let block = Int(index[Int(scalar >> 8)]) << 8
        return masks[Int(blocks[block | Int(scalar & 255)])]
    }

    /// The class of the character at `text`, and its length in bytes.
    ///
    /// The text is UTF-8 with three readable bytes behind its end; a byte that begins nothing counts as a character.
    @inline(__always)
    func character(at text: UnsafePointer<UInt8>) -> (mask: UInt32, length: Int) {
        let lead = text[0]
        if lead < 0x80 { return (ascii(lead), 1) }
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
}
