public import Core
public import NIOCore
public import NIOPosix
import Synchronization

/// One piece of what a task of a run printed, for ``LogStore/append(_:durable:)``.
public struct LogPiece: Sendable {
    public var run: RunKey
    public var task: Int
    /// Where the piece begins, in bytes from the beginning of the log.
    public var offset: Int64
    public var bytes: ByteBuffer

    public init(run: RunKey, task: Int, offset: Int64, bytes: ByteBuffer) {
        self.run = run
        self.task = task
        self.offset = offset
        self.bytes = bytes
    }
}

/// What runs print, as files that only grow: `<root>/logs/<xx>/<run>/<task>.log`, `xx` being the last two characters
/// of the job's identifier.
///
/// Everything may be sent twice: bytes that are here already are skipped by their offset and not compared.
public final class LogStore: Sendable {
    /// The most that one ``read(_:task:offset:countMax:)`` returns.
    public static let readBytesMax = 8 << 20
    /// Tasks of a run, from 0.
    public static let tasksMax = 1_000_000

    private let root: String
    private let threads: FileThreads
    /// Of one log, in bytes.
    public let logMax: Bytes
    /// One appender per log at a time; logs share a lock by hash.
    private let stripes = (0..<64).map { _ in Stripe() }

    private final class Stripe: Sendable { let lock = Mutex(()) }

    private init(root: String, threads: FileThreads, logMax: Bytes) {
        self.root = root
        self.threads = threads
        self.logMax = logMax
    }

    /// Opens or makes the logs below `root`, which may be that of a ``BlobStore``.
    /// - Parameter logMax: After so many bytes a log ends with a line that says so. Later bytes are acknowledged and
    ///   dropped, so that senders do not stall.
    public static func open(root: String, threads: NIOThreadPool, logMax: Bytes = .gibi(1)) async throws -> LogStore {
        guard root.utf8.first == UInt8(ascii: "/") else {
            throw Failure(.invalid, "The folder of a log store must be an absolute path.")
        }
        let threads = FileThreads(pool: threads)
        try await threads.run { try FileSystem.makeFolders(root + "/logs") }
        return LogStore(root: root + "/logs", threads: threads, logMax: logMax)
    }

    /// Appends one piece; see ``append(_:durable:)``.
    @discardableResult
    public func append(
        _ run: RunKey,
        task: Int,
        offset: Int64,
        _ bytes: ByteBuffer,
        durable: Bool = true
    ) async throws -> Int64 {
        try await append([LogPiece(run: run, task: task, offset: offset, bytes: bytes)], durable: durable)[0]
    }

    /// Appends pieces of any logs, in their order.
    ///
    /// - Parameter durable: Whether the bytes are on the disk before this returns; one flush per log.
    /// - Returns: For each piece the offset to go on from. Less than the piece's own when something before it is
    ///   missing: then nothing was stored of it, and the sender goes back.
    /// - Throws: ``Failure`` `malformed` for a negative offset or a task out of bounds, `storageExhausted`. Some
    ///   pieces may be stored then; send all again.
    public func append(_ pieces: [LogPiece], durable: Bool = true) async throws -> [Int64] {
        for piece in pieces where piece.offset < 0 || !(0..<Self.tasksMax).contains(piece.task) {
            throw Failure(.malformed, "A piece of a log needs an offset from 0 and a task below \(Self.tasksMax).")
        }
        var ends: [Int64] = []
        ends.reserveCapacity(pieces.count)
        var rest = pieces[...]
        while !rest.isEmpty {
            let batch = rest.prefix(32)
            rest = rest.dropFirst(32)
            ends += try await threads.run { [self] in
                var dirty: [String: OpenFile] = [:]
                let ends = try batch.map { piece in try appendNow(piece, &dirty) }
                // Outside the locks, so that other appenders write on while the disk works.
                if durable { for file in dirty.values { try file.descriptor.synchronise() } }
                return ends
            }
        }
        return ends
    }

    /// Bytes from `offset` on: at most `countMax` and ``readBytesMax``; empty at and beyond the end, and when there is
    /// no such log.
    public func read(_ run: RunKey, task: Int, offset: Int64, countMax: Int) async throws -> ByteBuffer {
        guard offset >= 0 else { throw Failure(.malformed, "The offset into a log cannot be negative.") }
        let path = file(run, task)
        return try await threads.run {
            do {
                let file = try Descriptor(path, .read)
                let left = try file.status().size - offset
                let count = Int(min(left, Int64(min(countMax, Self.readBytesMax))))
                return count > 0 ? try file.buffer(at: offset, count: count) : ByteBuffer()
            } catch let error as SystemError where error.isAbsence {
                return ByteBuffer()
            }
        }
    }

