import Core

/// Gives the values of a page one after the other, whatever their encoding.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/Encodings.md
struct ParquetValues {
    private enum Encoding {
        case plain
        case plainBoolean
        case dictionary(HybridDecoder)
        case boolean(HybridDecoder)
        case delta(DeltaDecoder)
        /// Lengths first, then all bytes.
        case deltaLength([Int32])
        /// How much of the value before is kept, lengths of the rest, then all rests.
        case deltaBytes(prefixes: [Int32], suffixes: [Int32])
        case split(count: Int)
    }

    /// The most values of a page whose lengths are kept apart, eight bytes each.
    private static let lengthsMax = 8 << 20

    /// The most bytes that the values of a page take over from those before them.
    private static let prefixesMaxBytes = 256 << 20

    private var encoding: Encoding
    private var position: Int
    private var index = 0
    private var previous: [UInt8] = []

    init(
        _ bytes: Span<UInt8>,
        from start: Int,
        encoding number: Int,
        count: Int,
        type: ParquetLeafType,
        hasDictionary: Bool
    ) throws(ParquetFault) {
        position = start
        let isWhole = type.physical == .int32 || type.physical == .int64
        switch number {
        case 0: encoding = type.physical == .boolean ? .plainBoolean : .plain
        case 2, 8:
            guard hasDictionary else { throw .damaged("a page without its dictionary") }
            // A page of nulls only may hold nothing at all.
            let width = start < bytes.count ? Int(bytes[start]) : 0
            guard width <= 32 else { throw .damaged("the width of indices") }
            encoding = .dictionary(HybridDecoder(width: width, from: min(start + 1, bytes.count), to: bytes.count))
        case 3 where type.physical == .boolean:
            let length = ParquetPage.length(bytes, start) ?? 0
            let first = min(start + 4, bytes.count)
            encoding = .boolean(HybridDecoder(width: 1, from: first, to: min(first + length, bytes.count)))
        case 5 where isWhole && start < bytes.count:
            encoding = .delta(try DeltaDecoder(bytes, from: start, to: bytes.count))
        case 6 where type.physical == .byteArray && start < bytes.count:
            encoding = .deltaLength(try Self.lengths(bytes, &position))
        case 7 where (type.physical == .byteArray || type.physical == .fixed) && start < bytes.count:
            let prefixes = try Self.lengths(bytes, &position)
            let suffixes = try Self.lengths(bytes, &position)
            guard prefixes.count == suffixes.count else { throw .damaged("lengths of values") }
            // A few bytes of prefixes can repeat a long value for ever.
            let total = prefixes.reduce(0) { $0 + Int($1) }
            guard total <= Self.prefixesMaxBytes else { throw .tooLarge("a page of \(total) bytes") }
            encoding = .deltaBytes(prefixes: prefixes, suffixes: suffixes)
        case 5, 6, 7:
            // A page of nulls only.
            guard start == bytes.count else { throw .damaged("an encoding that its type does not have") }
            encoding = .plain
        case 9 where type.byteCount > 0: encoding = .split(count: (bytes.count - start) / type.byteCount)
        case 4: throw .unsupported("values in the encoding BIT_PACKED")
        default: throw .damaged("an encoding that its type does not have")
        }
    }

    private static func lengths(_ bytes: Span<UInt8>, _ position: inout Int) throws(ParquetFault) -> [Int32] {
        var decoder = try DeltaDecoder(bytes, from: position, to: bytes.count)
        guard decoder.left <= lengthsMax else { throw .tooLarge("a page of \(decoder.left) values") }
        var lengths: [Int32] = []
        lengths.reserveCapacity(min(decoder.left, bytes.count))
        while decoder.left > 0 {
            guard let length = Int32(exactly: try decoder.next(bytes)), length >= 0 else {
                throw .damaged("a length of a value")
            }
            lengths.append(length)
        }
        position = decoder.position
        return lengths
    }

    mutating func next(
        _ bytes: Span<UInt8>,
        _ type: ParquetLeafType,
        dictionary: [JSON]
    ) throws(ParquetFault) -> JSON {
        switch encoding {
        case .plain:
            if type.physical == .byteArray {
                guard let count = ParquetPage.length(bytes, position) else { throw .damaged("a value") }
                let value = bytes.extracting((position + 4)..<(position + 4 + count))
                position += 4 + count
                return ParquetValue.json(value, type)
            }
            return ParquetValue.json(bytes.extracting(try take(bytes, type.byteCount)), type)
        case .plainBoolean:
            guard position + index >> 3 < bytes.count else { throw .damaged("a value") }
            let bit = bytes[position + index >> 3] >> UInt8(index & 7) & 1
            index += 1
            return .bool(bit == 1)
        case .dictionary(var decoder):
            guard let at = decoder.next(bytes), at < dictionary.count else {
                throw .damaged("an index of a dictionary")
            }
            encoding = .dictionary(decoder)
            return dictionary[at]
        case .boolean(var decoder):
            guard let bit = decoder.next(bytes) else { throw .damaged("a value") }
            encoding = .boolean(decoder)
            return .bool(bit == 1)
        case .delta(var decoder):
            let value = try decoder.next(bytes)
            encoding = .delta(decoder)
            return ParquetValue.json(type.physical == .int32 ? Int64(Int32(truncatingIfNeeded: value)) : value, type)
        case .deltaLength(let lengths):
            guard index < lengths.count else { throw .damaged("a value") }
            index += 1
            return ParquetValue.json(bytes.extracting(try take(bytes, Int(lengths[index - 1]))), type)
        case .deltaBytes(let prefixes, let suffixes):
            guard index < prefixes.count, Int(prefixes[index]) <= previous.count else { throw .damaged("a value") }
            let suffix = bytes.extracting(try take(bytes, Int(suffixes[index])))
            previous.removeLast(previous.count - Int(prefixes[index]))
            suffix.withUnsafeBufferPointer { previous.append(contentsOf: $0) }
            index += 1
            guard type.physical == .byteArray || previous.count == type.byteCount else { throw .damaged("a value") }
            return ParquetValue.json(previous.span, type)
        case .split(let count):
            guard index < count else { throw .damaged("a value") }
            var value = [UInt8](repeating: 0, count: type.byteCount)
            for byte in 0..<type.byteCount { value[byte] = bytes[position + byte * count + index] }
            index += 1
            return ParquetValue.json(value.span, type)
        }
    }

    private mutating func take(_ bytes: Span<UInt8>, _ count: Int) throws(ParquetFault) -> Range<Int> {
        guard count <= bytes.count - position else { throw .damaged("a value") }
        position += count
        return (position - count)..<position
    }
}
