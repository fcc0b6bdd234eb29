import Core
import GRDB
import Synchronization

/// The one writer: gathers the commands that wait into one transaction and one fsync.
///
/// There is no timer and no delay. While one batch is being written the next gathers by itself, so that the batch grows
/// with the load and a lone command waits for nobody.
final class Writer: Sendable {
    /// What a batch holds at most.
    static let batchMax = 512
    /// A batch is committed once it has worked this long.
    static let batchNanosecondsMax: UInt64 = 20_000_000
    /// Commands that may wait; more are refused, since their callers would have given up by then.
    static let waitingMax = 20_000

    private struct State {
        var waiting: [any LaneCommand<WriteTransaction>] = []
        var isScheduled = false
        var isClosed = false
        var statistics = WriterStatistics()
    }

    private let queue: DatabaseQueue
    private let path: String
    let rehearsal: Rehearsal?
    /// Confined to `queue`'s serial dispatch queue.
    private let core: WriterCore
    private let state = Mutex(State())
    private let committed: Atomic<Int64>

    init(queue: DatabaseQueue, core: WriterCore, path: String, rehearsal: Rehearsal? = nil) {
        self.queue = queue
        self.core = core
        self.path = path
        self.rehearsal = rehearsal
        committed = Atomic(core.committedSequence)
    }

    /// The last event that is on the disk.
    var committedSequence: Int64 { committed.load(ordering: .acquiring) }

    var statistics: WriterStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waiting = state.waiting.count
            return statistics
        }
    }

    func submit(_ command: any LaneCommand<WriteTransaction>) {
        if let rehearsal { return rehearse(command, rehearsal) }
        let refusal: Failure? = state.withLock { state in
            guard !state.isClosed else { return .closed }
            guard state.waiting.count < Self.waitingMax else { return .tooManyWaiting }
            state.waiting.append(command)
            schedule(&state)
            return nil
        }
        if let refusal, command.claim() { command.finish(refusal) }
    }

    /// Runs a closure alone on the writer's thread, between two batches, outside any transaction.
    @discardableResult
    func exclusively<Value: Sendable>(_ body: @escaping @Sendable (WriterCore) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.asyncWriteWithoutTransaction { [self] _ in
                let result = Result {
                    guard !core.isClosed else { throw Failure.closed }
                    return try body(core)
                }
                committed.store(core.committedSequence, ordering: .releasing)
                continuation.resume(with: result.mapError { Failure.of($0, path: path) })
            }
        }
    }

    /// Refuses further commands; those that wait are still carried out.
    func drain() async throws {
        state.withLock { $0.isClosed = true }
        while try await exclusively({ _ in self.state.withLock { !$0.waiting.isEmpty } }) {}
        try await exclusively { $0.close() }
    }

    /// Closes the connection, which copies the write-ahead log back. Blocks; follows ``drain()``.
    func close() throws {
        if rehearsal != nil { core.close() }
        try queue.close()
    }

    /// In a rehearsal: carries out one command at once, on the caller's thread.
    private func rehearse(_ command: any LaneCommand<WriteTransaction>, _ rehearsal: Rehearsal) {
        let result = core.carryOut([command], rehearsal)
        committed.store(core.committedSequence, ordering: .releasing)
        for (command, error) in result.finished {
            do {
                if let error { throw error }
                try rehearsal.didCommit()
                command.finish(nil)
            } catch {
                command.finish(Failure.of(error, path: path))
            }
        }
    }

    /// In a rehearsal: reads what is committed, on the writer's own connection, since nobody is in the middle of
    /// anything.
    func rehearse<Value>(_ rehearsal: Rehearsal, _ body: (ReadTransaction) throws -> Value) throws -> Value {
        do {
            try rehearsal.mayRead()
            return try core.reading(body)
        } catch {
            throw Failure.of(error, path: path)
        }
    }

    private func schedule(_ state: inout State) {
        guard !state.isScheduled, !state.waiting.isEmpty else { return }
        state.isScheduled = true
        // One batch a turn, so that `exclusively` gets its turn too.
        queue.asyncWriteWithoutTransaction { [self] _ in turn() }
    }

    private func turn() {
        let batch = state.withLock { state in
            let batch = Array(state.waiting.prefix(Self.batchMax))
            state.waiting.removeFirst(batch.count)
            return batch
        }
        let result = core.carryOut(batch)
        committed.store(core.committedSequence, ordering: .releasing)
        state.withLock { state in
            state.statistics.record(result)
            state.waiting.insert(contentsOf: result.untouched, at: 0)
            state.isScheduled = false
            schedule(&state)
        }
        for (command, error) in result.finished {
            command.finish(error.map { Failure.of($0, path: path) })
        }
    }
}

