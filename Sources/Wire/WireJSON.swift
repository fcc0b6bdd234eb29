public import FoundationEssentials

/// The one JSON dialect of our own API: `snake_case` keys in sorted order, RFC 3339 times, integers for counts and money.
///
/// Property names in wire types avoid acronyms, because `jobID` would not survive the way to `job_id` and back.
public enum WireJSON {
    /// Encodes a wire value; the bytes are the same in every process.
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// Decodes a wire value; unknown keys are ignored, as a reader of a newer version's answers must.
    public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
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
