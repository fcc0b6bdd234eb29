/// Why a Parquet file, or a column of it, could not be read.
public enum ParquetFault: Error, Equatable, Sendable {
    /// The file does not end as Parquet files do, or is cut off.
    case notParquet
    /// Bytes that the format does not allow; what they should be.
    case damaged(String)
    /// Something that the format allows and this reader does not read, by its name in the format.
    case unsupported(String)
    /// Something that is larger than ``ParquetLimits`` allow.
    case tooLarge(String)
    /// A row for a writer that does not fit its columns; the column and what is wrong.
    case row(String)
}
