/// Which documents hang together by buckets, so that the check of candidates can be shared among workers.
///
/// Documents of different components are never compared. Give each worker whole components, with a
/// ``NearDuplicateCheck`` of its own: their removals together are those of one check. Memory: 4 bytes a document.
///
/// > Source: union-find with path halving (Tarjan and van Leeuwen, "Worst-case analysis of set union algorithms",
/// > 1984).
public struct BucketComponents: Sendable {
    private var parents: [UInt32]

    /// Nil for more than 2³² documents. Entries of documents beyond `documentCount` are passed over.
    public init?(documentCount: UInt64) {
        guard documentCount <= UInt64(UInt32.max) + 1 else { return nil }
        parents = [UInt32](unsafeUninitializedCapacity: Int(documentCount)) { parents, count in
            for document in 0..<Int(documentCount) { parents.initializeElement(at: document, to: UInt32(document)) }
            count = Int(documentCount)
        }
    }

    /// Takes entries as ``NearDuplicateJoin`` has emitted them: those of a bucket one after another.
    public mutating func join(_ entries: [BucketEntry]) {
        var first = 0
        for index in entries.indices {
            if entries[index].bucket != entries[first].bucket { first = index }
            union(entries[first].document, entries[index].document)
        }
    }

    /// The first document of a document's component: the document itself if it is in no bucket.
    public mutating func component(of document: UInt64) -> UInt64 {
        guard document < UInt64(parents.count) else { return document }
        var place = Int(document)
        while parents[place] != place {
            parents[place] = parents[Int(parents[place])]
            place = Int(parents[place])
        }
        return UInt64(place)
    }

    private mutating func union(_ a: UInt64, _ b: UInt64) {
        guard a < UInt64(parents.count), b < UInt64(parents.count) else { return }
        let (a, b) = (component(of: a), component(of: b))
        // The root is the first document, whatever the order of buckets.
        parents[Int(max(a, b))] = UInt32(min(a, b))
    }
}
