import Core
import Curation
import Wire

extension Audit {
    /// What the pipeline looked at, and by what: every document that was written went through its operators.
    static func coverage(
        _ file: PipelineFile,
        _ record: RunRecord,
        published: Instant,
        _ taxonomy: RiskTaxonomy?,
        _ evidence: inout ProfileEvidence
    ) throws(Failure) {
        let count = record.written.count
        let all = ProfileEvidence.Value.proportion(Proportion(count, of: count))
        let none = ProfileEvidence.Value.proportion(Proportion(0, of: count))
        evidence[.keywordCoverage] = file.document.keywords == nil ? none : all
        evidence[.personalCoverage] = file.document.personal == nil ? none : all
        if let asked = file.document.keywords { try keywords(file, asked.packs, published, &evidence) }
        // A classifier of quality says nothing of risks, and without the taxonomy nobody knows which is which.
        guard let taxonomy else { return }
        let risks = Set(taxonomy.ids(within: nil))
        var classes: [String: Int] = [:]
        for classifier in file.document.classifiers {
            let bytes = try Disk.read(file.resolve(classifier.model))
            guard let model = try? LinearModel(reading: bytes.span) else { continue }
            for label in model.card.labels where risks.contains(label) { classes[label, default: 0] += 1 }
        }
        evidence[.classifierCoverage] = classes.isEmpty ? none : all
        evidence[.classifierRisks] = .counts(classes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    private static func keywords(
        _ file: PipelineFile,
        _ packs: [String],
        _ published: Instant,
        _ evidence: inout ProfileEvidence
    ) throws(Failure) {
        let table = NormalizationTable()
        var counts: [String: Int] = [:]
        var changes: [Instant?] = []
        for path in packs {
            let bytes = try Disk.read(file.resolve(path))
            changes.append(changed(bytes))
            guard let pack = try? KeywordPack(bytes.span, table: table) else { continue }
            for count in pack.counts { counts[count.category, default: 0] += count.words }
        }
        evidence[.keywords] = .number(Double(counts.values.reduce(0, +)))
        evidence[.keywordsPerRisk] = .counts(counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        // The library was changed when the newest of its packs was; one without a day leaves it unsaid.
        let known = changes.compactMap(\.self)
        if known.count == changes.count, let newest = known.max() {
            let days = (published - newest) / .seconds(86_400)
            evidence[.keywordsAgeDays] = .number(max(0, days.rounded(.down)))
        }
    }

    /// The day that a pack says it was changed on, in a line `# changed: 2026-11-29` before its first word.
    static func changed(_ pack: [UInt8]) -> Instant? {
        for line in pack.split(separator: 0x0A, omittingEmptySubsequences: true) {
            guard line.first == UInt8(ascii: "#") else { return nil }
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstRange(of: "changed:") else { continue }
            return Instant(rfc3339: text[colon.upperBound...].filter { !$0.isWhitespace } + "T00:00:00Z")
        }
        return nil
    }
}
