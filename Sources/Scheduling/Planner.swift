internal import Core

/// A request and what is known of it in this plan. Equal requests share it: what failed once need not be tried again,
/// because in the course of one plan room only ever gets less.
struct RequestClass {
    /// A centre and a flavour of cards there that could run the request when empty.
    struct Candidate {
        var centre: Int
        var demand: Demand
        var pricePerHour: MicroCredits
        /// Of the whole time limit.
        var cost: MicroCredits
        /// From the tier that such requests prefer.
        var tierDistance: Int
        /// The best place there as of `version` of the centre's ground.
        var fit: Fit?
        var version = -1
        /// When it could start there, as of `openingVersion`.
        var opening: Opening?
        var openingVersion = -1
    }

    let request: Request
    /// The project whose reserved room its jobs may use too; `nil` when nothing is reserved for their project.
    var tenant: ProjectName?
    /// When one that starts now is over.
    var end: Instant
    var candidates: [Candidate] = []
    /// Indices of candidates that have not failed yet.
    var live: [Int] = []
    /// By centre: what stands against it. For candidates set once they have failed.
    var obstacles: [Obstacle?]
    var impossible: Feasibility.Impossible?
    /// The highest priority with which preemption was tried in vain.
    var preemptionFailed = Int.min
    /// Worked out once.
    var way: Reason.WayOut?
    /// The reason of one of its jobs, once nothing but who is ahead can change in it.
    var settled: Reason?
    /// What stands against the centres that are out, and the clause of placements about them; made anew when one more
    /// is.
    var findings: [Finding]?
    var outs: String?
}

/// What jobs have in common that are decided together.
struct ClassKey: Hashable {
    var request: Request
    /// As ``RequestClass/tenant``.
    var tenant: ProjectName?
}

/// The state of one making of a plan. Lives for one call.
struct Planner {
    let snapshot: Snapshot
    var policy: Policy
    /// The job whose reason is worked out in full; of the others that is done when somebody asks.
    var focus: JobID?
    let totals: FairShare.Totals
    /// Whether anybody has said how bytes come to a centre.
    let hasLinks: Bool
    let shapes: [Shapes?]
    private let classMemory: ClassMemory
    /// By centre; `nil` where nothing can be placed now.
    var grounds: [Ground?]
    /// By centre: how many runs its own engine's queue may still be given.
    var turns: [Int]
    var classes: [RequestClass] = []
    var classIndex: [ClassKey: Int] = [:]
    /// The projects for which something is reserved in advance, and all below them.
    let bookers: Set<ProjectName>
    var accounts: [ProjectAccount]
    var projectIndex: [ProjectName: Int] = [:]
    /// Jobs that passed all gates so far: those ahead of the next in order.
    var passed = 0
    /// The lowest priority of a run that may be preempted; `Int.max` when there is none.
    let preemptibleFloor: Int
    /// By centre: how often runs were looked for that could be moved.
    var searches: [Int]
    /// The centres at which this plan moves runs.
    var consolidated: Set<Int> = []
    var plan = Plan()

    var now: Instant { snapshot.now }

    init(_ snapshot: Snapshot, policy: Policy, focus: JobID?, on terrain: inout Terrain) {
        self.snapshot = snapshot
        self.policy = policy
        self.focus = focus
        terrain.survey(snapshot.centres)
        let plots = terrain.plots
        classMemory = terrain.classes
        var totals = FairShare.Totals()
        for (centre, plot) in zip(snapshot.centres, plots) where centre.state != .removed {
            if let make = plot.make { totals.add(make.totals) }
        }
        self.totals = totals
        hasLinks = snapshot.centres.contains { $0.link != nil }
        shapes = plots.map { $0.make?.shapes }
        let families = snapshot.projects.families(
            of: snapshot.centres.lazy.flatMap(\.reservations).compactMap(\.project)
        )
        grounds = zip(snapshot.centres, plots).map { centre, plot in
            guard let make = plot.make, Gates.state(centre) == nil else { return nil }
            return Ground(centre, make, plot.load, families: families, now: snapshot.now, policy: policy)
        }
        turns = snapshot.centres.map(\.queue.turns)
        searches = Array(repeating: 0, count: snapshot.centres.count)
        bookers = families.values.reduce(into: []) { $0.formUnion($1) }
        accounts = [ProjectAccount](snapshot.projects)
        for (index, account) in accounts.enumerated() { projectIndex[account.project.name] = index }
        var floor = Int.max
        for (plot, ground) in zip(plots, grounds) where ground != nil { floor = min(floor, plot.load.preemptibleFloor) }
        preemptibleFloor = policy.preempts ? floor : .max
        for plot in plots {
            let tenants = plot.load.tenants.map { account(of: $0) }
            for run in plot.load.held {
                let left = max(0, min((run.limitEnd - now).seconds, Double(policy.commitmentHorizonSeconds)))
                let share = FairShare.dominantShare(tasks: run.tasks, resources: run.resources, of: totals)
                let tenant = tenants[run.tenant]
                accounts.hold(run.resources, tasks: run.tasks, shareHours: share * left / 3600, by: tenant)
            }
        }
    }

