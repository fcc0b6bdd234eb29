import Core
import Entry
import Wire

/// An error as a page.
struct ProblemPage: Sendable, Hashable {
    var problem: Problem

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let faults = problem.violations.html { "<li><code>\($0.pointer)</code> \(frame.spoken($0.message))</li>" }
        let list: HTML = faults.isEmpty ? "" : "<ul class=\"faults\">\(faults)</ul>"
        let request: HTML? = problem.requestID.map {
            "<p class=\"soft\">\(w(.requestNumber)) <code>\($0)</code></p>"
        }
        return frame.page(
            title: w(.problemTitle),
            section: nil,
            """
            <section class="narrow problem">
            <p class="status" aria-hidden="true">\(problem.kind.status)</p>
            <h1>\(Self.title(problem.kind, w))</h1>
            <p class="lead">\(frame.spoken(problem.detail))</p>
            \(list)\(request)
            <p><a class="button" href="/console">\(w(.backToOverview))</a></p>
            </section>
            """
        )
    }

    private static func title(_ kind: ProblemKind, _ w: Words) -> String {
        switch kind.status {
        case 400, 422: w(.problemInvalid)
        case 401: w(.problemUnauthenticated)
        case 403: w(.problemForbidden)
        case 404: w(.problemNotFound)
        case 405: w(.problemMethod)
        case 409, 412: w(.problemConflict)
        case 402: w(.problemBudget)
        case 413: w(.problemTooLarge)
        case 416: w(.problemInvalid)
        case 429: w(.problemRateLimited)
        case 503: w(.problemUnavailable)
        case 507: w(.problemStorage)
        default: w(.problemInternal)
        }
    }
}

/// A last question before something that cannot be taken back.
struct ConfirmPage: Sendable, Hashable {
    var title: String
    var question: String
    /// What is about to happen to what, a line each.
    var items: [String]
    var action: String
    /// Fields that the form carries along.
    var fields: Form
    var button: String
    /// Where to go instead.
    var back: String
    var section: Frame.Section

    func render(_ frame: Frame) -> HTML {
        let hidden = fields.fields.html { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">" }
        let list: HTML = items.isEmpty ? "" : "<ul class=\"plain-list\">\(items.html { "<li>\($0)</li>" })</ul>"
        return frame.page(
            title: title,
            section: section,
            """
            <section class="narrow">
            <h1>\(title)</h1>
            <p class="lead">\(question)</p>
            \(list)
            \(frame.form(action, kind: "row", """
                \(hidden)<button class="danger">\(button)</button>
                <a class="button" href="\(back)">\(frame.words(.keepIt))</a>
                """))
            </section>
            """
        )
    }
}
