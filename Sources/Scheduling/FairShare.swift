public import Core

/// What decides whose turn it is: usage in dominant-share hours, by weight.
///
/// A job's dominant share is the largest of its parts of all cores, all memory and all cards of the federation, after
/// dominant resource fairness; it is charged for the time held, after decayed usage as Slurm's fair tree has it.
///
/// > Source: Ghodsi et al., "Dominant Resource Fairness: Fair Allocation of Multiple Resource Types" (NSDI 2011),
/// > section 4: serve the one with the lowest dominant share, divided by its weight.
public enum FairShare {
    /// After so long, usage counts half.
    public static let halfLifeSeconds = 24 * 3600.0

    /// All that can be scheduled on: what shares are shares of.
    public struct Totals: Hashable, Sendable {
        public var cores: MilliCores = 0
        public var memory: Bytes = 0
        /// Of all models, emulated ones included.
        public var cards = 0

        public init() {}

        /// The sum over the schedulable nodes of every centre that is not removed, seen or not: shares must not jump
        /// when a centre falls silent for a minute.
        public init(_ centres: [Snapshot.Centre]) {
            for centre in centres where centre.state != .removed {
                for node in centre.capacity?.nodes ?? [] where node.schedulable { add(node) }
            }
        }

        mutating func add(_ node: Node) {
            cores = cores + node.cores
            memory = memory + node.memory
            for group in node.cards { cards += group.count }
        }

        mutating func add(_ other: Totals) {
            (cores, memory, cards) = (cores + other.cores, memory + other.memory, cards + other.cards)
        }
    }

    /// The largest part of the federation that these tasks take, 0 to 1 for what fits. 0 in an empty federation.
    public static func dominantShare(tasks: Int, resources: TaskResources, of totals: Totals) -> Double {
        let (share, _) = dominant(tasks: tasks, resources: resources, of: totals)
        return share
    }

    static func dominant(
        tasks: Int,
        resources: TaskResources,
        of totals: Totals
    ) -> (share: Double, dimension: Dimension) {
        var best = (share: 0.0, dimension: resources.cards > 0 ? Dimension.cards : .cores)
        func consider(_ dimension: Dimension, _ need: Int64, _ total: Int64) {
            guard total > 0 else { return }
            let share = Double(need) * Double(tasks) / Double(total)
            if share > best.share { best = (share, dimension) }
        }
        consider(.cards, Int64(resources.cards), Int64(totals.cards))
        consider(.cores, resources.cores.count, totals.cores.count)
        consider(.memory, resources.memory.count, totals.memory.count)
        return best
    }

    /// A stretch of time in which a project held a share.
    public struct Interval: Hashable, Sendable {
        public var share: Double
        public var from: Instant
        public var to: Instant

        public init(share: Double, from: Instant, to: Instant) {
            self.share = share
            self.from = from
            self.to = to
        }
    }

    /// Decayed usage in dominant-share hours: what was used `halfLifeSeconds` ago counts half.
    ///
    /// Each interval is counted whole and decayed from its end, so that adding up can be done as runs end:
    /// a sum kept at one time is brought to a later one by ``decay(elapsedSeconds:halfLifeSeconds:)``.
    public static func usage(of intervals: [Interval], now: Instant, halfLifeSeconds: Double) -> Double {
        intervals.reduce(0) { sum, interval in
            let end = min(interval.to, now)
            guard end > interval.from else { return sum }
            let hours = (end - interval.from).seconds / 3600
            return sum + interval.share * hours
                * decay(elapsedSeconds: (now - end).seconds, halfLifeSeconds: halfLifeSeconds)
        }
    }

    /// `2^(-elapsed / halfLife)`, from additions and multiplications alone so that it is the same on every machine.
    public static func decay(elapsedSeconds: Double, halfLifeSeconds: Double) -> Double {
        guard elapsedSeconds > 0, halfLifeSeconds > 0 else { return 1 }
        let halvings = elapsedSeconds / halfLifeSeconds
        guard halvings < 1000 else { return 0 }
        return PortableMath.exp2(-halvings)
    }
}
