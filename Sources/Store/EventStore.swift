import CStore
import Core
@preconcurrency import Dispatch
import GRDB
import Glibc

/// The platform's memory: a log of events, and views that are functions of it, in one SQLite database.
///
/// A command that was acknowledged is on the disk. Closures are synchronous and run on the store's own threads, so that
/// nothing comes between two of their statements and nothing blocks the cooperative pool.
///
/// Every method throws ``Failure`` for what went wrong here, `CancellationError` for a caller that gave up while its
/// closure had not begun, and whatever the closure itself throws.
public final class EventStore: Sendable {
    /// Where the database is and how much it may use.
    public struct Configuration: Sendable {
        /// The database file. Its folder is made when missing; `-wal`, `-shm` and `.lock` files lie beside it.
        public var path: String
        /// Connections that read, of up to 8 MB of cache each.
        public var readers: Int

        /// Set by a simulation: no thread but the caller's, and every commit can be made to fail.
        package var rehearsal: Rehearsal?

        public init(path: String, readers: Int = 3) { (self.path, self.readers) = (path, readers) }
    }

    private let configuration: Configuration
    let writer: Writer
    private let readers: Readers
    private let lock: LockFile

    /// Opens a database, or makes one; takes its lock, recovers what a crash left, migrates.
    ///
    /// - Parameter progress: Called when the views have to be rebuilt because a rebuild was interrupted.
    /// - Throws: `.unavailable` naming the process that has it open, `.storageExhausted` when the folder or file cannot be
    ///   written, `.conflict` when a newer version wrote it, `.internal` when it is damaged.
    public static func open(
        _ configuration: Configuration,
        progress: (@Sendable (RebuildProgress) -> Void)? = nil
    ) async throws -> EventStore {
        if configuration.rehearsal != nil { return try EventStore(opening: configuration) }
        let store = try await offPool { try EventStore(opening: configuration) }
        if try await store.writer.exclusively({ try $0.rebuildPosition() }) != nil {
            try await store.resumeRebuild(progress)
        }
        return store
    }

    /// Carries out a command. Many at a time share one transaction and one fsync; each in its own savepoint.
    ///
    /// Returns once everything that the closure appended is on the disk. A closure that throws leaves nothing behind.
    /// It must not wait for anything: every other writer waits for it.
    @discardableResult
    public func write<Value: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws -> Value {
        try await Command(body).run { writer.submit($0) }
    }

