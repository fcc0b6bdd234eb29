/// The values of one column of the row group that is being written.
struct ParquetColumnBuffer: Sendable {
    /// Values as `PLAIN` has them; of flags one byte each.
    private var values: [UInt8] = []
    /// One byte for each row: whether it has a value. Of optional columns only.
    private var presence: [UInt8] = []
    private var pages: [UInt8] = []
    private var pageRows = 0
    private(set) var rowCount = 0
    /// Bytes of pages with their headers, compressed and not.
    private(set) var plainBytes = 0

    /// For the dictionary: the values seen, by where they are in `dictionary`.
    private var indices: [UInt32] = []
    private var known: [[UInt8]: UInt32] = [:]
    private var dictionary: [UInt8] = []
    private var usesDictionary: Bool

    let column: ParquetWriter.Column
    private let compression: ParquetWriter.Compression

    static let pageMaxBytes = 1 << 20
    private static let dictionaryMaxBytes = 1 << 16
    private static let dictionaryMaxValues = 1 << 12

    init(_ column: ParquetWriter.Column, compression: ParquetWriter.Compression) {
        self.column = column
        self.compression = compression
        usesDictionary = column.type == .string
    }

    /// Bytes that are held.
    var heldBytes: Int { pages.count + values.count + presence.count + indices.count * 4 + dictionary.count }

    private var bytesPerPage: Int { values.count + presence.count }

    mutating func appendNull() {
        presence.append(0)
        endRow()
    }

    mutating func append(_ text: some Collection<UInt8>) {
        note()
        if usesDictionary {
            // Strings that repeat are short; a long one ends the attempt.
            if text.count <= 256, let index = index(of: Array(text)) {
                indices.append(index)
            } else {
                leaveDictionary()
            }
        }
        if !usesDictionary { appendPlain(text) }
        endRow()
    }

    private mutating func appendPlain(_ text: some Collection<UInt8>) {
        for shift in [0, 8, 16, 24] { values.append(UInt8(truncatingIfNeeded: text.count >> shift)) }
        values.append(contentsOf: text)
    }

