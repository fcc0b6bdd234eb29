/// The lines that a corpus has too often, with the first document that has each.
///
/// Memory: some 40 bytes for each repeated line, nothing for others.
public struct RepeatedLines: Sendable {
    // Only looked up, never walked.
    private var firstDocuments: [UInt64: UInt64] = [:]

    public init() {}

    public var count: Int { firstDocuments.count }

    /// Counts a whole partition, in any order; sorted in place, with memory for as many again.
    public mutating func count(_ entries: inout [LineEntry], _ settings: RepeatedLineSettings) {
        radixSort(&entries)
        var start = 0
        while start < entries.count {
            var end = start + 1
            while end < entries.count, entries[end].hash == entries[start].hash { end += 1 }
            if end - start > settings.seenMax { firstDocuments[entries[start].hash] = entries[start].document }
            start = end
        }
    }

    /// The first document with a line, if the line is repeated.
    public func firstDocument(of hash: UInt64) -> UInt64? { firstDocuments[hash] }
}
