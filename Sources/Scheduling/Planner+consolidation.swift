internal import Core

/// Moving a few runs within their centre so that a job finds its place, where room is free in sum but scattered.
///
/// > Sources: Xiao et al., "Gandiva: Introspective Cluster Scheduling for Deep Learning" (OSDI 2018), section 3.2, moves
/// > jobs against fragmentation while they run; here a run is ended and begun anew, so it has to be worth that.
extension Planner {
    /// A way to make a job's place at one centre.
    private struct Consolidation {
        var number: Int
        /// The centre with everything in its new place.
        var ground: Ground
        var moved: [(run: Int, fit: Fit, account: Int, cost: MicroCredits)]
        /// Dominant-share seconds.
        var lost: Double
        var start: Instant
    }

    /// How many searches a plan makes at one centre: each is a look at every run and node.
    private static let searchesMax = 2
    /// How many runs without another place a search passes over.
    private static let dropsMax = 4

    private func mayConsolidate(_ job: QueuedJob, at centre: Int) -> Bool {
        // Other engines choose the nodes by themselves: the work would be lost, and the place perhaps not won.
        guard let ground = grounds[centre], snapshot.centres[centre].capacity?.engine.takesNodes == true else {
            return false
        }
        let name = snapshot.centres[centre].name
        return ground.load.preemptibleFloor <= job.priority && searches[centre] < Self.searchesMax
            && ground.reservations < policy.reservationsPerCentre && !consolidated.contains(centre)
            // One job after the other: what is on its way changes what the next needs.
            && !snapshot.moves.contains { $0.centre == name }
    }

    /// Finds runs that declared themselves preemptible, of no higher priority, each of which has another place in its
    /// centre now, and without which the job fits: those of the least lost work, as long as that is little against what
    /// the job gains.
    mutating func consolidate(_ job: QueuedJob, account: Int, class index: Int, _ affordable: [Int]) -> Room? {
        guard policy.consolidates, job.claim == nil else { return nil }
        let numbers = affordable.filter { mayConsolidate(job, at: classes[index].candidates[$0].centre) }
        guard !numbers.isEmpty, let (_, without) = earliest(index, affordable) else { return nil }
        guard (without.at - now).seconds >= Double(policy.consolidationGainSecondsMin) else { return nil }
        var best: Consolidation?
        for number in numbers {
            searches[classes[index].candidates[number].centre] += 1
            guard let found = consolidation(for: job, account, index, number, without: without.at) else { continue }
            if let known = best {
                let (new, old) = (classes[index].candidates[number], classes[index].candidates[known.number])
                let isBetter =
                    (found.lost, found.moved.count, new.cost, snapshot.centres[new.centre].name)
                    < (known.lost, known.moved.count, old.cost, snapshot.centres[old.centre].name)
                guard isBetter else { continue }
            }
            best = found
        }
        guard let best else { return nil }
        let centre = classes[index].candidates[best.number].centre
        grounds[centre] = best.ground
        consolidated.insert(centre)
        for move in best.moved {
            let run = snapshot.centres[centre].runs[move.run]
            accounts.setAside(move.cost, by: move.account)
            plan.preemptions.append(
                .init(
                    run: run.key,
                    centre: snapshot.centres[centre].name,
                    job: job.id,
                    destination: nodeShares(move.fit, of: run, at: centre),
                    reason: "is moved within \(snapshot.centres[centre].name) so that \(job.id) finds its place"
                )
            )
        }
        plan.reservations.append(
            .init(job: job.id, centre: snapshot.centres[centre].name, start: best.start)
        )
        return Room(candidate: best.number, start: best.start, after: nil, moving: best.moved.count)
    }

    private mutating func consolidation(
        for job: QueuedJob,
        _ account: Int,
        _ index: Int,
        _ number: Int,
        without: Instant
    ) -> Consolidation? {
        let candidate = classes[index].candidates[number]
        guard let ground = grounds[candidate.centre], ground.isFreeInSum(candidate.demand) else { return nil }
        let runs = snapshot.centres[candidate.centre].runs
        let share = dominantShare(job.request.tasks, job.request.resources)
        var homeless: Set<Int> = []
        for _ in 0..<Self.dropsMax {
            let eviction = ground.eviction(
                for: candidate.demand,
                until: classes[index].end,
                for: classes[index].tenant,
                runs: runs
            ) { number, run in
                homeless.contains(number) || !isMovable(run, for: job) ? nil : loss(run)
            }
            guard let eviction, !eviction.runs.isEmpty, eviction.runs.count <= policy.movedRunsMax else { return nil }
            let start = emptied(candidate.centre, stopping: eviction.runs)
            let gained = (without - start).seconds
            guard gained >= Double(policy.consolidationGainSecondsMin),
                eviction.lost * policy.consolidationWorth <= share * gained,
                let fit = eviction.columns.fit(candidate.demand, plain: ground.make.plain)
            else { return nil }
            let trial = Ground(ground)
            for run in eviction.runs { trial.stop(run: run, by: now + .seconds(runs[run].gracePeriodSeconds)) }
            let pieces = fit.shares.map { Piece(node: $0.node, tasks: $0.tasks, candidate.demand) }
            trial.hold(pieces, for: job, from: start, of: eviction.columns, byPreemption: true)
            var found = Consolidation(number: number, ground: trial, moved: [], lost: eviction.lost, start: start)
            var spent = [account: candidate.cost]
            // The largest first: they have the fewest places.
            let order = eviction.runs.sorted { a, b in
                let (shareA, shareB) = (
                    dominantShare(runs[a].tasks, runs[a].resources), dominantShare(runs[b].tasks, runs[b].resources)
                )
                return (shareB, runs[a].key) < (shareA, runs[b].key)
            }
            let isComplete = order.allSatisfy { run in
                guard let move = rehouse(run, at: candidate.centre, on: trial, &spent) else {
                    homeless.insert(run)
                    return false
                }
                found.moved.append(move)
                return true
            }
            if isComplete { return found }
        }
        return nil
    }

