internal import Core

/// What is done for a job that passed every gate and fits nowhere now.
extension Planner {
    /// Room that is or will be kept for a job.
    struct Room {
        var candidate: Int
        var start: Instant
        var after: JobID?
        /// Runs that are stopping for good, as far as this centre goes.
        var preempting: [RunKey] = []
        /// How many are stopping to go on elsewhere in the centre.
        var moving = 0

        /// Whether somebody is stopping for it.
        var isBeingMade: Bool { !preempting.isEmpty || moving > 0 }
    }

    /// - Returns: Whether it was placed after all: where others are, to wait among them.
    mutating func block(_ job: QueuedJob, account: Int, class index: Int, balance: MicroCredits?) -> Bool {
        let affordable = affordable(index, balance)
        let made =
            makeRoom(job, class: index, affordable)
            ?? consolidate(job, account: account, class: index, affordable)
        if made == nil, let (number, fit) = turn(index, affordable) {
            classes[index].candidates[number].fit = fit
            let centre = classes[index].candidates[number].centre
            turns[centre] -= 1
            place(job, account: account, class: index, candidate: number, as: .awaiting)
            return true
        }
        let room = made ?? reserve(job, class: index, affordable)
        let detail = job.id == focus
        let way: Reason.WayOut
        if let room, room.isBeingMade {
            way = .nothing
        } else {
            way = wayOut(index, affordable, balance: balance, detail: detail, room: room)
        }
        let reserved = reservedCause(index, affordable)
        var reason = Reason(
            reserved ?? cause(job, account: account, class: index, affordable, room: room, detail: detail),
            findings: findings(index, balance: balance),
            way: way,
            predictedStart: room?.start
        )
        if detail { reason = foretold(reason, index, affordable) }
        plan.waiting[job.id] = reason
        // Full centres stay full in this plan, and so do those that keep room for enough others.
        if room == nil, !detail, balance == nil, classes[index].live.isEmpty,
            !mayReserve(index, affordable)
        {
            classes[index].settled = reason
        }
        return false
    }

    // MARK: Waiting among others

    /// Where a job that fits nowhere now may wait in the queue of a centre's own engine, for what others hold there: where
    /// the wait was shortest of late, and nowhere if room is expected to come sooner at a centre that is ours alone.
    private mutating func turn(_ index: Int, _ affordable: [Int]) -> (number: Int, fit: Fit)? {
        var best: (number: Int, fit: Fit)?
        func rank(_ number: Int) -> (Int, MicroCredits, CentreName) {
            let candidate = classes[index].candidates[number]
            let centre = snapshot.centres[candidate.centre]
            return (centre.queue.waitSeconds ?? 0, candidate.cost, centre.name)
        }
        for number in affordable where turns[classes[index].candidates[number].centre] > 0 {
            let candidate = classes[index].candidates[number]
            guard
                let fit = grounds[candidate.centre]?.fitBesideUs(
                    candidate.demand,
                    until: classes[index].end,
                    for: classes[index].tenant
                ), best.map({ rank(number) < rank($0.number) }) ?? true
            else { continue }
            best = (number, fit)
        }
        guard let best else { return nil }
        let ours = affordable.filter { snapshot.centres[classes[index].candidates[$0].centre].others.isEmpty }
        let wait = snapshot.centres[classes[index].candidates[best.number].centre].queue.waitSeconds ?? 0
        if let (_, opening) = earliest(index, ours), opening.at <= now + .seconds(wait) { return nil }
        return best
    }

    /// The same reason for another job.
    func renewed(_ reason: Reason, account: Int) -> Reason {
        var reason = reason
        switch reason.cause {
        case .capacity(var busy):
            busy.ahead = passed
            reason.cause = .capacity(busy)
        case .behind(_, let heldFor), .fairShare(_, _, let heldFor):
            reason.cause = behind(account, heldFor)
        case .ready, .dependency, .backoff, .impossible, .centres, .quota, .voucher, .reserved: break
        }
        return reason
    }

    private func behind(_ account: Int, _ heldFor: JobID?) -> Reason.Cause {
        guard passed > 0, let level = accounts.outranked(account) else {
            return .behind(ahead: passed, heldFor: heldFor)
        }
        return .fairShare(project: level, ahead: passed, heldFor: heldFor)
    }

    /// The candidates that the project can pay.
    func affordable(_ index: Int, _ balance: MicroCredits?) -> [Int] {
        classes[index].candidates.indices.filter { number in
            balance.map { classes[index].candidates[number].cost <= $0 } ?? true
        }
    }

    // MARK: Preemption

    func mayPreempt(_ job: QueuedJob, class index: Int) -> Bool {
        (policy.preempts || job.claim != nil) && job.priority > classes[index].preemptionFailed
            && (job.claim != nil || job.priority > preemptibleFloor)
    }

