import Core
import Entry
import Wire

/// One centre: its machines as they are filled, how fresh that is, what it charges, what runs there.
struct CentrePage: Sendable {
    var centre: CentreView
    /// Active jobs there.
    var jobs: [JobView]
    var reservations: ReservationsSection

    private var path: String { "/console/centres/\(centre.name)" }

    static func chip(_ centre: CentreView, _ w: Words) -> HTML {
        switch centre.state {
        case .removed: Frame.chip("cancelled", w(.centreRemoved))
        case .draining: Frame.chip("queued", w(.centreDraining))
        case .open where centre.joinedAt == nil: Frame.chip("queued", w(.notJoined))
        case .open where !centre.connected: Frame.chip("unseen", w(.silent))
        case .open: Frame.chip("succeeded", w(.centreOpen))
        }
    }

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: centre.name.text,
            section: .centres,
            """
            <div class="title"><div><h1>\(centre.name) \(Self.chip(centre, w))</h1>
            <ul class="meta"><li>\(w(centre.tier))</li><li>\(engine(w))</li><li>\(freshness(frame))</li></ul></div>
            \(controls(frame))</div>
            <div id="live" data-get="\(path)" data-swap="#live" data-every="5">
            \(topology(frame))
            \(reservations.render(frame))
            <div class="columns"><div>\(runs(frame))</div><div>\(facts(frame))</div></div>
            </div>
            """
        )
    }

    private func engine(_ w: Words) -> String {
        guard let engine = centre.engine else { return w(.noEngineYet) }
        return engine.rawValue + (centre.engineVersion.map { " \($0)" } ?? "")
    }

    private func freshness(_ frame: Frame) -> HTML {
        guard let seen = centre.lastSeen else { return "\(frame.words(.neverHeard))" }
        return "\(frame.words(.lastHeard)) \(frame.words.ago(seen, now: frame.now))"
    }

    private func controls(_ frame: Frame) -> HTML {
        let w = frame.words
        guard frame.viewer?.isOperator == true, centre.state != .removed else { return .empty }
        let drain: HTML =
            centre.state == .draining
            ? frame.form("\(path)/resume", "<button class=\"primary\">\(w(.resume))</button>")
            : frame.form(
                "\(path)/drain",
                kind: "row",
                confirm: w(.drainQuestion, centre.name.text),
                """
                <label class="check"><input type="checkbox" name="evict" value="yes"> \(w(.evictToo))</label>
                <button>\(w(.drain))</button>
                """
            )
        let rejoin = frame.form(
            "\(path)/join",
            confirm: w(.rejoinQuestion),
            "<button class=\"quiet\">\(w(.newJoinToken))</button>"
        )
        let remove: HTML =
            centre.liveRuns == 0
            ? frame.form(
                "\(path)/remove",
                confirm: w(.removeCentreQuestion, centre.name.text),
                "<button class=\"quiet danger\">\(w(.remove))</button>"
            ) : ""
        return "<div class=\"row controls\">\(drain)\(rejoin)\(remove)</div>"
    }

    private func topology(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.machines))</h2>"
        guard !centre.nodes.isEmpty else { return "<section>\(title)\(frame.nothing(w(.noMachines)))</section>" }
        let tiles = centre.nodes.html { view in
            let node = view.node
            let cards = node.cards.map { group in
                "\(group.count) × \(group.model)" + (group.emulated ? " (\(w(.emulated)))" : "")
            }.joined(separator: ", ")
            let title = w(
                .nodeTitle,
                node.name,
                (node.cores - view.freeCores).description,
                node.cores.description,
                (node.memory - view.freeMemory).description,
                node.memory.description
            )
            let chart = NodeChart(view, title: cards.isEmpty ? title : "\(title), \(cards)")
            let partition: HTML? = node.partition.map { " <span class=\"soft\">\($0)</span>" }
            let cardLine: HTML = cards.isEmpty ? "" : "<span class=\"sub\">\(cards)</span>"
            let closed: HTML = node.schedulable ? "" : "<span class=\"sub warn\">\(w(.notSchedulable))</span>"
            let measured: HTML? = node.measured.map {
                "<span class=\"sub\">\(w(.nodeMeasured, w.figure($0.fp32Gflops), w.figure($0.memoryGbps)))</span>"
            }
            return """
                <li><div class="node-name">\(node.name)\(partition)</div>\(chart.render())
                <span class="sub">\(w(.nodeUse, (node.cores - view.freeCores).description, node.cores.description,
                    (node.memory - view.freeMemory).description, node.memory.description))</span>
                \(cardLine)\(measured)\(closed)</li>

                """
        }
        return "<section>\(title)<ul class=\"machines\">\(tiles)</ul>\(shared(frame))</section>"
    }

    /// What others hold, where the centre is not ours alone.
    private func shared(_ frame: Frame) -> HTML {
        let w = frame.words
        guard let shared = centre.shared else { return .empty }
        let wait = shared.waitSeconds.map { " " + w(.sharedWait, w.duration(.seconds($0))) } ?? ""
        return """
            <p class="soft">\(w(.sharedWith, shared.cores.description, shared.memory.description, "\(shared.cards)"))
            \(w(.sharedQueue, "\(shared.waiting)", "\(shared.waitingMax)"))\(wait)</p>
            """
    }

    private func runs(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.liveRuns)) <span class=\"count\">\(centre.liveRuns)</span></h2>"
        let unseen: HTML =
            centre.unseenRuns > 0 ? "<p class=\"alert\">\(w(.unseenRuns, "\(centre.unseenRuns)"))</p>" : ""
        guard !jobs.isEmpty else { return "<section>\(title)\(unseen)\(frame.nothing(w(.nothingRuns)))</section>" }
        let rows = jobs.html { job in
            """
            <tr><td class="main"><a href="/console/jobs/\(job.job)">\(frame.name(of: job))</a>\
            <span class="sub">\(job.project) · \(job.user)</span></td><td>\(frame.chip(of: job))</td>
            <td class="soft">\(frame.resources(job.resources, tasks: job.tasks))</td><td class="n">\(frame.timing(of: job))</td></tr>

            """
        }
        let all = Form([("centre", centre.name.text)]).on("/console/jobs")
        return """
            <section>\(title)\(unseen)
            \(frame.table(w(.liveRuns), head: """
                <th scope="col">\(w(.job))</th><th scope="col">\(w(.state))</th><th scope="col">\(w(.resources))</th>\
                <th scope="col" class="n">\(w(.time))</th>
                """, rows: rows))
            <p><a href="\(all)">\(w(.allJobsHere))</a></p></section>
            """
    }

    private func facts(_ frame: Frame) -> HTML {
        let w = frame.words
        let isolation: HTML? = centre.isolates.map { "\($0 ? w(.isolatesYes) : w(.isolatesNo))" }
        let prices = centre.prices
        let models = prices.cardHour.sorted { $0.key < $1.key }.html { model, price in
            frame.term(w(.priceCardModel, model), "\(w.credits(price))")
        }
        let joined: HTML? = centre.joinedAt.map { w.time($0) }
        let agent: HTML? = centre.agent.map { "<code>\($0)</code>" }
        return """
            <section><h2>\(w(.about))</h2><dl class="facts">
            \(frame.term(w(.isolation), isolation))\(frame.term(w(.joined), joined))\(frame.term(w(.agent), agent))</dl></section>
            <section><h2>\(w(.prices))</h2><dl class="facts">
            \(frame.term(w(.priceCore), "\(w.credits(prices.coreHour))"))\(models)\
            \(frame.term(w(.priceCard), "\(w.credits(prices.cardHourDefault))"))</dl></section>
            """
    }
}