    /// Bytes that can be read; `nil` when the task has printed nothing yet.
    public func size(_ run: RunKey, task: Int) async throws -> Bytes? {
        let path = file(run, task)
        return try await threads.run { try FileSystem.status(path).map { Bytes($0.size) } }
    }

    /// Tasks of a run that have a log, in order.
    public func tasks(_ run: RunKey) async throws -> [Int] {
        let folder = folder(run)
        return try await threads.run {
            do {
                return try FileSystem.names(in: folder)
                    .compactMap { $0.flatMap { $0.hasSuffix(".log") ? Int($0.dropLast(4)) : nil } }.sorted()
            } catch let error as SystemError where error.isAbsence {
                return []
            }
        }
    }

    /// Says that nothing will follow in a log; on the disk before this returns. Fine when said before.
    public func seal(_ run: RunKey, task: Int) async throws {
        let path = file(run, task)
        try await threads.run { [self] in
            guard try FileSystem.status(path + ".end") == nil else { return }
            _ = try openLog(run, path)
            _ = try Descriptor(path + ".end", .create(mode: 0o644))
            try FileSystem.synchroniseFolder(folder(run))
        }
    }

    /// Whether a log was said to be complete.
    public func isSealed(_ run: RunKey, task: Int) async throws -> Bool {
        let path = file(run, task)
        return try await threads.run { try FileSystem.status(path + ".end") != nil }
    }

    /// Removes all logs of a run; fine when there are none.
    public func remove(_ run: RunKey) async throws {
        let folder = folder(run)
        try await threads.run { try FileSystem.removeTree(folder) }
    }

    private func folder(_ run: RunKey) -> String { "\(root)/\(run.job.base32.suffix(2))/\(run)" }
    private func file(_ run: RunKey, _ task: Int) -> String { "\(folder(run))/\(task).log" }

    /// Blocks. Adds to `dirty` each log that has to be flushed.
    private func appendNow(_ piece: LogPiece, _ dirty: inout [String: OpenFile]) throws -> Int64 {
        let path = file(piece.run, piece.task)
        let stripe = stripes[Int(UInt(bitPattern: path.hashValue) % UInt(stripes.count))]
        return try stripe.lock.withLock { _ in
            let log = try dirty[path] ?? openLog(piece.run, path)
            let end = try log.descriptor.status().size
            let pieceEnd = piece.offset + Int64(piece.bytes.readableBytes)
            let isCut = end > logMax.count ? true : try FileSystem.status(path + ".cut") != nil
            if isCut { return pieceEnd }
            guard piece.offset <= end else { return end }
            // Also when all of it is here: the flush of whoever wrote it may not be over.
            dirty[path] = log
            guard pieceEnd > end else { return end }
            var fresh = piece.bytes
            fresh.moveReaderIndex(forwardBy: Int(end - piece.offset))
            let room = Int(min(max(0, logMax.count - end), Int64(fresh.readableBytes)))
            let isFull = room < fresh.readableBytes
            do {
                try fresh.readableBytesView.prefix(room).withUnsafeBytes { try log.descriptor.write($0, at: end) }
                guard isFull else { return pieceEnd }
                let notice = "\n[This log reached its limit of \(logMax). The rest was cut.]\n"
                try Array(notice.utf8).withUnsafeBytes { try log.descriptor.write($0, at: end + Int64(room)) }
            } catch {
                try? log.descriptor.truncate(to: end)
                throw error
            }
            // Says that it was cut also when the limit is raised later.
            _ = try Descriptor(path + ".cut", .create(mode: 0o644))
            return pieceEnd
        }
    }

    /// Opens a log for appending. A new one has its name on the disk before anything is written.
    private func openLog(_ run: RunKey, _ path: String) throws(SystemError) -> OpenFile {
        do {
            return try OpenFile(path, .update)
        } catch  where error.isAbsence {
            let folder = folder(run)
            let above = "\(root)/\(run.job.base32.suffix(2))"
            if try FileSystem.makeFolder(above) { try FileSystem.synchroniseFolder(root) }
            if try FileSystem.makeFolder(folder) { try FileSystem.synchroniseFolder(above) }
            let file = try OpenFile(path, .create(mode: 0o644))
            try FileSystem.synchroniseFolder(folder)
            return file
        }
    }
}
