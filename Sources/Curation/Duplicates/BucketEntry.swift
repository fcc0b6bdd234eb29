/// That a document is in a bucket, which is two documents or more with one key in one band. 16 bytes.
///
/// Partition by ranges of `document`: the check of candidates takes the ranges in ascending order.
public struct BucketEntry: Sendable, Hashable, BitwiseCopyable {
    public let document: UInt64
    /// Buckets are numbered from 0 in the order in which the join meets them.
    public let bucket: UInt64

    public init(document: UInt64, bucket: UInt64) {
        self.document = document
        self.bucket = bucket
    }
}

extension BucketEntry: SortableRecord {}
