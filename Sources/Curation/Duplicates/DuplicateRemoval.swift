import Core

/// A document that goes because another, earlier one stays.
public struct DuplicateRemoval: Sendable, Hashable {
    public let document: UInt64
    /// The document that stays.
    public let representative: UInt64
    /// The exact Jaccard similarity of the two sets of shingles; 1 for exact duplicates.
    public let jaccard: Double

    public init(document: UInt64, representative: UInt64, jaccard: Double) {
        self.document = document
        self.representative = representative
        self.jaccard = jaccard
    }

    /// Joins the removals of exact and of near duplicates, ascending by document.
    ///
    /// An exact duplicate whose twin goes as a near duplicate gets the twin's representative, so that no
    /// representative is removed itself. `exact` may be in any order; `near` ascends by document, as
    /// ``NearDuplicateCheck`` gives it. Where those compared against are near to each other, an exact duplicate of
    /// one has that one for its representative, even if an earlier one is near.
    public static func joined(exact: [DuplicateRemoval], near: [DuplicateRemoval]) -> [DuplicateRemoval] {
        var all = near
        all.reserveCapacity(near.count + exact.count)
        for removal in exact {
            let twin = near.firstIndex(of: removal.representative)
            all.append(
                DuplicateRemoval(
                    document: removal.document,
                    representative: twin.map { near[$0].representative } ?? removal.representative,
                    jaccard: twin.map { near[$0].jaccard } ?? removal.jaccard
                )
            )
        }
        all.sort { $0.document < $1.document }
        return all
    }
}

extension [DuplicateRemoval] {
    /// Where a document is removed, if it is; by halving, as the array ascends by document.
    fileprivate func firstIndex(of document: UInt64) -> Int? {
        let at = partitioningIndex { $0.document >= document }
        return at < count && self[at].document == document ? at : nil
    }
}
