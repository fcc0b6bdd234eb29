import Core
import Logging
import Scheduling
import Store
import Synchronization
public import Wire

extension Point {
    /// An agent's heartbeat, report and order book. May be repeated and reordered.
    public func exchange(_ request: ExchangeRequest, _ agent: AgentPrincipal) async throws -> ExchangeResponse {
        try Self.check(request, agent)
        counters.exchanges.withLock { $0 += 1 }
        try await claimSeat(request.seat, agent)
        if sight.saw(agent.centre, at: now()) { log.notice("centre heard of", metadata: ["centre": "\(agent.centre)"]) }
        if let others = request.others, shared.note(others, of: agent) {
            living.withLock { $0.touch() }
            placeBell.ring()
        }
        // An open call proves nothing of who opened it, so it has to call again well before it would count as silent.
        let deadline = now() + min(.milliseconds(request.waitMilliseconds), settings.silenceAfter / 3)
        var request = request
        var isFirst = true
        while true {
            let rings = orderBell.rings
            // Another may have joined in its place while this call was parked.
            try await requireCurrent(agent, seat: request.seat)
            let response = try await answer(request, isFirst: isFirst, agent)
            let remaining = deadline - now()
            if response.saysSomething || remaining <= .zero || Task.isCancelled { return response }
            // What was reported is taken in; only orders are waited for.
            request.reports = []
            request.capacity = nil
            isFirst = false
            await orderBell.wait(beyond: rings, atMost: remaining, on: runtime)
        }
    }

    private static func check(_ request: ExchangeRequest, _ agent: AgentPrincipal) throws {
        guard request.agent == agent.agent else {
            throw Failure(.forbidden, "An agent may speak only for itself.")
        }
        guard request.reports.count <= ExchangeRequest.reportsMax, request.holds.count <= ExchangeRequest.holdsMax,
            request.strays?.count ?? 0 <= ExchangeRequest.holdsMax,
            request.seat.utf8.count <= ExchangeRequest.seatBytesMax,
            (0...ExchangeRequest.waitMillisecondsMax).contains(request.waitMilliseconds)
        else { throw Failure(.tooLarge, "An exchange carries at most \(ExchangeRequest.reportsMax) reports.") }
        let nodes = max(request.capacity?.nodes.count ?? 0, request.others?.count ?? 0)
        guard nodes <= ExchangeRequest.nodesMax else {
            throw Failure(.tooLarge, "A centre reports at most \(ExchangeRequest.nodesMax) nodes.")
        }
    }

