import Core
import FoundationEssentials

/// The JSON of the log and of the few columns that hold a structure: `snake_case`, keys in order, so that equal values
/// are equal bytes in every process and a rebuilt view is the same as the first.
enum StoredJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        try JSON(encoding: value).write(to: &bytes)
        return Data(bytes)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        do { return try JSON(parsing: data, depthMax: JSON.ownDepthMax).decode() } catch {
            throw Failure.damaged("\(type) cannot be read: \(error)")
        }
    }

    static func decode(kind: String, payload: Data) throws -> Event {
        guard let kind = Event.Kind(rawValue: kind) else {
            throw Failure.damaged("the log holds an event of the unknown kind \(kind)")
        }
        return try Event(kind, reading: Reader(payload: payload))
    }

    private struct Reader: PayloadReader {
        let payload: Data

        func read<Payload: Decodable>() throws -> Payload { try StoredJSON.decode(Payload.self, from: payload) }
    }
}