    /// The index of a project's account; opened with the defaults when the snapshot does not know the project.
    mutating func account(of name: ProjectName) -> Int {
        if let known = projectIndex[name] { return known }
        accounts.append(ProjectAccount(Snapshot.Project(name: name)))
        projectIndex[name] = accounts.count - 1
        return accounts.count - 1
    }

    mutating func run() {
        var claims: [QueuedJob] = []
        let moved = Set(snapshot.moves.map(\.job))
        plan.waiting.reserveCapacity(snapshot.queue.count)
        for (index, job) in snapshot.queue.enumerated() {
            if let reason = reasonOfItsOwn(job) {
                plan.waiting[job.id] = reason
            } else if job.claim != nil || moved.contains(job.id) {
                claims.append(job)
            } else {
                let account = account(of: job.project)
                accounts[account].append(job, at: index)
            }
        }
        let placed = goOnMoving(
            Dictionary(claims.filter { moved.contains($0.id) }.map { ($0.id, $0) }) { first, _ in first }
        )
        // Who is moved gives way to the job that it is moved for.
        func turn(_ job: QueuedJob) -> (Int, Int, Int64, JobID) {
            (job.claim == nil ? 1 : 0, -job.priority, job.sequence, job.id)
        }
        claims.sort { turn($0) < turn($1) }
        for job in claims where !placed.contains(job.id) { consider(job, account: account(of: job.project)) }
        for (index, guest) in snapshot.guests.enumerated() {
            let account = account(of: guest.job.project)
            accounts[account].append(guest.job, at: snapshot.queue.count + index)
        }
        for index in accounts.indices { accounts[index].sortQueue() }
        var active = accounts.indices.filter { accounts[$0].hasNext }
        while let first = active.min(by: { accounts.precedes($0, $1) }) {
            // Its standing changes only when something of it is placed; until then it stays its turn.
            while let index = accounts[first].popNext() {
                let isPlaced =
                    index < snapshot.queue.count
                    ? consider(snapshot.queue[index], account: first)
                    : takeBack(snapshot.guests[index - snapshot.queue.count], account: first)
                if isPlaced { break }
            }
            if !accounts[first].hasNext { active.removeAll { $0 == first } }
        }
    }

    /// Why a job takes no part, whatever there is.
    func reasonOfItsOwn(_ job: QueuedJob) -> Reason? {
        if job.unmetDependencies > 0 {
            let cause = Reason.Cause.dependency(waitingFor: job.waitingFor, count: job.unmetDependencies)
            return Reason(cause, way: .dependencies)
        }
        guard let until = job.notBefore, until > now else { return nil }
        return Reason(.backoff(until: until), way: .wait(until: until, after: nil), predictedStart: until)
    }

    /// Gates, then the best place, then what can be done for a blocked job.
    ///
    /// - Returns: Whether it was placed.
    @discardableResult
    mutating func consider(_ job: QueuedJob, account: Int) -> Bool {
        let index = requestClass(job.request, of: job.project)
        if let impossible = classes[index].impossible {
            plan.waiting[job.id] = reasonImpossible(impossible, job.request)
            return false
        }
        if classes[index].candidates.isEmpty {
            plan.waiting[job.id] = reasonCentres(classes[index])
            return false
        }
        if let reason = accounts.overQuota(job.request, of: account) {
            plan.waiting[job.id] = reason
            return false
        }
        let balance = accounts[account].balance
        if let balance, let cheapest = cheapest(index), cheapest.cost > balance {
            plan.waiting[job.id] = Reason(
                .voucher(
                    project: job.project,
                    balance: balance,
                    need: cheapest.cost,
                    centre: snapshot.centres[cheapest.centre].name
                ),
                way: .voucher(project: job.project, missing: cheapest.cost - balance)
            )
            return false
        }
        defer {
            passed += 1
            accounts.pass(account)
        }
        if balance == nil, let settled = classes[index].settled, job.id != focus, !mayPreempt(job, class: index) {
            plan.waiting[job.id] = renewed(settled, account: account)
            return false
        }
        if let best = bestCandidate(index, job, balance: balance) {
            place(job, account: account, class: index, candidate: best)
            return true
        }
        return block(job, account: account, class: index, balance: balance)
    }

