public import Core

extension ReadTransaction {
    public func job(_ id: JobID) throws -> Job? {
        try connection.first("SELECT \(Self.jobColumns) FROM job WHERE id = ?", id, read: jobRow).map(job)
    }

    /// Jobs, the newest submission first.
    ///
    /// - Parameter before: The last job of the page before. Jobs submitted meanwhile never move a page.
    /// - Complexity: O(limit × (projects × states)) index steps; a name prefix or a centre beside other conditions may
    ///   walk over jobs that do not match.
    public func jobs(_ filter: JobFilter, before: JobCursor? = nil, limit: Int) throws -> [Job] {
        let found = try branches(of: filter).flatMap { try keys(of: $0, before: before, limit: limit) }
        return try found.sorted(by: >).prefix(limit).map { key in
            guard let job = try job(key.job) else { throw Failure.damaged("no job \(key.job)") }
            return job
        }
    }

    /// Jobs of each project by state; projects without jobs are absent.
    public func jobCounts(_ projects: [ProjectName]? = nil) throws -> [ProjectName: JobCounts] {
        var result: [ProjectName: JobCounts] = [:]
        let rows = try connection.all("SELECT project, state, n FROM job_count WHERE n <> 0") {
            (try $0.value(0, as: ProjectName.self), try $0.choice(1, as: JobState.self), $0.int(2))
        }
        for (project, state, count) in rows where projects?.contains(project) ?? true {
            result[project, default: JobCounts()][state] = count
        }
        return result
    }

    /// Queued jobs of a project that wait for nobody: the highest priority first, then by arrival.
    ///
    /// - Parameter now: Jobs that back off until later are left out.
    public func jobsWaiting(in project: ProjectName, limit: Int, now: Instant) throws -> [Job] {
        try jobs(
            """
            WHERE project = ? AND state = 'queued' AND unmet = 0 AND (not_before IS NULL OR not_before <= ?)
            ORDER BY priority DESC, sequence, id LIMIT ?
            """,
            [project, now, limit]
        )
    }

    /// The projects with queued jobs, by name.
    public func projectsWaiting() throws -> [ProjectName] {
        try connection.all("SELECT project FROM job_count WHERE state = 'queued' AND n > 0 ORDER BY project") {
            try $0.value(0)
        }
    }

    /// Queued jobs that wait for others, in the order of their arrival.
    public func jobsHeld(in project: ProjectName, limit: Int) throws -> [Job] {
        try jobs(
            "WHERE project = ? AND state = 'queued' AND unmet > 0 ORDER BY sequence, id LIMIT ?",
            [project, limit]
        )
    }

    /// Queued jobs, with those that wait for others or back off; of one project or of all.
    public func waitingCount(_ project: ProjectName? = nil) throws -> Int {
        guard let project else {
            return try connection.first("SELECT COALESCE(SUM(n), 0) FROM job_count WHERE state = 'queued'") {
                $0.int(0)
            } ?? 0
        }
        return try connection.first("SELECT n FROM job_count WHERE project = ? AND state = 'queued'", project) {
            $0.int(0)
        } ?? 0
    }

    /// The earliest time at which a job that backs off may be placed again; `nil` when none does.
    public func nextNotBefore() throws -> Instant? {
        // Being leased or ending clears it, so every job that has one is queued.
        try connection.first("SELECT MIN(not_before) FROM job WHERE not_before IS NOT NULL") {
            $0.optionalInstant(0)
        } ?? nil
    }

    /// The jobs that depend on a job: by its id or by its array's. Ended ones included, in the order of their arrival.
    public func dependants(of job: JobID) throws -> [JobID] {
        try connection.all(
            """
            SELECT id FROM job WHERE sequence IN (
                SELECT sequence FROM dependency
                WHERE target = ? OR target = (SELECT array_id FROM job WHERE id = ?)
            ) ORDER BY sequence, id
            """,
            job,
            job
        ) { try $0.value(0) }
    }

    public func array(_ id: ArrayID) throws -> JobArray? {
        try connection.first("\(Self.arrayQuery) WHERE id = ?", id, read: Self.array)
    }

    /// An array's elements in the order of their index.
    ///
    /// - Parameter after: The last element of the page before.
    public func jobs(of array: ArrayID, after: JobID? = nil, limit: Int) throws -> [Job] {
        try jobs(
            "WHERE array_id = ? AND id > ? ORDER BY sequence, id LIMIT ?",
            [array, after?.description ?? "", limit]
        )
    }

