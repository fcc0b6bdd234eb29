import CDeflate
import CZstd
import Core

/// Reads one column of one row group, page by page.
struct ParquetLeafReader {
    let type: ParquetLeafType
    private let codec: Int
    private let limits: ParquetLimits

    /// Where the next bytes are in the file, and where the column ends.
    private var offset: Int
    private let end: Int
    private var valuesLeft: Int
    /// Bytes of the file from before `offset` that were not used yet: `buffer[used...]`.
    private var buffer: [UInt8] = []
    private var used = 0

    private var pages: [ParquetPage] = []
    private var dictionary: [JSON] = []
    private var dictionaryBytes = 0
    private var hasDictionary = false
    /// Rows that begin in what was read and were not given.
    private var startsLeft = 0
    /// The levels of the entry that comes next.
    private var entry: (repetition: Int, definition: Int)?

    private static let windowBytes = 256 << 10
    private static let headerMaxBytes = 16 << 20
    private static let dictionaryMaxEntries = 8 << 20

    init(_ chunk: ParquetMetadata.Chunk, type: ParquetLeafType, limits: ParquetLimits) throws(ParquetFault) {
        if chunk.isElsewhere { throw .unsupported("a column in another file") }
        if chunk.isEncrypted { throw .unsupported("an encrypted column") }
        guard chunk.physical == type.physical.rawValue else { throw .damaged("the type of a column") }
        switch chunk.codec {
        case 0, 1, 2, 6, 7: break
        case 3: throw .unsupported("the compression LZO")
        case 4: throw .unsupported("the compression BROTLI")
        case 5: throw .unsupported("the compression LZ4 with frames of Hadoop")
        default: throw .damaged("the compression of a column")
        }
        self.type = type
        self.limits = limits
        codec = chunk.codec
        offset = chunk.offset
        end = chunk.offset + chunk.byteCount
        valuesLeft = chunk.valueCount
    }

    /// Bytes that are held.
    var heldBytes: Int { pages.reduce(buffer.count + dictionaryBytes) { $0 + $1.bytes.count } }

    /// Whether the next row can be taken as a whole.
    var hasRow: Bool {
        if type.repetitionMax == 0 { return startsLeft > 0 }
        // A row goes on until another one begins.
        return startsLeft > 1 || (startsLeft == 1 && valuesLeft == 0)
    }

    /// Whether all rows were taken.
    var isEmpty: Bool { startsLeft == 0 && valuesLeft == 0 }

    /// Reads the next page of those bytes of the file that were asked for before.
    ///
    /// - Returns: Which bytes of the file are wanted, when there was no whole page in those.
    mutating func readPage(_ window: Span<UInt8>?) throws(ParquetFault) -> Range<Int>? {
        if let window {
            if used > 0 {
                buffer.removeFirst(used)
                used = 0
            }
            window.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
            offset += window.count
        }
        guard valuesLeft > 0 else { throw .damaged("a column with too few rows") }
        let available = buffer.count - used
        var header: ParquetPageHeader?
        if available > 0 {
            do throws(ParquetFault) {
                header = try ParquetPageHeader(buffer.span.extracting(used...))
            } catch {
                // Cut off, perhaps; told apart by looking again with more of it.
                guard offset < end, available < Self.headerMaxBytes else { throw error }
            }
        }
        guard let header else {
            guard offset < end else { throw .damaged("a column with too few values") }
            return offset..<(offset + min(end - offset, max(Self.windowBytes, available)))
        }
        guard header.storedBytes <= limits.pageMaxBytes, header.plainBytes <= limits.pageMaxBytes else {
            throw .tooLarge("a page of \(max(header.storedBytes, header.plainBytes)) bytes")
        }
        let missing = header.headerBytes + header.storedBytes - available
        if missing > 0 {
            guard missing <= end - offset else { throw .damaged("a page beyond its column's end") }
            return offset..<(offset + min(end - offset, max(missing, Self.windowBytes)))
        }
        let begin = used + header.headerBytes
        used = begin + header.storedBytes
        try take(header, begin..<used)
        return nil
    }

    private mutating func take(_ header: ParquetPageHeader, _ range: Range<Int>) throws(ParquetFault) {
        if let checksum = header.checksum {
            let sum = buffer.span.extracting(range).withUnsafeBytes { libdeflate_crc32(0, $0.baseAddress, $0.count) }
            guard sum == checksum else { throw .damaged("a page that is not what its checksum says") }
        }
        switch header.kind {
        case .other: return
        case .dictionary:
            guard !hasDictionary, pages.isEmpty else { throw .damaged("a second dictionary") }
            guard header.encoding == 0 || header.encoding == 2 else { throw .damaged("the encoding of a dictionary") }
            try takeDictionary(
                try decompress(range, plainBytes: header.plainBytes, keeping: 0, isCompressed: true),
                count: header.valueCount
            )
        case .data, .dataV2:
            guard header.valueCount >= 0, header.valueCount <= valuesLeft else {
                throw .damaged("the count of a page's values")
            }
            let levels = header.kind == .dataV2 ? header.repetitionBytes &+ header.definitionBytes : 0
            guard levels >= 0, levels <= range.count, levels <= header.plainBytes else {
                throw .damaged("the levels of a page")
            }
            let isCompressed = header.kind == .data || header.isCompressed
            let bytes = try decompress(
                range,
                plainBytes: header.plainBytes,
                keeping: levels,
                isCompressed: isCompressed
            )
            let page = try ParquetPage(header, bytes: bytes, type: type, hasDictionary: hasDictionary)
            valuesLeft -= header.valueCount
            startsLeft += page.rowStarts
            if header.valueCount > 0 { pages.append(page) }
            if entry == nil { try advance() }
        }
    }

