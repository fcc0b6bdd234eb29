import Core
import Curation
import Glibc
import Testing

@testable import Corpora

/// What comes between a run and its end.
@Suite struct InterruptionTests {
    /// Runs, and does something as soon as a stage begins.
    private static func run(
        _ shop: Workshop,
        _ file: PipelineFile,
        at stage: RunRecord.Stage,
        _ act: @escaping @Sendable () -> Void
    ) async -> Failure? {
        await failure {
            try await shop.run(file, runtime: SteppingRuntime()) { record in
                if record.stage == stage, record.bytesDone == 0, record.finished == nil { act() }
            }
        }
    }

    @Test(
        "a source that changes while a run is on its way is noticed, however it changes",
        arguments: [RunRecord.Stage.merge, .write]
    )
    func changes(_ stage: RunRecord.Stage) async throws {
        var chance = Chance(seed: 31)
        let lines = Made.corpus("a", 60, &chance)
        let text = lines.joined(separator: "\n") + "\n"
        let changes: [(name: String, bytes: String)] = [
            ("one byte", text.replacing("\"a-30\"", with: "\"a-xx\"")),
            ("shorter", String(text.prefix(text.count / 2))),
            ("without its last blocks", lines.prefix(15).joined(separator: "\n") + "\n"), ("empty", ""),
            ("longer", text + text), ("other lines", lines.reversed().joined(separator: "\n") + "\n"),
        ]
        for change in changes {
            let shop = try Workshop()
            try shop.write("in/a.jsonl", text)
            let file = try shop.plain("in/*", "duplicates: {near: {jaccard_min: 0.7}}")
            let failure = await Self.run(shop, file, at: stage) {
                try? shop.write("in/a.jsonl", change.bytes)
            }
            #expect(failure?.code == .conflict, "\(change.name)")
            #expect(failure?.detail.contains("has changed") == true, "\(change.name)")
            #expect(try RunRecord.read(file.outputFolder).finished == nil)
            // Run again, it is of the file as it is now.
            let record = try await shop.run(try shop.plain("in/*", "duplicates: {near: {jaccard_min: 0.7}}"))
            #expect(record.finished != nil)
        }
    }

    @Test("a second run in the same folder is refused, and the first does not notice")
    func lock() async throws {
        var chance = Chance(seed: 32)
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.corpus("a", 40, &chance).joined(separator: "\n"))
        let file = try shop.plain()
        try await shop.run(file)
        let expected = try shop.outputs()
        try Disk.makeFolder(file.outputFolder + "/work")
        let lock = try RunLock(file.outputFolder)
        let before = try shop.read("out/run.json")
        let refused = await failure { try await shop.run(file) }
        #expect(refused?.code == .conflict && refused?.detail.contains("Another run") == true)
        #expect(try shop.read("out/run.json") == before)
        lock.release()
        try await shop.run(file)
        #expect(try shop.outputs() == expected)
    }

    @Test("a run that was cancelled goes on where it was")
    func cancel() async throws {
        var chance = Chance(seed: 33)
        let shop = try SameBytesTests.filled(&chance, records: 40)
        let file = try shop.pipeline(SameBytesTests.everything)
        try await shop.run(file)
        let expected = try shop.outputs()
        try shop.remove("out")
        let task = Task {
            try await shop.run(file, workers: 1, runtime: SteppingRuntime()) { record in
                if record.blocks == 3 { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        let record = try await shop.run(file)
        #expect(record.blocksReused >= 3 && record.blocksReused < record.blocks)
        #expect(try shop.outputs() == expected)
    }

    @Test("a full disk is told as such; what was done stays done")
    func fullDisk() async throws {
        #expect(throws: Failure.self) { try Disk.write([1], to: "/dev/full") }
        var chance = Chance(seed: 34)
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.corpus("a", 60, &chance).joined(separator: "\n"))
        let file = try shop.plain()
        try await shop.run(file)
        let expected = try shop.outputs()
        let names = expected.keys.sorted()
        try #require(names.count > 3)
        try shop.remove("out")
        // The draft of one part goes to a device that is always full.
        try Disk.makeFolder(file.outputFolder + "/data")
        try #require(symlink("/dev/full", shop.path("out/data/\(names[2]).draft")) == 0)
        let full = await failure { try await shop.run(file) }
        #expect(full?.code == .storageExhausted && full?.detail.contains("Free some space") == true)
        try shop.remove("out/data/\(names[2]).draft")
        let record = try await shop.run(file)
        #expect(record.blocksReused == record.blocks)
        #expect(try shop.outputs() == expected)
    }

    @Test("a part of another configuration is never taken for one's own, though a run was ended in between")
    func otherConfiguration() async throws {
        let shop = try Workshop()
        // Of the same size, masked or not.
        try shop.write("in/a.jsonl", Made.record("a", "Write to a@bc.de now"))
        let asIs = try shop.plain("in/*", "personal: {action: report}")
        try await shop.run(asIs)
        let expected = try shop.outputs()
        let items = try shop.read("out/work/parts/000000.items")
        let masking = try shop.plain("in/*", "personal: {action: mask}")
        // As if it had been killed after the part and before the note of it.
        try #require(mkdir(shop.path("out/work/parts/000000.json.draft"), 0o777) == 0)
        #expect(await failure { try await shop.run(masking) } != nil)
        try #require(rmdir(shop.path("out/work/parts/000000.json.draft")) == 0)
        #expect(try shop.outputs() != expected)
        try await shop.run(asIs)
        #expect(try shop.outputs() == expected)
        #expect(try shop.read("out/work/parts/000000.items") == items)
    }

    @Test("a pipeline that was edited since its run is told so, not taken for the run's")
    func edited() async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.record("a", "one"))
        try shop.write("in/b.jsonl", Made.record("b", "two"))
        func yaml(_ sources: String, _ operators: String = "") -> String {
            "name: n\nsources: [\(sources)]\n\(operators)\noutput: {folder: out, format: jsonl}\n"
        }
        let (a, b) = ("{name: a, files: [in/a.jsonl]}", "{name: b, files: [in/b.jsonl]}")
        try await shop.run(try shop.pipeline(yaml("\(a), \(b)")))
        func explain(_ yaml: String, _ id: String) async -> Failure? {
            await failure {
                let run = try PipelineRun(try shop.pipeline(yaml), workers: 1, limits: .small, runtime: SystemRuntime())
                {
                    .init(milliseconds: 0)
                }
                _ = try run.explain(id)
            }
        }
        #expect(await explain(yaml("\(a), \(b)"), "b") == nil)
        for changed in [yaml(a), yaml("\(b), \(a)"), yaml("\(a), \(b)", "personal: {action: drop}")] {
            let failure = await explain(changed, "b")
            #expect(failure?.code == .conflict && failure?.detail.contains("again") == true, "\(changed)")
        }
    }
}
