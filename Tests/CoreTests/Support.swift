import Core
import Foundation

/// A small seeded generator, so that a found failure can be found again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64: the state walks by a constant and is mixed on the way out.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A generator with the seed of `ONEPOINT_TEST_SEED`, or a fresh one; the seed is printed either way.
func seeded(_ what: String) -> SeededGenerator {
    let asked = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) }
    let seed = asked ?? UInt64.random(in: .min ... .max)
    print("\(what): ONEPOINT_TEST_SEED=\(seed)")
    return SeededGenerator(seed: seed)
}

extension Instant {
    static let start = Instant(milliseconds: 1_800_000_000_000)

    static func after(_ seconds: Int64) -> Instant { start + .seconds(seconds) }
}

extension Digest {
    static func fixture(_ byte: UInt8 = 7) -> Digest {
        guard let digest = Digest(bytes: [UInt8](repeating: byte, count: 32)) else { preconditionFailure("32 bytes") }
        return digest
    }
}

extension Name {
    static func fixture(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("'\(text)' is a name") }
        return name
    }
}

extension ID {
    static func fixture(_ low: UInt64 = 1) -> Self { Self(high: 0x0198_0000_0000_0000, low: low) }
}

extension Run {
    static func fixture(
        resources: TaskResources = TaskResources(cores: 1000),
        tasks: Int = 1,
        nodes: [NodeShare]? = nil,
        startedAt: Instant? = .start,
        endedAt: Instant? = .after(3600),
        pricePerHour: MicroCredits = 1_000_000,
        reserved: MicroCredits = 2_000_000
    ) -> Run {
        Run(
            key: RunKey(job: .fixture(), number: 1),
            project: .fixture("demo"),
            centre: .fixture("hub-1"),
            nodes: nodes ?? [NodeShare(node: "n1", tasks: tasks)],
            resources: resources,
            tasks: tasks,
            reason: "it fits",
            leasedAt: .start,
            startedAt: startedAt,
            endedAt: endedAt,
            pricePerHour: pricePerHour,
            reserved: reserved
        )
    }
}
