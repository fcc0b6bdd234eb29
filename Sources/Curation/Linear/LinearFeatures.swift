import CCuration

/// What of a text a ``LinearModel`` sees: n-grams of characters inside words, words, and pairs of words, in lower case.
///
/// Each is hashed to one of `1 << bits` rows of weights; two that meet in a row share it, which training sees and
/// allows for. Digits and signs only separate words. Every ideograph counts as a word of its own, with the two-character
/// n-grams of its run.
public struct LinearFeatures: Sendable, Hashable {
    /// The binary logarithm of how many rows there are: 8 to 22.
    public let bits: Int
    /// The longest n-gram in characters, the borders of the word counted: 0, for none, to 6.
    public let grams: Int
    public let words: Bool
    public let pairs: Bool
    /// Whether only words in the kind of letters count that most of the text is in: Latin, East Asian, or others. A
    /// Latin name in a Chinese sentence then says nothing about the sentence.
    public let oneScript: Bool

    /// For telling languages apart: what is inside words, most of all.
    public static let language = LinearFeatures(checked: 15, grams: 5, words: true, pairs: false, oneScript: true)
    /// For telling kinds of content apart: which words there are, and in what order.
    public static let content = LinearFeatures(checked: 20, grams: 0, words: true, pairs: true, oneScript: false)

    /// - Returns: `nil` when a figure is out of its range, or nothing would be seen at all.
    public init?(bits: Int, grams: Int, words: Bool, pairs: Bool, oneScript: Bool) {
        guard (8...22).contains(bits), (0...6).contains(grams), grams > 0 || words || pairs else { return nil }
        self.init(checked: bits, grams: grams, words: words, pairs: pairs, oneScript: oneScript)
    }

    private init(checked bits: Int, grams: Int, words: Bool, pairs: Bool, oneScript: Bool) {
        self.bits = bits
        self.grams = grams
        self.words = words
        self.pairs = pairs
        self.oneScript = oneScript
    }

    var rows: Int { 1 << bits }

    /// For the kernel.
    ///
    /// - Parameter letters: The kind whose words count; `nil` for all.
    func shape(_ letters: Letters?) -> onepoint_linear_shape {
        onepoint_linear_shape(
            bits: UInt32(bits),
            grams: UInt32(grams),
            words: words ? 1 : 0,
            pairs: pairs ? 1 : 0,
            letters: letters?.rawValue ?? 0
        )
    }
}
