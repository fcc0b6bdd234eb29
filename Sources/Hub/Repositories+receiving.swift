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
        let blob = try await blobs.put(
            stream: Pieces(pieces: parts.map { Piece(digest: $0, range: nil) }, blobs: blobs),
            expected: expected,
            size: size
        )
        try await grant(blob, in: repository, caller)
    }
}

/// A piece of a blob; the whole of it without a range.
struct Piece: Sendable {
    var digest: Digest
    var range: Range<Int64>?
}

/// Pieces of blobs, one after the other.
struct Pieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let pieces: [Piece]
    let blobs: BlobStore

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<Piece>
        let blobs: BlobStore
        /// The one that is open, as the next piece is often of the same.
        var reader: BlobReader?
        var current: BlobChunks.AsyncIterator?

        mutating func next() async throws -> ByteBuffer? {
            while true {
                if let buffer = try await current?.next() { return buffer }
                guard let piece = rest.popFirst() else { return nil }
                if reader?.digest != piece.digest { reader = try await blobs.open(piece.digest) }
                current = try reader?.chunks(piece.range).makeAsyncIterator()
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: pieces[...], blobs: blobs) }
}
