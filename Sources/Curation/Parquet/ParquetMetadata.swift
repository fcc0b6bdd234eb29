/// The footer of a Parquet file, as far as it is needed to read rows.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
struct ParquetMetadata {
    /// One element of the schema, in the order of a walk that comes to a parent before its children.
    struct Element {
        var physical: Int?
        var typeLength = 0
        var repetition = 0
        var name = ""
        var childCount = 0
        var converted: Int?
        var scale = 0
        /// The number of the member of the union `LogicalType`.
        var logical = 0
        /// The number of the member of `TimeUnit`: 1 milliseconds, 2 microseconds, 3 nanoseconds.
        var unit = 0
        var isSigned = true
    }

    struct Chunk {
        var physical = -1
        var codec = -1
        var valueCount = 0
        var offset = 0
        var byteCount = 0
        var isElsewhere = false
        var isEncrypted = false
    }

    struct Group {
        var chunks: [Chunk] = []
        var rowCount = 0
    }

    private static let elementsMax = 100_000

    var elements: [Element] = []
    var groups: [Group] = []
    var rowCount = 0

    init(_ bytes: Span<UInt8>, fileBytes: Int) throws(ParquetFault) {
        var reader = ThriftReader(from: 0, to: bytes.count)
        var field = ThriftReader.Field()
        while try reader.next(bytes, &field) {
            switch field.id {
            case 2:
                let count = try reader.structs(bytes, field)
                guard count <= Self.elementsMax else { throw .tooLarge("a schema of \(count) elements") }
                for _ in 0..<count {
                    elements.append(try Self.element(&reader, bytes))
                }
            case 3: rowCount = try reader.int(bytes, field)
            case 4:
                for _ in 0..<(try reader.structs(bytes, field)) {
                    groups.append(try Self.group(&reader, bytes, fileBytes: fileBytes))
                }
            default: try reader.skip(bytes, field)
            }
        }
    }

    private static func element(_ reader: inout ThriftReader, _ bytes: Span<UInt8>) throws(ParquetFault) -> Element {
        var element = Element()
        var field = ThriftReader.Field()
        while try reader.next(bytes, &field) {
            switch field.id {
            case 1: element.physical = try reader.int(bytes, field)
            case 2: element.typeLength = try reader.int(bytes, field)
            case 3: element.repetition = try reader.int(bytes, field)
            case 4: element.name = try reader.string(bytes, field)
            case 5: element.childCount = try reader.int(bytes, field)
            case 6: element.converted = try reader.int(bytes, field)
            case 7: element.scale = try reader.int(bytes, field)
            case 10:
                try reader.expectStruct(field)
                try logicalType(&reader, bytes, &element)
            default: try reader.skip(bytes, field)
            }
        }
        return element
    }

    private static func logicalType(
        _ reader: inout ThriftReader,
        _ bytes: Span<UInt8>,
        _ element: inout Element
    ) throws(ParquetFault) {
        var union = ThriftReader.Field()
        while try reader.next(bytes, &union) {
            element.logical = union.id
            guard union.type == 12 else {
                try reader.skip(bytes, union)
                continue
            }
            var field = ThriftReader.Field()
            while try reader.next(bytes, &field) {
                switch (union.id, field.id) {
                case (5, 1): element.scale = try reader.int(bytes, field)
                case (10, 2): element.isSigned = try reader.bool(field)
                case (7, 2), (8, 2):
                    try reader.expectStruct(field)
                    var unit = ThriftReader.Field()
                    while try reader.next(bytes, &unit) {
                        element.unit = unit.id
                        try reader.skip(bytes, unit)
                    }
                default: try reader.skip(bytes, field)
                }
            }
        }
    }

    private static func group(
        _ reader: inout ThriftReader,
        _ bytes: Span<UInt8>,
        fileBytes: Int
    ) throws(ParquetFault) -> Group {
        var group = Group()
        var field = ThriftReader.Field()
        while try reader.next(bytes, &field) {
            switch field.id {
            case 1:
                for _ in 0..<(try reader.structs(bytes, field)) {
                    group.chunks.append(try chunk(&reader, bytes, fileBytes: fileBytes))
                }
            case 3: group.rowCount = try reader.int(bytes, field)
            default: try reader.skip(bytes, field)
            }
        }
        guard group.rowCount >= 0 else { throw .damaged("the count of a row group's rows") }
        return group
    }

    private static func chunk(
        _ reader: inout ThriftReader,
        _ bytes: Span<UInt8>,
        fileBytes: Int
    ) throws(ParquetFault) -> Chunk {
        var chunk = Chunk()
        var dataOffset = 0
        var dictionaryOffset = 0
        var outer = ThriftReader.Field()
        while try reader.next(bytes, &outer) {
            switch outer.id {
            case 1:
                chunk.isElsewhere = true
                try reader.skip(bytes, outer)
            case 3:
                try reader.expectStruct(outer)
                var field = ThriftReader.Field()
                while try reader.next(bytes, &field) {
                    switch field.id {
                    case 1: chunk.physical = try reader.int(bytes, field)
                    case 4: chunk.codec = try reader.int(bytes, field)
                    case 5: chunk.valueCount = try reader.int(bytes, field)
                    case 7: chunk.byteCount = try reader.int(bytes, field)
                    case 9: dataOffset = try reader.int(bytes, field)
                    case 11: dictionaryOffset = try reader.int(bytes, field)
                    default: try reader.skip(bytes, field)
                    }
                }
            case 8, 9:
                chunk.isEncrypted = true
                try reader.skip(bytes, outer)
            default: try reader.skip(bytes, outer)
            }
        }
        guard chunk.physical >= 0 || chunk.isElsewhere || chunk.isEncrypted else { throw .damaged("a column") }
        // Some writers leave a zero where there is no dictionary.
        chunk.offset = dictionaryOffset > 0 ? min(dictionaryOffset, dataOffset) : dataOffset
        guard chunk.valueCount >= 0, chunk.byteCount >= 0, chunk.offset >= 0, chunk.byteCount <= fileBytes,
            chunk.offset <= fileBytes - chunk.byteCount
        else { throw .damaged("where a column is in the file") }
        return chunk
    }
}
