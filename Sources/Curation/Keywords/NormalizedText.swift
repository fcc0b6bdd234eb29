import CCuration

/// A view of a text in which different ways to write the same are the same, with a way back to the original's bytes.
///
/// In the view letters are small, full-width forms are ASCII and half-width kana full, traditional characters are
/// simplified, compatibility characters are what they stand for (NFKC, without composing or decomposing marks), characters
/// that are not seen are gone, and up to four separators between two Han characters (`敏 感*词`) are gone too. Sentence
/// punctuation and line feeds stay: words do not reach across them.
///
/// Keep one and reuse it: it owns the view's buffers. Linear; at most four bytes for each of the text.
public struct NormalizedText: Sendable {
    let table: NormalizationTable
    /// The view, and room behind it.
    private(set) var buffer: [UInt8] = []
    private var segments: [onepoint_segment] = []
    /// The view's length in bytes.
    public private(set) var count = 0
    private var segmentCount = 0

    public init(table: NormalizationTable) { self.table = table }

    /// Gives `body` the view's bytes.
    public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result { body(buffer.span.extracting(0..<count)) }

    /// Makes the view that of `text`.
    public mutating func set(_ text: Span<UInt8>) {
        if buffer.count < text.count + 64 { buffer = Array(repeating: 0, count: text.count + text.count / 8 + 64) }
        if segments.isEmpty { segments = Array(repeating: onepoint_segment(view: 0, start: 0, end: 0), count: 256) }
        var state = onepoint_normalization_state(consumed: 0, produced: 0, segments: 0, after_han: 0, is_broken: 0)
        while true {
            let done = text.withUnsafeBufferPointer { text in
                buffer.withUnsafeMutableBufferPointer { view in
                    segments.withUnsafeMutableBufferPointer { segments in
                        onepoint_normalize(
                            table.pointer,
                            text.baseAddress,
                            text.count,
                            view.baseAddress,
                            view.count,
                            segments.baseAddress,
                            segments.count,
                            &state
                        )
                    }
                }
            }
            if done != 0 { break }
            if state.produced + 32 > buffer.count {
                buffer.append(contentsOf: repeatElement(0, count: buffer.count))
            }
            if state.segments + 2 > segments.count {
                segments.append(
                    contentsOf: repeatElement(onepoint_segment(view: 0, start: 0, end: 0), count: segments.count)
                )
            }
        }
        count = state.produced
        segmentCount = state.segments
    }

    /// The bytes of the original that `range` of the view stands for. A piece that the view has several bytes for is taken whole.
    ///
    /// - Precondition: `range` is not empty and within the view.
    public func original(_ range: Range<Int>) -> Range<Int> {
        precondition(
            !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= count,
            "the range is not in the view"
        )
        let first = segments[index(range.lowerBound)]
        let last = segments[index(range.upperBound - 1)]
        let start = first.end > 0 ? first.start : first.start + (range.lowerBound - first.view)
        let end = last.end > 0 ? last.end : last.start + (range.upperBound - last.view)
        return start..<end
    }

    /// The last segment that begins at or before `offset` of the view.
    private func index(_ offset: Int) -> Int {
        var low = 0
        var high = segmentCount
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].view <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
