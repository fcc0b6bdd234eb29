import Blobs
public import Core
import NIOCore
import Scheduling
import Store
import Synchronization
public import Wire

extension Point {
    /// The caller's jobs, newest first.
    public func jobs(_ query: JobQuery, _ caller: Principal) async throws -> Page<JobView> {
        try await page(query, caller) { view, _ in view }
    }

    /// The same with what each was asked with.
    public func specifiedJobs(_ query: JobQuery, _ caller: Principal) async throws -> Page<SpecifiedJob> {
        try await page(query, caller) { SpecifiedJob(summary: $0, spec: $1) }
    }

    private func page<Item: Codable & Sendable>(
        _ query: JobQuery,
        _ caller: Principal,
        _ item: @escaping @Sendable (JobView, JobSpec) -> Item
    ) async throws -> Page<Item> {
        guard (1...500).contains(query.limit) else { throw Failure(.malformed, "A page has 1 to 500 jobs.") }
        let cursor = try query.cursor.map { try Cursor.job($0) }
        let waiting = waiting.withLock { $0 }
        return try await store.read { tx in
            let filter = JobFilter(
                projects: try Self.visible(to: caller, asking: query.project, tx),
                states: query.states,
                namePrefix: query.namePrefix,
                workflow: query.workflow,
                array: query.array,
                centre: query.centre
            )
            let jobs = try tx.jobs(filter, before: cursor, limit: query.limit + 1)
            let page = jobs.prefix(query.limit)
            return Page(
                items: try page.map { item(try Self.view($0, waiting, tx), $0.spec) },
                next: jobs.count > query.limit ? page.last.map { Cursor.text($0) } : nil
            )
        }
    }

    public func job(_ id: JobID, _ caller: Principal) async throws -> JobDetail {
        let waiting = waiting.withLock { $0 }
        return try await store.read { tx in
            let job = try Self.find(id, .viewer, caller, tx)
            let runs = try tx.runs(of: id)
            return JobDetail(
                summary: try Self.view(job, waiting, tx),
                spec: job.spec,
                runs: try runs.map { RunView($0, tier: try tx.centreHead($0.centre)?.tier ?? .hub) },
                artifacts: job.state == .succeeded ? runs.last?.artifacts ?? [] : [],
                dependencies: try job.dependencies.map { try Self.view($0, tx) },
                forecast: try tx.forecast(of: id).map { ForecastView($0.forecast, madeAt: $0.madeAt) },
                retriesUsed: job.lifecycle.retriesUsed,
                charged: runs.reduce(0) { $0 + ($1.charged ?? 0) },
                reserved: runs.reduce(0) { $0 + ($1.state.isTerminal ? 0 : $1.reserved) }
            )
        }
    }

    /// A job that the caller may know of, and may act on with `role`.
    static func find(_ id: JobID, _ role: Role, _ caller: Principal, _ tx: ReadTransaction) throws -> Job {
        let unknown = Failure(.notFound, "There is no job \(id) that you can see.")
        guard let job = try tx.job(id) else { throw unknown }
        do {
            _ = try require(role, in: job.project, caller, tx)
        } catch let failure as Failure where failure.code == .notFound {
            throw unknown
        }
        return job
    }

    static func view(_ job: Job, _ waiting: WaitingReasons, _ tx: ReadTransaction) throws -> JobView {
        let run = try job.run.flatMap { try tx.run($0) }
        var view = JobView(
            job: job.id,
            name: job.spec.name,
            project: job.project,
            user: job.user,
            state: job.state,
            priority: job.spec.priority,
            tasks: job.spec.tasks,
            resources: job.spec.resources,
            timeLimitSeconds: job.spec.timeLimitSeconds,
            workflow: job.workflow,
            array: job.array,
            arrayIndex: job.arrayIndex,
            submittedAt: job.submittedAt,
            startedAt: run?.startedAt,
            endedAt: job.endedAt,
            centre: run?.centre,
            runState: run?.state,
            unseenSince: run?.outOfSightSince,
            cancelRequested: job.lifecycle.cancelRequested,
            detail: job.detail,
            waitingCode: nil
        )
        if job.state == .queued {
            if job.unmetDependencies > 0 {
                view.waitingCode = "dependency"
                let count = job.unmetDependencies
                view.detail = "waits for \(count) \(count == 1 ? "other" : "others") to succeed"
            } else {
                let reason = waiting.reasons[job.id]
                view.waitingCode = reason?.code ?? "queue"
                view.detail = reason?.headline ?? "waits for its turn"
            }
        }
        return view
    }