    private func answer(
        _ request: ExchangeRequest,
        isFirst: Bool,
        _ agent: AgentPrincipal
    ) async throws -> ExchangeResponse {
        let now = now()
        let (live, toTell, reports, capacityChanged) = try await store.read { tx in
            (
                try self.live.withLock { live in
                    try live.follow(tx)
                    return try live.keys(at: agent.centre, tx)
                }, try tx.liveRunsToTell(at: agent.centre),
                try Self.sort(request.reports, of: agent.centre, tx, at: now),
                try request.capacity.map { try tx.centre(agent.centre)?.capacity != $0 } ?? false
            )
        }
        let holds = Set(request.holds)
        let strays = Set(request.strays ?? [])
        // What the agent had accepted and has not named for so long that no late call explains it: its disk was lost, or
        // it joined anew on another machine. While it has not seen its engine, it cannot know what it lacks.
        let missing: Set<RunKey> =
            request.strays == nil
            ? []
            : live.subtracting(toTell.lazy.filter { $0.lifecycle.lease != .accepted }.map(\.key))
                .filter { !holds.contains($0) && !strays.contains($0) }
        let absent = isFirst ? sight.noteAbsent(missing, at: agent.centre, now: now) : []
        let mustWrite =
            capacityChanged || !reports.news.isEmpty
            || live.contains { absent.contains($0) }
            || toTell.contains {
                $0.lifecycle.lease == .granted || Self.isSeenAgain($0, holds: holds)
            }
        guard mustWrite else {
            return try await store.read { tx in
                try self.orders(
                    toTell,
                    live: live,
                    holds: holds,
                    strays: strays,
                    ended: reports.ended,
                    acknowledged: reports.acknowledged,
                    of: agent.centre,
                    tx,
                    at: now
                )
            }
        }
        let counters = counters
        let (outcome, ended) = try await write { tx in
            let actor = Actor.agent(agent)
            if let capacity = request.capacity, capacityChanged {
                try tx.append(
                    .capacityReported(.init(centre: agent.centre, capacity: capacity)),
                    project: nil,
                    subject: "centre/\(agent.centre)",
                    actor: actor,
                    at: now
                )
            }
            var ended: [RunKey] = []
            func take(_ observation: RunObservation, of run: Run) throws {
                var lifecycle = run.lifecycle
                let changes = lifecycle.observe(observation, now: now)
                self.shared.note(observation, of: run.key, at: run.centre, now: now)
                try tx.apply(
                    changes,
                    to: run,
                    nodes: observation.nodes,
                    artifacts: observation.artifacts,
                    actor: actor,
                    at: now,
                    counters: counters
                )
                if lifecycle.state.isTerminal, !run.state.isTerminal { ended.append(run.key) }
            }
            for report in reports.news {
                guard let run = try tx.run(report.run), !run.state.isTerminal else { continue }
                let observation = try Self.checked(report.observation, of: run, tx)
                for artifact in observation.artifacts {
                    self.whereabouts.note(artifact.digest, of: run.project, at: run.centre)
                }
                try take(observation, of: run)
            }
            for run in try tx.liveRunsToTell(at: agent.centre) {
                var lifecycle = run.lifecycle
                var changes: [RunLifecycle.Change] = []
                if Self.isSeenAgain(run, holds: holds) { changes = lifecycle.regainSight() }
                // Told of only after this commit: from then on only the agent's word ends the lease.
                changes += lifecycle.offer()
                if !changes.isEmpty { try tx.apply(changes, to: run, actor: actor, at: now, counters: counters) }
            }
            for key in absent {
                guard let run = try tx.run(key), !run.state.isTerminal else { continue }
                let kind = run.lifecycle.stop?.outcome ?? .lost
                let detail = "its centre's agent does not have it any more"
                try take(
                    RunObservation(phase: .ended, endedAt: now, outcome: RunOutcome(kind, detail: detail)),
                    of: run
                )
            }
            let response = try self.orders(
                tx.liveRunsToTell(at: agent.centre),
                live: self.live.withLock { $0 }.keys(at: agent.centre, within: tx),
                holds: holds,
                strays: strays,
                ended: reports.ended,
                acknowledged: reports.acknowledged,
                of: agent.centre,
                tx,
                at: now
            )
            return (response, ended)
        }
        if capacityChanged { centresChanged() }
        if !ended.isEmpty { try await noteUsage(of: ended) }
        if capacityChanged || !ended.isEmpty {
            placeBell.ring()
            logBell.ring()
        }
        return outcome
    }

    /// What an agent's reports come to.
    private struct Reports {
        /// Of runs that the centre has. The others are not ours to know: what nobody here knows of must not start.
        var acknowledged: [ExchangeResponse.Acknowledgement] = []
        /// Those that change something. A report that changes nothing now never will, since states only move on.
        var news: [ExchangeRequest.Report] = []
        /// Runs that are said to have ended.
        var ended: Set<RunKey> = []
    }

    /// Most of what is reported twice is known already, and then nothing has to be written.
    private static func sort(
        _ reports: [ExchangeRequest.Report],
        of centre: CentreName,
        _ tx: ReadTransaction,
        at now: Instant
    ) throws -> Reports {
        var sorted = Reports()
        for report in reports {
            if report.observation.phase == .ended { sorted.ended.insert(report.run) }
            guard var lifecycle = try tx.standing(of: report.run, at: centre) else { continue }
            sorted.acknowledged.append(.init(run: report.run, version: report.version))
            if !lifecycle.observe(report.observation, now: now).isEmpty { sorted.news.append(report) }
        }
        return sorted
    }

