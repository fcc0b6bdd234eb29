import Core
import Curation
import Testing

@testable import Corpora

/// The same sources and the same pipeline are the same bytes, whatever was there before and however it is worked on.
@Suite struct SameBytesTests {
    static let everything = """
        name: everything
        sources:
          - {name: first, files: [in/first.jsonl]}
          - {name: second, files: [in/second.jsonl]}
        languages: {keep: [zh, en], probability_min: 0.2}
        rules: {sets: [gopher-repetition], thresholds: {}}
        personal: {action: mask}
        duplicates:
          exact: true
          near: {jaccard_min: 0.7}
          lines: {count_min: 3, bytes_min: 30}
          paragraphs: {count_min: 2, bytes_min: 200}
          substrings: {bytes_min: 120}
        output: {folder: out, format: jsonl}

        """

    static func filled(_ chance: inout Chance, records: Int = 60) throws -> Workshop {
        let shop = try Workshop()
        for name in ["first", "second"] {
            try shop.write("in/\(name).jsonl", Made.corpus(name, records, &chance).joined(separator: "\n") + "\n")
        }
        return shop
    }

    @Test("any number of workers writes the same files, and says the same of them")
    func workers() async throws {
        var chance = Chance.ofTest("any number of workers")
        let shop = try Self.filled(&chance)
        let first = try await shop.run(try shop.pipeline(Self.everything), workers: 1)
        #expect(first.blocks > 8 && first.written.count > 20)
        #expect(first.duplicates["exact"] != nil && first.duplicates["near"] != nil && first.repeats["lines"] != nil)
        let expected = try shop.outputs()
        for workers in [2, 7] {
            try shop.remove("out")
            let record = try await shop.run(try shop.pipeline(Self.everything), workers: workers)
            #expect(try shop.outputs() == expected)
            var same = record
            same.bytesDone = first.bytesDone
            #expect(same == first)
        }
    }

    @Test("what is there of an earlier run changes nothing, whatever part of it was deleted")
    func deletions() async throws {
        var chance = Chance.ofTest("whatever part was deleted")
        let shop = try Self.filled(&chance, records: 30)
        let file = try shop.pipeline(Self.everything)
        let first = try await shop.run(file)
        let expected = try shop.outputs()
        let again = try await shop.run(file)
        #expect(again.blocksReused == again.blocks)
        #expect(try shop.outputs() == expected)
        for folder in ["work/blocks", "work/merge", "work/parts", "data", "work"] {
            try shop.remove("out/" + folder)
            let record = try await shop.run(file)
            #expect(try shop.outputs() == expected, "without \(folder)")
            #expect(record.parts == first.parts, "without \(folder)")
        }
        // Single files: the run heals it, or says what to remove; and that helps.
        for _ in 0..<8 {
            let names = shop.files(below: "out/work").filter { $0 != "lock" }
            let name = try #require(names.randomElement(using: &chance))
            try shop.remove("out/work/" + name)
            for _ in 0..<8 {
                guard let failure = await failure({ try await shop.run(file) }) else { break }
                try Self.follow(failure, shop)
            }
            #expect(try shop.outputs() == expected, "without \(name)")
            #expect(try RunRecord.read(file.outputFolder).parts == first.parts, "without \(name)")
        }
    }

