import Core

extension WriteTransaction {
    func apply(_ submitted: Event.JobsSubmitted, _ sequence: Int64, _ at: Instant) throws {
        guard submitted.count > 0, submitted.array != nil || submitted.count == 1 else {
            throw Failure(.invalid, "A submission of \(submitted.count) jobs needs an array of at least one element.")
        }
        var unmet = 0
        for dependency in Set(submitted.dependencies) {
            try connection.run("INSERT INTO dependency (target, sequence) VALUES (?, ?)", dependency, sequence)
            if try !isMet(dependency) { unmet += 1 }
        }
        for index in 0..<submitted.count {
            try connection.run(
                """
                INSERT INTO job (
                    id, sequence, project, member, name, priority, state, run_number, retries_used, cancel_requested,
                    workflow, array_id, array_index, unmet, submitted_at
                ) VALUES (?, ?, ?, ?, ?, ?, 'queued', 0, 0, 0, ?, ?, ?, ?, ?)
                """,
                submitted.first.advanced(by: index),
                sequence,
                submitted.project,
                submitted.user,
                submitted.spec.name,
                submitted.spec.priority,
                submitted.workflow,
                submitted.array,
                submitted.array == nil ? nil : index,
                unmet,
                at
            )
        }
        try noteInputs(of: submitted)
        if let array = submitted.array {
            try connection.run(
                """
                INSERT INTO job_array (id, sequence, project, workflow, queued, active, succeeded, failed, cancelled)
                VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0)
                """,
                array,
                sequence,
                submitted.project,
                submitted.workflow,
                submitted.count
            )
        }
        try count(submitted.count, .queued, submitted.project)
        if let workflow = submitted.workflow {
            try change(
                "workflow \(workflow)",
                "UPDATE workflow SET queued = queued + ? WHERE id = ?",
                submitted.count,
                workflow
            )
        }
        let resource = submitted.array?.description ?? submitted.first.description
        try keep(submitted.idempotency, submitted.project, submitted.user, resource, at)
    }

    func apply(_ requested: Event.JobCancelRequested) throws {
        try change("job \(requested.job)", "UPDATE job SET cancel_requested = 1 WHERE id = ?", requested.job)
    }

    func apply(_ requeued: Event.JobRequeued) throws {
        _ = try move(
            requeued.job,
            to: .queued,
            "not_before = ?, retries_used = ?",
            requeued.notBefore,
            requeued.retriesUsed
        )
    }

    func apply(_ ended: Event.JobEnded, _ at: Instant) throws {
        let place = try move(
            ended.job,
            to: ended.state,
            "ended_at = ?, detail = ?, not_before = NULL",
            at,
            ended.detail
        )
        guard ended.state == .succeeded else { return }
        try meet(.job(ended.job))
        if let array = place.array, try isMet(.array(array)) { try meet(.array(array)) }
        for publication in try submission(at: place.sequence).spec.publish ?? [] {
            try publish(publication.output, of: ended.job)
        }
    }

    /// The job becomes active with a new run at a centre; returns its project.
    func activate(_ run: RunKey, at centre: CentreName) throws -> ProjectName {
        try move(run.job, to: .active, "run_number = ?, not_before = NULL, centre = ?", run.number, centre).project
    }

    private struct Place {
        var project: ProjectName
        var array: ArrayID?
        /// Where the job's submission is in the log.
        var sequence: Int64
    }

    /// Moves a job from its state to another, in its row and in every count.
    ///
    /// - Parameter assignments: What else changes in its row with that, and the values.
    private func move(
        _ job: JobID,
        to state: JobState,
        _ assignments: String,
        _ values: any SQLBindable...
    ) throws -> Place {
        let found = try connection.first(
            "SELECT state, project, array_id, workflow, sequence FROM job WHERE id = ?",
            job
        ) {
            (
                state: try $0.choice(0, as: JobState.self),
                place: Place(project: try $0.value(1), array: try $0.optional(2), sequence: $0.integer(4)),
                workflow: try $0.optional(3, as: WorkflowID.self)
            )
        }
        guard let found else { throw Failure.missing("job \(job)") }
        guard !found.state.isTerminal else {
            throw Failure(.conflict, "Job \(job) has already ended: it \(found.state.rawValue).")
        }
        try connection.runList(
            "UPDATE job SET state = ?, \(assignments) WHERE id = ?",
            [state as any SQLBindable] + values + [job]
        )
        guard found.state != state else { return found.place }
        try count(-1, found.state, found.place.project)
        try count(1, state, found.place.project)
        let (from, to) = (found.state.rawValue, state.rawValue)
        let shift = "\(from) = \(from) - 1, \(to) = \(to) + 1"
        if let array = found.place.array {
            try connection.run("UPDATE job_array SET \(shift) WHERE id = ?", array)
        }
        if let workflow = found.workflow {
            try connection.run("UPDATE workflow SET \(shift) WHERE id = ?", workflow)
        }
        return found.place
    }

    private func count(_ difference: Int, _ state: JobState, _ project: ProjectName) throws {
        try connection.run(
            """
            INSERT INTO job_count (project, state, n) VALUES (?, ?, ?)
            ON CONFLICT (project, state) DO UPDATE SET n = job_count.n + excluded.n
            """,
            project,
            state,
            difference
        )
    }

    private func isMet(_ dependency: Dependency) throws -> Bool {
        let query =
            switch dependency {
            case .job: "SELECT 1 FROM job WHERE id = ? AND state = 'succeeded'"
            case .array: "SELECT 1 FROM job_array WHERE id = ? AND queued + active + failed + cancelled = 0"
            }
        return try connection.first(query, dependency) { _ in true } ?? false
    }

    private func meet(_ dependency: Dependency) throws {
        // Most jobs have nobody who waits for them.
        let isAwaited = try connection.first("SELECT 1 FROM dependency WHERE target = ? LIMIT 1", dependency) { _ in
            true
        }
        guard isAwaited == true else { return }
        try connection.run(
            "UPDATE job SET unmet = unmet - 1 WHERE sequence IN (SELECT sequence FROM dependency WHERE target = ?)",
            dependency
        )
    }
}
