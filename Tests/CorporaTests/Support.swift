import Core
import Curation
import Foundation
import Synchronization
import Testing

@testable import Corpora

/// A folder in which a test has its sources, its pipeline and what becomes of them. It goes with the test.
final class Workshop: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/onepoint-corpora-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// Every file below a folder, from there.
    func files(below name: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: path(name))?.compactMap { $0 as? String } ?? []
        return names.filter { !Disk.isFolder(path(name) + "/" + $0) }.sorted()
    }

    func pipeline(_ yaml: String, name: String = "pipeline.yaml") throws -> PipelineFile {
        try write(name, yaml)
        return try PipelineFile(path(name))
    }

    /// One source of JSON Lines and nothing but that, written as JSON Lines.
    func plain(_ files: String = "in/*", _ operators: String = "") throws -> PipelineFile {
        try pipeline(
            """
            name: plain
            sources: [{name: a, files: ["\(files)"]}]
            \(operators)
            output: {folder: out, format: jsonl}

            """
        )
    }

    @discardableResult
    func run(
        _ file: PipelineFile,
        workers: Int = 2,
        limits: BlockLimits = .small,
        runtime: any Runtime = SystemRuntime(),
        progress: @escaping @Sendable (RunRecord) -> Void = { _ in }
    ) async throws -> RunRecord {
        let run = try PipelineRun(file, workers: workers, limits: limits, runtime: runtime) { Instant(milliseconds: 0) }
        return try await run.run(progress: progress)
    }

    /// What a run wrote, by name.
    func outputs(_ name: String = "out") throws -> [String: [UInt8]] {
        var outputs: [String: [UInt8]] = [:]
        for file in files(below: name + "/data") { outputs[file] = try read("\(name)/data/\(file)") }
        return outputs
    }

    /// The lines that a run wrote, in order.
    func lines(_ name: String = "out") throws -> [String] {
        try files(below: name + "/data").flatMap { file in
            try text("\(name)/data/\(file)").split(separator: "\n").map(String.init)
        }
    }

    /// The ids that a run wrote, in order.
    func ids(_ name: String = "out") throws -> [String] {
        try lines(name).map { try JSON(parsing: Array($0.utf8))["id"]?.stringValue ?? "" }
    }
}

extension BlockLimits {
    /// So small that a test has many blocks.
    static let small = BlockLimits(4096, record: 1 << 16)

    init(_ block: Int, record: Int) {
        self.init()
        blockBytes = block
        recordBytesMax = record
    }
}

/// A clock that goes on by a second whenever somebody looks, so that a run tells of every step.
final class SteppingRuntime: Runtime {
    private let seconds = Mutex(0)

    var elapsed: Duration {
        .seconds(
            seconds.withLock {
                $0 += 1
                return $0
            }
        )
    }
    var chance: Double { 0 }
    var hasThreads: Bool { true }
    func sleep(for duration: Duration) async throws {}
}

/// Chance that a test can repeat.
typealias Chance = SplitMix

extension SplitMix {
    /// Seeded by ONEPOINT_TEST_SEED, or by chance; says by what.
    static func ofTest(_ test: String) -> SplitMix {
        let given = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): ONEPOINT_TEST_SEED=\(seed)")
        return SplitMix(seed: seed)
    }
}

/// Records that tests make up.
enum Made {
    private static let english = """
        the of and to in that river stone bridge winter teacher question answer market garden letter evening morning \
        history science village mountain ocean traveller company harbour with from about because never always under \
        between machine painter library window captain island forest summer weather
        """.split(separator: " ").map(String.init)
    private static let chinese = Array("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经")

    static func english(_ words: Int, _ chance: inout Chance) -> String {
        var text = ""
        for index in 0..<words {
            text += index == 0 ? "" : index % 12 == 0 ? ". " : " "
            text += english.randomElement(using: &chance) ?? ""
        }
        return text + "."
    }

    static func chinese(_ characters: Int, _ chance: inout Chance) -> String {
        var text = ""
        for index in 0..<characters {
            text.append(chinese.randomElement(using: &chance) ?? "的")
            if index % 17 == 16 { text += "，" }
        }
        return text + "。"
    }

    static func record(_ id: String, _ text: String, _ more: String = "") -> String {
        JSON.object([(key: "id", value: .string(id)), (key: "text", value: .string(text))]).text.dropLast() + more + "}"
    }

    /// Something of everything: both languages, copies, near copies, lines that repeat, personal data, short texts.
    static func corpus(_ name: String, _ count: Int, _ chance: inout Chance) -> [String] {
        let footer = "All rights reserved by the harbour company of this village."
        var texts: [String] = []
        return (0..<count).map { index in
            let text: String
            switch index % 9 {
            case 0: text = chinese(120, &chance)
            case 1: text = english(8, &chance)
            case 2: text = english(90, &chance) + "\n" + footer
            case 3: text = english(60, &chance) + " Write to anna.\(index)@example.org or call 13812345678 soon."
            case 4: text = texts.randomElement(using: &chance) ?? "nothing"
            case 5: text = (texts.randomElement(using: &chance) ?? "nothing") + " And more."
            case 6: text = "短\(index)"
            default: text = english(70, &chance)
            }
            texts.append(text)
            return record("\(name)-\(index)", text, ",\"meta\":{\"n\":\(index),\"text\":\"not this one\"}")
        }
    }
}

/// What a failure says: its code, its sentence and every violation.
func failure(_ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}
