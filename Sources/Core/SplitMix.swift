/// Seeded chance that is the same in every process and on every machine: SplitMix64.
///
/// > Source: https://prng.di.unimi.it/splitmix64.c, after Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// > Generators" (OOPSLA 2014).
public struct SplitMix: RandomNumberGenerator, Sendable {
    /// What the state moves on by, and a fair number to tell streams apart with.
    public static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mix(state)
    }

    /// A word that depends on every bit of another.
    public static func mix(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
