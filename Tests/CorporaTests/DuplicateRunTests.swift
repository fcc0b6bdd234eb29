import Core
import Curation
import Testing

@testable import Corpora

/// Duplicates over files and sources, as a whole run finds them.
@Suite struct DuplicateRunTests {
    private static func yaml(_ duplicates: String, reference: Bool = false) -> String {
        """
        name: duplicates
        sources:
          - {name: late, files: [late/*]}
          - {name: early, files: [early/*], reference: \(reference)}
        duplicates: \(duplicates)
        output: {folder: out, format: jsonl}

        """
    }

    /// Two sources with one text in common, one nearly so, and one of their own each; the first also repeats itself.
    private static func filled() throws -> Workshop {
        var chance = Chance(seed: 21)
        let shop = try Workshop()
        let shared = Made.english(80, &chance)
        let near = Made.english(100, &chance)
        let own = (0..<3).map { _ in Made.english(80, &chance) }
        try shop.write(
            "late/a.jsonl",
            [
                Made.record("late-shared", shared), Made.record("late-near", near), Made.record("late-own", own[0]),
                Made.record("late-own-again", own[0]), Made.record("late-short", "ok"),
            ].joined(separator: "\n")
        )
        try shop.write("late/b.jsonl", Made.record("late-b", own[2]))
        try shop.write("late/c.jsonl", Made.record("late-c", own[2]))
        try shop.write(
            "early/a.jsonl",
            [
                Made.record("early-near", near + " One more sentence."), Made.record("early-shared", shared),
                Made.record("early-own", own[1]), Made.record("early-wordless", "。。。"), Made.record("early-w2", "！"),
            ].joined(separator: "\n")
        )
        return shop
    }

    @Test("of equal and nearly equal texts the first stays, over lines, files and sources")
    func first() async throws {
        let shop = try Self.filled()
        let record = try await shop.run(try shop.pipeline(Self.yaml("{exact: true, near: {jaccard_min: 0.8}}")))
        #expect(
            try shop.ids() == [
                "late-shared", "late-near", "late-own", "late-short", "late-b", "early-own", "early-wordless",
                "early-w2",
            ]
        )
        #expect(record.duplicates["exact"]?.count == 3 && record.duplicates["near"]?.count == 1)
        #expect(record.summary.kept.count == record.written.count + 4)
    }

    @Test("exact duplicates alone leave what is nearly equal")
    func exact() async throws {
        let shop = try Self.filled()
        let record = try await shop.run(try shop.pipeline(Self.yaml("{exact: true}")))
        #expect(try shop.ids().contains("early-near") && record.duplicates["exact"]?.count == 3)
        #expect(record.duplicates["near"] == nil)
    }

    @Test("a source that is only compared with comes first wherever it stands, and is never written")
    func reference() async throws {
        let shop = try Self.filled()
        let record = try await shop.run(
            try shop.pipeline(Self.yaml("{exact: true, near: {jaccard_min: 0.8}}", reference: true))
        )
        #expect(try shop.ids() == ["late-own", "late-short", "late-b"])
        #expect(record.summary.documents.count == 7, "only what is ours is counted")
        #expect(record.duplicates["exact"]?.count == 3 && record.duplicates["near"]?.count == 1)
    }

    @Test("without duplicates nothing is looked for", arguments: ["{exact: false}", "{exact: false, lines: {}}"])
    func none(_ duplicates: String) async throws {
        let shop = try Self.filled()
        let record = try await shop.run(try shop.pipeline(Self.yaml(duplicates)))
        #expect(try shop.ids().count == 12 && record.duplicates.isEmpty)
    }

    @Test("a line of many documents stays in the first of them; what has no other line goes")
    func lines() async throws {
        let shop = try Workshop()
        let footer = "All rights are reserved by the company."
        let short = "Share"
        for index in 0..<4 {
            let text = "The text number \(index) is its own.\n\(footer)\n\(short)"
            try shop.write("in/\(index).jsonl", Made.record("\(index)", text, ",\"n\":\(index)"))
        }
        try shop.write("in/5.jsonl", Made.record("only", footer))
        let record = try await shop.run(try shop.plain("in/*", "duplicates: {lines: {count_min: 3, bytes_min: 30}}"))
        let texts = try shop.lines().map { try JSON(parsing: Array($0.utf8))["text"]?.stringValue ?? "" }
        #expect(texts.count == 4 && texts[0].contains(footer))
        for (index, text) in texts.enumerated() {
            #expect(text.hasPrefix("The text number \(index) is its own.\n") && text.hasSuffix(short))
            #expect(index == 0 || !text.contains(footer))
        }
        #expect(record.repeats["lines"]?.count == 4 && record.written.count == 4)
        #expect(record.written.bytes == texts.reduce(0) { $0 + $1.utf8.count })
        #expect(record.parts.reduce(0) { $0 + $1.textBytes } == record.written.bytes)
    }

    @Test("short texts are never taken for each other")
    func short() async throws {
        let shop = try Workshop()
        let lines = (0..<300).map { Made.record("\($0)", ["好\($0)", "ok \($0)", "\($0)", "的\($0)的"][$0 % 4]) }
        try shop.write("in/a.jsonl", lines.joined(separator: "\n"))
        try await shop.run(try shop.plain("in/*", "duplicates: {exact: true, near: {jaccard_min: 0.8}}"))
        #expect(try shop.lines() == lines)
    }

    @Test("what is written and what is dropped are all documents that came, for any corpus")
    func funnel() async throws {
        var chance = Chance.ofTest("all documents that came")
        let shop = try SameBytesTests.filled(&chance, records: 70)
        let record = try await shop.run(try shop.pipeline(SameBytesTests.everything))
        let summary = record.summary
        #expect(summary.records == 140 && summary.documents.count + summary.setAside.values.reduce(0, +) == 140)
        #expect(summary.kept.count + summary.dropped.values.reduce(0) { $0 + $1.count } == summary.documents.count)
        #expect(summary.fates.values.reduce(0) { $0 + $1.count } == summary.documents.count)
        #expect(summary.languages.values.reduce(0) { $0 + $1.count } == summary.documents.count)
        let lines = try shop.lines()
        let ids = Set(try shop.ids())
        #expect(lines.count == record.written.count && ids.count == lines.count)
        let bytes = try lines.reduce(0) {
            $0 + (try JSON(parsing: Array($1.utf8))["text"]?.stringValue?.utf8.count ?? 0)
        }
        #expect(bytes == record.written.bytes)
    }
}
