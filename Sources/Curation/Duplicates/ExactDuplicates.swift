/// The join of documents with the same hash.
public enum ExactDuplicates {
    /// Removes, of the documents with one hash, all but the first.
    ///
    /// - Parameters:
    ///   - entries: A whole partition, in any order; sorted in place, with memory for as many again.
    ///   - firstOwn: Documents below are those compared against: they are never removed, and stand before ours.
    /// - Returns: The removals, by hash and then by document.
    public static func removals(among entries: inout [ExactEntry], firstOwn: UInt64 = 0) -> [DuplicateRemoval] {
        radixSort(&entries)
        var removals: [DuplicateRemoval] = []
        var first = 0
        for index in entries.indices.dropFirst() {
            let entry = entries[index]
            if entry.hash != entries[first].hash {
                first = index
            } else if entry.document >= firstOwn, entry.document != entries[first].document {
                removals.append(
                    DuplicateRemoval(document: entry.document, representative: entries[first].document, jaccard: 1)
                )
            }
        }
        return removals
    }
}
