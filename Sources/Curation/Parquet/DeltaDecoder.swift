/// Reads whole numbers as differences in blocks, one after the other.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/Encodings.md, "Delta Encoding"
struct DeltaDecoder {
    private(set) var left: Int
    /// Behind all that was read; behind the last number's block once `left` is 0.
    private(set) var position: Int
    private let end: Int
    private let perMiniblock: Int
    private let miniblockCount: Int
    private var value: UInt64
    private var isFirst = true
    private var minDelta: UInt64 = 0
    private var widths: [UInt8] = []
    private var miniblock: Int
    private var inMiniblock = 0
    private var bit = 0

    init(_ bytes: Span<UInt8>, from position: Int, to end: Int) throws(ParquetFault) {
        var reader = ThriftReader(from: position, to: end)
        let perBlock = try reader.varint(bytes)
        let miniblockCount = try reader.varint(bytes)
        let count = try reader.varint(bytes)
        let first = try reader.varint(bytes)
        guard (1...(1 << 20)).contains(perBlock), (1...512).contains(miniblockCount), perBlock % miniblockCount == 0,
            (perBlock / miniblockCount) % 8 == 0, count <= 1 << 31
        else { throw .damaged("the head of differences") }
        self.end = end
        self.position = reader.position
        left = Int(count)
        perMiniblock = Int(perBlock / miniblockCount)
        self.miniblockCount = Int(miniblockCount)
        miniblock = Int(miniblockCount)
        value = (first >> 1) ^ (0 &- (first & 1))
    }

    mutating func next(_ bytes: Span<UInt8>) throws(ParquetFault) -> Int64 {
        guard left > 0 else { throw .damaged("too few numbers") }
        left -= 1
        if isFirst {
            isFirst = false
            return Int64(bitPattern: value)
        }
        if inMiniblock == 0 { try beginMiniblock(bytes) }
        inMiniblock -= 1
        let width = Int(widths[miniblock - 1])
        value = value &+ minDelta &+ BitReader.bits(bytes, at: bit, width: width, end: end)
        bit += width
        return Int64(bitPattern: value)
    }

    private mutating func beginMiniblock(_ bytes: Span<UInt8>) throws(ParquetFault) {
        if miniblock == miniblockCount {
            var reader = ThriftReader(from: position, to: end)
            let delta = try reader.varint(bytes)
            minDelta = (delta >> 1) ^ (0 &- (delta & 1))
            position = reader.position
            guard end - position >= miniblockCount else { throw .damaged("a block of differences") }
            widths.removeAll(keepingCapacity: true)
            for index in 0..<miniblockCount { widths.append(bytes[position + index]) }
            position += miniblockCount
            miniblock = 0
        }
        let width = Int(widths[miniblock])
        let byteCount = perMiniblock / 8 * width
        // The last block may leave out the padding of its last numbers.
        let needed = (min(left + 1, perMiniblock) * width + 7) / 8
        guard width <= 64, end - position >= needed else { throw .damaged("a block of differences") }
        bit = position * 8
        position += min(byteCount, end - position)
        miniblock += 1
        inMiniblock = perMiniblock
    }
}
