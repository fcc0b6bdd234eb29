public import Core

extension ReadTransaction {
    public func manifest(_ digest: Digest, of repository: RepositoryID) throws -> ManifestRecord? {
        try connection.first(
            "\(Self.manifestQuery) WHERE repository = ? AND digest = ?",
            repository,
            digest,
            read: Self.manifest
        )
    }

    public func tag(_ name: String, of repository: RepositoryID) throws -> Digest? {
        try connection.first("SELECT digest FROM oci_tag WHERE repository = ? AND name = ?", repository, name) {
            try $0.value(0)
        }
    }

    /// The manifest that is a revision.
    public func manifest(ofRevision revision: GitHash, of repository: RepositoryID) throws -> ManifestRecord? {
        try connection.first(
            "\(Self.manifestQuery) WHERE repository = ? AND revision = ? ORDER BY digest LIMIT 1",
            repository,
            revision,
            read: Self.manifest
        )
    }

    /// The manifests that some bytes are a part of.
    public func manifests(madeOf digest: Digest, in repository: RepositoryID) throws -> [Digest] {
        try connection.all(
            "SELECT manifest FROM manifest_reference WHERE repository = ? AND digest = ? ORDER BY manifest",
            repository,
            digest
        ) { try $0.value(0) }
    }

    /// Whether a tag leads to a manifest.
    public func isTagged(_ manifest: Digest, in repository: RepositoryID) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM oci_tag WHERE repository = ? AND digest = ? LIMIT 1",
            repository,
            manifest
        ) { _ in true } ?? false
    }

    /// The revision that a tag leads to; `nil` when there is no such tag, or when its manifest is none.
    public func revision(ofTag name: String, of repository: RepositoryID) throws -> GitHash? {
        try connection.first(
            """
            SELECT m.revision FROM oci_tag t JOIN manifest m ON m.repository = t.repository AND m.digest = t.digest
            WHERE t.repository = ? AND t.name = ? AND m.revision IS NOT NULL
            """,
            repository,
            name
        ) { try $0.value(0) }
    }

    /// The tags that lead to revisions, in the order of their bytes.
    public func taggedRevisions(
        of repository: RepositoryID,
        limit: Int
    ) throws -> [(tag: String, revision: GitHash)] {
        try connection.all(
            """
            SELECT t.name, m.revision FROM oci_tag t
            JOIN manifest m ON m.repository = t.repository AND m.digest = t.digest
            WHERE t.repository = ? AND m.revision IS NOT NULL ORDER BY t.name LIMIT ?
            """,
            repository,
            limit
        ) { ($0.text(0), try $0.value(1)) }
    }

    /// In the order of their bytes, after one of them.
    public func tags(of repository: RepositoryID, after: String = "", limit: Int) throws -> [String] {
        try connection.all(
            "SELECT name FROM oci_tag WHERE repository = ? AND name > ? ORDER BY name LIMIT ?",
            repository,
            after,
            limit
        ) { $0.text(0) }
    }

    /// A repository's manifests in the order of their digests, after one of them.
    public func manifests(of repository: RepositoryID, after: Digest? = nil, limit: Int) throws -> [ManifestRecord] {
        try connection.all(
            "\(Self.manifestQuery) WHERE repository = ? AND digest > ? ORDER BY digest LIMIT ?",
            repository,
            after.map { "\($0)" } ?? "",
            limit,
            read: Self.manifest
        )
    }

    /// What is attached to a manifest.
    ///
    /// - Parameter subject: As the attachments write it.
    public func referrers(
        to subject: String,
        of repository: RepositoryID,
        artifactType: String? = nil,
        after: Digest? = nil,
        limit: Int
    ) throws -> [ManifestRecord] {
        let start = after.map { "\($0)" } ?? ""
        guard let artifactType else {
            return try connection.all(
                "\(Self.manifestQuery) WHERE repository = ? AND subject = ? AND digest > ? ORDER BY digest LIMIT ?",
                repository,
                subject,
                start,
                limit,
                read: Self.manifest
            )
        }
        return try connection.all(
            """
            \(Self.manifestQuery) WHERE repository = ? AND subject = ? AND artifact_type = ? AND digest > ?
            ORDER BY digest LIMIT ?
            """,
            repository,
            subject,
            artifactType,
            start,
            limit,
            read: Self.manifest
        )
    }

    /// The bytes that manifests of a repository are made of, and their own.
    public func digestsOfManifests(of repository: RepositoryID) throws -> Set<Digest> {
        let digests = try connection.all(
            """
            SELECT digest FROM manifest WHERE repository = ?
            UNION SELECT digest FROM manifest_reference WHERE repository = ?
            """,
            repository,
            repository
        ) { try $0.value(0, as: Digest.self) }
        return Set(digests)
    }

    /// Whether a manifest of the repository is made of these bytes.
    public func isReferenced(_ digest: Digest, byManifestsOf repository: RepositoryID) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM manifest_reference WHERE repository = ? AND digest = ? LIMIT 1",
            repository,
            digest
        ) { _ in true } ?? false
    }

    private static let manifestQuery =
        "SELECT digest, size, media_type, artifact_type, subject, annotations, revision FROM manifest"

    private static func manifest(_ row: borrowing Row) throws -> ManifestRecord {
        ManifestRecord(
            digest: try row.value(0),
            size: Bytes(row.integer(1)),
            mediaType: row.text(2),
            artifactType: row.optionalText(3),
            subject: row.optionalText(4),
            annotations: try row.json(5),
            revision: try row.optional(6)
        )
    }
}

extension WriteTransaction {
    func apply(_ put: Event.ManifestPut, _ at: Instant) throws {
        let manifest = put.manifest
        try connection.run(
            """
            INSERT INTO manifest (repository, digest, size, media_type, artifact_type, subject, annotations, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type,
                artifact_type = excluded.artifact_type, revision = excluded.revision
            """,
            put.repository,
            manifest.digest,
            manifest.size,
            manifest.mediaType,
            manifest.artifactType,
            manifest.subject,
            try StoredJSON.encode(manifest.annotations),
            manifest.revision
        )
        for digest in put.references {
            try connection.run(
                """
                INSERT INTO manifest_reference (repository, manifest, digest) VALUES (?, ?, ?)
                ON CONFLICT (repository, manifest, digest) DO NOTHING
                """,
                put.repository,
                manifest.digest,
                digest
            )
        }
        for tag in put.tags {
            try connection.run(
                """
                INSERT INTO oci_tag (repository, name, digest) VALUES (?, ?, ?)
                ON CONFLICT (repository, name) DO UPDATE SET digest = excluded.digest
                """,
                put.repository,
                tag,
                manifest.digest
            )
        }
        try touch(put.repository, at)
    }

    func apply(_ removed: Event.ManifestRemoved) throws {
        try change(
            "manifest \(removed.digest)",
            "DELETE FROM manifest WHERE repository = ? AND digest = ?",
            removed.repository,
            removed.digest
        )
        for table in [
            "manifest_reference WHERE repository = ? AND manifest", "oci_tag WHERE repository = ? AND digest",
        ] {
            try connection.run("DELETE FROM \(table) = ?", removed.repository, removed.digest)
        }
    }

    func apply(_ removed: Event.TagRemoved) throws {
        try change(
            "tag \(removed.tag)",
            "DELETE FROM oci_tag WHERE repository = ? AND name = ?",
            removed.repository,
            removed.tag
        )
    }
}
