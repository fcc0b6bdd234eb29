/// Why a keyword pack cannot be used.
public enum KeywordError: Error, Hashable, Sendable {
    /// Lines, from 1, that are not UTF-8, have an empty word, more than three fields, a weight that is no integer from 1 to
    /// 1,000,000, or a word that is longer than ``KeywordPack/wordLimitBytes`` or empty once normalised. The first 100.
    case badLines([Int])
    /// No line has a word.
    case noWords
    /// More words than ``KeywordPack/wordLimit``.
    case tooManyWords
    /// More categories than ``KeywordPack/categoryLimit``.
    case tooManyCategories
    /// Vectorscan could not compile the words, or does not run on this processor: its message.
    case cannotCompile(String)
}