    /// Whether a run may be moved for a job. A job that was moved is left in peace for a while, and in the end for ever.
    private func isMovable(_ run: Snapshot.Run, for job: QueuedJob) -> Bool {
        guard run.preemptible, run.priority <= job.priority, let startedAt = run.startedAt else { return false }
        guard run.moves > 0 else { return true }
        return run.moves < policy.movesMax && (now - startedAt).seconds >= Double(policy.settleSeconds)
    }

    /// As preemption counts it, and what a new start costs: in dominant-share seconds.
    private func loss(_ run: Snapshot.Run) -> Double {
        let done = run.startedAt.map { max(0, (now - $0).seconds) } ?? 0
        return dominantShare(run.tasks, run.resources)
            * (done + Double(run.gracePeriodSeconds + policy.restartSeconds))
    }

    private func dominantShare(_ tasks: Int, _ resources: TaskResources) -> Double {
        FairShare.dominantShare(tasks: tasks, resources: resources, of: totals)
    }

    /// When the last of the centre's runs has gone that are stopping or are to stop now.
    func emptied(_ centre: Int, stopping: [Int]) -> Instant {
        let runs = snapshot.centres[centre].runs
        var start = now
        for run in runs.indices where grounds[centre]?.stopping[run] == true {
            start = max(start, now + .seconds(runs[run].gracePeriodSeconds))
        }
        return stopping.reduce(start) { max($0, now + .seconds(runs[$1].gracePeriodSeconds)) }
    }

    /// Keeps another place for a run in its centre: in what is free now, beside all that is kept, and as long as it may
    /// last once more.
    ///
    /// - Parameter spent: What was set aside so far of which account's balance.
    private mutating func rehouse(
        _ number: Int,
        at centre: Int,
        on ground: Ground,
        _ spent: inout [Int: MicroCredits]
    ) -> (run: Int, fit: Fit, account: Int, cost: MicroCredits)? {
        let run = snapshot.centres[centre].runs[number]
        guard let demand = demand(of: number, at: centre) else { return nil }
        let account = account(of: run.project)
        guard !accounts.isOverQuota(account),
            let fit = ground.fit(demand, until: restartEnd(run), for: tenant(of: run.project))
        else { return nil }
        let shares = nodeShares(fit, of: run, at: centre)
        let cost = PriceTable.reservation(
            perHour: snapshot.centres[centre].prices.perHour(resources: run.resources, nodes: shares),
            timeLimitSeconds: run.timeLimitSeconds
        )
        if let balance = accounts[account].balance {
            guard spent[account, default: 0] + cost <= balance else { return nil }
            spent[account, default: 0] = spent[account, default: 0] + cost
        }
        keep(fit, for: run, demand, on: ground)
        return (number, fit, account, cost)
    }

    private func tenant(of project: ProjectName) -> ProjectName? { bookers.contains(project) ? project : nil }

    /// When a run that stops now and begins anew is over at the latest.
    private func restartEnd(_ run: Snapshot.Run) -> Instant {
        now.later(bySeconds: run.gracePeriodSeconds).later(bySeconds: run.timeLimitSeconds)
    }

    private func keep(_ fit: Fit, for run: Snapshot.Run, _ demand: Demand, on ground: Ground) {
        let stand = QueuedJob(
            id: run.key.job,
            project: run.project,
            sequence: 0,
            submittedAt: run.leasedAt,
            request: Request(timeLimitSeconds: run.gracePeriodSeconds + run.timeLimitSeconds)
        )
        ground.hold(
            fit.shares.map { Piece(node: $0.node, tasks: $0.tasks, demand) },
            for: stand,
            from: now,
            of: ground.usable(until: restartEnd(run), for: tenant(of: run.project)),
            byPreemption: true
        )
    }

