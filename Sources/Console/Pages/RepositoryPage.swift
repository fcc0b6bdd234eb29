import Core
import Entry
import Hub
import Wire

/// One repository at one revision: its card, its files, its history, where it comes from, and how to get it.
struct RepositoryPage: Sendable {
    var repository: RepositoryDetail
    /// Of the repository, as clients reach the point.
    var address: String
    /// What is looked at: a branch, a tag or a commit.
    var revision: String
    /// `nil` while nothing was committed.
    var head: Revision?
    /// The text of `README.md` without its head.
    var card: String?
    /// Of one folder.
    var folder: String
    var files: [PlacedEntry]
    var hasMore: Bool
    var history: [Revision]
    var lineage: LineageView
    /// Whether the revision says how it was made.
    var isRelease = false

    private var summary: RepositoryView { repository.summary }
    private var here: String { "/console/repositories/\(summary.repository)" }

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: summary.path,
            section: .repositories,
            """
            <div class="title"><div><h1>\(summary.path)</h1>
            <ul class="meta"><li>\(w(summary.kind))</li><li>\(w(summary.visibility))</li>\
            \(summary.gating == .none ? "" : "<li>\(w(.gated))</li>")\
            \([summary.task, summary.library, summary.licence].compactMap { $0 }.html { "<li>\($0)</li>" })\
            <li>\(repository.bytes.description)</li></ul></div></div>
            \(revisions(w))
            \(governance(w))
            \(content(frame))
            \(graph(frame))
            \(past(frame))
            \(usage(frame))
            """
        )
    }

    private func at(_ revision: String, folder: String = "") -> String {
        Form([("revision", revision)]).with("path", folder.isEmpty ? nil : folder).on(here)
    }

    private func revisions(_ w: Words) -> HTML {
        guard !repository.references.isEmpty else { return .empty }
        let items = repository.references.prefix(50).html { reference in
            let name = reference.name.kind == .pullRequest ? "refs/\(reference.name)" : reference.name.name
            let current: HTML = name == revision ? " aria-current=\"true\"" : ""
            return "<li><a href=\"\(at(name))\"\(current)>\(name)</a></li>"
        }
        return "<nav class=\"tabs\" aria-label=\"\(w(.revisions))\"><ul>\(items)</ul></nav>"
    }

    private func governance(_ w: Words) -> HTML {
        guard isRelease else { return .empty }
        return ReleaseTabs(repository: summary.repository, path: summary.path, revision: revision)
            .render(w, current: .files)
    }

    private func content(_ frame: Frame) -> HTML {
        let w = frame.words
        guard let head else {
            return repository.tags.isEmpty ? frame.nothing(w(.nothingCommitted)) : .empty
        }
        let text: HTML? = card.map { "<section><h2>\(w(.card))</h2><pre class=\"card-text\">\($0)</pre></section>" }
        let up: HTML =
            folder.isEmpty
            ? ""
            : """
            <tr><td class="main" colspan="3"><a href="\(at(revision, folder: parent))">..</a></td></tr>
            """
        let rows = files.html { file in
            let name = String(file.path.split(separator: "/").last ?? "")
            guard let digest = file.entry.digest else {
                return """
                    <tr><td class="main"><a href="\(at(revision, folder: file.path))">\(name)/</a></td>\
                    <td class="wide"></td><td class="n"></td></tr>

                    """
            }
            let target = Form([("revision", head.id.text), ("path", file.path)]).on("\(here)/file")
            return """
                <tr><td class="main"><a href="\(target)">\(name)</a></td>
                <td class="soft wide"><code>\(String(digest.hex.prefix(12)))</code></td>
                <td class="n">\(file.entry.size.description)</td></tr>

                """
        }
        let more: HTML = hasMore ? "<p class=\"soft\">\(w(.moreFiles))</p>" : ""
        return """
            <section><h2>\(w(.files))\(folder.isEmpty ? "" : " <small>\(folder)</small>")</h2>
            \(frame.table(w(.files), head: """
                <th scope="col">\(w(.name))</th><th scope="col" class="wide">SHA-256</th>\
                <th scope="col" class="n">\(w(.size))</th>
                """, rows: up + rows))\(more)</section>
            \(text)
            """
    }

    private var parent: String { folder.split(separator: "/").dropLast().joined(separator: "/") }

    private func graph(_ frame: Frame) -> HTML {
        let w = frame.words
        let release = lineage.release.map { ReleaseSection(release: $0).render(frame) } ?? .empty
        let releases = uses(frame)
        guard !lineage.edges.isEmpty else { return "\(release)\(releases)" }
        return """
            \(release)\(releases)<section><h2>\(w(.lineage))</h2><p class="soft">\(w(.lineageLead))</p>
            <div class="scroll" tabindex="0">\(LineageChart(revision: summary.path, edges: lineage.edges).render(w))</div></section>
            """
    }

    /// Releases of training data that say they were made of the revision.
    private func uses(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !lineage.releases.isEmpty else { return .empty }
        let rows = lineage.releases.html { release in
            let target = Form([("revision", release.revision.text)]).on("/console/repositories/\(release.repository)")
            return """
                <tr><td class="main"><a href="\(target)">\(release.path)</a>\
                <span class="sub"><code>\(String(release.revision.text.prefix(12)))</code></span></td>\
                <td class="wide">\(release.author)</td><td class="n">\(w.ago(release.at, now: frame.now))</td></tr>

                """
        }
        return """
            <section><h2>\(w(.releasesOfIt))</h2><p class="soft">\(w(.releasesOfItLead))</p>
            \(frame.table(w(.releasesOfIt), head: """
                <th scope="col">\(w(.repositories))</th><th scope="col" class="wide">\(w(.user))</th>\
                <th scope="col" class="n">\(w(.time))</th>
                """, rows: rows))</section>
            """
    }

    private func past(_ frame: Frame) -> HTML {
        let w = frame.words
        let rows = history.html { revision in
            """
            <tr><td class="main"><a href="\(at(revision.id.text))"><code>\(String(revision.id.text.prefix(12)))</code></a>\
            <span class="sub">\(revision.title)</span></td><td class="wide">\(revision.author)</td>\
            <td class="n">\(w.ago(revision.at, now: frame.now))</td></tr>

            """
        }
        let tags: HTML? =
            repository.tags.isEmpty
            ? nil
            : "<p>\(w(.ociTags)): \(repository.tags.prefix(50).html { "<code>\($0)</code> " })</p>"
        guard !history.isEmpty else { return tags.map { "<section>\($0)</section>" } ?? .empty }
        return """
            <section><h2>\(w(.revisions))</h2>
            \(frame.table(w(.revisions), head: """
                <th scope="col">\(w(.revision))</th><th scope="col" class="wide">\(w(.user))</th>\
                <th scope="col" class="n">\(w(.time))</th>
                """, rows: rows))\(tags)</section>
            """
    }

    /// How each client gets it.
    private func usage(_ frame: Frame) -> HTML {
        let w = frame.words
        let path = summary.path
        var snippets: [(String, String)] = []
        if summary.kind != .image {
            let type = summary.kind == .dataset ? " --repo-type dataset" : ""
            snippets += [
                (
                    "hf",
                    """
                    export HF_ENDPOINT=\(address) HF_TOKEN=op_…
                    hf download \(path)\(type)
                    hf upload \(path) ./folder\(type)
                    """
                ),
                (
                    summary.kind == .dataset ? "datasets" : "transformers",
                    summary.kind == .dataset
                        ? "from datasets import load_dataset\nload_dataset(\"\(path)\")"
                        : "from transformers import AutoModel\nAutoModel.from_pretrained(\"\(path)\")"
                ),
                (
                    w(.inJob),
                    """
                    inputs:
                      \(summary.kind == .dataset ? "data" : "model"): {repository: \(shelfWord)/\(path), revision: \(revision)}
                    """
                ),
            ]
        }
        let host = address.split(separator: "/").last.map(String.init) ?? address
        let image = summary.kind == .image ? path : "\(shelfWord)/\(path.lowercased())"
        snippets.append(
            (
                "oras, skopeo",
                """
                oras pull \(host)/\(image):\(repository.tags.first ?? revision)
                skopeo copy docker://\(host)/\(image):\(repository.tags.first ?? revision) oci:layout
                """
            )
        )
        let blocks = snippets.html { "<p class=\"soft\">\($0.0)</p>\(frame.code($0.1))" }
        return "<section><h2>\(w(.howToGet))</h2>\(blocks)</section>"
    }

    private var shelfWord: String { summary.kind == .algorithm ? "algorithms" : summary.kind.shelf.rawValue }
}
