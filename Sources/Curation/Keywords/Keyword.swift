/// One word of a keyword pack.
public struct Keyword: Hashable, Sendable {
    /// The word as the pack has it.
    public let text: String
    /// An index of the pack's categories.
    public let category: Int
    /// What a hit counts for; 1 unless the pack says otherwise.
    public let weight: Int
}
