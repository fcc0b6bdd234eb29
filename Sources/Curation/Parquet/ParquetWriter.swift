public import Core

/// Writes a Parquet file of flat columns, row group by row group.
///
/// The writer touches no file: it appends to a buffer, which its caller writes out and empties as it likes. The same
/// rows give the same bytes, as long as the library's version of zstd is the same. Text columns whose values repeat have
/// a dictionary.
///
/// > Source: https://github.com/apache/parquet-format
public struct ParquetWriter: Sendable {
    public enum ColumnType: Equatable, Sendable {
        case string
        case int64
        case double
        case boolean
    }

    public struct Column: Equatable, Sendable {
        public let name: String
        public let type: ColumnType
        /// Whether every row has a value.
        public let isRequired: Bool

        public init(_ name: String, _ type: ColumnType, isRequired: Bool = false) {
            self.name = name
            self.type = type
            self.isRequired = isRequired
        }
    }

    public enum Compression: Equatable, Sendable {
        case none
        /// At a level of ``Zstd/levels``.
        case zstd(level: Int)

        func compress(_ bytes: Span<UInt8>) -> [UInt8] {
            switch self {
            case .none: bytes.withUnsafeBufferPointer { Array($0) }
            case .zstd(let level): Zstd.compress(bytes, level: level)
            }
        }

        fileprivate var codec: Int { self == .none ? 0 : 6 }
    }

    private struct Group {
        var rowCount: Int
        var offset: Int
        var chunks: [Chunk]
    }

    private struct Chunk {
        var encodings: [Int]
        var offset: Int
        var dictionaryBytes: Int
        var plainBytes: Int
        var byteCount: Int
    }

    public let columns: [Column]
    private let compression: Compression
    private let rowGroupMaxBytes: Int
    private let metadata: [(key: String, value: String)]
    private var buffers: [ParquetColumnBuffer]
    private var groups: [Group] = []
    private var rowsInGroup = 0
    /// Bytes handed out so far, which is where the next ones are in the file.
    private var offset = 0

    /// The longest string, so that no page passes what ``ParquetLimits`` allow.
    public static let stringMaxBytes = 128 << 20
    private static let groupRowsMax = 1 << 20

    /// - Parameters:
    ///   - rowGroupMaxBytes: What a row group may hold in memory before it is written; a single row may be larger.
    ///   - metadata: Keys and values for the footer, such as a card's; in that order.
    public init(
        columns: [Column],
        compression: Compression = .zstd(level: 3),
        rowGroupMaxBytes: Int = 64 << 20,
        metadata: [(key: String, value: String)] = []
    ) {
        self.columns = columns
        self.compression = compression
        self.rowGroupMaxBytes = max(1, rowGroupMaxBytes)
        self.metadata = metadata
        buffers = columns.map { ParquetColumnBuffer($0, compression: compression) }
    }

    /// Adds a row, and appends what of the file is complete by it.
    ///
    /// - Parameter row: A value for each column: null where it may be, whole numbers also for `double`.
    /// - Throws: ``ParquetFault/row(_:)`` when the row does not fit. Nothing is written of it then.
    public mutating func append(_ row: [JSON], to output: inout [UInt8]) throws(ParquetFault) {
        guard row.count == columns.count else {
            throw .row("a row of \(row.count) values for \(columns.count) columns")
        }
        for (column, value) in zip(columns, row) { try Self.check(value, column) }
        for (index, value) in row.enumerated() {
            switch (columns[index].type, value) {
            case (_, .null): buffers[index].appendNull()
            case (.string, .string(let text)): buffers[index].append(text.utf8)
            case (.int64, .integer(let number)): buffers[index].append(UInt64(bitPattern: number))
            case (.double, .number(let number)): buffers[index].append(number.bitPattern)
            case (.double, .integer(let number)): buffers[index].append(Double(number).bitPattern)
            case (.boolean, .bool(let flag)): buffers[index].append(flag)
            default: break
            }
        }
        rowsInGroup += 1
        let held = buffers.reduce(0) { $0 + $1.heldBytes }
        if held >= rowGroupMaxBytes || rowsInGroup >= Self.groupRowsMax { closeGroup(&output) }
    }

