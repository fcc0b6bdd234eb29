/// That a document has a key: what the join of bands sorts. 16 bytes; partition files hold them as they are in memory.
///
/// Partition by the top bits of `key`, which is uniform.
public struct BandEntry: Sendable, Hashable, BitwiseCopyable {
    public let key: UInt64
    /// The document's number: its place in the order of sources, those compared against before our own.
    public let document: UInt64

    public init(key: UInt64, document: UInt64) {
        self.key = key
        self.document = document
    }
}

extension BandEntry: SortableRecord {}
