public import Core
import Store
public import Wire

/// A revision as somebody names it: `main`, `v1`, `refs/pr/3`, or its 40 digits.
public struct RevisionAddress: Hashable, Sendable {
    public var shelf: RepositoryShelf
    public var path: RepositoryPath
    public var revision: String

    public init(_ shelf: RepositoryShelf, _ path: RepositoryPath, _ revision: String = "main") {
        (self.shelf, self.path, self.revision) = (shelf, path, revision)
    }
}

/// A file or folder with its place in the revision.
public struct PlacedEntry: Hashable, Sendable {
    public var path: String
    public var entry: TreeEntry

    public init(path: String, entry: TreeEntry) { (self.path, self.entry) = (path, entry) }
}

extension Repositories {
    /// Failures about a revision, or about a path in one, have these notes: the Hub's clients tell them apart.
    public static let revisionNote = "revision"
    public static let entryNote = "entry"

    /// A repository and one of its revisions; the revision is `nil` only for `main` of a repository that has none yet.
    ///
    /// - Throws: `.notFound` with the note ``revisionNote`` when the repository has no such revision.
    public func revision(
        at address: RevisionAddress,
        for right: RepositoryRight,
        _ caller: Principal?
    ) async throws -> (repository: Repository, revision: Revision?) {
        try await read(address.shelf, address.path, as: right, caller) { tx, repository in
            if let revision = try Self.resolve(address.revision, of: repository.id, tx) {
                return (repository, revision)
            }
            guard Self.reference(named: address.revision) == .main else { throw Self.absent(address) }
            return (repository, nil)
        }
    }

    /// What is at a path of a revision, in one look; the entry is `nil` when nothing is.
    public func entry(
        _ path: String,
        at address: RevisionAddress,
        for right: RepositoryRight,
        _ caller: Principal?
    ) async throws -> (repository: Repository, revision: Revision, entry: TreeEntry?) {
        try await read(address.shelf, address.path, as: right, caller) { tx, repository in
            let revision = try Self.requireRevision(address, of: repository, tx)
            let names = path.split(separator: "/")
            return (repository, revision, names.isEmpty ? nil : try tx.entry(at: names, from: revision.tree))
        }
    }

    /// What is at each of some paths of a revision; those where nothing is are left out.
    public func entries(
        _ paths: [String],
        at address: RevisionAddress,
        _ caller: Principal?
    ) async throws -> (repository: Repository, revision: Revision, entries: [PlacedEntry]) {
        try await read(address.shelf, address.path, as: .see, caller) { tx, repository in
            let revision = try Self.requireRevision(address, of: repository, tx)
            let found = try paths.compactMap { path in
                try tx.entry(at: path.split(separator: "/"), from: revision.tree).map {
                    PlacedEntry(path: path, entry: $0)
                }
            }
            return (repository, revision, found)
        }
    }

    /// What is in a folder of a revision, in the order of the names, a folder before what is inside it.
    ///
    /// - Parameters:
    ///   - folder: Without slashes around it; empty for the root.
    ///   - after: The path that the last page ended with.
    /// - Returns: At most `limit` entries, and whether more follow.
    /// - Throws: `.notFound` with the note ``entryNote`` when there is no such folder.
    public func list(
        _ folder: String = "",
        at address: RevisionAddress,
        isRecursive: Bool,
        after: String? = nil,
        limit: Int,
        _ caller: Principal?
    ) async throws -> (repository: Repository, revision: Revision, entries: [PlacedEntry], hasMore: Bool) {
        try await read(address.shelf, address.path, as: .see, caller) { tx, repository in
            let revision = try Self.requireRevision(address, of: repository, tx)
            var tree = revision.tree
            let names = folder.split(separator: "/")
            if !names.isEmpty {
                guard let entry = try tx.entry(at: names, from: tree), entry.kind == .folder else {
                    throw Self.absent(folder, in: address)
                }
                tree = entry.oid
            }
            var walk = TreeWalk(tx: tx, isRecursive: isRecursive, limit: limit + 1)
            let prefix = names.isEmpty ? "" : names.joined(separator: "/") + "/"
            let last = after.flatMap { $0.hasPrefix(prefix) ? $0.dropFirst(prefix.count).split(separator: "/") : nil }
            try walk.visit(tree, prefix, after: last?[...] ?? [])
            let hasMore = walk.entries.count > limit
            return (repository, revision, Array(walk.entries.prefix(limit)), hasMore)
        }
    }

    /// A revision and those before it, the newest first.
    public func history(
        at address: RevisionAddress,
        skipping: Int = 0,
        limit: Int,
        _ caller: Principal?
    ) async throws -> (repository: Repository, revisions: [Revision]) {
        try await read(address.shelf, address.path, as: .see, caller) { tx, repository in
            let revision = try Self.requireRevision(address, of: repository, tx)
            let history = try tx.history(from: revision.id, of: repository.id, limit: skipping + limit)
            return (repository, Array(history.dropFirst(skipping)))
        }
    }

