import Core
import Entry
import Wire

/// Of a release of training data: the sources and rules that it says it was made of.
struct ReleaseSection: Sendable {
    var release: OriginView

    /// Of each kind; whoever wants all of them has the files of the revision.
    private static let rowsMax = 50

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let lineage = release.lineage
        let sources = lineage.sources.prefix(Self.rowsMax).html { source in
            """
            <tr><td class="main">\(source.name)<span class="sub">\(from(source))</span></td>
            <td class="wide">\(source.isReference ? w(.releaseCompared) : source.kind ?? "-")</td>
            <td class="wide">\(source.licenceAtOrigin ?? "-"), \(source.licenceAsClaimed ?? "-")</td>
            <td class="n">\(String(source.documents))</td><td class="n">\(String(source.kept))</td></tr>

            """
        }
        let rules = lineage.rules.sorted { ($1.documents, $0.name) < ($0.documents, $1.name) }
        let rows = rules.prefix(Self.rowsMax).html { rule in
            """
            <tr><td class="main">\(rule.name)</td><td class="n">\(String(rule.documents))</td></tr>

            """
        }
        let dropped: HTML =
            rules.isEmpty
            ? .empty
            : frame.table(
                w(.rule),
                head: """
                    <th scope="col">\(w(.rule))</th><th scope="col" class="n">\(w(.documents))</th>
                    """,
                rows: rows
            )
        return """
            <section><h2>\(w(.releaseTitle))</h2><p class="soft">\(w(.releaseLead))</p>
            <p>\(lineage.pipeline.name) · \(lineage.tool) · \(release.author)<br>
            \(w(.recordCount)): \(String(lineage.records)) · \(w(.itemsRoot)): <code>\(lineage.root)</code></p>
            \(frame.table(w(.releaseTitle), head: """
                <th scope="col">\(w(.source))</th><th scope="col" class="wide">\(w(.kind))</th>\
                <th scope="col" class="wide">\(w(.releaseLicence))</th>\
                <th scope="col" class="n">\(w(.documents))</th><th scope="col" class="n">\(w(.written))</th>
                """, rows: sources))
            \(dropped)</section>
            """
    }

    /// The repository and commit that a source came from; else its digest.
    private func from(_ source: ReleaseLineage.Source) -> HTML {
        guard let name = source.repository else {
            return "\(String(source.files)) · <code>sha256:\(String(source.sha256.prefix(12)))</code>"
        }
        let commit = source.revision.map { "@\($0.prefix(12))" } ?? ""
        guard let id = release.repositories[name] else { return "\(name + commit)" }
        let target = Form([]).with("revision", source.revision).on("/console/repositories/\(id)")
        return "<a href=\"\(target)\">\(name + commit)</a>"
    }
}
