public import Core

extension AuditFacts {
    /// What contradicts itself or would make a pack that nobody can check; empty when there is nothing.
    public var faults: [Violation] {
        var faults: [Violation] = []
        func fault(_ pointer: String, _ message: String) { faults.append(Violation(pointer, message)) }
        if !Self.isVersion(release.version) { fault("/release/version", "must be MAJOR.MINOR.PATCH") }
        if !FieldReader.isName(release.name) { fault("/release/name", "must be of letters, digits, '.', '_' and '-'") }
        for (index, url) in [release.url, release.creator.url, release.publisher?.url].enumerated() {
            guard let url, !url.hasPrefix("https://"), !url.hasPrefix("http://") else { continue }
            fault(
                ["/release/url", "/release/creator/url", "/release/publisher/url"][index],
                "must be an address of the web"
            )
        }
        let texts = [
            ("/release/licence", release.licence), ("/release/creator/name", release.creator.name),
            ("/release/description/en", release.description.english),
            ("/release/description/zh", release.description.chinese),
        ]
        for (pointer, text) in texts where text.isEmpty { fault(pointer, "must not be empty") }
        if outputs.isEmpty { fault("/outputs", "has no file: there is nothing to answer for") }
        var names: Set<String> = []
        for (index, dossier) in dossiers.enumerated() {
            if !FieldReader.isName(dossier.name) { fault("/dossiers/\(index)/name", "is not a name") }
            if !names.insert(dossier.name).inserted { fault("/dossiers/\(index)/name", "stands twice") }
        }
        for (index, admission) in admissions.enumerated() where !names.contains(admission.source) {
            fault("/admissions/\(index)/source", "has no dossier")
        }
        for (index, count) in counts.enumerated() {
            if !names.contains(count.source) { fault("/counts/\(index)/source", "has no dossier") }
            if count.documents < 0 || count.bytes < 0 { fault("/counts/\(index)", "is negative") }
        }
        var paths: Set<String> = []
        for (index, output) in outputs.enumerated() {
            if !Self.isPath(output.path) { fault("/outputs/\(index)/path", "must lead into the release") }
            if !paths.insert(output.path).inserted { fault("/outputs/\(index)/path", "stands twice") }
            if output.bytes < 0 || output.records < 0 { fault("/outputs/\(index)", "is negative") }
        }
        let files = Set(outputs.map(\.digest))
        for (index, block) in blocks.enumerated() {
            if !names.contains(block.source) { fault("/blocks/\(index)/source", "has no dossier") }
            if !files.isSuperset(of: block.outputs) {
                fault("/blocks/\(index)/outputs", "went to a file that is no output")
            }
            if block.kept > block.documents || block.kept < 0 {
                fault("/blocks/\(index)/kept", "is more than there was")
            }
        }
        for (index, sample) in samples.enumerated() {
            let places = sample.check.work.items.map(\.place)
            if !sample.proofs.isEmpty, sample.proofs.map(\.index) != places {
                fault("/samples/\(index)/proofs", "must be one for each item, in their order")
            }
        }
        var columns: Set<String> = []
        for (index, field) in fields.enumerated() {
            if field.name.isEmpty || field.name.contains("/") {
                fault("/fields/\(index)/name", "must not be empty nor have a '/'")
            }
            if !columns.insert(field.name).inserted { fault("/fields/\(index)/name", "stands twice") }
        }
        if let taxonomy {
            let known = Set(taxonomy.risks.map(\.id))
            for (index, row) in risks.enumerated() where !known.contains(row.risk) {
                fault("/risks/\(index)/risk", "is not of the taxonomy")
            }
        }
        return faults
    }

    /// Three numbers, and whatever Semantic Versioning lets follow.
    private static func isVersion(_ text: String) -> Bool {
        let core = text.prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        let isCore =
            parts.count == 3
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                    && (part == "0" || !part.hasPrefix("0"))
            }
        let rest = text.dropFirst(core.count)
        return isCore && (rest.isEmpty || FieldReader.isName(String(rest.dropFirst().filter { $0 != "+" })))
    }

    private static func isPath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return path.utf8.count <= 4096 && !path.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") }
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// Documents and bytes that were kept of each source, in the order of the dossiers.
    var kept: [(source: String, documents: Int, bytes: Int)] {
        var sums: [String: (Int, Int)] = [:]
        for count in counts where count.rule == nil {
            let sum = sums[count.source] ?? (0, 0)
            sums[count.source] = (sum.0 &+ count.documents, sum.1 &+ count.bytes)
        }
        return dossiers.map { ($0.name, sums[$0.name]?.0 ?? 0, sums[$0.name]?.1 ?? 0) }
    }

    /// Documents and bytes by rule, the kept ones first, then the rule that dropped most.
    var byRule: [(rule: String?, documents: Int, bytes: Int)] {
        var sums: [String?: (Int, Int)] = [:]
        for count in counts {
            let sum = sums[count.rule] ?? (0, 0)
            sums[count.rule] = (sum.0 &+ count.documents, sum.1 &+ count.bytes)
        }
        return sums.map { (rule: $0.key, documents: $0.value.0, bytes: $0.value.1) }.sorted { a, b in
            guard let ruleA = a.rule, let ruleB = b.rule else { return a.rule == nil && b.rule != nil }
            return a.documents == b.documents ? ruleA < ruleB : a.documents > b.documents
        }
    }
}
