internal import Core

/// How one policy fares beside another on the very same jobs.
public struct Comparison: Sendable {
    /// A mean difference, and between what it lies with 95 per cent confidence. Negative is better.
    public struct Difference: Hashable, Sendable {
        public var mean: Double
        public var low: Double
        public var high: Double
    }

    public var policy: String
    public var base: String
    public var wait: Difference
    public var slowdown: Difference

    /// Jobs near in time wait together, so they are drawn in blocks.
    static let blocks = 100
    static let draws = 1000

    /// Pairs the jobs that started under both.
    ///
    /// > Source: moving block bootstrap after Künsch, "The Jackknife and the Bootstrap for General Stationary
    /// > Observations" (Annals of Statistics, 1989), with blocks that do not overlap.
    public init(_ policy: Experiment.Outcome, with base: Experiment.Outcome, jobs: [TraceJob], seed: UInt64) {
        self.policy = policy.policy
        self.base = base.policy
        var waits: [Double] = []
        var slowdowns: [Double] = []
        for index in jobs.indices {
            let (mine, other) = (policy.schedule.start[index], base.schedule.start[index])
            guard mine >= 0, other >= 0 else { continue }
            let submit = jobs[index].submit
            let run = Double(jobs[index].run)
            waits.append(Double(mine - other))
            slowdowns.append(
                Metrics.slowdown(wait: Double(mine - submit), run: run)
                    - Metrics.slowdown(wait: Double(other - submit), run: run)
            )
        }
        var chance = SplitMix(seed: seed)
        wait = Self.difference(waits, &chance)
        slowdown = Self.difference(slowdowns, &chance)
    }

    private static func difference(_ values: [Double], _ chance: inout SplitMix) -> Difference {
        guard !values.isEmpty else { return Difference(mean: 0, low: 0, high: 0) }
        let count = min(blocks, values.count)
        let sums = (0..<count).map { block in
            let range = block * values.count / count..<(block + 1) * values.count / count
            return (sum: values[range].reduce(0, +), count: Double(range.count))
        }
        var means: [Double] = []
        for _ in 0..<draws {
            var sum = 0.0
            var jobs = 0.0
            for _ in 0..<count {
                let block = sums[chance.next(below: count)]
                sum += block.sum
                jobs += block.count
            }
            means.append(sum / jobs)
        }
        means.sort()
        return Difference(
            mean: values.reduce(0, +) / Double(values.count),
            low: means[draws * 25 / 1000],
            high: means[draws * 975 / 1000 - 1]
        )
    }
}
