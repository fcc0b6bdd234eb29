extension Migration {
    /// Whether a run lives is told by its end and no longer by a list of states, for which SQLite makes a table of its own
    /// whenever it compares: with the indexes' conditions five times in one change of a run.
    static let runEnded = Migration(
        number: 5,
        name: "run-ended",
        statements: [
            "DROP INDEX run_live",
            "CREATE INDEX run_live ON run (centre, job, number) WHERE ended_at IS NULL",
            "DROP INDEX run_to_tell",
            """
            CREATE INDEX run_to_tell ON run (centre, job, number)
            WHERE ended_at IS NULL AND (lease <> 'accepted' OR stop IS NOT NULL OR unseen_since IS NOT NULL)
            """,
        ]
    )
}
