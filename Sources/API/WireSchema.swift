import Core
import Wire

/// JSON Schemas (draft 2020-12) of wire types, found by decoding them from nothing and noting what they ask for.
///
/// What a type reads is what its schema says, so the OpenAPI document cannot drift from the types. Types that read
/// themselves by hand stand in a short table.
struct WireSchema {
    /// Components by name, in the order in which they were met.
    private(set) var components: [(key: String, value: Schema)] = []
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
        // Decoding from nothing may fail half-way, after the fields were noted; the notes are what is wanted.
        _ = try? Value(from: probe)
        self = probe.schemas
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
        case is Core.Digest.Type: .digest
        case is Bytes.Type: .integer("In bytes.")
        case is MilliCores.Type: .integer("In thousandths of a core.")
        case is MicroCredits.Type: .integer("In millionths of a credit.")
        case is ProjectName.Type, is CentreName.Type, is UserName.Type, is ReservationName.Type,
            is SimulationName.Type:
            .name
        case is JobID.Type: .identifier("job")
        case is RepositoryID.Type: .identifier("repo")
        case is ArrayID.Type: .identifier("arr")
        case is WorkflowID.Type: .identifier("wf")
        case is TokenID.Type: .identifier("tok")
        case is AgentID.Type: .identifier("agt")
        case is UploadID.Type: .identifier("up")
        case is RunKey.Type: .string("A run's name: `op-`, 26 characters, `-` and the attempt's number.")
        case is Dependency.Type: .string("The id of a job or an array.")
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
        case is RunObservation.Phase.Type: .choice(["submitting", "pending", "running", "ended"])
        case is Accelerator.Unit.Type: .choice(["board", "package", "die", "slice"])
        case is Accelerator.SourceKind.Type: .choice(["vendor", "press", "derived"])
        case is Accelerator.Confidence.Type: .choice(["high", "medium", "low"])
        case let choice as any (RawRepresentable<String> & CaseIterable).Type: .choice(choice)
        default: nil
        }
    }
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
            Accelerator.Unit.board, Accelerator.SourceKind.vendor, Accelerator.Confidence.low,
            JobInput(name: "", source: .output(job: "", output: "")), JobID(high: 0, low: 0), ArrayID(high: 0, low: 0),
            WorkflowID(high: 0, low: 0), TokenID(high: 0, low: 0), AgentID(high: 0, low: 0), UploadID(high: 0, low: 0),
            RunKey(job: JobID(high: 0, low: 0), number: 1), Dependency.job(JobID(high: 0, low: 0)),
            Core.Digest(bytes: [UInt8](repeating: 0, count: 32)) as Any, ProjectName("x") as Any,
            CentreName("x") as Any, UserName("x") as Any, ReservationName("x") as Any,
            SimulationName("x") as Any,
        ]
        if let example = examples.lazy.compactMap({ $0 as? Value }).first { return example }
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