    /// Finds runs of strictly lower priority that declared themselves preemptible and whose end makes the job fit in
    /// one centre, with the least work lost; or finds that enough is on its way out already.
    private mutating func makeRoom(_ job: QueuedJob, class index: Int, _ affordable: [Int]) -> Room? {
        guard mayPreempt(job, class: index) else { return nil }
        var best: (number: Int, eviction: Ground.Eviction)?
        for number in affordable {
            let candidate = classes[index].candidates[number]
            let runs = snapshot.centres[candidate.centre].runs
            let (end, tenant) = (classes[index].end, classes[index].tenant)
            let eviction = grounds[candidate.centre]?.eviction(
                for: candidate.demand,
                until: end,
                for: tenant,
                runs: runs
            ) { _, run in
                guard run.preemptible, run.priority < job.priority else { return nil }
                let share = FairShare.dominantShare(tasks: run.tasks, resources: run.resources, of: totals)
                return share * (run.startedAt.map { max(0, (now - $0).seconds) } ?? 0)
            }
            guard let eviction else { continue }
            if let known = best {
                let old = classes[index].candidates[known.number]
                let isBetter =
                    (eviction.lost, eviction.runs.count, candidate.cost, snapshot.centres[candidate.centre].name)
                    < (known.eviction.lost, known.eviction.runs.count, old.cost, snapshot.centres[old.centre].name)
                guard isBetter else { continue }
            }
            best = (number, eviction)
        }
        guard let (number, eviction) = best else {
            if affordable.count == classes[index].candidates.count {
                classes[index].preemptionFailed = max(classes[index].preemptionFailed, job.priority)
            }
            return nil
        }
        let candidate = classes[index].candidates[number]
        let centre = snapshot.centres[candidate.centre]
        guard let plain = grounds[candidate.centre]?.make.plain,
            let fit = eviction.columns.fit(candidate.demand, plain: plain)
        else { return nil }
        let start = emptied(candidate.centre, stopping: eviction.runs)
        for run in eviction.runs {
            let victim = centre.runs[run]
            grounds[candidate.centre]?.stop(run: run, by: now + .seconds(victim.gracePeriodSeconds))
            let held = (victim.startedAt.map { max(0, (now - $0).seconds) } ?? 0).rounded(.down)
            plan.preemptions.append(
                .init(
                    run: victim.key,
                    centre: centre.name,
                    job: job.id,
                    reason: "gives way at \(centre.name) to \(job.id) of priority \(job.priority), its own being "
                        + "\(victim.priority); \(counted(victim.tasks, "task")) lose \(Int64(held)) seconds of work"
                )
            )
        }
        let pieces = fit.shares.map { Piece(node: $0.node, tasks: $0.tasks, candidate.demand) }
        grounds[candidate.centre]?.hold(pieces, for: job, from: start, of: eviction.columns, byPreemption: true)
        plan.reservations.append(.init(job: job.id, centre: centre.name, start: start))
        let stopping = centre.runs.indices.filter { grounds[candidate.centre]?.stopping[$0] == true }
            .map { centre.runs[$0].key }
        let moved = Set(snapshot.moves.filter { $0.cause == .room(for: job.id) }.map(\.job))
        return Room(
            candidate: number,
            start: start,
            after: nil,
            preempting: stopping.filter { !moved.contains($0.job) },
            moving: stopping.count { moved.contains($0.job) }
        )
    }

    // MARK: Reservation

    /// Keeps room where it opens first, unless one of the centres keeps it for enough others already: what is kept is
    /// idle until it is enough, and a job that could run at many would have them all wait for it and those behind it.
    private mutating func reserve(_ job: QueuedJob, class index: Int, _ affordable: [Int]) -> Room? {
        guard mayReserve(index, affordable) else { return nil }
        let free = affordable.filter { !isBooked(index, $0) }
        // Whom a reservation keeps waiting would keep the room of others idle meanwhile; it is their turn when that is over.
        guard let (number, opening) = earliest(index, free, unpushed: true) else { return nil }
        let candidate = classes[index].candidates[number]
        let (lasting, tenant) = (classes[index].request.timeLimitSeconds, classes[index].tenant)
        guard let ground = grounds[candidate.centre],
            let room = ground.room(at: opening, candidate.demand, lasting: lasting, for: tenant),
            let fit = room.beside.fit(candidate.demand, plain: ground.make.plain)
        else { return nil }
        let pieces = fit.shares.map { Piece(node: $0.node, tasks: $0.tasks, candidate.demand) }
        ground.hold(pieces, for: job, from: opening.at, of: room.columns, byPreemption: false)
        let centre = snapshot.centres[candidate.centre].name
        plan.reservations.append(.init(job: job.id, centre: centre, start: opening.at))
        return Room(candidate: number, start: opening.at, after: opening.after)
    }

    /// Whether what is reserved in advance keeps a class out.
    private func isBooked(_ index: Int, _ number: Int) -> Bool {
        if case .reserved = classes[index].obstacles[classes[index].candidates[number].centre] { true } else { false }
    }

    /// Whether no centre that could run a class keeps room for as many as it may.
    private func mayReserve(_ index: Int, _ affordable: [Int]) -> Bool {
        affordable.allSatisfy { number in
            let ground = grounds[classes[index].candidates[number].centre]
            return isBooked(index, number) || ground.map { $0.reservations < policy.reservationsPerCentre } ?? true
        }
    }

