import CCuration

/// Decides which candidates go: reads texts and compares their sets of shingles exactly.
///
/// A document goes if, among the documents before it that stay and share a bucket with it, there is one whose Jaccard
/// similarity to it reaches the threshold; the first such is its representative. So members of a cluster are all like
/// their representative, and chains do not join documents that are unlike. The result depends on the documents'
/// numbers alone: not on the order of partitions, nor on threads.
///
/// Memory: 8 bytes a bucket, the cache, and at most 50 bytes times `shinglesMax`, if there are such long texts. A
/// document is tested against the first 64 that stay in each of its buckets, which bounds the work where thousands of
/// pages are alike but not like enough.
///
/// > Source: greedy leader clustering (Hartigan, *Clustering Algorithms*, 1975, chapter 3), with the order given.
public struct NearDuplicateCheck: Sendable {
    /// Documents that stay, of one bucket, that a later document is tested against.
    public static let leadersMax = 64

    /// Pairs compared so far.
    public private(set) var comparisonCount = 0
    /// Texts read so far.
    public private(set) var readCount = 0

    private let settings: NearDuplicateSettings
    private let firstOwn: UInt64
    private let shinglesMax: Int
    private var cache: ShingleSetCache
    /// Holds the shingles of the document that is tested, and of the one it is tested against if that is not in the
    /// cache.
    private var own = ShingleCollector()
    private var other = ShingleCollector()
    /// The first document of each bucket that stays; `UInt64.max` if there is none yet.
    private var firstLeaders: [UInt64]
    /// The others, ascending, of the few buckets that have more than one.
    private var otherLeaders: [Int: [UInt64]] = [:]
    private var candidates: [UInt64] = []

    /// - Parameters:
    ///   - bucketCount: The join's number of buckets; entries of others are passed over.
    ///   - firstOwn: Documents below are those compared against: they always stay.
    ///   - cacheBytes: Room for the shingle sets of texts that are looked at again.
    ///   - shinglesMax: Distinct shingles of one text held at a time; longer texts are read several times instead.
    public init(
        _ settings: NearDuplicateSettings,
        bucketCount: UInt64,
        firstOwn: UInt64 = 0,
        cacheBytes: Int = 128 << 20,
        shinglesMax: Int = 1 << 22
    ) {
        self.settings = settings
        self.firstOwn = firstOwn
        self.shinglesMax = max(1024, shinglesMax)
        cache = ShingleSetCache(capacityBytes: max(0, cacheBytes))
        firstLeaders = [UInt64](repeating: .max, count: Int(clamping: bucketCount))
    }

