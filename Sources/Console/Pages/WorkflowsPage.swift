import Core
import Entry
import Wire

/// All workflows, newest first.
struct WorkflowsPage: Sendable {
    var page: Wire.Page<WorkflowView>
    var query: Form

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.workflows),
            section: .workflows,
            """
            <div class="title"><h1>\(w(.workflows))</h1>\(frame.projectSwitch(action: "/console/workflows"))</div>
            <div id="live" data-get="\(query.on("/console/workflows"))" data-swap="#live" data-every="5">
            \(list(frame))
            \(frame.pager(path: "/console/workflows", query: query, next: page.next))
            </div>
            """
        )
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !page.items.isEmpty else { return frame.nothing(w(.noWorkflows)) }
        let rows = page.items.html { flow in
            """
            <tr><td>\(frame.chip(flow.state))</td>
            <td class="main"><a href="/console/workflows/\(flow.workflow)">\(flow.name)</a>\
            <span class="sub">\(flow.project) · \(flow.user)</span></td>
            <td class="progress">\(Self.progress(flow, frame))</td>
            <td class="n wide">\(w.duration((flow.endedAt ?? frame.now) - flow.submittedAt))</td>
            <td class="n wide">\(w.credits(flow.charged))</td>
            <td class="n wide">\(w.ago(flow.submittedAt, now: frame.now))</td></tr>

            """
        }
        return frame.table(
            w(.workflows),
            head: """
                <th scope="col">\(w(.state))</th><th scope="col">\(w(.name))</th><th scope="col">\(w(.progress))</th>\
                <th scope="col" class="n wide">\(w(.time))</th><th scope="col" class="n wide">\(w(.credits))</th>\
                <th scope="col" class="n wide">\(w(.submitted))</th>
                """,
            rows: rows
        )
    }

    /// Its jobs by state as one bar.
    static func progress(_ flow: WorkflowView, _ frame: Frame) -> HTML {
        let w = frame.words
        func count(_ state: JobState) -> Int { flow.nodes.reduce(0) { $0 + ($1.states[state.rawValue] ?? 0) } }
        let total = flow.nodes.reduce(0) { $0 + $1.count }
        let order: [JobState] = [.succeeded, .active, .failed, .cancelled, .queued]
        let kinds: [HTML] = ["is-succeeded", "is-active", "is-failed", "is-cancelled", "is-queued"]
        let label = w(.doneOf, w.count(count(.succeeded)), w.count(total))
        let bar = BarChart(
            parts: zip(order, kinds).map { state, kind in
                .init(kind: kind, value: Double(count(state)), title: "\(w(state)) \(count(state))")
            },
            scale: Double(total),
            label: label
        )
        return "\(bar.render())<span class=\"of\">\(label)</span>"
    }
}

/// One workflow as a graph and as a table.
struct WorkflowPage: Sendable {
    var workflow: WorkflowView

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let path = "/console/workflows/\(workflow.workflow)"
        let isLive = !workflow.state.isTerminal
        let live: HTML = isLive ? " data-get=\"\(path)\" data-swap=\"#live\" data-every=\"3\"" : ""
        let stop: HTML =
            isLive && frame.viewer?.canWrite == true
            ? frame.form(
                "\(path)/cancel",
                confirm: w(.cancelWorkflowQuestion, workflow.name),
                "<button class=\"danger\">\(w(.cancelWorkflow))</button>"
            ) : ""
        let graph = GraphChart(workflow: workflow).render(w, link: Self.link)
        return frame.page(
            title: workflow.name,
            section: .workflows,
            """
            <div id="live"\(live)>
            <div class="title"><div><h1>\(workflow.name) \(frame.chip(workflow.state))</h1>
            <ul class="meta"><li><a href="/console/projects/\(workflow.project)">\(workflow.project)</a></li>\
            <li>\(workflow.user)</li><li>\(w.duration((workflow.endedAt ?? frame.now) - workflow.submittedAt))</li>\
            <li>\(w(.creditsAmount, w.credits(workflow.charged)))</li><li><code>\(workflow.workflow)</code></li></ul></div>\(stop)</div>
            <div class="scroll graph-box" role="region" aria-label="\(w(.workflowGraph, workflow.name))" tabindex="0">\(graph)</div>
            \(table(frame))
            </div>
            """
        )
    }

    static func link(_ node: WorkflowView.Node) -> String? {
        if let job = node.job { return "/console/jobs/\(job)" }
        return node.array.map { "/console/jobs?array=\($0)" }
    }

    private func table(_ frame: Frame) -> HTML {
        let w = frame.words
        let rows = workflow.nodes.html { node in
            let name: HTML = Self.link(node).map { "<a href=\"\($0)\">\(node.name)</a>" } ?? "\(node.name)"
            let count: HTML = node.count > 1 ? "<span class=\"sub\">\(w(.arrayOf, w.count(node.count)))</span>" : ""
            let gang: HTML = node.tasks > 1 ? "<span class=\"sub\">\(w(.gangOf, "\(node.tasks)"))</span>" : ""
            let after = node.after.html { edge in
                let carried: HTML =
                    edge.outputs.isEmpty ? "" : " <span class=\"soft\">(\(edge.outputs.joined(separator: ", ")))</span>"
                return "<li>\(edge.node)\(carried)</li>"
            }
            let took: HTML = node.startedAt.map { "\(w.duration((node.endedAt ?? frame.now) - $0))" } ?? "–"
            let place = node.centres.map(\.text).joined(separator: ", ")
            return """
                <tr><td class="main">\(name)\(count)\(gang)</td><td>\(frame.chip(GraphChart.state(of: node)))</td>
                <td class="nb">\(place)</td><td><ul class="tight">\(after)</ul></td>
                <td class="n">\(took)</td><td class="n">\(w.credits(node.charged))</td></tr>

                """
        }
        return """
            <section><h2>\(w(.steps))</h2>
            \(frame.table(w(.steps), head: """
                <th scope="col">\(w(.name))</th><th scope="col">\(w(.state))</th><th scope="col">\(w(.centre))</th>\
                <th scope="col">\(w(.comesAfter))</th><th scope="col" class="n">\(w(.time))</th>\
                <th scope="col" class="n">\(w(.credits))</th>
                """, rows: rows))
            </section>
            """
    }
}