    /// What a run would ask for once more, on cards of the kind that it has; `nil` when nobody knows which those are.
    private func demand(of number: Int, at centre: Int) -> Demand? {
        guard let ground = grounds[centre] else { return nil }
        let run = snapshot.centres[centre].runs[number]
        let hasCards = run.resources.cards > 0
        let piece = ground.load.piecesOfRun[number].map { ground.load.pieces[$0] }.first { !hasCards || $0.cards > 0 }
        guard let piece else { return nil }
        let dominant = FairShare.dominant(tasks: run.tasks, resources: run.resources, of: totals).dimension
        return Demand(
            Request(tasks: run.tasks, resources: run.resources, timeLimitSeconds: run.timeLimitSeconds),
            flavour: piece.flavour,
            dominant: hasCards ? .cards : dominant
        )
    }

    private func nodeShares(_ fit: Fit, of run: Snapshot.Run, at centre: Int) -> [NodeShare] {
        let flavour = run.resources.cards > 0 ? run.nodes.first : nil
        return fit.shares.map { share in
            NodeShare(
                node: grounds[centre]?.make.nodes[share.node].name ?? "",
                tasks: share.tasks,
                card: flavour?.card,
                emulated: flavour?.emulated ?? false
            )
        }
    }

    // MARK: On the way

    /// Keeps the room of those that are being moved while their runs stop, and puts those there that wait again: before
    /// the job that they make room for, so that neither takes the other's.
    ///
    /// - Parameter queued: Of those that are moved the ones that can be placed.
    /// - Returns: The jobs that were placed.
    mutating func goOnMoving(_ queued: [JobID: QueuedJob]) -> Set<JobID> {
        var placed: Set<JobID> = []
        for move in snapshot.moves {
            guard let centre = snapshot.centres.firstIndex(where: { $0.name == move.centre }),
                let ground = grounds[centre]
            else { continue }
            if let job = queued[move.job] {
                if resume(job, move, at: centre) { placed.insert(job.id) }
                continue
            }
            if case .wait = move.cause {
                keepRoom(for: move, at: centre)
                continue
            }
            let runs = snapshot.centres[centre].runs
            guard let number = runs.firstIndex(where: { $0.key.job == move.job && $0.stopping }),
                let demand = demand(of: number, at: centre)
            else { continue }
            let run = runs[number]
            let (end, tenant) = (restartEnd(run), tenant(of: run.project))
            // What was meant for it may have failed meanwhile.
            let fit = ground.fit(demand, on: move.nodes, until: end, for: tenant)
            guard let fit = fit ?? ground.fit(demand, until: end, for: tenant) else { continue }
            keep(fit, for: run, demand, on: ground)
            let price = snapshot.centres[centre].prices.perHour(
                resources: run.resources,
                nodes: nodeShares(fit, of: run, at: centre)
            )
            let cost = PriceTable.reservation(perHour: price, timeLimitSeconds: run.timeLimitSeconds)
            accounts.setAside(cost, by: account(of: run.project))
        }
        return placed
    }

    private mutating func resume(_ job: QueuedJob, _ move: Snapshot.Move, at centre: Int) -> Bool {
        let account = account(of: job.project)
        let index = requestClass(job.request, of: job.project)
        guard classes[index].impossible == nil, accounts.overQuota(job.request, of: account) == nil,
            let ground = grounds[centre]
        else { return false }
        for number in classes[index].candidates.indices where classes[index].candidates[number].centre == centre {
            let candidate = classes[index].candidates[number]
            if let balance = accounts[account].balance, candidate.cost > balance { continue }
            if candidate.demand.cards > 0,
                shapes[centre]?.flavours[candidate.demand.flavour].model != move.nodes.first?.card
            {
                continue
            }
            let (end, tenant) = (classes[index].end, classes[index].tenant)
            guard let fit = ground.fit(candidate.demand, on: move.nodes, until: end, for: tenant) else { continue }
            classes[index].candidates[number].fit = fit
            passed += 1
            accounts.pass(account)
            place(job, account: account, class: index, candidate: number, as: .moved(move.cause))
            return true
        }
        return false
    }
}

extension Ground {
    /// Whether all nodes together have enough now, wherever that is: else nobody can be moved out of the way.
    fileprivate func isFreeInSum(_ demand: Demand) -> Bool {
        var (cores, memory, cards) = (Int64(0), Int64(0), Int64(0))
        for node in 0..<free.count where free.cores[node] >= 0 && free.memory[node] >= 0 {
            cores += free.cores[node]
            memory += free.memory[node]
            if demand.cards > 0 { cards += max(0, free.cards[demand.flavour][node]) }
        }
        return cores >= product(demand.cores, demand.tasks) && memory >= product(demand.memory, demand.tasks)
            && cards >= product(demand.cards, demand.tasks)
    }

    /// The place on some nodes, as far as it is still there.
    func fit(_ demand: Demand, on nodes: [NodeShare], until end: Instant, for tenant: ProjectName?) -> Fit? {
        let usable = usable(until: end, for: tenant)
        var columns = usable
        columns.cores = Array(repeating: Columns.never, count: usable.count)
        for share in nodes {
            guard let node = make.index[share.node] else { return nil }
            columns.cores[node] = usable.cores[node]
        }
        return columns.fit(demand, plain: make.plain)
    }
}