    /// The revision that brought each of some paths to what they are. Looks at the last ``historyMax`` revisions; what
    /// is older is put down to the oldest of them.
    public func lastChanges(
        of paths: [String],
        at address: RevisionAddress,
        _ caller: Principal?
    ) async throws -> [String: Revision] {
        try await read(address.shelf, address.path, as: .see, caller) { tx, repository in
            let revision = try Self.requireRevision(address, of: repository, tx)
            let history = try tx.history(from: revision.id, of: repository.id, limit: Self.historyMax)
            var waiting: [String: TreeEntry] = [:]
            for path in paths { waiting[path] = try tx.entry(at: path.split(separator: "/"), from: revision.tree) }
            var found: [String: Revision] = [:]
            for (index, revision) in history.enumerated() where !waiting.isEmpty {
                let older = index + 1 < history.count ? history[index + 1] : nil
                for (path, entry) in waiting {
                    if let older {
                        if older.tree == revision.tree { continue }
                        if try tx.entry(at: path.split(separator: "/"), from: older.tree) == entry { continue }
                    }
                    found[path] = revision
                    waiting[path] = nil
                }
            }
            return found
        }
    }

    static let historyMax = 1000

    /// Of the registry, among a repository's references.
    private static let listedTagsMax = 10_000

    /// Everything that points at a revision, by name; the first 10,000 tags of the registry with it.
    public func references(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> [(name: ReferenceName, revision: GitHash, message: String?)] {
        try await store.read { tx in
            try Self.references(of: try Self.find(shelf, path, for: .see, caller, tx).id, tx)
        }
    }

    static func references(
        of repository: RepositoryID,
        _ tx: ReadTransaction
    ) throws -> [(name: ReferenceName, revision: GitHash, message: String?)] {
        let references = try tx.references(of: repository)
        let taken = Set(references.map(\.name))
        // Some names of tags in a registry are none in git.
        let pushed = try tx.taggedRevisions(of: repository, limit: listedTagsMax).compactMap { tag, revision in
            ReferenceName(.tag, tag).map { (name: $0, revision: revision, message: String?.none) }
        }
        return (references + pushed.filter { !taken.contains($0.name) }).sorted { $0.name < $1.name }
    }

    /// The files below a folder with their paths from it, in the order of the names; `nil` when there are more than that.
    static func files(below tree: GitHash, max: Int, _ tx: ReadTransaction) throws -> [PlacedEntry]? {
        var walk = TreeWalk(tx: tx, isRecursive: true, filesOnly: true, limit: max + 1)
        try walk.visit(tree, "", after: [])
        return walk.entries.count > max ? nil : walk.entries
    }

    // MARK: Names

    /// The revision that a text names: a commit, a branch, a tag, or a tag that an OCI client pushed.
    static func resolve(_ text: String, of repository: RepositoryID, _ tx: ReadTransaction) throws -> Revision? {
        if let revision = try committed(text, of: repository, tx) { return revision }
        guard GitHash(text) == nil else { return nil }
        var tags = [text.hasPrefix(tagPrefix) ? String(text.dropFirst(tagPrefix.count)) : text]
        if reference(named: text) == .main { tags = mainTags }
        for tag in tags {
            if let id = try tx.revision(ofTag: tag, of: repository) { return try tx.revision(id, of: repository) }
        }
        return nil
    }

    private static let tagPrefix = "refs/tags/"

    /// The revision that a text names without the registry's tags.
    static func committed(_ text: String, of repository: RepositoryID, _ tx: ReadTransaction) throws -> Revision? {
        if let id = GitHash(text) { return try tx.revision(id, of: repository) }
        for name in [reference(named: text), ReferenceName(.tag, text)] {
            if let name, let id = try tx.reference(name, of: repository) { return try tx.revision(id, of: repository) }
        }
        return nil
    }

    static func requireRevision(
        _ address: RevisionAddress,
        of repository: Repository,
        _ tx: ReadTransaction
    ) throws -> Revision {
        guard let revision = try resolve(address.revision, of: repository.id, tx) else { throw absent(address) }
        return revision
    }

    /// What a text that is no hash names first: a branch, unless it says otherwise as `refs/tags/v1` does.
    static func reference(named text: String) -> ReferenceName? {
        if text.hasPrefix("refs/") { return ReferenceName(String(text.dropFirst(5))) }
        return ReferenceName(.branch, text)
    }

    static func absent(_ address: RevisionAddress) -> Failure {
        Failure(.notFound, "'\(address.path)' has no revision '\(address.revision)'.", note: revisionNote)
    }

    static func absent(_ path: String, in address: RevisionAddress) -> Failure {
        Failure(
            .notFound,
            "There is no '\(path)' in revision '\(address.revision)' of '\(address.path)'.",
            note: entryNote
        )
    }
}

/// Collects the entries below a folder up to a limit, going on behind the path where the last walk ended.
private struct TreeWalk {
    let tx: ReadTransaction
    let isRecursive: Bool
    var filesOnly = false
    let limit: Int
    var entries: [PlacedEntry] = []

    mutating func visit(_ tree: GitHash, _ prefix: String, after: ArraySlice<Substring>) throws {
        var name = ""
        if let first = after.first {
            name = String(first)
            if isRecursive, let entry = try tx.entry(name, of: tree), entry.kind == .folder {
                try visit(entry.oid, prefix + name + "/", after: after.dropFirst())
            }
        }
        while entries.count < limit {
            let batch = try tx.entries(of: tree, after: name, limit: limit - entries.count)
            guard let last = batch.last else { return }
            for entry in batch where entries.count < limit {
                if !filesOnly || entry.kind != .folder {
                    entries.append(PlacedEntry(path: prefix + entry.name, entry: entry))
                }
                if isRecursive, entry.kind == .folder { try visit(entry.oid, prefix + entry.name + "/", after: []) }
            }
            name = last.name
        }
    }
}
