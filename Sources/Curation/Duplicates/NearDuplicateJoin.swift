/// The join of band keys, one partition after another.
///
/// Take exact duplicates out before: then a bucket has one member per distinct text, however often a page was copied.
public struct NearDuplicateJoin: Sendable {
    /// Buckets met so far, and the number of the next.
    public private(set) var bucketCount: UInt64 = 0
    private let firstOwn: UInt64

    /// - Parameter firstOwn: Documents below are those compared against; buckets of such alone are passed over.
    public init(firstOwn: UInt64 = 0) { self.firstOwn = firstOwn }

    /// Emits who is in which bucket, for buckets of two documents or more. Numbers depend on the order of partitions;
    /// results of the check do not.
    ///
    /// - Parameters:
    ///   - entries: A whole partition, in any order; sorted in place, with memory for as many again.
    ///   - skipped: Documents that were removed already.
    public mutating func join(
        _ entries: inout [BandEntry],
        skipping skipped: DocumentSet,
        into buckets: inout [BucketEntry]
    ) {
        radixSort(&entries)
        var start = 0
        while start < entries.count {
            let key = entries[start].key
            var end = start + 1
            while end < entries.count, entries[end].key == key { end += 1 }
            if end - start > 1 { append(entries, start..<end, skipped, &buckets) }
            start = end
        }
    }

    /// Appends those of one key, if there are two left and one is ours.
    private mutating func append(
        _ entries: [BandEntry],
        _ range: Range<Int>,
        _ skipped: DocumentSet,
        _ buckets: inout [BucketEntry]
    ) {
        let first = buckets.count
        for index in range {
            let document = entries[index].document
            let isRepeated = buckets.count > first && buckets[buckets.count - 1].document == document
            if !isRepeated, !skipped.contains(document) {
                buckets.append(BucketEntry(document: document, bucket: bucketCount))
            }
        }
        // Documents ascend, so that the last is ours if any is.
        if buckets.count - first >= 2, buckets[buckets.count - 1].document >= firstOwn {
            bucketCount += 1
        } else {
            buckets.removeLast(buckets.count - first)
        }
    }
}
