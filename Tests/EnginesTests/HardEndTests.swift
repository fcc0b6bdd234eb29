import Core
import Foundation
import Testing

@testable import Engines

@Suite("A run that does not heed its stop is ended by when it was to be, whoever looks after it then")
struct HardEndTests {
    private let root = FileManager.default.temporaryDirectory.path + "/onepoint-posted-\(UUID())"
    private let run = RunKey(job: JobID(high: 1, low: 1), number: 1)

    /// A process that looks after a run whose script has begun.
    private func process(_ root: String, overtimeMax: Duration) throws -> PostedRuns {
        let runs = try PostedRuns(root: root, overtimeMax: overtimeMax)
        guard !runs.isKnown(run) else { return runs }
        let order = EngineOrder.plain(run, folder: root)
        try runs.write(order, members: 0, document: .object([]))
        _ = try Disk.publish(Array("node 1\n".utf8), in: runs.folder(run).path, as: "claim")
        return runs
    }

    @Test("also by a process that was not told of the stop")
    func nextLife() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let first = try process(root, overtimeMax: .zero)
        #expect(!first.isOverdue(run))
        #expect(try !first.askToEnd(run, grace: .zero))
        #expect(first.isOverdue(run))
        #expect(!first.isOverdue(run), "it is said once a minute")
        #expect(try process(root, overtimeMax: .zero).isOverdue(run))
    }

    @Test("a process that asks once more gives no more time, and may give less")
    func askedAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let hour = Duration.seconds(3600)
        #expect(try !process(root, overtimeMax: .zero).askToEnd(run, grace: hour))
        let second = try process(root, overtimeMax: hour)
        #expect(try !second.askToEnd(run, grace: hour * 2))
        let left = try #require(second.runs.hardEnd(of: run)?.left)
        #expect(left <= hour && left > .zero)
        #expect(!second.isOverdue(run))
        let third = try process(root, overtimeMax: .zero)
        #expect(try !third.askToEnd(run, grace: .zero))
        #expect(third.isOverdue(run))
    }

    @Test("a clock that was put back gives no more time, and what was never said is no end")
    func clocks() throws {
        #expect(HardEnd("\(Int64.max / 2) 5000\n")?.left == .seconds(5))
        #expect(HardEnd("1000 5000\n")?.left == .zero)
        #expect(HardEnd("") == nil)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let runs = try process(root, overtimeMax: .zero)
        // Killed before the script was asked: it is to be asked first.
        try runs.runs.note(HardEnd(in: .zero), of: run)
        #expect(!runs.isOverdue(run))
    }
}
