import Core
import Entry
import Wire

/// One simulation: what its policies were worth, in figures and over time.
struct SimulationPage: Sendable {
    var simulation: SimulationDetail

    /// Charts of single centres; more are left out.
    static let centreChartsMax = 24

    private var report: SimulationReport { simulation.report }
    private var policies: [SimulationReport.Policy] { simulation.report.policies }

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let summary = simulation.summary
        let remove: HTML =
            frame.viewer?.isOperator == true
            ? frame.form(
                "/console/simulations/\(summary.name)/delete",
                "<button class=\"quiet danger\">\(w.deleteSimulation)</button>"
            ) : .empty
        return frame.page(
            title: summary.name.text,
            section: .centres,
            """
            <div class="title"><div><h1>\(summary.name)</h1>
            <ul class="meta"><li><a href="/console/simulations">\(w.simulations)</a></li><li>\(summary.trace)</li>\
            <li>\(w.replayed(summary))</li><li>\(w.machine(cores: summary.cores, cards: summary.cards))</li>\
            <li>\(w.publishedAt) \(w.ago(summary.publishedAt, now: frame.now))</li>\
            <li>\(w.publishedBy(summary.user.text))</li></ul></div>
            \(remove)</div>
            \(figures(frame))
            \(differences(frame))
            \(queue(w))
            \(use(w))
            \(waits(frame))
            \(projects(frame))
            \(forecasts(frame))
            \(setting(frame))
            """
        )
    }

    // MARK: Figures

    private func figures(_ frame: Frame) -> HTML {
        let w = frame.words
        let head = policies.enumerated().html { number, policy in
            "<th scope=\"col\" class=\"n\">\(LineKey.mark(number))\(policy.name)</th>"
        }
        let rows = SimulationReport.Figure.allCases.html { figure in
            let values = policies.map { $0[figure] }
            guard values.contains(where: { $0 ?? 0 != 0 }) else { return .empty }
            let best = Self.best(values, figure)
            let cells = values.html { value -> HTML in
                guard let value else { return "<td class=\"n soft\">–</td>" }
                let text = w.value(value, of: figure)
                return value == best ? "<td class=\"n\"><b>\(text)</b></td>" : "<td class=\"n\">\(text)</td>"
            }
            return "<tr><th scope=\"row\">\(w.name(figure))</th>\(cells)</tr>\n"
        }
        let note: HTML = policies.count > 1 ? "<p class=\"soft\">\(w.bestInBold)</p>" : .empty
        return """
            <section><h2>\(w.figures)</h2>
            \(frame.table(w.figures, kind: policies.count < 4 ? "fixed" : "", head: """
                <th scope="col">\(w.figureTitle)</th>\(head)
                """, rows: rows + ends(w)))
            \(note)</section>
            """
    }

    /// What kept jobs from running to their ends, where anything did.
    private func ends(_ w: Words) -> HTML {
        [(w.impossibleJobs, policies.map(\.impossible)), (w.interruptedRuns, policies.map(\.interrupted))]
            .html { title, counts in
                guard counts.contains(where: { $0 > 0 }) else { return .empty }
                let cells = counts.html { "<td class=\"n\">\(w.count($0))</td>" }
                return "<tr><th scope=\"row\">\(title)</th>\(cells)</tr>\n"
            }
    }

    /// The best of several values; `nil` where all are alike or there is nothing to choose.
    private static func best(_ values: [Double?], _ figure: SimulationReport.Figure) -> Double? {
        let known = values.compactMap { $0 }
        guard let isBetterHigh = figure.isBetterHigh, let low = known.min(), let high = known.max(), low < high else {
            return nil
        }
        return isBetterHigh ? high : low
    }

    private func differences(_ frame: Frame) -> HTML {
        let w = frame.words
        guard let base = report.differences.first?.base else { return .empty }
        func scale(_ differences: [SimulationReport.Difference]) -> Double {
            differences.reduce(0) { max($0, $1.low.magnitude, $1.high.magnitude) }
        }
        let waits = scale(report.differences.map(\.waitSeconds))
        let slowdowns = scale(report.differences.map(\.boundedSlowdown))
        func cell(_ difference: SimulationReport.Difference, _ scale: Double, _ text: (Double) -> String) -> HTML {
            let interval = w.interval(text(difference.low), text(difference.high))
            let chart = IntervalChart(
                mean: difference.mean,
                low: difference.low,
                high: difference.high,
                scale: scale,
                label: "\(text(difference.mean)) (\(interval))"
            )
            return """
                <td><span class="difference">\(text(difference.mean))</span> <span class="soft">\(interval)</span>\
                \(chart.render())</td>
                """
        }
        let rows = report.differences.html { comparison in
            let number = policies.firstIndex { $0.name == comparison.policy } ?? 0
            return """
                <tr><th scope="row">\(LineKey.mark(number))\(comparison.policy)</th>
                \(cell(comparison.waitSeconds, waits) { w.signedSeconds($0) })
                \(cell(comparison.boundedSlowdown, slowdowns) { w.signedFigure($0) })</tr>

                """
        }
        return """
            <section><h2>\(w.differences(to: base))</h2><p class="lead">\(w.differencesLead)</p>
            \(frame.table(w.differences(to: base), kind: "differences", head: """
                <th scope="col">\(w.policy)</th><th scope="col">\(w.wait)</th><th scope="col">\(w.slowdown)</th>
                """, rows: rows))</section>
            """
    }

    // MARK: Over time

    /// Beginning, middle and end.
    private func times(_ w: Words) -> [String] {
        let whole = report.stepSeconds * Double(max(1, report.moments - 1))
        return ["0", w.seconds(whole / 2), w.seconds(whole)]
    }

    private var key: HTML { LineKey(names: policies.map(\.name)).render() }

    private func queue(_ w: Words) -> HTML {
        let lines = policies.map { LineChart.Line(name: $0.name, values: $0.queued.map { Double($0) }) }
        let top = LineChart.top(of: lines.flatMap(\.values))
        let chart = LineChart(
            lines: lines,
            top: top,
            scale: [w.figure(top), w.figure(top / 2), "0"],
            times: times(w),
            label: w.queueOverTime
        )
        return "<section><h2>\(w.queueOverTime)</h2>\(chart.render())\(key)</section>"
    }

    private func use(_ w: Words) -> HTML {
        func capacity(_ centre: Int) -> Int {
            report.unit == .cards ? report.centres[centre].cards : report.centres[centre].cores
        }
        func chart(_ title: String, _ centres: [Int]) -> HTML {
            let whole = max(1, centres.reduce(0) { $0 + capacity($1) })
            let lines = policies.map { policy in
                LineChart.Line(
                    name: policy.name,
                    values: (0..<report.moments).map { moment in
                        centres.reduce(0) { $0 + Double(policy.used[$1][moment] * capacity($1)) } / Double(whole) / 1000
                    }
                )
            }
            let size = report.unit == .cards ? w.machine(cards: whole) : w.machine(cores: whole, cards: 0)
            let drawn = LineChart(
                lines: lines,
                top: 1,
                scale: ["100 %", "50 %", "0"],
                times: times(w),
                label: title
            )
            return """
                <figure class="plot"><figcaption>\(title) <span class="soft">\(size)</span></figcaption>\
                \(drawn.render())</figure>

                """
        }
        let usable = report.centres.indices.filter { capacity($0) > 0 }
        let tiers = Tier.allCases.map { tier in (tier, usable.filter { report.centres[$0].tier == tier }) }
            .filter { !$0.1.isEmpty }
        guard !tiers.isEmpty else { return .empty }
        let byTier: HTML = """
            <section><h2>\(w.use(report.unit))</h2><div class="halves">
            \(tiers.html { chart(w($0), $1) })</div>\(key)</section>
            """
        // One centre a tier is what was just drawn.
        guard tiers.contains(where: { $1.count > 1 }) else { return byTier }
        let largest = usable.sorted { (capacity($1), $0) < (capacity($0), $1) }.prefix(Self.centreChartsMax)
        let note: HTML =
            largest.count < usable.count
            ? "<p class=\"soft\">\(w.onlyLargest(largest.count, of: usable.count))</p>" : .empty
        return byTier + """
            <section><h2>\(w.useByCentre(report.unit))</h2>\(note)<div class="halves">
            \(largest.html { chart(report.centres[$0].name, [$0]) })</div>\(key)</section>
            """
    }

    // MARK: By class of jobs

    private func waits(_ frame: Frame) -> HTML {
        let w = frame.words
        var jobs: [Int: Int] = [:]
        for policy in policies { for size in policy.sizes { jobs[size.upTo] = max(jobs[size.upTo] ?? 0, size.jobs) } }
        guard !jobs.isEmpty else { return .empty }
        let longest = policies.flatMap(\.sizes).map(\.meanWaitSeconds).max() ?? 0
        let rows = jobs.sorted { $0.key < $1.key }.html { upTo, jobs in
            let cells = policies.enumerated().html { number, policy in
                guard let size = policy.sizes.first(where: { $0.upTo == upTo }) else {
                    return "<td class=\"soft\">–</td>"
                }
                let text = w.seconds(size.meanWaitSeconds)
                let bar = BarChart(
                    parts: [.init(kind: seriesClass(number), value: size.meanWaitSeconds, title: text)],
                    scale: longest,
                    label: "\(policy.name): \(text)"
                )
                return "<td>\(text)\(bar.render())</td>"
            }
            return """
                <tr><th scope="row" class="nb">\(w.size(upTo, report.unit))</th><td class="n">\(w.count(jobs))</td>\(cells)</tr>

                """
        }
        let head = policies.enumerated().html { number, policy in
            "<th scope=\"col\">\(LineKey.mark(number))\(policy.name)</th>"
        }
        return """
            <section><h2>\(w.waitsBySize)</h2>
            \(frame.table(w.waitsBySize, kind: "by-size", head: """
                <th scope="col">\(w.sizeTitle)</th><th scope="col" class="n">\(w.startedJobs)</th>\(head)
                """, rows: rows))</section>
            """
    }

    private func projects(_ frame: Frame) -> HTML {
        let w = frame.words
        let told = policies.filter { $0.jainProjects != nil || !$0.projects.isEmpty }
        guard !told.isEmpty else { return .empty }
        let parts = told.enumerated().html { number, policy in
            let fairness: HTML? = policy.jainProjects.map { "<p>\(w.fairnessOfProjects(w.figure($0)))</p>" }
            let more: HTML =
                policy.projectsMore > 0 ? "<p class=\"soft\">\(w.moreProjects(policy.projectsMore))</p>" : .empty
            let table = policy.projects.isEmpty ? .empty : shares(policy, frame)
            return """
                <details\(number == 0 ? " open" : "")><summary>\(policy.name)</summary>\(fairness)\(table)\(more)</details>

                """
        }
        return "<section><h2>\(w.sharesByProject)</h2>\(parts)</section>"
    }

    private func shares(_ policy: SimulationReport.Policy, _ frame: Frame) -> HTML {
        let w = frame.words
        let scale = policy.projects.reduce(0.01) { max($0, $1.held, $1.share) }
        let rows = policy.projects.html { project in
            let (held, share) = (w.percent(project.held), w.percent(project.share))
            let bar = BarChart(
                parts: [.init(kind: "used", value: project.held, title: "\(w.held) \(held)")],
                scale: scale,
                mark: (project.share, "\(w.shareTitle) \(share)"),
                label: "\(w.held) \(held), \(w.shareTitle) \(share)"
            )
            return """
                <tr><td class="main">\(project.name)</td><td class="n">\(share)</td><td>\(held)\(bar.render())</td>\
                <td class="n">\(w.percent(project.ofDue))</td><td class="n wide">\(w.count(project.started))</td>\
                <td class="n">\(w.seconds(project.meanWaitSeconds))</td>\
                <td class="n wide">\(w.figure(project.meanBoundedSlowdown))</td></tr>

                """
        }
        return frame.table(
            "\(w.sharesByProject): \(policy.name)",
            kind: "shares",
            head: """
                <th scope="col">\(w(.project))</th><th scope="col" class="n">\(w.shareTitle)</th><th scope="col">\(w.held)</th>\
                <th scope="col" class="n">\(w.ofDue)</th><th scope="col" class="n wide">\(w.startedJobs)</th>\
                <th scope="col" class="n">\(w.wait)</th><th scope="col" class="n wide">\(w.slowdown)</th>
                """,
            rows: rows
        )
    }

    private func forecasts(_ frame: Frame) -> HTML {
        let w = frame.words
        let told = policies.filter { $0.forecasts != nil }
        guard !told.isEmpty else { return .empty }
        let rows = told.html { policy in
            guard let forecasts = policy.forecasts else { return .empty }
            return [(w.foretoldStarts, forecasts.starts), (w.foretoldRuns, forecasts.runs)].html { what, foretold in
                """
                <tr><th scope="row">\(policy.name)</th><td>\(what)</td><td class="n">\(w.count(foretold.count))</td>\
                <td class="n">\(w.percent(foretold.p50Held))</td><td class="n">\(w.percent(foretold.p90Held))</td></tr>

                """
            }
        }
        return """
            <section><h2>\(w.foretold)</h2>
            \(frame.table(w.foretold, kind: "fixed", head: """
                <th scope="col">\(w.policy)</th><th scope="col"></th><th scope="col" class="n">\(w.foretoldCount)</th>\
                <th scope="col" class="n">p50</th><th scope="col" class="n">p90</th>
                """, rows: rows))</section>
            """
    }

    // MARK: Setting

    private func setting(_ frame: Frame) -> HTML {
        let w = frame.words
        let options = report.options
        let skipped = report.trace.skipped.map { "\(w.count($0.jobs)) (\($0.reason))" }.joined(separator: ", ")
        let outages = options.outages.html { outage in
            let centre = report.centres.indices.contains(outage.centre) ? report.centres[outage.centre].name : "?"
            let text = w.outage(
                centre,
                after: w.seconds(Double(outage.fromSeconds)),
                lasting: w.seconds(Double(outage.seconds))
            )
            return "<div>\(text)</div>"
        }
        let centres = report.centres.html { centre in
            """
            <tr><td class="main">\(centre.name)</td><td>\(w(centre.tier))</td><td class="n">\(w.count(centre.nodes))</td>\
            <td class="n">\(w.count(centre.cores))</td><td class="n">\(w.count(centre.cards))</td></tr>

            """
        }
        let hashes = policies.html { policy in
            """
            <tr><td class="main">\(policy.name)</td><td class="n">\(w.seconds(policy.cpuSeconds))</td>\
            <td class="n"><code>\(policy.scheduleHash)</code></td></tr>

            """
        }
        return """
            <section><h2>\(w.setting)</h2><div class="halves"><div><dl class="facts">
            \(frame.term(w.trace, "\(report.trace.name)"))
            \(frame.term(w(.jobs), "\(w.count(report.trace.jobs))"))
            \(frame.term(w.skippedJobs, skipped.isEmpty ? nil : "\(skipped)"))
            \(frame.term(w(.pflops), report.petaflops > 0 ? "\(w.figure(report.petaflops))" : nil))
            \(frame.term(w.loadScale, options.scale == 1 ? nil : "\(w.figure(options.scale))"))
            \(frame.term(w.eventOrder, "\(w.name(options.eventOrder))"))
            \(frame.term(w.stayedHome, options.stayHome ? "\(w(.yes))" : nil))
            \(frame.term(w.projectsAre, options.projects.map { "\(w.name($0))" }))
            \(frame.term(w.outages, outages))
            </dl></div><div>
            \(frame.table(w(.centres), head: """
                <th scope="col">\(w(.centre))</th><th scope="col">\(w(.tier))</th><th scope="col" class="n">\(w.nodesTitle)</th>\
                <th scope="col" class="n">\(w(.cores))</th><th scope="col" class="n">\(w(.cards))</th>
                """, rows: centres))
            \(frame.table(w.policies, head: """
                <th scope="col">\(w.policy)</th><th scope="col" class="n">\(w.processorTime)</th>\
                <th scope="col" class="n">\(w.scheduleHash)</th>
                """, rows: hashes))</div></div></section>
            """
    }
}
