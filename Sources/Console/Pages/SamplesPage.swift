import Core
import Entry
import Hub
import Wire

/// The samples of a release: work lists for people.
struct SamplesPage: Sendable {
    /// A sample as it stands, or why it cannot be judged.
    enum Row: Sendable {
        case sample(SampleView)
        case broken(purpose: String, Failure)
    }

    var tabs: ReleaseTabs
    var rows: [Row]

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: "\(w(.samples)) · \(tabs.path)",
            section: .training,
            """
            <div class="title"><div><h1>\(tabs.path)</h1></div></div>
            \(tabs.render(w, current: .samples))
            <p class="soft">\(w(.samplesLead))</p>
            \(rows.isEmpty ? frame.nothing(w(.noSamples)) : table(frame))
            """
        )
    }

    private func table(_ frame: Frame) -> HTML {
        let w = frame.words
        let body = rows.html { row in
            switch row {
            case .sample(let view): line(view, w)
            case .broken(let purpose, let failure):
                """
                <tr><td class="main">\(shorten(purpose, to: 100))</td><td colspan="6"><em>\(frame.spoken(failure.detail))</em>\
                \(frame.faults(failure.violations, max: 5))</td></tr>

                """
            }
        }
        return """
            \(frame.table(w(.samples), head: """
                <th scope="col">\(w(.purpose))</th><th scope="col" class="n">\(w(.drawnOf))</th>\
                <th scope="col" class="progress">\(w(.settledCount))</th>\
                <th scope="col" class="n wide">\(w(.judgedCount))</th><th scope="col" class="n wide">\(w(.reviewedCount))</th>\
                <th scope="col" class="n wide">\(w(.disputedCount))</th><th scope="col" class="n">\(w(.bad))</th>
                """, rows: body))
            <section><p class="soft">\(w(.verdictsHome))</p>\
            \(frame.code("onepoint data verdicts pipeline.yaml \(tabs.path)"))</section>
            """
    }

    private func line(_ view: SampleView, _ w: Words) -> HTML {
        """
        <tr><td class="main"><a href="\(tabs.judging(view.purpose))">\(view.purpose)</a></td>\
        <td class="n">\(w(.keptFigure, w.count(view.drawn), w.count(view.population)))</td>\
        <td>\(Self.bar(view, w))</td><td class="n wide">\(w.count(view.judged))</td>\
        <td class="n wide">\(w.count(view.reviewed))</td><td class="n wide">\(w.count(view.disputed))</td>\
        <td class="n">\(w(.keptFigure, w.count(view.bad), w.count(view.settled)))</td></tr>

        """
    }

    /// How far people are with it.
    static func bar(_ view: SampleView, _ w: Words) -> HTML {
        let text = w(.keptFigure, w.count(view.settled), w.count(view.drawn))
        return """
            \(BarChart(
                parts: [
                    .init(kind: "is-succeeded", value: Double(view.good), title: w(.good)),
                    .init(kind: "is-failed", value: Double(view.bad), title: w(.bad)),
                    .init(kind: "is-active", value: Double(max(0, view.judged - view.settled)), title: w(.judgedCount)),
                ],
                scale: Double(max(1, view.drawn)),
                mark: nil,
                label: text
            ).render())<span class="of">\(text)</span>
            """
    }
}
