import Core
import Curation
import Foundation
import Testing

@testable import Corpora

/// Parts of a run's blocks, judged apart, and a run that takes what they left.
@Suite struct PartTests {
    static let everything = """
        name: everything
        sources:
          - {name: lines, files: [in/lines]}
          - {name: packed, files: [in/packed]}
          - {name: pages, files: [in/pages]}
          - {name: before, files: [in/before], reference: true}
        languages: {keep: [zh, en], probability_min: 0.2}
        keywords: {packs: [words.txt], action: report}
        personal: {action: mask}
        duplicates: {exact: true, near: {jaccard_min: 0.7}, lines: {count_min: 3, bytes_min: 30}}
        output: {folder: out, format: jsonl}

        """

    /// Sources of every kind of cut: lines, packed lines, pages in files, what is only compared with, and nothing.
    static func filled(_ chance: inout Chance) throws -> Workshop {
        let shop = try Workshop()
        for index in 0..<Int.random(in: 1...4, using: &chance) {
            let lines = Made.corpus("a\(index)", Int.random(in: 0...40, using: &chance), &chance)
            try shop.write("in/lines/\(index).jsonl", lines.map { $0 + "\n" }.joined())
        }
        for index in 0..<Int.random(in: 1...3, using: &chance) {
            let text = Made.corpus("b\(index)", Int.random(in: 1...40, using: &chance), &chance).joined(separator: "\n")
            let bytes = Array(text.utf8)
            if Bool.random(using: &chance) {
                try shop.write("in/packed/\(index).jsonl.gz", Gzip.compress(bytes.span))
            } else {
                try shop.write("in/packed/\(index).jsonl.zst", Zstd.compress(bytes.span))
            }
        }
        for index in 0..<Int.random(in: 1...40, using: &chance) {
            let text = Made.english(Int.random(in: 0...90, using: &chance), &chance)
            try shop.write("in/pages/\(index).html", "<html><body><article><p>\(text)</p></article></body></html>")
        }
        try shop.write("in/before/0.jsonl", Made.corpus("c", 20, &chance).joined(separator: "\n"))
        try shop.write("in/before/1.jsonl", "")
        try shop.write("words.txt", "harbour\tplaces\nvillage\tplaces\n")
        return shop
    }

    static func run(
        _ shop: Workshop,
        output: String,
        results: [String] = [],
        limits: BlockLimits = .small
    ) throws -> PipelineRun {
        try PipelineRun(
            PipelineFile(shop.path("pipeline.yaml"), output: shop.path(output)),
            results: results.map { shop.path($0) },
            workers: 2,
            limits: limits,
            runtime: SystemRuntime()
        ) { Instant(milliseconds: 0) }
    }

    static func judge(_ shop: Workshop, _ number: Int, of count: Int, to output: String) async throws -> RunRecord {
        let part = try #require(PipelinePart(number, of: count))
        return try await run(shop, output: output).judge(part) { _ in }
    }

    @Test("any number of parts, brought together, is the run on one machine byte for byte, and nothing is judged twice")
    func anyParts() async throws {
        var chance = Chance.ofTest("any number of parts")
        for _ in 0..<2 {
            let shop = try Self.filled(&chance)
            let whole = try await shop.run(try shop.pipeline(Self.everything))
            let expected = try shop.outputs()
            #expect(whole.written.count > 0)
            for count in [Int.random(in: 1...6, using: &chance), Int.random(in: 7...20, using: &chance)] {
                var blocks = 0
                for number in 1...count {
                    let part = try await Self.judge(shop, number, of: count, to: "parts/\(number - 1)")
                    #expect(part.part == "\(number)/\(count)" && part.finished != nil && part.blocksReused == 0)
                    blocks += part.blocks
                }
                #expect(blocks == whole.blocks, "\(count) parts")
                let record = try await Self.run(shop, output: "joined", results: ["parts"]).run { _ in }
                #expect(try shop.outputs("joined") == expected, "\(count) parts")
                #expect(record.blocksBrought == whole.blocks && record.blocksDamaged == 0)
                #expect(record.parts == whole.parts && record.summary == whole.summary)
                #expect(record.duplicates == whole.duplicates && record.repeats == whole.repeats)
                // Texts are taken out of pages once.
                #expect(!shop.exists("joined/work/pages"))
                // What was joined needs nobody any more.
                let again = try await Self.run(shop, output: "joined").run { _ in }
                #expect(again.blocksReused == whole.blocks && again.parts == whole.parts)
                try shop.remove("parts")
                try shop.remove("joined")
            }
        }
    }

