public import Core

/// A blob and when somebody last wanted it.
public struct BlobUse: Hashable, Sendable {
    public let blob: StoredBlob
    public let usedAt: Instant
}

/// For stores that are caches: which blobs were wanted lately.
///
/// The time of a use is the file's time of modification, since the bytes never change: no second record has to agree
/// with the first, and it outlives a killed process.
extension BlobStore {
    /// Notes that blobs are wanted now.
    /// - Returns: Those that are not here, in their order.
    public func use(_ digests: [Digest], at now: Instant) async throws -> [Digest] {
        try await threads.run { [self] in
            try digests.filter { try !FileSystem.setModified(file(of: $0), now) }
        }
    }

    /// The same for a folder that was made from blobs and stands beside the store. Blocks.
    /// - Returns: Whether it is there.
    package static func noteUse(of path: String, at now: Instant) throws(Failure) -> Bool {
        do { return try FileSystem.setModified(path, now) } catch { throw error.failure }
    }

    /// Every blob, in no order. Costs a look at each file.
    public func uses() async throws -> [BlobUse] { try await uses { _ in true } }

    func uses(where isWanted: @escaping @Sendable (FileStatus) -> Bool) async throws -> [BlobUse] {
        var uses: [BlobUse] = []
        for first in 0..<256 {
            try Task.checkCancellation()
            uses += try await threads.run { [self] in
                let folder = "\(root)/blobs/sha256/\(Self.shard(UInt8(first)))"
                return try FileSystem.names(in: folder).compactMap { name in
                    guard let name, let digest = Digest("sha256:\(name)"),
                        let status = try FileSystem.status("\(folder)/\(name)"), isWanted(status)
                    else { return nil }
                    return BlobUse(blob: StoredBlob(digest: digest, size: Bytes(status.size)), usedAt: status.modified)
                }
            }
        }
        return uses
    }
}
