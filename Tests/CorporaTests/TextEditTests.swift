import Core
import Curation
import Testing

@testable import Corpora

/// How a text that operators changed is kept and written.
@Suite struct TextEditTests {
    private static func applied(_ edits: TextEdits, _ text: [UInt8]) -> [UInt8] {
        var text = text
        for layer in edits.layers {
            var out: [UInt8] = []
            TextEdits.apply(layer, to: text.span, into: &out)
            text = out
        }
        return text
    }

    private static func edits(of text: [UInt8], _ chance: inout Chance) -> TextEdits {
        var edits = TextEdits()
        var count = text.count
        for _ in 0..<Int.random(in: 0...3, using: &chance) {
            var layer: [TextEdits.Replacement] = []
            var at = 0
            var after = count
            while at < count, layer.count < 20 {
                let lower = Int.random(in: at...count, using: &chance)
                let upper = Int.random(in: lower...min(count, lower + 300), using: &chance)
                let bytes = (0..<Int.random(in: 0...200, using: &chance)).map { _ in
                    UInt8.random(in: 0...255, using: &chance)
                }
                layer.append(.init(range: lower..<upper, bytes: bytes))
                after += bytes.count - (upper - lower)
                at = upper + 1
            }
            edits.layers.append(layer)
            count = after
        }
        return edits
    }

    @Test("edits go to bytes and come back as they were, any number of them in a row")
    func roundTrip() {
        var chance = Chance.ofTest("edits go to bytes")
        for _ in 0..<60 {
            var bytes: [UInt8] = []
            var written: [(Int, TextEdits)] = []
            for index in 0..<Int.random(in: 1...8, using: &chance) {
                let edits = Self.edits(
                    of: .init(repeating: 65, count: Int.random(in: 0...900, using: &chance)),
                    &chance
                )
                edits.write(index: index * 1000, to: &bytes)
                written.append((index * 1000, edits))
            }
            var offset = 0
            for (index, edits) in written {
                let read = TextEdits.read(bytes, at: &offset)
                #expect(read?.index == index && read?.edits == edits)
            }
            #expect(offset == bytes.count && TextEdits.read(bytes, at: &offset) == nil)
            // Cut short, it ends and does not trap.
            var cut = 0
            let part = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &chance)))
            while TextEdits.read(part, at: &cut) != nil {}
            #expect(cut <= part.count)
        }
    }

    @Test("losses make the shorter text of the longer one, and are there for every text that only lost bytes")
    func losses() {
        var chance = Chance.ofTest("losses make the shorter text")
        for _ in 0..<300 {
            let letters = UInt8(Int.random(in: 1...4, using: &chance))
            let text = (0..<Int.random(in: 0...120, using: &chance)).map { _ in
                UInt8.random(in: 0..<letters, using: &chance)
            }
            let kept = text.filter { _ in Bool.random(using: &chance) }
            let losses = TextEdits.losses(from: text.span, to: kept.span)
            #expect(losses.map { Self.applied(TextEdits(layers: [$0]), text) } == kept)
            let other = (0..<Int.random(in: 0...20, using: &chance)).map { _ in UInt8.random(in: 0..<5, using: &chance)
            }
            if let losses = TextEdits.losses(from: text.span, to: other.span) {
                #expect(Self.applied(TextEdits(layers: [losses]), text) == other)
            }
        }
        let (text, other): ([UInt8], [UInt8]) = ([1, 2, 3], [3, 2])
        #expect(TextEdits.losses(from: text.span, to: other.span) == nil)
    }

    @Test("a masked record keeps everything but its text, byte for byte")
    func masking() async throws {
        let shop = try Workshop()
        let before = #"  { "n" : 1.50e+1,"big":12345678901234567890, "é\u00e9":[ 1 ,{"a":"anna@example.org"}],"text": "#
        let after = #" ,"after":null, "url":"https://x.example/?a=1" }  "#
        try shop.write(
            "in/a.jsonl",
            before + #""Tab\tand \"quotes\": write to ben@example.org, or caf\u00e9@ \ud83d\ude00.""# + after + "\n"
                + before + #""nothing in \u0068ere""# + after
        )
        let record = try await shop.run(try shop.plain("in/*", "personal: {action: mask}"))
        let lines = try shop.lines()
        #expect(lines[0].hasPrefix(before) && lines[0].hasSuffix(after))
        let text = try JSON(parsing: Array(lines[0].utf8))["text"]?.stringValue
        #expect(text == "Tab\tand \"quotes\": write to [EMAIL], or café@ 😀.")
        #expect(lines[1] == before + #""nothing in \u0068ere""# + after, "what has no edit is as it came")
        #expect(record.summary.edited == 1 && record.summary.personal == ["email": 1])
        #expect(record.written.bytes == (text?.utf8.count ?? 0) + "nothing in here".utf8.count)
    }

    @Test("the lines that C4 takes out and what is masked in the rest go together")
    func linesAndMasks() async throws {
        let shop = try Workshop()
        let sentence = "This is a long sentence about nothing at all."
        let text =
            "\(sentence)\nMenu\n\(sentence) \(sentence)\nThey wrote to anna@example.org about it yesterday evening.\nHome\n\(sentence)"
        try shop.write("in/a.jsonl", Made.record("a", text, ",\"n\":[1,2]"))
        try await shop.run(try shop.plain("in/*", "rules: {sets: [c4]}\npersonal: {action: mask}"))
        let line = try #require(try shop.lines().first)
        let written = try JSON(parsing: Array(line.utf8))["text"]?.stringValue
        #expect(
            written
                == "\(sentence)\n\(sentence) \(sentence)\nThey wrote to [EMAIL] about it yesterday evening.\n\(sentence)"
        )
        #expect(line.hasSuffix(",\"n\":[1,2]}"))
    }

    @Test("a text of which rules leave nothing is not written as it was")
    func nothingLeft() async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.record("a", "Menu\nHome\nLogin") + "\n" + Made.record("b", "Menu"))
        let rules = "rules: {sets: [c4], thresholds: {c4/too_few_sentences: 0}}"
        let record = try await shop.run(try shop.plain("in/*", rules))
        #expect(try shop.lines().filter { $0.contains("Menu") }.isEmpty, "\(record.summary)")
    }

    @Test("for any corpus, what is written is what judging said it would be")
    func sizes() async throws {
        var chance = Chance.ofTest("what judging said")
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.corpus("a", 80, &chance).joined(separator: "\n"))
        let record = try await shop.run(try shop.plain("in/*", "rules: {sets: [c4]}\npersonal: {action: mask}"))
        let bytes = try shop.lines().reduce(0) {
            $0 + (try JSON(parsing: Array($1.utf8))["text"]?.stringValue?.utf8.count ?? 0)
        }
        #expect(bytes == record.summary.kept.bytes && bytes == record.written.bytes)
    }
}
