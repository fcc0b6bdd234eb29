/// A word of a text, or a run of white space between words: where it stands, and what is in it.
struct EnglishToken {
    /// Its first byte.
    var start: UInt32
    /// Its length in bytes above, its flags in the lowest eight bits.
    private var packed: UInt32

    /// It has a character that is not in datatrove's set of punctuation.
    static let wordForming: UInt32 = 1
    /// It has a letter.
    static let letter: UInt32 = 2
    static let beyondASCII: UInt32 = 4
    static let space: UInt32 = 8
    /// White space stands before it, or nothing does.
    static let chunkStart: UInt32 = 16
    /// No character in it has a part in cutting words.
    static let plain: UInt32 = 32

    @inline(__always)
    init(start: Int, end: Int, flags: UInt32) {
        self.start = UInt32(truncatingIfNeeded: start)
        packed = UInt32(truncatingIfNeeded: end &- start) << 8 | flags
    }

    /// Marks it as the first of its chunk.
    @inline(__always)
    mutating func begin() { packed |= Self.chunkStart }

    var count: Int { Int(packed >> 8) }
    var end: Int { Int(start) &+ count }
    var flags: UInt32 { packed & 0xFF }

    @inline(__always)
    func has(_ flag: UInt32) -> Bool { packed & flag != 0 }

    /// The flags of a token with characters of these classes.
    @inline(__always)
    static func flags(of mask: UInt32) -> UInt32 {
        (mask & CharacterClass.wordForming) >> 2 | mask & CharacterClass.letter
            | (mask & CharacterClass.beyondASCII) >> 29
            | (mask & CharacterClass.cutting == 0 ? plain : 0)
    }
}
