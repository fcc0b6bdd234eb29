extension Migration {
    /// The few live runs of which an agent has something to be told, found without walking over all of them.
    static let runToTell = Migration(
        number: 4,
        name: "run-to-tell",
        statements: [
            """
            CREATE INDEX run_to_tell ON run (centre, job, number)
            WHERE state IN ('leased', 'submitting', 'pending', 'running')
                AND (lease <> 'accepted' OR stop IS NOT NULL OR unseen_since IS NOT NULL)
            """
        ]
    )
}
