import Core
import Glibc
import Testing

@testable import Corpora

/// What is wrong with a pipeline is told at once, with its place, before anything is done.
@Suite struct PipelineFaultTests {
    private static func faults(_ yaml: String, _ shop: Workshop) async -> Failure? {
        await failure {
            _ = try PipelineRun(try shop.pipeline(yaml), workers: 1, runtime: SystemRuntime()) {
                .init(milliseconds: 0)
            }
        }
    }

    @Test("unknown rules, types, languages and missing lists of keywords are one failure, each with its place")
    func operators() async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", "")
        try shop.write("bad.tsv", "")
        let failure = await Self.faults(
            """
            name: faulty
            sources: [{name: a, files: [in/a.jsonl]}]
            languages: {keep: [zh, klingon, en, xx]}
            rules: {sets: [c4], thresholds: {c4/no-such: 1, words: 2}}
            keywords: {packs: [missing.tsv, bad.tsv]}
            personal: {action: mask, types: {e-mail: drop, phone: drop, shoe-size: report}}
            output: {folder: out}

            """,
            shop
        )
        #expect(failure?.code == .invalid)
        #expect(
            Set(failure?.violations.map(\.pointer) ?? []) == [
                "/languages/keep/1", "/languages/keep/3", "/rules/thresholds/c4~1no-such", "/rules/thresholds/words",
                "/keywords/packs/0", "/keywords/packs/1", "/personal/types/e-mail", "/personal/types/shoe-size",
            ]
        )
        #expect(!shop.exists("out"))
    }

    @Test("every pattern that fits no file is told, and every file that nobody can say the format of")
    func patterns() async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", "")
        try shop.write("in/b.bin", "")
        let failure = await Self.faults(
            """
            name: faulty
            sources:
              - {name: a, files: [in/*.jsonl, in/*.parquet]}
              - {name: b, files: [other/*]}
              - {name: c, files: [in/*.bin]}
            output: {folder: out}

            """,
            shop
        )
        #expect(
            Set(failure?.violations.map(\.pointer) ?? []) == [
                "/sources/0/files/1", "/sources/1/files/0", "/sources/2/format",
            ]
        )
    }

    @Test("a pipeline that is not there, is a folder, or is no YAML is told so")
    func noPipeline() async throws {
        let shop = try Workshop()
        #expect(await failure { _ = try PipelineFile(shop.path("none.yaml")) }?.code == .notFound)
        #expect(await failure { _ = try PipelineFile(shop.folder) }?.code == .invalid)
        #expect(await failure { _ = try shop.pipeline("a: [") }?.code == .invalid)
        #expect(await failure { _ = try shop.pipeline("") }?.code == .invalid)
    }

    @Test(
        "files are found by patterns and below folders, in the order of their bytes; links to folders are not followed"
    )
    func files() async throws {
        let shop = try Workshop()
        for name in ["B", "a", "a/x", "é", "10", "9"] { try shop.write("in/\(name)_/f.jsonl", "") }
        try #require(symlink(shop.path("in"), shop.path("in/loop")) == 0)
        let file = try shop.plain("in")
        #expect(
            file.sources[0].files.map { String($0.path.dropFirst(shop.path("in/").count)) } == [
                "10_/f.jsonl", "9_/f.jsonl", "B_/f.jsonl", "a/x_/f.jsonl", "a_/f.jsonl", "é_/f.jsonl",
            ]
        )
        #expect(try shop.plain("in/*_/f.json?").sources[0].files.count == 5)
        #expect(try shop.plain("in/[ab]_/*").sources[0].files.count == 1)
    }

    @Test("a folder's name may have what stands for more in patterns")
    func patternFolder() async throws {
        let shop = try Workshop()
        try shop.write("in [v1]*?/a.jsonl", Made.record("a", "x"))
        let file = try shop.pipeline(
            "name: a\nsources: [{name: a, files: ['*.jsonl']}]\noutput: {folder: out}\n",
            name: "in [v1]*?/pipeline.yaml"
        )
        #expect(file.sources[0].files.count == 1)
    }
}
