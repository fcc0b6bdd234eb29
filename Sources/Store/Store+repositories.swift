public import Core

extension ReadTransaction {
    public func repository(_ id: RepositoryID) throws -> Repository? {
        try connection.first("\(Self.repositoryQuery) WHERE id = ?", id, read: Self.repository)
    }

    /// By its name; case does not count.
    public func repository(_ shelf: RepositoryShelf, _ path: RepositoryPath) throws -> Repository? {
        try connection.first(
            "\(Self.repositoryQuery) WHERE shelf = ? AND project = ? AND folded = ?",
            shelf.rawValue,
            path.project,
            path.name.folded,
            read: Self.repository
        )
    }

    /// The repositories of a shelf, or of one project there.
    ///
    /// - Parameter before: Where the last page ended, by what it is ordered by (milliseconds since 1970, or downloads):
    ///   only what stands after this one.
    public func repositories(
        on shelf: RepositoryShelf,
        of project: ProjectName? = nil,
        _ order: RepositoryOrder,
        before: (rank: Int64, id: RepositoryID)? = nil,
        limit: Int
    ) throws -> [Repository] {
        var conditions = "shelf = ?"
        var values: [any SQLBindable] = [shelf.rawValue]
        if let project {
            conditions += " AND project = ?"
            values.append(project)
        }
        let rank =
            switch order {
            case .lastChanged: "updated_at"
            case .newest: "created_at"
            case .mostDownloaded(let day):
                """
                COALESCE((SELECT SUM(d.downloads) FROM download_day d WHERE d.repository = repository.id
                    AND d.day > \(day)), 0)
                """
            }
        if let before {
            conditions += " AND (\(rank) < ? OR (\(rank) = ? AND id < ?))"
            values += [before.rank, before.rank, before.id]
        }
        values.append(limit)
        return try connection.all(
            "\(Self.repositoryQuery) WHERE \(conditions) ORDER BY \(rank) DESC, id DESC LIMIT ?",
            list: values,
            read: Self.repository
        )
    }

    /// Every repository, in the order of their making, after one of them.
    public func repositories(after: RepositoryID?, limit: Int) throws -> [Repository] {
        try connection.all(
            "\(Self.repositoryQuery) WHERE id > ? ORDER BY id LIMIT ?",
            after.map { "\($0)" } ?? "",
            limit,
            read: Self.repository
        )
    }

    private static let repositoryQuery =
        "SELECT id, kind, project, name, visibility, gating, creator, created_at, updated_at FROM repository"

    private static func repository(_ row: borrowing Row) throws -> Repository {
        Repository(
            id: try row.value(0),
            kind: try row.choice(1),
            path: RepositoryPath(project: try row.value(2), name: try row.value(3)),
            visibility: try row.choice(4),
            gating: try row.choice(5),
            creator: try row.value(6),
            createdAt: row.instant(7),
            updatedAt: row.instant(8)
        )
    }

    // MARK: Bytes

    /// The size of a blob that may be had through a repository.
    public func blobGrant(_ repository: RepositoryID, _ digest: Digest) throws -> Bytes? {
        try connection.first(
            "SELECT size FROM repository_blob WHERE repository = ? AND digest = ?",
            repository,
            digest
        ) { Bytes($0.integer(0)) }
    }

    /// The repositories through which a blob may be had.
    public func repositories(granting digest: Digest) throws -> [RepositoryID] {
        try connection.all("SELECT repository FROM repository_blob WHERE digest = ? ORDER BY repository", digest) {
            try $0.value(0)
        }
    }

    /// Of all blobs that may be had through a repository.
    public func bytes(of repository: RepositoryID) throws -> Bytes {
        try connection.first(
            "SELECT COALESCE(SUM(size), 0) FROM repository_blob WHERE repository = ?",
            repository
        ) { Bytes($0.integer(0)) } ?? 0
    }

    /// Whether any repository or any project's artifact needs a blob.
    public func isGranted(_ digest: Digest) throws -> Bool {
        try connection.first(
            """
            SELECT EXISTS (SELECT 1 FROM repository_blob WHERE digest = ?)
                OR EXISTS (SELECT 1 FROM manifest WHERE digest = ?)
                OR EXISTS (SELECT 1 FROM blob_grant WHERE digest = ?)
            """,
            digest,
            digest,
            digest
        ) { $0.bool(0) } ?? false
    }