    private static func view(_ dependency: Dependency, _ tx: ReadTransaction) throws -> DependencyView {
        switch dependency {
        case .job(let id):
            let job = try tx.job(id)
            return DependencyView(
                on: dependency,
                name: job?.spec.name ?? "",
                states: job.map { [$0.state.rawValue: 1] } ?? [:]
            )
        case .array(let id):
            return DependencyView(
                on: dependency,
                name: try tx.jobs(of: id, limit: 1).first?.spec.name ?? "",
                states: try tx.array(id)?.counts.byName ?? [:]
            )
        }
    }

    // MARK: Cancel

    public func cancel(_ id: JobID, _ caller: Principal) async throws -> JobView {
        let now = now()
        let counters = counters
        let view = try await write { tx in
            let job = try Self.find(id, .member, caller, tx)
            guard !job.state.isTerminal else {
                throw Failure(.conflict, "Job \(id) is over already: it is \(job.state.rawValue).")
            }
            try tx.cancel(
                job,
                detail: "cancelled by \(caller.user)",
                actor: Actor.user(caller),
                at: now,
                counters: counters
            )
            return try Self.view(try tx.job(id) ?? job, WaitingReasons(), tx)
        }
        wakeAfterCancel()
        return view
    }

    /// - Returns: How many of its elements were asked to stop.
    public func cancelArray(_ array: ArrayID, _ caller: Principal) async throws -> Int {
        try await cancelAll(JobFilter(array: array), named: "array \(array)", caller)
    }

    /// - Returns: How many of its jobs were asked to stop.
    public func cancelWorkflow(_ workflow: WorkflowID, _ caller: Principal) async throws -> Int {
        try await cancelAll(JobFilter(workflow: workflow), named: "workflow \(workflow)", caller)
    }

    private func cancelAll(_ filter: JobFilter, named name: String, _ caller: Principal) async throws -> Int {
        let now = now()
        let counters = counters
        try await store.read { tx in
            guard let sample = try tx.jobs(filter, before: nil, limit: 1).first,
                (try? Self.require(.viewer, in: sample.project, caller, tx)) != nil
            else { throw Failure(.notFound, "There is no \(name) that you can see.") }
            _ = try Self.require(.member, in: sample.project, caller, tx)
        }
        var live = filter
        live.states = [.queued, .active]
        var count = 0
        // Pages go from the newest to the oldest; jobs that a cancel takes along are passed over. Each page is a write
        // of its own, since every other writer waits for it; a repeat goes on where a crash came between.
        var cursor: JobCursor?
        repeat {
            let (before, pageFilter) = (cursor, live)
            let (asked, last) = try await write { tx in
                var asked = 0
                let page = try tx.jobs(pageFilter, before: before, limit: Self.cancelsOfOneWrite)
                for job in page {
                    guard let job = try tx.job(job.id), !job.state.isTerminal else { continue }
                    try tx.cancel(
                        job,
                        detail: "cancelled by \(caller.user)",
                        actor: Actor.user(caller),
                        at: now,
                        counters: counters
                    )
                    asked += 1
                }
                return (asked, page.count == Self.cancelsOfOneWrite ? page.last.map { JobCursor($0) } : nil)
            }
            count += asked
            cursor = last
            wakeAfterCancel()
        } while cursor != nil
        return count
    }

    private static let cancelsOfOneWrite = 500

    private func wakeAfterCancel() {
        orderBell.ring()
        placeBell.ring()
        logBell.ring()
    }

    // MARK: Why

