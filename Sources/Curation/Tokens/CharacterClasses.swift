/// What kinds of characters there are to a tokenizer, by Unicode's general categories and `White_Space`.
struct CharacterClasses: Sendable {
    static let letter: UInt8 = 1
    static let number: UInt8 = 2
    static let space: UInt8 = 4
    static let punctuation: UInt8 = 8
    static let mark: UInt8 = 16
    /// Controls, formats, private use.
    static let other: UInt8 = 32
    /// What the composed form (NFC) may be another for, perhaps with its neighbours.
    static let unstable: UInt8 = 64
    static let symbol: UInt8 = 128

    static let shared = CharacterClasses()

    /// Beyond it there are only tags, selectors and private use.
    private static let limit = 0x32400
    private let table: [UInt8]

    private init() {
        table = (0..<UInt32(Self.limit)).map { Unicode.Scalar($0).map(Self.kind) ?? 0 }
    }

    @inline(__always)
    func of(_ scalar: UInt32) -> UInt8 {
        if Int(scalar) < table.count { return table[Int(scalar)] }
        return Unicode.Scalar(scalar).map(Self.kind) ?? 0
    }

    private static func kind(of scalar: Unicode.Scalar) -> UInt8 {
        let properties = scalar.properties
        var kind: UInt8 =
            switch properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: letter
            case .decimalNumber, .letterNumber, .otherNumber: number
            case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                .finalPunctuation, .otherPunctuation:
                punctuation
            case .nonspacingMark, .spacingMark, .enclosingMark: mark | unstable
            case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: symbol
            case .control, .format, .privateUse, .surrogate: other
            default: 0
            }
        if properties.isWhitespace { kind |= space }
        if isSingleton(scalar.value) { kind |= unstable }
        return kind
    }

    /// Characters that NFC replaces although they stand alone, by blocks that may hold others too, and Hangul letters,
    /// which it joins.
    private static func isSingleton(_ value: UInt32) -> Bool {
        switch value {
        case 0x374, 0x37E, 0x387, 0x958...0x95F, 0x9DC...0x9DF, 0xA33...0xA5E, 0xB5C...0xB5D, 0xF43...0xFB9,
            0x1100...0x11FF, 0x1F70...0x1FFF, 0x2000...0x2001, 0x2126...0x212B, 0x2329...0x232A, 0x2ADC,
            0xF900...0xFAFF, 0xFB1D...0xFB4F, 0x1D15E...0x1D1C0, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}

extension Span<UInt8> {
    /// The character at a place below the end, and where the next begins. A byte that begins none counts as one.
    @inline(__always)
    func scalar(at place: Int) -> (value: UInt32, next: Int) {
        let first = UInt32(self[place])
        if first < 0x80 { return (first, place + 1) }
        let more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1
        guard first >= 0xC2, first <= 0xF4, place + more < count else { return (0xFFFD, place + 1) }
        var value = first & (0x3F >> UInt32(more))
        for offset in 1...more {
            let next = UInt32(self[place + offset])
            guard next & 0xC0 == 0x80 else { return (0xFFFD, place + 1) }
            value = value << 6 | (next & 0x3F)
        }
        return (value, place + more + 1)
    }
}
