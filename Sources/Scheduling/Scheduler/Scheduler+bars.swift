/// What is reserved in advance, for conservative backfill: to who may not use it, it is taken as by a job that is to come.
extension Scheduler {
    /// What of a site's nodes is reserved for others than a job's project, and not held by those: by node, by time.
    ///
    /// - Parameters:
    ///   - node: The only one that comes into question; -1 for all.
    ///   - reach: What begins from then on is left out.
    func bars(
        _ site: Int,
        _ node: Int32,
        for job: Int32,
        _ now: Int64,
        before reach: Int64
    ) -> [Int: [Timetable.Change]] {
        let windows = sites[site].windows
        guard !windows.isEmpty else { return [:] }
        var shut: [Timetable.Change] = []
        for entry in windows.whole where entry.start < reach && binds(entry, account(job)) {
            shut += Timetable.Bar(from: entry.start, to: entry.end, room: .all).changes
        }
        shut.sort { $0.time < $1.time }
        var bars: [Int: [Timetable.Change]] = [:]
        if !shut.isEmpty {
            for node in node < 0 ? sites[site].states.indices : Int(node)..<Int(node) + 1 { bars[node] = shut }
        }
        let known = node < 0 ? windows.nodes.indices : windows.position(of: node).map { $0..<$0 + 1 } ?? 0..<0
        for known in windows.nodes[known] {
            let binding = known.entries.filter { $0.start < reach && binds($0, account(job)) }
            guard !binding.isEmpty else { continue }
            let own = self.bars(site, known, binding, for: job, now).flatMap(\.changes)
            bars[Int(known.node)] = (own + shut).sorted { $0.time < $1.time }
        }
        return bars
    }

    private func bars(
        _ site: Int,
        _ node: Windows.Node,
        _ binding: [Windows.Entry],
        for job: Int32,
        _ now: Int64
    ) -> [Timetable.Bar] {
        var bars: [Timetable.Bar] = []
        for (index, entry) in binding.enumerated() {
            if entry.isWhole || entry.project < 0 {
                let room = entry.isWhole ? .all : entry.room
                bars.append(.init(from: entry.start, to: entry.end, room: room))
                continue
            }
            // Several of one project count together, once.
            let same = binding.filter { $0.project == entry.project && !$0.isWhole }
            guard !binding[..<index].contains(where: { $0.project == entry.project && !$0.isWhole }) else { continue }
            let held = held(site, node, by: entry.project, without: job, now)
            let moments = Set(same.flatMap { [$0.start, $0.end] } + held.flatMap { [$0.from, $0.to] }).sorted()
            for (from, to) in zip(moments, moments.dropFirst()) {
                var kept = Timetable.Room()
                for other in same where other.isOn(at: from) { kept += other.room }
                var used = Timetable.Room()
                for stay in held where stay.from <= from && from < stay.to { used += stay.room }
                let owed = kept.owed(after: used)
                if owed != Timetable.Room() { bars.append(.init(from: from, to: to, room: owed)) }
            }
        }
        return bars
    }

    /// What jobs of a project hold of a node, or are to hold by their reservations.
    private func held(
        _ site: Int,
        _ node: Windows.Node,
        by project: Int32,
        without job: Int32,
        _ now: Int64
    ) -> [Timetable.Bar] {
        func isOwn(_ other: Int32) -> Bool { other != job && accounts.isWithin(account(other), project) }
        var held = node.stays.filter { isOwn($0.job) }.map {
            Timetable.Bar(from: .min, to: jobs[Int($0.job)].end, room: $0.room)
        }
        for other in Set(reservations.timetables[site].leaving(node.node, after: now)).sorted() where isOwn(other) {
            guard let reservation = reservations[other] else { continue }
            let need = classes[Int(jobs[Int(other)].jobClass)].need
            for stand in reservation.stands where stand.node == node.node {
                held.append(.init(from: reservation.start, to: reservation.end, room: stand.room(need)))
            }
        }
        return held
    }
}
