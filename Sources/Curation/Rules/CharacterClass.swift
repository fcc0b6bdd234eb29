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
