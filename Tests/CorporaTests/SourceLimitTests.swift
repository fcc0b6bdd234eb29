import Core
import Curation
import Testing

@testable import Corpora

/// What a source may not be, and how large its records.
@Suite struct SourceLimitTests {
    private static func pipeline(_ shop: Workshop, _ files: String, _ output: String) throws -> PipelineFile {
        try shop.pipeline(
            "name: a\nsources: [{name: a, files: [\"\(files)\"]}]\noutput: {folder: \"\(output)\", format: jsonl}\n"
        )
    }

    @Test(
        "a run does not read what it writes: its folder may not be among its sources",
        arguments: [
            ("in", "in/out"), ("in/*", "in/out"), ("in", "./in/../in/out"), ("in", "in"), ("in/out/data/*", "in/out"),
        ]
    )
    func outputAmongSources(_ files: String, _ output: String) async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.record("a", "text"))
        try shop.write("in/out/data/part-000000.jsonl", Made.record("b", "text"))
        let failure = await failure { _ = try Self.pipeline(shop, files, output) }
        #expect(failure?.code == .invalid && failure?.violations.first?.pointer.hasPrefix("/sources/0/files") == true)
        #expect(failure?.violations.first?.message.contains("output") == true)
    }

    @Test(
        "before its first run, too; beside its sources and above them it may be",
        arguments: ["out", "in/../in2", "."]
    )
    func outputElsewhere(_ output: String) async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.record("a", "text"))
        #expect(await failure { _ = try Self.pipeline(shop, "in", "in/new/out") }?.code == .invalid)
        if output == "." {
            // The sources would be in the output's folder.
            #expect(await failure { _ = try Self.pipeline(shop, "in", output) }?.code == .invalid)
        } else {
            _ = try Self.pipeline(shop, "in", output)
        }
    }

    @Test("a record above the limit is set aside within a block too, in JSON Lines and in Parquet")
    func recordsWithinBlocks() async throws {
        let long = String(repeating: "x", count: 3000)
        let records = [Made.record("a", "one"), Made.record("b", long), Made.record("c", "three")]
        var table: [UInt8] = []
        var writer = ParquetWriter(columns: [.init("id", .string), .init("text", .string)])
        for line in records {
            let record = try JSON(parsing: Array(line.utf8))
            try writer.append([record["id"] ?? .null, record["text"] ?? .null], to: &table)
        }
        writer.finish(&table)
        for (name, bytes) in [("a.jsonl", Array(records.joined(separator: "\n").utf8)), ("a.parquet", table)] {
            let shop = try Workshop()
            try shop.write("in/" + name, bytes)
            let record = try await shop.run(try shop.plain(), limits: BlockLimits(1 << 20, record: 2000))
            #expect(try shop.ids() == ["a", "c"] && record.summary.setAside == ["too-large": 1], "\(name)")
        }
    }
}
