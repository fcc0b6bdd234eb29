public import Core

/// So that answers can be written down as they will look.
extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension JSON {
    /// An object of the members that are there.
    static func members(_ members: KeyValuePairs<String, JSON?>) -> JSON {
        .object(members.compactMap { key, value in value.map { (key: key, value: $0) } })
    }

    static func list(_ texts: some Sequence<String>) -> JSON { .array(texts.map { .string($0) }) }
}

extension StringProtocol {
    /// What may stand in a header: printable ASCII.
    var headerSafe: String {
        String(decoding: utf8.prefix(1000).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
