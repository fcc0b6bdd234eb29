import Core
import Wire

/// A job or workflow typed in; what is wrong stands beside its line.
struct SubmitPage: Sendable {
    /// A fault and the line it is on, from 1; 0 where the place is not known.
    struct Fault: Sendable, Hashable {
        var line: Int
        var pointer: String
        var message: String
    }

    var document: String
    /// Makes a repeat of the same form harmless.
    var key: String
    /// What is wrong with the whole.
    var problem: String?
    var faults: [Fault]
    /// What it could expect, when that was asked instead of submitting it.
    var estimates: [EstimateView] = []

    /// What stands in an empty form.
    static let example = """
        name: hello
        command: [sh, -c, "echo Hello from $(hostname); nproc"]
        resources:
          cores: 1
          memory: 256MiB
          time_limit: 5m

        """

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let options = frame.projects.html { name in
            let selected: HTML = name == frame.project || frame.projects.count == 1 ? " selected" : ""
            return "<option\(selected)>\(name)</option>"
        }
        return frame.page(
            title: w(.submit),
            section: nil,
            """
            <div class="title"><h1>\(w(.submit))</h1></div>
            <p class="lead">\(w(.submitLead))</p>
            \(alert(frame))\(foretold(frame))
            \(frame.form("/console/submit", kind: "stack", """
                <input type="hidden" name="key" value="\(key)">
                \(frame.field(w(.project), id: "submit-project", """
                    <select id="submit-project" name="project"><option value="">\(w(.projectOfDocument))</option>\(options)</select>
                    """))
                \(frame.field(w(.document), id: "document", note: w(.documentNote), """
                    <textarea id="document" name="document" rows="18" spellcheck="false" autocomplete="off" required \
                    aria-describedby="document-note">
                    \(document)</textarea>
                    """))
                <div class="row"><button class="primary">\(w(.submit))</button>\
                <button name="ask" value="estimate">\(w(.estimate))</button></div>
                """))
            """
        )
    }

    private func foretold(_ frame: Frame) -> HTML {
        guard !estimates.isEmpty else { return .empty }
        let w = frame.words
        func pair(_ half: String, _ most: String) -> HTML {
            "<td class=\"n\">\(half)<span class=\"sub\">\(w(.nineOfTen, most))</span></td>"
        }
        let rows = estimates.html { estimate in
            let count: HTML = estimate.count > 1 ? " × \(estimate.count)" : ""
            let way: HTML? = estimate.wayOut.map { "<span class=\"sub\">\(w(.wayOut)) \(frame.spoken($0))</span>" }
            var figures: HTML = "<td class=\"n\">–</td><td class=\"n\">–</td><td class=\"n\">–</td>"
            if let forecast = estimate.forecast {
                func wait(_ start: Instant) -> String { w.duration(start - forecast.madeAt) }
                let start =
                    forecast.startP50.flatMap { p50 in forecast.startP90.map { pair(wait(p50), wait($0)) } }
                    ?? "<td class=\"n\">–</td>"
                figures = """
                    \(start)\(pair(
                        w.duration(.seconds(forecast.runP50Seconds)), w.duration(.seconds(forecast.runP90Seconds))
                    ))\(pair(
                        w.credits(forecast.costP50 * estimate.count), w.credits(forecast.costP90 * estimate.count)
                    ))
                    """
            }
            return """
                <tr><td class="main"><b>\(estimate.name)</b>\(count)<span class="sub">\(frame.spoken(estimate.headline))\
                </span>\(way)</td>\(figures)</tr>

                """
        }
        return """
            <section class="foretold"><h2>\(w(.estimate))</h2>
            \(frame.table(w(.estimate), head: """
                <th scope="col">\(w(.job))</th><th scope="col" class="n">\(w(.startsWithin))</th>\
                <th scope="col" class="n">\(w(.runsAtMost))</th><th scope="col" class="n">\(w(.credits))</th>
                """, rows: rows))
            </section>
            """
    }

    private func alert(_ frame: Frame) -> HTML {
        let w = frame.words
        guard problem != nil || !faults.isEmpty else { return .empty }
        let placed = faults.filter { $0.line > 0 }
        let loose = faults.filter { $0.line <= 0 }
            .html { "<li><code>\($0.pointer)</code> \(frame.spoken($0.message))</li>" }
        let list: HTML = loose.isEmpty ? "" : "<ul class=\"faults\">\(loose)</ul>"
        return """
            <div class="alert" role="alert"><p>\(frame.spoken(problem ?? w(.problemInvalid)))</p>\(list)</div>
            \(placed.isEmpty ? "" : listing(placed, frame))
            """
    }

    /// The document with line numbers, each fault under its line; far from faults it is cut.
    private func listing(_ placed: [Fault], _ frame: Frame) -> HTML {
        var lines = document.split(separator: "\n", omittingEmptySubsequences: false)
        while lines.last?.isEmpty == true { lines.removeLast() }
        let near = Set(placed.flatMap { ($0.line - 3)...($0.line + 2) })
        var wasCut = false
        let rows = lines.enumerated().html { index, line in
            let number = index + 1
            guard near.contains(number) else {
                defer { wasCut = true }
                return wasCut ? .empty : "<li class=\"cut\">…</li>"
            }
            wasCut = false
            let here = placed.filter { $0.line == number }
            let said = here.html {
                "<span class=\"fault\">\(frame.spoken($0.message)) <code>\($0.pointer)</code></span>"
            }
            let kind: HTML = here.isEmpty ? "" : " class=\"bad\""
            return "<li value=\"\(number)\"\(kind)><code>\(String(line))</code>\(said)</li>"
        }
        return "<ol class=\"listing\">\(rows)</ol>"
    }
}
