import Glibc

/// A generator whose seed a failing test prints: SplitMix64.
struct DuplicateRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// Seeded by ONEPOINT_TEST_SEED, or by the round alone.
    static func ofTests(_ round: Int) -> DuplicateRandom {
        let seed = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? 0
        print("ONEPOINT_TEST_SEED=\(seed) round \(round)")
        return DuplicateRandom(seed: seed &+ UInt64(round) &* 0x1_0000_0001)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