    private func cheapest(_ index: Int) -> RequestClass.Candidate? {
        classes[index].candidates.min {
            ($0.cost, snapshot.centres[$0.centre].name) < ($1.cost, snapshot.centres[$1.centre].name)
        }
    }

    /// The class of a request, made at first sight: which centres could run it, which not and why.
    mutating func requestClass(_ request: Request, of project: ProjectName) -> Int {
        let key = ClassKey(request: request, tenant: bookers.contains(project) ? project : nil)
        if let known = classIndex[key] { return known }
        var made = classMemory[request] ?? make(request)
        (made.tenant, made.end) = (key.tenant, now + .seconds(request.timeLimitSeconds))
        classes.append(made)
        classIndex[key] = classes.count - 1
        return classes.count - 1
    }

    private func make(_ request: Request) -> RequestClass {
        var made = RequestClass(
            request: request,
            end: now,
            obstacles: Array(repeating: nil, count: snapshot.centres.count)
        )
        let dominant = FairShare.dominant(tasks: request.tasks, resources: request.resources, of: totals).dimension
        let taste = Tier.Taste(request)
        for (index, centre) in snapshot.centres.enumerated() {
            switch Gates.all(request, centre, shapes[index]) {
            case .failure(let closed): made.obstacles[index] = closed.obstacle
            case .success(let flavours):
                for flavour in flavours {
                    let price = centre.prices.perHour(request, flavour: flavour, of: shapes[index])
                    made.candidates.append(
                        .init(
                            centre: index,
                            demand: Demand(
                                request,
                                flavour: flavour,
                                dominant: request.resources.cards > 0 ? .cards : dominant
                            ),
                            pricePerHour: price,
                            cost: PriceTable.reservation(
                                perHour: price,
                                timeLimitSeconds: request.timeLimitSeconds
                            ),
                            tierDistance: centre.tier.distance(taste)
                        )
                    )
                }
            }
        }
        made.live = Array(made.candidates.indices)
        if made.candidates.isEmpty,
            case .impossible(let why) = feasibility(request, centres: snapshot.centres, shapes: shapes)
        {
            made.impossible = why
        }
        classMemory[request] = made
        return made
    }

    /// The candidate that fits now and best: in room reserved for its project, no idle cards blocked, its inputs there
    /// soonest, of the tier it prefers, least left over, cheapest, first by name.
    ///
    /// - Parameter home: A centre that is not looked at.
    mutating func bestCandidate(
        _ index: Int,
        _ job: QueuedJob,
        balance: MicroCredits?,
        besides home: Int? = nil
    ) -> Int? {
        var best: Int?
        var anyFailed = false
        for number in classes[index].live {
            if let balance, classes[index].candidates[number].cost > balance { continue }
            let centre = classes[index].candidates[number].centre
            guard centre != home, let ground = grounds[centre] else { continue }
            if classes[index].candidates[number].version != ground.version {
                let fit = ground.fit(
                    classes[index].candidates[number].demand,
                    until: classes[index].end,
                    for: classes[index].tenant
                )
                classes[index].candidates[number].fit = fit
                classes[index].candidates[number].version = ground.version
                if fit == nil {
                    anyFailed = true
                    noteFailure(index, number, ground)
                    continue
                }
            }
            if let best, !isBetter(classes[index].candidates[number], classes[index].candidates[best], job) { continue }
            best = number
        }
        if anyFailed {
            let candidates = classes[index].candidates
            classes[index].findings = nil
            classes[index].outs = nil
            classes[index].live.removeAll { candidates[$0].fit == nil && candidates[$0].version >= 0 }
        }
        return best
    }

