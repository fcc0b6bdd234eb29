/// A passage of a document that goes because it stands earlier already.
public struct PassageRemoval: Sendable, Hashable {
    public let document: UInt64
    /// Offsets of bytes in the document's text, at borders of characters.
    public let range: Range<Int>

    public init(document: UInt64, range: Range<Int>) {
        self.document = document
        self.range = range
    }
}
