/// How a document's text differs from what its record says: layers of replacements, each on the text that the one
/// before left.
///
/// A block has them in one row of bytes: for each edited document its index, the number of layers, and for each layer
/// the number of replacements with, for each, the bytes kept since the last one, the bytes taken, and what came instead.
/// All numbers are LEB128.
struct TextEdits: Sendable, Hashable {
    struct Replacement: Sendable, Hashable {
        /// Of the text before.
        var range: Range<Int>
        var bytes: [UInt8]
    }

    /// In the order in which they are made; replacements in the order of the text, without overlaps.
    var layers: [[Replacement]] = []

    /// Makes one layer's replacements.
    static func apply(_ replacements: [Replacement], to text: Span<UInt8>, into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        var at = 0
        for replacement in replacements {
            text.extracting(at..<replacement.range.lowerBound).withUnsafeBufferPointer { out.append(contentsOf: $0) }
            out.append(contentsOf: replacement.bytes)
            at = replacement.range.upperBound
        }
        text.extracting(at..<text.count).withUnsafeBufferPointer { out.append(contentsOf: $0) }
    }

    /// What makes `edited` of `original` where it only lost bytes, or had some single bytes replaced by line feeds.
    ///
    /// - Returns: `nil` when nothing that simple does.
    static func losses(from original: Span<UInt8>, to edited: Span<UInt8>) -> [Replacement]? {
        var replacements: [Replacement] = []
        var at = 0
        var place = 0
        while place < edited.count {
            // What is the same is passed over in words.
            let same = commonPrefix(original.extracting(at...), edited.extracting(place...))
            at += same
            place += same
            guard place < edited.count else { break }
            var next = at
            while next < original.count, original[next] != edited[place] { next += 1 }
            guard next < original.count else { return nil }
            if next > at { replacements.append(.init(range: at..<next, bytes: [])) }
            at = next + 1
            place += 1
        }
        if at < original.count { replacements.append(.init(range: at..<original.count, bytes: [])) }
        return replacements
    }

    /// How many bytes two texts begin with alike, or somewhat fewer: a multiple of eight.
    private static func commonPrefix(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int {
        a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in
                var at = 0
                let end = min(a.count, b.count) - 8
                while at <= end,
                    a.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                        == b.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                {
                    at += 8
                }
                return at
            }
        }
    }

    // MARK: bytes

    func write(index: Int, to bytes: inout [UInt8]) {
        Self.append(index, to: &bytes)
        Self.append(layers.count, to: &bytes)
        for layer in layers {
            Self.append(layer.count, to: &bytes)
            var at = 0
            for replacement in layer {
                Self.append(replacement.range.lowerBound - at, to: &bytes)
                Self.append(replacement.range.count, to: &bytes)
                Self.append(replacement.bytes.count, to: &bytes)
                bytes.append(contentsOf: replacement.bytes)
                at = replacement.range.upperBound
            }
        }
    }

    /// Reads one document's edits; `nil` at the end, and where the bytes are not what ``write(index:to:)`` wrote.
    static func read(_ bytes: [UInt8], at offset: inout Int) -> (index: Int, edits: TextEdits)? {
        guard let index = number(bytes, at: &offset), let layers = number(bytes, at: &offset), layers <= 8 else {
            return nil
        }
        var edits = TextEdits()
        for _ in 0..<layers {
            guard let count = number(bytes, at: &offset), count <= bytes.count else { return nil }
            var layer: [Replacement] = []
            layer.reserveCapacity(count)
            var at = 0
            for _ in 0..<count {
                guard let gap = number(bytes, at: &offset), let taken = number(bytes, at: &offset),
                    let given = number(bytes, at: &offset), given <= bytes.count - offset
                else { return nil }
                layer.append(.init(range: at + gap..<at + gap + taken, bytes: Array(bytes[offset..<offset + given])))
                offset += given
                at += gap + taken
            }
            edits.layers.append(layer)
        }
        return (index, edits)
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        var rest = UInt(number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func number(_ bytes: [UInt8], at offset: inout Int) -> Int? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 42, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(value) }
        }
        return nil
    }
}
