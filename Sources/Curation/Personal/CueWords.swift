import CCuration

/// Words whose nearness says what a number is, prepared for being looked for.
///
/// The words are separated by single spaces, ASCII letters are small. A Latin word counts only when no letter is beside it.
struct CueWords: Sendable {
    private let words: StaticString
    private let latin: (UInt64, UInt64)
    private let han: (UInt64, UInt64, UInt64, UInt64)

    init(_ words: StaticString) {
        let cues = onepoint_personal_cues_make(words.utf8Start, words.utf8CodeUnitCount)
        self.words = words
        latin = cues.latin
        han = cues.han
    }

    /// Where the last of the words that stands in `text[low ..< high]` ends.
    @inline(__always)
    func end(in text: Span<UInt8>, from low: Int, to high: Int) -> Int? {
        guard low < high, high <= text.count else { return nil }
        var cues = onepoint_personal_cues(
            words: words.utf8Start,
            count: words.utf8CodeUnitCount,
            latin: latin,
            han: han
        )
        let end = text.withUnsafeBufferPointer { onepoint_personal_cue(&cues, $0.baseAddress, $0.count, low, high) }
        return end == 0 ? nil : end
    }
}
