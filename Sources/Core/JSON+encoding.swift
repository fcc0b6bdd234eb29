import Synchronization

extension JSON {
    /// A value in our one dialect: `snake_case` members for `camelCase` properties, in the order of their names, so that
    /// equal values are equal bytes in every process.
    ///
    /// - Throws: `EncodingError` for an unsigned integer above 2^63, and whatever the value itself throws.
    public init(encoding value: some Encodable) throws {
        let draft = Draft()
        try draft.take(value)
        self = draft.json
    }

    /// The member that holds a property of that name.
    ///
    /// Names of properties avoid acronyms, because `jobID` would not survive the way to `job_id` and back.
    public static func memberName(of property: String) -> String { snakeCase(property) ?? property }

    /// The same when it differs from the property's own name. Remembered: there are a few dozen.
    static func snakeCase(_ property: String) -> String? {
        guard property.utf8.contains(where: { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }) else { return nil }
        return names.withLock { names in
            if let name = names[property] { return name }
            var name = ""
            for character in property {
                if character.isUppercase, !name.isEmpty { name.append("_") }
                name += character.lowercased()
            }
            // Keys of a stranger's choice may get here too.
            if names.count >= namesMax { names = [:] }
            names[property] = name
            return name
        }
    }

    private static let namesMax = 1000
    private static let names = Mutex<[String: String]>([:])
}

/// Gathers a value as ``JSON``.
///
/// Foundation's encoder would convert every key anew, look every value up by its type, and pass every object through a
/// dictionary.
private struct Writer: Encoder {
    fileprivate let draft: Draft
    /// Not kept: nothing but an integer above 2^63 can fail.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    fileprivate init(_ draft: Draft) { self.draft = draft }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        draft.becomeObject()
        return KeyedEncodingContainer(Keyed<Key>(draft: draft))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        draft.becomeArray()
        return Unkeyed(draft: draft)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(draft: draft) }
}

/// A value while it is being encoded. Used by one thread, within one call of `encode`.
private final class Draft {
    /// A part: a scalar, or what may still grow.
    enum Part {
        case scalar(JSON)
        case draft(Draft)

        var json: JSON {
            switch self {
            case .scalar(let json): json
            case .draft(let draft): draft.json
            }
        }
    }

    private enum Shape {
        case scalar(JSON)
        case array([Part])
        case object([(String, Part)])
    }

    private var shape = Shape.scalar(.null)

    var json: JSON {
        switch shape {
        case .scalar(let json): json
        case .array(let items): .array(items.map(\.json))
        case .object(let members): .object(members.sorted { $0.0 < $1.0 }.map { ($0.0, $0.1.json) })
        }
    }

    var count: Int { if case .array(let items) = shape { items.count } else { 0 } }

    func set(_ json: JSON) { shape = .scalar(json) }

    func becomeObject() { if case .object = shape {} else { shape = .object([]) } }

    func becomeArray() { if case .array = shape {} else { shape = .array([]) } }

    func append(_ item: Part) {
        guard case .array(var items) = shape else { return }
        // Emptied first, so that the array is not shared and grows in place.
        shape = .scalar(.null)
        items.append(item)
        shape = .array(items)
    }

    func append(_ key: String, _ member: Part) {
        guard case .object(var members) = shape else { return }
        shape = .scalar(.null)
        members.append((key, member))
        shape = .object(members)
    }

    func take<Value: Encodable>(_ value: Value) throws {
        switch value {
        case let value as JSON: set(value.inOrder)
        case let value as String: set(.string(value))
        case let value as Int: set(.integer(Int64(value)))
        case let value as any StringKeyed:
            becomeObject()
            for (key, member) in value.members {
                let draft = Draft()
                try draft.take(member)
                append(key, .draft(draft))
            }
        default: try value.encode(to: Writer(self))
        }
    }
}

/// Dictionaries by name: their keys are the user's own and stay as they are.
private protocol StringKeyed {
    var members: [(String, any Encodable)] { get }
}

extension Dictionary: StringKeyed where Key == String, Value: Encodable {
    fileprivate var members: [(String, any Encodable)] { map { ($0.key, $0.value) } }
}

extension JSON {
    /// The same value with the members of every object in the order of their keys.
    fileprivate var inOrder: JSON {
        switch self {
        case .object(let members): .object(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value.inOrder) })
        case .array(let items): .array(items.map(\.inOrder))
        case .null, .bool, .integer, .number, .string: self
        }
    }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let draft: Draft
    var codingPath: [any CodingKey] { [] }

    private func put(_ json: JSON, _ key: Key) { draft.append(JSON.memberName(of: key.stringValue), .scalar(json)) }

    private func child(_ key: some CodingKey) -> Draft {
        let child = Draft()
        draft.append(JSON.memberName(of: key.stringValue), .draft(child))
        return child
    }

    func encodeNil(forKey key: Key) { put(.null, key) }
    func encode(_ value: Bool, forKey key: Key) { put(.bool(value), key) }
    func encode(_ value: String, forKey key: Key) { put(.string(value), key) }
    func encode(_ value: Int, forKey key: Key) { put(.integer(Int64(value)), key) }
    func encode(_ value: Int64, forKey key: Key) { put(.integer(value), key) }
    func encode(_ value: Double, forKey key: Key) { put(.number(value), key) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try child(key).take(value)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        Writer(child(key)).container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        Writer(child(key)).unkeyedContainer()
    }

    func superEncoder(forKey key: Key) -> any Encoder { Writer(child(key)) }

    func superEncoder() -> any Encoder {
        let child = Draft()
        draft.append("super", .draft(child))
        return Writer(child)
    }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    let draft: Draft
    var codingPath: [any CodingKey] { [] }
    var count: Int { draft.count }

    private func child() -> Draft {
        let child = Draft()
        draft.append(.draft(child))
        return child
    }

    func encodeNil() { draft.append(.scalar(.null)) }

    func encode<Value: Encodable>(_ value: Value) throws { try child().take(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        Writer(child()).container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        Writer(child()).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { Writer(child()) }
}

private struct Single: SingleValueEncodingContainer {
    let draft: Draft
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { draft.set(.null) }
    func encode(_ value: Bool) { draft.set(.bool(value)) }
    func encode(_ value: String) { draft.set(.string(value)) }
    func encode(_ value: Double) { draft.set(.number(value)) }
    func encode(_ value: Float) { draft.set(.number(Double(value))) }
    func encode(_ value: Int) { draft.set(.integer(Int64(value))) }
    func encode(_ value: Int8) { draft.set(.integer(Int64(value))) }
    func encode(_ value: Int16) { draft.set(.integer(Int64(value))) }
    func encode(_ value: Int32) { draft.set(.integer(Int64(value))) }
    func encode(_ value: Int64) { draft.set(.integer(value)) }
    func encode(_ value: UInt8) { draft.set(.integer(Int64(value))) }
    func encode(_ value: UInt16) { draft.set(.integer(Int64(value))) }
    func encode(_ value: UInt32) { draft.set(.integer(Int64(value))) }
    func encode(_ value: UInt) throws { try encode(UInt64(value)) }

    func encode(_ value: UInt64) throws {
        guard let integer = Int64(exactly: value) else {
            throw EncodingError.invalidValue(value, .init(codingPath: codingPath, debugDescription: "above 2^63"))
        }
        draft.set(.integer(integer))
    }

    func encode<Value: Encodable>(_ value: Value) throws { try draft.take(value) }
}