    /// Where and when a class fits first if runs end as expected; then where it is cheaper; then by name.
    ///
    /// - Parameter unpushed: Only where no reservation puts it off.
    mutating func earliest(
        _ index: Int,
        _ numbers: [Int],
        unpushed: Bool = false
    ) -> (number: Int, opening: Opening)? {
        let (lasting, tenant) = (classes[index].request.timeLimitSeconds, classes[index].tenant)
        var best: (number: Int, opening: Opening)?
        for number in numbers {
            let centre = classes[index].candidates[number].centre
            guard let ground = grounds[centre] else { continue }
            // In the course of a plan that hardly changes, and is dear to ask.
            if unpushed, classes[index].candidates[number].opening?.isPushed == true { continue }
            if classes[index].candidates[number].openingVersion != ground.version {
                let demand = classes[index].candidates[number].demand
                classes[index].candidates[number].opening = ground.opening(demand, lasting: lasting, for: tenant)
                classes[index].candidates[number].openingVersion = ground.version
            }
            guard let opening = classes[index].candidates[number].opening, !(unpushed && opening.isPushed) else {
                continue
            }
            if let known = best {
                guard opening.at <= known.opening.at else { continue }
                let old = classes[index].candidates[known.number]
                let isBetter =
                    (opening.at, classes[index].candidates[number].cost, snapshot.centres[centre].name)
                    < (known.opening.at, old.cost, snapshot.centres[old.centre].name)
                guard isBetter else { continue }
            }
            best = (number, opening)
        }
        return best
    }

    // MARK: Reasons

    func reasonImpossible(_ impossible: Feasibility.Impossible, _ request: Request) -> Reason {
        let way: Reason.WayOut
        if let nearest = impossible.nearest, let centre = impossible.centre {
            way = .smaller(instead: nearest, of: request, centre: centre, now: false)
        } else {
            way = .centre(nil, nil)
        }
        return Reason(.impossible, findings: impossible.findings, way: way)
    }

    func reasonCentres(_ made: RequestClass) -> Reason {
        var findings: [Finding] = []
        var toMend: Finding?
        for (index, obstacle) in made.obstacles.enumerated() {
            guard let obstacle else { continue }
            let finding = Finding(centre: snapshot.centres[index].name, obstacle: obstacle)
            findings.append(finding)
            switch obstacle {
            case .draining, .unseen, .notReported, .nodesDown: toMend = toMend ?? finding
            default: break
            }
        }
        let way = elsewhere(made) ?? .centre(toMend?.centre, toMend?.obstacle)
        return Reason(.centres, findings: findings, way: way)
    }

    private mutating func cause(
        _ job: QueuedJob,
        account: Int,
        class index: Int,
        _ affordable: [Int],
        room: Room?,
        detail: Bool
    ) -> Reason.Cause {
        if room == nil {
            var heldFor: JobID?
            var isTaken = false
            for number in affordable {
                switch classes[index].obstacles[classes[index].candidates[number].centre] {
                case .held(let job, _): heldFor = heldFor ?? job
                case .taken: isTaken = true
                default: break
                }
            }
            if heldFor != nil || isTaken {
                return behind(account, heldFor)
            }
        }
        var best = room.map { ($0.candidate, $0.start as Instant?, $0.after) }
        if best == nil, detail, let (number, opening) = earliest(index, affordable) {
            best = (number, opening.at, opening.after)
        }
        let number =
            best?.0
            ?? affordable.max { lack(index, $0).ratio < lack(index, $1).ratio } ?? classes[index].candidates.startIndex
        return .capacity(
            .init(
                centre: snapshot.centres[classes[index].candidates[number].centre].name,
                lack: lack(index, number),
                freeAt: best?.1,
                after: best?.2,
                isReserved: room != nil,
                ahead: passed,
                preempting: room?.preempting ?? [],
                moving: room?.moving ?? 0,
                others: detail ? heldByOthers(classes[index].candidates[number]) : nil
            )
        )
    }

    /// What a candidate lacks in numbers.
    func lack(_ index: Int, _ number: Int) -> Lack {
        let candidate = classes[index].candidates[number]
        if let lack = classes[index].obstacles[candidate.centre]?.lack { return lack }
        return grounds[candidate.centre]?.unheld().lack(candidate.demand) ?? Lack(dimension: .cores, need: 0, have: 0)
    }

    private mutating func findings(_ index: Int, balance: MicroCredits?) -> [Finding] {
        var findings = outFindings(index)
        guard let balance else { return findings }
        let dear = Dictionary(
            classes[index].candidates.filter { $0.cost > balance }.map { ($0.centre, $0.cost) },
            uniquingKeysWith: { min($0, $1) }
        )
        for (centre, cost) in dear.sorted(by: { $0.key < $1.key })
        where !classes[index].candidates.contains(where: { $0.centre == centre && $0.cost <= balance }) {
            let finding = Finding(
                centre: snapshot.centres[centre].name,
                obstacle: .dear(need: cost, balance: balance)
            )
            if let known = findings.firstIndex(where: { $0.centre == finding.centre }) {
                findings[known] = finding
            } else {
                findings.append(finding)
            }
        }
        return findings
    }
}
