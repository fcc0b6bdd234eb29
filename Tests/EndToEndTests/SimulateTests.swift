import Core
import Foundation
import Testing

/// Where real data lies.
private enum Shared {
    static let traces: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = root.deletingLastPathComponent().path + "/shared/traces"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()
}

/// Real traces through `onepoint simulate`. They are not part of the repository: where they are not there, nothing of this
/// runs.
@Suite(.enabled(if: Shared.traces != nil, "../shared/traces is not there"))
struct SimulateTests {
    private static func simulate(_ arguments: [String]) async throws -> JSON {
        let process = Process()
        process.executableURL = Program.executable
        process.arguments = ["simulate"] + arguments + ["--json"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        await process.end()
        try #require(process.terminationStatus == 0)
        return try JSON(parsing: output)
    }

    @Test("the gates: the SC'15 study's figures on the KTH log, and our own policy beside them")
    func kth() async throws {
        let traces = try #require(Shared.traces)
        let policies = "easy,easy-sjbf+actual,easy-sjbf,easy+actual,onepoint"
        let report = try await Self.simulate([
            "\(traces)/kth-sc15/KTH-SP2_sc15_log.swf.gz", "--event-order", "sequential", "--policy", policies,
        ])
        let outcomes = report["traces"]?.arrayValue?.first?["policies"]?.arrayValue ?? []
        let got = Dictionary(outcomes.map { ($0["policy"]?.stringValue ?? "", $0) }) { first, _ in first }
        func figure(_ policy: String, _ name: String = "mean_bounded_slowdown") -> Double {
            got[policy]?[name]?.numberValue ?? .nan
        }
        #expect(abs(figure("easy") - 92.577) < 0.0006)
        #expect(abs(figure("easy-sjbf+actual") - 49.848) < 0.0006)
        #expect(abs(figure("easy-sjbf") - 69.405) < 0.0006)
        #expect(abs(figure("easy+actual") - 71.722) < 0.0006)
        #expect(figure("onepoint") <= 62.9, "EASY++ has 62.9")
        #expect(figure("onepoint", "max_wait_seconds") <= 2 * figure("easy", "max_wait_seconds"))
    }

    @Test(
        "the gates: openb filled to 130 per cent, by fragmentation gradient descent and by best fit, and by our own policy"
    )
    func openb() async throws {
        let traces = try #require(Shared.traces)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-openb-\(UUID()).yaml")
        try Data(
            "centres: [{name: openb, nodes: [{list: \(traces)/openb/openb_node_list_gpu_node.csv.gz}]}]\n".utf8
        ).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let report = try await Self.simulate([
            "\(traces)/openb/openb_pod_list_default.csv.gz", "--federation", file.path, "--fill", "1.3", "--seeds", "1",
            "--policy", "fgd,greedy,onepoint",
        ])
        let got = report["fillings"]?.arrayValue ?? []
        let allocated = got.map { $0["allocated_percent"]?.numberValue ?? .nan }
        try #require(allocated.count == 3)
        #expect(abs(allocated[0] - 95.39) < 0.4, "published for FGD")
        #expect(abs(allocated[1] - 93.08) < 0.6, "published for best fit")
        #expect(allocated[2] > 94.9)
    }
}
