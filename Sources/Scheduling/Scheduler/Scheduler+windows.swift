/// Room that is reserved in advance: as ``plan(_:policy:)`` has it, a window is what a node will have at a time.
///
/// At the beginning of each window that begins before a job's limit is over, the node must have room for the job beside
/// those who may still be there and beside what of the windows of others their projects do not hold. While a window lasts
/// this room only grows as runs end, so that its beginning speaks for all of it. For jobs of its project, and of those
/// below it, a window is as if it were not there, except that its room is taken first.
extension Scheduler {
    /// Keeps room at a site from now on: for jobs that are to start; what runs there goes on.
    ///
    /// Whoever calls this asks for a pass at ``nextWindowEnd``, since room then comes free without anything else happening.
    public mutating func addWindow(_ window: Window, at site: Int32) {
        hasWindows = true
        sites[Int(site)].add(window)
        isFreed = true
        for promise in sites[Int(site)].promises { dropPromise(to: promise.job) }
        due = nil
        if reservations.isInUse { closeReservations(at: site) }
    }

    /// When the next of what is reserved is over, in milliseconds; `nil` where nothing is.
    public var nextWindowEnd: Int64? {
        guard hasWindows else { return nil }
        return sites.lazy.map(\.windows.nextEnd).min().flatMap { $0 == .max ? nil : $0 }
    }

    mutating func advanceWindows(to now: Int64) {
        // Who has a reservation of his own may start at any time to come.
        let reaching = reservations.isInUse ? .max : now + longestLimit
        for site in sites.indices {
            if sites[site].windows.nextEnd <= now { isFreed = true }
            takeInWindows(site, now, reaching: reaching)
        }
    }

    private mutating func takeInWindows(_ site: Int, _ now: Int64, reaching: Int64) {
        guard sites[site].windows.isStale(at: now, reaching: reaching) else { return }
        let fresh = sites[site].advanceWindows(to: now, reaching: reaching, states)
        guard !fresh.isEmpty else { return }
        for occupant in sites[site].occupants { noteStay(occupant.job, onlyOn: fresh) }
    }

    /// Puts down where a run stands, as far as anything is reserved there.
    @inline(__always)
    mutating func noteStay(_ job: Int32) { if hasWindows { noteStay(job, onlyOn: nil) } }

    private mutating func noteStay(_ job: Int32, onlyOn nodes: [Int32]?) {
        let (site, need) = (Int(jobs[Int(job)].site), classes[Int(jobs[Int(job)].jobClass)].need)
        for stand in standsOf(job) where nodes.map({ $0.contains(stand.node) }) ?? true {
            sites[site].come(job, stand.room(need), node: stand.node)
        }
    }

    // MARK: what a node has beside it

    func binds(_ entry: Windows.Entry, _ account: Int32) -> Bool {
        entry.project < 0 || !accounts.isWithin(account, entry.project)
    }

    func account(_ job: Int32) -> Int32 { lines[Int(jobs[Int(job)].line)].account }

    /// Whether the whole site is reserved for others at some time of those that a job would run.
    func isShut(_ site: Int, _ job: Int32, from: Int64, until end: Int64) -> Bool {
        sites[site].windows.whole.contains { $0.touches(from, end) && binds($0, account(job)) }
    }

    /// Whether the whole site is reserved for a job's project when it would start.
    func isOwn(_ site: Int, _ job: Int32, _ end: Int64) -> Bool {
        let now = end - jobs[Int(job)].limit
        return sites[site].windows.whole.contains { $0.isOn(at: now) && !binds($0, account(job)) }
    }

    /// When a run is expected to be gone; one that has outlived its limit goes on for a quarter of what it has run.
    private func leaves(_ job: Int32, _ now: Int64) -> Int64 {
        let entry = jobs[Int(job)]
        return entry.end >= now ? entry.end : now + max(60_000, (now - entry.begin) / 4)
    }

    /// What jobs of a project hold of a node at a time, those included that room is promised to.
    private func used(_ site: Int, _ node: Windows.Node, by project: Int32, at time: Int64, _ now: Int64)
        -> Timetable.Room
    {
        var used = Timetable.Room()
        for stay in node.stays
        where accounts.isWithin(account(stay.job), project) && leaves(stay.job, now) > time { used += stay.room }
        for promise in sites[site].promises where accounts.isWithin(account(promise.job), project) {
            if let room = promised(promise, node.node, at: time) { used += room }
        }
        return used
    }

