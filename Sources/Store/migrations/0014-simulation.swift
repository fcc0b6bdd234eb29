extension Migration {
    /// Reports of simulations. A row for each name, replaced when it is published again and gone when it is deleted; the
    /// report itself stays in the log, where its row points to.
    static let simulation = Migration(
        number: 14,
        name: "simulation",
        statements: [
            """
            CREATE TABLE simulation (
                name TEXT PRIMARY KEY, sequence BIGINT NOT NULL, trace TEXT NOT NULL, jobs BIGINT NOT NULL,
                policies TEXT NOT NULL, centres BIGINT NOT NULL, cores BIGINT NOT NULL, cards BIGINT NOT NULL,
                member TEXT NOT NULL, published_at BIGINT NOT NULL
            )
            """,
            "CREATE INDEX simulation_in_order ON simulation (sequence)",
        ]
    )
}
