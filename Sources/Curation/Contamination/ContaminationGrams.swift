/// How long a run of tokens in common must be to tell that two texts have a common source.
///
/// Thirteen words are what GPT-3's authors took for English. A Chinese character that a reader has not seen carries about 4
/// bits and an English word about 6.5 (entropies of good language models), so that 13 words tell as much as 20 characters.
/// In mixed text a word weighs `characters` and a character `words`, and a run is one of `words * characters` in weight.
///
/// An item of evaluation that is shorter than that is known by shorter runs, of `shortWords` words or as much, all of which
/// a text must have. Items shorter still cannot be told from ordinary speech and are not looked for.
///
/// > Source: Brown et al., "Language Models are Few-Shot Learners" (2020), appendix C. The 20 and the 8 are this project's.
public struct ContaminationGrams: Hashable, Sendable {
    /// 2 to 100.
    public let words: Int
    /// 2 to 100.
    public let characters: Int
    /// 1 to `words`.
    public let shortWords: Int

    public static let standard = ContaminationGrams(words: 13, characters: 20, shortWords: 8)

    /// Values out of range are taken to its nearer end.
    public init(words: Int, characters: Int, shortWords: Int) {
        self.words = min(max(words, 2), 100)
        self.characters = min(max(characters, 2), 100)
        self.shortWords = min(max(shortWords, 1), self.words)
    }

    /// The weight of a run for short items.
    var shortWeight: Int { shortWords * characters }
}
