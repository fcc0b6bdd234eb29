/// A keyword in a text: byte offsets `start ..< end` of the original, and which word it is.
public struct KeywordMatch: Hashable, Sendable {
    public let start: Int
    public let end: Int
    /// An index of ``KeywordPack/words``.
    public let word: Int

    public init(start: Int, end: Int, word: Int) {
        self.start = start
        self.end = end
        self.word = word
    }
}
