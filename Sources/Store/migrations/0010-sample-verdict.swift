extension Migration {
    /// What people said of records that were drawn from releases of training data. Grows by a row for each step that
    /// somebody takes; a repository takes its rows with it.
    static let sampleVerdict = Migration(
        number: 10,
        name: "sample-verdict",
        statements: [
            """
            CREATE TABLE sample_verdict (
                repository TEXT NOT NULL, root TEXT NOT NULL, purpose TEXT NOT NULL, place BIGINT NOT NULL,
                step TEXT NOT NULL, sequence BIGINT NOT NULL, item TEXT NOT NULL, shown TEXT NOT NULL,
                person TEXT NOT NULL, is_good INTEGER NOT NULL, risks TEXT NOT NULL, note TEXT, revision TEXT NOT NULL,
                at BIGINT NOT NULL,
                PRIMARY KEY (repository, root, purpose, place, step)
            )
            """,
            "CREATE INDEX sample_verdict_in_order ON sample_verdict (repository, root, purpose, sequence)",
        ]
    )
}
