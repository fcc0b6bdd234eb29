import Core
import Foundation
import Testing

/// `onepoint data` as people use it: by its command line, ended at any moment, and gone on with.
@Suite struct DataTests {
    /// A folder with a pipeline and its sources.
    private final class Folder: Sendable {
        let url: URL

        init() throws {
            url = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-data-\(UUID())")
            try FileManager.default.createDirectory(
                at: url.appendingPathComponent("in"),
                withIntermediateDirectories: true
            )
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func path(_ name: String) -> String { url.appendingPathComponent(name).path }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: url.appendingPathComponent(name))
        }

        func outputs() throws -> [String: Data] {
            let data = url.appendingPathComponent("out/data")
            var outputs: [String: Data] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: data.path) {
                outputs[name] = try Data(contentsOf: data.appendingPathComponent(name))
            }
            return outputs
        }

        /// Runs `onepoint data` to its end.
        func data(_ arguments: String...) async throws -> (status: Int32, output: String, errors: String) {
            let process = Process()
            process.executableURL = Program.executable
            process.arguments = ["data"] + arguments
            let (out, errors) = (url.appendingPathComponent("stdout"), url.appendingPathComponent("stderr"))
            for file in [out, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
            process.standardOutput = try FileHandle(forWritingTo: out)
            process.standardError = try FileHandle(forWritingTo: errors)
            process.standardInput = FileHandle.nullDevice
            try process.run()
            await process.end()
            return (
                process.terminationStatus, try String(contentsOf: out, encoding: .utf8),
                try String(contentsOf: errors, encoding: .utf8)
            )
        }
    }

    /// SplitMix64.
    private struct Chance: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    private static let yaml = """
        name: tour
        sources:
          - {name: all, files: [in]}
        languages: {keep: [zh, en], probability_min: 0.2}
        personal: {action: mask}
        duplicates:
          exact: true
          near: {jaccard_min: 0.7}
          lines: {count_min: 3, bytes_min: 30}
          paragraphs: {count_min: 2, bytes_min: 200}
          substrings: {bytes_min: 120}
        output: {folder: out, format: jsonl}

        """

    private static let words = """
        the of and to in that river stone bridge winter teacher question answer market garden letter evening morning \
        history science village mountain ocean traveller company harbour with from about because never always under
        """.split(separator: " ")

    /// Every file is a block: many blocks without many bytes.
    private static func fill(_ folder: Folder, files: Int, records: Int, _ chance: inout Chance) throws {
        var texts: [String] = []
        for file in 0..<files {
            var lines = ""
            for record in 0..<records {
                var text = (0..<80).map { _ in words.randomElement(using: &chance) ?? "the" }.joined(separator: " ")
                switch record % 6 {
                case 0: text = texts.randomElement(using: &chance) ?? text
                case 1: text = (texts.randomElement(using: &chance) ?? text) + " and more"
                case 2: text += " write to anna.\(record)@example.org"
                case 3: text += "\nAll rights reserved by the harbour company of this village."
                default: break
                }
                texts.append(text)
                let object = JSON.object([
                    (key: "id", value: .string("\(file)-\(record)")), (key: "text", value: .string(text)),
                ])
                lines += object.text + "\n"
            }
            try folder.write("in/\(file).jsonl", lines)
        }
        try folder.write("pipeline.yaml", yaml)
    }

    @Test("a run that is killed again and again ends in the bytes of one that was not")
    func kills() async throws {
        let given = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("a run that is killed again and again: ONEPOINT_TEST_SEED=\(seed)")
        var chance = Chance(state: seed)
        let folder = try Folder()
        try Self.fill(folder, files: 120, records: 60, &chance)
        let clock = ContinuousClock()
        let start = clock.now
        let whole = try await folder.data("run", folder.path("pipeline.yaml"), "--json")
        let period = clock.now - start
        try #require(whole.status == 0, "\(whole.errors)")
        let expected = try folder.outputs()
        let undisturbed = try JSON(parsing: Data(whole.output.utf8))
        #expect(undisturbed["blocks"]?.numberValue == 120 && expected.count > 50)

        try FileManager.default.removeItem(atPath: folder.path("out"))
        var kills = 0
        var last = ""
        // Later and later, so that it ends whatever the machine.
        for attempt in 0... {
            let run = try Program(
                ["data", "run", folder.path("pipeline.yaml"), "--workers", "\(1 + attempt % 3)", "--json"],
                log: folder.url.appendingPathComponent("run.log")
            )
            let share = Double.random(in: 0.02...0.5, using: &chance) * (attempt < 12 ? 1 : Double(attempt - 10))
            let deadline = clock.now + period * share
            while run.isRunning, clock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
            if !run.isRunning {
                last = run.output
                break
            }
            await run.kill()
            kills += 1
        }
        #expect(kills > 3)
        let end = try #require(last.split(separator: "\n").last { $0.hasPrefix("{") }, "\(last)")
        let record = try JSON(parsing: Data(end.utf8))
        #expect(record["written"] == undisturbed["written"] && record["parts"] == undisturbed["parts"])
        #expect(record["summary"] == undisturbed["summary"] && record["duplicates"] == undisturbed["duplicates"])
        #expect((record["blocks_reused"]?.numberValue ?? record["blocksReused"]?.numberValue ?? 0) > 0)
        let outputs = try folder.outputs()
        #expect(outputs == expected, "\(kills) kills; files \(outputs.count) and \(expected.count)")
    }

    @Test("a tour: run, status, plan, explain, report, sample, judge")
    func tour() async throws {
        var chance = Chance(state: 1)
        let folder = try Folder()
        try Self.fill(folder, files: 4, records: 12, &chance)
        let pipeline = folder.path("pipeline.yaml")

        let early = try await folder.data("status", pipeline)
        #expect(early.status != 0 && early.errors.contains("onepoint data run"))

        let run = try await folder.data("run", pipeline)
        #expect(run.status == 0 && !run.output.isEmpty, "\(run.errors)")

        let status = try await folder.data("status", pipeline, "--json")
        let record = try JSON(parsing: Data(status.output.utf8))
        #expect(
            status.status == 0 && record["pipeline"]?.stringValue == "tour" && record["finished"]?.stringValue != nil
        )
        let kept = record["parts"]?.arrayValue?.reduce(0) { $0 + ($1["documents"]?.numberValue ?? 0) }
        #expect(kept == record["written"]?["count"]?.numberValue && kept ?? 0 > 10)

        let plan = try await folder.data("plan", pipeline)
        #expect(plan.status == 0 && plan.output.contains("0 of 4 blocks are to be judged"), "\(plan.output)")

        let explained = try await folder.data("explain", pipeline, "0-4", "--json")
        let story = try JSON(parsing: Data(explained.output.utf8))
        #expect(
            explained.status == 0 && story["document"]?.stringValue == "0-4" && story["source"]?.stringValue == "all"
        )
        let nobody = try await folder.data("explain", pipeline, "nobody")
        #expect(nobody.status != 0 && nobody.errors.contains("nobody") && nobody.output.isEmpty)

        let report = try await folder.data("report", pipeline, "--html", folder.path("report.html"))
        let page = try String(contentsOfFile: folder.path("report.html"), encoding: .utf8)
        #expect(report.status == 0 && page.hasPrefix("<!doctype html>") && page.contains("tour"))

        let sample = try await folder.data("sample", pipeline, "--size", "3", "--json")
        #expect(sample.status == 0, "\(sample.errors)")
        let again = try await folder.data("sample", pipeline, "--size", "3")
        #expect(again.status != 0 && again.errors.contains("drawn once"))
        let waiting = try await folder.data("judge", pipeline, "--as", "li")
        let places = waiting.output.split(separator: "\n").compactMap {
            $0.split(separator: "\t").first.map(String.init)
        }
        try #require(waiting.status == 0 && places.count == 3)
        let judged = try await folder.data("judge", pipeline, "--as", "li", "--place", places[0])
        #expect(judged.status == 0 && judged.output.hasPrefix("judge: good."))
        let same = try await folder.data("judge", pipeline, "--as", "li", "--place", places[0], "--bad")
        #expect(same.status != 0)
        let other = try await folder.data("judge", pipeline, "--as", "wang", "--place", places[0])
        #expect(other.status == 0 && other.output.hasPrefix("review: good. 1 of 3 settled"))
    }

    @Test("bad input ends with a status and a sentence, and writes nothing")
    func badInput() async throws {
        let folder = try Folder()
        try folder.write("in/a.jsonl", #"{"id":"a","text":"x"}"# + "\n")
        let pipeline = folder.path("pipeline.yaml")
        let cases: [(yaml: String, words: [String])] = [
            ("name: a\nsources: 7\n", ["line 2", "sources", "output"]),
            ("name: [", ["cannot be read"]),
            (Self.yaml.replacingOccurrences(of: "[in]", with: "[none/*]"), ["none/*"]),
            (Self.yaml.replacingOccurrences(of: "[zh, en]", with: "[klingon]"), ["klingon"]),
            (Self.yaml.replacingOccurrences(of: "mask}", with: "mask, types: {shoe: drop}}"), ["shoe"]),
        ]
        for bad in cases {
            try folder.write("pipeline.yaml", bad.yaml)
            let run = try await folder.data("run", pipeline)
            #expect(run.status != 0 && run.output.isEmpty, "\(bad.yaml)")
            for word in bad.words { #expect(run.errors.contains(word), "\(word) in \(run.errors)") }
        }
        let missing = try await folder.data("run", folder.path("none.yaml"))
        #expect(missing.status != 0 && missing.errors.contains("none.yaml"))
        try folder.write("pipeline.yaml", Self.yaml)
        let workers = try await folder.data("run", pipeline, "--workers", "0")
        #expect(workers.status != 0 && workers.errors.contains("--workers"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
    }
}
