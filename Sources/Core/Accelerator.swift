/// What is known of one model of accelerator: the entry of the catalogue that PFLOPS are computed from.
public struct Accelerator: Hashable, Sendable, Codable {
    /// The key: a lower-case slug such as `h100-sxm5` or `ascend-910b3`.
    public let model: String
    public let vendor: String
    /// As its maker writes it.
    public let title: String
    /// Nominal memory of one unit; `nil` where variants differ.
    public let memory: Bytes?
    /// Dense FP16 or BF16 matrix throughput of one unit in 10¹² operations a second; `nil` where none is published.
    public let fp16DenseTflops: Double?
    public let unit: Unit
    public let sourceKind: SourceKind
    /// Where the figure comes from, in words.
    public let source: String
    public let confidence: Confidence
    /// The year and month the figure was last compared with its source, as `2026-11`.
    public let asOf: String

    /// What one unit is; counting dies as boards is the commonest error in such tables.
    public enum Unit: String, Hashable, Sendable, Codable { case board, package, die, slice }
    public enum SourceKind: String, Hashable, Sendable, Codable { case vendor, press, derived }
    public enum Confidence: String, Hashable, Sendable, Codable { case high, medium, low }

    public init(
        model: String,
        vendor: String,
        title: String,
        memory: Bytes?,
        fp16DenseTflops: Double?,
        unit: Unit,
        sourceKind: SourceKind,
        source: String,
        confidence: Confidence,
        asOf: String
    ) {
        self.model = model
        self.vendor = vendor
        self.title = title
        self.memory = memory
        self.fp16DenseTflops = fp16DenseTflops
        self.unit = unit
        self.sourceKind = sourceKind
        self.source = source
        self.confidence = confidence
        self.asOf = asOf
    }
}