    /// Removes what a failure says to remove.
    static func follow(_ failure: Failure, _ shop: Workshop) throws {
        let words = failure.detail.split(separator: " ").map(String.init)
        #expect(
            failure.detail.contains("Remove") && failure.detail.contains("run the pipeline again"),
            "\(failure.detail)"
        )
        let path = try #require(words.first { $0.hasPrefix(shop.folder) })
        try shop.remove(String(path.dropFirst(shop.folder.count + 1)))
    }

    @Test("a damaged file among what was kept never ends in other bytes or a crash")
    func damage() async throws {
        var chance = Chance.ofTest("a damaged file")
        let shop = try Self.filled(&chance, records: 30)
        let file = try shop.pipeline(Self.everything)
        try await shop.run(file)
        let expected = try shop.outputs()
        let names = shop.files(below: "out/work").filter { $0 != "lock" }
        for name in names.shuffled(using: &chance).prefix(14) {
            var bytes = try shop.read("out/work/" + name)
            if Bool.random(using: &chance), let index = bytes.indices.randomElement(using: &chance) {
                bytes[index] ^= 0x41
            } else {
                bytes.removeLast(bytes.count / 2)
            }
            try shop.write("out/work/" + name, bytes)
            // A file that was not needed until now may show its damage, too.
            for _ in 0..<30 {
                guard let failure = await failure({ try await shop.run(file) }) else { break }
                try Self.follow(failure, shop)
            }
            #expect(try shop.outputs() == expected, "with a damaged \(name)")
        }
    }

    @Test("equal blocks are judged side by side without getting into each other's way")
    func equalBlocks() async throws {
        var chance = Chance(seed: 7)
        let shop = try Workshop()
        let text = Made.corpus("a", 12, &chance).joined(separator: "\n") + "\n"
        for copy in 0..<24 { try shop.write("in/\(copy).jsonl", text) }
        for _ in 0..<4 {
            let record = try await shop.run(try shop.plain(), workers: 8, limits: BlockLimits(1 << 20, record: 1 << 20))
            #expect(record.blocks == 24 && record.written.count == 24 * 12)
            try shop.remove("out")
        }
    }

    @Test("records give the same documents from plain, gzip, Zstandard and Parquet files")
    func packings() async throws {
        var chance = Chance(seed: 11)
        let lines = Made.corpus("a", 60, &chance)
        let plain = Array((lines.joined(separator: "\n") + "\n").utf8)
        let (head, rest) = (Array(plain[..<1000]), Array(plain[1000...]))
        let gzip = Gzip.compress(head.span) + Gzip.compress(rest.span)
        let zstd = Zstd.compress(plain.span)
        var table: [UInt8] = []
        var writer = ParquetWriter(columns: [.init("id", .string), .init("text", .string)])
        for line in lines {
            let record = try JSON(parsing: Array(line.utf8))
            try writer.append([record["id"] ?? .null, record["text"] ?? .null], to: &table)
        }
        writer.finish(&table)
        let files = [
            "a.jsonl": plain, "a.jsonl.gz": gzip, "a.jsonl.zst": zstd, "a.parquet": table,
        ]
        var seen: [String: [[String]]] = [:]
        for (name, bytes) in files {
            let shop = try Workshop()
            try shop.write("in/" + name, bytes)
            try await shop.run(
                try shop.plain("in/*", "personal: {action: mask}\nduplicates: {near: {jaccard_min: 0.7}}")
            )
            seen[name] = try shop.lines().map { line in
                let record = try JSON(parsing: Array(line.utf8))
                return [record["id"]?.stringValue ?? "", record["text"]?.stringValue ?? ""]
            }
        }
        let expected = try #require(seen["a.jsonl"])
        #expect(expected.count > 20)
        for name in files.keys { #expect(seen[name] == expected, "\(name)") }
    }

    @Test("all output formats hold the same documents")
    func formats() async throws {
        var chance = Chance(seed: 12)
        let shop = try Self.filled(&chance, records: 30)
        var texts: [[String]] = []
        for format in ["jsonl", "jsonl.zst", "parquet"] {
            let yaml = Self.everything.replacing("format: jsonl", with: "format: \(format)")
            let record = try await shop.run(try shop.pipeline(yaml))
            var found: [String] = []
            for part in record.parts {
                let bytes = try shop.read("out/" + part.path)
                let records =
                    switch format {
                    case "parquet": try ParquetPart.records(bytes)
                    case "jsonl": try bytes.split(separator: 0x0A).map { try JSON(parsing: Array($0)) }
                    default: try Packed.unpack(bytes, "").split(separator: 0x0A).map { try JSON(parsing: Array($0)) }
                    }
                found += records.map { "\($0["id"]?.stringValue ?? "") \($0["text"]?.stringValue ?? "")" }
            }
            texts.append(found)
            #expect(shop.files(below: "out/data").count == record.parts.count, "no parts of another format are left")
        }
        #expect(texts[0] == texts[1] && texts[0] == texts[2] && texts[0].count > 10)
    }

    @Test("a plan says what a run would do, and changes nothing that a run wrote")
    func plan() async throws {
        var chance = Chance(seed: 13)
        let shop = try Self.filled(&chance, records: 30)
        let file = try shop.pipeline(Self.everything)
        func plan() async throws -> PipelinePlan {
            let run = try PipelineRun(file, workers: 2, limits: .small, runtime: SystemRuntime()) {
                .init(milliseconds: 0)
            }
            return try await run.plan { _, _ in }
        }
        let before = try await plan()
        #expect(before.blocksCached == 0 && before.blocksToJudge > 4 && !shop.exists("out"))
        let record = try await shop.run(file)
        #expect(record.blocks == before.blocksToJudge)
        // The first source grows at its end: only its last block is another.
        let more = Made.record("more", "a new text") + "\n"
        try shop.write("in/first.jsonl", try shop.read("in/first.jsonl") + Array(more.utf8))
        let after = try await plan()
        #expect(after.blocksToJudge == 1 && after.blocksCached == record.blocks - 1)
        #expect(try RunRecord.read(file.outputFolder) == record)
    }
}
