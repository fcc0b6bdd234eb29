extension Scheduler {
    /// Keeps room for a blocked job where it can start first, if no run outlives its limit, beside the room that is kept
    /// for others.
    ///
    /// - Returns: Whether there is any: none where only what is reserved in advance keeps the job waiting.
    @discardableResult
    mutating func promise(_ job: Int32, _ number: Int, _ now: Int64) -> Bool {
        var best: (site: Int, opening: Promise)?
        for candidate in classes[number].candidates {
            let site = Int(candidate.site)
            guard sites[site].isOpen else { continue }
            correctEnds(site, now)
            guard let opening = opening(job, number, site, now) else { continue }
            if best.map({ opening.start < $0.opening.start }) ?? true { best = (site, opening) }
        }
        guard let best else { return false }
        sites[best.site].keep(best.opening)
        promisedJobs.append(job)
        return true
    }

    /// Forgets every promise.
    mutating func dropPromise() {
        due = nil
        while let job = promisedJobs.last { dropPromise(to: job) }
    }

    mutating func dropPromise(to job: Int32) {
        guard let index = promisedJobs.firstIndex(of: job) else { return }
        promisedJobs.remove(at: index)
        for site in sites.indices { sites[site].release(job) }
    }

    func promisedStart(of job: Int32) -> Int64? {
        for site in sites {
            for promise in site.promises where promise.job == job { return promise.start }
        }
        return nil
    }

    /// Runs that have outlived what was reckoned with are expected to go on for a quarter of what they have run.
    private mutating func correctEnds(_ site: Int, _ now: Int64) {
        while let first = sites[site].occupants.first, first.end < now {
            sites[site].remove(first)
            let end = now + max(60_000, (now - jobs[Int(first.job)].begin) / 4)
            jobs[Int(first.job)].end = end
            sites[site].add(Occupant(end: end, job: first.job))
        }
    }

    /// When and where a job could start at a site, and what its nodes would then have beside it.
    ///
    /// - Complexity: O(nodes + occupants that end before).
    private mutating func opening(_ job: Int32, _ number: Int, _ site: Int, _ now: Int64) -> Promise? {
        let need = classes[number].need
        let wanted = need.tasks + (need.restCards > 0 ? 1 : 0)
        var then = Forecast(sites[site].states.map { states[$0] }, need, wanted, states)
        for promise in sites[site].promises { then.leaveOut(promise.nodes) }
        var start = now
        var index = 0
        while then.sum < wanted, index < sites[site].occupants.count {
            let occupant = sites[site].occupants[index]
            leave(occupant.job, &then)
            start = max(now, occupant.end)
            index += 1
        }
        guard then.sum >= wanted else { return nil }
        // Whoever ends at the same time is gone then as well.
        while index < sites[site].occupants.count, sites[site].occupants[index].end <= start {
            leave(sites[site].occupants[index].job, &then)
            index += 1
        }
        if hasWindows {
            guard let capped = capped(then, job, site, from: start, now: now) else { return nil }
            then = capped
        }
        return Promise(job: job, start: start, nodes: then.kept())
    }

    @inline(__always)
    private func leave(_ job: Int32, _ then: inout Forecast) {
        let need = classes[Int(jobs[Int(job)].jobClass)].need
        let stand = jobs[Int(job)].stand
        if stand.node >= 0 {
            then.giveBack(need, stand)
        } else {
            for stand in stands[job] ?? [] { then.giveBack(need, stand) }
        }
    }
}

/// A site's nodes at a later time, and how many tasks of one need they hold then.
struct Forecast {
    private var nodes: [NodeState]
    private let need: Need
    private let wanted: Int
    /// By kind of node: whether its cards are of the right model.
    private let right: [Bool]
    private(set) var sum = 0
    /// Kept for others: by node; empty when none is.
    private var isOut: [Bool] = []
    /// By node, where it may have less than is free; empty when none does.
    private var most: [Int] = []

    var isEnough: Bool { sum >= wanted }

    init(_ nodes: [NodeState], _ need: Need, _ wanted: Int, _ table: NodeStates) {
        self.nodes = nodes
        self.need = need
        self.wanted = wanted
        right = table.kinds.map { need.cards == 0 || need.models >> UInt64($0.model) & 1 == 1 }
        for node in nodes.indices { sum += tasks(node) }
    }

    @inline(__always)
    func tasks(_ node: Int) -> Int {
        if !isOut.isEmpty, isOut[node] { return 0 }
        let tasks = nodes[node].tasks(need, isModelRight: right[Int(nodes[node].kind)], limit: wanted)
        return most.isEmpty ? tasks : min(tasks, most[node])
    }

    /// The job may have no more of a node than so many tasks.
    mutating func cap(_ node: Int, _ tasks: Int) {
        if most.isEmpty { most = Array(repeating: .max, count: nodes.count) }
        sum -= self.tasks(node)
        most[node] = tasks
        sum += self.tasks(node)
    }

    mutating func leaveOut(_ kept: [Promise.Kept]) {
        if isOut.isEmpty { isOut = Array(repeating: false, count: nodes.count) }
        for kept in kept {
            sum -= tasks(Int(kept.node))
            isOut[Int(kept.node)] = true
        }
    }

    @inline(__always)
    mutating func giveBack(_ need: Need, _ stand: Stand) {
        let node = Int(stand.node)
        sum -= tasks(node)
        nodes[node].giveBack(stand.isRest ? need.rest : need, tasks: Int(stand.tasks))
        sum += tasks(node)
    }

    /// Which nodes are kept, those that hold most first, and what they have to spare.
    func kept() -> [Promise.Kept] {
        if nodes.count == 1 {
            return [Promise.Kept(node: 0, tasks: Int32(wanted), spare: nodes[0].less(need, tasks: wanted))]
        }
        var kept: [Promise.Kept] = []
        var remaining = wanted
        let order = nodes.indices.map { (tasks: tasks($0), node: $0) }.filter { $0.tasks > 0 }
            .sorted { ($1.tasks, $0.node) < ($0.tasks, $1.node) }
        for (tasks, node) in order {
            let here = min(tasks, remaining)
            kept.append(.init(node: Int32(node), tasks: Int32(here), spare: nodes[node].less(need, tasks: here)))
            remaining -= here
            if remaining == 0 { break }
        }
        kept.sort { $0.node < $1.node }
        return kept
    }
}

extension NodeState {
    /// What is left beside tasks that are to stand here.
    fileprivate func less(_ need: Need, tasks: Int) -> NodeState {
        var spare = self
        spare.milliCores -= Int32(need.milliCores * tasks)
        spare.memoryMiB -= Int32(need.memoryMiB * tasks)
        if !need.isShare { spare.wholeCards -= Int32(need.cards * tasks) }
        return spare
    }

    /// A job's part comes back, in a forecast: for a share, to the fullest card that could be its own.
    fileprivate mutating func giveBack(_ need: Need, tasks: Int) {
        milliCores += Int32(need.milliCores * tasks)
        memoryMiB += Int32(need.memoryMiB * tasks)
        if need.isShare {
            let milli = UInt16(need.cardMilli)
            for lane in stride(from: 7, through: 0, by: -1) where shared[lane] <= 1000 - milli {
                replaceShared(shared[lane], by: shared[lane] + milli)
                return
            }
        } else {
            wholeCards += Int32(need.cards * tasks)
        }
    }
}
