/// Decompresses the two light formats of Parquet's pages, whose size is known beforehand.
///
/// > Source: https://github.com/google/snappy/blob/main/format_description.txt and
/// > https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
enum LightFormats {
    /// Snappy without framing. Nothing when the input does not hold exactly `count` bytes.
    static func unsnappy(_ input: Span<UInt8>, count: Int) -> [UInt8]? {
        var index = 0
        var stated = 0
        var shift = 0
        while true {
            guard index < input.count, shift < 35 else { return nil }
            let byte = input[index]
            index += 1
            stated |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        guard stated == count else { return nil }
        return decode(count) { output in
            while index < input.count {
                let tag = Int(input[index])
                index += 1
                if tag & 3 == 0 {
                    var length = tag >> 2
                    if length >= 60 {
                        let extra = length - 59
                        guard let value = little(input, index, extra) else { return false }
                        length = value
                        index += extra
                    }
                    length += 1
                    guard output.literal(input, index, length) else { return false }
                    index += length
                    continue
                }
                let extra = tag & 3 == 1 ? 1 : tag & 3 == 2 ? 2 : 4
                guard var distance = little(input, index, extra) else { return false }
                index += extra
                var length = (tag >> 2) + 1
                if tag & 3 == 1 {
                    length = ((tag >> 2) & 7) + 4
                    distance |= (tag >> 5) << 8
                }
                guard output.copy(distance: distance, length: length) else { return false }
            }
            return true
        }
    }

    /// One block of LZ4 without framing. Nothing when the input does not hold exactly `count` bytes.
    static func unlz4(_ input: Span<UInt8>, count: Int) -> [UInt8]? {
        decode(count) { output in
            var index = 0
            while index < input.count {
                let token = Int(input[index])
                index += 1
                guard let literals = length(input, &index, token >> 4) else { return false }
                guard output.literal(input, index, literals) else { return false }
                index += literals
                // The last sequence has no match.
                if index == input.count { return true }
                guard let distance = little(input, index, 2) else { return false }
                index += 2
                guard let match = length(input, &index, token & 15) else { return false }
                guard output.copy(distance: distance, length: match + 4) else { return false }
            }
            return true
        }
    }

    private static func length(_ input: Span<UInt8>, _ index: inout Int, _ nibble: Int) -> Int? {
        var length = nibble
        guard nibble == 15 else { return length }
        while true {
            guard index < input.count else { return nil }
            let byte = input[index]
            index += 1
            length += Int(byte)
            if byte < 255 { return length }
        }
    }

    private static func little(_ input: Span<UInt8>, _ index: Int, _ count: Int) -> Int? {
        guard input.count - index >= count else { return nil }
        var value = 0
        for offset in 0..<count { value |= Int(input[index + offset]) << (8 * offset) }
        return value
    }

    /// Output of a size that is known, in which every place is written once.
    private struct Output {
        let target: UnsafeMutableBufferPointer<UInt8>
        var count = 0

        // Measured hot: literals are moved at once, and matches that do not overlap too. Both are checked here.
        mutating func literal(_ input: Span<UInt8>, _ index: Int, _ length: Int) -> Bool {
            guard length >= 0, length <= input.count - index, length <= target.count - count else { return false }
            guard length > 0, let base = target.baseAddress else { return length == 0 }
            input.withUnsafeBufferPointer { source in
                if let from = source.baseAddress { (base + count).update(from: from + index, count: length) }
            }
            count += length
            return true
        }

        mutating func copy(distance: Int, length: Int) -> Bool {
            guard distance > 0, distance <= count, length <= target.count - count, let base = target.baseAddress else {
                return false
            }
            if distance >= length {
                (base + count).update(from: base + count - distance, count: length)
            } else {
                for offset in 0..<length { base[count + offset] = base[count + offset - distance] }
            }
            count += length
            return true
        }
    }

    private static func decode(_ count: Int, _ body: (inout Output) -> Bool) -> [UInt8]? {
        var isWhole = false
        let result = [UInt8](unsafeUninitializedCapacity: count) { target, written in
            var output = Output(target: UnsafeMutableBufferPointer(rebasing: target[..<count]))
            isWhole = body(&output) && output.count == count
            written = output.count
        }
        return isWhole ? result : nil
    }
}