    @Test("whatever is missing, damaged, misplaced or of another configuration among results is judged, not believed")
    func nothingBelieved() async throws {
        var chance = Chance.ofTest("not believed")
        let shop = try Self.filled(&chance)
        let whole = try await shop.run(try shop.pipeline(Self.everything))
        let expected = try shop.outputs()
        for number in 1...3 { _ = try await Self.judge(shop, number, of: 3, to: "parts/\(number)") }
        let results = shop.files(below: "parts").filter { $0.contains("/work/blocks/") || $0.contains("/work/pages/") }
        try #require(results.count > 12)
        for _ in 0..<5 {
            let name = "parts/" + (try #require(results.randomElement(using: &chance)))
            let before = try shop.read(name)
            switch Int.random(in: 0..<3, using: &chance) {
            case 0: try shop.remove(name)
            case 1: try shop.write(name, Array(before.prefix(before.count / 2)))
            default:
                var bytes = before
                if let index = bytes.indices.randomElement(using: &chance) { bytes[index] ^= 0x01 }
                try shop.write(name, bytes)
            }
            let given = ["parts/1", "parts/2", "parts/3"]
            let record = try await Self.run(shop, output: "joined", results: given).run { _ in }
            #expect(try shop.outputs("joined") == expected, "\(name)")
            #expect(record.summary == whole.summary, "\(name)")
            // Empty files are damaged by neither.
            let isPages = name.contains("/work/pages/")
            let isWhole = try shop.exists(name) && shop.read(name) == before
            #expect((record.blocksBrought ?? 0) == whole.blocks - (isPages || isWhole ? 0 : 1), "\(name)")
            try shop.write(name, before)
            try shop.remove("joined")
        }
        // A result under another one's name.
        let blocks = results.filter { $0.contains("/work/blocks/") }
        let keys = Set(blocks.map { $0.split(separator: "/").dropLast().joined(separator: "/") }).sorted()
        let (mine, other) = ("parts/" + keys[0], "parts/" + keys[1])
        try shop.remove(mine)
        try FileManager.default.copyItem(atPath: shop.path(other), toPath: shop.path(mine))
        let misplaced = try await Self.run(shop, output: "joined", results: ["parts"]).run { _ in }
        #expect(misplaced.blocksDamaged == 1 && misplaced.blocksBrought == whole.blocks - 1)
        #expect(try shop.outputs("joined") == expected)
        // Results of another configuration are results of other blocks.
        _ = try shop.pipeline(Self.everything.replacing("action: mask", with: "action: report"))
        let foreign = try await Self.run(shop, output: "other", results: ["parts"]).run { _ in }
        #expect(foreign.blocksBrought == 0 && foreign.blocksDamaged == 0 && foreign.blocks == whole.blocks)
    }

    @Test("where models and word lists lie is no part of the configuration; what is in them is")
    func places() async throws {
        var chance = Chance(seed: 3)
        let shop = try Self.filled(&chance)
        let first = try await shop.run(try shop.pipeline(Self.everything))
        try shop.write("lists/same.txt", try shop.read("words.txt"))
        let elsewhere = Self.everything.replacing("words.txt", with: "lists/same.txt")
        let moved = try await shop.run(try shop.pipeline(elsewhere))
        #expect(moved.blocksReused == first.blocks && moved.configuration == first.configuration)
        try shop.write("lists/same.txt", "harbour\n")
        let changed = try await shop.run(try shop.pipeline(elsewhere))
        #expect(changed.blocksReused == 0)
    }

    @Test("parts are stretches of equal length that leave nothing out, of totals up to a petabyte")
    func stretches() {
        var chance = Chance.ofTest("stretches")
        for _ in 0..<200 {
            let total = Int.random(in: 0...(1 << Int.random(in: 0...50, using: &chance)), using: &chance)
            let count = Int.random(in: 1...PipelinePart.countMax, using: &chance)
            var last = -1
            var sum = 0
            for number in 1...count {
                guard let stretch = PipelinePart(number, of: count)?.stretch(of: total) else {
                    Issue.record("no part \(number) of \(count)")
                    return
                }
                #expect(stretch.after == last && stretch.through >= last)
                #expect(abs(stretch.bytes - total / count) <= 1)
                (last, sum) = (stretch.through, sum + stretch.bytes)
            }
            #expect(last == .max && sum == total)
        }
        for text in ["", "1", "0/2", "3/2", "1/0", "1/10001", "a/b", "1/2/3", "-1/2"] {
            #expect(PipelinePart(text) == nil)
        }
        #expect(PipelinePart("3/8") == PipelinePart(3, of: 8) && PipelinePart("3/8")?.description == "3/8")
    }

    @Test("what goes wrong with a block names it and its file")
    func failures() async throws {
        var chance = Chance(seed: 4)
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.corpus("a", 60, &chance).joined(separator: "\n"))
        let file = try shop.plain()
        let record = try await shop.run(file)
        try #require(record.blocks > 3)
        // A device that is always full, where the second block's result is to be drafted.
        let key = try String(decoding: Disk.read(file.outputFolder + "/blocks.jsonl"), as: UTF8.self)
            .split(separator: "\n").dropFirst().first.flatMap { try JSON(parsing: Array($0.utf8))["key"]?.stringValue }
        let name = try #require(key)
        try shop.remove("out")
        try Disk.makeFolder(shop.path("out/work/blocks"))
        try shop.write("out/work/blocks/\(name.prefix(2))", "no folder")
        let failure = await failure { try await shop.run(file) }
        #expect(failure?.detail.contains("block 2 of \(shop.path("in/a.jsonl"))") == true, "\(failure?.detail ?? "")")
    }

