import Core
import Synchronization

/// Encodes values as ``JSON`` in the store's dialect: `snake_case` keys in order.
///
/// What it writes reads back through Foundation's decoder like what Foundation's own encoder writes. It is here because
/// that encoder took four fifths of a submission's time on the writer's thread: every key converted anew, every value
/// looked up by type, every object through a dictionary.
struct PayloadEncoder: Encoder {
    fileprivate let node: Node
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    fileprivate init(_ node: Node, _ codingPath: [any CodingKey] = []) {
        self.node = node
        self.codingPath = codingPath
    }

    static func encode(_ value: some Encodable) throws -> JSON {
        let node = Node()
        try node.take(value, [])
        return node.json
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.becomeObject()
        return KeyedEncodingContainer(Keyed<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.becomeArray()
        return Unkeyed(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node, codingPath: codingPath) }
}

/// A value while it is being encoded. Used by one thread, within one call of `encode`.
private final class Node {
    private enum Shape {
        case scalar(JSON)
        case array([Node])
        case object([(String, Node)])
    }

    private var shape = Shape.scalar(.null)

    init() {}
    init(_ json: JSON) { shape = .scalar(json) }

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

    func append(_ item: Node) {
        guard case .array(var items) = shape else { return }
        shape = .array([])
        items.append(item)
        shape = .array(items)
    }

    func append(_ key: String, _ member: Node) {
        guard case .object(var members) = shape else { return }
        // Emptied first, so that the array is not shared and grows in place.
        shape = .object([])
        members.append((key, member))
        shape = .object(members)
    }

    func take<Value: Encodable>(_ value: Value, _ path: [any CodingKey]) throws {
        switch value {
        case let value as JSON: set(value.inOrder)
        case let value as String: set(.string(value))
        case let value as Int: set(.integer(Int64(value)))
        case let value as any StringKeyed:
            becomeObject()
            for (key, member) in value.members {
                let node = Node()
                try node.take(member, path)
                append(key, node)
            }
        default: try value.encode(to: PayloadEncoder(self, path))
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

/// Property names as they stand in JSON, remembered: there are a few dozen.
private enum SnakeCase {
    private static let names = Mutex<[String: String]>([:])

    static func name(of key: String) -> String {
        names.withLock { names in
            if let name = names[key] { return name }
            var name = ""
            for character in key {
                if character.isUppercase, !name.isEmpty { name.append("_") }
                name += character.lowercased()
            }
            names[key] = name
            return name
        }
    }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: Node
    let codingPath: [any CodingKey]

    private func put(_ json: JSON, _ key: Key) { node.append(SnakeCase.name(of: key.stringValue), Node(json)) }

    private func child(_ key: some CodingKey) -> Node {
        let child = Node()
        node.append(SnakeCase.name(of: key.stringValue), child)
        return child
    }

    func encodeNil(forKey key: Key) { put(.null, key) }
    func encode(_ value: Bool, forKey key: Key) { put(.bool(value), key) }
    func encode(_ value: String, forKey key: Key) { put(.string(value), key) }
    func encode(_ value: Int, forKey key: Key) { put(.integer(Int64(value)), key) }
    func encode(_ value: Int64, forKey key: Key) { put(.integer(value), key) }
    func encode(_ value: Double, forKey key: Key) { put(.number(value), key) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try child(key).take(value, codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        PayloadEncoder(child(key), codingPath + [key]).container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        PayloadEncoder(child(key), codingPath + [key]).unkeyedContainer()
    }

    func superEncoder(forKey key: Key) -> any Encoder { PayloadEncoder(child(key), codingPath + [key]) }

    func superEncoder() -> any Encoder {
        let child = Node()
        node.append("super", child)
        return PayloadEncoder(child, codingPath)
    }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    let node: Node
    let codingPath: [any CodingKey]
    var count: Int { node.count }

    private func child() -> Node {
        let child = Node()
        node.append(child)
        return child
    }

    func encodeNil() { node.append(Node(.null)) }

    func encode<Value: Encodable>(_ value: Value) throws { try child().take(value, codingPath) }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        PayloadEncoder(child(), codingPath).container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        PayloadEncoder(child(), codingPath).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { PayloadEncoder(child(), codingPath) }
}

private struct Single: SingleValueEncodingContainer {
    let node: Node
    let codingPath: [any CodingKey]

    func encodeNil() { node.set(.null) }
    func encode(_ value: Bool) { node.set(.bool(value)) }
    func encode(_ value: String) { node.set(.string(value)) }
    func encode(_ value: Double) { node.set(.number(value)) }
    func encode(_ value: Float) { node.set(.number(Double(value))) }
    func encode(_ value: Int) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int8) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int16) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int32) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int64) { node.set(.integer(value)) }
    func encode(_ value: UInt8) { node.set(.integer(Int64(value))) }
    func encode(_ value: UInt16) { node.set(.integer(Int64(value))) }
    func encode(_ value: UInt32) { node.set(.integer(Int64(value))) }
    func encode(_ value: UInt) throws { try encode(UInt64(value)) }

    func encode(_ value: UInt64) throws {
        guard let integer = Int64(exactly: value) else {
            throw EncodingError.invalidValue(value, .init(codingPath: codingPath, debugDescription: "above 2^63"))
        }
        node.set(.integer(integer))
    }

    func encode<Value: Encodable>(_ value: Value) throws { try node.take(value, codingPath) }
}
