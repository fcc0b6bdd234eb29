/// How much a compressed stream may hold, so that a small file cannot fill a disk.
public struct ExpansionCap: Equatable, Sendable {
    /// Bytes of output that a stream may hold altogether.
    public var outputMaxBytes: Int
    /// Bytes of output for each byte of input, over the whole stream. Not enforced on the first ``graceBytes`` of output,
    /// since small inputs reach high ratios honestly. DEFLATE cannot pass 1,032; zstd can, by far.
    public var ratioMax: Int

    static let graceBytes = 16 << 20

    public static let none = ExpansionCap(outputMaxBytes: .max, ratioMax: .max)

    public init(outputMaxBytes: Int, ratioMax: Int) {
        self.outputMaxBytes = max(0, outputMaxBytes)
        self.ratioMax = max(1, ratioMax)
    }

    /// Whether `produced` bytes out of `consumed` bytes are too many.
    func isExceeded(produced: Int, consumed: Int) -> Bool {
        if produced > outputMaxBytes { return true }
        return produced > Self.graceBytes && produced / max(1, consumed) >= ratioMax
    }
}
