import Core

/// The header of a page.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, `PageHeader`
struct ParquetPageHeader {
    enum Kind {
        case data
        case dataV2
        case dictionary
        case other
    }

    var kind = Kind.other
    /// Of the header itself.
    var headerBytes = 0
    var plainBytes = -1
    var storedBytes = -1
    var checksum: UInt32?
    var valueCount = -1
    var encoding = -1
    var definitionEncoding = 3
    var repetitionEncoding = 3
    var definitionBytes = 0
    var repetitionBytes = 0
    var isCompressed = true

    init(_ bytes: Span<UInt8>) throws(ParquetFault) {
        var reader = ThriftReader(from: 0, to: bytes.count)
        var outer = ThriftReader.Field()
        while try reader.next(bytes, &outer) {
            switch outer.id {
            case 1:
                switch try reader.int(bytes, outer) {
                case 0: kind = .data
                case 2: kind = .dictionary
                case 3: kind = .dataV2
                default: kind = .other
                }
            case 2: plainBytes = try reader.int(bytes, outer)
            case 3: storedBytes = try reader.int(bytes, outer)
            case 4: checksum = UInt32(truncatingIfNeeded: try reader.int(bytes, outer))
            case 5, 7, 8:
                try reader.expectStruct(outer)
                var field = ThriftReader.Field()
                while try reader.next(bytes, &field) {
                    switch (outer.id, field.id) {
                    case (_, 1): valueCount = try reader.int(bytes, field)
                    case (5, 2), (7, 2), (8, 4): encoding = try reader.int(bytes, field)
                    case (5, 3): definitionEncoding = try reader.int(bytes, field)
                    case (5, 4): repetitionEncoding = try reader.int(bytes, field)
                    case (8, 5): definitionBytes = try reader.int(bytes, field)
                    case (8, 6): repetitionBytes = try reader.int(bytes, field)
                    case (8, 7): isCompressed = try reader.bool(field)
                    default: try reader.skip(bytes, field)
                    }
                }
            default: try reader.skip(bytes, outer)
            }
        }
        headerBytes = reader.position
        guard plainBytes >= 0, storedBytes >= 0 else { throw .damaged("a page without a size") }
    }
}

/// A page of values, decompressed, that gives its levels and values one after the other.
struct ParquetPage {
    let bytes: [UInt8]
    /// Entries, which are values or nulls, that were not given yet.
    private(set) var left: Int
    /// How many of the page's entries begin a row.
    let rowStarts: Int
    private var repetitions: HybridDecoder?
    private var definitions: HybridDecoder?
    private var values: ParquetValues

    /// - Parameters:
    ///   - bytes: The page without its header, decompressed.
    ///   - dictionary: Whether a page with a dictionary came before.
    init(
        _ header: ParquetPageHeader,
        bytes: [UInt8],
        type: ParquetLeafType,
        hasDictionary: Bool
    ) throws(ParquetFault) {
        var position = 0
        let hasRepetitions = type.repetitionMax > 0
        let hasDefinitions = type.definitionMax > 0
        var levels: [HybridDecoder?] = [nil, nil]
        if header.kind == .dataV2 {
            guard header.repetitionBytes >= 0, header.definitionBytes >= 0, header.repetitionBytes <= bytes.count,
                header.definitionBytes <= bytes.count - header.repetitionBytes
            else { throw .damaged("the levels of a page") }
            let middle = header.repetitionBytes
            position = middle + header.definitionBytes
            if hasRepetitions {
                levels[0] = HybridDecoder(
                    width: HybridDecoder.width(for: type.repetitionMax),
                    from: 0,
                    to: middle
                )
            }
            if hasDefinitions {
                levels[1] = HybridDecoder(
                    width: HybridDecoder.width(for: type.definitionMax),
                    from: middle,
                    to: position
                )
            }
        } else {
            let wanted = [
                (0, type.repetitionMax, header.repetitionEncoding), (1, type.definitionMax, header.definitionEncoding),
            ]
            for (index, max, encoding) in wanted where max > 0 {
                guard encoding == 3 else { throw .unsupported("levels in the encoding BIT_PACKED") }
                guard let count = Self.length(bytes.span, position) else { throw .damaged("the levels of a page") }
                levels[index] = HybridDecoder(
                    width: HybridDecoder.width(for: max),
                    from: position + 4,
                    to: position + 4 + count
                )
                position += 4 + count
            }
        }
        self.bytes = bytes
        left = header.valueCount
        repetitions = levels[0]
        definitions = levels[1]
        var starts = left
        if var decoder = levels[0] {
            starts = 0
            for _ in 0..<left {
                guard let level = decoder.next(bytes.span) else { throw .damaged("the levels of a page") }
                if level == 0 { starts += 1 }
            }
        }
        rowStarts = starts
        values = try ParquetValues(
            bytes.span,
            from: position,
            encoding: header.encoding,
            count: header.valueCount,
            type: type,
            hasDictionary: hasDictionary
        )
    }

    /// A count of four bytes, of bytes that follow it.
    static func length(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
        guard position >= 0, bytes.count - position >= 4 else { return nil }
        var count = 0
        for index in 0..<4 { count |= Int(bytes[position + index]) << (8 * index) }
        return count <= bytes.count - position - 4 ? count : nil
    }

    /// The levels of the next entry, or nothing behind the last.
    mutating func nextLevels(_ type: ParquetLeafType) throws(ParquetFault) -> (repetition: Int, definition: Int)? {
        guard left > 0 else { return nil }
        let bytes = bytes
        left -= 1
        var repetition = 0
        var definition = type.definitionMax
        if repetitions != nil {
            guard let level = repetitions?.next(bytes.span), level <= type.repetitionMax else {
                throw .damaged("the levels of a page")
            }
            repetition = level
        }
        if definitions != nil {
            guard let level = definitions?.next(bytes.span), level <= type.definitionMax else {
                throw .damaged("the levels of a page")
            }
            definition = level
        }
        return (repetition, definition)
    }

    mutating func nextValue(_ type: ParquetLeafType, dictionary: [JSON]) throws(ParquetFault) -> JSON {
        let bytes = bytes
        return try values.next(bytes.span, type, dictionary: dictionary)
    }
}
