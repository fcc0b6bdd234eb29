extension Migration {
    /// What is said and done in discussions, and how often repositories are downloaded: by day for the last thirty days,
    /// and in all.
    static let repositoryLife = Migration(
        number: 13,
        name: "repository-life",
        statements: [
            "ALTER TABLE discussion ADD COLUMN merge_commit TEXT",
            """
            CREATE TABLE discussion_note (
                repository TEXT NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL, kind TEXT NOT NULL,
                author TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL, detail TEXT, edited_at BIGINT,
                is_hidden INTEGER NOT NULL, PRIMARY KEY (repository, number, place)
            )
            """,
            """
            CREATE TABLE download_day (
                repository TEXT NOT NULL, day BIGINT NOT NULL, downloads BIGINT NOT NULL,
                PRIMARY KEY (repository, day)
            )
            """,
            "CREATE INDEX download_day_by_day ON download_day (day)",
            "CREATE TABLE download_total (repository TEXT PRIMARY KEY, downloads BIGINT NOT NULL)",
        ]
    )
}
