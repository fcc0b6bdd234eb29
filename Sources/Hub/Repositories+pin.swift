import Blobs
public import Core
import Store
public import Wire

/// How jobs read what is in the repository.
extension Repositories {
    /// In one transaction, so that nobody waits long for the writer.
    private static let grantsMax = 500

    /// Finds a file or folder of a revision and lets a project's jobs read it.
    ///
    /// A folder becomes the tree artifact that jobs know. No byte is copied; what the project may read it keeps, also when
    /// the repository goes.
    /// - Throws: `.notFound` when there is no such revision or path that the caller can see, `.forbidden` for a gated
    ///   repository, `.tooLarge` for a folder of more files than a tree artifact holds.
    public func pin(
        _ source: RepositorySource,
        for project: ProjectName,
        _ caller: Principal
    ) async throws -> (pin: RevisionPin, digest: Digest, kind: ArtifactKind) {
        let address = RevisionAddress(source.shelf, source.path, source.revision)
        let (repository, found) = try await revision(at: address, for: .read, caller)
        guard let found else { throw Failure(.notFound, "Nothing has been committed to '\(source.path)' yet.") }
        let pin = RevisionPin(
            repository: repository.id,
            name: "\(repository.kind.shelf.rawValue)/\(repository.path)",
            revision: found.id,
            file: source.file
        )
        let (files, isFile) = try await store.read { tx in try Self.files(of: found, at: source.file, tx) }
        for (file, size) in zip(files, try await blobs.lease(files.map(\.digest), at: now())) where size == nil {
            throw Failure(.notFound, "The bytes of '\(file.path)' are not here any more. Push them again.")
        }
        try await grant(files.map { ($0.digest, $0.size) }, to: project, caller)
        if isFile, let file = files.first { return (pin, file.digest, .file) }
        let tree = try await blobs.put(TreeManifest(files: files).canonical)
        try await grant([(tree.digest, tree.size)], to: project, caller)
        return (pin, tree.digest, .tree)
    }

    /// The files below a path of a revision, and whether the path is a file's own.
    private static func files(
        of revision: Revision,
        at path: String?,
        _ tx: ReadTransaction
    ) throws -> (files: [TreeManifest.File], isFile: Bool) {
        var root = revision.tree
        if let path {
            guard let entry = try tx.entry(at: path.split(separator: "/"), from: root) else {
                throw Failure(.notFound, "There is no '\(path)' in revision \(revision.id).")
            }
            if let digest = entry.digest {
                let file = TreeManifest.File(path: entry.name, digest: digest, size: entry.size, executable: false)
                return ([file], true)
            }
            root = entry.oid
        }
        guard let placed = try Self.files(below: root, max: TreeManifest.filesMax, tx) else {
            throw Failure(
                .tooLarge,
                "A job's input may hold \(TreeManifest.filesMax) files; name a folder of the revision."
            )
        }
        let files = placed.compactMap { file in
            file.entry.digest.map {
                TreeManifest.File(path: file.path, digest: $0, size: file.entry.size, executable: false)
            }
        }
        return (files, false)
    }

    private func grant(
        _ files: [(digest: Digest, size: Bytes)],
        to project: ProjectName,
        _ caller: Principal
    ) async throws {
        let now = now()
        let missing = try await store.read { tx in
            try files.filter { try tx.blobGrant(project: project, digest: $0.digest) == nil }
        }
        for start in stride(from: 0, to: missing.count, by: Self.grantsMax) {
            let some = Array(missing[start..<min(start + Self.grantsMax, missing.count)])
            try await write { tx in
                for (digest, size) in some where try tx.blobGrant(project: project, digest: digest) == nil {
                    try tx.append(
                        .blobGranted(.init(project: project, digest: digest, size: size)),
                        project: project,
                        subject: "\(digest)",
                        actor: Self.actor(caller),
                        at: now
                    )
                }
            }
        }
    }
}
