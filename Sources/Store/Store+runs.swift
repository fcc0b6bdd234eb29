public import Core

/// A run that began or ended.
public struct RunMove: Hashable, Sendable {
    public var run: RunKey
    public var centre: CentreName
    public var isLive: Bool
}

extension ReadTransaction {
    public func run(_ key: RunKey) throws -> Run? {
        try connection.first(
            Self.runByKey,
            key.job,
            key.number,
            read: Self.run
        ).map(withArtifacts)
    }

    /// How a run of a centre stands; `nil` when the centre has no such run.
    public func standing(of run: RunKey, at centre: CentreName) throws -> RunLifecycle? {
        try connection.first(
            "SELECT state, lease, stop, unseen_since, waiting FROM run WHERE job = ? AND number = ? AND centre = ?",
            run.job,
            run.number,
            centre
        ) { try Self.lifecycle($0, from: 0) }
    }

    /// A job's runs, the first first.
    public func runs(of job: JobID) throws -> [Run] {
        try connection.all("\(Self.runQuery) WHERE job = ? ORDER BY number", job, read: Self.run).map(withArtifacts)
    }

    /// How many of a job's runs before this one were ended so that they go on elsewhere.
    public func moves(before run: RunKey) throws -> Int {
        guard run.number > 1 else { return 0 }
        return try connection.first(
            "SELECT COUNT(*) FROM run WHERE job = ? AND number < ? AND stop IN (?, ?)",
            run.job,
            run.number,
            StopReason.consolidate.rawValue,
            StopReason.withdraw.rawValue
        ) { $0.int(0) } ?? 0
    }

    /// Every run that has not ended, at one centre or at all, in the order of their keys.
    public func liveRuns(at centre: CentreName? = nil) throws -> [Run] {
        guard let centre else {
            return try connection.all(
                "\(Self.runQuery) WHERE \(Self.isLive) ORDER BY centre, job, number",
                read: Self.run
            )
        }
        return try connection.all(
            "\(Self.runQuery) WHERE centre = ? AND \(Self.isLive) ORDER BY job, number",
            centre,
            read: Self.run
        )
    }

    /// The keys of the runs that have not ended, by centre: of one, or of all that have any.
    public func liveRunKeys(at centre: CentreName? = nil) throws -> [CentreName: Set<RunKey>] {
        var keys: [CentreName: Set<RunKey>] = [:]
        _ = try connection.all(
            "SELECT job, number, centre FROM run WHERE \(Self.isLive) \(centre == nil ? "" : "AND centre = ?")",
            list: centre.map { [$0] } ?? []
        ) { row in
            keys[try row.value(2), default: []].insert(RunKey(job: try row.value(0), number: row.int(1)))
        }
        return keys
    }

    /// The runs of the jobs of which one was leased or has ended after a place in the log, as they are now.
    public func runMoves(after sequence: Int64, limit: Int) throws -> [RunMove] {
        try connection.all(
            """
            SELECT job, number, centre, \(Self.isLive) FROM run WHERE job IN (
                SELECT subject FROM event WHERE seq > ? AND kind IN (?, ?)
            ) LIMIT ?
            """,
            sequence,
            Event.Kind.runLeased.rawValue,
            Event.Kind.runEnded.rawValue,
            limit
        ) {
            RunMove(run: RunKey(job: try $0.value(0), number: $0.int(1)), centre: try $0.value(2), isLive: $0.bool(3))
        }
    }

    /// Those runs of a centre that have not ended and that its agent may have something to be told of: a lease that it
    /// has not accepted, a wish to stop, a mark of not being seen. In the order of their keys.
    ///
    /// - Complexity: In what it returns, not in what lives.
    public func liveRunsToTell(at centre: CentreName) throws -> [Run] {
        try connection.all(
            """
            \(Self.runQuery) WHERE centre = ? AND \(Self.isLive)
                AND (lease <> 'accepted' OR stop IS NOT NULL OR unseen_since IS NOT NULL)
            ORDER BY job, number
            """,
            centre,
            read: Self.run
        )
    }

    /// Whether a centre has a live run that it was told of and that is not marked as unseen.
    public func hasRunInSight(at centre: CentreName) throws -> Bool {
        try connection.first(
            """
            SELECT 1 FROM run WHERE centre = ? AND \(Self.isLive) AND unseen_since IS NULL AND lease <> 'granted' LIMIT 1
            """,
            centre
        ) { _ in true } ?? false
    }

