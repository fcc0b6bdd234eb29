import Core
import Entry
import Wire

/// One list that is every job: by state, narrowed by name, project and centre.
struct JobsPage: Sendable {
    var page: Wire.Page<JobView>
    /// Jobs by state, of what the list is narrowed to by project.
    var counts: [String: Int]
    var query: Form
    /// The centres to choose from.
    var centres: [CentreName]

    private var state: JobState? { query["state"].flatMap { JobState(rawValue: $0) } }

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let here = query.on("/console/jobs")
        return frame.page(
            title: w(.jobs),
            section: .jobs,
            """
            <div class="title"><h1>\(w(.jobs))</h1></div>
            \(tabs(frame))
            \(filter(frame))
            \(narrowed(frame))
            <div id="live" data-get="\(here)" data-swap="#live" data-every="5">
            \(list(frame))
            \(frame.pager(path: "/console/jobs", query: query, next: page.next))
            </div>
            """
        )
    }

    private func tabs(_ frame: Frame) -> HTML {
        let w = frame.words
        let base = query.with("cursor", nil)
        func tab(_ title: String, _ value: JobState?, _ count: Int) -> HTML {
            let current: HTML = value == state ? " aria-current=\"true\"" : ""
            let target = base.with("state", value?.rawValue).on("/console/jobs")
            return
                "<li><a href=\"\(target)\"\(current)>\(title) <span class=\"count\">\(w.count(count))</span></a></li>"
        }
        let all = tab(w(.allStates), nil, counts.values.reduce(0, +))
        let each = JobState.allCases.html { tab(w($0), $0, counts[$0.rawValue] ?? 0) }
        return "<nav class=\"tabs\" aria-label=\"\(w(.jobsByState))\"><ul>\(all)\(each)</ul></nav>"
    }

    private func filter(_ frame: Frame) -> HTML {
        let w = frame.words
        func option(_ value: String, _ selected: Bool) -> HTML {
            let mark: HTML = selected ? " selected" : ""
            return "<option\(mark)>\(value)</option>"
        }
        let projects = frame.projects.html { option($0.text, $0 == frame.project) }
        let places = centres.html { option($0.text, $0.text == query["centre"]) }
        let kept = query.fields.filter { ["state", "workflow", "array"].contains($0.name) }
            .html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">" }
        return """
            <form class="filter" method="get" action="/console/jobs">\(kept)
            <div class="field"><label for="name">\(w(.nameBegins))</label>\
            <input id="name" name="name" type="search" value="\(query["name"] ?? "")" autocomplete="off" maxlength="63"></div>
            <div class="field"><label for="project">\(w(.project))</label>\
            <select id="project" name="project"><option value="">\(w(.all))</option>\(projects)</select></div>
            <div class="field"><label for="centre">\(w(.centre))</label>\
            <select id="centre" name="centre"><option value="">\(w(.all))</option>\(places)</select></div>
            <button>\(w(.filter))</button></form>
            """
    }

    /// What else the list is narrowed to, and the way back.
    private func narrowed(_ frame: Frame) -> HTML {
        let w = frame.words
        return ["workflow", "array"].html { name in
            guard let value = query[name] else { return .empty }
            let title = name == "array" ? w(.array) : w(.workflow)
            return """
                <p class="narrowed">\(title) <code>\(value)</code>
                <a href="\(query.with(name, nil).on("/console/jobs"))">\(w(.showAll))</a></p>
                """
        }
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !page.items.isEmpty else {
            let submit: HTML =
                query["name"] == nil && state == nil && frame.viewer?.canWrite == true
                ? "<p><a class=\"button primary\" href=\"\(frame.link("/console/submit"))\">\(w(.submitFirst))</a></p>"
                : ""
            return frame.nothing(w(.noJobs)) + submit
        }
        let canCancel = frame.viewer?.canWrite == true && page.items.contains { !$0.state.isTerminal }
        let rows = page.items.html { row($0, canCancel, frame) }
        let select: HTML = canCancel ? "<th scope=\"col\"><span class=\"hidden\">\(w(.select))</span></th>" : ""
        let table = frame.table(
            w(.jobs),
            kind: "jobs",
            head: """
                \(select)<th scope="col">\(w(.state))</th><th scope="col">\(w(.name))</th>\
                <th scope="col" class="wide">\(w(.project))</th><th scope="col" class="wide">\(w(.centre))</th>\
                <th scope="col" class="wide">\(w(.resources))</th><th scope="col" class="n">\(w(.time))</th>\
                <th scope="col" class="n wide">\(w(.submitted))</th>
                """,
            rows: rows
        )
        guard canCancel else { return table }
        return frame.form(
            "/console/jobs/cancel",
            """
            <input type="hidden" name="back" value="\(query.on("/console/jobs"))">
            \(table)
            <p class="row batch"><button class="danger">\(w(.cancelSelected))</button></p>
            """
        )
    }

    private func row(_ job: JobView, _ canCancel: Bool, _ frame: Frame) -> HTML {
        let w = frame.words
        let box: HTML =
            !canCancel
            ? ""
            : job.state.isTerminal
                ? "<td></td>"
                : """
                <td class="pick"><input type="checkbox" name="job" value="\(job.job)" \
                aria-label="\(w(.selectJob, frame.name(of: job)))"></td>
                """
        let why: HTML? =
            job.state == .queued
            ? job.waitingCode.map { "<span class=\"sub\">\(w.waiting($0))</span>" }
            : job.state == .failed
                ? job.detail.map { "<span class=\"sub\">\(frame.spoken(shorten($0, to: 90)))</span>" } : nil
        let place: HTML? = job.centre.map { "<a href=\"/console/centres/\($0)\">\($0)</a>" }
        let slimPlace: HTML? = job.centre.map { "<span class=\"sub slim\">\($0)</span>" }
        return """
            <tr>\(box)<td>\(frame.chip(of: job))</td>
            <td class="main"><a href="/console/jobs/\(job.job)">\(frame.name(of: job))</a>\(why)\(slimPlace)</td>
            <td class="wide">\(job.project)<span class="sub">\(job.user)</span></td><td class="nb wide">\(place)</td>
            <td class="wide soft">\(frame.resources(job.resources, tasks: job.tasks))</td>
            <td class="n">\(frame.timing(of: job))</td>
            <td class="n wide">\(w.ago(job.submittedAt, now: frame.now))</td></tr>

            """
    }
}
