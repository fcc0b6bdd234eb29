/// A Parquet file by its footer: which columns it has and where its row groups are.
///
/// The file itself is read by the caller, who asks for the last ``trailerBytes`` first, then for the footer, then for
/// what ``ParquetRows`` wants of it.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/README.md
public struct ParquetFile: Sendable {
    /// A column of the table, with all that is nested in it.
    public struct Column: Equatable, Sendable {
        public let name: String
        /// Why the column cannot be read, if so. The other columns can.
        public let refusal: String?
    }

    /// How many bytes at the end of a file tell where its footer is.
    public static let trailerBytes = 8

    public let columns: [Column]
    /// Rows of each row group.
    public let groupRowCounts: [Int]
    /// Compressed bytes of each row group, all columns together.
    public let groupByteCounts: [Int]

    let nodes: [ParquetNode?]
    let leaves: [ParquetLeafType?]
    let leafRanges: [Range<Int>]
    let groups: [ParquetMetadata.Group]
    let limits: ParquetLimits

    public var rowCount: Int { groupRowCounts.reduce(0, +) }

    /// How many bytes at the end of the file are the footer, with the trailer.
    ///
    /// - Parameter trailer: The last ``trailerBytes`` of the file.
    public static func footerBytes(
        trailer: Span<UInt8>,
        fileBytes: Int,
        limits: ParquetLimits = ParquetLimits()
    ) throws(ParquetFault) -> Int {
        guard trailer.count == trailerBytes, fileBytes >= 12 else { throw .notParquet }
        let magic = [trailer[4], trailer[5], trailer[6], trailer[7]]
        if magic == Array("PARE".utf8) { throw .unsupported("an encrypted footer") }
        guard magic == Array("PAR1".utf8) else { throw .notParquet }
        var length = 0
        for index in 0..<4 { length |= Int(trailer[index]) << (8 * index) }
        guard length <= fileBytes - 12 else { throw .damaged("the length of the footer") }
        guard length <= limits.footerMaxBytes else { throw .tooLarge("the footer of \(length) bytes") }
        return length + trailerBytes
    }

    /// - Parameter footer: As many bytes of the file's end as ``footerBytes(trailer:fileBytes:limits:)`` says.
    public init(
        footer: Span<UInt8>,
        fileBytes: Int,
        limits: ParquetLimits = ParquetLimits()
    ) throws(ParquetFault) {
        guard footer.count >= Self.trailerBytes else { throw .notParquet }
        let metadata = try ParquetMetadata(
            footer.extracting(..<(footer.count - Self.trailerBytes)),
            fileBytes: fileBytes
        )
        let schema = try ParquetSchema(metadata)
        self.limits = limits
        columns = schema.fields.map { Column(name: $0.name, refusal: $0.refusal) }
        nodes = schema.fields.map(\.node)
        leafRanges = schema.fields.map(\.leaves)
        leaves = schema.leaves
        groups = metadata.groups
        groupRowCounts = groups.map(\.rowCount)
        groupByteCounts = groups.map { $0.chunks.reduce(0) { $0 &+ $1.byteCount } }
        let valuesMax = limits.valuesFree + max(0, fileBytes) &* limits.valuesMaxPerByte
        var rows = 0
        for group in groups {
            guard group.chunks.count == leaves.count else { throw .damaged("a row group's columns") }
            guard group.rowCount <= valuesMax - rows else { throw .tooLarge("more rows than \(valuesMax)") }
            rows += group.rowCount
            for chunk in group.chunks where chunk.valueCount > valuesMax {
                throw .tooLarge("more values than \(valuesMax)")
            }
        }
    }
}