    /// Jobs by the end of a query over their table.
    func jobs(_ tail: String, _ values: [any SQLBindable]) throws -> [Job] {
        try connection.all("SELECT \(Self.jobColumns) FROM job \(tail)", list: values, read: jobRow).map(job)
    }

    static let arrayQuery =
        "SELECT id, sequence, project, workflow, queued, active, succeeded, failed, cancelled FROM job_array"

    static func array(_ row: borrowing Row) throws -> JobArray {
        JobArray(
            id: try row.value(0),
            sequence: row.integer(1),
            project: try row.value(2),
            workflow: try row.optional(3),
            counts: JobCounts(row, from: 4)
        )
    }

    private static let jobColumns = """
        id, sequence, project, member, state, run_number, retries_used, not_before, cancel_requested, workflow, \
        array_id, array_index, unmet, submitted_at, ended_at, detail
        """

    /// The row alone; its specification follows when the cursor has been left.
    private func jobRow(_ row: borrowing Row) throws -> Job {
        Job(
            id: try row.value(0),
            project: try row.value(2),
            user: try row.value(3),
            spec: JobSpec(name: "", command: []),
            lifecycle: JobLifecycle(
                state: try row.choice(4),
                runNumber: row.int(5),
                retriesUsed: row.int(6),
                notBefore: row.optionalInstant(7),
                cancelRequested: row.bool(8)
            ),
            workflow: try row.optional(9),
            array: try row.optional(10),
            arrayIndex: row.optionalInt(11),
            unmetDependencies: row.int(12),
            sequence: row.integer(1),
            submittedAt: row.instant(13),
            endedAt: row.optionalInstant(14),
            detail: row.optionalText(15)
        )
    }

    private func job(_ row: Job) throws -> Job {
        var job = row
        let submission = try submission(at: row.sequence)
        job.spec = submission.spec
        job.dependencies = submission.dependencies
        return job
    }
}

// MARK: - Lists

/// Conditions that one walk along one index answers.
private struct Branch {
    var conditions: [String] = []
    var values: [any SQLBindable] = []

    mutating func add(_ condition: String, _ values: [any SQLBindable]) {
        conditions.append(condition)
        self.values += values
    }
}

extension ReadTransaction {
    /// Splits a filter so that each part is in the order of an index, however many projects and states it names.
    private func branches(of filter: JobFilter) -> [Branch] {
        var common = Branch()
        if let prefix = filter.namePrefix, !prefix.isEmpty {
            common.add("name >= ? AND name < ?", [prefix, Dialect.end(ofPrefix: prefix)])
        }
        let states = filter.states.sorted { $0.rawValue < $1.rawValue }
        if filter.workflow != nil || filter.array != nil || filter.centre != nil {
            if let array = filter.array { common.add("array_id = ?", [array]) }
            if let workflow = filter.workflow { common.add("workflow = ?", [workflow]) }
            if let centre = filter.centre { common.add("centre = ?", [centre]) }
            if let projects = filter.projects {
                common.add("project IN (\(Dialect.places(projects.count)))", projects)
                if projects.isEmpty { return [] }
            }
            if !states.isEmpty { common.add("state IN (\(Dialect.places(states.count)))", states) }
            return [common]
        }
        func branch(_ condition: String, _ values: [any SQLBindable]) -> Branch {
            var branch = common
            branch.add(condition, values)
            return branch
        }
        guard let projects = filter.projects else {
            return states.isEmpty ? [common] : states.map { branch("state = ?", [$0]) }
        }
        let each = states.isEmpty ? JobState.allCases : states
        return projects.flatMap { project in each.map { branch("project = ? AND state = ?", [project, $0]) } }
    }

    private func keys(of branch: Branch, before: JobCursor?, limit: Int) throws -> [JobCursor] {
        var branch = branch
        if let before { branch.add("(sequence, id) < (?, ?)", [before.sequence, before.job]) }
        let filter = branch.conditions.isEmpty ? "" : "WHERE " + branch.conditions.joined(separator: " AND ")
        return try connection.all(
            "SELECT sequence, id FROM job \(filter) ORDER BY sequence DESC, id DESC LIMIT ?",
            list: branch.values + [limit]
        ) { JobCursor(sequence: $0.integer(0), job: try $0.value(1)) }
    }
}
