internal import Core

extension Ground {
    /// Runs whose end makes a demand fit.
    struct Eviction {
        /// Indices into the centre's runs; empty when enough is on its way out already.
        var runs: [Int]
        /// Work lost, in dominant-share seconds.
        var lost: Double
        /// What there is once they have gone, less what is kept for others.
        var columns: Columns
    }

    /// The runs of least lost work whose end makes the demand fit, none of them needlessly.
    ///
    /// - Parameters:
    ///   - end: When the job would be over; room kept for others from later on is not in its way.
    ///   - tenant: The project whose jobs may also use what is reserved for it.
    ///   - loss: What a run loses if it stops now; `nil` for one that must not be stopped.
    func eviction(
        for demand: Demand,
        until end: Instant,
        for tenant: ProjectName?,
        runs: [Snapshot.Run],
        loss: (Snapshot.Run) -> Double?
    ) -> Eviction? {
        var columns = unheld(until: end)
        leaveOutReserved(&columns, until: end, for: tenant)
        var ranges: [Int: Range<Int>] = [:]
        var victims: [(run: Int, lost: Double)] = []
        var anyStopping = false
        for occupant in occupants {
            guard let run = occupant.run else { continue }
            if stopping[run] {
                anyStopping = true
                for index in occupant.pieces { columns.add(pieces[index]) }
            } else if let lost = loss(runs[run]) {
                ranges[run] = occupant.pieces
                victims.append((run, lost))
            }
        }
        var sum = 0
        for node in 0..<columns.count { sum += columns.tasks(at: node, demand) }
        if sum >= demand.tasks { return anyStopping ? Eviction(runs: [], lost: 0, columns: columns) : nil }
        func apply(_ run: Int, times sign: Int64) {
            for index in ranges[run] ?? 0..<0 {
                let node = pieces[index].node
                let before = columns.tasks(at: node, demand)
                columns.add(pieces[index], times: sign)
                sum += columns.tasks(at: node, demand) - before
            }
        }
        victims.sort { ($0.lost, runs[$0.run].key) < ($1.lost, runs[$1.run].key) }
        var chosen: [(run: Int, lost: Double)] = []
        for victim in victims {
            apply(victim.run, times: 1)
            chosen.append(victim)
            if sum >= demand.tasks { break }
        }
        guard sum >= demand.tasks else { return nil }
        // Some stood on other nodes: let the costliest that are not needed live.
        for victim in chosen.reversed() {
            apply(victim.run, times: -1)
            if sum >= demand.tasks {
                chosen.removeAll { $0.run == victim.run }
            } else {
                apply(victim.run, times: 1)
            }
        }
        return Eviction(runs: chosen.map(\.run), lost: chosen.reduce(0) { $0 + $1.lost }, columns: columns)
    }
}
