import Core
import Curation
import Testing

@testable import Corpora

/// Lines, paragraphs and substrings that documents have of others before them.
@Suite struct RepeatTests {
    private static func texts(_ shop: Workshop) throws -> [String: String] {
        var texts: [String: String] = [:]
        for line in try shop.lines() {
            let record = try JSON(parsing: Array(line.utf8))
            texts[record["id"]?.stringValue ?? ""] = record["text"]?.stringValue
        }
        return texts
    }

    @Test("a paragraph that enough documents have stays in the first; its lines alone do not go")
    func paragraphs() async throws {
        let shop = try Workshop()
        let paragraph = "All rights are reserved by the company,\nwhich answers no letters but those of its owners."
        for index in 0..<4 {
            try shop.write(
                "in/\(index).jsonl",
                Made.record("\(index)", "Text \(index).\n\n\(paragraph)\n\nEnd \(index).")
            )
        }
        let half = paragraph.split(separator: "\n")[1]
        try shop.write(
            "in/5.jsonl",
            [Made.record("half", "\(half)"), Made.record("only", paragraph)].joined(separator: "\n")
        )
        let record = try await shop.run(
            try shop.plain("in/*", "duplicates: {exact: false, paragraphs: {bytes_min: 60}}")
        )
        let texts = try Self.texts(shop)
        #expect(texts["0"] == "Text 0.\n\n\(paragraph)\n\nEnd 0.")
        for index in 1..<4 { #expect(texts["\(index)"] == "Text \(index).\n\nEnd \(index).") }
        #expect(texts["half"] == String(half) && texts["only"] == nil)
        #expect(record.repeats["paragraphs"]?.count == 4 && record.repeats["lines"] == nil)
        #expect(record.written.bytes == texts.values.reduce(0) { $0 + $1.utf8.count })
    }

    /// A long stretch in documents of three sources, one of which is only compared with.
    private static func filled(reference: Bool) async throws -> (Workshop, PipelineRun, RunRecord, String) {
        var chance = Chance(seed: 33)
        let shop = try Workshop()
        let shared = Made.chinese(400, &chance)
        try shop.write(
            "ours/a.jsonl",
            [
                Made.record("first", Made.english(60, &chance) + shared + Made.english(60, &chance)),
                Made.record("short", String(shared.prefix(30))), Made.record("ok", "ok"),
            ].joined(separator: "\n")
        )
        try shop.write(
            "ours/b.jsonl",
            [
                Made.record("second", shared + Made.english(50, &chance)),
                Made.record("within", String(shared.dropFirst(90).prefix(200))),
            ].joined(separator: "\n")
        )
        try shop.write("theirs/a.jsonl", Made.record("theirs", Made.chinese(90, &chance) + shared))
        let file = try shop.pipeline(
            """
            name: substrings
            sources:
              - {name: ours, files: [ours/*]}
              - {name: theirs, files: [theirs/*], reference: \(reference)}
            duplicates: {substrings: {bytes_min: 150}}
            output: {folder: out, format: jsonl}

            """
        )
        let run = try PipelineRun(file, workers: 2, limits: .small, runtime: SystemRuntime()) { .init(milliseconds: 0) }
        let record = try await run.run { _ in }
        return (shop, run, record, shared)
    }

    @Test("a long stretch stays where it stands first; short documents stay whole")
    func substrings() async throws {
        let (shop, run, record, shared) = try await Self.filled(reference: false)
        let texts = try Self.texts(shop)
        #expect(texts["first"]?.contains(shared) == true)
        #expect(texts["short"] == String(shared.prefix(30)) && texts["ok"] == "ok")
        for id in ["second", "theirs"] {
            let text = try #require(texts[id])
            #expect(!text.contains(shared.dropFirst(40).prefix(300)), "\(id)")
        }
        #expect(record.repeats["substrings"]?.count == 3)
        #expect(record.written.bytes == texts.values.reduce(0) { $0 + $1.utf8.count })
        let second = try run.explain("second")
        #expect(second.dropped == nil && (second.repeats["substrings"] ?? 0) > 1000 && second.part != nil)
        // The file on the disk is used again, and found again when it is gone or another.
        let expected = try shop.outputs()
        let name = try #require(shop.files(below: "out/work/merge").first { $0.hasSuffix("stretches.bin") })
        for bytes in [nil, [UInt8](repeating: 7, count: 96)] {
            if let bytes {
                try shop.write("out/work/merge/" + name, bytes)
            } else {
                try shop.remove("out/work/merge/" + name)
            }
            try shop.remove("out/data")
            _ = try await run.run { _ in }
            #expect(try shop.outputs() == expected)
        }
    }

    @Test("a stretch that only the compared one has before goes from all of ours")
    func reference() async throws {
        let (shop, run, record, shared) = try await Self.filled(reference: true)
        let texts = try Self.texts(shop)
        #expect(texts["theirs"] == nil && texts["short"] != nil && texts["ok"] == "ok")
        for id in ["first", "second"] { #expect(try #require(texts[id]).utf8.count < shared.utf8.count, "\(id)") }
        #expect(record.repeats["substrings"]?.count == 3)
        let blocks = try PipelineRun.judgedBlocks(run.file)
        #expect(blocks.contains { run.file.sources[$0.source].isReference })
    }

    @Test(
        "lines and paragraphs of what is only compared with count, and go from ours",
        arguments: ["lines", "paragraphs"]
    )
    func referenceLines(_ kind: String) async throws {
        let shop = try Workshop()
        let footer = "All rights are reserved by the harbour company of this village."
        try shop.write("ours/a.jsonl", Made.record("a", "Our own text.\n\n\(footer)"))
        try shop.write(
            "theirs/a.jsonl",
            [Made.record("b", "x\n\n\(footer)"), Made.record("c", footer)].joined(separator: "\n")
        )
        let record = try await shop.run(
            try shop.pipeline(
                """
                name: reference
                sources: [{name: ours, files: [ours/*]}, {name: theirs, files: [theirs/*], reference: true}]
                duplicates: {\(kind): {count_min: 3, bytes_min: 30}}
                output: {folder: out, format: jsonl}

                """
            )
        )
        #expect(try Self.texts(shop) == ["a": "Our own text."] || Self.texts(shop) == ["a": "Our own text.\n"])
        #expect(record.repeats[kind]?.count == 1)
    }
}
