/// In which contexts predictions are corrected: what the point and a replay share.
public enum Forecaster {
    public static let waitFloorSeconds = 60.0
    public static let runFloorSeconds = 10.0

    /// How far starts were from what was foreseen.
    public static var waits: Calibration { Calibration(floorSeconds: waitFloorSeconds) }
    /// How far run times were from what was expected.
    public static var runs: Calibration { Calibration(floorSeconds: runFloorSeconds) }

    /// All waits, then those foreseen to be about as long. Starts at once are of a kind of their own.
    public static func waitContexts(seconds: Double) -> [UInt64] {
        if seconds <= 0 { return [Predictor.context(6)] }
        let size = Int64(PortableMath.log2(seconds + waitFloorSeconds))
        return [Predictor.context(1), Predictor.context(2, size)]
    }

    /// All runs, those expected to be about as long, and of these those that asked for about as much time.
    public static func runContexts(seconds: Double, limitSeconds: Int64?) -> [UInt64] {
        let size = Int64(PortableMath.log2(seconds + runFloorSeconds))
        let limit = limitSeconds.map { Int64(PortableMath.log2(Double(max(1, $0)))) } ?? -1
        return [Predictor.context(3), Predictor.context(4, size), Predictor.context(5, size, limit)]
    }
}