    /// A repository's blobs in the order of their digests, after one of them.
    public func blobs(of repository: RepositoryID, after: Digest?, limit: Int) throws -> [(digest: Digest, size: Bytes)]
    {
        try connection.all(
            "SELECT digest, size FROM repository_blob WHERE repository = ? AND digest > ? ORDER BY digest LIMIT ?",
            repository,
            after.map { "\($0)" } ?? "",
            limit
        ) { (try $0.value(0), Bytes($0.integer(1))) }
    }

    /// What bytes are called by another of their names, such as `sha512:…`.
    public func digest(alias: String) throws -> Digest? {
        try connection.first("SELECT digest FROM blob_alias WHERE alias = ?", alias) { try $0.value(0) }
    }

    /// The other names of some bytes.
    public func aliases(of digest: Digest) throws -> [String] {
        try connection.all("SELECT alias FROM blob_alias WHERE digest = ? ORDER BY alias", digest) { $0.text(0) }
    }

    /// What a project's repositories hold, each repository's bytes once.
    public func storage(of project: ProjectName) throws -> Bytes {
        try connection.first("SELECT bytes FROM project_storage WHERE project = ?", project) { Bytes($0.integer(0)) }
            ?? 0
    }

    /// How many repositories there are, what they hold together, and what that takes on the disk.
    public func repositoryTotals() throws -> (repositories: Int, logical: Bytes, stored: Bytes) {
        let repositories = try connection.first("SELECT COUNT(*) FROM repository") { $0.int(0) } ?? 0
        let logical = try connection.first("SELECT COALESCE(SUM(size), 0) FROM repository_blob") { $0.integer(0) } ?? 0
        let stored =
            try connection.first(
                "SELECT COALESCE(SUM(size), 0) FROM (SELECT size FROM repository_blob GROUP BY digest)"
            ) { $0.integer(0) } ?? 0
        return (repositories, Bytes(logical), Bytes(stored))
    }

    // MARK: Access

    public func access(of user: UserName, to repository: RepositoryID) throws -> AccessState? {
        try connection.first(
            "SELECT state FROM access_request WHERE repository = ? AND member = ?",
            repository,
            user
        ) { try $0.choice(0) }
    }

    /// Who asked, the latest first.
    public func accessRequests(
        for repository: RepositoryID,
        _ state: AccessState
    ) throws -> [(user: UserName, at: Instant)] {
        try connection.all(
            "SELECT member, at FROM access_request WHERE repository = ? AND state = ? ORDER BY at DESC, member",
            repository,
            state.rawValue
        ) { (try $0.value(0), $0.instant(1)) }
    }

    /// The values of all facts of a kind about a subject, the newest first.
    public func allFacts(
        about subject: String,
        in repository: RepositoryID,
        _ kind: String,
        limit: Int
    ) throws -> [String] {
        try connection.all(
            """
            SELECT value FROM fact WHERE repository = ? AND subject = ? AND kind = ? ORDER BY sequence DESC LIMIT ?
            """,
            repository,
            subject,
            kind,
            limit
        ) { $0.text(0) }
    }

    /// The newest of each kind of fact about a subject.
    public func facts(about subject: String, in repository: RepositoryID) throws -> [Event.FactNoted] {
        try connection.all(
            """
            SELECT kind, value, tool FROM fact f WHERE repository = ? AND subject = ?
                AND sequence = (SELECT MAX(sequence) FROM fact g WHERE g.repository = f.repository
                    AND g.subject = f.subject AND g.kind = f.kind)
            ORDER BY kind
            """,
            repository,
            subject
        ) {
            Event.FactNoted(
                repository: repository,
                subject: subject,
                kind: $0.text(0),
                value: $0.text(1),
                tool: $0.text(2)
            )
        }
    }
}

