/// That a passage was met in a document: what the search for repeated passages sorts. 24 bytes.
///
/// Partition by the top bits of `hash`, which is uniform. With 96 bits, passages of 10¹² are taken for another in one
/// of a hundred thousand corpora.
public struct PassageEntry: Sendable, Hashable, BitwiseCopyable {
    public let hash: UInt64
    /// The document's number: its place in the order of sources, those compared against before our own.
    public let document: UInt64
    /// Above, where it begins; below, more of the hash.
    private let placeAndCheck: UInt64

    public init(hash: UInt64, check: UInt32, document: UInt64, place: UInt32) {
        self.hash = hash
        self.document = document
        placeAndCheck = UInt64(place) << 32 | UInt64(check)
    }

    public var place: Int { Int(placeAndCheck >> 32) }
    var check: UInt32 { UInt32(truncatingIfNeeded: placeAndCheck) }
}

extension PassageEntry: SortableRecord {}

/// A stretch of a document that stood before. 16 bytes.
public struct RepeatedStretch: Sendable, Hashable, BitwiseCopyable {
    public let document: UInt64
    private let bounds: UInt64

    public init(document: UInt64, range: Range<Int>) {
        self.document = document
        bounds = UInt64(range.lowerBound) << 32 | UInt64(range.upperBound)
    }

    /// Offsets of bytes.
    public var range: Range<Int> { Int(bounds >> 32)..<Int(bounds & 0xFFFF_FFFF) }
}

extension RepeatedStretch: SortableRecord {}

/// Finds passages that were met before.
public enum RepeatedPassages {
    /// Goes through a whole partition, in any order; sorted in place, with memory for as many again.
    ///
    /// - Parameters:
    ///   - bytesMin: ``PassageSelector/bytesMin``.
    ///   - firstOwn: Documents below are those compared against: nothing of them goes.
    ///   - found: Takes what each passage but the first covers, in no order.
    public static func find<Failure: Error>(
        among entries: inout [PassageEntry],
        bytesMin: Int,
        firstOwn: UInt64,
        found: (RepeatedStretch) throws(Failure) -> Void
    ) throws(Failure) {
        radixSort(&entries)
        var first = 0
        for index in entries.indices.dropFirst() {
            let (entry, before) = (entries[index], entries[first])
            guard entry.hash == before.hash else {
                first = index
                continue
            }
            guard entry.check == before.check, entry.document >= firstOwn else { continue }
            // Where a passage overlaps its own first occurrence ("ababab"), that stays whole.
            let end = entry.place + bytesMin
            let start = entry.document == before.document ? max(entry.place, before.place + bytesMin) : entry.place
            guard start < end else { continue }
            try found(RepeatedStretch(document: entry.document, range: start..<end))
        }
    }

    /// Makes one of stretches that meet, of a whole range of documents; sorted in place.
    public static func join(_ stretches: inout [RepeatedStretch]) {
        radixSort(&stretches)
        var count = 0
        for stretch in stretches {
            if count > 0, stretches[count - 1].document == stretch.document,
                stretches[count - 1].range.upperBound >= stretch.range.lowerBound
            {
                let last = stretches[count - 1].range
                stretches[count - 1] = RepeatedStretch(
                    document: stretch.document,
                    range: last.lowerBound..<max(last.upperBound, stretch.range.upperBound)
                )
            } else {
                stretches[count] = stretch
                count += 1
            }
        }
        stretches.removeLast(stretches.count - count)
    }
}
