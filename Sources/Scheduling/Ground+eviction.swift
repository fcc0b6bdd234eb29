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
    ///   - loss: What a run, and its index, loses if it stops now; `nil` for one that must not be stopped.
    func eviction(
        for demand: Demand,
        until end: Instant,
        for tenant: ProjectName?,
        runs: [Snapshot.Run],
        loss: (Int, Snapshot.Run) -> Double?
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
            } else if let lost = loss(run, runs[run]) {
                ranges[run] = occupant.pieces
                victims.append((run, lost))
            }
        }
        let free = columns
        var sumFree = 0
        for node in 0..<free.count { sumFree += free.tasks(at: node, demand) }
        if sumFree >= demand.tasks { return anyStopping ? Eviction(runs: [], lost: 0, columns: free) : nil }
        victims.sort { ($0.lost, runs[$0.run].key) < ($1.lost, runs[$1.run].key) }
        /// The first of some that are enough, without those that turn out not to be needed.
        func choose(_ victims: [(run: Int, lost: Double)]) -> Eviction? {
            var columns = free
            var sum = sumFree
            func apply(_ run: Int, times sign: Int64) {
                for index in ranges[run] ?? 0..<0 {
                    let node = pieces[index].node
                    let before = columns.tasks(at: node, demand)
                    columns.add(pieces[index], times: sign)
                    sum += columns.tasks(at: node, demand) - before
                }
            }
            var chosen: [(run: Int, lost: Double)] = []
            for victim in victims {
                apply(victim.run, times: 1)
                chosen.append(victim)
                if sum >= demand.tasks { break }
            }
            guard sum >= demand.tasks else { return nil }
            // Some stood on other nodes: let the costliest that are not needed live.
            for victim in chosen.sorted(by: { ($1.lost, runs[$1.run].key) < ($0.lost, runs[$0.run].key) }) {
                apply(victim.run, times: -1)
                if sum >= demand.tasks {
                    chosen.removeAll { $0.run == victim.run }
                } else {
                    apply(victim.run, times: 1)
                }
            }
            return Eviction(runs: chosen.map(\.run), lost: chosen.reduce(0) { $0 + $1.lost }, columns: columns)
        }
        guard let plain = choose(victims) else { return nil }
        guard plain.runs.count > 1, let byNode = choose(nodeByNode(victims, ranges, demand, in: free)) else {
            return plain
        }
        return (byNode.lost, byNode.runs.count) < (plain.lost, plain.runs.count) ? byNode : plain
    }

    /// The same runs, those first that make room for the most tasks on their node for the least loss: a node that one
    /// run stands on comes before one that many do whose losses are smaller each. Runs on several nodes come last.
    private func nodeByNode(
        _ victims: [(run: Int, lost: Double)],
        _ ranges: [Int: Range<Int>],
        _ demand: Demand,
        in free: Columns
    ) -> [(run: Int, lost: Double)] {
        var onNode: [Int: [(run: Int, lost: Double)]] = [:]
        var others: [(run: Int, lost: Double)] = []
        for victim in victims {
            let nodes = Set((ranges[victim.run] ?? 0..<0).map { pieces[$0].node })
            if let node = nodes.first, nodes.count == 1 {
                onNode[node, default: []].append(victim)
            } else {
                others.append(victim)
            }
        }
        var ranked: [(price: Double, node: Int, runs: [(run: Int, lost: Double)])] = []
        for (node, here) in onNode {
            var amounts = Amounts(free, at: node)
            let before = amounts.tasks(demand)
            func apply(_ run: Int, times sign: Int64) {
                for index in ranges[run] ?? 0..<0 { amounts.add(pieces[index], times: sign) }
            }
            for victim in here { apply(victim.run, times: 1) }
            let gained = min(amounts.tasks(demand), demand.tasks) - before
            guard gained > 0 else {
                others += here
                continue
            }
            var needed = here
            for victim in here.reversed() {
                apply(victim.run, times: -1)
                if min(amounts.tasks(demand), demand.tasks) - before == gained {
                    needed.removeAll { $0.run == victim.run }
                    others.append(victim)
                } else {
                    apply(victim.run, times: 1)
                }
            }
            ranked.append((needed.reduce(0) { $0 + $1.lost } / Double(gained), node, needed))
        }
        ranked.sort { ($0.price, $0.node) < ($1.price, $1.node) }
        others.sort { ($0.lost, $0.run) < ($1.lost, $1.run) }
        return ranked.flatMap(\.runs) + others
    }
}
