extension Migration {
    /// Room that is kept in advance. Grows by a row for each reservation that somebody makes; those that are over stay,
    /// so that it can be seen later what was kept for whom.
    static let reservation = Migration(
        number: 12,
        name: "reservation",
        statements: [
            """
            CREATE TABLE reservation (
                sequence BIGINT PRIMARY KEY, name TEXT NOT NULL, centre TEXT NOT NULL, project TEXT,
                starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, shares TEXT, note TEXT NOT NULL, member TEXT NOT NULL,
                created_at BIGINT NOT NULL, cancelled_at BIGINT
            )
            """,
            "CREATE INDEX reservation_by_name ON reservation (name, sequence)",
            "CREATE INDEX reservation_by_end ON reservation (ends_at)",
            "CREATE INDEX reservation_in_order ON reservation (starts_at, sequence)",
        ]
    )
}