    /// The longest text of an agent's that is kept, in bytes.
    private static let reportedTextBytesMax = 2000

    /// What an agent says, as far as it can be believed: it may be wrong, old or in strange hands.
    private static func checked(
        _ observation: RunObservation,
        of run: Run,
        _ tx: ReadTransaction
    ) throws -> RunObservation {
        func cut(_ text: String?) -> String? {
            text.map { $0.utf8.count > reportedTextBytesMax ? String($0.prefix(reportedTextBytesMax / 4)) : $0 }
        }
        var checked = observation
        checked.engineJob = cut(observation.engineJob)
        checked.waiting = cut(observation.waiting)
        checked.outcome?.detail = cut(observation.outcome?.detail)
        checked.nodes = try observation.nodes.flatMap { try Self.standing($0, of: run, tx) }
        // An agent that was killed meanwhile has forgotten why it stopped the run; we have not.
        if observation.outcome?.kind == .cancelled, let stop = run.lifecycle.stop,
            stop != .withdraw || observation.startedAt == nil
        {
            checked.outcome?.kind = stop.outcome
        }
        if checked.outcome?.kind == .preempted, checked.outcome?.detail == nil {
            checked.outcome?.detail = run.lifecycle.stop?.detail
        }
        guard observation.outcome?.kind == .succeeded, let job = try tx.job(run.key.job) else {
            checked.artifacts = []
            return checked
        }
        // Bytes count as left only once they were uploaded for this project: naming a digest gives no right to it.
        checked.artifacts = []
        for name in job.spec.outputs {
            if let artifact = observation.artifacts.first(where: { $0.name == name }),
                try tx.blobGrant(project: run.project, digest: artifact.digest) != nil
            {
                checked.artifacts.append(artifact)
            } else {
                checked.outcome = RunOutcome(
                    .missingOutput,
                    detail: "the output '\(name)' did not arrive here; its description promises it"
                )
            }
        }
        return checked
    }

    /// Where a run stands by its agent's word, on the cards that it was planned for; `nil` when that is as planned, or
    /// cannot be.
    private static func standing(_ nodes: [NodeShare], of run: Run, _ tx: ReadTransaction) throws -> [NodeShare]? {
        guard nodes.count <= run.tasks, nodes.allSatisfy({ (1...run.tasks).contains($0.tasks) }),
            nodes.reduce(0, { $0 + $1.tasks }) == run.tasks
        else { return nil }
        let (card, emulated) = (run.nodes.first?.card, run.nodes.first?.emulated ?? false)
        let standing = nodes.map { NodeShare(node: $0.node, tasks: $0.tasks, card: card, emulated: emulated) }
        guard Set(standing) != Set(run.nodes), let known = try tx.centre(run.centre)?.capacity?.nodes,
            standing.allSatisfy({ share in known.contains { $0.name == share.node } })
        else { return nil }
        return standing
    }

    private func noteUsage(of keys: [RunKey]) async throws {
        let totals = FairShare.Totals(try await placeableCentres())
        let runs = try await store.read { tx in
            try keys.compactMap { key -> (run: Run, job: Job?, forecast: (forecast: Forecast, madeAt: Instant)?)? in
                guard let run = try tx.run(key) else { return nil }
                return (run, try tx.job(key.job), key.number == 1 ? try tx.forecast(of: key.job) : nil)
            }
        }
        for (run, job, foretold) in runs {
            if let job {
                runTimes.note(run, of: job.spec)
                if let foretold { foresight.learn(ForecastOutcome(foretold, run, of: job.spec)) }
            }
            guard let from = run.startedAt, let to = run.endedAt else { continue }
            usageMemory.note(
                run.project,
                share: FairShare.dominantShare(tasks: run.tasks, resources: run.resources, of: totals),
                from: from,
                to: to
            )
        }
    }

