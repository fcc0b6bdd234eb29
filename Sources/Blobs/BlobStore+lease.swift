public import Core
import Synchronization

/// Leases: whoever is told that a blob is here may rely on it for a while.
///
/// A lease is the file's own time of modification, so it costs no record and outlives a killed process. ``collect(_:unleasedSince:)``
/// takes only what nobody was told of since; that the two never overlap is kept by one lock, which a lease takes only
/// when it has to be renewed.
extension BlobStore {
    /// A lease that was taken or renewed less than this before is left as it is. Much less than any time after which
    /// somebody collects.
    static let leaseRenewedAfter = Duration.seconds(3600)

    /// Which blobs are here, and from now on leased.
    ///
    /// - Returns: Their sizes in the order of `digests`; `nil` for those that are not here.
    public func lease(_ digests: [Digest], at now: Instant) async throws -> [Bytes?] {
        try await threads.run { [self] in
            try digests.map { digest in
                let path = file(of: digest)
                guard let status = try FileSystem.status(path) else { return nil }
                if status.modified > now - Self.leaseRenewedAfter { return Bytes(status.size) }
                return try leases.withLock { _ in try FileSystem.setModified(path, now) ? Bytes(status.size) : nil }
            }
        }
    }

    /// Removes a blob unless somebody was told of it since. Blocks.
    ///
    /// Call it where nothing can begin to need the blob meanwhile: inside the transaction that finds it unneeded.
    /// - Returns: Its size when it was removed.
    public func collect(_ digest: Digest, unleasedSince limit: Instant) throws(Failure) -> Bytes? {
        let path = file(of: digest)
        do {
            return try leases.withLock { _ throws(SystemError) in
                guard let status = try FileSystem.status(path), status.modified < limit,
                    try remove(digest)
                else { return nil }
                return Bytes(status.size)
            }
        } catch {
            throw error.failure
        }
    }

    /// Those of some blobs that nobody was told of since, and those that are not here.
    public func unleased(_ digests: [Digest], since limit: Instant) async throws -> [Digest] {
        try await threads.run { [self] in try unleasedNow(digests, since: limit) }
    }

    /// The same at once. Blocks.
    public func unleasedNow(_ digests: [Digest], since limit: Instant) throws(Failure) -> [Digest] {
        do throws(SystemError) {
            var old: [Digest] = []
            for digest in digests {
                let leased = try FileSystem.status(file(of: digest)).map { $0.modified >= limit } ?? false
                if !leased { old.append(digest) }
            }
            return old
        } catch {
            throw error.failure
        }
    }
}
