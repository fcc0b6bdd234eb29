import CCuration

/// Where the fields of one JSON object are, found without building anything.
///
/// The whole line is checked against the grammar of RFC 8259, whatever is in it, so that a line that is accepted can be
/// copied as it is. Of repeated keys the last counts, as in the parsers that people use.
public struct JSONLine: Sendable {
    /// A member of the object.
    public struct Field: Sendable {
        /// Of the key without its quotation marks.
        public var key: Range<Int>
        /// Of the value with everything that belongs to it.
        public var value: Range<Int>
        public var kind: Kind
    }

    public enum Kind: Sendable {
        /// A string in which every byte means itself.
        case plainString
        /// A string with escapes.
        case escapedString
        case number
        case literal
        case object
        case array
    }

    /// Why a line is not a JSON object.
    public enum Fault: String, Error, Sendable, CaseIterable {
        case notAnObject = "not-an-object"
        case syntax = "syntax"
        case tooDeep = "too-deep"
        case tooManyFields = "too-many-fields"
        case invalidUTF8 = "invalid-utf8"
    }

    /// In the order of the text.
    public private(set) var fields: [Field] = []

    /// Levels of nesting, the line's object counted.
    public static let depthMax = 64
    /// Members of the line's object.
    public static let fieldsMax = 4096

    public init() {}