    @Test("a folder without results is refused by its name")
    func noResults() async throws {
        var chance = Chance(seed: 5)
        let shop = try Self.filled(&chance)
        _ = try shop.pipeline(Self.everything)
        try Disk.makeFolder(shop.path("empty"))
        for name in ["empty", "none", "words.txt"] {
            let failure = await failure { _ = try Self.run(shop, output: "out", results: [name]) }
            #expect(failure?.code == .notFound && failure?.detail.contains(shop.path(name)) == true)
        }
    }

    // MARK: what travels

    @Test("everything that a pipeline names travels at its path, and what leads out is told at once")
    func freight() throws {
        var chance = Chance(seed: 6)
        let shop = try Self.filled(&chance)
        try shop.write("dossiers/lines.yaml", "name: lines\n")
        let yaml = Self.everything
            .replacing("files: [in/lines]", with: "files: [./in/lines/], dossier: dossiers/lines.yaml")
        _ = try shop.pipeline(yaml, name: "web.yaml")
        let freight = try PipelineFreight(shop.path("web.yaml"))
        let expected = shop.files(below: "in").map { "in/" + $0 } + ["dossiers/lines.yaml", "web.yaml", "words.txt"]
        #expect(freight.files.map(\.path) == expected.sorted() && freight.pipeline == "web.yaml")
        for file in freight.files { #expect(try Disk.read(file.location) == (try shop.read(file.path))) }
        let bytes = try shop.files(below: "in").reduce(0) { $0 + (try shop.read("in/" + $1).count) }
        #expect(freight.sourceBytes == bytes)

        let leading = yaml.replacing("[in/packed]", with: "[/etc/passwd, ../x, none/*]")
            .replacing("words.txt", with: "no.txt")
        try shop.write("leading.yaml", leading)
        do {
            _ = try PipelineFreight(shop.path("leading.yaml"))
            Issue.record("it was taken")
        } catch {
            #expect(
                error.violations.map(\.pointer).sorted() == [
                    "/keywords/packs/0", "/sources/1/files/0", "/sources/1/files/1", "/sources/1/files/2",
                ]
            )
        }
        // What is a repository's is not looked for here.
        try shop.remove("in/pages")
        try shop.write(
            "revision.yaml",
            yaml.replacing("files: [in/pages]", with: "files: [pages], repository: datasets/demo/pages")
        )
        let rest = try PipelineFreight(shop.path("revision.yaml"))
        #expect(!rest.files.contains { $0.path.contains("pages") } && rest.files.contains { $0.path == "words.txt" })
        let revisions = try PipelineWorkflow.revisions(of: shop.path("revision.yaml"))
        #expect(revisions.map(\.repository) == ["datasets/demo/pages"] && revisions.map(\.revision) == ["main"])
    }

    @Test("a pipeline in a folder of any name runs where it is brought to as it does here")
    func elsewhere() async throws {
        var chance = Chance(seed: 8)
        let shop = try Self.filled(&chance)
        let whole = try await shop.run(try shop.pipeline(Self.everything))
        let expected = try shop.outputs()
        for file in try PipelineFreight(shop.path("pipeline.yaml")).files {
            try shop.write("else where/[1]/" + file.path, try Disk.read(file.location))
        }
        let copy = try PipelineFile(shop.path("else where/[1]/pipeline.yaml"), output: shop.path("copied"))
        let run = try PipelineRun(copy, workers: 1, limits: .small, runtime: SystemRuntime()) { .init(milliseconds: 0) }
        let record = try await run.run { _ in }
        #expect(try shop.outputs("copied") == expected)
        #expect(record.parts == whole.parts && record.configuration == whole.configuration)
    }
}
