extension Migration {
    /// Lists of repositories by age and by project, and how many bytes a project's repositories may hold.
    static let repositoryLists = Migration(
        number: 8,
        name: "repository-lists",
        statements: [
            "CREATE INDEX repository_by_age ON repository (shelf, created_at, id)",
            "CREATE INDEX repository_of_project ON repository (shelf, project, updated_at, id)",
            "ALTER TABLE project ADD COLUMN quota_bytes BIGINT",
        ]
    )
}
