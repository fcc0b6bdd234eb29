import Core
import Wire

/// JSON Schemas (draft 2020-12) of wire types, found by decoding them from nothing and noting what they ask for.
///
/// What a type reads is what its schema says, so the OpenAPI document cannot drift from the types. Types that read
/// themselves by hand stand in a short table.
struct WireSchema {
    /// Components by name, in the order in which they were met.
    private(set) var components: [(key: String, value: Schema)] = []
    /// Types that ended their reading before all of it was noted, so that something is missing from the document.
    private(set) var unread: [String] = []
    private var known: Set<String> = []

    static let documentReference = Schema.component("Document")

    /// The `$ref` to a type's component, or its schema where it is a simple one.
    static func reference<Value: Decodable>(to type: Value.Type) -> Schema {
        var schemas = WireSchema()
        return schemas.schema(of: type)
    }

    /// Describes the type, and every type inside it that is an object, as components.
    mutating func schema<Value: Decodable>(of type: Value.Type) -> Schema {
        if let simple = Self.simple(type) { return simple }
        let name = Self.name(of: type)
        let isNamed = !(type is any Unnamed.Type)
        if isNamed, !known.insert(name).inserted { return .component(name) }
        let probe = SchemaProbe(schemas: self)
        let isWhole = (try? Value(from: probe)) != nil
        self = probe.schemas
        if !isWhole { unread.append(name) }
        guard isNamed, case .object = probe.shape else { return probe.schema }
        components.append((name, probe.schema))
        return .component(name)
    }

    /// `Wire.CentreView.NodeView` is `CentreViewNodeView`; `Page<JobView>` is `JobViewPage`.
    private static func name(of type: Any.Type) -> String {
        let text = String(reflecting: type)
        if let open = text.firstIndex(of: "<") {
            let (outer, inner) = (text[..<open], text[text.index(after: open)...].dropLast())
            return bare(inner) + bare(outer)
        }
        return bare(text)
    }

    private static func bare(_ text: some StringProtocol) -> String {
        text.split(separator: ".").dropFirst().joined()
    }

    private static func simple(_ type: Any.Type) -> Schema? {
        switch type {
        case is Bool.Type: .boolean
        case is String.Type: .string
        case is any FixedWidthInteger.Type: .integer
        case is Double.Type: .number
        case is Instant.Type: .time
        case let text as any DescribedText.Type: text.schema
        case is Bytes.Type: .integer("In bytes.")
        case is MilliCores.Type: .integer("In thousandths of a core.")
        case is MicroCredits.Type: .integer("In millionths of a credit.")
        case is JSON.Type: .anything
        case is CentreLossPolicy.Type:
            .object(["requeue_after_seconds": .integer("Absent: wait.")])
        case is JobInput.Type:
            .object(
                [
                    "name": .string, "digest": .digest, "kind": .choice(["file", "tree"]), "job": .string,
                    "output": .string,
                ],
                required: ["name"]
            )
        case is ArtifactKind.Type: .choice(["file", "tree"])
        case is LineageEdge.Direction.Type: .choice(["input", "output"])
        case is PublicationStatus.State.Type: .choice(["due", "done", "failed"])
        case is RunObservation.Phase.Type: .choice(["submitting", "pending", "running", "ended"])
        case is Accelerator.Unit.Type: .choice(["board", "package", "die", "slice"])
        case is Accelerator.SourceKind.Type: .choice(["vendor", "press", "derived"])
        case is Accelerator.Confidence.Type: .choice(["high", "medium", "low"])
        case let choice as any (RawRepresentable<String> & CaseIterable).Type: .choice(choice)
        default: nil
        }
    }
}

/// A type that stands in JSON as one text: what its texts are like, and one of them.
private protocol DescribedText: TextCoded {
    static var schema: Schema { get }
    static var example: Self? { get }
}
extension Name: DescribedText {
    static var schema: Schema { .name }
    static var example: Self? { Self("x") }
}
extension ID: DescribedText {
    static var schema: Schema { .identifier("\(Tag.prefix)") }
    static var example: Self? { Self(high: 0, low: 0) }
}
extension RunKey: DescribedText {
    static var schema: Schema { .string("A run's name: `op-`, 26 characters, `-` and the attempt's number.") }
    static var example: Self? { Self(job: JobID(high: 0, low: 0), number: 1) }
}
extension Dependency: DescribedText {
    static var schema: Schema { .string("The id of a job or an array.") }
    static var example: Self? { .job(JobID(high: 0, low: 0)) }
}
extension Core.Digest: DescribedText {
    static var schema: Schema { .digest }
    static var example: Self? { Self(bytes: [UInt8](repeating: 0, count: 32)) }
}
extension GitHash: DescribedText {
    static var schema: Schema { .pattern("^[0-9a-f]{40}$") }
    static var example: Self? { Self(String(repeating: "0", count: 40)) }
}
extension ReferenceName: DescribedText {
    static var schema: Schema { .string("`heads/main`, `tags/v1`, `pr/1`.") }
    static var example: Self? { .main }
}
extension RepositoryName: DescribedText {
    static var schema: Schema { .string("A repository's name in its project.") }
    static var example: Self? { Self("x") }
}