extension WriteTransaction {
    func apply(_ created: Event.RepositoryCreated) throws {
        let repository = created.repository
        try connection.run(
            """
            INSERT INTO repository (
                id, shelf, kind, project, name, folded, visibility, gating, creator, created_at, updated_at
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            repository.id,
            repository.kind.shelf.rawValue,
            repository.kind.rawValue,
            repository.path.project,
            repository.path.name,
            repository.path.name.folded,
            repository.visibility.rawValue,
            repository.gating.rawValue,
            repository.creator,
            repository.createdAt,
            repository.updatedAt
        )
    }

    func apply(_ changed: Event.RepositoryChanged, _ at: Instant) throws {
        let bytes = try bytes(of: changed.repository).count
        if changed.path != nil { try hold(-bytes, in: changed.repository) }
        try change(
            "repository \(changed.repository)",
            """
            UPDATE repository SET project = COALESCE(?, project), name = COALESCE(?, name),
                folded = COALESCE(?, folded), kind = COALESCE(?, kind), visibility = COALESCE(?, visibility),
                gating = COALESCE(?, gating), updated_at = ? WHERE id = ?
            """,
            changed.path?.project,
            changed.path?.name,
            changed.path?.name.folded,
            changed.kind?.rawValue,
            changed.visibility?.rawValue,
            changed.gating?.rawValue,
            at,
            changed.repository
        )
        if changed.path != nil { try hold(bytes, in: changed.repository) }
    }

    func apply(_ removed: Event.RepositoryRemoved) throws {
        let id = removed.repository
        try hold(-(try bytes(of: id).count), in: id)
        try change("repository \(id)", "DELETE FROM repository WHERE id = ?", id)
        for table in [
            "repository_blob", "revision", "reference", "manifest", "manifest_reference", "oci_tag", "access_request",
            "fact", "discussion", "discussion_note", "sample_verdict", "download_day", "download_total",
        ] {
            try connection.run("DELETE FROM \(table) WHERE repository = ?", id)
        }
    }

    func apply(_ granted: Event.RepositoryBlobGranted) throws {
        if try blobGrant(granted.repository, granted.digest) == nil {
            try connection.run(
                "INSERT INTO repository_blob (repository, digest, size) VALUES (?, ?, ?)",
                granted.repository,
                granted.digest,
                granted.size
            )
            try hold(granted.size.count, in: granted.repository)
        }
        for alias in granted.aliases ?? [] {
            try connection.run(
                "INSERT INTO blob_alias (alias, digest) VALUES (?, ?) ON CONFLICT (alias) DO NOTHING",
                alias,
                granted.digest
            )
        }
    }

    func apply(_ revoked: Event.RepositoryBlobsRevoked) throws {
        for digest in revoked.digests {
            guard let size = try blobGrant(revoked.repository, digest) else { continue }
            try hold(-size.count, in: revoked.repository)
            try connection.run(
                "DELETE FROM repository_blob WHERE repository = ? AND digest = ?",
                revoked.repository,
                digest
            )
        }
    }

    func apply(_ set: Event.AccessSet, _ at: Instant) throws {
        try connection.run(
            """
            INSERT INTO access_request (repository, member, state, at) VALUES (?, ?, ?, ?)
            ON CONFLICT (repository, member) DO UPDATE SET state = excluded.state, at = excluded.at
            """,
            set.repository,
            set.user,
            set.state.rawValue,
            at
        )
    }

    func apply(_ noted: Event.FactNoted, _ sequence: Int64, _ at: Instant) throws {
        try connection.run(
            "INSERT INTO fact (repository, subject, kind, sequence, value, tool, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            noted.repository,
            noted.subject,
            noted.kind,
            sequence,
            noted.value,
            noted.tool,
            at
        )
    }

    func touch(_ repository: RepositoryID, _ at: Instant) throws {
        try change(
            "repository \(repository)",
            "UPDATE repository SET updated_at = ? WHERE id = ?",
            at,
            repository
        )
    }

    func hold(_ bytes: Int64, in repository: RepositoryID) throws {
        try connection.run(
            """
            INSERT INTO project_storage (project, bytes) SELECT project, ? FROM repository WHERE id = ?
            ON CONFLICT (project) DO UPDATE SET bytes = project_storage.bytes + excluded.bytes
            """,
            bytes,
            repository
        )
    }
}