    /// Every run that has not ended, at one centre or at all, with what its job is.
    public func liveRunsWithSpecs(at centre: CentreName? = nil) throws -> [(run: Run, spec: JobSpec)] {
        let rows = try connection.all(
            """
            SELECT \(Self.runColumns), (SELECT sequence FROM job WHERE id = run.job) FROM run
            WHERE \(Self.isLive) \(centre == nil ? "" : "AND centre = ?") ORDER BY centre, job, number
            """,
            list: centre.map { [$0] } ?? []
        ) { (run: try Self.run($0), sequence: $0.integer(26)) }
        return try rows.map { ($0.run, try submission(at: $0.sequence).spec) }
    }

    /// The latest runs that have ended, the newest jobs' first, with what their jobs are.
    public func endedRunsWithSpecs(limit: Int) throws -> [(run: Run, spec: JobSpec)] {
        let rows = try connection.all(
            """
            SELECT \(Self.runColumns), (SELECT sequence FROM job WHERE id = run.job) FROM run
            WHERE ended_at IS NOT NULL ORDER BY job DESC, number DESC LIMIT ?
            """,
            limit
        ) { (run: try Self.run($0), sequence: $0.integer(26)) }
        return try rows.map { ($0.run, try submission(at: $0.sequence).spec) }
    }

