public import Core

extension ReadTransaction {
    public func revision(_ id: GitHash, of repository: RepositoryID) throws -> Revision? {
        try connection.first(
            "\(Self.revisionQuery) WHERE repository = ? AND id = ?",
            repository,
            id,
            read: Self.revision
        )
    }

    /// A revision and those before it, the newest first.
    public func history(from id: GitHash, of repository: RepositoryID, limit: Int) throws -> [Revision] {
        try connection.all(
            """
            WITH RECURSIVE line (id, step) AS (
                SELECT CAST(? AS TEXT), 1
                UNION ALL
                SELECT r.parent, line.step + 1 FROM line JOIN revision r ON r.repository = ? AND r.id = line.id
                WHERE r.parent IS NOT NULL AND line.step < ?
            )
            SELECT r.id, r.tree, r.parent, r.title, r.message, r.author, r.at
            FROM line JOIN revision r ON r.repository = ? AND r.id = line.id ORDER BY line.step
            """,
            id,
            repository,
            limit,
            repository,
            read: Self.revision
        )
    }

    /// Every revision of a repository, those that others build on before these.
    public func revisions(of repository: RepositoryID, limit: Int) throws -> [Revision] {
        try connection.all(
            "\(Self.revisionQuery) WHERE repository = ? ORDER BY sequence, id LIMIT ?",
            repository,
            limit,
            read: Self.revision
        )
    }

    /// The last revision that two have in common; `nil` when their histories never met.
    public func commonRevision(_ a: GitHash, _ b: GitHash, of repository: RepositoryID) throws -> GitHash? {
        try connection.first(
            """
            WITH RECURSIVE one (id) AS (
                SELECT CAST(? AS TEXT)
                UNION
                SELECT r.parent FROM one JOIN revision r ON r.repository = ? AND r.id = one.id
                WHERE r.parent IS NOT NULL
            ), other (id, step) AS (
                SELECT CAST(? AS TEXT), 1
                UNION ALL
                SELECT r.parent, other.step + 1 FROM other JOIN revision r ON r.repository = ? AND r.id = other.id
                WHERE r.parent IS NOT NULL
            )
            SELECT id FROM other WHERE id IN (SELECT id FROM one) ORDER BY step LIMIT 1
            """,
            a,
            repository,
            b,
            repository
        ) { try $0.value(0) }
    }

    /// Revisions that no reference and no manifest of their repository leads to.
    public func unreachableRevisions(of repository: RepositoryID, limit: Int) throws -> [GitHash] {
        try connection.all(
            """
            \(Self.reachableRevisions)
            SELECT id FROM revision WHERE repository = ? AND id NOT IN (SELECT id FROM line) ORDER BY id LIMIT ?
            """,
            repository,
            repository,
            repository,
            repository,
            limit
        ) { try $0.value(0) }
    }

    /// Whether a reference or a manifest of its repository leads to a revision.
    public func isReachable(_ revision: GitHash, of repository: RepositoryID) throws -> Bool {
        try connection.first(
            "\(Self.reachableRevisions) SELECT 1 FROM line WHERE id = ? LIMIT 1",
            repository,
            repository,
            repository,
            revision
        ) { _ in true } ?? false
    }

    /// Of the repository that is bound three times.
    private static let reachableRevisions =
        """
        WITH RECURSIVE line (id) AS (
            SELECT revision FROM reference WHERE repository = ?
            UNION
            SELECT revision FROM manifest WHERE repository = ? AND revision IS NOT NULL
            UNION
            SELECT r.parent FROM line JOIN revision r ON r.repository = ? AND r.id = line.id
            WHERE r.parent IS NOT NULL
        )
        """

    public func reference(_ name: ReferenceName, of repository: RepositoryID) throws -> GitHash? {
        try connection.first("SELECT revision FROM reference WHERE repository = ? AND name = ?", repository, name) {
            try $0.value(0)
        }
    }

    /// By name, branches first.
    public func references(
        of repository: RepositoryID
    ) throws -> [(name: ReferenceName, revision: GitHash, message: String?)] {
        try connection.all(
            "SELECT name, revision, message FROM reference WHERE repository = ? ORDER BY name",
            repository
        ) { (try $0.value(0), try $0.value(1), $0.optionalText(2)) }
    }

    /// A folder's entries by name, after one of them. Empty for a folder that is empty or unknown.
    public func entries(of tree: GitHash, after name: String = "", limit: Int = .max) throws -> [TreeEntry] {
        try connection.all(
            """
            SELECT name, kind, oid, digest, size FROM tree_entry WHERE tree = ? AND name > ? ORDER BY name LIMIT ?
            """,
            tree,
            name,
            limit,
            read: Self.entry
        )
    }

    /// A folder's entries whose names end so, by name.
    public func entries(of tree: GitHash, ending suffix: String, limit: Int) throws -> [TreeEntry] {
        try connection.all(
            """
            SELECT name, kind, oid, digest, size FROM tree_entry
            WHERE tree = ? AND SUBSTR(name, LENGTH(name) - LENGTH(?) + 1) = ? ORDER BY name LIMIT ?
            """,
            tree,
            suffix,
            suffix,
            limit,
            read: Self.entry
        )
    }

    public func entry(_ name: String, of tree: GitHash) throws -> TreeEntry? {
        try connection.first(
            "SELECT name, kind, oid, digest, size FROM tree_entry WHERE tree = ? AND name = ?",
            tree,
            name,
            read: Self.entry
        )
    }

