import Core

/// Reads objects of JSON member by member and gathers every fault with its JSON Pointer (RFC 6901).
struct FieldReader {
    private(set) var violations: [Violation] = []

    /// A document of a thousand faults is not read by anybody.
    private static let violationsMax = 1000
    /// Bytes of a text unless somebody says otherwise.
    static let textBytesMax = 4096

    /// The members of one object.
    struct Fields {
        let pointer: String
        fileprivate var members: [String: JSON] = [:]
        fileprivate var isObject = false

        func at(_ key: String) -> String { pointer + "/" + Fields.escaped(key) }
        func has(_ key: String) -> Bool { members[key] != nil }

        fileprivate static func escaped(_ key: String) -> String {
            var out = ""
            for character in key.unicodeScalars {
                switch character {
                case "~": out += "~0"
                case "/": out += "~1"
                default: out.unicodeScalars.append(character)
                }
            }
            return out
        }
    }

    mutating func fault(_ pointer: @autoclosure () -> String, _ message: @autoclosure () -> String) {
        guard violations.count < Self.violationsMax else { return }
        violations.append(Violation(pointer(), message()))
    }

    /// - Returns: The value when nothing was at fault.
    func finish<Value>(_ value: Value?, _ name: String) throws(Failure) -> Value {
        guard let value, violations.isEmpty else {
            let faults = violations.count == 1 ? "one fault" : "\(violations.count) faults"
            throw Failure(.invalid, "The \(name) has \(faults).", violations: violations)
        }
        return value
    }

    /// Opens an object. Members that are null count as absent, unknown ones are faults.
    mutating func fields(_ json: JSON?, at pointer: String, known: [String]) -> Fields {
        var fields = Fields(pointer: pointer)
        guard let json else { return fields }
        guard case .object(let members) = json else {
            fault(pointer, "must be an object, not \(json.kind)")
            return fields
        }
        fields.isObject = true
        for (key, value) in members {
            guard known.contains(key) else {
                fault(fields.at(key), "is unknown; known are \(known.joined(separator: ", "))")
                continue
            }
            if value != .null { fields.members[key] = value }
        }
        return fields
    }

    /// Hands out a member; its absence is a fault when it is required.
    mutating func value(_ fields: Fields, _ key: String, isRequired: Bool) -> JSON? {
        if let value = fields.members[key] { return value }
        // Of what is no object that alone was said.
        if isRequired, fields.isObject { fault(fields.at(key), "is missing") }
        return nil
    }

    mutating func text(_ fields: Fields, _ key: String, bytesMax: Int = textBytesMax) -> String? {
        value(fields, key, isRequired: true).flatMap { text($0, at: fields.at(key), bytesMax: bytesMax) }
    }

    mutating func optionalText(_ fields: Fields, _ key: String, bytesMax: Int = textBytesMax) -> String? {
        value(fields, key, isRequired: false).flatMap { text($0, at: fields.at(key), bytesMax: bytesMax) }
    }

    mutating func text(_ json: JSON, at pointer: String, bytesMax: Int = textBytesMax) -> String? {
        guard case .string(let text) = json else {
            fault(pointer, "must be a string, not \(json.kind)")
            return nil
        }
        guard text.utf8.contains(where: { $0 > 0x20 }) else {
            fault(pointer, "must not be empty")
            return nil
        }
        guard text.utf8.count <= bytesMax else {
            fault(pointer, "may be \(bytesMax) bytes long; this has \(text.utf8.count)")
            return nil
        }
        return text
    }

    /// A name for files, purposes and tables: letters, digits and `.`, `_`, `-`, the first a letter or digit.
    mutating func name(_ fields: Fields, _ key: String) -> String? {
        guard let text = text(fields, key, bytesMax: 128) else { return nil }
        guard Self.isName(text) else {
            fault(
                fields.at(key),
                "must begin with a letter or digit and be of letters a-z, A-Z, digits, '.', '_' and '-'"
            )
            return nil
        }
        return text
    }

