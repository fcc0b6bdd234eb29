extension Scheduler {
    /// A quick look that can only err on the hopeful side.
    func mayFit(_ number: Int) -> Bool {
        let (cores, cards) = (classes[number].milliCores, classes[number].cardMilli)
        return classes[number].candidates.contains {
            sites[Int($0.site)].mayHold(milliCores: cores, cardMilli: cards)
        }
    }

    /// Starts a job where it fits best, if it fits.
    mutating func attempt(_ number: Int, _ job: Int32, _ now: Int64, _ started: inout [Start]) -> Attempt {
        let end = now + jobs[Int(job)].limit
        if hasWindows, !classes[number].need.isGang { return attemptOneBesideWindows(number, job, end, &started) }
        return classes[number].need.isGang
            ? attemptGang(number, job, end, &started) : attemptOne(number, job, end, &started)
    }

    private mutating func attemptOne(
        _ number: Int,
        _ job: Int32,
        _ end: Int64,
        _ started: inout [Start]
    ) -> Attempt {
        let need = classes[number].need
        var best: (site: Int, node: Int32, state: Int32, score: Int32, left: Int)?
        var isTooLong = false
        for index in classes[number].candidates.indices {
            let site = Int(classes[number].candidates[index].site)
            guard sites[site].mayHold(milliCores: need.milliCores, cardMilli: need.totalCardMilli) else { continue }
            look(number, index)
            let candidate = classes[number].candidates[index]
            let left = need.cards > 0 ? sites[site].freeCardMilli : sites[site].freeMilliCores
            if candidate.state >= 0, let node = sites[site].first(in: candidate.state),
                best.map({ (candidate.score, $0.left) > ($0.score, left) }) ?? true
            {
                best = (site, node, candidate.state, candidate.score, left)
            }
            for promise in sites[site].promises {
                for kept in promise.nodes {
                    let state = states[sites[site].states[Int(kept.node)]]
                    let right = need.cards == 0 || states.isModelRight(state, need)
                    guard state.tasks(need, isModelRight: right, limit: 1) > 0 else { continue }
                    guard
                        end <= promise.start || promise.job == job
                            || kept.spare.tasks(need, isModelRight: right, limit: 1) > 0
                    else {
                        isTooLong = true
                        continue
                    }
                    let score = score(number, sites[site].states[Int(kept.node)])
                    if best.map({ (score, $0.left) > ($0.score, left) }) ?? true {
                        best = (site, kept.node, sites[site].states[Int(kept.node)], score, left)
                    }
                }
            }
        }
        guard let best else { return isTooLong ? .tooLong : .noRoom }
        startOne(number, job, best.site, best.node, best.state, end, &started)
        return .started
    }

    @inline(__always)
    mutating func startOne(
        _ number: Int,
        _ job: Int32,
        _ site: Int,
        _ node: Int32,
        _ state: Int32,
        _ end: Int64,
        _ started: inout [Start]
    ) {
        let need = classes[number].need
        let free: UInt16 = need.isShare ? bestCard(number, state) : 1000
        let card = sites[site].take(need, tasks: 1, node: node, on: free, &states)
        begin(job, site, end, &started)
        jobs[Int(job)].stand = Stand(node: node, tasks: 1, card: card)
        sites[site].took(need, tasks: 1, node: node, until: end)
        noteStay(job)
    }

    mutating func begin(_ job: Int32, _ site: Int, _ end: Int64, _ started: inout [Start]) {
        jobs[Int(job)].site = Int32(site)
        jobs[Int(job)].end = end
        jobs[Int(job)].begin = end - jobs[Int(job)].limit
        sites[site].add(Occupant(end: end, job: job))
        started.append(Start(job: job, site: Int32(site)))
        guard accounts.isInUse else { return }
        jobs[Int(job)].charged = lines[Int(jobs[Int(job)].line)].account
        accounts.charge(jobs[Int(job)].charged, charge(for: jobs[Int(job)]), sign: 1)
    }

    /// Brings what a class knows of a site up to date: the best state for one of its tasks.
    @inline(__always)
    mutating func look(_ number: Int, _ index: Int) {
        if classes[number].epoch != mix.epoch { forgetScores(number) }
        let known = classes[number].candidates[index]
        let site = Int(known.site)
        guard known.version != sites[site].version else { return }
        var best = known
        best.version = sites[site].version
        if known.version >= 0, known.state < 0 || sites[site].first(in: known.state) != nil,
            let changed = sites[site].changed(since: known.version)
        {
            for state in changed { consider(state, number, site, &best) }
        } else {
            best.state = -1
            best.score = .min
            for group in sites[site].groups.indices {
                consider(sites[site].groups[group].state, number, site, &best)
            }
        }
        classes[number].candidates[index] = best
    }

    @inline(__always)
    private mutating func consider(_ state: Int32, _ number: Int, _ site: Int, _ best: inout Candidate) {
        guard states.tasks(state, classes[number].need, limit: 1) > 0 else { return }
        let score = score(number, state)
        if best.state >= 0 {
            if score < best.score || state == best.state { return }
            guard let node = sites[site].first(in: state) else { return }
            if score == best.score, let other = sites[site].first(in: best.state), node > other { return }
        } else if sites[site].first(in: state) == nil {
            return
        }
        best.state = state
        best.score = score
    }

    // MARK: gangs

    private mutating func attemptGang(
        _ number: Int,
        _ job: Int32,
        _ end: Int64,
        _ started: inout [Start]
    ) -> Attempt {
        let need = classes[number].need
        var best: (site: Int, left: Int, isOwn: Bool, ownOnly: Bool)?
        var isTooLong = false
        for candidate in classes[number].candidates {
            let site = Int(candidate.site)
            let left = need.cards > 0 ? sites[site].freeCardMilli : sites[site].freeMilliCores
            guard sites[site].mayHold(milliCores: need.totalMilliCores, cardMilli: need.totalCardMilli) else {
                continue
            }
            if hasWindows, isShut(site, job, from: end - jobs[Int(job)].limit, until: end) {
                isTooLong = true
                continue
            }
            let isOwnSite = hasWindows && isOwn(site, job, end)
            let ownOnly = hasWindows && !isOwnSite && room(need, job, site, end, ownOnly: true) == .enough
            let isOwn = isOwnSite || ownOnly
            guard best.map({ isOwn == $0.isOwn ? left < $0.left : isOwn }) ?? true else { continue }
            switch ownOnly ? .enough : room(need, job, site, end) {
            case .enough: best = (site, left, isOwn, ownOnly)
            case .promised: isTooLong = true
            case .none: break
            }
        }
        guard let best else { return isTooLong ? .tooLong : .noRoom }
        var taken = spread(need, job, best.site, end, ownOnly: best.ownOnly)
        if taken.isEmpty, best.ownOnly { taken = spread(need, job, best.site, end) }
        guard !taken.isEmpty else { return .noRoom }
        begin(job, best.site, end, &started)
        jobs[Int(job)].stand = Stand(node: -1, tasks: 0)
        stands[job] = taken
        for stand in taken {
            sites[best.site].took(
                stand.isRest ? need.rest : need,
                tasks: Int(stand.tasks),
                node: stand.node,
                until: end
            )
        }
        noteStay(job)
        return .started
    }

    private enum Room { case enough, promised, none }

    /// Whether a gang's equal tasks fit a site now.
    ///
    /// - Parameter ownOnly: Into what is reserved for its project.
    private func room(_ need: Need, _ job: Int32, _ site: Int, _ end: Int64, ownOnly: Bool = false) -> Room {
        var tasks = 0
        if !ownOnly {
            for group in sites[site].groups {
                tasks += states.tasks(group.state, need, limit: need.tasks) * group.nodes.count
                if tasks >= need.tasks { return .enough }
            }
        }
        var long = tasks
        for promise in sites[site].promises where !ownOnly {
            for kept in promise.nodes {
                let (now, then) = roomOnKept(need, job, site, kept, promise, end)
                tasks += then
                long += now
            }
        }
        for position in sites[site].windows.nodes.indices {
            guard let (now, then, own) = roomBesideWindows(need, job, site, position, end) else { continue }
            tasks += ownOnly ? own : then
            long += now
        }
        return tasks >= need.tasks ? .enough : long >= need.tasks ? .promised : .none
    }

    private func roomOnKept(
        _ need: Need,
        _ job: Int32,
        _ site: Int,
        _ kept: Promise.Kept,
        _ promise: Promise,
        _ end: Int64
    ) -> (now: Int, until: Int) {
        let state = states[sites[site].states[Int(kept.node)]]
        let right = need.cards == 0 || states.isModelRight(state, need)
        let now = state.tasks(need, isModelRight: right, limit: need.tasks)
        var until = now
        if end > promise.start, promise.job != job {
            until = min(now, kept.spare.tasks(need, isModelRight: right, limit: need.tasks))
        }
        if until > 0, let position = sites[site].windows.position(of: kept.node) {
            let begin = end - jobs[Int(job)].limit
            until = beside(site, position, need.one, until, job, from: begin, until: end, now: begin)
        }
        return (now, until)
    }

    /// Puts a gang on the fewest nodes: those that hold most first, of these the tightest; what remains goes to the
    /// tightest node that holds it. Empty when its rest finds no place.
    ///
    /// - Parameter ownOnly: Into what is reserved for its project.
    private mutating func spread(
        _ need: Need,
        _ job: Int32,
        _ site: Int,
        _ end: Int64,
        ownOnly: Bool = false
    ) -> [Stand] {
        var rooms: [(tasks: Int, left: Int, isKept: Int, nodes: ArraySlice<Int32>)] = []
        for group in sites[site].groups where !ownOnly {
            let tasks = states.tasks(group.state, need, limit: need.tasks)
            if tasks > 0 { rooms.append((tasks, left(group.state, need), 0, group.nodes[...])) }
        }
        for promise in sites[site].promises where !ownOnly {
            for kept in promise.nodes {
                let (_, tasks) = roomOnKept(need, job, site, kept, promise, end)
                let state = sites[site].states[Int(kept.node)]
                if tasks > 0 { rooms.append((tasks, left(state, need), 1, [kept.node])) }
            }
        }
        for position in sites[site].windows.nodes.indices {
            guard let room = roomBesideWindows(need, job, site, position, end) else { continue }
            let node = sites[site].windows.nodes[position].node
            let tasks = ownOnly ? room.own : room.until
            if tasks > 0 { rooms.append((tasks, left(sites[site].states[Int(node)], need), 1, [node])) }
        }
        // Of equal nodes those first that are kept for nobody.
        rooms.sort { a, b in
            (b.tasks, a.left, a.isKept, a.nodes[a.nodes.startIndex])
                < (a.tasks, b.left, b.isKept, b.nodes[b.nodes.startIndex])
        }
        var remaining = need.tasks
        var chosen: [(node: Int32, tasks: Int)] = []
        for index in rooms.indices where remaining > 0 {
            let size = rooms[index].tasks
            let full = rooms[index].nodes.prefix(remaining / size)
            chosen += full.map { ($0, size) }
            rooms[index].nodes.removeFirst(full.count)
            remaining -= full.count * size
            guard remaining > 0, remaining < size else { continue }
            // What is left of the gang is smaller than a node's room: the tightest node that holds it takes it.
            let tight = rooms[index...].lazy.filter { $0.tasks >= remaining && !$0.nodes.isEmpty }
                .min { ($0.tasks, $0.left, $0.isKept) < ($1.tasks, $1.left, $1.isKept) }
            guard let node = tight?.nodes.first else { continue }
            chosen.append((node, remaining))
            remaining = 0
        }
        guard remaining == 0 else { return [] }
        var taken: [Stand] = []
        let one = need.one
        for (node, tasks) in chosen {
            _ = sites[site].take(one, tasks: tasks, node: node, on: 1000, &states)
            taken.append(Stand(node: node, tasks: Int32(tasks)))
        }
        if need.restCards > 0 {
            let rest = need.rest
            var best: (left: Int, node: Int32)?
            for group in sites[site].groups where states.tasks(group.state, rest, limit: 1) > 0 {
                let left = left(group.state, rest)
                if best.map({ (left, group.nodes[0]) < ($0.left, $0.node) }) ?? true { best = (left, group.nodes[0]) }
            }
            // What the gang has just taken is not yet off what promises and windows can spare of those nodes.
            func isTaken(_ node: Int32) -> Bool { taken.contains { $0.node == node } }
            for position in sites[site].windows.nodes.indices where !isTaken(sites[site].windows.nodes[position].node) {
                guard let room = roomBesideWindows(rest, job, site, position, end), room.until > 0 else { continue }
                let node = sites[site].windows.nodes[position].node
                let left = left(sites[site].states[Int(node)], rest)
                if best.map({ (left, node) < ($0.left, $0.node) }) ?? true { best = (left, node) }
            }
            // Nodes that are promised come last, as they do for all equal tasks.
            for promise in sites[site].promises where best == nil {
                for kept in promise.nodes where !isTaken(kept.node) || promise.job == job || end <= promise.start {
                    guard roomOnKept(rest, job, site, kept, promise, end).until > 0 else { continue }
                    let left = left(sites[site].states[Int(kept.node)], rest)
                    if best.map({ (left, kept.node) < ($0.left, $0.node) }) ?? true { best = (left, kept.node) }
                }
            }
            guard let best else {
                for stand in taken { sites[site].give(one, stand, &states) }
                return []
            }
            _ = sites[site].take(rest, tasks: 1, node: best.node, on: 1000, &states)
            taken.append(Stand(node: best.node, tasks: 1, isRest: true))
        }
        return taken
    }

    private func left(_ state: Int32, _ need: Need) -> Int {
        need.cards > 0 ? states[state].freeCardMilli : Int(states[state].milliCores)
    }
}
