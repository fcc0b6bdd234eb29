import Core

/// Seeded chance: the same numbers for the same seed, in every process.
///
/// SplitMix64. Source: https://prng.di.unimi.it/splitmix64.c
struct Chance: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A stream of its own for each purpose, so that one more draw here does not change what happens there.
    init(seed: UInt64, stream: UInt64) {
        self.init(seed: Self.mix(seed &+ Self.mix(stream &+ 0x9E37_79B9_7F4A_7C15)))
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    static func mix(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

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