    /// What is promised of a node at a time; `nil` when nothing is.
    private func promised(_ promise: Promise, _ node: Int32, at time: Int64) -> Timetable.Room? {
        let job = jobs[Int(promise.job)]
        guard promise.start <= time, time < promise.start + job.limit, let position = promise.position(of: node) else {
            return nil
        }
        return Timetable.Room(classes[Int(job.jobClass)].need, tasks: promise.nodes[position].tasks)
    }

    /// What a node has at a time for a job of an account, beside those who are expected to stand there then and what is
    /// reserved for others; `nil` when others have all of it.
    private func spare(
        _ site: Int,
        _ node: Windows.Node,
        at time: Int64,
        for job: Int32,
        _ now: Int64
    ) -> Timetable.Room? {
        let account = account(job)
        let binding = node.entries.filter { $0.isOn(at: time) && binds($0, account) }
        if binding.contains(where: \.isWhole) { return nil }
        var spare = Timetable.Room(states[sites[site].states[Int(node.node)]])
        for stay in node.stays where leaves(stay.job, now) <= time { spare += stay.room }
        for promise in sites[site].promises where promise.job != job {
            if let room = promised(promise, node.node, at: time) { spare += -room }
        }
        for (index, entry) in binding.enumerated()
        where !binding[..<index].contains(where: { $0.project == entry.project }) {
            // Several of one project count together, once; of maintenance everything is kept.
            var kept = Timetable.Room()
            for other in binding[index...] where other.project == entry.project { kept += other.room }
            if entry.project >= 0 { kept = kept.owed(after: used(site, node, by: entry.project, at: time, now)) }
            spare += -kept
        }
        return spare
    }

    /// How many tasks a node has room for from a time to another, beside what is reserved there for others; at most
    /// `limit`.
    func beside(
        _ site: Int,
        _ position: Int,
        _ one: Need,
        _ limit: Int,
        _ job: Int32,
        from: Int64,
        until end: Int64,
        now: Int64
    ) -> Int {
        let node = sites[site].windows.nodes[position]
        let room = Timetable.Room(one, tasks: 1)
        let account = account(job)
        var tasks = limit
        for entry in node.entries where tasks > 0 && entry.touches(from, end) && binds(entry, account) {
            guard !entry.isWhole, let spare = spare(site, node, at: max(from, entry.start), for: job, now) else {
                return 0
            }
            tasks = min(tasks, spare.tasks(room, limit: tasks))
        }
        return tasks
    }

    /// How many tasks a node that something is reserved on has room for: now, beside the windows of others, and of that in
    /// what is reserved for the job's own project now. `nil` when the node is kept for a blocked job as well, and so
    /// looked at as such.
    func roomBesideWindows(
        _ need: Need,
        _ job: Int32,
        _ site: Int,
        _ position: Int,
        _ end: Int64
    ) -> (now: Int, until: Int, own: Int)? {
        let node = sites[site].windows.nodes[position]
        guard !sites[site].isKept(node.node) else { return nil }
        let free = states.tasks(sites[site].states[Int(node.node)], need, limit: need.tasks)
        guard free > 0 else { return (0, 0, 0) }
        let now = end - jobs[Int(job)].limit
        let until = beside(site, position, need.one, free, job, from: now, until: end, now: now)
        return (free, until, until > 0 ? min(until, own(need, job, site, node, now)) : 0)
    }

    /// How many tasks fit into what is reserved on a node for the job's project now and not held by it yet.
    private func own(_ need: Need, _ job: Int32, _ site: Int, _ node: Windows.Node, _ now: Int64) -> Int {
        let account = account(job)
        if isOwn(site, job, now + jobs[Int(job)].limit) { return need.tasks }
        let own = node.entries.filter { $0.isOn(at: now) && !binds($0, account) }
        // Of several the highest project has all the others below it.
        guard let head = own.map(\.project).min() else { return 0 }
        var kept = Timetable.Room()
        for entry in own { kept += entry.room }
        return kept.owed(after: used(site, node, by: head, at: now, now))
            .tasks(Timetable.Room(need.one, tasks: 1), limit: need.tasks)
    }

    // MARK: placing

