/// Takes parts out of a text.
public enum TextRemoval {
    /// Writes a text without some of its parts over `result`.
    ///
    /// - Parameter parts: Ascending and apart, as the operators give them. What goes beyond the text is left out of
    ///   account.
    public static func write(_ text: Span<UInt8>, without parts: [Range<Int>], into result: inout [UInt8]) {
        result.removeAll(keepingCapacity: true)
        var position = 0
        for part in parts {
            copy(text, position..<min(max(position, part.lowerBound), text.count), &result)
            position = min(max(position, part.upperBound), text.count)
        }
        copy(text, position..<text.count, &result)
    }

    private static func copy(_ text: Span<UInt8>, _ range: Range<Int>, _ result: inout [UInt8]) {
        text.extracting(range).withUnsafeBufferPointer { result.append(contentsOf: $0) }
    }
}
