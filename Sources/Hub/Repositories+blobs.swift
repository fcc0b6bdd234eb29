public import Blobs
public import Core
import Store
public import Wire

extension Repositories {
    /// The size of bytes that may be had through a repository; `nil` when they are not there. Leases them.
    ///
    /// The caller's right to read the repository was checked before.
    public func size(of digest: Digest, in repository: Repository) async throws -> Bytes? {
        guard try await store.read({ try $0.blobGrant(repository.id, digest) }) != nil else { return nil }
        return try await blobs.lease([digest], at: now())[0]
    }

    /// Opens bytes that may be had through a repository; `nil` when they are not there.
    public func open(_ digest: Digest, in repository: Repository) async throws -> BlobReader? {
        guard try await size(of: digest, in: repository) != nil else { return nil }
        return try await blobs.open(digest)
    }

    /// Makes bytes that are in the store available through a repository. They were verified and leased before.
    ///
    /// - Parameter aliases: Other names of the bytes that were verified, such as `sha512:…`.
    /// - Throws: `.quotaExceeded` when the project may hold no more.
    public func grant(
        _ blob: StoredBlob,
        aliases: [String] = [],
        in repository: Repository,
        _ caller: Principal?
    ) async throws {
        let now = now()
        try await write { tx in
            // It may have been removed while the bytes came.
            guard let repository = try tx.repository(repository.id) else { throw Self.unknown(repository.path) }
            try Self.require(.write, on: repository, caller, tx)
            try Self.grant(blob, aliases: aliases, in: repository, caller, tx, at: now)
        }
    }

    static func grant(
        _ blob: StoredBlob,
        aliases: [String] = [],
        in repository: Repository,
        _ caller: Principal?,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws {
        let isKnown = try tx.blobGrant(repository.id, blob.digest) != nil
        let fresh = try aliases.filter { try tx.digest(alias: $0) != blob.digest }
        guard !isKnown || !fresh.isEmpty else { return }
        if !isKnown { try requireRoom(for: blob.size, in: repository.path.project, tx) }
        try tx.append(
            .repositoryBlobGranted(
                .init(
                    repository: repository.id,
                    digest: blob.digest,
                    size: blob.size,
                    aliases: fresh.isEmpty ? nil : fresh
                )
            ),
            about: repository,
            caller,
            at: now
        )
    }

    /// How many bytes more a project's repositories may hold; `nil` where no quota says.
    public func room(in project: ProjectName) async throws -> Bytes? {
        try await store.read { try Self.room(in: project, $0) }
    }

    private static func room(in project: ProjectName, _ tx: ReadTransaction) throws -> Bytes? {
        guard let limit = try tx.project(project)?.quota.bytes else { return nil }
        return max(0, limit - (try tx.storage(of: project)))
    }

    static func requireRoom(for size: Bytes, in project: ProjectName, _ tx: ReadTransaction) throws {
        if let room = try room(in: project, tx), size > room { throw noRoom(for: size, of: room, in: project) }
    }

    public static func noRoom(for size: Bytes, of room: Bytes, in project: ProjectName) -> Failure {
        Failure(
            .quotaExceeded,
            "The quota of project '\(project)' leaves its repositories room for \(room) more, which \(size) do not fit in."
                + " Remove what is not needed, or ask an operator for more."
        )
    }
}