    /// As where nothing is reserved, with two differences: what is reserved for the job's project comes first, and nodes
    /// about which there are windows are looked at one by one.
    mutating func attemptOneBesideWindows(
        _ number: Int,
        _ job: Int32,
        _ end: Int64,
        _ started: inout [Start]
    ) -> Attempt {
        let need = classes[number].need
        let now = end - jobs[Int(job)].limit
        var best: Option?
        var isTooLong = false
        for index in classes[number].candidates.indices {
            let site = Int(classes[number].candidates[index].site)
            guard sites[site].mayHold(milliCores: need.milliCores, cardMilli: need.totalCardMilli) else { continue }
            guard !isShut(site, job, from: now, until: end) else {
                isTooLong = true
                continue
            }
            look(number, index)
            let candidate = classes[number].candidates[index]
            let left = need.cards > 0 ? sites[site].freeCardMilli : sites[site].freeMilliCores
            let isOwnSite = isOwn(site, job, end)
            if candidate.state >= 0, let node = sites[site].first(in: candidate.state) {
                better(&best, Option(site, node, candidate.state, isOwnSite, candidate.score, left))
            }
            for promise in sites[site].promises {
                for kept in promise.nodes {
                    let state = states[sites[site].states[Int(kept.node)]]
                    let right = need.cards == 0 || states.isModelRight(state, need)
                    guard state.tasks(need, isModelRight: right, limit: 1) > 0 else { continue }
                    let isOut =
                        end > promise.start && promise.job != job
                        && kept.spare.tasks(need, isModelRight: right, limit: 1) == 0
                    let position = isOut ? nil : sites[site].windows.position(of: kept.node)
                    let isReserved =
                        position.map { beside(site, $0, need, 1, job, from: now, until: end, now: now) == 0 } ?? false
                    guard !isOut, !isReserved else {
                        isTooLong = true
                        continue
                    }
                    let id = sites[site].states[Int(kept.node)]
                    better(&best, Option(site, kept.node, id, isOwnSite, score(number, id), left))
                }
            }
            for position in sites[site].windows.nodes.indices {
                guard let room = roomBesideWindows(need, job, site, position, end), room.now > 0 else { continue }
                guard room.until > 0 else {
                    isTooLong = true
                    continue
                }
                let node = sites[site].windows.nodes[position].node
                let id = sites[site].states[Int(node)]
                better(&best, Option(site, node, id, room.own > 0, score(number, id), left))
            }
        }
        guard let best else { return isTooLong ? .tooLong : .noRoom }
        startOne(number, job, best.site, best.node, best.state, end, &started)
        return .started
    }

    /// A node that one task could go to.
    private struct Option {
        var site: Int
        var node: Int32
        var state: Int32
        var isOwn: Bool
        var score: Int32
        var left: Int

        init(_ site: Int, _ node: Int32, _ state: Int32, _ isOwn: Bool, _ score: Int32, _ left: Int) {
            (self.site, self.node, self.state) = (site, node, state)
            (self.isOwn, self.score, self.left) = (isOwn, score, left)
        }
    }

    private func better(_ best: inout Option?, _ other: Option) {
        guard let known = best else {
            best = other
            return
        }
        let rank = { (option: Option) in (option.isOwn ? 1 : 0, option.score, -option.left) }
        if rank(other) > rank(known) { best = other }
    }

    // MARK: promises

    /// Leaves of what a site is expected to have at a time only what a job may have beside what is reserved for others.
    ///
    /// - Returns: `nil` where that is too little. No room is kept there: it would keep the room of others idle meanwhile;
    ///   the job's turn comes when the window is over.
    mutating func capped(_ then: Forecast, _ job: Int32, _ site: Int, from start: Int64, now: Int64) -> Forecast? {
        let end = start + jobs[Int(job)].limit
        takeInWindows(site, now, reaching: end)
        guard !isShut(site, job, from: start, until: end) else { return nil }
        var then = then
        let one = classes[Int(jobs[Int(job)].jobClass)].need.one
        for position in sites[site].windows.nodes.indices {
            let node = Int(sites[site].windows.nodes[position].node)
            let most = then.tasks(node)
            guard most > 0 else { continue }
            then.cap(node, beside(site, position, one, most, job, from: start, until: end, now: now))
        }
        return then.isEnough ? then : nil
    }
}
