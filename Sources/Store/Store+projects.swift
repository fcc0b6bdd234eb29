public import Core

/// The tree of projects, and what its parts hold together.
extension ReadTransaction {
    /// A project and those that it is part of, itself first; empty when there is no such project.
    public func projectWithParents(_ name: ProjectName) throws -> [Project] {
        var line: [Project] = []
        var next: ProjectName? = name
        while let name = next, line.count < Project.levelsMax, let project = try project(name) {
            line.append(project)
            next = project.parent
        }
        return line
    }

    /// How many levels a project and those below it make, 1 where there are none below.
    public func projectLevels(of name: ProjectName) throws -> Int {
        try connection.first(
            """
            WITH RECURSIVE below (name, level) AS (
                SELECT ?, 1
                UNION SELECT project.name, below.level + 1 FROM project JOIN below ON project.parent = below.name
                WHERE below.level <= ?
            )
            SELECT MAX(level) FROM below
            """,
            name,
            Project.levelsMax
        ) { $0.int(0) } ?? 1
    }

    /// What a project and all those below it hold at this moment.
    public func projectUsage(within name: ProjectName) throws -> ProjectUsage {
        try connection.first(
            """
            \(Self.below)
            SELECT COALESCE(SUM(runs), 0), COALESCE(SUM(cores), 0), COALESCE(SUM(cards), 0) FROM project_usage
            WHERE project IN (SELECT name FROM below)
            """,
            name
        ) { row in
            var usage = ProjectUsage()
            (usage.runs, usage.cores, usage.cards) = (row.int(0), MilliCores(row.integer(1)), row.int(2))
            return usage
        } ?? ProjectUsage()
    }

    /// What the repositories of a project and of all those below it hold, each repository's bytes once.
    public func storage(within name: ProjectName) throws -> Bytes {
        try connection.first(
            """
            \(Self.below)
            SELECT COALESCE(SUM(bytes), 0) FROM project_storage WHERE project IN (SELECT name FROM below)
            """,
            name
        ) { Bytes($0.integer(0)) } ?? 0
    }

    private static let below = """
        WITH RECURSIVE below (name) AS (
            SELECT ? UNION SELECT project.name FROM project JOIN below ON project.parent = below.name
        )
        """
}
