import Core
import Entry
import Wire

/// One job, whole: where it stands and why, its attempts in time, what it says, what it left, what it cost.
struct JobPage: Sendable {
    /// The end of what the shown run printed.
    struct Log: Sendable, Hashable {
        var run: Int
        var task: Int
        var tasks: Int
        /// Where `text` begins.
        var offset: Int64
        /// Where the next byte will be.
        var end: Int64
        var text: String
        var isComplete: Bool
    }

    var job: JobDetail
    var why: WhyView
    var log: Log?
    /// What happened to it, oldest first.
    var events: [EventView]

    private var summary: JobView { job.summary }
    private var path: String { "/console/jobs/\(summary.job)" }
    private var isLive: Bool { !summary.state.isTerminal }

    func render(_ frame: Frame) -> HTML {
        let live: HTML =
            isLive
            ? " data-get=\"\(path)\" data-swap=\"#live\" data-every=\"10\" data-sse=\"\(path)/changes\" data-on=\"change\""
            : ""
        return frame.page(
            title: frame.name(of: summary),
            section: .jobs,
            """
            <div id="live"\(live)>
            \(head(frame))
            \(reason(frame))
            \(JobTimeline(job: job, events: events).render(frame))
            </div>
            \(logSection(frame))
            <div class="columns">
            <div>\(artifacts(frame))\(runs(frame))</div>
            <div>\(cost(frame))\(JobSpecification(job: job).render(frame))\(dependencies(frame))\(history(frame))</div>
            </div>
            """
        )
    }

    private func head(_ frame: Frame) -> HTML {
        let w = frame.words
        let workflow: HTML? = summary.workflow.map {
            "<a href=\"/console/workflows/\($0)\">\(w(.workflow)) \(EventList.short($0.description))</a>"
        }
        let array: HTML? = summary.array.map {
            "<a href=\"/console/jobs?array=\($0)\">\(w(.array)) \(EventList.short($0.description))</a>"
        }
        let stop: HTML =
            isLive && !summary.cancelRequested && frame.viewer?.canWrite == true
            ? frame.form(
                "\(path)/cancel",
                confirm: w(.cancelJobQuestion, frame.name(of: summary)),
                "<button class=\"danger\">\(w(.cancelJob))</button>"
            ) : ""
        let links = [workflow, array].compactMap { $0 }.html { "<li>\($0)</li>" }
        return """
            <div class="title"><div><h1>\(frame.name(of: summary)) \(frame.chip(of: summary))</h1>
            <ul class="meta"><li><a href="/console/projects/\(summary.project)">\(summary.project)</a></li>\
            <li>\(summary.user)</li>\(links)<li>\(w.ago(summary.submittedAt, now: frame.now))</li>\
            <li><code>\(summary.job)</code></li></ul></div>\(stop)</div>
            """
    }

    private func reason(_ frame: Frame) -> HTML {
        let w = frame.words
        let evidence = why.evidence.html { "<li>\(frame.spoken($0))</li>" }
        let list: HTML = evidence.isEmpty ? "" : "<ul class=\"evidence\">\(evidence)</ul>"
        let way: HTML? = why.wayOut.map { "<p><b>\(w(.wayOut))</b> \(frame.spoken($0))</p>" }
        let start: HTML? = why.predictedStart.map { start in
            let latest: HTML? = why.predictedStartP90.map {
                " <span class=\"soft\">\(w(.predictedStartBy)) \(w.time($0))</span>"
            }
            return "<p><b>\(w(.predictedStart))</b> \(w.time(start))\(latest)</p>"
        }
        let foretold: HTML? = job.forecast.map { forecast in
            let text = w(
                .foretoldRun,
                w.duration(.seconds(forecast.runP50Seconds)),
                w.duration(.seconds(forecast.runP90Seconds)),
                w.credits(forecast.costP50),
                w.credits(forecast.costP90)
            )
            return "<p><b>\(w(.foretold))</b> \(text)</p>"
        }
        return """
            <section class="why is-\(summary.state.rawValue)" aria-label="\(w(.why))">
            <p class="headline">\(frame.spoken(why.headline))</p>
            \(list)\(way)\(start)\(foretold)</section>
            """
    }

    private func logSection(_ frame: Frame) -> HTML {
        let w = frame.words
        guard let log else {
            return "<section id=\"log\"><h2>\(w(.log))</h2>\(frame.nothing(w(.noLogYet)))</section>"
        }
        let tabs: HTML =
            log.tasks > 1
            ? (0..<min(log.tasks, 64)).html { task in
                let current: HTML = task == log.task ? " aria-current=\"true\"" : ""
                return
                    "<li><a href=\"\(path)?run=\(log.run)&amp;task=\(task)#log\"\(current)>\(w(.taskNumber, "\(task)"))</a></li>"
            } : .empty
        let bar: HTML =
            tabs.isEmpty ? "" : "<nav class=\"tabs small\" aria-label=\"\(w(.tasks))\"><ul>\(tabs)</ul></nav>"
        let note: HTML = log.offset > 0 ? "<p class=\"soft\">\(w(.logCut, "\(Bytes(log.offset))"))</p>" : ""
        let stream: HTML =
            log.isComplete
            ? ""
            : " data-sse=\"\(path)/log/stream?run=\(log.run)&amp;task=\(log.task)&amp;from=\(log.end)\" data-on=\"log\""
        let state: HTML =
            log.isComplete
            ? "<span class=\"soft\">\(w(.logComplete))</span>"
            : "<a class=\"button small\" href=\"\(path)?run=\(log.run)&amp;task=\(log.task)#log\" data-plain>\(w(.refresh))</a>"
        return """
            <section id="log"><div class="title"><h2>\(w(.log))</h2>\
            <div class="row"><a class="button small" href="\(path)/log?run=\(log.run)&amp;task=\(log.task)">\
            \(w(.wholeLog))</a>\(state)</div></div>
            \(bar)\(note)
            <pre class="log" tabindex="0" role="log" aria-label="\(w(.log))"\(stream)>
            \(log.text)</pre></section>
            """
    }

