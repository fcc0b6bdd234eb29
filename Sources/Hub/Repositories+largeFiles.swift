public import Core
import Store
public import Wire

/// The large files of a repository, wherever in its history they are.
extension Repositories {
    /// A large file, and one of the places where it is.
    public struct LargeFile: Hashable, Sendable {
        public var digest: Digest
        public var size: Bytes
        public var path: String
        /// Of the first revision that has it.
        public var at: Instant
        /// Something that leads to a revision with it; `nil` when only older revisions have it.
        public var reference: ReferenceName?
    }

    /// So many revisions are looked through, and so many files are told apart.
    static let rewrittenMax = 20_000
    private static let largeFilesMax = 500_000

    /// The large files of all revisions, in the order of their digests, each once.
    ///
    /// Costs a look at every folder that any revision has.
    /// - Parameter after: Where the last page ended.
    /// - Throws: `.tooLarge` for a repository of more than 500,000 large files or 20,000 revisions.
    public func largeFiles(
        of shelf: RepositoryShelf,
        _ path: RepositoryPath,
        after: Digest?,
        limit: Int,
        _ caller: Principal?
    ) async throws -> (files: [LargeFile], hasMore: Bool) {
        try await read(shelf, path, as: .see, caller) { tx, repository in
            var census = LargeFileCensus(tx: tx, max: Self.largeFilesMax)
            // The places where they are now go before those where they were.
            let references = try Self.references(of: repository.id, tx).sorted { a, b in
                (a.name == .main ? 0 : 1, a.name) < (b.name == .main ? 0 : 1, b.name)
            }
            for (name, id, _) in references {
                guard let revision = try tx.revision(id, of: repository.id) else { continue }
                try census.visit(revision, name)
            }
            census.forgetFolders()
            for revision in try Self.revisions(of: repository, tx) { try census.visit(revision, nil) }
            let all = census.files.values.sorted { $0.digest < $1.digest }
            let rest = after.map { last in all.drop { $0.digest <= last } } ?? all[...]
            return (Array(rest.prefix(limit)), rest.count > limit)
        }
    }

    private static func revisions(of repository: Repository, _ tx: ReadTransaction) throws -> [Revision] {
        let revisions = try tx.revisions(of: repository.id, limit: rewrittenMax + 1)
        guard revisions.count <= rewrittenMax else {
            throw Failure(
                .tooLarge,
                "'\(repository.path)' has more than \(rewrittenMax) revisions. Squash its history first."
            )
        }
        return revisions
    }

    // MARK: Removing for good

