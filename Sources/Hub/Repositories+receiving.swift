import Blobs
public import Core
public import NIOCore
import Store
public import Wire

/// Large files on their way in.
extension Repositories {
    /// A repository whose right was checked when the address that names it was signed.
    public func existing(_ id: RepositoryID) async throws -> Repository {
        guard let repository = try await store.read({ try $0.repository(id) }) else {
            throw Failure(.notFound, "There is no such repository any more.")
        }
        return repository
    }

    /// Stores a file as it comes, and makes it available through a repository.
    ///
    /// - Throws: `.digestMismatch`, `.malformed` for fewer bytes than announced, `.tooLarge`.
    public func receive(
        _ stream: some AsyncSequence<ByteBuffer, any Error> & Sendable,
        expected: Digest,
        size: Bytes,
        into repository: Repository,
        _ caller: Principal?
    ) async throws {
        let blob = try await blobs.put(stream: stream, expected: expected, size: size)
        try await grant(blob, in: repository, caller)
    }

    /// Stores a part of a file. It belongs to nobody, and is collected when it was not used within a day.
    public func receivePart(_ stream: some AsyncSequence<ByteBuffer, any Error> & Sendable) async throws -> Digest {
        try await blobs.put(stream: stream).digest
    }

    /// Joins parts to a file, and makes it available through a repository.
    ///
    /// - Parameter parts: The caller has sent the bytes of each.
    public func join(
        _ parts: [Digest],
        expected: Digest,
        size: Bytes,
        into repository: Repository,
        _ caller: Principal?
    ) async throws {
        // Asked again, as when the answer got lost.
        if try await self.size(of: expected, in: repository) == size { return }
        for (part, size) in zip(parts, try await blobs.lease(parts, at: now())) where size == nil {
            throw Failure(.conflict, "Part \(part.hex.prefix(8)) is not here any more; upload the file anew.")
        }
        let blob = try await blobs.put(pieces: parts.map { BlobPiece(.blob($0)) }, expected: expected, size: size)
        try await grant(blob, in: repository, caller)
    }
}
