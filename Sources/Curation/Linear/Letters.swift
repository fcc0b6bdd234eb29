import CCuration

/// Letters by where they are used together.
enum Letters: UInt32, CaseIterable {
    case latin = 1
    /// Ideographs, kana, Hangul.
    case eastAsian = 2
    case other = 3

    /// How many bytes of a text are letters of each kind, by `rawValue`; the first is 0.
    static func bytes(in text: Span<UInt8>) -> InlineArray<4, Int> {
        var bytes = InlineArray<4, Int>(repeating: 0)
        text.withUnsafeBufferPointer { text in
            var counts = (0, 0, 0, 0)
            withUnsafeMutableBytes(of: &counts) { counts in
                let counts = counts.bindMemory(to: Int.self)
                onepoint_linear_letters(text.baseAddress, text.count, counts.baseAddress)
                for kind in counts.indices { bytes[kind] = counts[kind] }
            }
        }
        return bytes
    }

    /// The kind that most of a text is in.
    static func most(in text: Span<UInt8>) -> Letters {
        let bytes = bytes(in: text)
        return bytes[2] >= max(bytes[1], bytes[3]) ? .eastAsian : bytes[3] > bytes[1] ? .other : .latin
    }
}
