/// What a reader of Parquet keeps in memory.
public struct ParquetLimits: Equatable, Sendable {
    /// The largest footer.
    public var footerMaxBytes = 64 << 20
    /// The largest page, compressed or not. A page holds at least one value, so this bounds values too.
    public var pageMaxBytes = 256 << 20
    /// All pages that are held at a time, of all columns that are read.
    public var heldMaxBytes = 512 << 20

    public init() {}
}
