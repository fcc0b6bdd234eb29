import CCuration

/// Decides which candidates go: reads texts and compares their sets of shingles exactly.
///
/// A document goes if, among the documents before it that stay and share a bucket with it, there is one whose Jaccard
/// similarity to it reaches the threshold; the first such is its representative. So members of a cluster are all like their
/// representative, and chains do not join documents that are unlike. The result depends on the documents' numbers alone:
/// not on the order of partitions, nor on threads.
///
/// Memory: 8 bytes a bucket, the cache, and some 24 bytes times `shinglesMax`. A document is tested against the first 64 that
/// stay in each of its buckets, which bounds the work where thousands of pages are alike but not like enough.
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
    private var collector: ShingleCollector
    /// The first document of each bucket that stays; `UInt64.max` if there is none yet.
    private var firstLeaders: [UInt64] = []
    /// The others, ascending, of the few buckets that have more than one.
    private var otherLeaders: [UInt64: [UInt64]] = [:]
    private var candidates: [UInt64] = []

    /// - Parameters:
    ///   - firstOwn: Documents below are those compared against: they always stay.
    ///   - cacheBytes: Room for the shingle sets of texts that are looked at again.
    ///   - shinglesMax: Distinct shingles of one text held at a time; longer texts are read several times instead.
    public init(
        _ settings: NearDuplicateSettings,
        firstOwn: UInt64 = 0,
        cacheBytes: Int = 128 << 20,
        shinglesMax: Int = 1 << 22
    ) {
        self.settings = settings
        self.firstOwn = firstOwn
        self.shinglesMax = max(1024, shinglesMax)
        cache = ShingleSetCache(capacityBytes: max(0, cacheBytes))
        collector = ShingleCollector(limit: self.shinglesMax)
    }

    /// Checks the documents of one range; ranges come in ascending order, and once each.
    ///
    /// - Parameters:
    ///   - entries: All entries of the range's documents, in any order; sorted in place, with memory for as many again.
    ///   - removals: Gets the documents that go, ascending.
    ///   - text: Hands a document's text to the closure it is given, in one piece or several. It is asked for documents of this
    ///     range in ascending order, and in between for earlier ones.
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
            let bucket = entries[index].bucket
            guard bucket < firstLeaders.count, firstLeaders[Int(bucket)] != .max else { continue }
            candidates.append(firstLeaders[Int(bucket)])
            if let others = otherLeaders[bucket] { candidates.append(contentsOf: others) }
        }
        candidates.sort()
        var own: ShingleSet?
        var before: UInt64?
        for candidate in candidates where candidate != before {
            before = candidate
            let set: ShingleSet
            if let own { set = own } else { set = try shingleSet(of: document, text) }
            own = set
            let other = try shingleSet(of: candidate, text)
            comparisonCount += 1
            if let jaccard = try similarity((document, set), (candidate, other), text) {
                return DuplicateRemoval(document: document, representative: candidate, jaccard: jaccard)
            }
        }
        if let own { cache.insert(own, of: document) }
        return nil
    }

    private mutating func lead(_ document: UInt64, _ entries: [BucketEntry], _ range: Range<Int>) {
        for index in range {
            let bucket = Int(entries[index].bucket)
            if bucket >= firstLeaders.count {
                firstLeaders.append(contentsOf: repeatElement(.max, count: bucket + 1 - firstLeaders.count))
            }
            if firstLeaders[bucket] == .max {
                firstLeaders[bucket] = document
            } else if otherLeaders[UInt64(bucket), default: []].count < Self.leadersMax - 1 {
                otherLeaders[UInt64(bucket), default: []].append(document)
            }
        }
    }

    private mutating func shingleSet<Failure: Error>(
        of document: UInt64,
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> ShingleSet {
        if let found = cache.find(document) { return found }
        try collect(document, 0...UInt64.max, text)
        let set = ShingleSet(
            shingles: collector.shingles,
            wordCount: collector.wordCount,
            isWhole: collector.isWhole
        )
        if document < (candidates.last ?? 0) || candidates.contains(document) { cache.insert(set, of: document) }
        return set
    }

    private mutating func collect<Failure: Error>(
        _ document: UInt64,
        _ range: ClosedRange<UInt64>,
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) {
        readCount += 1
        collector.begin(range)
        try text(document) { collector.add($0) }
        collector.end()
    }

    /// The exact similarity if it reaches the threshold.
    private mutating func similarity<Failure: Error>(
        _ a: (document: UInt64, set: ShingleSet),
        _ b: (document: UInt64, set: ShingleSet),
        _ text: (UInt64, (Span<UInt8>) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> Double? {
        if a.set.isWhole, b.set.isWhole {
            let least = settings.leastCommon(a.set.shingles.count, b.set.shingles.count)
            guard let common = Self.common(a.set.shingles, b.set.shingles, least) else { return nil }
            return accepted(common, a.set.shingles.count, b.set.shingles.count)
        }
        // What is not whole has more than `shinglesMax`; the other must not be too small for that.
        let smaller = a.set.isWhole ? a.set.shingles.count : b.set.isWhole ? b.set.shingles.count : Int.max
        guard Double(smaller) >= settings.threshold * Double(shinglesMax) else { return nil }
        // The hashes' range in parts, each small enough to hold, so that the count stays exact.
        let words = max(a.set.wordCount, b.set.wordCount)
        var parts: UInt64 = 2
        while parts < 1 << 20, UInt64(shinglesMax / 2) * parts < UInt64(words) { parts *= 2 }
        let width = UInt64.max / parts + 1
        var common = 0
        var counts = (0, 0)
        for part in 0..<parts {
            let range = part * width...(part * width + (width - 1))
            try collect(a.document, range, text)
            let shingles = collector.shingles
            try collect(b.document, range, text)
            common += Self.common(shingles, collector.shingles, 0) ?? 0
            counts.0 += shingles.count
            counts.1 += collector.shingles.count
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
