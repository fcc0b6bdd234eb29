import Core
import Entry
import Wire

/// The published simulations.
struct SimulationsPage: Sendable {
    var page: Wire.Page<SimulationSummary>
    var query: Form

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let how: HTML = """
            <details class="help"><summary>\(w.publishHow)</summary>
            \(frame.code("onepoint simulate TRACE --policy onepoint,easy --publish NAME"))</details>
            """
        return frame.page(
            title: w.simulations,
            section: .centres,
            """
            <div class="title"><h1>\(w.simulations)</h1></div>
            <p class="lead">\(w.simulationsLead)</p>
            \(list(frame))
            \(frame.pager(path: "/console/simulations", query: query, next: page.next))
            \(how)
            """
        )
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !page.items.isEmpty else { return frame.nothing(w.noSimulations) }
        let rows = page.items.html { view in
            """
            <tr><td class="main"><a href="/console/simulations/\(view.name)">\(view.name)</a>\
            <span class="sub">\(view.trace)</span></td>
            <td class="wide">\(view.policies.joined(separator: ", "))</td><td class="n">\(w.count(view.jobs))</td>\
            <td class="n wide">\(w.count(view.centres))</td>\
            <td class="n">\(w.ago(view.publishedAt, now: frame.now))<span class="sub">\(view.user)</span></td></tr>

            """
        }
        return frame.table(
            w.simulations,
            head: """
                <th scope="col">\(w(.name))</th><th scope="col" class="wide">\(w.policies)</th>\
                <th scope="col" class="n">\(w(.jobs))</th><th scope="col" class="n wide">\(w(.centres))</th>\
                <th scope="col" class="n">\(w.published)</th>
                """,
            rows: rows
        )
    }
}
