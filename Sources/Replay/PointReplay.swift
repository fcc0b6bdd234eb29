internal import Core
internal import Scheduling

/// Virtual time around the mind of a running point: ``Scheduling/plan(_:policy:)`` is asked whenever something has
/// happened, and what it says is done.
///
/// A run that is preempted or moved has its grace period, loses what it did, and begins anew. Between two events nothing is
/// asked: what only time would change, such as a move that is worth it a minute later, waits for the next one.
struct PointReplay {
    private let jobs: [TraceJob]
    /// By job, without time limits; `nil` for one that no centre or no limit of its project allows.
    private let requests: [Request?]
    /// By job.
    private let owners: [ProjectName]
    /// By job: the number of its project; -1 for none. Empty without projects.
    private let ownerNumbers: [Int32]
    private let estimates: ReplayOptions.Estimates
    private let options: ReplayOptions
    private let federation: Federation
    private let windowEnds: [Int64]
    private let progress: (Int) -> Void

    private var snapshot: Snapshot
    private let totals: FairShare.Totals
    private var terrain = Terrain()
    private var schedule: Schedule
    private var ends = EndHeap()
    /// By job: counts up when a run starts and when it is over, so that what the heap has of others is known to be void.
    private var lives: [UInt32]
    /// By job, in seconds.
    private var expected: [Int64]
    /// By job: how often it was moved.
    private var moves: [Int: Int] = [:]
    private var relocating: Set<Int> = []
    private var predictor = Predictor()
    private var usage: [ProjectName: (hours: Double, at: Int64)] = [:]
    private var forecasts: Forecasts?
    /// Jobs that came since the last plan and whose start is to be foretold.
    private var newcomers: [Int] = []
    private var reserved: ReservedTime

    /// - Parameters:
    ///   - snapshot: The federation, empty.
    ///   - windowEnds: When what is reserved comes free, in seconds.
    ///   - owners: By job.
    ///   - ownerNumbers: By job; empty when nobody counts as a project.
    init(
        jobs: [TraceJob],
        requests: [Request?],
        owners: [ProjectName],
        ownerNumbers: [Int32],
        snapshot: Snapshot,
        windowEnds: [Int64],
        reserved: ReservedTime,
        federation: Federation,
        estimates: ReplayOptions.Estimates,
        options: ReplayOptions,
        progress: @escaping (Int) -> Void
    ) {
        (self.jobs, self.requests) = (jobs, requests)
        (self.owners, self.ownerNumbers) = (owners, ownerNumbers)
        (self.snapshot, self.windowEnds, self.reserved) = (snapshot, windowEnds.sorted(), reserved)
        (self.federation, self.estimates, self.options) = (federation, estimates, options)
        self.progress = progress
        totals = FairShare.Totals(snapshot.centres)
        lives = Array(repeating: 0, count: jobs.count)
        expected = Array(repeating: 0, count: jobs.count)
        if options.forecastEvery > 0 { forecasts = Forecasts(counted: jobs.count / 2) }
        schedule = Schedule(
            start: Array(repeating: -1, count: jobs.count),
            centre: Array(repeating: -1, count: jobs.count)
        )
        schedule.impossible = requests.count { $0 == nil }
        schedule.stops = Schedule.Stops()
        if federation.knowsPower { schedule.joulesOfUse = 0 }
    }

    consuming func run() -> Schedule {
        var next = 0
        let turns = options.turns
        var turn = 0
        var window = 0
        while true {
            while next < jobs.count, requests[next] == nil { next += 1 }
            let changesUp = turn < turns.count || window < windowEnds.count
            guard next < jobs.count || !ends.isEmpty || (changesUp && !snapshot.queue.isEmpty) else { break }
            var now = next < jobs.count ? jobs[next].submit : Int64.max
            if let first = ends.first { now = min(now, first) }
            if turn < turns.count { now = min(now, turns[turn].at) }
            if window < windowEnds.count { now = min(now, windowEnds[window]) }
            while ends.first == now, let end = ends.pop() { self.end(end, now) }
            while turn < turns.count, turns[turn].at == now {
                take(turns[turn], now)
                turn += 1
            }
            while window < windowEnds.count, windowEnds[window] <= now { window += 1 }
            while next < jobs.count, jobs[next].submit == now {
                if requests[next] != nil { submit(next, now) }
                next += 1
            }
            pass(now)
        }
        schedule.forecasts = forecasts?.score
        schedule.reservations = reserved.metrics
        return schedule
    }