    mutating func append(_ word: UInt64) {
        note()
        for shift in 0..<8 { values.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(shift)))) }
        endRow()
    }

    mutating func append(_ flag: Bool) {
        note()
        values.append(flag ? 1 : 0)
        endRow()
    }

    private mutating func note() { if !column.isRequired { presence.append(1) } }

    private mutating func endRow() {
        rowCount += 1
        pageRows += 1
        // With a dictionary there is one page, whose size is bounded by the dictionary's use in `index(of:)`.
        if !usesDictionary, bytesPerPage >= Self.pageMaxBytes { closePage() }
    }

    private mutating func index(of value: [UInt8]) -> UInt32? {
        if let index = known[value] { return index }
        guard known.count < Self.dictionaryMaxValues, dictionary.count + value.count + 4 <= Self.dictionaryMaxBytes
        else {
            return nil
        }
        let index = UInt32(known.count)
        known[value] = index
        for shift in [0, 8, 16, 24] { dictionary.append(UInt8(truncatingIfNeeded: value.count >> shift)) }
        dictionary.append(contentsOf: value)
        return index
    }

    /// Goes over to plain values for the whole row group: those that were indices so far become plain.
    private mutating func leaveDictionary() {
        usesDictionary = false
        var starts: [Int] = []
        var position = 0
        while position < dictionary.count {
            starts.append(position)
            position += 4 + length(at: position)
        }
        for index in indices {
            let start = starts[Int(index)]
            values.append(contentsOf: dictionary[start..<(start + 4 + length(at: start))])
        }
        indices = []
        known = [:]
        dictionary = []
    }

    private func length(at position: Int) -> Int {
        Int(dictionary[position]) | Int(dictionary[position + 1]) << 8
    }

    // MARK: - Pages

    /// Ends the row group's part of the column.
    ///
    /// - Returns: The pages, and the length of the dictionary's page at their beginning, 0 when there is none.
    mutating func close() -> (pages: [UInt8], dictionaryBytes: Int) {
        var dictionaryBytes = 0
        if known.isEmpty { usesDictionary = false }
        if usesDictionary {
            closeDictionaryPage()
            dictionaryBytes = pages.count
        }
        if pageRows > 0 { closePage() }
        return (pages, dictionaryBytes)
    }

    /// Those of ``close()``'s pages.
    var encodings: [Int] { usesDictionary ? [0, 3, 8] : [0, 3] }

    /// Begins the next row group.
    mutating func reset() { self = ParquetColumnBuffer(column, compression: compression) }

    private mutating func closeDictionaryPage() {
        var header = ThriftWriter()
        let stored = compression.compress(dictionary.span)
        header.int(1, 2)
        header.int(2, dictionary.count)
        header.int(3, stored.count)
        header.beginStruct(7)
        header.int(1, known.count)
        header.int(2, 0)
        header.end()
        header.end()
        plainBytes += header.bytes.count + dictionary.count
        pages.append(contentsOf: header.bytes)
        pages.append(contentsOf: stored)
    }

    private mutating func closePage() {
        var page: [UInt8] = []
        if !column.isRequired {
            let levels = Self.runs(presence)
            for shift in [0, 8, 16, 24] { page.append(UInt8(truncatingIfNeeded: levels.count >> shift)) }
            page.append(contentsOf: levels)
        }
        if usesDictionary {
            let width = max(1, HybridDecoder.width(for: known.count - 1))
            page.append(UInt8(width))
            page.append(contentsOf: Self.packed(indices, width: width))
        } else if column.type == .boolean {
            page.append(contentsOf: Self.bits(values))
        } else {
            page.append(contentsOf: values)
        }
        let stored = compression.compress(page.span)
        var header = ThriftWriter()
        header.int(1, 0)
        header.int(2, page.count)
        header.int(3, stored.count)
        header.beginStruct(5)
        header.int(1, pageRows)
        header.int(2, usesDictionary ? 8 : 0)
        header.int(3, 3)
        header.int(4, 3)
        header.end()
        header.end()
        plainBytes += header.bytes.count + page.count
        pages.append(contentsOf: header.bytes)
        pages.append(contentsOf: stored)
        values.removeAll(keepingCapacity: true)
        presence.removeAll(keepingCapacity: true)
        indices.removeAll(keepingCapacity: true)
        pageRows = 0
    }

    private static func bits(_ flags: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
        for (index, flag) in flags.enumerated() { bytes[index / 8] |= flag << UInt8(index % 8) }
        return bytes
    }

    private static func appendVarint(_ value: Int, to bytes: inout [UInt8]) {
        var left = value
        while left >= 0x80 {
            bytes.append(UInt8(left & 0x7F) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(left))
    }

    /// Levels of one bit: runs where eight or more are the same, packed bits elsewhere.
    private static func runs(_ levels: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        var packed: [UInt8] = []
        func flush(_ packed: inout [UInt8], to bytes: inout [UInt8]) {
            guard !packed.isEmpty else { return }
            appendVarint(((packed.count + 7) / 8) << 1 | 1, to: &bytes)
            bytes.append(contentsOf: bits(packed))
            packed.removeAll(keepingCapacity: true)
        }
        while index < levels.count {
            var stop = index
            while stop < levels.count, levels[stop] == levels[index] { stop += 1 }
            // Packed bits come in eights, so a run first fills up those that were begun.
            let filling = packed.count % 8 == 0 ? 0 : min(8 - packed.count % 8, stop - index)
            packed.append(contentsOf: levels[index..<(index + filling)])
            index += filling
            if stop - index >= 8 {
                flush(&packed, to: &bytes)
                appendVarint((stop - index) << 1, to: &bytes)
                bytes.append(levels[index])
            } else {
                packed.append(contentsOf: levels[index..<stop])
            }
            index = stop
        }
        flush(&packed, to: &bytes)
        return bytes
    }

    private static func packed(_ indices: [UInt32], width: Int) -> [UInt8] {
        guard !indices.isEmpty else { return [] }
        let groups = (indices.count + 7) / 8
        var bytes: [UInt8] = []
        appendVarint(groups << 1 | 1, to: &bytes)
        var held: UInt64 = 0
        var count = 0
        for place in 0..<(groups * 8) {
            held |= UInt64(place < indices.count ? indices[place] : 0) << UInt64(count)
            count += width
            while count >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: held))
                held >>= 8
                count -= 8
            }
        }
        return bytes
    }
}
