import Core
import Entry
import Wire

/// Releases of training data over all data sets that the viewer may see.
struct TrainingPage: Sendable {
    var page: Wire.Page<ReleaseView>
    var query: Form

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.training),
            section: .training,
            """
            <div class="title"><div><h1>\(w(.training))</h1><p class="soft">\(w(.trainingLead))</p></div></div>
            \(list(frame))
            \(frame.pager(path: "/console/training", query: query, next: page.next))
            """
        )
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !page.items.isEmpty else {
            return page.next == nil
                ? frame.nothing(w(.noReleases)) + "<p class=\"soft\">\(w(.noReleasesHelp))</p>" : .empty
        }
        let rows = page.items.html { view in
            let tabs = ReleaseTabs(repository: view.repository, path: view.path, revision: "main")
            let tags: HTML? =
                view.tags.isEmpty
                ? nil
                : """
                <span class="sub">\(view.tags.suffix(5).html { tag in
                    let target = ReleaseTabs(repository: view.repository, path: view.path, revision: tag)
                    return "<a href=\"\(target.link(.governance))\">\(tag)</a> "
                })</span>
                """
            let samples = view.samples.html { sample in
                let isDone = sample.drawn > 0 && sample.settled == sample.drawn
                return """
                    <a class="sub" href="\(tabs.link(.samples))">\(Frame.chip(
                        isDone ? "succeeded" : sample.judged > 0 ? "active" : "queued",
                        w(.settledOf, sample.purpose, w.count(sample.settled), w.count(sample.drawn))
                    ))</a>
                    """
            }
            return """
                <tr><td class="main"><a href="\(tabs.link(.governance))">\(view.path)</a>\(tags)</td>
                <td>\(kept(view, w))</td>
                <td class="wide">\(view.licence ?? "–")</td>
                <td>\(view.samples.isEmpty ? "–" : samples)</td>
                <td>\(w(!view.hasPack ? .packNone : view.isSigned ? .packSigned : .packUnsigned))</td>
                <td class="n">\(w.ago(view.finishedAt ?? view.committedAt, now: frame.now))</td></tr>

                """
        }
        return frame.table(
            w(.training),
            kind: "releases",
            head: """
                <th scope="col">\(w(.name))</th><th scope="col">\(w(.keptOfRead))</th>\
                <th scope="col" class="wide">\(w(.licence))</th><th scope="col">\(w(.samples))</th>\
                <th scope="col">\(w(.auditPack))</th><th scope="col" class="n">\(w(.released))</th>
                """,
            rows: rows
        )
    }

    private func kept(_ view: ReleaseView, _ w: Words) -> HTML {
        guard let read = view.read, let written = view.written else { return "–" }
        let text = w(.keptFigure, w.count(written), w.count(read))
        let bar = BarChart(
            parts: [.init(kind: "used", value: Double(min(written, read)), title: text)],
            scale: Double(read),
            mark: nil,
            label: text
        )
        return "\(bar.render())<span class=\"of\">\(text)</span>"
    }
}