    private static func check(_ value: JSON, _ column: Column) throws(ParquetFault) {
        switch (column.type, value) {
        case (_, .null): if column.isRequired { throw .row("\(column.name): a value is missing") }
        case (.string, .string(let text)):
            guard text.utf8.count <= stringMaxBytes else { throw .row("\(column.name): a string that is too long") }
        case (.int64, .integer), (.double, .number), (.double, .integer), (.boolean, .bool): break
        default: throw .row("\(column.name): \(value.kind)")
        }
    }

    /// Appends the rest of the file: the last row group and the footer.
    public mutating func finish(_ output: inout [UInt8]) {
        if rowsInGroup > 0 { closeGroup(&output) }
        begin(&output)
        let footer = footer()
        output.append(contentsOf: footer)
        for shift in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: footer.count >> shift)) }
        output.append(contentsOf: "PAR1".utf8)
    }

    private mutating func begin(_ output: inout [UInt8]) {
        guard offset == 0 else { return }
        output.append(contentsOf: "PAR1".utf8)
        offset = 4
    }

    private mutating func closeGroup(_ output: inout [UInt8]) {
        begin(&output)
        var group = Group(rowCount: rowsInGroup, offset: offset, chunks: [])
        for index in buffers.indices {
            let (pages, dictionaryBytes) = buffers[index].close()
            group.chunks.append(
                Chunk(
                    encodings: buffers[index].encodings,
                    offset: offset,
                    dictionaryBytes: dictionaryBytes,
                    plainBytes: buffers[index].plainBytes,
                    byteCount: pages.count
                )
            )
            output.append(contentsOf: pages)
            offset += pages.count
            buffers[index].reset()
        }
        groups.append(group)
        rowsInGroup = 0
    }

    private func footer() -> [UInt8] {
        var writer = ThriftWriter()
        writer.int(1, 1)
        writer.list(2, count: columns.count + 1, of: 12)
        writer.beginElement()
        writer.string(4, "schema")
        writer.int(5, columns.count)
        writer.end()
        for column in columns { Self.write(column, &writer) }
        writer.long(3, groups.reduce(0) { $0 + $1.rowCount })
        writer.list(4, count: groups.count, of: 12)
        for group in groups { write(group, &writer) }
        if !metadata.isEmpty {
            writer.list(5, count: metadata.count, of: 12)
            for (key, value) in metadata {
                writer.beginElement()
                writer.string(1, key)
                writer.string(2, value)
                writer.end()
            }
        }
        writer.string(6, "onepoint")
        writer.end()
        return writer.bytes
    }

    private static func physical(_ type: ColumnType) -> Int {
        switch type {
        case .boolean: 0
        case .int64: 2
        case .double: 5
        case .string: 6
        }
    }

    private static func write(_ column: Column, _ writer: inout ThriftWriter) {
        writer.beginElement()
        writer.int(1, physical(column.type))
        writer.int(3, column.isRequired ? 0 : 1)
        writer.string(4, column.name)
        if column.type == .string {
            // The old and the new way to say that bytes are text.
            writer.int(6, 0)
            writer.beginStruct(10)
            writer.beginStruct(1)
            writer.end()
            writer.end()
        }
        writer.end()
    }

    private func write(_ group: Group, _ writer: inout ThriftWriter) {
        let stored = group.chunks.reduce(0) { $0 + $1.byteCount }
        writer.beginElement()
        writer.list(1, count: group.chunks.count, of: 12)
        for (column, chunk) in zip(columns, group.chunks) {
            writer.beginElement()
            writer.long(2, 0)
            writer.beginStruct(3)
            writer.int(1, Self.physical(column.type))
            writer.list(2, count: chunk.encodings.count, of: 5)
            for encoding in chunk.encodings { writer.number(encoding) }
            writer.list(3, count: 1, of: 8)
            writer.string(column.name)
            writer.int(4, compression.codec)
            writer.long(5, group.rowCount)
            writer.long(6, chunk.plainBytes)
            writer.long(7, chunk.byteCount)
            writer.long(9, chunk.offset + chunk.dictionaryBytes)
            if chunk.dictionaryBytes > 0 { writer.long(11, chunk.offset) }
            writer.end()
            writer.end()
        }
        writer.long(2, group.chunks.reduce(0) { $0 + $1.plainBytes })
        writer.long(3, group.rowCount)
        writer.long(5, group.offset)
        writer.long(6, stored)
        writer.end()
    }
}
