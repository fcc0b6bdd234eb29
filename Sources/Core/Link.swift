/// The way that bytes take from the point, which has everything that jobs take with them, to a centre.
public struct Link: Hashable, Sendable, Codable {
    public var megabitsPerSecond: Double
    public var latencyMilliseconds: Int
    /// What a GiB costs that goes over it.
    public var egressGib: MicroCredits

    public init(megabitsPerSecond: Double = 1000, latencyMilliseconds: Int = 0, egressGib: MicroCredits = 0) {
        self.megabitsPerSecond = megabitsPerSecond
        self.latencyMilliseconds = latencyMilliseconds
        self.egressGib = egressGib
    }

    /// How long it takes to bring so much. Nothing takes no time.
    public func seconds(_ bytes: Bytes) -> Double {
        guard bytes > 0 else { return 0 }
        return Double(latencyMilliseconds) / 1000 + Double(bytes.count) * 8 / 1e6 / max(megabitsPerSecond, 1e-6)
    }

    /// What it costs to bring so much.
    public func price(_ bytes: Bytes) -> MicroCredits {
        let credits = Int128(egressGib.count) * Int128(max(0, bytes.count)) >> 30
        return MicroCredits(Int64(clamping: credits))
    }
}
