import Core
import Curation
import Glibc

/// The texts of documents that may be duplicates, in one file, so that any of them can be read at any time.
///
/// Sources are read once more, in their order, because most of them are packed and cannot be read from the middle.
final class CandidateTexts {
    private let file: InputFile
    /// Ascending, with where each text begins, and one offset more for the end.
    private let documents: [UInt64]
    private let ranges: [Range<Int>]

    private init(file: consuming InputFile, documents: [UInt64], ranges: [Range<Int>]) {
        self.file = file
        self.documents = documents
        self.ranges = ranges
    }

    static func gather(
        _ run: PipelineRun,
        _ blocks: [JudgedBlock],
        _ numbering: Numbering,
        _ candidates: DocumentSet
    ) async throws -> CandidateTexts {
        let path = run.file.outputFolder + "/work/texts.draft"
        unlink(path)
        try Disk.append([UInt8]().span, to: path)
        var numbered: [Int: Numbering.NumberedBlock] = [:]
        for block in numbering.blocks { numbered[block.ordinal] = block }
        let byOrdinal = numbered
        var found: [(document: UInt64, range: Range<Int>)] = []
        var offset = 0
        try await run.forEachBlock(known: blocks) { records -> (texts: [UInt8], documents: [(UInt64, Int)]) in
            var texts: [UInt8] = []
            var documents: [(UInt64, Int)] = []
            // The texts of another file would be somebody else's.
            guard let numbered = byOrdinal[records.block.ordinal], run.key(of: records) == numbered.key else {
                throw PipelineRun.changed(records.block.path)
            }
            let wanted = numbered.first..<numbered.first + UInt64(numbered.count)
            guard wanted.contains(where: { candidates.contains($0) }) else { return (texts, documents) }
            var kept = try KeptDocuments(run.cache, numbered.key, records)
            while kept.next() {
                let document = numbered.first + UInt64(kept.rank)
                guard candidates.contains(document) else { continue }
                let before = texts.count
                kept.appendText(to: &texts)
                documents.append((document, texts.count - before))
            }
            return (texts, documents)
        } done: { texts, documents in
            try Disk.append(texts.span, to: path)
            for (document, count) in documents {
                found.append((document, offset..<offset + count))
                offset += count
            }
        }
        found.sort { $0.document < $1.document }
        let file = try InputFile(path)
        // It goes when the last descriptor does.
        unlink(path)
        return CandidateTexts(file: file, documents: found.map(\.document), ranges: found.map(\.range))
    }

    func give(_ document: UInt64, to use: (Span<UInt8>) -> Void) throws {
        let text = try text(of: document)
        use(text.span)
    }

    private func text(of document: UInt64) throws(Failure) -> [UInt8] {
        let at = documents.partitioningIndex { $0 >= document }
        guard at < documents.count, documents[at] == document else { return [] }
        let range = ranges[at]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        try file.readAll(into: &bytes, range)
        return bytes
    }
}