    /// What each project holds at this moment; projects without live runs may be absent.
    public func projectUsage() throws -> [ProjectName: ProjectUsage] {
        let rows = try connection.all("SELECT project, runs, cores, cards FROM project_usage") {
            (try $0.value(0, as: ProjectName.self), Self.projectUsage($0))
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    /// What one project holds at this moment.
    public func projectUsage(_ project: ProjectName) throws -> ProjectUsage {
        try connection.first(
            "SELECT project, runs, cores, cards FROM project_usage WHERE project = ?",
            project,
            read: Self.projectUsage
        ) ?? ProjectUsage()
    }

    /// Word for word the condition of the index `run_live`, without which the index would not be used.
    fileprivate static let isLive = "ended_at IS NULL"

    private static let runQuery = "SELECT \(runColumns) FROM run"
    private static let runByKey = "\(runQuery) WHERE job = ? AND number = ?"

    private static let runColumns = """
        job, number, project, centre, state, lease, stop, unseen_since, waiting, nodes, cores, memory, cards, card,
            tasks, reason, engine_job, leased_at, started_at, ended_at, outcome, outcome_code, outcome_detail,
            price_per_hour, reserved, charged
        """

    /// The row without its artifacts, which only an ended run has.
    private static func run(_ row: borrowing Row) throws -> Run {
        Run(
            key: RunKey(job: try row.value(0), number: row.int(1)),
            project: try row.value(2),
            centre: try row.value(3),
            lifecycle: try lifecycle(row, from: 4),
            nodes: try row.repeatedJSON(9),
            resources: TaskResources(
                cores: MilliCores(row.integer(10)),
                memory: Bytes(row.integer(11)),
                cards: row.int(12),
                card: row.optionalText(13)
            ),
            tasks: row.int(14),
            reason: row.text(15),
            engineJob: row.optionalText(16),
            leasedAt: row.instant(17),
            startedAt: row.optionalInstant(18),
            endedAt: row.optionalInstant(19),
            outcome: try row.optionalChoice(20).map { [code = row.optionalInt(21), detail = row.optionalText(22)] in
                RunOutcome($0, code: code, detail: detail)
            },
            pricePerHour: MicroCredits(row.integer(23)),
            reserved: MicroCredits(row.integer(24)),
            charged: row.optionalInteger(25).map { MicroCredits($0) }
        )
    }

    /// From five columns that follow one another.
    private static func lifecycle(_ row: borrowing Row, from column: Int32) throws -> RunLifecycle {
        RunLifecycle(
            state: try row.choice(column),
            lease: try row.choice(column + 1),
            stop: try row.optionalChoice(column + 2),
            unseenSince: row.optionalInstant(column + 3),
            waiting: row.optionalText(column + 4)
        )
    }

    private static func projectUsage(_ row: borrowing Row) -> ProjectUsage {
        var usage = ProjectUsage()
        usage.runs = row.int(1)
        usage.cores = MilliCores(row.integer(2))
        usage.cards = row.int(3)
        return usage
    }

    private func withArtifacts(_ run: Run) throws -> Run {
        guard run.state.isTerminal else { return run }
        var run = run
        run.artifacts = try artifacts(of: run.key)
        return run
    }
}

extension WriteTransaction {
    func apply(_ leased: Event.RunLeased, _ sequence: Int64, _ at: Instant) throws {
        let project = try activate(leased.run, at: leased.centre)
        try connection.run(
            """
            INSERT INTO run (
                job, number, project, centre, state, lease, nodes, cores, memory, cards, card, tasks, reason,
                leased_at, price_per_hour, reserved
            ) VALUES (?, ?, ?, ?, 'leased', 'granted', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            leased.run.job,
            leased.run.number,
            project,
            leased.centre,
            try StoredJSON.encode(leased.nodes),
            leased.resources.cores,
            leased.resources.memory,
            leased.resources.cards,
            leased.resources.card,
            leased.tasks,
            leased.reason,
            at,
            leased.pricePerHour,
            leased.reserved
        )
        if let forecast = leased.forecast { try apply(forecast, of: leased.run.job, at) }
        try hold(project, runs: 1, leased.resources, tasks: leased.tasks)
        if leased.reserved > 0 {
            let entries = LedgerEntry.reserve(leased.reserved, for: project)
            try book(entries, .reserve, project, run: leased.run, sequence, at)
        }
    }

    func apply(offered run: RunKey) throws { try live(run, "lease = 'offered'") }

    func apply(accepted run: RunKey) throws {
        try live(run, "lease = 'accepted', state = CASE WHEN state = 'leased' THEN 'submitting' ELSE state END")
    }

    func apply(_ pending: Event.RunPending) throws {
        try live(pending.run, "state = 'pending', engine_job = COALESCE(?, engine_job)", pending.engineJob)
    }

    func apply(_ waiting: Event.RunWaiting) throws { try live(waiting.run, "waiting = ?", waiting.reason) }

    func apply(_ started: Event.RunStarted) throws {
        // What could not be taken back before it started is not asked to stop any more.
        try live(
            started.run,
            "state = 'running', waiting = NULL, started_at = ?, stop = CASE stop WHEN ? THEN NULL ELSE stop END",
            started.startedAt,
            StopReason.withdraw.rawValue
        )
        if let nodes = started.nodes { try live(started.run, "nodes = ?", try StoredJSON.encode(nodes)) }
    }

    func apply(_ unseen: Event.RunUnseen) throws { try live(unseen.run, "unseen_since = ?", unseen.since) }

    func apply(seen run: RunKey) throws { try live(run, "unseen_since = NULL") }

    func apply(_ requested: Event.RunStopRequested) throws {
        try live(requested.run, "stop = ?", requested.reason.rawValue)
    }

    func apply(_ ended: Event.RunEnded, _ sequence: Int64, _ at: Instant) throws {
        guard let run = try run(ended.run) else { throw Failure.missing("run \(ended.run)") }
        guard ended.charged >= 0, ended.charged <= run.reserved else {
            throw Failure(.conflict, "Run \(ended.run) is charged \(ended.charged), but \(run.reserved) was reserved.")
        }
        try live(
            ended.run,
            """
            state = ?, lease = 'ended', waiting = NULL, ended_at = ?, outcome = ?, outcome_code = ?,
            outcome_detail = ?, charged = ?
            """,
            ended.outcome.state,
            ended.endedAt,
            ended.outcome.kind.rawValue,
            ended.outcome.code,
            ended.outcome.detail,
            ended.charged
        )
        try hold(run.project, runs: -1, run.resources, tasks: run.tasks)
        try keep(ended.artifacts, of: ended.run, project: run.project)
        for usage in ended.usage { try keep(usage, run) }
        if run.reserved > 0 {
            let entries = LedgerEntry.settle(
                reserved: run.reserved,
                charged: ended.charged,
                project: run.project,
                centre: run.centre
            )
            try book(entries, .settle, run.project, run: ended.run, sequence, at)
        }
    }

    /// Changes a run that has not ended. A terminal state is final, whatever the caller believed.
    private func live(_ run: RunKey, _ assignments: String, _ values: any SQLBindable...) throws {
        let changed = try connection.runList(
            """
            UPDATE run SET \(assignments) WHERE job = ? AND number = ? AND \(Self.isLive)
            """,
            values + [run.job, run.number]
        )
        guard changed == 0 else { return }
        guard let found = try self.run(run) else { throw Failure.missing("run \(run)") }
        throw Failure(.conflict, "Run \(run) has already ended: it is \(found.state.rawValue).")
    }

    private func hold(_ project: ProjectName, runs: Int, _ resources: TaskResources, tasks: Int) throws {
        try connection.run(
            """
            INSERT INTO project_usage (project, runs, cores, cards) VALUES (?, ?, ?, ?)
            ON CONFLICT (project) DO UPDATE SET runs = project_usage.runs + excluded.runs,
                cores = project_usage.cores + excluded.cores, cards = project_usage.cards + excluded.cards
            """,
            project,
            runs,
            resources.cores * (tasks * runs),
            resources.cards * tasks * runs
        )
    }
}
