import Core

/// Reads JSON of any size without a tree of it: a vocabulary of hundreds of thousands of pieces would be one of as many
/// strings.
struct JSONScanner {
    private(set) var place = 0
    /// The string read last, without its escapes.
    private(set) var string: [UInt8] = []

    private static let depthMax = 64

    private func fault(_ what: String) -> TokenizerError { TokenizerError("The tokenizer cannot be read: \(what).") }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
    }

    /// Moves over a sign and the space before it, when it is the next.
    mutating func take(_ sign: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard place < bytes.count, UInt32(bytes[place]) == sign.value else { return false }
        place += 1
        return true
    }

    mutating func expect(_ sign: Unicode.Scalar, _ bytes: Span<UInt8>) throws(TokenizerError) {
        guard take(sign, bytes) else { throw fault("'\(sign)' is missing at byte \(place)") }
    }

    /// Whether another member or item follows in a list or object that `closing` ends; `isFirst` becomes false.
    mutating func more(
        _ closing: Unicode.Scalar,
        _ isFirst: inout Bool,
        _ bytes: Span<UInt8>
    ) throws(TokenizerError) -> Bool {
        if take(closing, bytes) { return false }
        if !isFirst { try expect(",", bytes) }
        isFirst = false
        return true
    }

    /// Reads a string into ``string``.
    mutating func readString(_ bytes: Span<UInt8>) throws(TokenizerError) {
        try expect("\"", bytes)
        string.removeAll(keepingCapacity: true)
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte != UInt8(ascii: "\\") {
                string.append(byte)
                continue
            }
            guard place < bytes.count else { break }
            let escape = bytes[place]
            place += 1
            switch escape {
            case UInt8(ascii: "n"): string.append(0x0A)
            case UInt8(ascii: "t"): string.append(0x09)
            case UInt8(ascii: "r"): string.append(0x0D)
            case UInt8(ascii: "b"): string.append(0x08)
            case UInt8(ascii: "f"): string.append(0x0C)
            case UInt8(ascii: "u"):
                var value = try hex(bytes)
                if (0xD800..<0xDC00).contains(value), place + 6 <= bytes.count, bytes[place] == UInt8(ascii: "\\"),
                    bytes[place + 1] == UInt8(ascii: "u")
                {
                    place += 2
                    let low = try hex(bytes)
                    guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
                    value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                }
                guard let scalar = Unicode.Scalar(value) else { throw fault("half a surrogate pair") }
                string.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: string.append(escape)
            }
        }
        throw fault("it ends inside a string")
    }

    private mutating func hex(_ bytes: Span<UInt8>) throws(TokenizerError) -> UInt32 {
        guard place + 4 <= bytes.count else { throw fault("it ends inside a string") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[place])).hexDigitValue else {
                throw fault("a broken escape at byte \(place)")
            }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }

    mutating func readNumber(_ bytes: Span<UInt8>) throws(TokenizerError) -> Double {
        skipSpace(bytes)
        var text = ""
        while place < bytes.count, text.utf8.count < 64,
            "+-.eE0123456789".utf8.contains(bytes[place])
        {
            text.unicodeScalars.append(Unicode.Scalar(bytes[place]))
            place += 1
        }
        guard let value = Double(text), value.isFinite else { throw fault("no number at byte \(place)") }
        return value
    }

    /// Moves over any value.
    ///
    /// - Returns: Where it stands.
    mutating func skipValue(_ bytes: Span<UInt8>) throws(TokenizerError) -> Range<Int> {
        skipSpace(bytes)
        let start = place
        var depth = 0
        repeat {
            skipSpace(bytes)
            guard place < bytes.count else { throw fault("it ends too early") }
            switch bytes[place] {
            case UInt8(ascii: "\""): try readString(bytes)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                place += 1
                guard depth <= Self.depthMax else { throw fault("it is nested too deep") }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                place += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw fault("a value is missing at byte \(place)") }
                place += 1
            default:
                let begin = place
                while place < bytes.count, !"{}[],:\" \n\r\t".utf8.contains(bytes[place]) { place += 1 }
                guard place > begin else { throw fault("a value is missing at byte \(place)") }
            }
        } while depth > 0
        guard depth == 0 else { throw fault("a bracket too many at byte \(place)") }
        return start..<place
    }

    /// Any value, small enough for a tree.
    mutating func readValue(_ bytes: Span<UInt8>) throws(TokenizerError) -> JSON {
        let range = try skipValue(bytes)
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        for at in range { text.append(bytes[at]) }
        do { return try JSON(parsing: text) } catch { throw fault("it \(error.message) near byte \(range.lowerBound)") }
    }
}
