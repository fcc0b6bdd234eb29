import Core
import Curation
import Foundation
import Testing
import Wire

@testable import Corpora

/// From a run to the files of a dataset's revision.
@Suite struct ReleaseLayoutTests {
    private static let yaml = """
        name: layout
        sources:
          - {name: first, files: [in/first.jsonl]}
          - {name: second, files: [in/second.jsonl]}
        duplicates: {exact: true}
        output: {folder: out, format: jsonl}

        """

    private static func filled() throws -> Workshop {
        var chance = Chance(seed: 42)
        return try SameBytesTests.filled(&chance, records: 30)
    }

    private static func release(
        _ file: PipelineFile,
        _ change: (inout Release.Options) -> Void = { _ in }
    ) async throws -> Release {
        var options = Release.Options(tool: "onepoint test", repository: "demo/layout")
        change(&options)
        let run = try PipelineRun(file, workers: 1, limits: .small, runtime: SystemRuntime()) {
            Instant(milliseconds: 1)
        }
        return try await Release.with(run, options, progress: { _, _ in }) { $0 }
    }

    private static func bytes(_ release: Release, _ path: String) throws -> [UInt8] {
        let file = try #require(release.files.first { $0.path == path }, "\(path)")
        switch file.content {
        case .bytes(let bytes): return bytes
        case .file(let path): return try Disk.read(path)
        }
    }

