/// Conservative backfill: every waiting job has a reservation, on nodes of its own from a time on, and nobody may put off
/// anybody's.
///
/// A job that comes is given the earliest one beside those of all others. When room comes free before it was expected to,
/// reservations move up: each job in turn, by the order of the queue, to the earliest start that the others leave it, and
/// again from the first on until nobody moves any more. So after every pass no job could start earlier without putting
/// off another, and every reservation begins where a run or another reservation ends.
///
/// > Source: Mu'alem and Feitelson, "Utilization, Predictability, Workloads, and User Runtime Estimates in Scheduling the
/// > IBM SP2 with Backfilling" (IEEE TPDS 2001).
extension Scheduler {
    /// When and where a waiting job is to start, under rules that promise everybody room; `nil` for one that has nothing
    /// yet: that came since the last pass, or whose project is at a limit, or whose sites are all shut.
    public func reservation(of job: Int32) -> (site: Int32, start: Int64, places: [Place])? {
        reservations[job].map { reservation in
            (
                reservation.site, reservation.start,
                reservation.stands.map { Place(node: $0.node, tasks: $0.tasks, isRest: $0.isRest) }
            )
        }
    }

    mutating func passByReservation(_ now: Int64, _ started: inout [Start]) {
        if accounts.isInUse { accounts.advance(to: now) }
        reservations.advance(to: now)
        var bumped: [Int32] = []
        for site in sites.indices { bumped += extendOverdue(site, now) }
        for job in bumped.sorted(by: { queueEntry($0) < queueEntry($1) }) { book(job, now, &started) }
        while let job = reservations.due(at: now) {
            // Who was to start before now, while nobody asked, would be in the way of others for longer than was booked.
            if reservations[job]?.start == now, launch(job, now, &started) { continue }
            unbook(job, now)
            book(job, now, &started)
        }
        while !reservations.holes.isEmpty { moveUp(now, &started) }
        let unbooked = reservations.unbooked.sorted { queueEntry($0) < queueEntry($1) }
        reservations.unbooked.removeAll(keepingCapacity: true)
        for job in unbooked { book(job, now, &started) }
    }

    /// The order in which jobs are asked.
    func queueEntry(_ job: Int32) -> ClassQueue.Entry {
        .init(key: jobs[Int(job)].headKey, sequence: jobs[Int(job)].sequence, job: job)
    }

    /// Gives a job the first opening there is, and starts it if that is now.
    private mutating func book(_ job: Int32, _ now: Int64, _ started: inout [Start]) {
        guard obstacle(job) == nil, let found = firstOpening(job, now) else {
            reservations.unbooked.append(job)
            return
        }
        reserve(job, found, now, &started)
    }

    private mutating func reserve(
        _ job: Int32,
        _ found: (site: Int32, opening: Timetable.Opening),
        _ now: Int64,
        _ started: inout [Start]
    ) {
        let entry = jobs[Int(job)]
        reservations.book(
            job,
            classes[Int(entry.jobClass)].need,
            .init(
                site: found.site,
                start: found.opening.start,
                end: found.opening.start + entry.limit,
                stands: found.opening.stands
            ),
            now: now
        )
        guard found.opening.start <= now, !launch(job, now, &started) else { return }
        // The shares of cards were not where they were reckoned to be: asked again when something has changed.
        unbook(job, now)
        reservations.unbooked.append(job)
    }

    @discardableResult
    mutating func unbook(_ job: Int32, _ now: Int64) -> [Reservations.Hole] {
        reservations.release(job, classes[Int(jobs[Int(job)].jobClass)].need, now: now)
    }

    /// Starts a job where it is booked, if its place is really free and its project may hold it.
    private mutating func launch(_ job: Int32, _ now: Int64, _ started: inout [Start]) -> Bool {
        guard let reservation = reservations[job], obstacle(job) == nil else { return false }
        let number = Int(jobs[Int(job)].jobClass)
        let need = classes[number].need
        let site = Int(reservation.site)
        guard sites[site].isOpen else { return false }
        var taken: [Stand] = []
        for stand in reservation.stands {
            let part = stand.isRest ? need.rest : need.one
            let tasks = Int(stand.tasks)
            guard states.tasks(sites[site].states[Int(stand.node)], part, limit: tasks) >= tasks else {
                for stand in taken { sites[site].give(need, stand, &states) }
                return false
            }
            let free: UInt16 = need.isShare ? bestCard(number, sites[site].states[Int(stand.node)]) : 1000
            var stand = stand
            stand.card = sites[site].take(part, tasks: tasks, node: stand.node, on: free, &states)
            taken.append(stand)
        }
        reservations.leave(queueEntry(job))
        reservations.start(job)
        unqueue(job)
        begin(job, site, reservation.end, &started)
        if need.isGang {
            jobs[Int(job)].stand = Stand(node: -1, tasks: 0)
            stands[job] = taken
        } else {
            jobs[Int(job)].stand = taken[0]
        }
        noteStay(job)
        return true
    }

