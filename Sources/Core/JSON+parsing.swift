/// Why some bytes are not the JSON that we accept.
public struct JSONError: Error, Sendable, Hashable {
    /// What is wrong, as the end of the sentence "the text …".
    public let message: String
    /// Where, in bytes from the beginning.
    public let offset: Int
}

extension JSON {
    /// Lists and objects inside one another beyond this many are refused.
    public static let depthMax = 64
    /// The same for what we wrote ourselves: what we accepted comes to stand a few levels deeper in it.
    public static let ownDepthMax = 96

    /// Parses one JSON text.
    ///
    /// Stricter than RFC 8259 asks: a repeated key in one object is an error, because two readers would disagree on it.
    /// Keys that differ only in how Unicode composes their characters count as repeated, as Swift compares them.
    /// Whole numbers beyond 64 bits become floating-point numbers; numbers beyond those are refused.
    /// - Parameters:
    ///   - bytes: UTF-8. The caller caps its length.
    ///   - depthMax: Lists and objects inside one another beyond this many are refused.
    /// - Throws: ``JSONError`` with the offset of the fault.
    public init(parsing bytes: some Collection<UInt8>, depthMax: Int = depthMax) throws(JSONError) {
        let result =
            bytes.withContiguousStorageIfAvailable { Self.parse($0, depthMax) }
            ?? Array(bytes).withUnsafeBufferPointer { Self.parse($0, depthMax) }
        self = try result.get()
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ depthMax: Int) -> Result<JSON, JSONError> {
        Result { () throws(JSONError) -> JSON in
            var parser = Parser(bytes: bytes, depthMax: depthMax)
            return try parser.document()
        }
    }
}

/// Recursive descent over borrowed bytes, which outlive it.
private struct Parser {
    let bytes: UnsafeBufferPointer<UInt8>
    let depthMax: Int
    var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>, depthMax: Int) { (self.bytes, self.depthMax) = (bytes, depthMax) }

    mutating func document() throws(JSONError) -> JSON {
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        if position != bytes.count { throw fault("goes on after the value") }
        return value
    }

    private func fault(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    /// The byte at `position`; 0, which is no part of JSON, at the end.
    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// - Parameter depth: How many lists and objects it stands in.
    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard position < bytes.count else { throw fault("ends too early") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count,
            bytes[position..<end].elementsEqual(
                UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
            )
        else { throw fault("has something that is no JSON value") }
        position = end
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        guard depth <= depthMax else { throw fault("is nested deeper than \(depthMax) levels") }
        position += 1
        var members: [(key: String, value: JSON)] = []
        // A few keys are compared one by one; many are kept in a set, so that the cost stays linear.
        var keys: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("has an object key that is not a string") }
            let start = position
            let key = try string()
            if members.count == 8 { keys = Set(members.map(\.key)) }
            let isNew =
                members.count < 8 ? !members.contains { $0.key == key } : keys.insert(key).inserted
            guard isNew else {
                position = start
                throw fault("repeats the key '\(key.prefix(64))'")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("lacks a ':' after a key") }
            skipSpace()
            members.append((key, try value(depth: depth)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw fault("lacks a ',' or '}' in an object") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        guard depth <= depthMax else { throw fault("is nested deeper than \(depthMax) levels") }
        position += 1
        var items: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            skipSpace()
            items.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(items) }
            guard take(UInt8(ascii: ",")) else { throw fault("lacks a ',' or ']' in a list") }
        }
    }

    // MARK: Numbers

    private var isAtDigit: Bool { next >= UInt8(ascii: "0") && next <= UInt8(ascii: "9") }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        guard isAtDigit else {
            position = start
            throw fault("has something that is no JSON value")
        }
        var whole: Int64? = 0
        if take(UInt8(ascii: "0")) {
            if isAtDigit { throw fault("has a number with a leading zero") }
        } else {
            while isAtDigit {
                whole = whole.flatMap { Self.append(bytes[position], to: $0, isNegative: isNegative) }
                position += 1
            }
        }
        if take(UInt8(ascii: ".")) {
            whole = nil
            guard isAtDigit else { throw fault("has a number that ends in '.'") }
            while isAtDigit { position += 1 }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            whole = nil
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard isAtDigit else { throw fault("has a number without an exponent") }
            while isAtDigit { position += 1 }
        }
        if let whole { return .integer(whole) }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw fault("has a number out of range") }
        return .number(value)
    }

    private static func append(_ digit: UInt8, to value: Int64, isNegative: Bool) -> Int64? {
        let (scaled, isTooLarge) = value.multipliedReportingOverflow(by: 10)
        let step = Int64(digit - UInt8(ascii: "0"))
        let (sum, overflow) = scaled.addingReportingOverflow(isNegative ? -step : step)
        return isTooLarge || overflow ? nil : sum
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        let isASCII = skipPlain()
        if next == UInt8(ascii: "\"") {
            let plain = UnsafeBufferPointer(rebasing: bytes[start..<position])
            // Nearly every string; checking what needs no check takes most of the time of reading it.
            let valid = isASCII ? String(decoding: plain, as: UTF8.self) : String(validating: plain, as: UTF8.self)
            guard let text = valid else { throw fault("is not UTF-8") }
            position += 1
            return text
        }
        var out = Array(bytes[start..<position])
        while true {
            guard position < bytes.count else { throw fault("ends inside a string") }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard let text = String(validating: out, as: UTF8.self) else { throw fault("is not UTF-8") }
                position += 1
                return text
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0..<0x20: throw fault("has a control character in a string")
            default:
                let start = position
                skipPlain()
                out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<position]))
            }
        }
    }

    /// Moves on to the next byte that means something inside a string.
    ///
    /// - Returns: Whether what it passed is ASCII.
    @discardableResult
    private mutating func skipPlain() -> Bool {
        var all: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            all |= byte
            position += 1
        }
        return all < 0x80
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        position += 1
        guard position < bytes.count else { throw fault("ends inside a string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "u"):
            var scalar = try hex()
            if (0xD800..<0xDC00).contains(scalar) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw fault("has half a surrogate pair")
                }
                let low = try hex()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("has half a surrogate pair") }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let character = Unicode.Scalar(scalar) else { throw fault("has half a surrogate pair") }
            out.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
        default: throw fault("has an unknown escape in a string")
        }
    }

    private mutating func hex() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw fault("has a broken \\u escape") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            // Digit by digit: a sign is no part of an escape.
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw fault("has a broken \\u escape")
            }
        }
        position += 4
        return value
    }
}
