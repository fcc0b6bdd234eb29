import Core
import Testing

@Suite struct JSONTests {
    static func parse(_ text: String) throws(JSONError) -> JSON { try JSON(parsing: text.utf8) }

    @Test(
        "values are read as RFC 8259 has them",
        arguments: [
            ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("-0", .integer(0)),
            ("-1", .integer(-1)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", .number(1.5)), ("1e2", .number(100)),
            ("1E+2", .number(100)), ("1e-2", .number(0.01)), ("0.0", .number(0)), ("-0.5", .number(-0.5)),
            ("1e-999", .number(0)), (#""""#, .string("")), (#""a""#, .string("a")), ("[]", .array([])),
            ("{}", .object([])), (" \t\r\n[ 1 , 2 ] ", .array([.integer(1), .integer(2)])),
            (#"{ "a" : null }"#, .object([("a", .null)])), ("\"\u{7F}\u{2028}é漢😀\"", .string("\u{7F}\u{2028}é漢😀")),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")), (#""\u0000""#, .string("\u{0}")),
            (#""\u00e9\u00E9""#, .string("éé")), (#""\ud83d\ude00""#, .string("😀")),
            (#""\uD83D\uDE00x""#, .string("😀x")), (#""x\uffff""#, .string("x\u{FFFF}")),
        ] as [(String, JSON)]
    )
    func accepted(text: String, value: JSON) throws { #expect(try Self.parse(text) == value) }

    @Test(
        "what RFC 8259 does not allow is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "tru", "+1", "01", "-01", "-", "1.", ".5", "1e", "1e+", "1.e1", "0x1",
            "NaN", "Infinity", "-Infinity", "1 2", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"",
            "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
            "\"", "\"a", "'a'", "\"\\x\"", "\"\\\"", "\"\\u12\"", "\"\\u123g\"", "\"\\u+123\"", "\"\\u-123\"",
            "\"\\u 123\"", "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1F}\"", "//x\n1", "/**/1", "1//", "\u{FEFF}1",
            "\u{A0}1",
            "\u{B}1", "[1]x", "\"a\"\"b\"", "\\u0031",
        ]
    )
    func refused(text: String) { #expect(throws: JSONError.self) { try Self.parse(text) } }

    @Test(
        "half a surrogate pair is refused",
        arguments: [
            #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\u0041""#, #""\ud800\ud800""#,
            #""\ud800\"#, #""\ud800\u"#, #""\udfff\ud800""#,
        ]
    )
    func surrogates(text: String) { #expect(throws: JSONError.self) { try Self.parse(text) } }

    @Test("numbers out of range are refused, with the place", arguments: ["1e999", "-1e999", "[1, 1e400]"])
    func range(text: String) { #expect(throws: JSONError.self) { try Self.parse(text) } }

    @Test("bytes that are not UTF-8 are refused, inside strings and outside")
    func utf8() {
        for bytes: [UInt8] in [
            [0xFF], [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0x5C, 0x6E, 0x80, 0x22], [0xEF, 0xBB, 0xBF, 0x31],
        ] {
            #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
        }
    }

    @Test("64 levels are read and 65 are refused, for lists, objects and both, however many there would be")
    func depth() throws {
        func nested(_ count: Int, _ open: String, _ inside: String, _ close: String) -> String {
            String(repeating: open, count: count) + inside + String(repeating: close, count: count)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            _ = try Self.parse(nested(64, open, "1", close))
            #expect(throws: JSONError.self) { try Self.parse(nested(65, open, "1", close)) }
        }
        #expect(throws: JSONError.self) { try Self.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try Self.parse(String(repeating: "{\"a\":[", count: 100_000)) }
        // Breadth is no depth.
        _ = try Self.parse("[" + String(repeating: "[],", count: 10_000) + "[]]")
    }

    @Test("a repeated key is refused at its place, in small objects and large, escaped or not")
    func duplicates() throws {
        #expect(throws: JSONError.self) { try Self.parse(#"{"a":1,"a":1}"#) }
        #expect(throws: JSONError.self) { try Self.parse(#"{"a":1,"\u0061":2}"#) }
        // Two spellings that look the same would be one key for every Swift dictionary.
        #expect(throws: JSONError.self) { try Self.parse("{\"\u{E9}\":1,\"e\u{301}\":2}") }
        for count in 1...40 {
            let members = (0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
            let value = try Self.parse("{\(members)}")
            #expect(value["k\(count - 1)"] == .integer(Int64(count - 1)))
            for again in [0, count / 2, count - 1] {
                #expect(throws: JSONError.self) { try Self.parse("{\(members),\"k\(again)\":0}") }
            }
        }
        do {
            _ = try Self.parse(#"{"a":1, "a":1}"#)
        } catch {
            #expect(error.offset == 8)
            #expect(error.message.contains("'a'"))
        }
    }

    @Test("a fault's message does not grow with the request")
    func messageIsShort() {
        let key = String(repeating: "k", count: 100_000)
        do {
            _ = try Self.parse("{\"\(key)\":1,\"\(key)\":1}")
            Issue.record("the key is repeated")
        } catch {
            #expect(error.message.utf8.count < 200)
        }
    }

    @Test("keys keep their order, and members are found by name")
    func order() throws {
        let value = try Self.parse(#"{"b":1,"a":{"x":[true]},"c":"s"}"#)
        #expect(value.text == #"{"b":1,"a":{"x":[true]},"c":"s"}"#)
        #expect(value["a"]?["x"]?.arrayValue?.first?.boolValue == true)
        #expect(value["c"]?.stringValue == "s" && value["b"]?.integerValue == 1 && value["z"] == nil)
        #expect(value["b"]?.numberValue == 1 && value["c"]?.numberValue == nil)
    }

    @Test("what must be escaped is escaped, and the rest is written as it is")
    func writing() {
        #expect(
            JSON.string("\"\\/\n\r\t\u{8}\u{0}\u{1F}\u{7F}é😀").text
                == "\"\\\"\\\\/\\n\\r\\t\\u0008\\u0000\\u001f\u{7F}é😀\""
        )
        #expect(JSON.number(.nan).text == "null")
        #expect(JSON.number(1e300).text == "1e+300")
        #expect(JSON.array([.null, .bool(true), .integer(-5)]).text == "[null,true,-5]")
    }

    @Test("equal values have equal hashes, zero and minus zero included")
    func hashing() {
        #expect(JSON.number(0) == .number(-0.0))
        #expect(Set([JSON.number(0), .number(-0.0)]).count == 1)
        #expect(Set([JSON.integer(1), .number(1), .string("1"), .bool(true), .null]).count == 5)
        #expect(Set([JSON.array([.null]), .object([("a", .null)]), .object([("b", .null)])]).count == 3)
    }

    static func random(_ generator: inout SeededGenerator, depth: Int = 0) -> JSON {
        switch Int.random(in: 0..<(depth < 5 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(Int64(bitPattern: generator.next()) >> Int64.random(in: 0..<63, using: &generator))
        case 3:
            let value = Double(bitPattern: generator.next())
            // A whole number too large for 64 bits stays a floating-point number; a small one prints with its `.0`.
            return .number(value.isFinite ? value : 0.5)
        case 4, 5: return .string(randomString(&generator))
        case 6:
            return .array(
                (0..<Int.random(in: 0..<6, using: &generator)).map { _ in random(&generator, depth: depth + 1) }
            )
        default:
            let count = Int.random(in: 0..<14, using: &generator)
            return .object(
                (0..<count).map { ("\($0):" + randomString(&generator), random(&generator, depth: depth + 1)) }
            )
        }
    }

    static func randomString(_ generator: inout SeededGenerator) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<12, using: &generator) {
            let limit: UInt32 = [0x20, 0x80, 0x800, 0x10000, 0x110000].randomElement(using: &generator) ?? 0x80
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) { text.append(scalar) }
        }
        return String(text)
    }

    @Test("any value that is written reads back as itself, with the same text")
    func roundTrip() throws {
        var generator = seeded("json round trip")
        for _ in 0..<3000 {
            let value = Self.random(&generator)
            let text = value.text
            let read = try Self.parse(text)
            #expect(read == value, "\(text)")
            #expect(read.text == text)
            #expect(read.hashValue == value.hashValue)
        }
    }

    @Test("mutated text never crashes, and what is accepted is a fixed point of writing and reading")
    func fuzz() throws {
        var generator = seeded("json fuzz")
        let interesting =
            Array("{}[]\",:\\u0123456789abcdefDEn.eE+-truefalsn \n\u{0}\u{1F}é😀".utf8) + [0x80, 0xC0, 0xED, 0xFF]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            Self.random(&generator).write(to: &bytes)
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                let index = Int.random(in: 0...bytes.count, using: &generator)
                let byte = interesting.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.insert(byte, at: index)
                case 1 where index < bytes.count: bytes[index] = byte
                case 2 where index < bytes.count: bytes.remove(at: index)
                default: bytes = Array(bytes.prefix(index))
                }
            }
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect(try JSON(parsing: value.text.utf8) == value)
            // A collection without contiguous storage takes the other way and sees the same.
            #expect(try JSON(parsing: bytes.lazy.map { $0 }) == value)
        }
    }
}