    // MARK: openings

    /// The earliest opening for a job, of equal ones the tightest, at the first site that allows it.
    private func firstOpening(_ job: Int32, _ now: Int64) -> (site: Int32, opening: Timetable.Opening)? {
        let number = Int(jobs[Int(job)].jobClass)
        var best: (site: Int32, opening: Timetable.Opening)?
        for candidate in classes[number].candidates where sites[Int(candidate.site)].isOpen {
            seek(candidate.site, node: -1, job, now, before: .max, &best)
        }
        return best
    }

    /// Looks for an opening at a site that is better than the best so far.
    ///
    /// - Parameters:
    ///   - node: The only one that comes into question; -1 for all. Gangs are asked of the whole site.
    ///   - before: Later starts are of no use.
    ///   - length: How long the opening must last; `nil` for as long as the job may run.
    private func seek(
        _ site: Int32,
        node: Int32,
        _ job: Int32,
        _ now: Int64,
        before: Int64,
        length: Int64? = nil,
        _ best: inout (site: Int32, opening: Timetable.Opening)?
    ) {
        let length = length ?? jobs[Int(job)].limit
        guard hasWindows else {
            seek(site, node: node, job, now, before: before, length: length, [:], &best)
            return
        }
        let isGang = classes[Int(jobs[Int(job)].jobClass)].need.isGang
        // Windows may be many and far: those that begin after the end of what is found are in nobody's way.
        var reach = max(now, reservations.timetables[Int(site)].lastChange ?? now) + length
        while true {
            let bars = bars(Int(site), isGang ? -1 : node, for: job, now, before: reach)
            var found = best
            guard seek(site, node: node, job, now, before: before, length: length, bars, &found), let opening = found
            else {
                return
            }
            if reach == .max || opening.opening.start + length <= reach {
                best = found
                return
            }
            reach = .max
        }
    }

    /// - Returns: Whether there is a better one.
    @discardableResult
    private func seek(
        _ site: Int32,
        node: Int32,
        _ job: Int32,
        _ now: Int64,
        before: Int64,
        length: Int64,
        _ bars: [Int: [Timetable.Change]],
        _ best: inout (site: Int32, opening: Timetable.Opening)?
    ) -> Bool {
        let need = classes[Int(jobs[Int(job)].jobClass)].need
        var isFound = false
        let latest = min(before, best.map { $0.opening.start + 1 } ?? .max)
        let known = sites[Int(site)].states
        func isRight(_ node: Int) -> Bool { need.cards == 0 || states.isModelRight(states[known[node]], need) }
        func isBetter(_ start: Int64, _ left: Int) -> Bool {
            best.map { (start, left) < ($0.opening.start, $0.opening.left) } ?? true
        }
        if need.isGang {
            let found = reservations.timetables[Int(site)].opening(
                need,
                length: length,
                now: now,
                before: latest,
                without: job,
                bars: bars,
                isRight: isRight,
                freeNow: { states.tasks(known[$0], $1, limit: need.tasks) }
            )
            if let found, isBetter(found.start, found.left) {
                best = (site, found)
                isFound = true
            }
            return isFound
        }
        let one = Timetable.Room(need, tasks: 1)
        let nodes = node < 0 ? known.indices : Int(node)..<Int(node) + 1
        for node in nodes where isRight(node) {
            let found = reservations.timetables[Int(site)].opening(
                node,
                one,
                length: length,
                now: now,
                before: min(latest, best.map { $0.opening.start + 1 } ?? .max),
                without: job,
                bars: bars,
                isFreeNow: states.tasks(known[node], need, limit: 1) > 0
            )
            guard let found, isBetter(found.start, found.left) else { continue }
            let stand = Stand(node: Int32(node), tasks: 1)
            best = (site, Timetable.Opening(start: found.start, left: found.left, stands: [stand]))
            isFound = true
        }
        return isFound
    }

