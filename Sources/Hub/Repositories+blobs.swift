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

    /// How many bytes more a project's repositories may hold.
    public struct Room: Sendable {
        public var bytes: Bytes
        /// Whose quota says so: its own, or that of one that it is part of.
        public var project: ProjectName

        /// - Throws: `.quotaExceeded` when so much does not fit.
        public func require(_ size: Bytes) throws(Failure) {
            guard size > bytes else { return }
            throw Failure(
                .quotaExceeded,
                "The quota of project '\(project)' leaves its repositories room for \(bytes) more, which \(size) do not "
                    + "fit in. Remove what is not needed, or ask an operator for more."
            )
        }
    }

    /// The least that a quota of the project, or of one that it is part of, leaves; `nil` where no quota says.
    public func room(in project: ProjectName) async throws -> Room? {
        try await store.read { try Self.room(in: project, $0) }
    }

    private static func room(
        in project: ProjectName,
        from source: ProjectName? = nil,
        _ tx: ReadTransaction
    ) throws -> Room? {
        let holders = try source.map { try tx.projectWithParents($0).map(\.name) } ?? []
        var least: Room?
        for level in try tx.projectWithParents(project) where !holders.contains(level.name) {
            guard let limit = level.quota.bytes else { continue }
            let left = max(0, limit - (try tx.storage(within: level.name)))
            if least.map({ left < $0.bytes }) ?? true { least = Room(bytes: left, project: level.name) }
        }
        return least
    }

    /// - Parameter source: The project that holds them so far: what both are part of holds no more than before.
    static func requireRoom(
        for size: Bytes,
        in project: ProjectName,
        from source: ProjectName? = nil,
        _ tx: ReadTransaction
    ) throws {
        try room(in: project, from: source, tx)?.require(size)
    }
}