    /// Whether this word of its agent ends the time for which a run was unseen: the agent names it, or is told of it once
    /// more in the answer, and has from now on as long as any to say that it has it.
    private static func isSeenAgain(_ run: Run, holds: Set<RunKey>) -> Bool {
        run.lifecycle.unseenSince != nil && (holds.contains(run.key) || run.lifecycle.lease == .offered)
    }

    /// Everything that the agent should know, whether it was told before or not.
    private func orders(
        _ toTell: [Run],
        live: Set<RunKey>,
        holds: Set<RunKey>,
        strays: Set<RunKey>,
        ended: Set<RunKey>,
        acknowledged: [ExchangeResponse.Acknowledgement],
        of centre: CentreName,
        _ tx: ReadTransaction,
        at now: Instant
    ) throws -> ExchangeResponse {
        var response = ExchangeResponse(leases: [], stops: [], acknowledged: acknowledged, settled: [], at: now)
        // A stray is adopted: its lease is told once more, and the engine's run is found under it.
        let told = Set(toTell.map(\.key))
        let adopted = try strays.filter { live.contains($0) && !told.contains($0) }.compactMap { try tx.run($0) }
        for run in toTell + adopted {
            let isToBeTold = run.lifecycle.lease != .accepted || strays.contains(run.key)
            if isToBeTold, !holds.contains(run.key), let job = try tx.job(run.key.job) {
                response.leases.append(try order(for: run, of: job, tx))
            }
            if let reason = run.lifecycle.stop, let job = try tx.job(run.key.job) {
                response.stops.append(
                    .init(run: run.key, reason: reason.order, graceSeconds: job.spec.gracePeriodSeconds)
                )
            }
        }
        for key in holds.union(strays) where !live.contains(key) {
            guard let lifecycle = try tx.standing(of: key, at: centre) else {
                // Never our reason to stop anything: the point may be the one that forgot.
                if sight.isNews(unknown: key) {
                    log.error("agent holds a run that is unknown here", metadata: ["run": "\(key)"])
                }
                continue
            }
            // What is kept in mind only tells where to look: the row alone says that a run is over.
            guard lifecycle.state.isTerminal else { continue }
            response.settled.append(key)
            if strays.contains(key), response.leases.count < Self.leasesOfSettledMax, let run = try tx.run(key),
                let job = try tx.job(key.job)
            {
                // Its log may not have arrived before the agent lost its record: taken up once more, it is brought as of
                // any run, and the engine cleaned up. Nothing is to run, so no inputs are wanted.
                response.leases.append(LeaseOrder(run, of: job, inputs: []))
            }
            if lifecycle.stop == .superseded, !ended.contains(key) {
                response.stops.append(.init(run: key, reason: .superseded, graceSeconds: 10))
            }
        }
        return response
    }

    private func order(for run: Run, of job: Job, _ tx: ReadTransaction) throws -> LeaseOrder {
        let inputs = try Self.inputs(of: job, tx).map(\.input)
        for input in inputs { whereabouts.note(input.digest, of: run.project, at: run.centre) }
        return LeaseOrder(run, of: job, inputs: inputs)
    }

    /// In one answer; the others' turn comes with the next.
    private static let leasesOfSettledMax = 100
}

extension LeaseOrder {
    fileprivate init(_ run: Run, of job: Job, inputs: [Input]) {
        self.init(
            run: run.key,
            project: run.project,
            spec: job.spec,
            nodes: run.nodes,
            arrayIndex: job.arrayIndex,
            arrayCount: job.spec.array,
            inputs: inputs
        )
    }
}

extension ExchangeResponse {
    /// Whether the agent gains anything from hearing it now. Settled runs are only worth an answer with the rest.
    fileprivate var saysSomething: Bool {
        !leases.isEmpty || !stops.isEmpty || !acknowledged.isEmpty || !settled.isEmpty
    }
}
