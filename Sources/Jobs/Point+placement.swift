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

/// What a cycle decided, and of what moment that is.
struct LatestDecision: Sendable {
    var decision: Decision
    var revision: UInt64
    /// How long it took.
    var spent: Duration

    /// Whether it is younger than the time in which another one comes: between two cycles the loop rests for a tick, waits
    /// for another, and then needs as long again as before, or somewhat longer.
    func isFresh(at now: Instant, _ tick: Duration) -> Bool {
        let age = now - decision.snapshot.now
        return age >= .zero && age <= tick * 2 + max(tick, spent * 4)
    }
}

/// What each project has used lately, decayed, in dominant-share hours; kept by adding up as runs end.
final class UsageMemory: Sendable {
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
        sum.hours
            * FairShare.decay(
                elapsedSeconds: (now - sum.at).seconds,
                halfLifeSeconds: FairShare.halfLifeSeconds
            )
    }
}

extension Point {
    /// Everything that a plan looks at.
    ///
    /// - Parameter extra: A job that the window may not reach.
    /// - Returns: Also what is known of the state that it is of.
    func snapshot(now: Instant, including extra: Job? = nil) async throws -> (Snapshot, LiveState.Extent) {
        let claims = claims.withLock { $0 }
        let moves = moves.withLock { $0 }
        return try await store.read { tx in
            let memories = self.memories(at: now, claims, moves)
            var (snapshot, extent, guests) = try self.living.withLock { living in
                try living.follow(tx, now: now)
                return (living.snapshot(now: now, memories), living.extent, living.guests(now: now, self.shared))
            }
            snapshot.guests = try guests.compactMap { run, centre in
                guard let job = try tx.job(run.key.job) else { return nil }
                return Snapshot.Guest(
                    run: run.key,
                    centre: centre,
                    job: try LiveState.Waiting(job, tx).queued(memories),
                    stopping: run.stopping,
                    moves: run.moves
                )
            }
            if let extra, !snapshot.queue.contains(where: { $0.id == extra.id }) {
                let names = try Self.names(of: extra.dependencies, tx)
                snapshot.queue.append(try LiveState.Waiting(extra, waitingFor: names, tx).queued(memories))
            }
            return (snapshot, extent)
        }
    }

    private func memories(
        at now: Instant,
        _ claims: [JobID: CentreName] = [:],
        _ moves: [JobID: Snapshot.Move] = [:]
    ) -> LiveState.Memories {
        LiveState.Memories(
            silentSince: { self.sight.silentSince($0, now: now, after: self.settings.silenceAfter) },
            usage: { self.usageMemory.usage($0, now: now) },
            runTimes: runTimes,
            claims: claims,
            moves: moves,
            whereabouts: whereabouts,
            links: settings.links,
            shared: shared
        )
    }

    /// Holds what is kept in mind against what would be read from nothing.
    ///
    /// - Returns: What differs; `nil` when nothing does.
    package func liveStateFault() async throws -> String? {
        let now = now()
        let window = settings.queueWindow
        return try await store.read { tx in
            let memories = self.memories(at: now)
            let kept = try self.live.withLock { live in
                try live.follow(tx)
                return live
            }
            for centre in try tx.centres().map(\.name) {
                let stored = try tx.liveRunKeys(at: centre)[centre] ?? []
                if try kept.keys(at: centre, tx) != stored {
                    return "the live runs of \(centre) that are kept in mind are not those that are stored"
                }
            }
            var fresh = LiveState(window: window)
            try fresh.follow(tx, now: now)
            return try self.living.withLock { living in
                try living.follow(tx, now: now)
                return living.difference(from: fresh, at: now, memories)
            }
        }
    }

