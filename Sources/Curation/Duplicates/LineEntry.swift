/// That a line was met in a document: what the count of lines sorts. 16 bytes, one for each time.
///
/// Partition by the top bits of `hash`, which is uniform. Of 64 bits: among 10¹⁰ lines and 10⁶ repeated ones, one
/// line in two thousand corpora would be taken for another.
public struct LineEntry: Sendable, Hashable, BitwiseCopyable {
    public let hash: UInt64
    /// The document's number: its place in the order of sources, those compared against before our own.
    public let document: UInt64

    public init(hash: UInt64, document: UInt64) {
        self.hash = hash
        self.document = document
    }
}

extension LineEntry: SortableRecord {}
