internal import Core
internal import Scheduling

/// A federation filled up: jobs of a trace come in random order and stay, until more has been asked for than there is.
/// How much of the cards is then in use is what a placement is worth.
///
/// > Source: the experiment of Weng et al., "Beware of Fragmentation" (USENIX ATC 2023), section 6, as its artifact has
/// > it: the trace's own jobs shuffled, then random ones of them again; nodes in random order.
extension Experiment {
    public struct Filling: Sendable {
        public var policy: String
        public var seed: UInt64
        /// Of all cards in use at the end, in per cent.
        public var allocated: Double
        public var jobs: Int
        public var placed: Int
        public var cpuSeconds: Double
    }

    /// - Parameter part: How much is asked for in the end, as a part of all cards: 1.3 for 130 per cent.
    /// - Throws: ``TraceFault`` for a trace or a federation without cards.
    public func fill(
        _ policy: ReplayPolicy,
        part: Double,
        seed: UInt64,
        cpuTime: () -> Double
    ) throws(TraceFault) -> Filling {
        guard case .scheduler(let rules) = policy.mind else {
            throw TraceFault(path: "policy \(policy.name)", what: "needs time, which filling a federation has not")
        }
        var chance = SplitMix(seed: seed)
        var shuffled = federation
        for centre in shuffled.centres.indices { chance.shuffle(&shuffled.centres[centre].nodes) }
        let capacity = shuffled.centres.reduce(0) { $0 + $1.cards } * 1000
        let most = Int(Double(capacity) * part)
        var order = Array(replayed.indices)
        func asked(_ index: Int) -> Int { replayed[index].cards * replayed[index].cardMilli }
        guard capacity > 0, order.contains(where: { asked($0) > 0 }) else {
            throw TraceFault(path: trace.name, what: "cannot fill the federation: there are no cards")
        }
        chance.shuffle(&order)
        var sum = order.reduce(0) { $0 + asked($1) }
        while sum > most {
            let at = chance.next(below: order.count)
            sum -= asked(order[at])
            order.swapAt(at, order.count - 1)
            order.removeLast()
        }
        while true {
            let index = chance.next(below: replayed.count)
            guard sum + asked(index) <= most else { break }
            sum += asked(index)
            order.append(index)
        }
        let other = try Experiment(trace, on: shuffled, options: options)
        var scheduler = Scheduler(sites: try shuffled.kinds(shuffled.models()), rules: rules)
        let classes = other.makeClasses(&scheduler)
        // The source's policy knows the mix beforehand; ours learns it.
        if rules.placement == .leastFragmentation {
            for number in classes where number >= 0 { scheduler.learnMix(number) }
        }
        var placed = 0
        var started: [Scheduler.Start] = []
        let before = cpuTime()
        for (number, index) in order.enumerated() where classes[index] >= 0 {
            scheduler.submit(Int32(number), class: classes[index], estimate: 1, limit: 1, at: 0)
            started.removeAll(keepingCapacity: true)
            scheduler.pass(at: 0, started: &started)
            if started.isEmpty { scheduler.withdraw(Int32(number)) } else { placed += 1 }
        }
        let seconds = cpuTime() - before
        let free = shuffled.centres.indices.reduce(0) { $0 + scheduler.free(at: Int32($1)).cardMilli }
        return Filling(
            policy: policy.name,
            seed: seed,
            allocated: 100 * Double(capacity - free) / Double(capacity),
            jobs: order.count,
            placed: placed,
            cpuSeconds: seconds
        )
    }
}

extension SplitMix {
    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func shuffle<Element>(_ items: inout [Element]) {
        for index in stride(from: items.count - 1, to: 0, by: -1) { items.swapAt(index, next(below: index + 1)) }
    }
}
