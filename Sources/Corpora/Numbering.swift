import Core
import Curation

/// The documents that are kept so far, numbered one after another: those that are only compared with before ours, and
/// each kind in the order of the sources.
struct Numbering: Sendable {
    struct NumberedBlock: Sendable {
        let ordinal: Int
        let key: Digest
        /// The number of its first document, and how many it has.
        let first: UInt64
        let count: Int
    }

    /// By number.
    let blocks: [NumberedBlock]
    /// The number of the first document that is ours.
    let firstOwn: UInt64
    let total: Int

    init(_ judged: [JudgedBlock], _ file: PipelineFile, _ cache: BlockCache) throws(Failure) {
        var blocks: [NumberedBlock] = []
        var next: UInt64 = 0
        var firstOwn: UInt64 = 0
        for isReference in [true, false] {
            for block in judged where file.sources[block.source].isReference == isReference {
                guard let key = Digest(hex: block.key) else { continue }
                let count = try cache.summary(key).summary.kept.count
                blocks.append(NumberedBlock(ordinal: block.ordinal, key: key, first: next, count: count))
                next += UInt64(count)
            }
            if isReference { firstOwn = next }
        }
        self.blocks = blocks
        self.firstOwn = firstOwn
        total = Int(next)
    }

    /// The block that has a document.
    func block(of document: UInt64) -> NumberedBlock {
        blocks[blocks.partitioningIndex { $0.first + UInt64($0.count) > document }]
    }

    /// Where a document is among all documents of its block.
    func number(_ document: UInt64, _ cache: BlockCache) throws(Failure) -> DocumentNumber {
        let block = block(of: document)
        let kept = Self.keptIndexes(try cache.items(block.key))
        return DocumentNumber(block: block.ordinal, index: kept[Int(document - block.first)])
    }

    /// The indexes of a block's kept documents, by rank.
    static func keptIndexes(_ items: [UInt8]) -> [Int] {
        (0..<items.count / ItemRow.byteCount).filter { ItemRow(items, at: $0 * ItemRow.byteCount).isKept }
    }
}