    /// Why a job waits, or where it stands and why there.
    public func why(_ id: JobID, _ caller: Principal) async throws -> WhyView {
        let (job, run, projects) = try await store.read { tx in
            let job = try Self.find(id, .viewer, caller, tx)
            return (job, try job.run.flatMap { try tx.run($0) }, try Self.visible(to: caller, tx))
        }
        guard job.state == .queued else { return Self.whyNotWaiting(job, run) }
        let at = now()
        let (reason, foretold) = try await explain(job, naming: projects)
        let last = run.flatMap { run in run.outcome.map { "attempt \(run.key.number) \($0.summary)" } }
        // What was foretold some time ago may have passed.
        func ahead(_ start: Instant?) -> Instant? { start.flatMap { $0 < at ? nil : $0 } }
        return WhyView(
            job: id,
            state: job.state,
            code: reason.code,
            headline: reason.headline,
            evidence: reason.evidence + (last.map { [$0] } ?? []),
            wayOut: reason.wayOut,
            predictedStart: ahead(foretold?.startP50) ?? reason.predictedStart,
            predictedStartP90: ahead(foretold?.startP90),
            figures: reason.figures
        )
    }

    private static func whyNotWaiting(_ job: Job, _ run: Run?) -> WhyView {
        var view = WhyView(
            job: job.id,
            state: job.state,
            code: job.state.rawValue,
            headline: "",
            evidence: [],
            wayOut: nil,
            predictedStart: nil,
            figures: ["runs": Int64(job.lifecycle.runNumber)]
        )
        if let run {
            view.evidence.append(
                "attempt \(run.key.number) was placed at \(run.centre) at \(run.leasedAt): \(run.reason)"
            )
            if let startedAt = run.startedAt {
                view.figures["waited_ms"] = (startedAt - job.submittedAt).milliseconds
                view.evidence.append(
                    "it started at \(startedAt), "
                        + "\(Double((startedAt - job.submittedAt).milliseconds) / 1000) s after it was submitted"
                )
            }
            if let outcome = run.outcome { view.evidence.append("attempt \(run.key.number) \(outcome.summary)") }
        }
        switch (job.state, run) {
        case (.active, let run?):
            if let since = run.lifecycle.unseenSince {
                view.code = "unseen"
                view.headline =
                    "Its centre '\(run.centre)' has been silent since \(since); the run may well be going on."
                view.wayOut =
                    "It is waited for. Submit with on_centre_loss: {requeue_after: …} if it may be run again elsewhere."
            } else if run.lifecycle.stop == .consolidate {
                view.code = "stopping"
                view.headline =
                    "It is being moved to other nodes of centre '\(run.centre)', where room is kept for it, so that "
                    + "another job finds its place."
            } else if run.lifecycle.stop == .withdraw {
                view.code = "stopping"
                view.headline =
                    "It is being taken back from the queue of '\(run.centre)', as it can start at another centre now."
            } else if let stop = run.lifecycle.stop {
                view.code = "stopping"
                view.headline = "It was asked to stop (\(stop.rawValue)) and has not ended yet."
            } else {
                view.code = run.state.rawValue
                view.headline =
                    switch run.state {
                    case .leased: "It is promised to centre '\(run.centre)', which has not taken it yet."
                    case .submitting:
                        "Centre '\(run.centre)' has it\(run.waiting.map { ": \($0)" } ?? " and is bringing its inputs.")"
                    case .pending: "It waits at the engine of '\(run.centre)'\(run.waiting.map { ": \($0)" } ?? ".")"
                    default:
                        run.waiting.map { "It has ended at '\(run.centre)', its outputs are still to arrive: \($0)" }
                            ?? "It is running at '\(run.centre)'."
                    }
            }
        case (.succeeded, _): view.headline = "It succeeded\(run.map { " at '\($0.centre)'" } ?? "")."
        case (.failed, _): view.headline = "It failed: \(job.detail ?? "no more is known")."
        case (.cancelled, _): view.headline = "It was cancelled: \(job.detail ?? "no more is known")."
        case (.active, nil), (.queued, _): view.headline = "It is between two states; ask again."
        }
        return view
    }

    // MARK: Logs

