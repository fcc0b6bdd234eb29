import Core
import Curation
import Testing

@testable import Corpora

/// How files of JSON Lines are cut into blocks, and what becomes of lines that are no documents.
@Suite struct LineBlockTests {
    private static func blocks(
        _ shop: Workshop,
        _ name: String,
        _ bytes: [UInt8],
        _ limits: BlockLimits
    ) throws -> (blocks: [[UInt8]], setAside: [String: Int]) {
        try shop.write(name, bytes)
        let path = shop.path(name)
        let format = try #require(PipelineFile.Format(path: path, as: nil))
        var reader = try LineBlocks(.init(path: path, format: format, bytes: bytes.count), limits: limits)
        var blocks: [[UInt8]] = []
        var setAside: [String: Int] = [:]
        while let block = try reader.next() {
            blocks.append(block)
            setAside.merge(reader.setAside, uniquingKeysWith: +)
        }
        return (blocks, setAside)
    }

    @Test("where a file is cut depends on its bytes alone, not on how they come; nothing is lost and no line is cut")
    func cuts() throws {
        var chance = Chance.ofTest("where a file is cut")
        let shop = try Workshop()
        for round in 0..<60 {
            let limits = BlockLimits(Int.random(in: 1...200, using: &chance), record: 400)
            var bytes: [UInt8] = []
            var kept: [UInt8] = []
            var tooLarge = 0
            for _ in 0..<Int.random(in: 0...60, using: &chance) {
                let count = Bool.random(using: &chance) ? Int.random(in: 0...450, using: &chance) : 20
                let line = (0..<count).map { _ in UInt8.random(in: 97...122, using: &chance) } + [0x0A]
                bytes += line
                if line.count <= max(limits.blockBytes, limits.recordBytesMax) { kept += line } else { tooLarge += 1 }
            }
            if Bool.random(using: &chance), bytes.last == 0x0A, kept.last == 0x0A, bytes.count > 1, kept.count > 1,
                bytes.suffix(2) == kept.suffix(2)
            {
                bytes.removeLast()
                kept.removeLast()
            }
            // Members of a few bytes each come in as many pieces.
            var pieces: [UInt8] = []
            var at = 0
            while at < bytes.count {
                let end = min(bytes.count, at + Int.random(in: 1...300, using: &chance))
                pieces += Gzip.compress(bytes[at..<end].span)
                at = end
            }
            let plain = try Self.blocks(shop, "\(round).jsonl", bytes, limits)
            let packed = try Self.blocks(shop, "\(round).jsonl.gz", pieces, limits)
            #expect(plain.blocks == packed.blocks || bytes.isEmpty, "round \(round)")
            #expect(plain.setAside["too-large", default: 0] == tooLarge, "round \(round)")
            #expect(Array(plain.blocks.joined()) == kept, "round \(round)")
            #expect(plain.blocks.dropLast().allSatisfy { $0.isEmpty || $0.last == 0x0A }, "round \(round)")
        }
    }

    @Test("a line above the limit is set aside and counted, wherever it stands; its neighbours are written")
    func tooLarge() async throws {
        let small = (0..<3).map { Made.record("small-\($0)", "text \($0)") }
        let large = Made.record("large", String(repeating: "x", count: 5000))
        for place in 0...3 {
            let shop = try Workshop()
            var lines = small
            lines.insert(large, at: place)
            for (name, end) in [("a", "\n"), ("b", "")] {
                try shop.write("in/\(name).jsonl", lines.joined(separator: "\n") + end)
            }
            let record = try await shop.run(try shop.plain(), limits: BlockLimits(512, record: 2048))
            #expect(record.summary.setAside == ["too-large": 2], "at \(place)")
            #expect(try shop.lines() == small + small, "at \(place)")
        }
    }

    @Test("a line longer than a block, but within the limit, is a block of its own")
    func longLine() async throws {
        let shop = try Workshop()
        let lines = [
            Made.record("a", "one"), Made.record("b", String(repeating: "long ", count: 4000)), Made.record("c", "two"),
        ]
        try shop.write("in/a.jsonl", lines.joined(separator: "\n"))
        let record = try await shop.run(try shop.plain())
        #expect(record.blocks == 3 && record.summary.setAside.isEmpty)
        #expect(try shop.lines() == lines)
    }

