/// What a reader of Parquet keeps in memory.
public struct ParquetLimits: Equatable, Sendable {
    /// The largest footer.
    public var footerMaxBytes = 16 << 20
    /// The largest page, compressed or not. A page holds at least one value, so this bounds values too.
    public var pageMaxBytes = 256 << 20
    /// All pages that are held at a time, of all columns that are read.
    public var heldMaxBytes = 512 << 20

    /// Elements of all lists of one row.
    public var rowElementsMax = 2 << 20
    /// Rows, or values of a column, that a file may have, and how many more for each of its bytes. Runs of the same
    /// value take no room in a file, but time to read.
    public var valuesFree = 16 << 20
    public var valuesMaxPerByte = 4_096

    public init() {}
}
