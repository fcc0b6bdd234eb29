import Core

/// One numbered step of the schema. Textual and never edited once released.
struct Migration: Sendable {
    let number: Int64
    let name: String
    /// `{sequence_key}` stands for the dialect's own words.
    let statements: [String]

    static let all: [Migration] = [
        .first, .runWaiting, .agentSeat, .runToTell, .runEnded, .forecast, .repository,
        .repositoryLists, .artifactRevision, .sampleVerdict, .projectTree, .reservation, .repositoryLife,
        .simulation,
    ]
}

enum Schema {
    /// Everything that is a function of the log, in the order of their making.
    static let views = [
        "member", "project", "membership", "token", "idempotency", "centre", "join_token", "job", "job_count",
        "job_array", "dependency", "workflow", "run", "project_usage", "artifact", "blob_grant", "usage", "usage_hour",
        "ledger_entry", "balance", "forecast", "repository", "repository_blob", "blob_alias", "project_storage",
        "revision",
        "reference", "tree_entry", "manifest", "manifest_reference", "oci_tag", "access_request", "fact", "discussion",
        "lineage",
        "publication", "sample_verdict", "reservation", "discussion_note", "download_day", "download_total",
        "simulation",
    ]

    /// Brings a database to the newest version.
    ///
    /// - Throws: `.conflict` when a newer version of Onepoint wrote it, `.internal` when it is somebody else's.
    static func migrate(_ connection: Connection, to migrations: [Migration] = Migration.all) throws {
        if try connection.first(Dialect.tableNamed, "schema", read: { _ in true }) == nil {
            guard try connection.first(Dialect.anyTable, read: { _ in true }) == nil else {
                throw Failure.damaged("the database has tables, but no table named schema")
            }
            try connection.run("CREATE TABLE schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        }
        let version = try connection.first("SELECT COALESCE(MAX(version), 0) FROM schema") { $0.integer(0) } ?? 0
        let newest = migrations.last?.number ?? 0
        guard version <= newest else {
            throw Failure(
                .conflict,
                "A newer Onepoint wrote this database (schema \(version); this one knows \(newest)). "
                    + "Start that version, or restore a backup made before the upgrade."
            )
        }
        for migration in migrations where migration.number > version {
            try connection.run(Dialect.beginWrite)
            do {
                for statement in migration.statements {
                    try connection.run(statement.replacing("{sequence_key}", with: Dialect.sequenceKey))
                }
                try connection.run(
                    "INSERT INTO schema (version, name) VALUES (?, ?)",
                    migration.number,
                    migration.name
                )
                try connection.run("COMMIT")
            } catch {
                if !connection.isAutocommit { _ = try? connection.run("ROLLBACK") }
                throw error
            }
        }
        connection.finalizeStatements()
    }
}
