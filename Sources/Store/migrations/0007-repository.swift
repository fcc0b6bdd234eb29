extension Migration {
    /// The repository. Bytes have no table: a blob is there when its file is, and `repository_blob` says through which
    /// repositories it may be had.
    static let repository = Migration(
        number: 7,
        name: "repository",
        statements: [
            // `folded` is the name in lower case: two names that differ only in case are one.
            """
            CREATE TABLE repository (
                id TEXT PRIMARY KEY, shelf TEXT NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL,
                name TEXT NOT NULL, folded TEXT NOT NULL, visibility TEXT NOT NULL, gating TEXT NOT NULL,
                creator TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX repository_by_name ON repository (shelf, project, folded)",
            "CREATE INDEX repository_by_update ON repository (shelf, updated_at, id)",
            """
            CREATE TABLE repository_blob (
                repository TEXT NOT NULL, digest TEXT NOT NULL, size BIGINT NOT NULL,
                PRIMARY KEY (repository, digest)
            )
            """,
            "CREATE INDEX repository_blob_by_digest ON repository_blob (digest)",
            "CREATE TABLE blob_alias (alias TEXT PRIMARY KEY, digest TEXT NOT NULL)",
            "CREATE INDEX blob_alias_by_digest ON blob_alias (digest)",
            // What a project's repositories hold, each repository's bytes once.
            "CREATE TABLE project_storage (project TEXT PRIMARY KEY, bytes BIGINT NOT NULL)",
            """
            CREATE TABLE revision (
                repository TEXT NOT NULL, id TEXT NOT NULL, sequence BIGINT NOT NULL, tree TEXT NOT NULL, parent TEXT,
                title TEXT NOT NULL, message TEXT NOT NULL, author TEXT NOT NULL, at BIGINT NOT NULL,
                PRIMARY KEY (repository, id)
            )
            """,
            """
            CREATE TABLE reference (
                repository TEXT NOT NULL, name TEXT NOT NULL, revision TEXT NOT NULL, message TEXT,
                PRIMARY KEY (repository, name)
            )
            """,
            // Folders are kept by the hash of what is in them, as git keeps them: every repository shares them.
            """
            CREATE TABLE tree_entry (
                tree TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, oid TEXT NOT NULL, digest TEXT,
                size BIGINT NOT NULL, PRIMARY KEY (tree, name)
            )
            """,
            """
            CREATE TABLE manifest (
                repository TEXT NOT NULL, digest TEXT NOT NULL, size BIGINT NOT NULL, media_type TEXT NOT NULL,
                artifact_type TEXT, subject TEXT, annotations TEXT NOT NULL, PRIMARY KEY (repository, digest)
            )
            """,
            "CREATE INDEX manifest_by_digest ON manifest (digest)",
            "CREATE INDEX manifest_by_subject ON manifest (repository, subject, digest) WHERE subject IS NOT NULL",
            """
            CREATE TABLE manifest_reference (
                repository TEXT NOT NULL, manifest TEXT NOT NULL, digest TEXT NOT NULL,
                PRIMARY KEY (repository, manifest, digest)
            )
            """,
            "CREATE INDEX manifest_reference_by_digest ON manifest_reference (repository, digest)",
            """
            CREATE TABLE oci_tag (
                repository TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, name)
            )
            """,
            "CREATE INDEX oci_tag_by_digest ON oci_tag (repository, digest)",
            """
            CREATE TABLE access_request (
                repository TEXT NOT NULL, member TEXT NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL,
                PRIMARY KEY (repository, member)
            )
            """,
            """
            CREATE TABLE fact (
                repository TEXT NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, sequence BIGINT NOT NULL,
                value TEXT NOT NULL, tool TEXT NOT NULL, at BIGINT NOT NULL,
                PRIMARY KEY (repository, subject, kind, sequence)
            )
            """,
            """
            CREATE TABLE discussion (
                repository TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
                author TEXT NOT NULL, at BIGINT NOT NULL, is_pull_request INTEGER NOT NULL, state TEXT NOT NULL,
                PRIMARY KEY (repository, number)
            )
            """,
            // Which jobs read a revision and which wrote it. Jobs of an array that read the same share a row.
            """
            CREATE TABLE lineage (
                repository TEXT NOT NULL, revision TEXT NOT NULL, direction TEXT NOT NULL, job TEXT NOT NULL,
                name TEXT NOT NULL, file TEXT, jobs INTEGER NOT NULL,
                PRIMARY KEY (repository, revision, direction, job, name)
            )
            """,
            "CREATE INDEX lineage_by_job ON lineage (job, direction, name)",
            """
            CREATE TABLE publication (
                job TEXT NOT NULL, output TEXT NOT NULL, state TEXT NOT NULL, repository TEXT, revision TEXT, detail TEXT,
                PRIMARY KEY (job, output)
            )
            """,
            "CREATE INDEX publication_due ON publication (job, output) WHERE state = 'due'",
        ]
    )
}
