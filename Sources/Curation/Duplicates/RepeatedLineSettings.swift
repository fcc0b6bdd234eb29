/// Which repeated lines or paragraphs go.
public struct RepeatedLineSettings: Sendable, Hashable {
    /// What is compared. Lines end at a line feed; a paragraph is a longest run of lines that are not blank.
    public enum Unit: Sendable, Hashable, CaseIterable { case line, paragraph }

    public let unit: Unit
    /// Times a line may be met in the corpus before it counts as repeated; at least 1.
    public let seenMax: Int
    /// Bytes of letters, digits and underscores in UTF-8 that a line has at least to be looked at; at least 1. A Han
    /// character has three, as much as it says. What is shorter, such as a brace or a heading, stays.
    public let letterBytesMin: Int
    /// Whether the first occurrence of a repeated line stays.
    public let keepsFirst: Bool

    /// Numbers below 1 count as 1.
    public init(unit: Unit, seenMax: Int, letterBytesMin: Int, keepsFirst: Bool) {
        self.unit = unit
        self.seenMax = max(1, seenMax)
        self.letterBytesMin = max(1, letterBytesMin)
        self.keepsFirst = keepsFirst
    }
}
