/// A stretch of a text that an evaluation item has too.
public struct ContaminationMatch: Hashable, Sendable {
    /// Byte offsets `start ..< end` of the text.
    public let start: Int
    public let end: Int
    /// The item's number in the index.
    public let item: Int
    /// Tokens of the item that are in the text, by all its stretches together.
    public let covered: Int
    /// Tokens of the item that can be found: those in runs that are not common to many items.
    public let total: Int

    public init(start: Int, end: Int, item: Int, covered: Int, total: Int) {
        self.start = start
        self.end = end
        self.item = item
        self.covered = covered
        self.total = total
    }

    /// How much of the item is in the text, from 0 to 1.
    public var share: Double { total == 0 ? 0 : Double(covered) / Double(total) }
}
