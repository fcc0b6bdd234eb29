/// The distinct shingles of one text, or only the number of its words where there are too many to hold.
struct ShingleSet: Sendable {
    /// Ascending; empty if the text is too long.
    let shingles: [UInt64]
    let wordCount: Int
    let isWhole: Bool

    /// What a collector has, in memory that is no larger than it takes.
    init(_ collector: borrowing ShingleCollector) {
        let all = collector.shingles
        shingles = [UInt64](unsafeUninitializedCapacity: all.count) { copy, count in
            count = copy.initialize(fromContentsOf: all)
        }
        wordCount = collector.wordCount
        isWhole = collector.isWhole
    }
}

/// Shingle sets used lately: two generations, the older of which goes when the younger has taken half of the room.
struct ShingleSetCache: Sendable {
    private var young: [UInt64: ShingleSet] = [:]
    private var old: [UInt64: ShingleSet] = [:]
    private var youngBytes = 0
    private let capacityBytes: Int

    init(capacityBytes: Int) { self.capacityBytes = capacityBytes }

    mutating func find(_ document: UInt64) -> ShingleSet? {
        if let found = young[document] { return found }
        guard let found = old.removeValue(forKey: document) else { return nil }
        insert(found, of: document)
        return found
    }

    mutating func insert(_ set: ShingleSet, of document: UInt64) {
        // An entry of a dictionary and the head of an array take some 100 bytes.
        youngBytes += 100 + set.shingles.count * MemoryLayout<UInt64>.stride
        young[document] = set
        if youngBytes > capacityBytes / 2 {
            old = young
            young = [:]
            youngBytes = 0
        }
    }
}
