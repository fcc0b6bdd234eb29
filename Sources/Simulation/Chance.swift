import Core

/// Seeded chance: the same numbers for the same seed, in every process.
struct Chance: RandomNumberGenerator, Sendable {
    private var source: SplitMix

    init(seed: UInt64) { source = SplitMix(seed: seed) }

    /// A stream of its own for each purpose, so that one more draw here does not change what happens there.
    init(seed: UInt64, stream: UInt64) {
        self.init(seed: SplitMix.mix(seed &+ SplitMix.mix(stream &+ SplitMix.step)))
    }

    mutating func next() -> UInt64 { source.next() }

    /// From 0 up to and without 1.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Whether something of this probability happens.
    mutating func happens(_ probability: Double) -> Bool { fraction() < probability }

    /// Evenly on a logarithmic scale: as often between 1 s and 10 s as between 10 s and 100 s.
    mutating func spread(_ low: Duration, _ high: Duration) -> Duration {
        let (low, high) = (Double(low.milliseconds), Double(high.milliseconds))
        return .milliseconds(Int64(low * power(high / low, fraction())))
    }

    mutating func between(_ low: Duration, _ high: Duration) -> Duration {
        low + .milliseconds(Int64(Double((high - low).milliseconds) * fraction()))
    }
}

/// `base` to the power of `exponent` of 0 to 1, by halving: the same bits on every machine, unlike a library's `pow`.
private func power(_ base: Double, _ exponent: Double) -> Double {
    var (result, root, rest) = (1.0, base, exponent)
    for _ in 0..<24 {
        root = root.squareRoot()
        rest *= 2
        if rest >= 1 {
            result *= root
            rest -= 1
        }
    }
    return result
}
