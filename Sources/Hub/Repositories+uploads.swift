public import Blobs
public import Core
public import NIOCore
import Store
public import Wire

/// Uploads of bytes into one repository, in pieces and over restarts of the point. Whoever began an upload goes on with
/// it; to everybody else it does not exist.
extension Repositories {
    /// The repository that somebody is about to put something into. The first push makes it, for its project only.
    ///
    /// - Parameter kind: Of a new one; one that is there may be of any kind of the same shelf.
    /// - Throws: `.notFound` where the caller sees no such project, `.forbidden` without the right to write.
    public func target(_ kind: RepositoryKind, _ path: RepositoryPath, _ caller: Principal?) async throws -> Repository
    {
        let caller = try Self.signedIn(caller)
        if let known = try await store.read({ try Self.known(kind, path, caller, $0) }) { return known }
        let (id, now) = (makeID(RepositoryID.self), now())
        return try await write { tx in
            // Looked at again: somebody else's first push may have come first.
            if let known = try Self.known(kind, path, caller, tx) { return known }
            return try Self.create(kind, path, visibility: .private, id: id, caller, tx, at: now)
        }
    }

    /// Throws unless the caller may put something there, whether the repository is there or not.
    public func requireTarget(_ kind: RepositoryKind, _ path: RepositoryPath, _ caller: Principal?) async throws {
        let caller = try Self.signedIn(caller)
        try await store.read { tx in
            if try Self.known(kind, path, caller, tx) == nil { try Self.requireMember(of: path.project, caller, tx) }
        }
    }

    static func known(
        _ kind: RepositoryKind,
        _ path: RepositoryPath,
        _ caller: Principal,
        _ tx: ReadTransaction
    ) throws -> Repository? {
        guard let known = try tx.repository(kind.shelf, path) else { return nil }
        try require(.write, on: known, caller, tx)
        return known
    }

    /// Begins an upload into a repository that the caller may write to.
    public func beginUpload(into repository: Repository, _ caller: Principal?) async throws -> UploadID {
        try await blobs.begin(owner: try Self.owner(repository, caller), now: now())
    }

    /// How much of an upload has come.
    ///
    /// - Throws: `.notFound` for an upload that has ended, or is not the caller's into this repository.
    public func offset(of upload: UploadID, into repository: Repository, _ caller: Principal?) async throws -> Int64 {
        try await requireUpload(upload, into: repository, caller)
        return try await blobs.offset(of: upload)
    }

    /// Appends what a connection brings.
    ///
    /// - Parameter offset: Where it is to begin; wherever the upload stands when that is `nil`.
    /// - Returns: How much has come now.
    /// - Throws: `.preconditionFailed` when the upload stands elsewhere, and as ``offset(of:into:_:)``. What came before
    ///   the stream broke off is kept.
    public func append<Chunks: AsyncSequence & Sendable>(
        to upload: UploadID,
        into repository: Repository,
        at offset: Int64?,
        _ stream: Chunks,
        _ caller: Principal?
    ) async throws -> Int64 where Chunks.Element == ByteBuffer {
        let end = try await self.offset(of: upload, into: repository, caller)
        return try await blobs.append(upload, offset: offset ?? end, stream: stream)
    }

    /// Checks an upload against its digest, and makes it available through the repository.
    ///
    /// - Throws: `.digestMismatch` when other bytes came; the upload has ended then.
    public func finish(
        _ upload: UploadID,
        into repository: Repository,
        as digest: ContentDigest,
        _ caller: Principal?
    ) async throws -> StoredBlob {
        try await requireUpload(upload, into: repository, caller)
        let blob: StoredBlob
        switch digest {
        case .sha256(let digest):
            blob = try await blobs.finish(upload, expected: digest)
            try await grant(blob, in: repository, caller)
        case .sha512(let hex):
            let found = try await blobs.sha512(of: upload)
            guard found.hex == hex else {
                try await blobs.abort(upload)
                throw Failure(.digestMismatch, "The bytes that came are not \(digest). Nothing was stored.")
            }
            blob = try await blobs.finish(upload)
            guard blob.size.count == found.count else {
                throw Failure(.conflict, "More bytes came while the upload was being finished. Begin anew.")
            }
            try await grant(blob, aliases: ["\(digest)"], in: repository, caller)
        }
        return blob
    }

    /// Ends an upload and drops its bytes.
    public func abort(_ upload: UploadID, into repository: Repository, _ caller: Principal?) async throws {
        try await requireUpload(upload, into: repository, caller)
        try await blobs.abort(upload)
    }

    /// Makes bytes of one repository available through another without their coming again.
    ///
    /// - Parameter source: Where the caller may read them; any repository where they may when that is `nil`.
    /// - Returns: `nil` when the caller has these bytes nowhere that counts. That includes where they may not read them:
    ///   knowing a digest is not having the bytes.
    public func mount(
        _ digest: ContentDigest,
        from source: (shelf: RepositoryShelf, path: RepositoryPath)?,
        into repository: Repository,
        _ caller: Principal?
    ) async throws -> StoredBlob? {
        let found: StoredBlob? = try await store.read { tx in
            guard let digest = try Self.plain(digest, tx) else { return nil }
            let candidates: [Repository]
            if let source {
                candidates = try [tx.repository(source.shelf, source.path)].compactMap { $0 }
            } else {
                candidates = try tx.repositories(granting: digest).prefix(Self.mountSourcesMax)
                    .compactMap { try tx.repository($0) }
            }
            for candidate in candidates where try Self.mayRead(candidate, caller, tx) {
                if let size = try tx.blobGrant(candidate.id, digest) { return StoredBlob(digest: digest, size: size) }
            }
            return nil
        }
        guard let found, try await blobs.lease([found.digest], at: now())[0] != nil else { return nil }
        try await grant(found, in: repository, caller)
        return found
    }

    /// Repositories looked through for bytes that are to be mounted from anywhere.
    private static let mountSourcesMax = 256

    static func mayRead(_ repository: Repository, _ caller: Principal?, _ tx: ReadTransaction) throws -> Bool {
        do {
            try require(.read, on: repository, caller, tx)
            return true
        } catch is Failure {
            return false
        }
    }

    /// What the blob store calls these bytes, if anybody ever gave them the other name.
    static func plain(_ digest: ContentDigest, _ tx: ReadTransaction) throws -> Digest? {
        switch digest {
        case .sha256(let digest): digest
        case .sha512: try tx.digest(alias: "\(digest)")
        }
    }

    private static func owner(_ repository: Repository, _ caller: Principal?) throws -> String {
        "\(repository.id) \(actor(try signedIn(caller)))"
    }

    private func requireUpload(_ upload: UploadID, into repository: Repository, _ caller: Principal?) async throws {
        guard try await blobs.owner(of: upload) == Self.owner(repository, caller) else {
            throw Failure(.notFound, "There is no such upload, or it has ended. Begin a new one.")
        }
    }
}
