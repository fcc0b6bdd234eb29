extension Migration {
    /// Which revision a manifest is, so that clients of the Hub see what clients of OCI pushed.
    static let artifactRevision = Migration(
        number: 9,
        name: "artifact-revision",
        statements: [
            "ALTER TABLE manifest ADD COLUMN revision TEXT",
            "CREATE INDEX manifest_by_revision ON manifest (repository, revision) WHERE revision IS NOT NULL",
        ]
    )
}
