public import Core

extension ReadTransaction {
    public func workflow(_ id: WorkflowID) throws -> WorkflowRecord? {
        try connection.first("\(Self.workflowQuery) WHERE id = ?", id, read: Self.workflow)
    }

    /// Workflows, the newest first.
    ///
    /// - Parameters:
    ///   - projects: `nil` is all.
    ///   - before: The `sequence` of the last one of the page before.
    public func workflows(
        projects: [ProjectName]? = nil,
        before: Int64? = nil,
        limit: Int
    ) throws -> [WorkflowRecord] {
        let before = before ?? .max
        guard let projects else {
            return try connection.all(
                "\(Self.workflowQuery) WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
                before,
                limit,
                read: Self.workflow
            )
        }
        let found = try projects.flatMap { project in
            try connection.all(
                "\(Self.workflowQuery) WHERE project = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
                project,
                before,
                limit,
                read: Self.workflow
            )
        }
        return Array(found.sorted { $0.sequence > $1.sequence }.prefix(limit))
    }

    /// A workflow's jobs in the order of their submission, all elements of its arrays included.
    ///
    /// - Parameter after: The last job of the page before.
    public func jobs(of workflow: WorkflowID, after: JobCursor? = nil, limit: Int) throws -> [Job] {
        let after = after ?? JobCursor(sequence: 0, job: JobID(high: 0, low: 0))
        return try jobs(
            "WHERE workflow = ? AND (sequence, id) > (?, ?) ORDER BY sequence, id LIMIT ?",
            [workflow, after.sequence, after.job, limit]
        )
    }

    /// The arrays of a workflow in the order of their submission.
    public func arrays(of workflow: WorkflowID) throws -> [JobArray] {
        try connection.all(
            "\(Self.arrayQuery) WHERE workflow = ? ORDER BY sequence",
            workflow,
            read: Self.array
        )
    }

    private static let workflowQuery = """
        SELECT id, sequence, name, project, member, submitted_at, queued, active, succeeded, failed, cancelled
        FROM workflow
        """

    private static func workflow(_ row: borrowing Row) throws -> WorkflowRecord {
        WorkflowRecord(
            id: try row.value(0),
            name: row.text(2),
            project: try row.value(3),
            user: try row.value(4),
            sequence: row.integer(1),
            submittedAt: row.instant(5),
            counts: JobCounts(row, from: 6)
        )
    }
}

extension JobCounts {
    /// Five columns in the order of the states.
    init(_ row: borrowing Row, from column: Int32) {
        queued = row.int(column)
        active = row.int(column + 1)
        succeeded = row.int(column + 2)
        failed = row.int(column + 3)
        cancelled = row.int(column + 4)
    }
}

extension WriteTransaction {
    func apply(_ submitted: Event.WorkflowSubmitted, _ sequence: Int64, _ at: Instant) throws {
        try connection.run(
            """
            INSERT INTO workflow
                (id, sequence, name, project, member, submitted_at, queued, active, succeeded, failed, cancelled)
            VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0)
            """,
            submitted.workflow,
            sequence,
            submitted.name,
            submitted.project,
            submitted.user,
            at
        )
        try keep(
            submitted.idempotency,
            submitted.project,
            submitted.user,
            submitted.workflow.description,
            at
        )
    }
}