    private func isBetter(_ a: RequestClass.Candidate, _ b: RequestClass.Candidate, _ job: QueuedJob) -> Bool {
        guard let fitA = a.fit, let fitB = b.fit else { return a.fit != nil }
        if fitA.isReserved != fitB.isReserved { return fitA.isReserved }
        if fitA.blocksCards != fitB.blocksCards { return !fitA.blocksCards }
        let hasInputs = job.inputBytes > 0 || !job.near.isEmpty
        if hasInputs {
            let order = stagingOrder(job, a.centre, b.centre)
            if order != 0 { return order < 0 }
        }
        if a.tierDistance != b.tierDistance { return a.tierDistance < b.tierDistance }
        if fitA.leftover != fitB.leftover { return fitA.leftover < fitB.leftover }
        let costA = hasInputs ? a.cost + staging(job, to: a.centre).price : a.cost
        let costB = hasInputs ? b.cost + staging(job, to: b.centre).price : b.cost
        if costA != costB { return costA < costB }
        return snapshot.centres[a.centre].name < snapshot.centres[b.centre].name
    }

    /// Why a candidate does not fit any more: full from the start, given away in this plan, or kept for somebody.
    private mutating func noteFailure(_ index: Int, _ number: Int, _ ground: Ground) {
        let candidate = classes[index].candidates[number]
        let demand = candidate.demand
        let obstacle: Obstacle
        if let lack = ground.initially(demand).lack {
            obstacle = .busy(lack)
        } else if let reservation = ground.obstacle(demand, until: classes[index].end, for: classes[index].tenant) {
            obstacle = .reserved(Reason.Window(reservation))
        } else if let hold = ground.holds.filter({ $0.start < classes[index].end }).min(by: { $0.start < $1.start }),
            ground.free.tasks(demand) >= demand.tasks
        {
            obstacle = .held(for: hold.job, from: hold.start)
        } else {
            obstacle = .taken(ground.lack(demand))
        }
        // Of several flavours the one that came nearest speaks for the centre.
        if let known = classes[index].obstacles[candidate.centre], Self.nearness(known) >= Self.nearness(obstacle) {
            return
        }
        classes[index].obstacles[candidate.centre] = obstacle
    }

    private static func nearness(_ obstacle: Obstacle) -> Double {
        switch obstacle {
        case .reserved: 4
        case .held: 3
        case .taken(let lack): 1 + lack.ratio
        default: obstacle.lack?.ratio ?? 0
        }
    }

    /// How a job comes to its place.
    enum Way {
        case fitting
        /// Its earlier run was stopped so that it starts here.
        case moved(Snapshot.Move.Cause)
        /// It has to wait at the centre until others have left.
        case awaiting
    }

    /// The nodes of a fit, with the cards that its tasks have there.
    func nodeShares(_ fit: Fit, _ candidate: RequestClass.Candidate, cards: Int) -> [NodeShare] {
        let flavour = cards > 0 ? shapes[candidate.centre]?.flavours[candidate.demand.flavour] : nil
        return fit.shares.map { share in
            NodeShare(
                node: grounds[candidate.centre]?.make.nodes[share.node].name ?? "",
                tasks: share.tasks,
                card: flavour?.model,
                emulated: flavour?.emulated ?? false
            )
        }
    }

    mutating func place(
        _ job: QueuedJob,
        account: Int,
        class index: Int,
        candidate number: Int,
        as way: Way = .fitting
    ) {
        let candidate = classes[index].candidates[number]
        guard let fit = candidate.fit else { preconditionFailure("a candidate is chosen only with a fit") }
        let centre = snapshot.centres[candidate.centre]
        let reason =
            switch way {
            case .fitting: placementReason(index, number, fit, job)
            case .moved(let cause): placementReason(index, number, fit, job, moved: cause)
            case .awaiting: awaitingReason(index, number)
            }
        let pieces = fit.shares.map { Piece(node: $0.node, tasks: $0.tasks, candidate.demand) }
        let nodes = nodeShares(fit, candidate, cards: job.request.resources.cards)
        grounds[candidate.centre]?.take(pieces, job: job.id, of: job.project, until: classes[index].end)
        let seconds = min(job.request.timeLimitSeconds, policy.commitmentHorizonSeconds)
        let share = FairShare.dominantShare(
            tasks: job.request.tasks,
            resources: job.request.resources,
            of: totals
        )
        accounts.hold(
            job.request.resources,
            tasks: job.request.tasks,
            shareHours: share * Double(seconds) / 3600,
            by: account,
            cost: candidate.cost
        )
        plan.placements.append(
            .init(
                job: job.id,
                centre: centre.name,
                nodes: nodes,
                pricePerHour: candidate.pricePerHour,
                reserve: candidate.cost,
                reason: reason
            )
        )
    }