    /// Reads from one snapshot. Keep it short: a long reader holds back the recycling of the write-ahead log.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (ReadTransaction) throws -> Value
    ) async throws -> Value {
        if let rehearsal = writer.rehearsal {
            return try writer.rehearse(rehearsal, body)
        }
        return try await Command(body).run { readers.submit($0) }
    }

    /// The last event that is on the disk. Takes no connection and never waits.
    public var lastSequence: Int64 { writer.committedSequence }

    /// How far a rebuild has come.
    public struct RebuildProgress: Hashable, Sendable {
        public var done: Int64
        public var total: Int64
    }

    /// Deletes every view and replays the log into them. Commands wait until it has ended; reads see the views grow.
    ///
    /// Interrupted, it goes on when the database is opened again.
    public func rebuild(_ progress: (@Sendable (RebuildProgress) -> Void)? = nil) async throws {
        try await writer.exclusively { try $0.beginRebuild() }
        try await resumeRebuild(progress)
    }

    /// Reads every page and checks its structure and indexes. Takes seconds for a gigabyte.
    ///
    /// - Throws: `.internal` naming the first fault.
    public func checkIntegrity() async throws {
        let fault = try await read { tx in
            try tx.connection.first("PRAGMA quick_check(1)") { $0.text(0) } ?? "no answer"
        }
        guard fault == "ok" else { throw Failure.damaged("quick_check: \(fault)") }
    }

    /// Sizes, counts and latencies, for `/metrics`. Costs two calls of `stat`.
    public var statistics: StoreStatistics {
        let counted = writer.statistics
        return StoreStatistics(
            databaseBytes: fileSize(configuration.path),
            logBytes: fileSize(configuration.path + "-wal"),
            commits: counted.commits,
            commitsFailed: counted.commitsFailed,
            commands: counted.commands,
            commandsFailed: counted.commandsFailed,
            waiting: counted.waiting,
            lastCommit: .nanoseconds(counted.lastCommitNanoseconds),
            commitTotal: .nanoseconds(counted.commitNanoseconds),
            batchSizes: zip(WriterStatistics.bounds, counted.batches).map { .init(upTo: $0, count: $1) },
            lastSequence: lastSequence
        )
    }

    /// Carries out what waits, then closes the connections and gives the lock back.
    public func close() async throws {
        if writer.rehearsal != nil {
            try writer.close()
            return lock.release()
        }
        try await writer.drain()
        try await Self.offPool { [writer, readers, lock] in
            try readers.close()
            try writer.close()
            lock.release()
        }
    }

    private func resumeRebuild(_ progress: (@Sendable (RebuildProgress) -> Void)?) async throws {
        try await writer.exclusively { core in try core.replay { progress?($0) } }
    }

    private init(opening configuration: Configuration) throws {
        let path = configuration.path
        self.configuration = configuration
        try Self.makeFolder(of: path)
        lock = try LockFile(path: path + ".lock", holder: "process \(getpid())")
        do {
            let writing = try Self.connect(path, readOnly: false)
            guard !writing.connection.isReadOnly else {
                throw StoreFault(code: 8, message: "opened for reading only", step: 8)
            }
            let isRehearsal = configuration.rehearsal != nil
            for setting in isRehearsal ? Dialect.rehearsalSettings : Dialect.writerSettings {
                _ = try writing.connection.all(setting) { _ in () }
            }
            try Schema.migrate(writing.connection)
            let submissions = SubmissionCache()
            let core = try WriterCore(connection: writing.connection, submissions: submissions)
            writer = Writer(queue: writing.queue, core: core, path: path, rehearsal: configuration.rehearsal)
            let reading = try (0..<(isRehearsal ? 0 : max(1, configuration.readers))).map { _ in
                let (queue, connection) = try Self.connect(path, readOnly: true)
                return Readers.Reader(queue: queue, connection: connection)
            }
            readers = Readers(reading, submissions: submissions, path: path)
        } catch {
            throw Failure.of(error, path: path)
        }
    }

    /// Before the first connection of this process.
    private static let withoutCounts = onepoint_sqlite_without_counts()

    private static func connect(
        _ path: String,
        readOnly: Bool
    ) throws -> (queue: DatabaseQueue, connection: Connection) {
        _ = withoutCounts
        var configuration = GRDB.Configuration()
        configuration.readonly = readOnly
        configuration.journalMode = readOnly ? .default : .wal
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = false
        configuration.label = readOnly ? "onepoint.store.reader" : "onepoint.store.writer"
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let connection = try queue.unsafeReentrantRead { database in
            guard let handle = database.sqliteConnection else { throw Failure.closed }
            let connection = Connection(handle: handle)
            for setting in Dialect.settings { _ = try connection.all(setting) { _ in () } }
            return connection
        }
        return (queue, connection)
    }

    private static func makeFolder(of path: String) throws {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
        var folder = path.hasPrefix("/") ? "" : "."
        for part in parts {
            folder += "/" + part
            guard mkdir(folder, 0o750) == 0 || errno == EEXIST || errno == EISDIR || errno == EROFS else {
                throw Failure.unwritable(folder, errno: errno)
            }
        }
    }
}

private func fileSize(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
}

extension EventStore {
    /// Runs blocking work on a thread of its own instead of one of the cooperative pool's.
    private static func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "onepoint.store.open").async { continuation.resume(with: Result { try body() }) }
        }
    }
}