    private func artifacts(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.artifacts))</h2>"
        guard !job.artifacts.isEmpty else {
            let text =
                job.spec.outputs.isEmpty ? w(.noOutputs) : w(.outputsLater, job.spec.outputs.joined(separator: ", "))
            return "<section>\(title)\(frame.nothing(text))</section>"
        }
        let rows = job.artifacts.html { artifact in
            """
            <tr><td class="main"><a href="\(Self.link(artifact))">\(artifact.name)</a>\
            <span class="sub"><code>\(artifact.digest)</code></span></td>
            <td>\(artifact.kind == .tree ? w(.folder) : w(.file))</td><td class="n">\(artifact.size.description)</td></tr>

            """
        }
        return """
            <section>\(title)
            \(frame.table(w(.artifacts), head: """
                <th scope="col">\(w(.name))</th><th scope="col">\(w(.kind))</th><th scope="col" class="n">\(w(.size))</th>
                """, rows: rows))
            </section>
            """
    }

    /// Where an artifact can be had: a folder as a list of its files, a file as a download.
    static func link(_ artifact: Artifact) -> String {
        artifact.kind == .tree
            ? Form([("name", artifact.name)]).on("/console/trees/\(artifact.digest)")
            : Form([("name", artifact.name)]).on("/console/blobs/\(artifact.digest)")
    }

    private func runs(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = "<h2>\(w(.runs))</h2>"
        guard !job.runs.isEmpty else { return "<section>\(title)\(frame.nothing(w(.noRuns)))</section>" }
        let rows = job.runs.html { run in
            let place = run.nodes.map { node in
                let card = node.card.map { " · \($0)" + (node.emulated ? " (\(w(.emulated)))" : "") } ?? ""
                return "\(node.node)\(node.tasks > 1 ? " ×\(node.tasks)" : "")\(card)"
            }.joined(separator: ", ")
            let took: HTML = run.startedAt.map { "\(w.duration((run.endedAt ?? frame.now) - $0))" } ?? "–"
            let price: HTML =
                run.charged.map { "\(w.credits($0))" }
                ?? "\(w.credits(run.reserved))<span class=\"sub\">\(w(.setAside))</span>"
            let said: HTML? = (run.summary ?? run.waiting).map { "<span class=\"sub\">\(frame.spoken($0))</span>" }
            let state: HTML =
                run.unseenSince != nil && !run.state.isTerminal
                ? Frame.chip("unseen", w(.unseen)) : frame.chip(run.state)
            return """
                <tr><td class="n"><a href="\(path)?run=\(run.number)#log">\(run.number)</a></td><td>\(state)</td>
                <td class="main"><a href="/console/centres/\(run.centre)">\(run.centre)</a>\
                <span class="sub">\(place)</span>\(said)<span class="sub">\(frame.spoken(run.reason))</span></td>
                <td class="n">\(took)</td><td class="n wide">\(price)</td></tr>

                """
        }
        return """
            <section>\(title)
            \(frame.table(w(.runs), head: """
                <th scope="col" class="n">#</th><th scope="col">\(w(.state))</th><th scope="col">\(w(.centre))</th>\
                <th scope="col" class="n">\(w(.time))</th><th scope="col" class="n wide">\(w(.credits))</th>
                """, rows: rows))
            </section>
            """
    }

    private func cost(_ frame: Frame) -> HTML {
        let w = frame.words
        let rate: HTML? = job.runs.last.map { "\(w.credits($0.pricePerHour))" }
        return """
            <section><h2>\(w(.cost))</h2><dl class="facts">
            \(frame.term(w(.charged), "\(w.credits(job.charged))"))\(frame.term(w(.reserved), "\(w.credits(job.reserved))"))\
            \(frame.term(w(.pricePerHour), rate))\
            \(frame.term(w(.retriesUsed), "\(job.retriesUsed) / \(job.spec.retries.limit)"))</dl></section>
            """
    }

    private func dependencies(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !job.dependencies.isEmpty else { return .empty }
        let lines = job.dependencies.html { item in
            let target =
                switch item.on {
                case .job(let id): "/console/jobs/\(id)"
                case .array(let id): "/console/jobs?array=\(id)"
                }
            let states = JobState.allCases.html { state -> HTML in
                guard let count = item.states[state.rawValue], count > 0 else { return .empty }
                return " " + Frame.chip(state.rawValue, count > 1 ? "\(w(state)) \(count)" : w(state))
            }
            return "<li><a href=\"\(target)\">\(item.name)</a>\(states)</li>"
        }
        return "<section><h2>\(w(.dependencies))</h2><ul class=\"plain-list\">\(lines)</ul></section>"
    }

    private func history(_ frame: Frame) -> HTML {
        guard !events.isEmpty else { return .empty }
        let w = frame.words
        return """
            <section><h2>\(w(.history))</h2>
            <details><summary>\(w(.eventsCount, "\(events.count)"))</summary>\(EventList(events: events).render(frame))</details>
            </section>
            """
    }
}
