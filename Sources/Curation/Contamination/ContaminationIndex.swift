import CCuration

/// The runs of tokens of evaluation texts, for being looked up by ``ContaminationScanner``.
///
/// 64-bit hashes in order, found by their top bits, behind a filter that nearly all runs of ordinary text end at. About 21
/// bytes for each token of the evaluation texts.
public struct ContaminationIndex: Sendable {
    public let grams: ContaminationGrams
    /// Tokens of each item that can be found (those in runs that are its own), in the order in which items were added.
    public let itemTokens: [Int]
    /// Items that are too short to be looked for, in order.
    public let shortItems: [Int]
    /// Runs that so many items have that they tell nothing; they are not looked for.
    public let commonRunCount: Int
    let table: NormalizationTable
    let hashes: [UInt64]
    let items: [UInt32]
    /// The number in its item of each run's last token.
    let lastTokens: [UInt32]
    let isShort: [Bool]
    /// `starts[b]` is where hashes whose top bits are `b` begin.
    let starts: [UInt32]
    let shift: UInt64
    /// What may be in `hashes`: of runs of the full size, and of those of short items. Empty when there are none.
    let filters: [[UInt64]]

    /// The range of `hashes` that equal `hash`.
    func range(of hash: UInt64) -> Range<Int> {
        let bucket = Int(hash >> shift)
        var low = Int(starts[bucket])
        let end = Int(starts[bucket + 1])
        while low < end, hashes[low] < hash { low += 1 }
        var high = low
        while high < end, hashes[high] == hash { high += 1 }
        return low..<high
    }
}