/// Types whose schema is written where they are used instead of becoming a component.
private protocol Unnamed {}
extension Array: Unnamed {}
extension Set: Unnamed {}
extension Dictionary: Unnamed {}
extension Optional: Unnamed {}

/// A decoder of nothing. Notes what a type reads, and gives back the smallest value of each kind.
final class SchemaProbe: Decoder {
    enum Shape {
        case unknown
        case object(keys: [(key: String, value: Schema)], required: [String])
        case map(Schema)
        case list(Schema)
    }

    private struct Nothing: Error {}

    var schemas: WireSchema
    private(set) var shape = Shape.unknown
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    init(schemas: WireSchema) { self.schemas = schemas }

    var schema: Schema {
        switch shape {
        case .unknown: .anything
        case .list(let element): .array(of: element)
        case .map(let value): .map(of: value)
        case .object(let keys, let required):
            Schema(
                type: "object",
                [("properties", .object(keys.map { ($0.key, $0.value.json) }))]
                    + (required.isEmpty ? [] : [("required", .array(required.map { .string($0) }))])
            )
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        // The keys of a dictionary take any text, those of a type only their own.
        if Key(stringValue: "*") != nil {
            shape = .map(.anything)
        } else if case .unknown = shape {
            shape = .object(keys: [], required: [])
        }
        return KeyedDecodingContainer(Keyed<Key>(probe: self))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer {
        shape = .list(.anything)
        return Unkeyed(probe: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Nothing() }

    fileprivate func note<Value: Decodable>(_ key: String, _ type: Value.Type, isRequired: Bool) {
        let value = schemas.schema(of: type)
        switch shape {
        case .map, .unknown: shape = .map(value)
        case .list: shape = .list(value)
        case .object(var keys, var required):
            keys.append((JSON.memberName(of: key), value))
            if isRequired { required.append(JSON.memberName(of: key)) }
            shape = .object(keys: keys, required: required)
        }
    }

    /// Something of that type, so that the rest of the fields is read too.
    fileprivate func example<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let examples: [Any] = [
            false, "", 0, Int64(0), Int32(0), UInt64(0), 0.0, Instant(milliseconds: 0), Bytes(0), MilliCores(0),
            MicroCredits(0), JSON.null, CentreLossPolicy.wait, ArtifactKind.file, RunObservation.Phase.pending,
            LineageEdge.Direction.input, PublicationStatus.State.due,
            Accelerator.Unit.board, Accelerator.SourceKind.vendor, Accelerator.Confidence.low,
            JobInput(name: "", source: .output(job: "", output: "")),
        ]
        if let example = examples.lazy.compactMap({ $0 as? Value }).first { return example }
        if let text = type as? any DescribedText.Type, let example = text.example as? Value { return example }
        if let choice = type as? any CaseIterable.Type, let first = choice.firstCase as? Value { return first }
        return try Value(from: SchemaProbe(schemas: WireSchema()))
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let probe: SchemaProbe
        let codingPath: [any CodingKey] = []
        var allKeys: [Key] { Key(stringValue: "*").map { [$0] } ?? [] }

        func contains(_ key: Key) -> Bool { true }
        func decodeNil(forKey key: Key) -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            probe.note(key.stringValue, type, isRequired: true)
            return try probe.example(type)
        }

        func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
            probe.note(key.stringValue, type, isRequired: false)
            return nil
        }

        func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try absent(type, key) }
        func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try absent(type, key) }
        func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try absent(type, key) }
        func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try absent(type, key) }
        func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try absent(type, key) }

        private func absent<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value? {
            probe.note(key.stringValue, type, isRequired: false)
            return nil
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw Nothing() }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw Nothing() }
        func superDecoder() throws -> any Decoder { throw Nothing() }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw Nothing() }
    }

    /// A list of one element.
    private struct Unkeyed: UnkeyedDecodingContainer {
        let probe: SchemaProbe
        let codingPath: [any CodingKey] = []
        let count: Int? = 1
        var currentIndex = 0
        var isAtEnd: Bool { currentIndex > 0 }

        init(probe: SchemaProbe) { self.probe = probe }

        mutating func decodeNil() -> Bool { false }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            currentIndex += 1
            probe.note("", type, isRequired: true)
            return try probe.example(type)
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { throw Nothing() }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Nothing() }
        mutating func superDecoder() throws -> any Decoder { throw Nothing() }
    }
}

extension CaseIterable {
    fileprivate static var firstCase: Any? { allCases.first }
}