    /// The entry at a path of several names; `nil` when it is not there.
    public func entry(at path: some Sequence<Substring>, from root: GitHash) throws -> TreeEntry? {
        var tree = root
        var found: TreeEntry?
        for name in path {
            if let found, found.kind != .folder { return nil }
            guard let entry = try entry(String(name), of: tree) else { return nil }
            (found, tree) = (entry, entry.oid)
        }
        return found
    }

    /// The bytes that any revision of a repository holds.
    public func digestsOfRevisions(of repository: RepositoryID) throws -> Set<Digest> {
        let digests = try connection.all(
            """
            WITH RECURSIVE folder (tree) AS (
                SELECT DISTINCT tree FROM revision WHERE repository = ?
                UNION
                SELECT e.oid FROM folder JOIN tree_entry e ON e.tree = folder.tree AND e.kind = 'folder'
            )
            SELECT DISTINCT e.digest FROM folder JOIN tree_entry e ON e.tree = folder.tree WHERE e.digest IS NOT NULL
            """,
            repository
        ) { try $0.value(0, as: Digest.self) }
        return Set(digests)
    }

    /// Whether any revision of a repository holds these bytes.
    public func isInRevisions(_ digest: Digest, of repository: RepositoryID) throws -> Bool {
        try connection.first(
            """
            WITH RECURSIVE folder (tree) AS (
                SELECT DISTINCT tree FROM revision WHERE repository = ?
                UNION
                SELECT e.oid FROM folder JOIN tree_entry e ON e.tree = folder.tree AND e.kind = 'folder'
            )
            SELECT 1 FROM folder JOIN tree_entry e ON e.tree = folder.tree WHERE e.digest = ? LIMIT 1
            """,
            repository,
            digest
        ) { _ in true } ?? false
    }

    private static let revisionQuery = "SELECT id, tree, parent, title, message, author, at FROM revision"

    private static func revision(_ row: borrowing Row) throws -> Revision {
        Revision(
            id: try row.value(0),
            tree: try row.value(1),
            parent: try row.optional(2),
            title: row.text(3),
            message: row.text(4),
            author: try row.value(5),
            at: row.instant(6)
        )
    }

    private static func entry(_ row: borrowing Row) throws -> TreeEntry {
        TreeEntry(
            name: row.text(0),
            kind: try row.choice(1),
            oid: try row.value(2),
            digest: try row.optional(3),
            size: Bytes(row.integer(4))
        )
    }
}

extension WriteTransaction {
    func apply(_ committed: Event.RevisionCommitted, _ sequence: Int64) throws {
        for folder in committed.folders { try apply(folder) }
        let revision = committed.revision
        try connection.run(
            """
            INSERT INTO revision (repository, id, sequence, tree, parent, title, message, author, at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            committed.repository,
            revision.id,
            sequence,
            revision.tree,
            revision.parent,
            revision.title,
            revision.message,
            revision.author,
            revision.at
        )
        guard let reference = committed.reference else { return }
        try point(reference, at: revision.id, in: committed.repository)
        try touch(committed.repository, revision.at)
    }

    /// A folder that is known is left as it is: its hash says that it is the same.
    private func apply(_ folder: Event.RevisionCommitted.Folder) throws {
        guard try entries(of: folder.tree, limit: 1).isEmpty else { return }
        if let base = folder.base {
            try connection.run(
                """
                INSERT INTO tree_entry (tree, name, kind, oid, digest, size)
                SELECT ?, name, kind, oid, digest, size FROM tree_entry WHERE tree = ?
                """,
                folder.tree,
                base
            )
            for name in folder.removed {
                try connection.run("DELETE FROM tree_entry WHERE tree = ? AND name = ?", folder.tree, name)
            }
        }
        for entry in folder.put {
            try connection.run(
                """
                INSERT INTO tree_entry (tree, name, kind, oid, digest, size) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (tree, name) DO UPDATE SET kind = excluded.kind, oid = excluded.oid,
                    digest = excluded.digest, size = excluded.size
                """,
                folder.tree,
                entry.name,
                entry.kind.rawValue,
                entry.oid,
                entry.digest,
                entry.size
            )
        }
    }

    func apply(_ set: Event.ReferenceSet) throws {
        try point(set.reference, at: set.revision, in: set.repository, message: set.message)
    }

    func apply(_ removed: Event.ReferenceRemoved) throws {
        try change(
            "reference \(removed.reference)",
            "DELETE FROM reference WHERE repository = ? AND name = ?",
            removed.repository,
            removed.reference
        )
    }

    func apply(_ dropped: Event.RevisionsDropped) throws {
        for revision in dropped.revisions {
            try connection.run(
                "DELETE FROM revision WHERE repository = ? AND id = ?",
                dropped.repository,
                revision
            )
        }
    }

    private func point(
        _ name: ReferenceName,
        at revision: GitHash,
        in repository: RepositoryID,
        message: String? = nil
    ) throws {
        try connection.run(
            """
            INSERT INTO reference (repository, name, revision, message) VALUES (?, ?, ?, ?)
            ON CONFLICT (repository, name) DO UPDATE SET revision = excluded.revision, message = excluded.message
            """,
            repository,
            name,
            revision,
            message
        )
    }
}
