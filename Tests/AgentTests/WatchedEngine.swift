import Core
import Engines
import Glibc
import Synchronization
import TestKit

/// The fake engine behind the same fuse, with eyes on what an agent must never do.
final class WatchedEngine: SharedEngine {
    let fake: FakeEngine
    /// What others hold; `nil` when that cannot be seen.
    let held = Mutex<[NodeUse]?>(nil)
    /// Where every run stands, when the engine tells.
    let standing = Mutex<[NodeShare]?>(nil)
    let point: StubPoint
    /// What a released run leaves in its outputs folder: nothing when `nil`.
    private let output: Mutex<String?>
    private let files: Int

    /// - Parameter files: A folder of so many is written instead of one file, each with its number before the text.
    init(_ fake: FakeEngine, _ point: StubPoint, output: String?, files: Int) {
        (self.fake, self.point, self.files) = (fake, point, files)
        self.output = Mutex(output)
    }

    var kind: EngineKind { .fake }

    private func guarded<T: Sendable>(
        _ body: () async throws(EngineError) -> T
    ) async throws(EngineError) -> T {
        // A dead agent does nothing and hears nothing.
        do { try point.fuse.pass() } catch { throw .unreachable("dead") }
        let value = try await body()
        do { try point.fuse.pass() } catch { throw .unreachable("dead") }
        return value
    }

    func capacity() async throws(EngineError) -> CentreCapacity { try await fake.capacity() }
    func others() async throws(EngineError) -> [NodeUse] {
        guard let held = held.withLock({ $0 }) else { throw .unreachable("nobody may see that") }
        return held
    }
    func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        try await guarded { () throws(EngineError) in try await fake.submit(order) }
    }
    func release(_ run: RunKey) async throws(EngineError) {
        try await guarded { () throws(EngineError) in
            if point.entry(run)?.accepted != true {
                point.with { $0.faults.append("\(run) was released before its acceptance was acknowledged") }
            }
            if let order = fake.order(of: run), let text = output.withLock({ $0 }) {
                write(text, files, to: order.outputsFolder + "/out")
            }
            try await fake.release(run)
        }
    }
    func list() async throws(EngineError) -> [EngineRun] {
        let runs = try await guarded { () throws(EngineError) in try await fake.list() }
        return runs.map { run in
            var run = run
            run.nodes = standing.withLock { $0 }
            return run
        }
    }
    func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        try await guarded { () throws(EngineError) in try await fake.withdraw(run) }
    }
    func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        try await guarded { () throws(EngineError) in try await fake.cancel(run, grace: grace) }
    }
    func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await guarded { () throws(EngineError) in
            try await fake.logs(run, task: task, from: offset, countMax: countMax)
        }
    }
    func forget(_ run: RunKey) async throws(EngineError) {
        try await guarded { () throws(EngineError) in try await fake.forget(run) }
    }

    private func write(_ text: String, _ files: Int, to path: String) {
        guard files == 0 else {
            mkdir(path, 0o755)
            for file in 0..<files { write("\(file)" + text, 0, to: "\(path)/\(file)") }
            return
        }
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { return point.with { $0.faults.append("\(path) cannot be written") } }
        _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
        close(file)
    }
}