    @Test("a release is the same bytes whenever it is made, and every file is what its digest says")
    func same() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        let record = try await shop.run(file)
        let release = try await Self.release(file)
        let again = try await Self.release(file)
        #expect(release.files.map(\.path) == again.files.map(\.path))
        #expect(release.files.map(\.digest) == again.files.map(\.digest))
        for file in release.files {
            let bytes = try Self.bytes(release, file.path)
            #expect(Disk.sha256(bytes.span) == file.digest && bytes.count == file.size)
            #expect(Release.owns(file.path), "\(file.path)")
        }
        let lineage = release.lineage
        #expect(lineage.records == record.written.count && lineage.parts?.count == record.parts.count)
        #expect(lineage.sources.map(\.kept).reduce(0, +) == record.written.count)
        #expect(lineage.sources.map(\.documents).reduce(0, +) == record.summary.documents.count)
        // Of every part a block, of every block a file.
        let parts = try #require(lineage.blocks).compactMap(\.part)
        #expect(parts.sorted() == record.parts.map(\.path))
        let files = Set(try #require(lineage.files).map(\.path))
        for block in lineage.blocks ?? [] { #expect(files.contains(block.path)) }
        let written: ReleaseLineage = try JSON(parsing: Self.bytes(release, ReleaseLineage.path)).decode()
        #expect(written == lineage)
    }

    @Test(
        "every document that rules kept is written, or it is told what took it, as 'explain' tells",
        arguments: [false, true]
    )
    func taken(comparesOnly: Bool) async throws {
        var chance = Chance.ofTest("it is told what took it")
        let shop = try SameBytesTests.filled(&chance)
        // Each source repeats itself; the second has texts of the first, too.
        let again = try shop.text("in/first.jsonl").split(separator: "\n").prefix(20)
            .map { $0.replacing("\"id\":\"", with: "\"id\":\"again-") + "\n" }
        try shop.write("in/second.jsonl", try shop.text("in/second.jsonl") + again.joined())
        var yaml = SameBytesTests.everything
        if comparesOnly { yaml = yaml.replacing("in/first.jsonl]", with: "in/first.jsonl], reference: true") }
        let file = try shop.pipeline(yaml)
        let record = try await shop.run(file)
        let release = try await Self.release(file)
        func lines(_ folder: String, _ key: String) throws -> [JSON] {
            let path = "governance/\(folder)/\(key).jsonl.zst"
            guard release.files.contains(where: { $0.path == path }) else { return [] }
            let bytes = try Packed.unpack(Self.bytes(release, path), path)
            return try bytes.split(separator: 0x0A).map { try JSON(parsing: $0) }
        }
        let run = try PipelineRun(file, workers: 1, limits: .small, runtime: SystemRuntime()) {
            Instant(milliseconds: 1)
        }
        let keys = Set(try #require(release.lineage.blocks).map(\.key))
        var (kept, gone) = (0, 0)
        var kinds: Set<String> = []
        for key in keys {
            let taken = try lines("taken", key).map { try $0.decode(TakenDocument.self) }
            #expect(taken.map(\.index) == Set(taken.map(\.index)).sorted())
            gone += taken.count { $0.isGone }
            for decision in try lines("decisions", key) where decision["dropped"] == nil {
                kept += 1
                let index = Int(try #require(decision["index"]?.integerValue))
                let told = taken.first { $0.index == index }
                let explanation = try run.explain(try #require(decision["id"]?.stringValue))
                #expect(told?.duplicate?.kind == explanation.duplicate?.kind)
                #expect(told?.duplicate?.jaccard == explanation.duplicate?.jaccard)
                #expect(told?.repeats ?? [:] == explanation.repeats)
                #expect((told?.isGone ?? false) == (explanation.part == nil))
                guard let duplicate = told?.duplicate else { continue }
                kinds.insert("\(duplicate.kind) \(duplicate.source)")
                guard let block = duplicate.block, let place = duplicate.index else {
                    #expect(comparesOnly && duplicate.source == "first")
                    continue
                }
                #expect(!comparesOnly || duplicate.source == "second")
                #expect(try lines("decisions", block)[place]["id"]?.stringValue == explanation.duplicate?.of)
            }
        }
        #expect(kept - gone == record.written.count && gone > 0)
        #expect(kinds.contains("exact first") && kinds.contains { $0.hasPrefix("near ") }, "\(kinds)")
    }

    @Test("a sample or a pack of another release is refused")
    func strangers() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        try await shop.run(file)
        _ = try SampleFile.draw(file, purpose: "spot-check", size: 5)
        #expect(try await Self.release(file).files.contains { $0.path == "governance/samples/spot-check.jsonl" })
        try shop.write("pack/manifest.json", #"{"files":[],"root":"x"}"#)
        #expect(await failure { _ = try await Self.release(file) { $0.pack = shop.path("pack") } }?.code == .conflict)
        try shop.write("pack/manifest.json", #"{"files":[{"path":"../../etc/passwd","sha256":"00"}]}"#)
        #expect(await failure { _ = try await Self.release(file) { $0.pack = shop.path("pack") } }?.code == .conflict)
        let fewer = try shop.text("in/second.jsonl").split(separator: "\n").dropLast(3).joined(separator: "\n")
        try shop.write("in/second.jsonl", fewer)
        let changed = try PipelineFile(shop.path("pipeline.yaml"))
        #expect(await failure { _ = try await Self.release(changed) }?.detail.contains("has changed since") == true)
        try await shop.run(changed)
        #expect(await failure { _ = try await Self.release(changed) }?.detail.contains("earlier run") == true)
    }

    @Test("only what some release has is a release's own")
    func owns() {
        for path in [
            "README.md", "data/part-000000.jsonl", "data/part-1000000.jsonl.zst", "data/part-000001.parquet",
            "governance/run.json", "governance/decisions/ab.jsonl.zst",
            "governance/taken/ab.jsonl.zst", "governance/sources/crawl.yaml",
            "governance/samples/x.jsonl", "governance/pack/checks/1.json",
        ] { #expect(Release.owns(path), "\(path)") }
        for path in [
            "data/part-1.jsonl", "data/part-000000.csv", "data/extra.txt", "data/more/part-000000.jsonl", "notes.md",
            "governance/notes.md", "governance/decisions/more/x.jsonl.zst", ".gitattributes", "data/part-00000x.jsonl",
        ] { #expect(!Release.owns(path), "\(path)") }
    }

    @Test("records that differ are given the columns that all of them fit in")
    func members() {
        var uniform = ReleaseMembers()
        uniform.take(Array("{\"id\":\"a\",\"n\":1}\n{\"n\":2,\"id\":\"b\"}\n".utf8))
        #expect(uniform.isUniform)
        var mixed = ReleaseMembers()
        mixed.take(
            Array(
                """
                {"id":"a","n":1,"o":{},"b":true,"l":null,"x":1,"d":"2024-01-01","e":"2024-01-01T00:00:00Z"}
                {"id":2,"n":0.5,"b":null,"s":"t","x":123456789012345678901,"d":"2024-01-02","e":"soon"}
                """.utf8
            )
        )
        #expect(!mixed.isUniform)
        let columns = Dictionary(uniqueKeysWithValues: mixed.columns ?? [])
        #expect(columns["id"] == .json && columns["n"] == .float64 && columns["o"] == .json)
        #expect(columns["d"] == .json && columns["e"] == .string)
        #expect(columns["b"] == .bool && columns["l"] == .null && columns["s"] == .string && columns["x"] == .float64)
        var many = ReleaseMembers()
        many.take(Array((0...ReleaseMembers.columnsMax).map { "{\"k\($0)\":1}\n" }.joined().utf8))
        #expect(!many.isUniform && many.columns == nil)
    }

    @Test("files of a revision are chosen as those of a folder are")
    func fits() {
        #expect(FetchedSource.fits("data/part-1.jsonl", oneOf: ["data"]))
        #expect(FetchedSource.fits("data/part-1.jsonl", oneOf: ["x", "data/*.jsonl"]))
        #expect(FetchedSource.fits("data/a/b.jsonl", oneOf: ["data/[ab]"]))
        #expect(!FetchedSource.fits("data/a/b.jsonl", oneOf: ["*.jsonl", "data/*.jsonl", "dat"]))
        #expect(!FetchedSource.fits("governance/blocks.jsonl", oneOf: ["data"]))
    }
}
