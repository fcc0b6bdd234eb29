import Core
import Curation
import Testing

@testable import Corpora

/// What went wrong once.
@Suite struct MendedTests {
    @Test("a line does not go because of a document that goes itself")
    func linesOfDuplicates() async throws {
        var chance = Chance(seed: 5)
        let line = "This line stands in several documents of the collection."
        let text = Made.english(120, &chance)
        let records = [
            Made.record("z", text), Made.record("a", text + "\n" + line),
            Made.record("b", Made.english(60, &chance) + "\n" + line),
            Made.record("c", Made.english(60, &chance) + "\n" + line),
        ]
        let shop = try Workshop()
        try shop.write("in/a.jsonl", records.joined(separator: "\n"))
        let operators = "duplicates: {near: {}, lines: {count_min: 3}}"
        try await shop.run(try shop.plain("in/*", operators))
        #expect(try shop.ids() == ["z", "b", "c"])
        #expect(try shop.lines().filter { $0.contains(line) }.count == 2)
        try shop.write(
            "in/b.jsonl",
            Made.record("d", Made.english(60, &chance) + "\n" + line)
        )
        try await shop.run(try shop.plain("in/*", operators))
        #expect(try shop.lines().filter { $0.contains(line) }.count == 1)
    }

    @Test("whatever a record has beside its text, it becomes a row of Parquet")
    func parquetOfAnything() async throws {
        let records = [
            #"{"id":"a","text":"x y","title":"\ud800"}"#, #"{"id":"b","text":"x z","n":1e400}"#,
            #"{"id":"c","text":"y\ud800","a":1,"a":2}"#, #"{"id":4,"text":"z"}"#,
        ]
        let shop = try Workshop()
        try shop.write("in/a.jsonl", records.joined(separator: "\n"))
        let file = try shop.pipeline(
            """
            name: parquet
            sources: [{name: a, files: ["in/*"]}]
            output: {folder: out, format: parquet}

            """
        )
        let record = try await shop.run(file)
        #expect(record.written.count == 4 && record.parts.count == 1)
        let rows = try ParquetPart.records(shop.read("out/data/part-000000.parquet"))
        #expect(rows.map { $0["id"]?.stringValue } == ["a", "b", "c", "4"])
        #expect(rows.map { $0["text"]?.stringValue } == ["x y", "x z", "y\u{FFFD}", "z"])
        #expect(
            rows.map { $0["metadata"]?.stringValue } == [
                #"{"title":"\ud800"}"#, #"{"n":1e400}"#, #"{"a":1,"a":2}"#, nil,
            ]
        )
        let sample = try SampleFile.draw(file, purpose: "all", size: 10)
        #expect(sample.check.work.items.count == 4)
    }

    @Test("a file that is no table is counted, and the others are read")
    func noTable() async throws {
        let shop = try Workshop()
        try shop.write("in/a.parquet", "PAR1 this is none PAR1")
        try shop.write("in/b.jsonl", Made.record("b", "a text"))
        let record = try await shop.run(try shop.plain())
        #expect(record.summary.setAside == ["no-parquet": 1])
        #expect(try shop.ids() == ["b"])
    }

    @Test("an archive that is packed as a whole with Zstandard is refused before anything is read")
    func packedArchive() async throws {
        let shop = try Workshop()
        try shop.write("in/a.warc.zst", "anything")
        let refusal = await failure { _ = try shop.plain() }
        #expect(refusal?.violations.first?.pointer == "/sources/0/files/0")
    }
}
