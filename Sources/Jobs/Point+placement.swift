import Core
import Scheduling
import Store
import Synchronization
import Wire

/// What the latest cycle said of the jobs that it left waiting.
struct WaitingReasons: Sendable {
    var reasons: [JobID: Reason] = [:]
    var projects: [JobID: ProjectName] = [:]
    /// Whether the cycle looked at every waiting job.
    var isWhole = true

    init() {}

    init(_ reasons: [JobID: Reason], of queue: [QueuedJob], isWhole: Bool) {
        self.reasons = reasons
        projects = Dictionary(queue.map { ($0.id, $0.project) }) { first, _ in first }
        self.isWhole = isWhole
    }
}

/// What each project has used lately, decayed, in dominant-share hours; kept by adding up as runs end.
final class UsageMemory: Sendable {
    static let halfLifeSeconds = 24 * 3600.0

    private let sums = Mutex<[ProjectName: (hours: Double, at: Instant)]>([:])

    func note(_ project: ProjectName, share: Double, from: Instant, to: Instant) {
        let hours = share * (to - from).seconds / 3600
        sums.withLock { sums in
            let before = sums[project].map { Self.bring($0, to: to) } ?? 0
            sums[project] = (before + hours, max(to, sums[project]?.at ?? to))
        }
    }

    func usage(_ project: ProjectName, now: Instant) -> Double {
        sums.withLock { $0[project].map { Self.bring($0, to: now) } ?? 0 }
    }

    private static func bring(_ sum: (hours: Double, at: Instant), to now: Instant) -> Double {
        sum.hours * FairShare.decay(elapsedSeconds: (now - sum.at).seconds, halfLifeSeconds: halfLifeSeconds)
    }
}

extension Point {
    /// Everything that a plan looks at.
    ///
    /// - Parameter extra: A job that the window may not reach.
    /// - Returns: Also whether some project has more waiting jobs than the window holds.
    func snapshot(now: Instant, including extra: Job? = nil) async throws -> (Snapshot, truncated: Bool) {
        let window = settings.queueWindow
        let claims = claims.withLock { $0 }
        return try await store.read { tx in
            let live = Dictionary(grouping: try tx.liveRunsWithSpecs()) { $0.run.centre }
            let centres = try tx.centres().map { centre in
                let silentSince =
                    centre.agent == nil
                    ? nil : self.sight.silentSince(centre.name, now: now, after: self.settings.silenceAfter)
                return Snapshot.Centre(
                    centre,
                    unseenSince: silentSince,
                    runs: (live[centre.name] ?? []).map { run, spec in
                        Snapshot.Run(
                            run,
                            spec: spec,
                            estimateSeconds: self.runTimes.seconds(spec, project: run.project)
                        )
                    }
                )
            }
            let projects = try tx.projects().map { project in
                Snapshot.Project(
                    name: project.name,
                    weight: project.weight,
                    usage: self.usageMemory.usage(project.name, now: now),
                    quota: project.quota,
                    balance: project.metered ? try tx.balance(.project(project.name)) : nil
                )
            }
            var jobs = try tx.jobsWaiting(limit: window, now: nil)
            let truncated = Dictionary(grouping: jobs, by: \.project).values.contains { $0.count >= window }
            // Jobs that back off must not fill the window of those that could start.
            if truncated { jobs = try tx.jobsWaiting(limit: window, now: now) }
            if let extra, !jobs.contains(where: { $0.id == extra.id }) { jobs.append(extra) }
            let queue = try jobs.map { job in
                QueuedJob(
                    job,
                    estimateSeconds: self.runTimes.seconds(job.spec, project: job.project),
                    waitingFor: job.id == extra?.id ? try Self.names(of: job.dependencies, tx) : [],
                    claim: claims[job.id],
                    near: try self.near(job, tx)
                )
            }
            return (Snapshot(now: now, centres: centres, projects: projects, queue: queue), truncated)
        }
    }

