import Core
import GRDB
import Synchronization

/// A few connections that read, each on its own thread and from its own snapshot.
final class Readers: Sendable {
    /// Reads that may wait; more are refused.
    static let waitingMax = 20_000

    /// One reading connection. `connection` is confined to `queue`'s serial dispatch queue, hence `@unchecked Sendable`.
    final class Reader: @unchecked Sendable {
        let queue: DatabaseQueue
        let connection: Connection

        init(queue: DatabaseQueue, connection: Connection) {
            self.queue = queue
            self.connection = connection
        }
    }

    private struct State {
        var idle: [Reader]
        var waiting: [any LaneCommand<ReadTransaction>] = []
        var isClosed = false
    }

    private let all: [Reader]
    private let submissions: SubmissionCache
    private let path: String
    private let state: Mutex<State>

    init(_ readers: [Reader], submissions: SubmissionCache, path: String) {
        all = readers
        self.submissions = submissions
        self.path = path
        state = Mutex(State(idle: readers))
    }

    func submit(_ command: any LaneCommand<ReadTransaction>) {
        let (reader, refusal): (Reader?, Failure?) = state.withLock { state in
            guard !state.isClosed else { return (nil, .closed) }
            if let reader = state.idle.popLast() { return (reader, nil) }
            guard state.waiting.count < Self.waitingMax else { return (nil, .tooManyWaiting) }
            state.waiting.append(command)
            return (nil, nil)
        }
        if let refusal, command.claim() { command.finish(refusal) }
        if let reader { carryOut(command, on: reader) }
    }

    func close() throws {
        let waiting = state.withLock { state in
            state.isClosed = true
            return state.waiting
        }
        for command in waiting where command.claim() { command.finish(Failure.closed) }
        for reader in all {
            reader.queue.unsafeReentrantRead { _ in reader.connection.finalizeStatements() }
            try reader.queue.close()
        }
    }

    private func carryOut(_ command: any LaneCommand<ReadTransaction>, on reader: Reader) {
        reader.queue.asyncUnsafeRead { [self] database in
            // Closing takes its turn on this queue too: whoever comes after it must not touch the connection.
            if state.withLock({ $0.isClosed }) {
                if command.claim() { command.finish(Failure.closed) }
            } else if case .failure(let error) = database {
                if command.claim() { command.finish(Failure.of(error, path: path)) }
            } else {
                read(command, reader.connection)
            }
            let following: (any LaneCommand<ReadTransaction>)? = state.withLock { state in
                guard !state.isClosed, !state.waiting.isEmpty else {
                    state.idle.append(reader)
                    return nil
                }
                return state.waiting.removeFirst()
            }
            if let following { carryOut(following, on: reader) }
        }
    }

    private func read(_ command: any LaneCommand<ReadTransaction>, _ connection: Connection) {
        guard command.claim() else { return }
        do {
            try connection.run(Dialect.beginRead)
            defer { if !connection.isAutocommit { _ = try? connection.run("COMMIT") } }
            try command.perform(ReadTransaction(connection, submissions: submissions, cachesThrough: .max))
        } catch {
            command.finish(Failure.of(error, path: path))
            return
        }
        command.finish(nil)
    }
}
