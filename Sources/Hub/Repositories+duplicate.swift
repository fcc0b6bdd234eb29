import Blobs
public import Core
import Store
public import Wire

/// Copies inside the point. No byte is read or written for them.
extension Repositories {
    /// Makes a repository with all that the branches, tags and manifests of another one lead to.
    ///
    /// - Parameter visibility: That of the source when `nil`. The gate is the source's in any case.
    /// - Throws: `.conflict` when there is one of that name; `.forbidden` with the note ``gatedNote`` when the caller may
    ///   not have the source's files; `.quotaExceeded`.
    public func duplicate(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        as target: RepositoryPath,
        visibility: Visibility?,
        _ caller: Principal?
    ) async throws -> Repository {
        let caller = try Self.signedIn(caller)
        let id = makeID(RepositoryID.self)
        return try await write(to: shelf, path, as: .read, caller) { tx, source, now in
            try Self.requirePlace(for: source.kind, at: target, caller, tx)
            try Self.requireRoom(for: try tx.bytes(of: source.id), in: target.project, tx)
            let repository = Repository(
                id: id,
                kind: source.kind,
                path: target,
                visibility: visibility ?? source.visibility,
                gating: source.gating,
                creator: caller.user,
                createdAt: now,
                updatedAt: now
            )
            try tx.append(
                .repositoryDuplicated(.init(repository: repository, source: source.id)),
                about: repository,
                caller,
                at: now
            )
            return repository
        }
    }

    /// Of one request.
    public static let copiedFilesMax = 1000

    /// Makes files of one repository available through another, so that a commit there can name them.
    ///
    /// - Returns: Those that are not in the source.
    public func copyFiles(
        _ digests: [Digest],
        from source: (shelf: RepositoryShelf, path: RepositoryPath),
        into target: (shelf: RepositoryShelf, path: RepositoryPath),
        _ caller: Principal?
    ) async throws -> [Digest] {
        let caller = try Self.signedIn(caller)
        let found = try await read(source.shelf, source.path, as: .read, caller) { tx, repository in
            try digests.compactMap { digest in
                try tx.blobGrant(repository.id, digest).map { StoredBlob(digest: digest, size: $0) }
            }
        }
        let leases = try await blobs.lease(found.map(\.digest), at: now())
        let here = zip(found, leases).filter { $1 != nil }.map(\.0)
        try await write(to: target.shelf, target.path, as: .write, caller) { tx, repository, now in
            for blob in here { try Self.grant(blob, in: repository, caller, tx, at: now) }
        }
        let names = Set(here.map(\.digest))
        return digests.filter { !names.contains($0) }
    }
}
