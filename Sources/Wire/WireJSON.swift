import Core

/// The one JSON dialect of our own API: `snake_case` keys in sorted order, RFC 3339 times, integers for counts and money.
public enum WireJSON {
    /// Encodes a wire value as UTF-8; the bytes are the same in every process.
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        try JSON(encoding: value).write(to: &bytes)
        return bytes
    }

    /// Decodes a wire value; unknown keys are ignored, as a reader of a newer version's answers must.
    ///
    /// - Parameter bytes: UTF-8. The caller caps its length.
    /// - Throws: ``JSONError`` for what is no JSON, `DecodingError` for what is no such value.
    public static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self,
        from bytes: some Collection<UInt8>
    ) throws -> Value {
        try JSON(parsing: bytes, depthMax: JSON.ownDepthMax).decode()
    }
}

/// One page of a list and where the next begins.
public struct Page<Item: Codable & Sendable>: Codable, Sendable {
    public var items: [Item]
    /// Opaque; give it back as `cursor` to go on. Absent on the last page.
    public var next: String?

    public init(items: [Item], next: String?) {
        self.items = items
        self.next = next
    }
}