    /// Bytes that JSON's own text cannot be written with here.
    private static let invalidUTF8: [UInt8] = Array("{\"id\":\"bad\",\"text\":\"a".utf8) + [0xFF] + Array("b\"}".utf8)

    @Test("every kind of line ends as a document or is set aside by its reason; nothing else is lost")
    func kinds() async throws {
        let good = [
            Made.record("plain", "text"),
            "{\"id\":\"separator\",\"text\":\"before\u{2028}after\"}",
            "{\"id\":\"surrogate\",\"text\":\"lone \\ud800 one\"}",
            "{\"id\":\"first\",\"text\":\"of repeated keys the last counts\",\"id\":\"twice\"}",
            "{\"id\":\"quoted\",\"note\":\"a \\\"text\\\": in it\",\"text\":\"real\"}",
            "{\"id\":7,\"text\":\"a number as id\"}",
            "{\"id\":{\"a\":1},\"text\":\"an object as id\"}",
            "{\"meta\":{\"text\":\"inner\",\"deep\":[{\"text\":1}]},\"text\":\"outer\"}",
            "  {\"id\":\"blanks\" , \"text\" : \"x\"}  ",
            "{\"text\":\"\\u0041\\n\\u00e9\\ud83d\\ude00\"}",
        ]
        let bad: [(String, [UInt8])] = [
            ("not-an-object", Array("[1,2]".utf8)), ("not-an-object", Array("\"text\"".utf8)),
            ("not-an-object", Array("null".utf8)), ("syntax", Array("{\"text\":\"a\"".utf8)),
            ("syntax", Array("{\"text\":\"a\"} {}".utf8)), ("syntax", Array("{'text':'a'}".utf8)),
            ("invalid-utf8", Self.invalidUTF8), ("no-text", Array("{\"id\":\"x\"}".utf8)),
            ("no-text", Array("{\"text\":5}".utf8)), ("no-text", Array("{\"text\":null}".utf8)),
            ("repeated-text", Array("{\"id\":\"twice\",\"text\":\"first\",\"text\":\"second\"}".utf8)),
            ("no-text", Array("{\"meta\":{\"text\":\"inner\"}}".utf8)), ("empty-text", Array("{\"text\":\"\"}".utf8)),
            (
                "too-deep",
                Array(
                    "{\"text\":\"a\",\"b\":\(String(repeating: "[", count: 99))\(String(repeating: "]", count: 99))}"
                        .utf8
                )
            ),
        ]
        var expected: [String: Int] = [:]
        for (reason, _) in bad { expected[reason, default: 0] += 1 }
        for (ending, isLastEnded) in [("\n", true), ("\n", false), ("\r\n", true), ("\n\n", true), ("\r\n\r\n", true)] {
            let shop = try Workshop()
            var bytes: [UInt8] = []
            for index in 0..<max(good.count, bad.count) {
                if index < bad.count { bytes += bad[index].1 + Array(ending.utf8) }
                if index < good.count { bytes += Array(good[index].utf8) + Array(ending.utf8) }
            }
            if !isLastEnded { bytes.removeLast(ending.utf8.count) }
            try shop.write("in/a.jsonl", bytes)
            let record = try await shop.run(try shop.plain())
            #expect(record.summary.setAside == expected, "\(ending.debugDescription)")
            #expect(record.summary.documents.count == good.count && record.written.count == good.count)
            #expect(record.summary.records == good.count + bad.count, "\(ending.debugDescription)")
            // As they came, byte for byte, but for how lines end.
            let lines = try shop.read("out/data/part-000000.jsonl").split(separator: 0x0A).map {
                String(decoding: $0.last == 0x0D ? $0.dropLast() : $0, as: UTF8.self)
            }
            #expect(lines == good, "\(ending.debugDescription)")
        }
    }

