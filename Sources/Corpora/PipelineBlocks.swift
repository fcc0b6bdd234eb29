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
        // By the block's number: equal blocks have equal names.
        var outputs: [Substring: [(part: RunRecord.Part, digest: Digest)]] = [:]
        for part in record.parts {
            if let digest = Digest(hex: part.sha256) { outputs[part.number, default: []].append((part, digest)) }
        }
        var blocks: [AuditFacts.Block] = []
        let removals = try PipelineRun.lastRemovals(file)
        var tallies: [[String: BlockSummary.Tally]] = .init(repeating: [:], count: file.sources.count)
        for judged in try PipelineRun.judgedBlocks(file) where !file.sources[judged.source].isReference {
            guard let key = Digest(hex: judged.key), let input = Digest(hex: judged.digest) else { continue }
            let summary = try cache.summary(key).summary
            for (fate, tally) in summary.fates { tallies[judged.source][fate, default: .init()] += tally }
            var gone: [Int: String] = [:]
            for removal in try removals.of(judged.ordinal) { gone[removal.document.index] = removal.kind.name }
            for row in try PipelineRun.taken(file, judged.ordinal) where row.isGone {
                gone[row.index] = row.rule?.name ?? Taken.Kind.lines.name
            }
            try count(gone, key, &tallies[judged.source])
            let written = outputs[PipelineRun.digits(judged.ordinal)[...]] ?? []
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

    /// Moves documents from those that are kept to those that others stand for, by their languages.
    private func count(
        _ gone: [Int: String],
        _ key: Digest,
        _ fates: inout [String: BlockSummary.Tally]
    ) throws(Failure) {
        guard !gone.isEmpty else { return }
        let decisions = try cache.decisions(key)
        var line = JSONLine()
        var (start, index) = (0, 0)
        while start < decisions.count {
            let end = decisions.lineEnd(from: start)
            defer { (start, index) = (end + 1, index + 1) }
            guard let kind = gone[index], (try? line.read(decisions.span, start..<end)) != nil,
                let bytes = line.field("bytes", in: decisions.span).flatMap({
                    Int(String(decoding: decisions[$0.value], as: UTF8.self))
                })
            else { continue }
            let language = line.field("language", in: decisions.span).map {
                String(decoding: decisions[$0.value].dropFirst().dropLast(), as: UTF8.self)
            }
            fates["\(language ?? "und") ", default: .init()].remove(bytes)
            fates["\(language ?? "und") duplicates/\(kind)", default: .init()].add(bytes)
        }
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
