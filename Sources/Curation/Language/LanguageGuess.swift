/// What language a text is in.
///
/// Of a short text the figures are probabilities. Of a longer one, windows spread over it are looked at, and the figures
/// are the share of the text that is expected to be in that language; a text half Chinese and half English has both.
public struct LanguageGuess: Sendable, Hashable {
    /// BCP 47: ISO 639-1 where there is such a code, else 639-3; `und` when the text has no letters.
    public let code: String
    /// 0 to 1.
    public let probability: Float
    /// The next language; `und` when there is none.
    public let second: String
    /// 0 to 1, at most `probability`.
    public let secondProbability: Float
    /// Which characters Chinese is written in; `nil` for other languages, and when what was seen is the same in both.
    public let script: ChineseScript?

    static let none = LanguageGuess(
        code: "und",
        probability: 0,
        second: "und",
        secondProbability: 0,
        script: nil
    )
}
