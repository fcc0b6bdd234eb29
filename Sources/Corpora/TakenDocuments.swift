import Core
import Curation
import Wire

/// What looking at all blocks of a run together took of each document, for its release.
struct TakenDocuments {
    private let run: PipelineRun
    private let numbering: Numbering
    private let removals: Removals
    private let blocks: [Int: JudgedBlock]
    /// The numbers of documents that stand for others, ascending, and the index of each in its block.
    private let numbers: [UInt64]
    private let indexes: [UInt32]

    /// - Parameter blocks: All of the run.
    init(_ run: PipelineRun, _ blocks: [JudgedBlock]) throws(Failure) {
        self.run = run
        self.blocks = Dictionary(blocks.map { ($0.ordinal, $0) }) { first, _ in first }
        numbering = try Numbering(blocks, run.file, run.cache)
        removals = try PipelineRun.lastRemovals(run.file)
        var numbers: [UInt64] = []
        for block in blocks { numbers += try removals.of(block.ordinal).map(\.representative) }
        numbers.sort()
        var indexes: [UInt32] = []
        var unique: [UInt64] = []
        var next = 0
        // Blocks ascend as their documents' numbers do, so each is looked at once.
        for block in numbering.blocks {
            let end = block.first + UInt64(block.count)
            guard next < numbers.count, numbers[next] < end else { continue }
            let kept = Numbering.keptIndexes(try run.cache.items(block.key))
            while next < numbers.count, numbers[next] < end {
                defer { next += 1 }
                guard unique.last != numbers[next] else { continue }
                unique.append(numbers[next])
                indexes.append(UInt32(kept[Int(numbers[next] - block.first)]))
            }
        }
        (self.numbers, self.indexes) = (unique, indexes)
    }

    /// Of a block, in the order of its documents.
    func of(_ block: JudgedBlock) throws(Failure) -> [TakenDocument] {
        var taken: [TakenDocument] = []
        for removal in try removals.of(block.ordinal) {
            taken.append(TakenDocument(index: removal.document.index, duplicate: try duplicate(removal)))
        }
        for row in try PipelineRun.taken(run.file, block.ordinal) {
            let lost = Taken.Kind.allCases.filter { row.taken[$0] > 0 }.map { ($0.name, row.taken[$0]) }
            taken.append(
                TakenDocument(index: row.index, repeats: Dictionary(uniqueKeysWithValues: lost), isGone: row.isGone)
            )
        }
        return taken.sorted { $0.index < $1.index }
    }

    private func duplicate(_ removal: Removal) throws(Failure) -> TakenDocument.Duplicate {
        let other = numbering.block(of: removal.representative)
        let place = numbers.partitioningIndex { $0 >= removal.representative }
        guard let judged = blocks[other.ordinal], place < numbers.count, numbers[place] == removal.representative else {
            throw Failure(.invalid, "\(removals.path) is damaged. Remove its folder and run the pipeline again.")
        }
        var duplicate = TakenDocument.Duplicate(
            kind: removal.kind.name,
            jaccard: rounded(Double(removal.jaccard)),
            source: judged.sourceName
        )
        // Of what is only compared with nothing is handed on.
        guard removal.representative >= numbering.firstOwn else { return duplicate }
        (duplicate.block, duplicate.index) = (judged.key, Int(indexes[place]))
        return duplicate
    }
}
