/// That a document has a hash: what the join of exact duplicates sorts. 24 bytes.
///
/// Partition by the top bits of `hash.high`, which is uniform.
public struct ExactEntry: Sendable, Hashable, BitwiseCopyable {
    public let hash: TextHash
    /// The document's number: its place in the order of sources, those compared against before our own.
    public let document: UInt64

    public init(hash: TextHash, document: UInt64) {
        self.hash = hash
        self.document = document
    }
}

extension ExactEntry: SortableRecord {}
