import Core
import Entry
import Wire

/// Pieces that several pages are made of.
extension Frame {
    /// A state as colour, shape and word.
    func chip(_ state: JobState) -> HTML { Self.chip(state.rawValue, words(state)) }

    func chip(_ state: RunState) -> HTML {
        switch state {
        case .leased, .submitting, .pending: Self.chip("queued", words(state))
        case .running: Self.chip("active", words(state))
        case .succeeded: Self.chip("succeeded", words(state))
        case .failed, .lost: Self.chip("failed", words(state))
        case .cancelled, .preempted: Self.chip("cancelled", words(state))
        }
    }

    static func chip(_ kind: String, _ text: String) -> HTML {
        "<span class=\"chip is-\(kind)\">\(text)</span>"
    }

    /// A job's state with what has to be known beside it: unseen, or about to be cancelled.
    func chip(of job: JobView) -> HTML {
        if job.state == .active, job.unseenSince != nil { return Self.chip("unseen", words(.unseen)) }
        if !job.state.isTerminal, job.cancelRequested { return Self.chip("cancelled", words(.cancelling)) }
        if job.state == .active, let run = job.runState, !run.isTerminal { return chip(run) }
        return chip(job.state)
    }

    /// A table that scrolls sideways by itself where it does not fit.
    ///
    /// - Parameters:
    ///   - label: What it is, for screen readers.
    ///   - head: Cells of the head row; numbers have the class `n`.
    func table(_ label: String, kind: HTML = "", head: HTML, rows: HTML) -> HTML {
        """
        <div class="scroll" role="region" aria-label="\(label)" tabindex="0"><table class="\(kind)">
        <thead><tr>\(head)</tr></thead>
        <tbody>
        \(rows)</tbody></table></div>
        """
    }

    /// Said where a list has nothing.
    func nothing(_ text: String) -> HTML { "<p class=\"nothing\">\(text)</p>" }

    /// Text of the point itself, in the reader's language where it follows a pattern; else in English, and marked so.
    func spoken(_ text: String) -> HTML {
        switch words.language {
        case .en: readable(text)
        case .zh: Sentence.chinese(text).map { readable($0) } ?? "<span lang=\"en\">\(readable(text))</span>"
        }
    }

    /// The text with points in time as people read them.
    private func readable(_ text: String) -> HTML {
        var out: HTML = .empty
        var rest = text[...]
        while let found = rest.firstMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) {
            out += HTML(escaping: String(rest[..<found.range.lowerBound]))
            out +=
                Instant(rfc3339: String(found.output.0)).map { words.time($0) }
                ?? HTML(escaping: String(found.output.0))
            rest = rest[found.range.upperBound...]
        }
        return out + HTML(escaping: String(rest))
    }

    /// A choice of project that works without a script.
    func projectSwitch(action: String, keeping fields: Form = Form()) -> HTML {
        guard projects.count > 1 || project != nil else { return .empty }
        let options = projects.html { name in
            let selected: HTML = name == project ? " selected" : ""
            return "<option\(selected)>\(name)</option>"
        }
        let hidden = fields.fields.html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">" }
        return """
            <form class="switch" method="get" action="\(action)" data-auto>\(hidden)
            <label for="project-switch">\(words(.project))</label>
            <select id="project-switch" name="project"><option value="">\(words(.allProjects))</option>\(options)</select>
            <button class="quiet">\(words(.show))</button></form>
            """
    }

    /// Links to the first and the next page of a list.
    func pager(path: String, query: Form, next: String?) -> HTML {
        let first: HTML =
            query["cursor"] == nil
            ? "" : "<a class=\"button\" href=\"\(query.with("cursor", nil).on(path))\">\(words(.firstPage))</a>"
        let more: HTML? = next.map {
            "<a class=\"button\" rel=\"next\" href=\"\(query.with("cursor", $0).on(path))\">\(words(.nextPage))</a>"
        }
        guard !first.isEmpty || more != nil else { return .empty }
        return "<nav class=\"pager\" aria-label=\"\(words(.pages))\">\(first)\(more)</nav>"
    }

    /// What one task asks for, in one line: `2 × 1 core, 1 GiB, 1 card h100`.
    func resources(_ resources: TaskResources, tasks: Int) -> String {
        var parts = [words(.resourceCores, "\(resources.cores)"), "\(resources.memory)"]
        if resources.cards > 0 {
            parts.append(words(.resourceCards, "\(resources.cards)") + (resources.card.map { " \($0)" } ?? ""))
        }
        return (tasks > 1 ? "\(tasks) × " : "") + parts.joined(separator: " · ")
    }

    /// One labelled field.
    func field(_ label: String, id: String, note: String? = nil, _ control: HTML) -> HTML {
        let hint: HTML? = note.map { "<small id=\"\(id)-note\">\($0)</small>" }
        return "<div class=\"field\"><label for=\"\(id)\">\(label)</label>\(control)\(hint)</div>"
    }

    /// A form that posts and is guarded against forgery.
    func form(_ action: String, kind: HTML = "", confirm: String? = nil, _ content: HTML) -> HTML {
        let question: HTML? = confirm.map { " data-confirm=\"\($0)\"" }
        return """
            <form class="\(kind)" method="post" action="\(action)"\(question)>\(formToken)
            \(content)</form>
            """
    }

    /// A secret or command to copy, in full.
    func code(_ text: String) -> HTML { "<pre class=\"code\"><code>\(text)</code></pre>" }

    /// One row of a description list; nothing when there is no value.
    func term(_ name: String, _ value: HTML?) -> HTML {
        guard let value, !value.isEmpty else { return .empty }
        return "<div><dt>\(name)</dt><dd>\(value)</dd></div>"
    }

    /// How long a job has been at what it is doing, or took; nothing for one that ended before it began.
    func timing(of job: JobView) -> HTML {
        if let started = job.startedAt { return "\(words.duration((job.endedAt ?? now) - started))" }
        return job.endedAt == nil ? "\(words.duration(now - job.submittedAt))" : "–"
    }

    /// A job's name with its place in an array.
    func name(of job: JobView) -> String { job.name + (job.arrayIndex.map { "[\($0)]" } ?? "") }
}
