import Core
import Testing

@Suite("Values in our one dialect") struct JSONCodingTests {
    struct Outer: Codable, Hashable {
        struct Inner: Codable, Hashable {
            enum Kind: String, Codable { case small, large }
            var kind: Kind
            var byteCount: Int?
        }

        var innerParts: [Inner]
        var fp16Tflops: Double
        var isOn: Bool
        var labels: [String: Int]
        var free: JSON?
        var run: RunKey?
    }

    static let text = """
        {"fp16_tflops":2.5,"free":{"learningRate":1,"a_b":[null]},"inner_parts":[{"byte_count":3,"kind":"small"},\
        {"kind":"large"}],"is_on":true,"labels":{"camelCase":1,"snake_case":2}}
        """
    static let value = Outer(
        innerParts: [.init(kind: .small, byteCount: 3), .init(kind: .large)],
        fp16Tflops: 2.5,
        isOn: true,
        labels: ["camelCase": 1, "snake_case": 2],
        free: .object([("learningRate", .integer(1)), ("a_b", .array([.null]))])
    )

    @Test("properties are read from snake_case members, and the user's own keys as they are, in their order")
    func read() throws {
        let read: Outer = try JSON(parsing: Self.text.utf8).decode()
        #expect(read == Self.value)
    }

    @Test("what was written reads back; the members are in the order of their names")
    func roundTrip() throws {
        let json = try JSON(encoding: Self.value)
        let again = try json.decode(Outer.self)
        #expect(try JSON(encoding: again) == json)
        #expect((again.labels, again.innerParts) == (Self.value.labels, Self.value.innerParts))
        #expect(json.text.hasPrefix(#"{"fp16_tflops":2.5,"free":{"a_b":[null],"learningRate":1},"inner_parts":"#))
    }

    @Test("null and nothing are the same for what may be absent, and members of a newer version are passed over")
    func absent() throws {
        let json = try JSON(parsing: #"{"kind": "large", "byte_count": null, "since_version_9": [1]}"#.utf8)
        #expect(try json.decode() == Outer.Inner(kind: .large))
    }

    @Test("whole numbers are read where floating-point is meant, and the other way round when nothing is lost")
    func numbers() throws {
        #expect(try JSON.integer(3).decode(Double.self) == 3)
        #expect(try JSON.number(3).decode(Int.self) == 3)
        #expect(throws: DecodingError.self) { try JSON.number(3.5).decode(Int.self) }
        #expect(throws: DecodingError.self) { try JSON.integer(300).decode(UInt8.self) }
        #expect(throws: DecodingError.self) { try JSON.integer(-1).decode(UInt64.self) }
        #expect(throws: DecodingError.self) { try JSON.bool(true).decode(Int.self) }
    }

    @Test(
        "a fault is told with the members and indexes that lead to it",
        arguments: [
            (#""is_on":true"#, #""is_on":1"#, "is_on", "must be true or false; this is an integer"),
            (#""is_on":true,"#, "", "", "is missing"),
            (#""byte_count":3"#, #""byte_count":"3""#, "inner_parts/0/byte_count", "this is a string"),
            (#"{"kind":"large"}"#, #"{"kind":"huge"}"#, "inner_parts/1/kind", "huge"),
            (#"{"kind":"large"}"#, "7", "inner_parts/1", "must be an object; this is an integer"),
            (#""camelCase":1"#, #""camelCase":null"#, "labels/camelCase", "this is null"),
            (#""is_on":true"#, #""is_on":true,"run":"op-x""#, "run", "not a run's name"),
        ]
    )
    func faults(part: String, broken: String, path: String, message: String) throws {
        let json = try JSON(parsing: Self.text.replacing(part, with: broken).utf8)
        let error = #expect(throws: DecodingError.self) { try json.decode(Outer.self) }
        let context: DecodingError.Context? =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            default: nil
            }
        #expect(context?.codingPath.map(\.stringValue).joined(separator: "/") == path)
        #expect(context?.debugDescription.contains(message) == true)
    }

    @Test("objects of many members are read like small ones")
    func large() throws {
        let numbers = Dictionary(uniqueKeysWithValues: (0..<1000).map { ("key_\($0)", $0) })
        #expect(try JSON(encoding: numbers).decode() == numbers)
        let members = (0..<50).map { (key: "x\($0)", value: JSON.integer($0)) } + [("kind", .string("small"))]
        let read: Outer.Inner = try JSON.object(members + [("byte_count", .integer(4))]).decode()
        #expect(read == Outer.Inner(kind: .small, byteCount: 4))
    }

    @Test("what is accepted at the greatest depth can be read back from inside what we make of it")
    func depth() throws {
        var inner = JSON.integer(1)
        for _ in 0..<JSON.depthMax { inner = .array([inner]) }
        let accepted = try JSON(parsing: inner.text.utf8)
        let wrapped = JSON.object([("items", .array([.object([("spec", .object([("free", accepted)]))])]))])
        #expect(throws: JSONError.self) { try JSON(parsing: wrapped.text.utf8) }
        #expect(try JSON(parsing: wrapped.text.utf8, depthMax: JSON.ownDepthMax) == wrapped)
    }
}
