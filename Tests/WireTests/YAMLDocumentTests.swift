import Core
import Foundation
import Testing
import Yams

@testable import Wire

@Suite struct YAMLDocumentTests {
    static let values: [(text: String, json: String)] = [
        ("", "null"), ("# only a comment\n", "null"), ("--- # x\n", "null"), ("a", #""a""#),
        ("null", "null"), ("~", "null"), ("true", "true"), ("False", "false"), ("no", #""no""#), ("off", #""off""#),
        ("12", "12"), ("-3", "-3"), ("+4", "4"), ("0x1F", "31"), ("0o17", #""0o17""#), ("0x", #""0x""#),
        ("1e", #""1e""#), ("+-1", #""+-1""#), (".", #"".""#), ("007", "7"), ("1_000", #""1_000""#),
        ("1.5", "1.5"), (".5", "0.5"), ("2.", "2.0"), ("1e3", "1000.0"), ("1.2.3", #""1.2.3""#), ("-", #"[null]"#),
        ("12:30", #""12:30""#), ("2026-01-31", #""2026-01-31""#), ("99999999999999999999", "1e+20"),
        ("'it''s'", #""it's""#), (#""a\tb\u00e9\x41\U0001f600""#, "\"a\\tbéA😀\""), ("a # c", #""a""#),
        ("a#c", #""a#c""#),
        ("- 1\n- 2", "[1,2]"), ("-   - 1\n    - 2\n- 3", "[[1,2],3]"), ("a: 1\nb: 2", #"{"a":1,"b":2}"#),
        ("a:\n  b: 1\n  c:\n    - x\n    - y\nd: 2", #"{"a":{"b":1,"c":["x","y"]},"d":2}"#),
        ("a:\n- x\n- y: 1\n  z: 2\nb: 3", #"{"a":["x",{"y":1,"z":2}],"b":3}"#),
        ("a:\nb:", #"{"a":null,"b":null}"#), ("- a: 1\n  b: 2\n-\n  c", #"[{"a":1,"b":2},"c"]"#),
        ("\"a b\": 1\n'c': 2\nd e: 3", #"{"a b":1,"c":2,"d e":3}"#), ("http://x/y: 1", #"{"http://x/y":1}"#),
        ("a: http://x:80/y", #"{"a":"http://x:80/y"}"#),
        ("[a, b: c, {d: e}, [], {}]", #"["a",{"b":"c"},{"d":"e"},[],{}]"#),
        ("{a: 1, b, c: [x, y,], \"d\":2}", #"{"a":1,"b":null,"c":["x","y"],"d":2}"#),
        (#"{"a": ["\ud83d\ude00"]}"#, #"{"a":["😀"]}"#), ("? a\n: b", #"{"a":"b"}"#),
        ("{a: 1,\n  # x\n  b: 2 }", #"{"a":1,"b":2}"#),
        (#"{"a": [1, 2.5, "x", null, true], "b": {"c": {}}}"#, #"{"a":[1,2.5,"x",null,true],"b":{"c":{}}}"#),
        ("a: |\n  x\n   y\n\n  z\nb: 1", #"{"a":"x\n y\n\nz\n","b":1}"#), ("a: |-\n  x\n", #"{"a":"x"}"#),
        ("a: |+\n  x\n\nb: 1", #"{"a":"x\n\n","b":1}"#), ("a: >\n  x\n  y\n\n  z\n", #"{"a":"x y\nz\n"}"#),
        ("a: >\n  x\n    y\n  z\n", #"{"a":"x\n  y\nz\n"}"#), ("a: |2\n   x\n", #"{"a":" x\n"}"#),
        ("- |\n x\n- 1", #"["x\n",1]"#),
        ("a: |\n  # not a comment: [\n", ##"{"a":"# not a comment: [\n"}"##),
        ("a: x\n  y\n\n  z\nb: 1", #"{"a":"x y\nz","b":1}"#),
        ("a: \"x\n  y\\\n  z\"", #"{"a":"x yz"}"#), ("a: 'x\n\n  y'", #"{"a":"x\ny"}"#),
        ("a: &x [1, 2]\nb: *x", #"{"a":[1,2],"b":[1,2]}"#),
        ("a: &x\n  k: 1\nb:\n  <<: *x\n  l: 2", #"{"a":{"k":1},"b":{"l":2,"k":1}}"#),
        ("a: &x {k: 1, l: 1}\nb: {<<: [*x], k: 2}", #"{"a":{"k":1,"l":1},"b":{"k":2,"l":1}}"#),
        ("a: !!str 12", #"{"a":"12"}"#),
        ("%YAML 1.2\n---\na: 1\n...\n", #"{"a":1}"#), ("a: 1\r\nb: 2\r\n", #"{"a":1,"b":2}"#),
        ("\u{FEFF}a: 1", #"{"a":1}"#),
        ("command: [sh, -c, \"echo $A\"]", #"{"command":["sh","-c","echo $A"]}"#),
        ("a: -x\nb: ?y\nc: :z", #"{"a":"-x","b":"?y","c":":z"}"#),
        ("entry: [python3, \"{algorithm}/main.py\"]", #"{"entry":["python3","{algorithm}/main.py"]}"#),
    ]

    @Test("texts mean what they do in YAML 1.2", arguments: values)
    func value(_ pair: (text: String, json: String)) throws {
        #expect(try YAMLDocument.parse(pair.text).json.text == pair.json, "\(pair.text)")
    }

    static let broken: [(text: String, line: Int, words: String)] = [
        ("a: 1\na: 2", 2, "repeats the key 'a', first on line 1"), ("{a: 1, a: 2}", 1, "repeats the key"),
        ("a: [1, 2", 1, "expected ',' or ']'"),
        ("a: {b: 1", 1, "expected ',' or '}'"), ("b: 1\na: \"x\n\n", 2, "end of stream while scanning a quoted"),
        ("a: 'x", 1, "end of stream while scanning a quoted"), ("a:\n\tb: 1", 2, "indented by a tab"),
        ("a: 1\n  b: 2", 2, "mapping values are not allowed"), ("a: b: c", 1, "mapping values are not allowed"),
        ("a: - b", 1, "sequence entries are not allowed"), ("a: *x", 1, "before its anchor"),
        ("a: &x [*x]", 1, "before its anchor"), ("a: &x 1\nb: &x [*x]", 2, "before its anchor"),
        ("&a k: 1", 1, "no plain word"), ("a: &x 1\n*x : 2", 2, "no plain word"), ("[a]: 1", 1, "no plain word"),
        ("? {a: 1}\n: 1", 1, "no plain word"), (": 1", 1, "expected key"), ("{: 1}", 1, "expected node content"),
        ("a: !thing x", 1, "has a tag"), ("a: !!int x", 1, "has a tag"), ("!!map {}", 1, "has a tag"),
        ("%TAG !! tag:x,1:\n---\na: 1", 1, "%TAG"), ("a: 1\n...\n%TAG ! x\n---\n", 3, "%TAG"),
        ("a: 1\n---\nb: 2", 2, "second document"), ("a: @x", 1, "'@' at the beginning"),
        ("a: |x\n  y", 1, "scanning a block scalar"), ("a: \"\\q\"", 1, "unknown escape"),
        ("a: .inf", 1, "JSON cannot hold"), ("a: 1e999", 1, "out of range"),
        ("a: b\nc: \u{01}x", 2, "control character"),
        ("a:\n    b: 1\n   c: 2", 3, "expected key while parsing a block mapping begun on line 1"),
        ("- 1\nb: 2", 2, "expected '-'"), ("a: 'x' y", 1, "expected key"), ("a: 1\nb", 2, "expected ':'"),
        ("a: 1\nb\nc: 2", 2, "expected ':'"), ("[a, , b]", 1, "expected node content"),
        ("[a b: [}", 1, "expected node content"),
        ("<<: 3", 1, "no mapping"), ("%FOO\n---\na", 1, "unknown directive"),
    ]

    @Test("each fault names its line", arguments: broken)
    func fault(_ fault: (text: String, line: Int, words: String)) throws {
        do {
            let document = try YAMLDocument.parse(fault.text)
            Issue.record("accepted as \(document.json.text)")
        } catch {
            let last = try #require(error.faults.last)
            #expect(last.message.contains(fault.words), "\(last)")
            #expect(last.position.line == fault.line, "\(last)")
        }
    }

    @Test("every repeated key is reported at once")
    func duplicates() {
        do {
            _ = try YAMLDocument.parse("a: 1\nb: {c: 1, c: 2}\na: 3\n")
            Issue.record("accepted")
        } catch {
            #expect(error.faults.map(\.position) == [.init(line: 2, column: 11), .init(line: 3, column: 1)])
        }
    }

    @Test("every value knows its line and column")
    func positions() throws {
        let document = try YAMLDocument.parse(
            "# c\njobs:\n  - name: é\n    resources: {cores: 1, memory: x}\n    d: &a [1]\n  - d: *a\n"
        )
        #expect(document.position(of: "/jobs") == .init(line: 2, column: 1))
        #expect(document.position(of: "/jobs/0") == .init(line: 3, column: 5))
        #expect(document.position(of: "/jobs/0/resources/memory") == .init(line: 4, column: 27))
        #expect(document.position(of: "/jobs/0/resources/time_limit") == .init(line: 4, column: 5))
        #expect(document.position(of: "/jobs/1/d/0") == .init(line: 6, column: 5))
        #expect(document.position(of: "") == .init(line: 2, column: 1))
    }

    @Test("texts that would need much time or memory are refused or read in linear time", .timeLimit(.minutes(10)))
    func bombs() throws {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            bomb += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(refusal(bomb).contains("aliases expanded"))
        var deep = "a0: &a0 [x]\n"
        for level in 1...80 { deep += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(refusal(deep).contains("nested deeper"))
        #expect(refusal(String(repeating: "[", count: 100_000)).contains("nested deeper"))
        #expect(refusal(String(repeating: "{a: ", count: 100_000)).contains("nested deeper"))
        #expect(refusal(String(repeating: "- ", count: 100_000) + "x").contains("nested deeper"))
        #expect(refusal(String(repeating: "{[", count: 100_000)).contains("nested deeper"))
        #expect(refusal(String(repeating: " ", count: (4 << 20) + 1)).contains("bytes long"))
        #expect(refusal("a: " + String(repeating: "[1,", count: 3)) != "")
        // One long line, one long key, one long string, many comments: each in linear time.
        _ = try YAMLDocument.parse("[" + String(repeating: "1,", count: 150_000) + "]")
        #expect(refusal(String(repeating: "k", count: 1 << 20) + ": 1").contains("not allowed"))
        _ = try YAMLDocument.parse("a: '" + String(repeating: "x\n ", count: 300_000) + "'")
        _ = try YAMLDocument.parse("a: x\n" + String(repeating: "  x\n\n", count: 200_000))
        _ = try YAMLDocument.parse(String(repeating: "# c\n", count: 300_000) + "a: 1")
        #expect(refusal(String(repeating: "x\n", count: 100_000) + ": y") != "")
        #expect(refusal(directives).contains("%TAG"))
    }

    @Test("aliases can neither multiply text, nor keys, nor depth beyond the caps", .timeLimit(.minutes(10)))
    func aliases() {
        // Whoever hashes the key, or takes down the tree of nodes, needs too much time or stack.
        var laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...3 {
            laughs +=
                "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(refusal(laughs + "? *a3\n: x").contains("no plain word"))
        let chain = (1...150_000).map { "a\($0): &a\($0) [*a\($0 - 1)]\n" }
        #expect(refusal("a0: &a0 [x]\n" + chain.joined()).contains("nested deeper"))
        let word = String(repeating: "x", count: 1 << 20)
        #expect(refusal("a: &a \(word)\nb: [*a, *a, *a, *a, *a, *a, *a, *a]").contains("bytes of text"))
        let key = String(repeating: "k", count: 1000)
        let nested = String(repeating: "{\(key): ", count: 60)
        #expect(refusal(nested + "[" + String(repeating: "1,", count: 150_000)).contains("long keys"))
    }

    private var directives: String {
        (0..<250_000).map { "%TAG !\($0)! x\n" }.joined() + "---\n"
    }

    private func refusal(_ text: String) -> String {
        do {
            _ = try YAMLDocument.parse(text)
            return ""
        } catch {
            return error.faults.last?.message ?? ""
        }
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: YAMLError.self) { try YAMLDocument.parse(utf8: [0x61, 0x3A, 0x20, 0xFF]) }
    }

    // MARK: - Against another reader

    /// Yams 6.2 keeps a pointer into strings of up to 15 bytes that are gone by the time it reads them.
    private let padding = "# a text that is not short\n"

    @Test("generated texts mean the same to libyaml")
    func differential() throws {
        var generator = Seeded()
        print("ONEPOINT_TEST_SEED=\(generator.seed)")
        for _ in 0..<1500 {
            let text = block(0, &generator)
            let ours = try YAMLDocument.parse(text).json
            let theirs = try #require(try Yams.compose(yaml: padding + text, .basic))
            #expect(ours == plain(theirs), "\(text)")
        }
    }

    @Test(
        "mutated texts that both accept mean the same to libyaml"
    )
    func mutated() throws {
        var generator = Seeded()
        print("ONEPOINT_TEST_SEED=\(generator.seed)")
        var (both, differ) = (0, 0)
        for _ in 0..<3000 {
            var bytes = Array(block(0, &generator).utf8)
            for _ in 0..<2 {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[at] = Array("[]{}:-#'\" \nax,|".utf8).randomElement(using: &generator) ?? 0x20
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let ours = try? YAMLDocument.parse(text).json,
                let theirs = (try? Yams.compose(yaml: padding + text)) ?? nil
            else { continue }
            both += 1
            if ours != plain(theirs) {
                differ += 1
                print("differs:\n\(text)\nours \(ours.text)\ntheirs \(plain(theirs).text)")
            }
        }
        print("\(both) of 3000 mutated texts were accepted by both, \(differ) of them read differently")
        #expect(differ == 0)
    }

    @Test(
        "the files of this repository mean the same to libyaml",
        arguments: ["workflows/tour.yaml"] + AlgorithmManifestTests.algorithms.map { "algorithms/\($0)/algorithm.yaml" }
    )
    func files(_ path: String) throws {
        let text = try text(of: path)
        let theirs = try #require(try Yams.compose(yaml: text))
        #expect(try YAMLDocument.parse(text).json == plain(theirs))
    }

    private func plain(_ node: Yams.Node) -> JSON {
        switch node {
        case .mapping(let mapping): .object(mapping.map { ($0.key.scalar?.string ?? "?", plain($0.value)) })
        case .sequence(let sequence): .array(sequence.map { plain($0) })
        case .scalar(let scalar):
            scalar.style == .plain
                ? (try? YAMLReader.scalar(scalar.string)) ?? .null : .string(scalar.string)
        case .alias: .null
        }
    }

    private func block(_ depth: Int, _ generator: inout Seeded) -> String {
        let indent = String(repeating: " ", count: depth * 2)
        let count = Int.random(in: 1...4, using: &generator)
        let isMapping = depth == 0 || Bool.random(using: &generator)
        return (0..<count).map { index in
            let comment = Int.random(in: 0..<8, using: &generator) == 0 ? "\(indent)# note: [\n" : ""
            let head = indent + (isMapping ? "k\(index):" : "-")
            switch Int.random(in: 0..<(depth < 4 ? 9 : 7), using: &generator) {
            case 0: return "\(comment)\(head) \(flow(0, &generator))\n"
            case 1:
                return
                    "\(comment)\(head) |\(["", "-", "+"].randomElement(using: &generator) ?? "")\n\(lines(indent, &generator))"
            case 2:
                return
                    "\(comment)\(head) >\(["", "-", "+"].randomElement(using: &generator) ?? "")\n\(lines(indent, &generator))"
            case 3: return "\(comment)\(head) word\n\(indent)   more words\n\n\(indent)  end # c\n"
            case 4: return "\(comment)\(head) \"q \\\" \\n\n\(indent)   folded\n\n\(indent)  x\"\n"
            case 5: return "\(comment)\(head)\n"
            case 6: return "\(comment)\(head) \(word(&generator))\n"
            default: return "\(comment)\(head)\n\(block(depth + 1, &generator))"
            }
        }.joined()
    }

    private func lines(_ indent: String, _ generator: inout Seeded) -> String {
        (0..<Int.random(in: 1...5, using: &generator)).map { index in
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where index > 0: "\n"
            case 1 where index > 0: "\(indent)     deeper: - x\n"
            default: "\(indent)  text # no comment\n"
            }
        }.joined()
    }

    private func flow(_ depth: Int, _ generator: inout Seeded) -> String {
        let count = Int.random(in: 0...3, using: &generator)
        switch Int.random(in: 0..<(depth < 3 ? 3 : 1), using: &generator) {
        case 1: return "[" + (0..<count).map { _ in flow(depth + 1, &generator) }.joined(separator: ", ") + "]"
        case 2: return "{" + (0..<count).map { "k\($0): \(flow(depth + 1, &generator))" }.joined(separator: ", ") + "}"
        default: return word(&generator)
        }
    }

    private func word(_ generator: inout Seeded) -> String {
        ["x", "1", "-2.5", "true", "'it''s, ok'", "\"a: b\"", "a b c", "http://x/y", "12:30", "é", "~", "-x", "a#b"]
            .randomElement(using: &generator) ?? "x"
    }
}
