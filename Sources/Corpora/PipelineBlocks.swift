import Core
import Curation

/// The blocks of the last run, as an audit tells of them.
struct PipelineBlocks {
    private let file: PipelineFile
    private let cache: BlockCache

    init(_ file: PipelineFile) {
        self.file = file
        cache = BlockCache(folder: file.outputFolder + "/work/blocks")
    }

    /// Every block with what became of it, and what became of the documents of each source by language and rule.
    func facts(_ record: RunRecord) throws(Failure) -> ([AuditFacts.Block], [AuditFacts.Count]) {
        guard let configuration = Digest(hex: record.configuration) else {
            throw Failure(.invalid, "run.json is damaged. Run the pipeline again.")
        }
        var outputs: [String: [(part: RunRecord.Part, digest: Digest)]] = [:]
        for part in record.parts {
            if let digest = Digest(hex: part.sha256) { outputs[part.key, default: []].append((part, digest)) }
        }
        var blocks: [AuditFacts.Block] = []
        var tallies: [[String: BlockSummary.Tally]] = .init(repeating: [:], count: file.sources.count)
        for judged in try PipelineRun.judgedBlocks(file) where !file.sources[judged.source].isReference {
            guard let key = Digest(hex: judged.key), let input = Digest(hex: judged.digest) else { continue }
            let summary = try cache.summary(key).summary
            for (fate, tally) in summary.fates { tallies[judged.source][fate, default: .init()] += tally }
            let written = outputs[judged.key] ?? []
            blocks.append(
                .init(
                    source: file.sources[judged.source].name,
                    input: input,
                    configuration: configuration,
                    outputs: written.map(\.digest),
                    documents: summary.documents.count,
                    kept: written.reduce(0) { $0 + $1.part.documents }
                )
            )
        }
        return (blocks, counts(tallies, record))
    }

    private func counts(
        _ tallies: [[String: BlockSummary.Tally]],
        _ record: RunRecord
    ) -> [AuditFacts.Count] {
        var counts: [AuditFacts.Count] = []
        for (source, fates) in zip(file.sources, tallies) {
            for (fate, tally) in fates.sorted(by: { $0.key < $1.key }) {
                let words = fate.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                let rule = words.count == 2 && !words[1].isEmpty ? String(words[1]) : nil
                counts.append(
                    .init(
                        source: source.name,
                        language: String(words[0]),
                        rule: rule,
                        documents: tally.count,
                        bytes: tally.bytes
                    )
                )
            }
        }
        return counts
    }
}