    /// Reads the bytes `range` of `bytes`: one object, with white space around it.
    public mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Fault) {
        fields.removeAll(keepingCapacity: true)
        let valid = bytes.extracting(range).withUnsafeBufferPointer {
            $0.baseAddress.map { onepoint_utf8_valid_prefix($0, range.count) } ?? 0
        }
        guard valid == range.count else { throw .invalidUTF8 }
        var at = Self.skipSpace(bytes, range.lowerBound, range.upperBound)
        guard at < range.upperBound, bytes[at] == UInt8(ascii: "{") else { throw .notAnObject }
        at = try members(bytes, at + 1, range.upperBound)
        guard Self.skipSpace(bytes, at, range.upperBound) == range.upperBound else { throw .syntax }
    }

    /// The last field of that name. Keys with escapes are not found by a name; nobody writes them.
    public func field(_ name: StaticString, in bytes: Span<UInt8>) -> Field? {
        name.withUTF8Buffer { name in
            fields.last { field in
                field.key.count == name.count
                    && (0..<name.count).allSatisfy { bytes[field.key.lowerBound + $0] == name[$0] }
            }
        }
    }

    /// The last field of that name.
    public func field(_ name: [UInt8], in bytes: Span<UInt8>) -> Field? {
        fields.last { field in
            field.key.count == name.count
                && (0..<name.count).allSatisfy { bytes[field.key.lowerBound + $0] == name[$0] }
        }
    }

    /// How many fields have that name.
    public func fieldCount(_ name: [UInt8], in bytes: Span<UInt8>) -> Int {
        var count = 0
        for field in fields where field.key.count == name.count {
            var place = 0
            while place < name.count, bytes[field.key.lowerBound + place] == name[place] { place += 1 }
            if place == name.count { count += 1 }
        }
        return count
    }

    // MARK: grammar

    private mutating func members(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(Fault) -> Int {
        var at = Self.skipSpace(bytes, start, end)
        if at < end, bytes[at] == UInt8(ascii: "}") { return at + 1 }
        while true {
            guard at < end, bytes[at] == UInt8(ascii: "\"") else { throw .syntax }
            let key = try Self.string(bytes, at, end)
            let name = at + 1..<key.end - 1
            at = Self.skipSpace(bytes, key.end, end)
            guard at < end, bytes[at] == UInt8(ascii: ":") else { throw .syntax }
            at = Self.skipSpace(bytes, at + 1, end)
            let (valueEnd, kind) = try Self.value(bytes, at, end)
            guard fields.count < Self.fieldsMax else { throw .tooManyFields }
            fields.append(Field(key: name, value: at..<valueEnd, kind: kind))
            at = Self.skipSpace(bytes, valueEnd, end)
            guard at < end else { throw .syntax }
            if bytes[at] == UInt8(ascii: "}") { return at + 1 }
            guard bytes[at] == UInt8(ascii: ",") else { throw .syntax }
            at = Self.skipSpace(bytes, at + 1, end)
        }
    }

    /// A value of the line's object; what is nested is checked and skipped.
    private static func value(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) throws(Fault) -> (Int, Kind) {
        guard at < end else { throw .syntax }
        switch bytes[at] {
        case UInt8(ascii: "\""):
            let (stop, isPlain) = try string(bytes, at, end)
            return (stop, isPlain ? .plainString : .escapedString)
        case UInt8(ascii: "{"): return (try nested(bytes, at, end), .object)
        case UInt8(ascii: "["): return (try nested(bytes, at, end), .array)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return (try number(bytes, at, end), .number)
        default: return (try literal(bytes, at, end), .literal)
        }
    }

    /// An object or array with all that is in it, without recursion.
    private static func nested(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(Fault) -> Int {
        // One bit for each level: whether it is an object.
        var objects: UInt64 = 0
        var depth = 0
        var at = start
        // Whether a value, not a comma or an end, is to come.
        var wantsValue = true
        while true {
            at = skipSpace(bytes, at, end)
            guard at < end else { throw .syntax }
            if wantsValue {
                if objects & 1 == 1, depth > 0 {
                    guard bytes[at] == UInt8(ascii: "\"") else { throw .syntax }
                    at = skipSpace(bytes, try string(bytes, at, end).end, end)
                    guard at < end, bytes[at] == UInt8(ascii: ":") else { throw .syntax }
                    at = skipSpace(bytes, at + 1, end)
                    guard at < end else { throw .syntax }
                }
                let byte = bytes[at]
                if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                    depth += 1
                    guard depth < depthMax else { throw .tooDeep }
                    objects = objects << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
                    at = skipSpace(bytes, at + 1, end)
                    guard at < end else { throw .syntax }
                    let close = byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
                    guard bytes[at] == close else { continue }
                    wantsValue = false
                    continue
                }
                at = try value(bytes, at, end).0
                wantsValue = false
            } else {
                switch bytes[at] {
                case UInt8(ascii: ","): wantsValue = true
                case objects & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]"):
                    depth -= 1
                    objects >>= 1
                    if depth == 0 { return at + 1 }
                default: throw .syntax
                }
                at += 1
            }
        }
    }

    private static func string(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(Fault) -> (
        end: Int, isPlain: Bool
    ) {
        var at = start + 1
        var isPlain = true
        while true {
            at = bytes.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { onepoint_json_string_stop($0, at, end) } ?? end
            }
            guard at < end else { throw .syntax }
            switch bytes[at] {
            case UInt8(ascii: "\""): return (at + 1, isPlain)
            case UInt8(ascii: "\\"):
                isPlain = false
                guard at + 1 < end else { throw .syntax }
                switch bytes[at + 1] {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                    UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                    at += 2
                case UInt8(ascii: "u"):
                    guard at + 6 <= end, (at + 2..<at + 6).allSatisfy({ hexValue(bytes[$0]) != nil }) else {
                        throw .syntax
                    }
                    at += 6
                default: throw .syntax
                }
            default: throw .syntax
            }
        }
    }

    private static func number(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(Fault) -> Int {
        func digits(_ from: Int) throws(Fault) -> Int {
            var at = from
            while at < end, bytes[at] &- 48 < 10 { at += 1 }
            guard at > from else { throw .syntax }
            return at
        }
        var at = start
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        guard at < end else { throw .syntax }
        at = bytes[at] == UInt8(ascii: "0") ? at + 1 : try digits(at)
        if at < end, bytes[at] == UInt8(ascii: ".") { at = try digits(at + 1) }
        if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < end, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            at = try digits(at)
        }
        return at
    }

    private static func literal(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) throws(Fault) -> Int {
        for word: StaticString in ["true", "false", "null"] {
            let matches = word.withUTF8Buffer { word in
                start + word.count <= end && (0..<word.count).allSatisfy { bytes[start + $0] == word[$0] }
            }
            if matches { return start + word.utf8CodeUnitCount }
        }
        throw .syntax
    }

    private static func skipSpace(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var at = start
        while at < end {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return at
            }
        }
        return at
    }
}

/// What a hexadecimal digit is worth.
func hexValue(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