    // MARK: what happens

    private static func id(_ index: Int) -> JobID { JobID(high: 0, low: UInt64(index)) }

    private static func index(_ job: JobID) -> Int { Int(job.low) }

    private static func instant(_ seconds: Int64) -> Instant { Instant(milliseconds: seconds * 1000) }

    private mutating func submit(_ index: Int, _ now: Int64) {
        let job = jobs[index]
        expected[index] = estimates.seconds(job, predictor)
        enqueue(index)
        if options.forecastEvery > 0, index % options.forecastEvery == 0 {
            newcomers.append(index)
            forecasts?.expectRun(index, seconds: expected[index], limit: job.requested)
        }
        if index & 0xFF == 0 { progress(index) }
    }

    private mutating func enqueue(_ index: Int) {
        guard var request = requests[index] else { return }
        let job = jobs[index]
        request.timeLimitSeconds = Int(estimates.limit(job, estimate: expected[index]))
        snapshot.queue.append(
            QueuedJob(
                id: Self.id(index),
                project: owners[index],
                sequence: Int64(index),
                submittedAt: Self.instant(job.submit),
                priority: job.priority,
                preemptible: job.preemptible,
                request: request,
                estimateSeconds: Int(expected[index])
            )
        )
    }

    /// A run is over: because it has done its work, or because its grace period is.
    private mutating func end(_ end: EndHeap.End, _ now: Int64) {
        let index = Int(end.number)
        guard lives[index] == end.life else { return }
        remove(index, now)
        guard schedule.start[index] + jobs[index].run > now else {
            relocating.remove(index)
            snapshot.moves.removeAll { $0.job == Self.id(index) }
            forecasts?.ended(index, ran: jobs[index].run)
            if estimates == .predicted { predictor.learn(Replay.contexts(jobs[index]), seconds: jobs[index].run) }
            return
        }
        let isMove = relocating.remove(index) != nil
        if isMove { moves[index, default: 0] += 1 }
        schedule.stops?.note(jobs[index], ran: now - schedule.start[index], isMove: isMove)
        begin(anew: index, now)
    }

    /// Takes a run off its nodes.
    private mutating func remove(_ index: Int, _ now: Int64) {
        lives[index] += 1
        let centre = Int(schedule.centre[index])
        let job = Self.id(index)
        guard let at = snapshot.centres[centre].runs.firstIndex(where: { $0.key.job == job }) else { return }
        let run = snapshot.centres[centre].runs.remove(at: at)
        let share = FairShare.dominantShare(tasks: run.tasks, resources: run.resources, of: totals)
        let before = usage[run.project].map { decayed($0, now) } ?? 0
        usage[run.project] = (before + share * Double(now - schedule.start[index]) / 3600, now)
        if !reserved.isEmpty {
            reserved.note(
                places(run.nodes),
                Need(run),
                at: schedule.centre[index],
                from: schedule.start[index],
                to: now,
                owner: ownerNumbers.isEmpty ? -1 : ownerNumbers[index]
            )
        }
        if let joules = schedule.joulesOfUse {
            let watts = federation.watts(Need(run), places(run.nodes), at: centre)
            schedule.joulesOfUse = joules + watts * Double(now - schedule.start[index])
        }
    }

    private mutating func begin(anew index: Int, _ now: Int64) {
        schedule.start[index] = -1
        schedule.centre[index] = -1
        enqueue(index)
    }

    private mutating func take(_ turn: ReplayOptions.Turn, _ now: Int64) {
        snapshot.centres[turn.centre].unseenSince = turn.isOpening ? nil : Self.instant(now)
        guard !turn.isOpening else { return }
        for run in snapshot.centres[turn.centre].runs {
            let index = Self.index(run.key.job)
            remove(index, now)
            relocating.remove(index)
            snapshot.moves.removeAll { $0.job == run.key.job }
            schedule.interrupted += 1
            begin(anew: index, now)
        }
    }

    // MARK: what is decided

    private mutating func pass(_ now: Int64) {
        guard !snapshot.queue.isEmpty else { return newcomers.removeAll() }
        snapshot.now = Self.instant(now)
        for project in snapshot.projects.indices {
            guard let used = usage[snapshot.projects[project].name] else { continue }
            snapshot.projects[project].usage = decayed(used, now)
        }
        correctLimits()
        let decision = Decision(snapshot, on: &terrain)
        for placement in decision.plan.placements { start(placement, now) }
        foretell(decision, now)
        if !decision.plan.placements.isEmpty {
            let placed = Set(decision.plan.placements.map(\.job))
            snapshot.queue.removeAll { placed.contains($0.id) }
            snapshot.moves.removeAll { placed.contains($0.job) }
        }
        for preemption in decision.plan.preemptions { stop(preemption, now) }
    }