    // MARK: moving up

    /// Asks each job in turn whether it can start earlier in what has come free; what those who move leave behind is asked
    /// of all who were before them in the next turn.
    private mutating func moveUp(_ now: Int64, _ started: inout [Start]) {
        var holes = reservations.holes
        reservations.holes.removeAll(keepingCapacity: true)
        var cursor = ClassQueue.Cursor()
        while let entry = reservations.queue[cursor] {
            let job = entry.job
            if let reservation = reservations[job], let found = earlier(job, reservation.start, holes, now) {
                for hole in unbook(job, now) { holes.add(hole) }
                reserve(job, found, now, &started)
                cursor = reservations.queue.cursor(at: entry)
                // Who has started is in no queue any more.
                if reservations.queue[cursor]?.job != job { continue }
            }
            cursor = reservations.queue.after(cursor)
        }
    }

    /// The first opening before its start that a job has in some holes.
    private mutating func earlier(
        _ job: Int32,
        _ start: Int64,
        _ holes: [Reservations.Hole],
        _ now: Int64
    ) -> (site: Int32, opening: Timetable.Opening)? {
        let number = Int(jobs[Int(job)].jobClass)
        guard start > now, !reservations.isHopeless(number), obstacle(job) == nil else { return nil }
        let need = classes[number].need
        var best: (site: Int32, opening: Timetable.Opening)?
        var hasChance = false
        for candidate in classes[number].candidates where sites[Int(candidate.site)].isOpen {
            // Gangs are asked of the whole site, once.
            let here = holes.lazy.filter { $0.site == candidate.site }
            let latest = here.map(\.to).max()
            let those = need.isGang ? latest.map { [.init(site: candidate.site, node: -1, to: $0)] } ?? [] : Array(here)
            for hole in those {
                // At some moment of the hole there must be room, whoever asks: before its start, a job's own reservation
                // takes nothing.
                if !hasChance {
                    let site = Int(hole.site)
                    if need.isGang, !reservations.timetables[site].mayHold(need, now: now, before: hole.to) { continue }
                    var any: (site: Int32, opening: Timetable.Opening)?
                    seek(hole.site, node: hole.node, job, now, before: hole.to, length: 1, &any)
                    hasChance = any != nil
                    if !hasChance { continue }
                }
                seek(hole.site, node: hole.node, job, now, before: min(start, hole.to), &best)
            }
        }
        // Where something is reserved, others of the class may have more chances.
        if !hasChance, !hasWindows { reservations.giveUp(number) }
        return best
    }

    // MARK: what does not go as expected

    /// Runs that have outlived what was reckoned with are expected to go on for a quarter of what they have run; who was to
    /// follow them loses the reservation and is booked anew.
    ///
    /// - Returns: Those.
    private mutating func extendOverdue(_ site: Int, _ now: Int64) -> [Int32] {
        var bumped: [Int32] = []
        while let first = sites[site].occupants.first, first.end < now {
            let need = classes[Int(jobs[Int(first.job)].jobClass)].need
            let own = standsOf(first.job)
            sites[site].remove(first)
            let end = now + max(60_000, (now - jobs[Int(first.job)].begin) / 4)
            reservations.move(first.job, need, own, site: Int32(site), end: first.end, to: end, now: now)
            jobs[Int(first.job)].end = end
            sites[site].add(Occupant(end: end, job: first.job))
            for stand in own {
                for other in reservations.timetables[site].leaving(stand.node, after: now) {
                    guard let reservation = reservations[other], reservation.start < end else { continue }
                    unbook(other, now)
                    bumped.append(other)
                }
            }
        }
        return bumped
    }

    /// A waiting job goes away.
    mutating func forgetReservation(_ job: Int32) {
        unbook(job, reservations.clock)
        reservations.unbooked.removeAll { $0 == job }
        reservations.leave(queueEntry(job))
    }

    /// A site takes nothing any more: who was to start there is booked anew.
    mutating func closeReservations(at site: Int32) {
        for job in reservations.booked(at: site) {
            unbook(job, reservations.clock)
            reservations.unbooked.append(job)
        }
    }

    /// Where a running job stands.
    func standsOf(_ job: Int32) -> [Stand] {
        let stand = jobs[Int(job)].stand
        return stand.node >= 0 ? [stand] : stands[job] ?? []
    }
}