    private mutating func takeDictionary(_ bytes: [UInt8], count: Int) throws(ParquetFault) {
        // A value takes a bit at least, and an entry much more in memory.
        guard count >= 0, count <= bytes.count * 8 else { throw .damaged("the count of a dictionary") }
        guard count <= Self.dictionaryMaxEntries else { throw .tooLarge("a dictionary of \(count) values") }
        var values = try ParquetValues(
            bytes.span,
            from: 0,
            encoding: 0,
            count: count,
            type: type,
            hasDictionary: false
        )
        dictionary.reserveCapacity(count)
        for _ in 0..<count { dictionary.append(try values.next(bytes.span, type, dictionary: [])) }
        dictionaryBytes = bytes.count + count * MemoryLayout<JSON>.stride
        hasDictionary = true
    }

    /// The page in `buffer`, of which the first bytes, so many, are never compressed.
    private func decompress(
        _ range: Range<Int>,
        plainBytes: Int,
        keeping kept: Int,
        isCompressed: Bool
    ) throws(ParquetFault) -> [UInt8] {
        let stored = buffer.span.extracting(range)
        if codec == 0 || !isCompressed {
            guard stored.count == plainBytes else { throw .damaged("the size of a page") }
            return stored.withUnsafeBufferPointer { Array($0) }
        }
        let compressed = stored.extracting(kept...)
        let count = plainBytes - kept
        // A page of nulls only may have no values at all.
        if count == 0 { return stored.extracting(..<kept).withUnsafeBufferPointer { Array($0) } }
        let result: [UInt8]? =
            switch codec {
            case 1: LightFormats.unsnappy(compressed, count: count)
            case 2: Self.gunzip(compressed, count: count)
            case 6: Self.unzstd(compressed, count: count)
            default: LightFormats.unlz4(compressed, count: count)
            }
        guard let result else { throw .damaged("a compressed page") }
        guard kept > 0 else { return result }
        return stored.extracting(..<kept).withUnsafeBufferPointer { Array($0) } + result
    }

    /// Of one member or several, as some writers make them.
    private static func gunzip(_ input: Span<UInt8>, count: Int) -> [UInt8]? {
        var stream = Gunzip(cap: ExpansionCap(outputMaxBytes: count, ratioMax: .max))
        var output: [UInt8] = []
        output.reserveCapacity(count)
        var position = 0
        while true {
            let before = output.count
            guard
                let consumed = try? stream.decompress(
                    input.extracting(position...),
                    isLast: true,
                    into: &output,
                    outputMax: count + 1 - output.count
                )
            else { return nil }
            position += consumed
            if position == input.count || output.count == before { break }
        }
        return output.count == count && position == input.count ? output : nil
    }

    private static func unzstd(_ input: Span<UInt8>, count: Int) -> [UInt8]? {
        var isWhole = false
        let output = [UInt8](unsafeUninitializedCapacity: count) { target, written in
            let result = input.withUnsafeBytes {
                ZSTD_decompress(target.baseAddress, count, $0.baseAddress, $0.count)
            }
            isWhole = ZSTD_isError(result) == 0 && result == count
            written = isWhole ? count : 0
        }
        return isWhole ? output : nil
    }

    // MARK: - Entries

    private mutating func advance() throws(ParquetFault) {
        while !pages.isEmpty {
            entry = try pages[0].nextLevels(type)
            if entry != nil { return }
            pages.removeFirst()
        }
        entry = nil
    }

    /// Begins a row: the next entry must be the first of one.
    mutating func beginRow() throws(ParquetFault) {
        guard let entry, entry.repetition == 0, startsLeft > 0 else { throw .damaged("the levels of a column") }
        startsLeft -= 1
    }

    /// The definition level of the next entry.
    func definition() throws(ParquetFault) -> Int {
        guard let entry else { throw .damaged("the levels of a column") }
        return entry.definition
    }

    /// Whether the next entry goes on with a list of that repetition level.
    func continues(_ repetition: Int) -> Bool { entry?.repetition == repetition }

    /// Takes the next entry: its value, or null where it has none.
    mutating func take() throws(ParquetFault) -> JSON {
        guard let entry else { throw .damaged("the levels of a column") }
        var value = JSON.null
        if entry.definition == type.definitionMax { value = try pages[0].nextValue(type, dictionary: dictionary) }
        try advance()
        return value
    }
}