    /// Names of those dependencies that have not succeeded, at most eight.
    private static func names(of dependencies: [Dependency], _ tx: ReadTransaction) throws -> [String] {
        var names: [String] = []
        for dependency in dependencies where names.count < 8 {
            switch dependency {
            case .job(let id):
                if let job = try tx.job(id), job.state != .succeeded { names.append(job.spec.name) }
            case .array(let id):
                if let array = try tx.array(id), array.counts.succeeded < array.counts.total,
                    let first = try tx.jobs(of: id, limit: 1).first
                {
                    names.append(first.spec.name)
                }
            }
        }
        return names
    }

    /// Why a queued job waits, by the code that would place it, and what it may expect.
    ///
    /// - Parameter projects: Whose jobs the answer may name; `nil` is all.
    func explain(_ job: Job, naming projects: [ProjectName]?) async throws -> (Reason, Forecast?) {
        let (snapshot, _) = try await snapshot(now: now(), including: job)
        guard let queued = snapshot.queue.first(where: { $0.id == job.id }) else {
            preconditionFailure("the snapshot includes the job that was asked for")
        }
        let (reason, forecast) = try await foresee(queued, in: snapshot)
        guard let projects else { return (reason, forecast) }
        let owners = snapshot.owners
        return (reason.naming { owners[$0].map(projects.contains) ?? false }, forecast)
    }

    /// The centres as far as feasibility goes: read anew only when one has changed.
    func placeableCentres() async throws -> [Snapshot.Centre] {
        try await feasibilityCentres.value {
            try await store.read { tx in try tx.centres().map { Snapshot.Centre($0, unseenSince: nil, runs: []) } }
        }
    }

    /// A centre came, went or changed.
    func centresChanged() { feasibilityCentres.forget() }

    /// Fills what the memory of usage and of run times lost when the process ended: from the accounts of the last two
    /// half-lives, and from the latest runs.
    package func rememberUsage() async throws {
        let since = now() - .seconds(Int64(2 * UsageMemory.halfLifeSeconds))
        let (hours, totals, ended) = try await store.read { tx in
            (
                try tx.usageHours(from: since),
                FairShare.Totals(try tx.centres().map { Snapshot.Centre($0, unseenSince: nil, runs: []) }),
                try tx.endedRunsWithSpecs(limit: RunTimes.remembered)
            )
        }
        for (run, spec) in ended.reversed() { runTimes.note(run, of: spec) }
        try await rememberForecasts()
        for row in hours {
            let whole: Double =
                switch row.meter {
                case .coreSeconds: totals.cores.cores
                case .cardSeconds: Double(totals.cards)
                case .pflopHours: 0
                }
            guard whole > 0 else { continue }
            usageMemory.note(
                row.project,
                share: Double(row.microUnits) / 1e6 / 3600 / whole,
                from: row.hour,
                to: row.hour + .seconds(3600)
            )
        }
    }
}

extension WriteTransaction {
    /// Applies one item of a plan, if the rows as they are now still allow it.
    ///
    /// - Parameter forecast: Of a job of which nothing was foretold before.
    /// - Returns: Whether the job was placed; `false` leaves everything as it was, for the next cycle.
    func lease(_ placement: Plan.Placement, forecast: Forecast?, at now: Instant) throws -> Bool {
        guard let job = try job(placement.job), job.unmetDependencies == 0,
            let centre = try centre(placement.centre), centre.state == .open,
            let project = try project(job.project)
        else { return false }
        var lifecycle = job.lifecycle
        guard let number = lifecycle.place() else { return false }
        let held = try projectUsage(project.name)
        let (tasks, resources) = (job.spec.tasks, job.spec.resources)
        if let cores = project.quota.cores, held.cores + resources.cores * tasks > cores { return false }
        if let cards = project.quota.cards, held.cards + resources.cards * tasks > cards { return false }
        if let runs = project.quota.runs, held.runs + 1 > runs { return false }
        if project.metered, try balance(.project(project.name)) < placement.reserve { return false }
        try append(
            .runLeased(
                .init(
                    run: RunKey(job: job.id, number: number),
                    centre: centre.name,
                    nodes: placement.nodes,
                    resources: resources,
                    tasks: tasks,
                    reason: placement.reason,
                    pricePerHour: placement.pricePerHour,
                    reserved: placement.reserve,
                    forecast: number == 1 ? forecast : nil
                )
            ),
            project: job.project,
            subject: "\(job.id)",
            actor: Actor.point,
            at: now
        )
        return true
    }
}
