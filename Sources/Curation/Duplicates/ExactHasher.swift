import CCuration

/// Hashes one text after another so that exact duplicates have one hash: XXH3-128 of the normalised text.
///
/// Normalised is: simple case folding (Unicode 14), each run of Unicode's white space as one space, none at the ends.
/// Punctuation and the form of composition (NFC, NFD) stay as they are, so that texts which may differ in meaning
/// differ in hash. A text whose normalised form exceeds 64 KiB is hashed in blocks of that size, each with the hash
/// of the block before in front. The hash of an empty text is that of other empty texts.
public struct ExactHasher: Sendable {
    private static let blockBytes = 65_536
    private static let chainBytes = 16
    private var buffer = [UInt8](repeating: 0, count: chainBytes + blockBytes + 24)
    private var filled = 0
    private var isChained = false
    private var state: UInt32 = 0
    /// The bytes of a character that the piece before has cut, at most three.
    private var cut: [UInt8] = []

    public init() {}

    /// Hashes a text that is in memory.
    public mutating func hash(_ text: Span<UInt8>) -> TextHash {
        begin()
        add(text)
        return end()
    }

    /// Starts a text that comes in pieces.
    public mutating func begin() {
        filled = 0
        state = 0
        isChained = false
        cut.removeAll(keepingCapacity: true)
    }

    /// Takes the next piece; pieces may be cut anywhere.
    public mutating func add(_ piece: Span<UInt8>) {
        var position = 0
        while !cut.isEmpty, position < piece.count {
            cut.append(piece[position])
            position += 1
            var taken = 0
            let whole = cut
            whole.withUnsafeBufferPointer { fold($0, &taken) }
            cut.removeFirst(taken)
        }
        piece.withUnsafeBufferPointer { bytes in
            var before = -1
            while cut.isEmpty, position < bytes.count, position > before {
                before = position
                fold(bytes, &position)
            }
        }
        while position < piece.count {
            cut.append(piece[position])
            position += 1
        }
    }

    /// Ends the text.
    public mutating func end() -> TextHash {
        // What was cut by the end of the text is no character; it is kept as it is, behind its white space.
        if !cut.isEmpty {
            if state == 3 { append(0x20) }
            for byte in cut { append(byte) }
        }
        return hash(filled)
    }

    private mutating func append(_ byte: UInt8) {
        buffer[Self.chainBytes + filled] = byte
        filled += 1
    }

    private mutating func fold(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        let at = Self.chainBytes + filled
        let room = Self.blockBytes + 8 - filled
        filled += buffer.withUnsafeMutableBufferPointer {
            onepoint_fold(&state, bytes.baseAddress, bytes.count, &position, $0.baseAddress! + at, room)
        }
        guard filled >= Self.blockBytes else { return }
        let hash = hash(Self.blockBytes)
        isChained = true
        for index in 0..<8 {
            buffer[index] = UInt8(truncatingIfNeeded: hash.low >> (8 * index))
            buffer[8 + index] = UInt8(truncatingIfNeeded: hash.high >> (8 * index))
        }
        for index in Self.blockBytes..<filled {
            buffer[Self.chainBytes + index - Self.blockBytes] = buffer[Self.chainBytes + index]
        }
        filled -= Self.blockBytes
    }

    private func hash(_ count: Int) -> TextHash {
        let start = isChained ? 0 : Self.chainBytes
        return TextHash(buffer.span.extracting(start..<Self.chainBytes + count))
    }
}