    /// Nobody ends what outlives its time limit here, be it that the trace says none and it was only estimated: such a run
    /// is expected to go on for a quarter of what it has run, as in the other mind.
    private mutating func correctLimits() {
        for centre in snapshot.centres.indices {
            for run in snapshot.centres[centre].runs.indices
            where snapshot.centres[centre].runs[run].limitEnd < snapshot.now {
                let ran = (snapshot.now - (snapshot.centres[centre].runs[run].startedAt ?? snapshot.now)).seconds
                snapshot.centres[centre].runs[run].timeLimitSeconds = Int(ran + max(60, ran / 4))
            }
        }
    }

    private mutating func start(_ placement: Plan.Placement, _ now: Int64) {
        let index = Self.index(placement.job)
        guard let centre = snapshot.centres.firstIndex(where: { $0.name == placement.centre }),
            let request = requests[index]
        else { return }
        lives[index] += 1
        schedule.start[index] = now
        schedule.centre[index] = Int32(centre)
        let job = jobs[index]
        snapshot.centres[centre].runs.append(
            Snapshot.Run(
                key: RunKey(job: placement.job, number: Int(lives[index])),
                project: owners[index],
                nodes: placement.nodes,
                resources: request.resources,
                leasedAt: snapshot.now,
                startedAt: snapshot.now,
                timeLimitSeconds: Int(estimates.limit(job, estimate: expected[index])),
                estimateSeconds: Int(expected[index]),
                priority: job.priority,
                preemptible: job.preemptible,
                moves: moves[index] ?? 0
            )
        )
        ends.push(now + job.run, Int32(index), life: lives[index])
        forecasts?.started(index, at: now)
    }

    private mutating func stop(_ preemption: Plan.Preemption, _ now: Int64) {
        let index = Self.index(preemption.run.job)
        guard let centre = snapshot.centres.firstIndex(where: { $0.name == preemption.centre }),
            let at = snapshot.centres[centre].runs.firstIndex(where: { $0.key == preemption.run })
        else { return }
        snapshot.centres[centre].runs[at].stopping = true
        let grace = Int64(snapshot.centres[centre].runs[at].gracePeriodSeconds)
        ends.push(now + grace, Int32(index), life: lives[index])
        if let waiting = snapshot.queue.firstIndex(where: { $0.id == preemption.job }) {
            snapshot.queue[waiting].claim = preemption.centre
        }
        guard let nodes = preemption.destination else { return }
        relocating.insert(index)
        snapshot.moves.append(
            .init(
                job: preemption.run.job,
                centre: preemption.centre,
                nodes: nodes,
                cause: .room(for: preemption.job)
            )
        )
    }

    private mutating func foretell(_ decision: Decision, _ now: Int64) {
        defer { newcomers.removeAll(keepingCapacity: true) }
        for index in newcomers {
            guard schedule.start[index] < 0 else {
                forecasts?.startedAtOnce(index)
                continue
            }
            guard let queued = snapshot.queue.first(where: { $0.id == Self.id(index) }),
                let start = decision.reason(for: queued).predictedStart
            else { continue }
            forecasts?.expectStart(index, at: now, waiting: max(0, (start - snapshot.now).seconds))
        }
    }

    private func decayed(_ used: (hours: Double, at: Int64), _ now: Int64) -> Double {
        used.hours
            * FairShare.decay(elapsedSeconds: Double(now - used.at), halfLifeSeconds: FairShare.halfLifeSeconds)
    }

    private func places(_ nodes: [NodeShare]) -> [Scheduler.Place] {
        nodes.compactMap { share in
            Federation.number(ofNode: share.node).map { .init(node: Int32($0), tasks: Int32(share.tasks)) }
        }
    }
}

extension Need {
    /// What a run holds.
    fileprivate init(_ run: Snapshot.Run) {
        self.init(
            tasks: run.tasks,
            milliCores: Int(run.resources.cores.count),
            memoryMiB: Int(run.resources.memory.count >> 20),
            cards: run.resources.cards
        )
    }
}