    static func isName(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                true
            default: false
            }
        }
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    mutating func bool(_ fields: Fields, _ key: String, isRequired: Bool = true) -> Bool? {
        guard let json = value(fields, key, isRequired: isRequired) else { return nil }
        guard case .bool(let value) = json else {
            fault(fields.at(key), "must be true or false, not \(json.kind)")
            return nil
        }
        return value
    }

    mutating func count(_ fields: Fields, _ key: String, isRequired: Bool = true) -> Int? {
        guard let json = value(fields, key, isRequired: isRequired) else { return nil }
        // The limit keeps sums of counts within 64 bits.
        guard case .integer(let value) = json, (0...1 << 48).contains(value) else {
            fault(fields.at(key), "must be a whole number from 0 to 2^48")
            return nil
        }
        return Int(value)
    }

    mutating func number(_ fields: Fields, _ key: String, isRequired: Bool = true) -> Double? {
        guard let json = value(fields, key, isRequired: isRequired) else { return nil }
        guard let value = json.numberValue else {
            fault(fields.at(key), "must be a number, not \(json.kind)")
            return nil
        }
        return value
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ fields: Fields,
        _ key: String,
        isRequired: Bool = true
    ) -> Choice? where Choice.RawValue == String {
        value(fields, key, isRequired: isRequired).flatMap { choice($0, at: fields.at(key)) }
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ json: JSON,
        at pointer: String
    ) -> Choice? where Choice.RawValue == String {
        if case .string(let text) = json, let choice = Choice(rawValue: text) { return choice }
        let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        fault(pointer, "must be one of \(choices)")
        return nil
    }

    mutating func digest(_ fields: Fields, _ key: String, isRequired: Bool = true) -> Digest? {
        value(fields, key, isRequired: isRequired).flatMap { digest($0, at: fields.at(key)) }
    }

    mutating func digest(_ json: JSON, at pointer: String) -> Digest? {
        if case .string(let text) = json, let digest = Digest(text) { return digest }
        fault(pointer, "must be 'sha256:' and 64 hexadecimal digits in lower case")
        return nil
    }

    mutating func instant(_ fields: Fields, _ key: String, isRequired: Bool = true) -> Instant? {
        guard let json = value(fields, key, isRequired: isRequired) else { return nil }
        if case .string(let text) = json, let instant = Instant(rfc3339: text) { return instant }
        fault(fields.at(key), "must be a time with its zone, such as 2026-01-31T09:30:00+08:00")
        return nil
    }

    /// The items of a list with their pointers; nothing when it is absent.
    mutating func list(
        _ fields: Fields,
        _ key: String,
        isRequired: Bool = false,
        max: Int = 1000
    ) -> [(json: JSON, pointer: String)] {
        guard let json = value(fields, key, isRequired: isRequired) else { return [] }
        guard case .array(let items) = json else {
            fault(fields.at(key), "must be a list, not \(json.kind)")
            return []
        }
        guard items.count <= max else {
            fault(fields.at(key), "may have \(max) items; this has \(items.count)")
            return []
        }
        return items.enumerated().map { ($0.element, fields.at(key) + "/\($0.offset)") }
    }

    /// Members of an object whose keys are the user's own, in order.
    mutating func entries(_ fields: Fields, _ key: String, max: Int = 1000) -> [(
        key: String, json: JSON, pointer: String
    )] {
        guard let json = value(fields, key, isRequired: false) else { return [] }
        guard case .object(let members) = json else {
            fault(fields.at(key), "must be an object, not \(json.kind)")
            return []
        }
        guard members.count <= max else {
            fault(fields.at(key), "may have \(max) members; this has \(members.count)")
            return []
        }
        return members.map { ($0.key, $0.value, fields.at(key) + "/" + Fields.escaped($0.key)) }
    }
}

extension JSON {
    /// An object without the members that are `nil` or empty lists, in the order of their names, so that equal values are
    /// equal bytes.
    static func sorted(_ members: [(key: String, value: JSON?)]) -> JSON {
        var kept: [(key: String, value: JSON)] = []
        for (key, value) in members {
            guard let value, value != .array([]) else { continue }
            kept.append((key, value))
        }
        return .object(kept.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    }

    static func text(_ text: String?) -> JSON? { text.map { .string($0) } }
    static func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
    static func count(_ count: Int?) -> JSON? { count.map { .integer(Int64($0)) } }
    static func time(_ instant: Instant?) -> JSON? { instant.map { .string($0.rfc3339) } }
    static func digest(_ digest: Digest?) -> JSON? { digest.map { .string($0.description) } }

    /// A fraction without the noise of its last bits, and whole when it is whole.
    static func fraction(_ value: Double) -> JSON {
        guard value.isFinite, abs(value) < 1e6 else { return .number(value) }
        let rounded = (value * 1e8).rounded() / 1e8
        return rounded == rounded.rounded() ? .integer(Int64(rounded)) : .number(rounded)
    }
}

extension Proportion {
    var json: JSON { .sorted([("count", .count(count)), ("total", .count(total))]) }
}