    /// Takes large files out of every revision of a repository, and their bytes with them. Revisions that had one of them
    /// get other names, with those after them; branches, tags and pull requests follow.
    ///
    /// Files that are not there are passed over, so that it does no harm to ask twice.
    /// - Throws: `.conflict` when a manifest is made of one of them; `.tooLarge` above 20,000 revisions.
    public func removeForGood(
        _ digests: Set<Digest>,
        from shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws {
        for _ in 0..<Self.triesMax {
            let rewriting = try await read(shelf, path, as: .administer, caller) { tx, repository in
                try Self.rewriting(of: repository, without: digests, tx)
            }
            let isDone = try await write(to: shelf, path, as: .administer, caller) { tx, repository, now in
                try Self.carryOut(rewriting, in: repository, caller, tx, at: now)
            }
            if isDone { return }
        }
        throw Failure(
            .conflict,
            "Others commit to '\(path)' faster than this can follow; try again.",
            retryAfter: .seconds(1)
        )
    }

    /// A new history as worked out on what was read; nothing is written yet.
    private struct Rewriting: Sendable {
        var repository: RepositoryID
        /// Where the references were when it was worked out.
        var heads: [ReferenceName: GitHash] = [:]
        var revisions: [(old: GitHash, new: Revision, folders: [Event.RevisionCommitted.Folder])] = []
        /// What of the bytes the repository has.
        var digests: [Digest] = []
    }

    private static func rewriting(
        of repository: Repository,
        without digests: Set<Digest>,
        _ tx: ReadTransaction
    ) throws -> Rewriting {
        let here = try digests.filter { try tx.blobGrant(repository.id, $0) != nil }.sorted()
        var rewriting = Rewriting(repository: repository.id, digests: here)
        guard !here.isEmpty else { return rewriting }
        rewriting.heads = try heads(of: repository.id, tx)
        var trees = TreePurge(digests: digests) { try tx.entries(of: $0) }
        var names: [GitHash: GitHash] = [:]
        for revision in try revisions(of: repository, tx) {
            let tree = try trees.purged(revision.tree) ?? GitObject.emptyTree
            let parent = revision.parent.map { names[$0] ?? $0 }
            guard tree != revision.tree || parent != revision.parent else { continue }
            if tree != revision.tree, let manifest = try tx.manifest(ofRevision: revision.id, of: repository.id) {
                throw pushed(manifest.digest)
            }
            var new = revision
            (new.tree, new.parent) = (tree, parent)
            new.id = GitObject.commit(
                tree: tree,
                parent: parent,
                author: revision.author,
                at: revision.at,
                message: revision.message
            )
            names[revision.id] = new.id
            rewriting.revisions.append((old: revision.id, new: new, folders: trees.takeFolders()))
        }
        return rewriting
    }

    private static func heads(of repository: RepositoryID, _ tx: ReadTransaction) throws -> [ReferenceName: GitHash] {
        Dictionary(try tx.references(of: repository).map { ($0.name, $0.revision) }) { first, _ in first }
    }

    private static func pushed(_ manifest: Digest) -> Failure {
        Failure(
            .conflict,
            "The manifest \(manifest) that was pushed to the registry is made of one of these files; delete it there"
                + " first, as with 'oras manifest delete'."
        )
    }

    /// Removes the manifests that were only made for somebody who asked the registry for a revision, and throws for others.
    private static func removeManifests(
        of rewriting: Rewriting,
        in repository: Repository,
        _ caller: Principal?,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws {
        let manifests = Set(try rewriting.digests.flatMap { try tx.manifests(madeOf: $0, in: repository.id) })
        guard !manifests.isEmpty else { return }
        let made = Set(try rewriting.revisions.compactMap { try madeManifest(of: $0.old, in: repository, tx) })
        for manifest in manifests.sorted() {
            guard made.contains(manifest), try !tx.isTagged(manifest, in: repository.id),
                try !tx.isReferenced(manifest, byManifestsOf: repository.id)
            else { throw pushed(manifest) }
            let removed = Event.ManifestRemoved(repository: repository.id, digest: manifest)
            try tx.append(.manifestRemoved(removed), about: repository, caller, at: now)
        }
    }

    /// - Returns: `false` when something has changed since it was worked out.
    private static func carryOut(
        _ rewriting: Rewriting,
        in repository: Repository,
        _ caller: Principal?,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> Bool {
        guard !rewriting.digests.isEmpty else { return true }
        // A revision comes with a reference that moves, or with a manifest.
        guard repository.id == rewriting.repository, try heads(of: repository.id, tx) == rewriting.heads else {
            return false
        }
        try removeManifests(of: rewriting, in: repository, caller, tx, at: now)
        for (_, new, folders) in rewriting.revisions where try tx.revision(new.id, of: repository.id) == nil {
            try tx.append(
                .revisionCommitted(
                    .init(repository: repository.id, revision: new, folders: folders, reference: nil)
                ),
                about: repository,
                caller,
                at: now
            )
        }
        let names = Dictionary(rewriting.revisions.map { ($0.old, $0.new.id) }) { first, _ in first }
        for (name, revision, message) in try tx.references(of: repository.id) {
            guard let new = names[revision] else { continue }
            try tx.append(
                .referenceSet(
                    .init(repository: repository.id, reference: name, revision: new, message: message)
                ),
                about: repository,
                caller,
                at: now
            )
        }
        if !names.isEmpty {
            try tx.append(
                .revisionsDropped(.init(repository: repository.id, revisions: rewriting.revisions.map(\.old))),
                about: repository,
                caller,
                at: now
            )
        }
        try tx.append(
            .repositoryBlobsRevoked(.init(repository: repository.id, digests: rewriting.digests)),
            about: repository,
            caller,
            at: now
        )
        return true
    }
}

/// Finds the large files below the root folders of revisions, looking into each folder once.
private struct LargeFileCensus {
    let tx: ReadTransaction
    let max: Int
    private(set) var files: [Digest: Repositories.LargeFile] = [:]
    private var folders: Set<GitHash> = []
    private var dated: Set<Digest> = []

    init(tx: ReadTransaction, max: Int) { (self.tx, self.max) = (tx, max) }

    /// Begins anew, for another look at the same revisions.
    mutating func forgetFolders() { folders = [] }

    mutating func visit(_ revision: Revision, _ reference: ReferenceName?) throws {
        try visit(revision.tree, "", revision, reference)
    }

    private mutating func visit(
        _ tree: GitHash,
        _ prefix: String,
        _ revision: Revision,
        _ reference: ReferenceName?
    ) throws {
        guard folders.insert(tree).inserted else { return }
        for entry in try tx.entries(of: tree) {
            if entry.kind == .folder { try visit(entry.oid, prefix + entry.name + "/", revision, reference) }
            guard entry.kind == .large, let digest = entry.digest else { continue }
            if files[digest] == nil {
                guard files.count < max else {
                    throw Failure(.tooLarge, "There are more than \(max) large files in this repository.")
                }
                files[digest] = Repositories.LargeFile(
                    digest: digest,
                    size: entry.size,
                    path: prefix + entry.name,
                    at: revision.at,
                    reference: reference
                )
            }
            // The second look goes from the first revision on.
            if reference == nil, dated.insert(digest).inserted { files[digest]?.at = revision.at }
        }
    }
}

/// Takes files out of folders by their bytes, looking into each folder once.
private struct TreePurge {
    let digests: Set<Digest>
    let entries: (GitHash) throws -> [TreeEntry]
    /// What became of the folders that were looked into; `nil` of those in which nothing is left.
    private var known: [GitHash: GitHash?] = [:]
    private var fresh: [Event.RevisionCommitted.Folder] = []

    init(digests: Set<Digest>, entries: @escaping (GitHash) throws -> [TreeEntry]) {
        (self.digests, self.entries) = (digests, entries)
    }

    /// The new folders since the last time, those inside before those around them.
    mutating func takeFolders() -> [Event.RevisionCommitted.Folder] {
        defer { fresh = [] }
        return fresh
    }

    /// The folder without the files; `nil` when nothing is left, as git knows no empty folders.
    mutating func purged(_ tree: GitHash) throws -> GitHash? {
        if let known = known[tree] { return known }
        let before = try entries(tree)
        var (kept, put, removed): ([TreeEntry], [TreeEntry], [String]) = ([], [], [])
        for var entry in before {
            if entry.kind == .folder {
                guard let inner = try purged(entry.oid) else {
                    removed.append(entry.name)
                    continue
                }
                if inner != entry.oid {
                    entry.oid = inner
                    put.append(entry)
                }
            } else if let digest = entry.digest, digests.contains(digest) {
                removed.append(entry.name)
                continue
            }
            kept.append(entry)
        }
        var result: GitHash? = tree
        if !put.isEmpty || !removed.isEmpty {
            result = kept.isEmpty ? nil : GitObject.tree(kept)
            if let result { fresh.append(.init(tree: result, base: tree, put: put, removed: removed)) }
        }
        known[tree] = .some(result)
        return result
    }
}