/// What only the writer's thread touches: its connection and where the log ends.
///
/// `@unchecked Sendable`: confined to the serial dispatch queue of the writer's `DatabaseQueue`.
final class WriterCore: @unchecked Sendable {
    let connection: Connection
    let submissions: SubmissionCache
    private(set) var committedSequence: Int64
    /// The end of the log inside the open transaction.
    fileprivate(set) var sequence: Int64
    /// Submissions of the open transaction, which readers may not see before it is committed.
    private var fresh: [(Int64, Submission)] = []
    /// Why the command under way must not be committed, even if its closure caught the error: an event that is in the
    /// log but only half in the views.
    private var spoiled: (any Error)?
    private(set) var isClosed = false

    init(connection: Connection, submissions: SubmissionCache) throws {
        self.connection = connection
        self.submissions = submissions
        sequence = try connection.first("SELECT COALESCE(MAX(seq), 0) FROM event") { $0.integer(0) } ?? 0
        committedSequence = sequence
    }

    /// The outcome of one batch.
    struct BatchResult {
        var finished: [(command: any LaneCommand<WriteTransaction>, error: (any Error)?)] = []
        /// Left over when the time was up.
        var untouched: ArraySlice<any LaneCommand<WriteTransaction>> = []
        var commitNanoseconds: UInt64 = 0
        var failed = false
    }

    func carryOut(_ batch: [any LaneCommand<WriteTransaction>], _ rehearsal: Rehearsal? = nil) -> BatchResult {
        var result = BatchResult()
        let transaction = WriteTransaction(self)
        let start = monotonicNanoseconds()
        do {
            try connection.run(Dialect.beginWrite)
        } catch {
            result.finished = batch.filter { $0.claim() }.map { ($0, error) }
            result.failed = true
            return result
        }
        var reached = 0
        do {
            for command in batch {
                reached += 1
                guard command.claim() else { continue }
                do {
                    if batch.count == 1 {
                        try perform(command, transaction)
                    } else {
                        try carryOut(command, transaction)
                    }
                    result.finished.append((command, nil))
                } catch {
                    result.finished.append((command, error))
                    // The whole transaction is gone with it: a full disk, an I/O error.
                    if connection.isAutocommit { throw error }
                    if batch.count == 1 {
                        try connection.run("ROLLBACK")
                        forget(after: committedSequence)
                        return result
                    }
                }
                if monotonicNanoseconds() - start > Writer.batchNanosecondsMax { break }
            }
            let beforeCommit = monotonicNanoseconds()
            try rehearsal?.willCommit()
            try connection.run("COMMIT")
            result.commitNanoseconds = monotonicNanoseconds() - beforeCommit
            committedSequence = sequence
            for (sequence, submission) in fresh { submissions.insert(submission, at: sequence) }
            fresh.removeAll(keepingCapacity: true)
        } catch {
            // Nothing of the batch is on the disk, so nobody is told that it is.
            if !connection.isAutocommit { _ = try? connection.run("ROLLBACK") }
            forget(after: committedSequence)
            result.failed = true
            result.finished = result.finished.map { ($0.command, $0.error ?? error) }
        }
        result.untouched = batch[reached...]
        return result
    }

    /// A command alone shares the fate of its transaction. Others need a savepoint, for which SQLite copies every page
    /// before it is changed.
    private func perform(_ command: any LaneCommand<WriteTransaction>, _ transaction: WriteTransaction) throws {
        spoiled = nil
        try command.perform(transaction)
        if let spoiled { throw spoiled }
    }

    private func carryOut(_ command: any LaneCommand<WriteTransaction>, _ transaction: WriteTransaction) throws {
        let before = sequence
        try connection.run("SAVEPOINT command")
        do {
            try perform(command, transaction)
            try connection.run("RELEASE SAVEPOINT command")
        } catch {
            if !connection.isAutocommit {
                try connection.run("ROLLBACK TO SAVEPOINT command")
                try connection.run("RELEASE SAVEPOINT command")
            }
            forget(after: before)
            throw error
        }
    }

    /// Runs a closure in a transaction of its own, for migration and rebuilding.
    func inTransaction<Value>(_ body: (WriteTransaction) throws -> Value) throws -> Value {
        try connection.run(Dialect.beginWrite)
        do {
            let value = try body(WriteTransaction(self))
            try connection.run("COMMIT")
            committedSequence = sequence
            fresh.removeAll()
            return value
        } catch {
            if !connection.isAutocommit { _ = try? connection.run("ROLLBACK") }
            forget(after: committedSequence)
            throw error
        }
    }

    /// The next place in the log.
    func advance() -> Int64 {
        sequence += 1
        return sequence
    }

    func spoil(_ error: any Error) { spoiled = spoiled ?? error }

    func close() {
        connection.finalizeStatements()
        isClosed = true
    }

    func note(_ submission: Submission, at sequence: Int64) { fresh.append((sequence, submission)) }

    private func forget(after sequence: Int64) {
        self.sequence = sequence
        fresh.removeAll { $0.0 > sequence }
    }
}

extension Failure {
    static var closed: Failure {
        Failure(.unavailable, "The point is shutting down; try again when it is back.", retryAfter: .seconds(5))
    }

    static var tooManyWaiting: Failure {
        Failure(
            .unavailable,
            "More requests wait for the disk than it can take; slow down and try again.",
            retryAfter: .seconds(2)
        )
    }
}
