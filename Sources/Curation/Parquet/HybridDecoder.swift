/// Reads the hybrid of run lengths and packed bits in which Parquet keeps levels and indices of dictionaries, one
/// number after the other, so that a run of many takes no memory.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"
struct HybridDecoder {
    private let width: Int
    private var position: Int
    private let end: Int
    private var runLeft = 0
    private var runValue = 0
    private var packedLeft = 0
    private var packedBit = 0

    /// - Parameter width: Bits of a number, 0 to 32.
    init(width: Int, from position: Int, to end: Int) {
        self.width = width
        self.position = position
        self.end = end
    }

    /// The number of bits that hold every number up to `max`.
    static func width(for max: Int) -> Int { Int.bitWidth - max.leadingZeroBitCount }

    /// The next number, or nothing when there is none.
    mutating func next(_ bytes: Span<UInt8>) -> Int? {
        while true {
            if runLeft > 0 {
                runLeft -= 1
                return runValue
            }
            if packedLeft > 0 {
                packedLeft -= 1
                let value = BitReader.bits(bytes, at: packedBit, width: width, end: end)
                packedBit += width
                return Int(value)
            }
            if width == 0 { return 0 }
            guard beginRun(bytes) else { return nil }
        }
    }

    private mutating func beginRun(_ bytes: Span<UInt8>) -> Bool {
        var head = 0
        var shift = 0
        while true {
            guard position < end, shift < 35 else { return false }
            let byte = bytes[position]
            position += 1
            head |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        if head & 1 == 1 {
            // The last group may be cut off where its values are not needed.
            let count = head >> 1
            guard count > 0, position < end else { return false }
            packedLeft = min(count * 8, (end - position) * 8 / width)
            packedBit = position * 8
            position += min(count * width, end - position)
            return packedLeft > 0
        }
        let byteCount = (width + 7) / 8
        guard head >> 1 > 0, end - position >= byteCount else { return false }
        runLeft = head >> 1
        runValue = 0
        for index in 0..<byteCount { runValue |= Int(bytes[position + index]) << (8 * index) }
        position += byteCount
        return true
    }
}

enum BitReader {
    /// `width` bits, at most 64, from the lowest bit of each byte on. Bits beyond `end` are zeros.
    static func bits(_ bytes: Span<UInt8>, at bit: Int, width: Int, end: Int) -> UInt64 {
        var value: UInt64 = 0
        var done = 0
        var at = bit
        while done < width {
            let index = at >> 3
            guard index < end else { break }
            let offset = at & 7
            let taken = min(8 - offset, width - done)
            let part = (UInt64(bytes[index]) >> UInt64(offset)) & ((1 << UInt64(taken)) - 1)
            value |= part << UInt64(done)
            done += taken
            at += taken
        }
        return value
    }
}
