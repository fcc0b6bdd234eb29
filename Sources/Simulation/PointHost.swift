import Blobs
import Core
import FoundationEssentials
import Jobs
import Logging
import Store

/// The machine that the point runs on: its disk outlives every process, and the next one opens what the last one left.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class PointHost: @unchecked Sendable {
    struct Parts {
        var path: String
        var blobs: BlobStore
        var logs: LogStore
        var settings: Point.Settings
        var log: Logger
    }

    /// One process.
    private struct Process {
        var life: Life
        var point: Point
        var store: EventStore
    }

    private let parts: Parts
    private let time: VirtualTime
    private let sabotage: Sabotage?
    private let seed: UInt64
    private var process: Process?
    private var processes: UInt64 = 0
    private var refusesUntil: Instant?
    /// Commits until the next crash, whether it strikes after the commit, and how long the point is away then.
    private var crash: (commits: Int, after: Bool, away: Duration)?
    private(set) var commits = 0
    private var isClosed = false

    init(_ parts: Parts, _ time: VirtualTime, seed: UInt64, sabotage: Sabotage?) {
        (self.parts, self.time, self.seed, self.sabotage) = (parts, time, seed, sabotage)
    }

    /// How fast the point's clock runs.
    private var clockPace: Int { sabotage == .hastyClock ? 2 : 1 }

    /// When it really was when the point's clock showed that.
    func moment(of shown: Instant) -> Instant { VirtualTime.start + (shown - VirtualTime.start) / clockPace }

    var isUp: Bool { process != nil }
    var store: EventStore? { process?.store }

    func open() async throws {
        let life = Life()
        processes += 1
        var configuration = EventStore.Configuration(path: parts.path)
        configuration.rehearsal = Rehearsal(
            mayRead: { if life.isOver { throw CancellationError() } },
            willCommit: { [self] in try willCommit(life) },
            didCommit: { [self] in try didCommit(life) }
        )
        let store = try await EventStore.open(configuration)
        let (time, pace) = (time, clockPace)
        let point = Point(
            store: store,
            blobs: parts.blobs,
            logs: parts.logs,
            settings: parts.settings,
            now: { VirtualTime.start + time.elapsed * pace },
            random: Chance(seed: seed, stream: 1000 + processes),
            runtime: time,
            log: parts.log
        )
        process = Process(life: life, point: point, store: store)
        let work = Task(executorPreference: time) {
            // What it cannot remember now it learns as runs end.
            try? await point.rememberUsage()
            await point.reconcile()
        }
        life.whenOver { work.cancel() }
    }

    /// A call to the point over its own machine: refused when nobody is there, broken off when it dies meanwhile.
    func call<Value: Sendable>(_ body: (Point) async throws -> Value) async throws -> Value {
        guard let process else { throw Failure(.unavailable, "connection refused") }
        do {
            let value = try await body(process.point)
            if process.life.isOver { throw CancellationError() }
            return value
        } catch {
            if process.life.isOver { throw Failure(.unavailable, "the connection was reset") }
            throw error
        }
    }

    // MARK: Faults

    func refuseCommits(for duration: Duration) { refusesUntil = time.now + duration }

    /// Dies at that commit from now, or when there are none for a second.
    func crash(atCommit commits: Int, after: Bool, away: Duration) {
        crash = (commits, after, away)
        let before = self.commits
        time.after(.seconds(1)) { [self] in
            guard crash != nil, self.commits == before else { return }
            crash = nil
            die(away: away)
        }
    }

    /// Ends the process now and starts another one later.
    func die(away: Duration) {
        guard let process else { return }
        self.process = nil
        process.life.end()
        // Not here: this may be in the middle of one of its transactions, which the database undoes by itself.
        time.after(.zero) { [self] in
            Task(executorPreference: time) {
                try? await process.store.close()
                if self.sabotage == .lyingDisk { try? self.lie() }
            }
        }
        time.after(max(away, .milliseconds(10))) { [self] in
            Task(executorPreference: time) {
                if self.isClosed { return }
                do { try await self.open() } catch { preconditionFailure("the point cannot be opened: \(error)") }
            }
        }
    }

    /// Puts back what the disk held when the process before died.
    private func lie() throws {
        let (path, old) = (parts.path, parts.path + ".old")
        if FileManager.default.fileExists(atPath: old) {
            for name in [path, path + "-wal", path + "-shm"] where FileManager.default.fileExists(atPath: name) {
                try FileManager.default.removeItem(atPath: name)
            }
            try FileManager.default.moveItem(atPath: old, toPath: path)
        } else {
            try FileManager.default.copyItem(atPath: path, toPath: old)
        }
    }

    /// Ends the process for good.
    func end() {
        isClosed = true
        guard let process else { return }
        self.process = nil
        process.life.end()
        time.after(.zero) { [self] in
            Task(executorPreference: time) { try? await process.store.close() }
        }
    }

    private func willCommit(_ life: Life) throws {
        if life.isOver { throw CancellationError() }
        if let until = refusesUntil {
            if time.now < until { throw Failure(.storageExhausted, "The disk is full.") }
            refusesUntil = nil
        }
        commits += 1
        guard let crash else { return }
        self.crash?.commits -= 1
        guard crash.commits <= 0, !crash.after else { return }
        self.crash = nil
        die(away: crash.away)
        throw CancellationError()
    }

    private func didCommit(_ life: Life) throws {
        guard let crash, crash.commits <= 0 else { return }
        self.crash = nil
        die(away: crash.away)
        throw CancellationError()
    }
}