    /// Whose some jobs are that wait in a snapshot or run.
    func owners(of jobs: Set<JobID>, in snapshot: Snapshot) -> [JobID: ProjectName] {
        guard !jobs.isEmpty else { return [:] }
        var owners = living.withLock { living in
            Dictionary(uniqueKeysWithValues: jobs.compactMap { job in living.owner(ofRunning: job).map { (job, $0) } })
        }
        for job in snapshot.queue where jobs.contains(job.id) { owners[job.id] = job.project }
        return owners
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
    func explain(_ job: Job, naming projects: [ProjectName]?) async throws -> (Reason, ForecastView?) {
        let now = now()
        let claims = claims.withLock { $0 }
        let (queued, kept, extent) = try await store.read { tx in
            let extent = try self.living.withLock { living in
                try living.follow(tx, now: now)
                return living.extent
            }
            let names = try Self.names(of: job.dependencies, tx)
            let queued = try LiveState.Waiting(job, waitingFor: names, tx).queued(self.memories(at: now, claims))
            return (queued, try tx.forecast(of: job.id), extent)
        }
        // An answer must not cost a cycle.
        let isLarge = extent.runs + extent.jobs > settings.exactAnswersMax
        let latest = latest.withLock { $0 }
        let decision: Decision
        if let latest, latest.isFresh(at: now, settings.tick), isLarge || latest.revision == extent.revision {
            decision = latest.decision
        } else {
            decision = try await decide(including: job, at: now)
        }
        let reason = decision.reason(for: queued)
        let forecast =
            isLarge
            ? kept.map { ForecastView($0.forecast, madeAt: $0.madeAt, knowsStart: reason.isMatterOfTime) }
            : try await foresee(queued, reason, in: decision.snapshot).map {
                ForecastView($0, madeAt: now, knowsStart: reason.isMatterOfTime)
            }
        guard let projects else { return (reason, forecast) }
        let owners = owners(of: reason.namedJobs, in: decision.snapshot)
        return (reason.naming { owners[$0].map(projects.contains) ?? false }, forecast)
    }

    /// Decides about everything that waits without carrying anything out.
    private func decide(including job: Job, at now: Instant) async throws -> Decision {
        let (snapshot, _) = try await snapshot(now: now, including: job)
        let terrain = terrain.withLock { $0 }
        return await explaining.run {
            var terrain = terrain
            return Decision(snapshot, on: &terrain)
        }
    }

    private static let placementsOfOneWrite = 256

    /// Writes down what a plan says, item by item, as far as the rows as they are now still allow it.
    ///
    /// - Returns: How many jobs were placed.
    @discardableResult
    func carryOut(_ plan: Plan, of snapshot: Snapshot, at now: Instant) async throws -> Int {
        guard !plan.placements.isEmpty || !plan.preemptions.isEmpty || !plan.takeBacks.isEmpty else { return 0 }
        let reservations = Set(snapshot.centres.flatMap(\.reservations))
        let queued = Dictionary(snapshot.queue.map { ($0.id, $0) }) { first, _ in first }
        let counters = counters
        var placed = 0
        // In pieces, since every other writer waits while one is written.
        for start in stride(from: 0, to: plan.placements.count, by: Self.placementsOfOneWrite) {
            let some = plan.placements[start..<min(start + Self.placementsOfOneWrite, plan.placements.count)]
            let leases = some.map { placement in
                (placement, queued[placement.job].flatMap { forecast($0, placed: placement) })
            }
            let leased = try await write { tx in
                // What somebody has reserved since, the plan knows nothing of.
                let closed = try tx.centresReserved(since: reservations, now: now)
                return try leases.filter { lease in
                    guard !closed.contains(lease.0.centre) else { return false }
                    return try tx.lease(lease.0, forecast: lease.1, at: now)
                }.map(\.0.job)
            }
            placed += leased.count
            claims.withLock { claims in for job in leased { claims[job] = nil } }
            moves.withLock { moves in for job in leased { moves[job] = nil } }
            orderBell.ring()
        }
        if !plan.preemptions.isEmpty || !plan.takeBacks.isEmpty {
            let (made, taken) = try await write { tx in
                let closed = try tx.centresReserved(since: reservations, now: now)
                let preemptions = plan.preemptions.filter { !closed.contains($0.centre) }
                let takeBacks = plan.takeBacks.filter { !closed.contains($0.destination) }
                return (
                    try tx.makeRoom(preemptions, actor: Actor.point, at: now, counters: counters),
                    try tx.takeBack(takeBacks, actor: Actor.point, at: now, counters: counters)
                )
            }
            claims.withLock { $0.merge(made.claims) { $1 } }
            moves.withLock { moves in for move in made.moves + taken { moves[move.job] = move } }
            orderBell.ring()
        }
        return placed
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
        let since = now() - .seconds(Int64(2 * FairShare.halfLifeSeconds))
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
        guard let (job, number) = try placeable(placement.job, at: placement.centre),
            let project = try project(job.project)
        else { return false }
        if project.metered, try balance(.project(project.name)) < placement.reserve { return false }
        try append(
            .runLeased(
                .init(
                    run: RunKey(job: job.id, number: number),
                    centre: placement.centre,
                    nodes: placement.nodes,
                    resources: job.spec.resources,
                    tasks: job.spec.tasks,
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

    /// The centres where something was reserved that a plan did not know of.
    func centresReserved(since known: Set<Reservation>, now: Instant) throws -> Set<CentreName> {
        Set(try liveReservations(now: now).lazy.map(\.reservation).filter { !known.contains($0) }.map(\.centre))
    }

    /// Asks runs to stop so that others find room: for a job all of them, or none when it could not be placed any more.
    ///
    /// - Returns: Where room is made for whom, and where those go that are moved.
    func makeRoom(
        _ preemptions: [Plan.Preemption],
        actor: String,
        at now: Instant,
        counters: Counters
    ) throws -> (claims: [JobID: CentreName], moves: [Snapshot.Move]) {
        var made: [JobID: CentreName] = [:]
        var moves: [Snapshot.Move] = []
        var refused: Set<JobID> = []
        for preemption in preemptions where !refused.contains(preemption.job) {
            if made[preemption.job] == nil {
                guard try placeable(preemption.job, at: preemption.centre) != nil else {
                    refused.insert(preemption.job)
                    continue
                }
                made[preemption.job] = preemption.centre
            }
            guard let run = try run(preemption.run), !run.state.isTerminal else { continue }
            guard let nodes = preemption.destination else {
                try stop(run, .preempt, actor: actor, at: now, counters: counters)
                continue
            }
            try stop(run, .consolidate, actor: actor, at: now, counters: counters)
            moves.append(
                .init(job: run.key.job, centre: run.centre, nodes: nodes, cause: .room(for: preemption.job))
            )
        }
        return (made, moves)
    }

    /// Asks runs back that wait in their engines' own queues and have not started yet as far as one knows.
    ///
    /// - Returns: Where they go.
    func takeBack(
        _ takeBacks: [Plan.TakeBack],
        actor: String,
        at now: Instant,
        counters: Counters
    ) throws -> [Snapshot.Move] {
        try takeBacks.compactMap { item in
            guard let run = try run(item.run), run.state == .pending, run.lifecycle.stop == nil,
                try centreHead(item.destination)?.state == .open
            else { return nil }
            try stop(run, .withdraw, actor: actor, at: now, counters: counters)
            return .init(
                job: run.key.job,
                centre: item.destination,
                nodes: item.nodes,
                cause: .wait(at: item.centre)
            )
        }
    }

    /// A job that may be placed at a centre as far as it, the centre and the quotas of its project and of those above go,
    /// and its next run's number.
    private func placeable(_ id: JobID, at name: CentreName) throws -> (job: Job, number: Int)? {
        guard let job = try job(id), job.unmetDependencies == 0,
            let centre = try centreHead(name), centre.state == .open,
            case let projects = try projectWithParents(job.project), !projects.isEmpty
        else { return nil }
        var lifecycle = job.lifecycle
        guard let number = lifecycle.place() else { return nil }
        let (tasks, resources) = (job.spec.tasks, job.spec.resources)
        for project in projects {
            let quota = project.quota
            guard quota.cores != nil || quota.cards != nil || quota.runs != nil else { continue }
            let held = try projectUsage(within: project.name)
            // Who asks for none is not held up by more being held than a quota allows since it was lowered.
            let (cores, cards) = (resources.cores * tasks, resources.cards * tasks)
            if let limit = quota.cores, cores > 0, held.cores + cores > limit { return nil }
            if let limit = quota.cards, cards > 0, held.cards + cards > limit { return nil }
            if let runs = quota.runs, held.runs + 1 > runs { return nil }
        }
        return (job, number)
    }
}
