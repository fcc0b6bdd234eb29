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
    /// With `%2F` and its like as what they stand for; what is no such sequence stays.
    func percentDecoded() -> String {
        guard utf8.contains(UInt8(ascii: "%")) else { return String(self) }
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As one segment of a path.
    func percentEncoded(keepingSlashes: Bool = false) -> String {
        let plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" + (keepingSlashes ? "/" : "")
        let kept = Set(plain.utf8)
        return String(
            decoding: utf8.flatMap { byte -> [UInt8] in
                if kept.contains(byte) { return [byte] }
                let digits = String(byte, radix: 16, uppercase: true)
                return Array("%\(byte < 16 ? "0" : "")\(digits)".utf8)
            },
            as: UTF8.self
        )
    }

    /// What may stand in a header: printable ASCII.
    var headerSafe: String {
        String(decoding: utf8.prefix(1000).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
