import Core
import Curation
import Testing

@testable import Corpora

/// What `explain` tells is what the run did.
@Suite struct ExplainTests {
    private static func run(_ file: PipelineFile) throws -> PipelineRun {
        try PipelineRun(file, workers: 1, limits: .small, runtime: SystemRuntime()) { .init(milliseconds: 0) }
    }

    @Test(
        "every document of a corpus is told the fate that it had",
        arguments: [
            "rules: {sets: [gopher-repetition, gopher-quality, c4, fineweb, chinese]}\nlanguages: {keep: [zh, en], probability_min: 0.3}",
            "personal: {action: mask, types: {phone: drop}}\nduplicates: {exact: true, near: {jaccard_min: 0.7}, lines: {}}",
        ]
    )
    func fates(_ operators: String) async throws {
        var chance = Chance.ofTest("every document is told its fate")
        let shop = try Workshop()
        for name in ["a", "b"] {
            try shop.write("in/\(name).jsonl", Made.corpus(name, 27, &chance).joined(separator: "\n"))
        }
        let file = try shop.plain("in/*", operators)
        let record = try await shop.run(file)
        let written = Set(try shop.ids())
        var dropped: [String: Int] = [:]
        var duplicates: [String: Int] = [:]
        let run = try Self.run(file)
        for name in ["a", "b"] {
            for index in 0..<27 {
                let id = "\(name)-\(index)"
                let told = try run.explain(id)
                #expect(told.source == "a" && told.path.hasSuffix("\(name).jsonl"))
                if let rule = told.dropped {
                    dropped[rule, default: 0] += 1
                    #expect(!written.contains(id) && told.duplicate == nil && told.part == nil)
                } else if let duplicate = told.duplicate {
                    duplicates[duplicate.kind, default: 0] += 1
                    #expect(!written.contains(id) && told.part == nil)
                    // What stands for a duplicate stays.
                    #expect(written.contains(duplicate.of) && duplicate.of != id)
                    #expect(duplicate.kind == "exact" ? duplicate.jaccard == 1 : duplicate.jaccard >= 0.5)
                } else {
                    #expect(written.contains(id), "\(id) is told to be kept")
                    #expect(try shop.text("out/" + (told.part ?? "")).contains("\"\(id)\""))
                }
            }
        }
        #expect(dropped == record.summary.dropped.mapValues(\.count))
        #expect(duplicates == record.duplicates.mapValues(\.count))
    }

    @Test("documents are found by text, number and escaped ids; what is not there is told so")
    func ids() async throws {
        let shop = try Workshop()
        try shop.write(
            "in/a.jsonl",
            """
            {"id":7,"text":"a number"}
            {"id":"caf\\u00e9 \\"x\\"","text":"escapes"}
            {"text":"no id at all"}
            {"id":"语料","text":"汉字"}
            """
        )
        let file = try shop.plain()
        try await shop.run(file)
        let run = try Self.run(file)
        #expect(try run.explain("7").index == 0)
        #expect(try run.explain("café \"x\"").index == 1)
        #expect(try run.explain("语料").index == 3)
        let failure = await failure { _ = try run.explain("nobody") }
        #expect(failure?.code == .notFound && failure?.detail.contains("nobody") == true)
        try shop.write("in/a.jsonl", #"{"id":7,"text":"another"}"#)
        #expect(await CorporaTests.failure { _ = try run.explain("7") }?.code == .conflict)
    }

    @Test("before any run there is nothing to explain, and the failure says what makes one")
    func noRun() async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.record("a", "x"))
        let file = try shop.plain()
        let failure = await failure { _ = try Self.run(file).explain("a") }
        #expect(failure?.code == .notFound && failure?.detail.contains("onepoint data run") == true)
        #expect(await CorporaTests.failure { _ = try RunRecord.read(file.outputFolder) }?.code == .notFound)
    }
}
