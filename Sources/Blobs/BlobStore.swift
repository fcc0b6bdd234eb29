public import Core
import NIOCore
public import NIOPosix
import Synchronization

/// A blob that is in the store.
public struct StoredBlob: Hashable, Sendable {
    public let digest: Digest
    public let size: Bytes

    public init(digest: Digest, size: Bytes) {
        self.digest = digest
        self.size = size
    }
}

/// Limits of a ``BlobStore``.
public struct BlobLimits: Sendable {
    /// Of one blob.
    public var blobMax: Bytes
    /// Resumable uploads begun and not yet finished, over all callers.
    public var uploadsMax: Int
    /// Of these, of one holder, so that nobody takes all of them.
    public var uploadsPerHolderMax: Int
    /// Where there are too many, the one that nothing has come for the longest gives way to a new one, when that is at
    /// least so long: few clients go on with an upload that broke off, or say that they will not.
    public var uploadIdleMin: Duration

    public init(
        blobMax: Bytes = .gibi(1024),
        uploadsMax: Int = 1024,
        uploadsPerHolderMax: Int = 256,
        uploadIdleMin: Duration = .seconds(300)
    ) {
        self.blobMax = blobMax
        self.uploadsMax = uploadsMax
        self.uploadsPerHolderMax = uploadsPerHolderMax
        self.uploadIdleMin = uploadIdleMin
    }
}

/// Bytes on the file system under the SHA-256 of their content.
///
/// A file has its final name only once all its bytes were hashed and flushed to the disk, so whatever can be opened
/// was verified. Layout below the root: `blobs/sha256/ab/<hex>` with the first two digits as folder, `uploads/` for
/// what is on its way, `quarantine/` for what no longer matched its name. Blobs are read-only files (mode 0444).
/// One process per root at a time.
///
/// With a bucket, the bytes of large blobs that were not wanted lately move there (``offload(keeping:)``). What stays is
/// a stub: an empty file with the size, the time and the name of the blob, so that whatever asks what is here, leases it
/// or collects it need not know. The stub and its object come and go in an order that a kill at any point leaves an object
/// too many at the most; `loose/` names those, and the next round removes them.
///
/// Errors common to all methods: ``Failure`` with `storageExhausted` when the disk is full or read-only, `unavailable`
/// when too many files are open, `internal` for anything else that the disk refuses.
public final class BlobStore: Sendable {
    /// Absolute, without a slash at its end.
    public let root: String
    public let limits: BlobLimits
    let threads: FileThreads
    let bucket: S3Bucket?
    /// At most so many bytes are here that could move to the bucket; `nil` when nobody has looked yet.
    let movableMax = Mutex<Bytes?>(nil)
    /// Digests whose bytes an earlier process, or a request that failed, may still have on their way to the bucket, and until
    /// when; `nil` before the first round.
    let doubtful = Mutex<[Digest: ContinuousClock.Instant]?>(nil)
    let uploads: Mutex<UploadTable>
    /// Held while a lease is renewed and while a blob is collected.
    let leases = Mutex<Void>(())

    private init(root: String, limits: BlobLimits, threads: FileThreads, bucket: S3Bucket?, uploads: UploadTable) {
        self.root = root
        self.limits = limits
        self.threads = threads
        self.bucket = bucket
        self.uploads = Mutex(uploads)
    }

    /// Opens or makes the store below `root`. Costs the same however many blobs are in it.
    ///
    /// - Parameters:
    ///   - root: An absolute path; made when it is not there.
    ///   - threads: All file work runs here. Must be started, and outlive the store. Four threads or more let
    ///     concurrent flushes share one journal commit.
    ///   - bucket: Where blobs go that are not wanted often; `nil` keeps all of them here.
    public static func open(
        root: String,
        threads: NIOThreadPool,
        limits: BlobLimits = BlobLimits(),
        bucket: S3Bucket? = nil
    ) async throws -> BlobStore {
        guard root.utf8.first == UInt8(ascii: "/") else {
            throw Failure(.invalid, "The folder of a blob store must be an absolute path.")
        }
        var root = root
        while root.utf8.count > 1, root.utf8.last == UInt8(ascii: "/") { root.removeLast() }
        let base = root
        let threads = FileThreads(pool: threads)
        let known = try await threads.run {
            for folder in ["/blobs/sha256", "/uploads", "/quarantine", "/loose"] {
                try FileSystem.makeFolders(base + folder)
            }
            var isNew = false
            for first in 0..<256 {
                let made = try FileSystem.makeFolder(base + "/blobs/sha256/" + shard(UInt8(first)))
                isNew = isNew || made
            }
            if isNew {
                for folder in ["/blobs/sha256", "/blobs", ""] { try FileSystem.synchroniseFolder(base + folder) }
            }
            return try FileSystem.names(in: base + "/uploads").compactMap { $0.flatMap { UploadID($0) } }
        }
        return BlobStore(
            root: base,
            limits: limits,
            threads: threads,
            bucket: bucket,
            uploads: UploadTable(known: Set(known))
        )
    }

    /// Two hexadecimal digits.
    static func shard(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    func folder(of digest: Digest) -> String { "\(root)/blobs/sha256/\(digest.hex.prefix(2))" }
    func file(of digest: Digest) -> String { "\(folder(of: digest))/\(digest.hex)" }

    /// The size of a blob; `nil` when it is not here.
    public func size(of digest: Digest) async throws -> Bytes? {
        let file = file(of: digest)
        return try await threads.run { try FileSystem.status(file).map { Bytes($0.size) } }
    }

    /// Those of `digests` that are not here, in their order.
    public func missing(of digests: [Digest]) async throws -> [Digest] {
        try await threads.run { [self] in
            try digests.filter { try FileSystem.status(file(of: $0)) == nil }
        }
    }

    /// Opens a blob for reading. The reader stays valid when the blob is deleted meanwhile.
    /// - Throws: ``Failure`` `notFound` when it is not here.
    public func open(_ digest: Digest) async throws -> BlobReader {
        let path = file(of: digest)
        let (threads, bucket) = (threads, bucket)
        return try await threads.run {
            do {
                let file = try OpenFile(path, .read)
                let status = try file.descriptor.status()
                let blob = StoredBlob(digest: digest, size: Bytes(status.size))
                guard status.isStub else { return BlobReader(blob: blob, source: .file(file), threads: threads) }
                guard let bucket else { throw Self.elsewhere(digest) }
                return BlobReader(blob: blob, source: .bucket(bucket), threads: threads)
            } catch let error as SystemError where error.isAbsence {
                throw Self.absent(digest)
            }
        }
    }

    /// Removes a blob. Who still reads it goes on reading.
    /// - Returns: Whether it was here.
    @discardableResult
    public func delete(_ digest: Digest) async throws -> Bool {
        return try await threads.run { [self] in try leases.withLock { _ in try remove(digest) } }
    }

    /// Blocks.
    func remove(_ digest: Digest) throws(SystemError) -> Bool {
        let path = file(of: digest)
        if try FileSystem.status(path)?.isStub ?? false { try noteLoose(digest) }
        return try FileSystem.removeFile(path)
    }

    /// What may still be written, and the size of the file system below the root.
    public func space() async throws -> (free: Bytes, total: Bytes) {
        let root = root
        return try await threads.run { try FileSystem.space(at: root) }
    }

    static func absent(_ digest: Digest) -> Failure {
        Failure(.notFound, "\(digest) is not in this store.")
    }

    static func elsewhere(_ digest: Digest) -> Failure {
        Failure(
            .unavailable,
            "\(digest) is in a bucket, and this process was given none. See `bucket` in its configuration."
        )
    }
}