    @Test("a record whose text stands twice is set aside: the first would be written unmasked")
    func repeatedText() async throws {
        let shop = try Workshop()
        try shop.write(
            "in/a.jsonl",
            #"{"text":"anna@example.org","n":1,"text":"write to ben@example.org now","text2":"carl@example.org"}"#
        )
        let record = try await shop.run(try shop.plain("in/*", "personal: {action: mask}"))
        #expect(record.summary.setAside == ["repeated-text": 1])
        #expect(try shop.lines().isEmpty)
    }

    @Test("what is before a damage is kept, and the damage is counted", arguments: ["gz", "zst"])
    func damage(_ ending: String) async throws {
        var chance = Chance(seed: 5)
        let lines = Made.corpus("a", 200, &chance)
        // Two members: Zstandard gives nothing of a block that is cut short.
        var packed: [UInt8] = []
        for half in [lines[..<100], lines[100...]] {
            let bytes = Array((half.joined(separator: "\n") + "\n").utf8)
            packed += ending == "gz" ? Gzip.compress(bytes.span) : Zstd.compress(bytes.span)
        }
        for part in [0.0, 0.001, 0.3, 0.6, 0.999] {
            let shop = try Workshop()
            try shop.write("in/a.jsonl.\(ending)", Array(packed[..<Int(Double(packed.count) * part)]))
            try shop.write("in/b.jsonl", Made.record("b", "a whole file"))
            let record = try await shop.run(try shop.plain())
            if part > 0 {
                #expect(record.summary.setAside["truncated-file"] == 1, "\(part): \(record.summary.setAside)")
            }
            let written = try shop.lines()
            #expect(written.last == Made.record("b", "a whole file"))
            #expect(Array(lines.prefix(written.count - 1)) == written.dropLast(), "\(part)")
            if part > 0.9 {
                #expect(
                    written.count > 100 || ending == "zst" && written.count == 101,
                    "\(part) of the file gave \(written.count)"
                )
            }
        }
        var damaged = packed
        for index in 0..<40 { damaged[damaged.count / 2 + index] ^= 0x5A }
        let shop = try Workshop()
        try shop.write("in/a.jsonl.\(ending)", damaged)
        try shop.write("in/b.jsonl", Made.record("b", "a whole file"))
        let record = try await shop.run(try shop.plain())
        let reasons = Set(record.summary.setAside.keys)
        #expect(!reasons.isDisjoint(with: ["damaged-file", "wrong-checksum", "truncated-file", "garbage-in-file"]))
        #expect(try shop.lines().last == Made.record("b", "a whole file"))
    }

    @Test("a reason is counted once for each file that has it, though the records before it are the same")
    func equalRecordsOtherReasons() async throws {
        var chance = Chance(seed: 6)
        let text = Array((Made.corpus("a", 8, &chance).joined(separator: "\n") + "\n").utf8)
        let packed = Gzip.compress(text.span)
        for workers in [1, 4] {
            let shop = try Workshop()
            try shop.write("in/a.jsonl", text)
            // All records are there; only the trailer is not.
            try shop.write("in/b.jsonl.gz", Array(packed.dropLast(4)))
            try shop.write("in/c.jsonl.gz", packed)
            try shop.write("in/d.jsonl.gz", Array(packed.dropLast(4)))
            let limits = BlockLimits(1 << 16, record: 1 << 16)
            let record = try await shop.run(try shop.plain(), workers: workers, limits: limits)
            #expect(record.written.count == 32)
            #expect(record.summary.setAside == ["truncated-file": 2])
            let again = try await shop.run(try shop.plain(), workers: workers, limits: limits)
            #expect(again.summary == record.summary && again.blocksReused == 4)
        }
    }

    @Test("no bytes whatever end in a crash")
    func noise() async throws {
        var chance = Chance.ofTest("no bytes whatever")
        for ending in ["jsonl", "jsonl.gz", "jsonl.zst", "warc", "warc.gz", "parquet", "txt", "html"] {
            let shop = try Workshop()
            for index in 0..<6 {
                let count = [0, 1, 2, 100, 5000][Int.random(in: 0..<5, using: &chance)]
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
                try shop.write("in/\(index).\(ending)", bytes)
            }
            if let failure = await failure({ try await shop.run(try shop.plain()) }) {
                #expect(ending == "parquet" && failure.code == .invalid, "\(ending): \(failure.detail)")
            }
        }
    }
}
