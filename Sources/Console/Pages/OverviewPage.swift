import Core
import Entry
import Wire

/// The front page: what there is, what runs, what waits and why.
struct OverviewPage: Sendable {
    var overview: OverviewView

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.overview),
            section: .overview,
            """
            <div class="title"><h1>\(w(.overview))</h1>\(frame.projectSwitch(action: "/console"))</div>
            <div id="live" data-get="\(frame.link("/console"))" data-swap="#live" data-every="5">
            \(figures(frame))
            \(capacity(frame))
            <div class="columns">
            <div>\(waiting(frame))\(running(frame))</div>
            <div>\(recent(frame))</div>
            </div>
            </div>
            """
        )
    }

    private func figures(_ frame: Frame) -> HTML {
        let w = frame.words
        let cells = JobState.allCases.html { state in
            let count = overview.jobs[state.rawValue] ?? 0
            let target = frame.link("/console/jobs", Form([("state", state.rawValue)]))
            return """
                <li class="is-\(state.rawValue)"><a href="\(target)"><span class="number">\(w.count(count))</span>\
                <span class="chip is-\(state.rawValue)">\(w(state))</span></a></li>
                """
        }
        return "<ul class=\"figures\" aria-label=\"\(w(.jobsByState))\">\(cells)</ul>"
    }

    private func capacity(_ frame: Frame) -> HTML {
        let w = frame.words
        guard overview.capacity.tiers.contains(where: { $0.centres > 0 }) else {
            let connect: HTML =
                frame.viewer?.isOperator == true
                ? "<p><a class=\"button\" href=\"/console/centres#connect\">\(w(.connectCentre))</a></p>" : ""
            return """
                <section><h2>\(w(.capacity))</h2>\(frame.nothing(w(.noCentres)))\(connect)</section>
                """
        }
        let figures = CapacityTable(capacity: overview.capacity)
        return """
            <section><h2>\(w(.capacity))</h2>
            \(figures.bars(frame))
            <details class="figures-table"><summary>\(w(.allFigures))</summary>\(figures.table(frame))</details>
            </section>
            """
    }

    private func waiting(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.waitingWhy))</h2>"
        guard !overview.waiting.isEmpty else { return "<section>\(title)\(frame.nothing(w(.nothingWaits)))</section>" }
        let longest = Double(overview.waiting.map(\.count).max() ?? 1)
        let target = frame.link("/console/jobs", Form([("state", JobState.queued.rawValue)]))
        let rows = overview.waiting.html { group in
            let name = w.waiting(group.code)
            let bar = BarChart(
                parts: [.init(kind: "waiting", value: Double(group.count), title: "\(name): \(group.count)")],
                scale: longest,
                label: "\(name): \(group.count)"
            )
            return """
                <li><a href="\(target)"><span class="reason">\(name)</span> <span class="n">\(w.count(group.count))</span></a>
                \(bar.render())<p class="soft">\(frame.spoken(group.headline))</p></li>
                """
        }
        return """
            <section>\(title)<ul class="reasons">\(rows)</ul>
            <p><a href="/console/simulations">\(w.otherPolicies)</a></p></section>
            """
    }

    private func running(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.runningNow))</h2>"
        guard !overview.running.isEmpty else { return "<section>\(title)\(frame.nothing(w(.nothingRuns)))</section>" }
        let rows = overview.running.html { job in
            let place: HTML? = job.centre.map { "<a href=\"/console/centres/\($0)\">\($0)</a>" }
            return """
                <tr><td class="main"><a href="/console/jobs/\(job.job)">\(frame.name(of: job))</a>\
                <span class="sub">\(job.project)</span></td>
                <td>\(frame.chip(of: job))</td><td class="nb wide">\(place)</td><td class="n">\(frame.timing(of: job))</td></tr>

                """
        }
        return """
            <section>\(title)
            \(frame.table(w(.runningNow), head: """
                <th scope="col">\(w(.job))</th><th scope="col">\(w(.state))</th><th scope="col" class="wide">\(w(.centre))</th>\
                <th scope="col" class="n">\(w(.time))</th>
                """, rows: rows))
            </section>
            """
    }

    private func recent(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.recentEvents))</h2>"
        guard !overview.recent.isEmpty else { return "<section>\(title)\(frame.nothing(w(.noEvents)))</section>" }
        return "<section>\(title)\(EventList(events: overview.recent).render(frame))</section>"
    }
}

/// Events as lines, newest first.
struct EventList: Sendable {
    var events: [EventView]

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let lines = events.sorted { $0.sequence > $1.sequence }.html { event in
            let detail: HTML =
                (event.payload["name"]?.stringValue ?? event.payload["spec"]?["name"]?.stringValue)
                .map { " <b>\($0)</b>" } ?? ""
            return """
                <li><span class="what">\(w.event(event.kind))\(detail)</span>
                <span class="soft">\(subject(event)) · \(event.actor) · \(w.ago(event.at, now: frame.now))</span></li>

                """
        }
        return "<ol class=\"events\">\(lines)</ol>"
    }

    private func subject(_ event: EventView) -> HTML {
        let subject = event.subject
        if let job = JobID(subject) { return "<a href=\"/console/jobs/\(job)\">\(Self.short(subject))</a>" }
        if let workflow = WorkflowID(subject) {
            return "<a href=\"/console/workflows/\(workflow)\">\(Self.short(subject))</a>"
        }
        if let array = ArrayID(subject) { return "<a href=\"/console/jobs?array=\(array)\">\(Self.short(subject))</a>" }
        if let run = RunKey(subject) {
            return "<a href=\"/console/jobs/\(run.job)\">\(Self.short(run.job.description)) #\(run.number)</a>"
        }
        let parts = subject.split(separator: "/", maxSplits: 1).map(String.init)
        if parts.count == 2, parts[0] == "centre", let name = CentreName(parts[1]) {
            return "<a href=\"/console/centres/\(name)\">\(name)</a>"
        }
        if parts.count == 2, parts[0] == "project", let name = ProjectName(parts[1]) {
            return "<a href=\"/console/projects/\(name)\">\(name)</a>"
        }
        return HTML(escaping: parts.count == 2 ? "\(parts[0])/\(Self.short(parts[1]))" : Self.short(subject))
    }

    /// The kind and the last characters, which differ where the first do not; of a digest the first, as everywhere.
    static func short(_ id: String) -> String {
        if Digest(id) != nil { return "\(id.prefix(19))…" }
        let parts = id.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, parts[1].count == 26 else { return id }
        return "\(parts[0])-…\(parts[1].suffix(6))"
    }
}