    /// A piece of what a task printed. Without a run as yet: empty, and more may come.
    public func logs(
        _ id: JobID,
        run number: Int?,
        task: Int,
        from offset: Int64,
        countMax: Int,
        _ caller: Principal
    ) async throws -> LogChunk {
        guard (1...1 << 20).contains(countMax), offset >= 0 else {
            throw Failure(.malformed, "A piece of a log has 1 byte to 1 MiB and begins at 0 or later.")
        }
        let job = try await store.read { try Self.find(id, .viewer, caller, $0) }
        guard (0..<job.spec.tasks).contains(task) else {
            throw Failure(.notFound, "Job \(id) has tasks 0 to \(job.spec.tasks - 1); there is no task \(task).")
        }
        guard let key = number.map({ RunKey(job: id, number: $0) }) ?? job.run else {
            return LogChunk(bytes: [], offset: offset, isComplete: job.state.isTerminal)
        }
        guard key.number > 0, key.number <= job.lifecycle.runNumber else {
            throw Failure(
                .notFound,
                "Job \(id) has runs 1 to \(job.lifecycle.runNumber); there is no run \(key.number)."
            )
        }
        let isSealed = try await runLogs.isSealed(key, task: task)
        let bytes = try await runLogs.read(key, task: task, offset: offset, countMax: countMax)
        let isComplete = isSealed && bytes.readableBytes < countMax
        // A run that was never told to an agent has no log, and never will have.
        let isPast = job.state.isTerminal || key.number < job.lifecycle.runNumber
        let neverStarted = bytes.readableBytes == 0 && isPast && !isComplete
        let isOver = neverStarted ? try await hasNoLogToCome(key) : false
        return LogChunk(bytes: Array(bytes.readableBytesView), offset: offset, isComplete: isComplete || isOver)
    }

    private func hasNoLogToCome(_ key: RunKey) async throws -> Bool {
        guard let run = try await store.read({ try $0.run(key) }) else { return true }
        return run.state.isTerminal && (run.startedAt == nil || run.state == .lost)
    }

    /// How much of a task's log there is as yet.
    public func logSize(_ id: JobID, run: Int, task: Int, _ caller: Principal) async throws -> Int64 {
        _ = try await store.read { try Self.find(id, .viewer, caller, $0) }
        return try await runLogs.size(RunKey(job: id, number: run), task: task)?.count ?? 0
    }

    /// Returns when the job may have ended or gone on to another run, or the time is over. A hint: look again.
    public func waitForEnd(of id: JobID, atMost limit: Duration) async throws {
        let rings = logBell.rings
        guard let job = try await store.read({ try $0.job(id) }), !job.state.isTerminal else { return }
        await logBell.wait(beyond: rings, atMost: min(limit, settings.tick), on: runtime)
    }

    /// Returns when something may have been added, or the time is over. A hint: look again.
    public func waitForLogs(
        _ id: JobID,
        run: Int?,
        task: Int,
        beyond offset: Int64,
        atMost limit: Duration
    ) async throws {
        let rings = logBell.rings
        // Looked at only after the rings were counted: what was added before is seen, what is added after rings.
        var number = run
        if number == nil { number = try await store.read { try $0.job(id)?.run?.number } }
        if let number {
            let key = RunKey(job: id, number: number)
            if let size = try await runLogs.size(key, task: task), size.count > offset { return }
            if try await runLogs.isSealed(key, task: task) { return }
        }
        await logBell.wait(beyond: rings, atMost: min(limit, settings.tick), on: runtime)
    }
}

/// A job and what was asked for with it.
public struct SpecifiedJob: Codable, Sendable {
    public let summary: JobView
    public let spec: JobSpec
}

/// Where a page of jobs ends: the position in the log and the id, so that pages partition the list.
enum Cursor {
    static func text(_ job: Job) -> String { "\(job.sequence).\(job.id.base32)" }

    static func job(_ text: String) throws -> JobCursor {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let sequence = Int64(parts[0]), let id = JobID(base32: parts[1]) else { throw broken }
        return JobCursor(sequence: sequence, job: id)
    }

    static func integer(_ text: String) throws -> Int64 {
        guard let value = Int64(text) else { throw broken }
        return value
    }

    static let broken = Failure(.malformed, "This cursor was not made here. Begin again without one.")
}