    /// `no room now; waits for its turn in slurm-a's own queue, whose other users hold 60 of 64 cores; price …`.
    private func awaitingReason(_ index: Int, _ number: Int) -> String {
        let candidate = classes[index].candidates[number]
        let centre = snapshot.centres[candidate.centre]
        let held = heldByOthers(candidate)?.text ?? "some"
        let wait = centre.queue.waitSeconds.map { "; such waits took \($0) s of late" } ?? ""
        return "no room now; waits for its turn in \(centre.name)'s own queue, whose other users hold \(held)\(wait); "
            + "price \(candidate.pricePerHour) credits an hour"
    }

    /// What others than us hold at a candidate's centre of what the request asks for most, and how much there is in all.
    func heldByOthers(_ candidate: RequestClass.Candidate) -> Lack? {
        guard let ground = grounds[candidate.centre], !ground.load.piecesOfOthers.isEmpty else { return nil }
        let (dimension, flavour) = (candidate.demand.dominant, candidate.demand.flavour)
        var held = Columns.none(like: ground.make.whole)
        for piece in ground.load.pieces[ground.load.piecesOfOthers] { held.add(piece) }
        var (have, whole) = (Int64(0), Int64(0))
        for node in 0..<held.count where ground.make.nodes[node].schedulable {
            have += held.amount(dimension, at: node, flavour: flavour)
            whole += ground.make.whole.amount(dimension, at: node, flavour: flavour)
        }
        return Lack(dimension: dimension, need: whole, have: have)
    }

    /// `best fit of 3 possible centres: leaves 2 cores on node n1; price 0.04 credits an hour; 2 of 5 centres were …`.
    private mutating func placementReason(
        _ index: Int,
        _ number: Int,
        _ fit: Fit,
        _ job: QueuedJob,
        moved: Snapshot.Move.Cause? = nil
    ) -> String {
        let candidate = classes[index].candidates[number]
        let open = moved != nil ? 1 : Set(classes[index].live.map { classes[index].candidates[$0].centre }).count
        var text =
            switch moved {
            case .room: "moved here from other nodes so that another job finds its place"
            case .wait(let home): "taken back from the queue of \(home)'s own engine, as there is room here"
            case nil: open == 1 ? "the only possible centre" : "best fit of \(open) possible centres"
            }
        if open > 1, candidate.tierDistance == 0,
            classes[index].live.contains(where: { classes[index].candidates[$0].tierDistance > 0 })
        {
            text += ", of tier \(snapshot.centres[candidate.centre].tier.rawValue) as such jobs prefer"
        }
        if open > 1, let bytes = job.near[snapshot.centres[candidate.centre].name], bytes >= .gibi(1) {
            text += ", with \(bytes) of its inputs"
        }
        let staging = staging(job, to: candidate.centre)
        if hasLinks, staging.bytes > 0 {
            text += ", \(staging.bytes) to bring in about \(Int(staging.seconds.rounded(.up))) s"
            if staging.price > 0 { text += " for \(staging.price) credits" }
        }
        let left = candidate.demand.dominant.phrase(max(0, fit.leftover))
        if fit.shares.count == 1, let node = grounds[candidate.centre]?.make.nodes[fit.shares[0].node].name {
            text += ": leaves \(left) on node \(node)"
        } else {
            text += ": leaves \(left) on \(fit.shares.count) nodes"
        }
        text += "; price \(candidate.pricePerHour) credits an hour"
        if classes[index].outs == nil {
            let outs = outFindings(index).map(\.text)
            classes[index].outs =
                outs.isEmpty
                ? "" : "; \(outs.count) of \(counted(snapshot.centres.count, "centre")) out: \(listed(outs))"
        }
        return text + (classes[index].outs ?? "")
    }

    /// What stands against each centre that has nothing to offer to a class any more.
    mutating func outFindings(_ index: Int) -> [Finding] {
        if let known = classes[index].findings { return known }
        let live = Set(classes[index].live.map { classes[index].candidates[$0].centre })
        let made = snapshot.centres.indices.compactMap { centre -> Finding? in
            guard !live.contains(centre), let obstacle = classes[index].obstacles[centre] else { return nil }
            return Finding(centre: snapshot.centres[centre].name, obstacle: obstacle)
        }
        classes[index].findings = made
        return made
    }
}
