extension Migration {
    /// What project a project is part of.
    static let projectTree = Migration(
        number: 11,
        name: "project-tree",
        statements: [
            "ALTER TABLE project ADD COLUMN parent TEXT",
            "CREATE INDEX project_by_parent ON project (parent) WHERE parent IS NOT NULL",
        ]
    )
}