    /// Checks the documents of one range; ranges come in ascending order, and once each.
    ///
    /// - Parameters:
    ///   - entries: All entries of the range's documents, in any order; sorted in place, with memory for as many again.
    ///   - removals: Gets the documents that go, ascending.
    ///   - text: Hands a document's text to the closure it is given, in one piece or several. It is asked for
    ///     documents of this range in ascending order, and in between for earlier ones.
    /// - Throws: What `text` throws. The check cannot be used any more then.
    public mutating func check<Failure: Error>(
        _ entries: inout [BucketEntry],
        into removals: inout [DuplicateRemoval],
        text: (_ document: UInt64, _ piece: (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) {
        radixSort(&entries)
        var index = 0
        while index < entries.count {
            let document = entries[index].document
            let start = index
            while index < entries.count, entries[index].document == document { index += 1 }
            if document >= firstOwn, let removal = try removal(of: document, entries, start..<index, text) {
                removals.append(removal)
            } else {
                lead(document, entries, start..<index)
            }
        }
    }

    private mutating func removal<Failure: Error>(
        of document: UInt64,
        _ entries: [BucketEntry],
        _ range: Range<Int>,
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> DuplicateRemoval? {
        candidates.removeAll(keepingCapacity: true)
        for index in range {
            guard let bucket = bucket(entries[index]), firstLeaders[bucket] != .max else { continue }
            candidates.append(firstLeaders[bucket])
            if let others = otherLeaders[bucket] { candidates.append(contentsOf: others) }
        }
        candidates.sort()
        var before: UInt64?
        for candidate in candidates where candidate != before {
            if before == nil { try Self.collect(document, into: &own, limit: shinglesMax, &readCount, text) }
            before = candidate
            comparisonCount += 1
            let leader = try shingleSet(ofLeader: candidate, text)
            let jaccard =
                own.isWhole && leader.isWhole
                ? similarity(own.shingles, leader.shingles)
                : try similarity(ofLong: document, to: candidate, leader, text)
            if let jaccard { return DuplicateRemoval(document: document, representative: candidate, jaccard: jaccard) }
        }
        // It stays, and later ones will be tested against it.
        if before != nil { cache.insert(ShingleSet(own), of: document) }
        return nil
    }

    private func bucket(_ entry: BucketEntry) -> Int? {
        entry.bucket < UInt64(firstLeaders.count) ? Int(entry.bucket) : nil
    }

    private mutating func lead(_ document: UInt64, _ entries: [BucketEntry], _ range: Range<Int>) {
        for index in range {
            guard let bucket = bucket(entries[index]) else { continue }
            if firstLeaders[bucket] == .max {
                firstLeaders[bucket] = document
            } else if otherLeaders[bucket, default: []].count < Self.leadersMax - 1 {
                otherLeaders[bucket, default: []].append(document)
            }
        }
    }

    private mutating func shingleSet<Failure: Error>(
        ofLeader document: UInt64,
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> ShingleSet {
        if let found = cache.find(document) { return found }
        try Self.collect(document, into: &other, limit: shinglesMax, &readCount, text)
        let set = ShingleSet(other)
        cache.insert(set, of: document)
        return set
    }

    private static func collect<Failure: Error>(
        _ document: UInt64,
        _ range: ClosedRange<UInt64> = 0...UInt64.max,
        into collector: inout ShingleCollector,
        limit: Int,
        _ readCount: inout Int,
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) {
        readCount += 1
        collector.begin(range, limit: limit)
        try text(document) { collector.add($0) }
        collector.end()
    }

    /// The exact similarity if it reaches the threshold.
    private func similarity(_ a: [UInt64], _ b: [UInt64]) -> Double? {
        guard let common = Self.common(a, b, settings.leastCommon(a.count, b.count)) else { return nil }
        return accepted(common, a.count, b.count)
    }

    /// The same where one of the two has too many shingles to hold: the hashes' range in parts, so that the counts
    /// stay exact.
    private mutating func similarity<Failure: Error>(
        ofLong document: UInt64,
        to candidate: UInt64,
        _ leader: ShingleSet,
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> Double? {
        // The one that can be held must not be too small for the other, which has more than `shinglesMax`.
        let smaller = own.isWhole ? own.shingles.count : leader.isWhole ? leader.shingles.count : Int.max
        guard Double(smaller) >= settings.threshold * Double(shinglesMax) else { return nil }
        var a = ShingleCollector()
        var b = ShingleCollector()
        let words = max(own.wordCount, leader.wordCount)
        let parts = UInt64(max(2, words / (shinglesMax / 4 * 3) + 1))
        let width = UInt64.max / parts + 1
        var common = 0
        var counts = (0, 0)
        for part in 0..<parts {
            let first = part * width
            let range = first...(part == parts - 1 ? UInt64.max : first + (width - 1))
            try Self.collect(document, range, into: &a, limit: .max, &readCount, text)
            try Self.collect(candidate, range, into: &b, limit: .max, &readCount, text)
            common += Self.common(a.shingles, b.shingles, 0) ?? 0
            counts.0 += a.shingles.count
            counts.1 += b.shingles.count
            // A part is a fair sample of the whole, and if it is far off there is no need to see the rest.
            let sampled = NearDuplicateSettings.jaccard(common: common, counts.0, counts.1)
            if counts.0 > 100_000, sampled < settings.threshold - 0.05 { return nil }
        }
        return accepted(common, counts.0, counts.1)
    }

    private func accepted(_ common: Int, _ a: Int, _ b: Int) -> Double? {
        let jaccard = NearDuplicateSettings.jaccard(common: common, a, b)
        return jaccard >= settings.threshold ? jaccard : nil
    }

    private static func common(_ a: [UInt64], _ b: [UInt64], _ least: Int) -> Int? {
        let common = onepoint_common(a, a.count, b, b.count, least)
        return common == .max ? nil : common
    }
}
