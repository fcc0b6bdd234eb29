import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    func addSubmitRoutes(to routes: Pages) {
        page(routes, "/submit") { request, context, principal in
            let projects = try await point.projects(principal)
            let page = SubmitPage(document: SubmitPage.example, key: Self.freshKey(), problem: nil, faults: [])
            return page.render(frame(request, context, projects: projects))
        }
        // Percent-encoding triples what is not plain ASCII.
        post(routes, "/submit", limitBytes: 3 * YAMLDocument.bytesMax) { form, request, context, principal in
            let text = form.raw("document") ?? ""
            let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).joined(separator: "\n")
            var page = SubmitPage(document: lines, key: form["key"] ?? Self.freshKey(), problem: nil, faults: [])
            do {
                let document = try YAMLDocument.parse(lines)
                do {
                    let project = form["project"].flatMap { ProjectName($0) }
                    if form["ask"] == "estimate" {
                        page.estimates = try await point.estimate(document.json, project: project, principal).jobs
                    } else {
                        let made = try await point.submit(
                            document.json,
                            project: project,
                            idempotencyKey: page.key,
                            principal
                        )
                        return Self.redirect(to: Self.place(of: made))
                    }
                } catch let failure as Failure where Self.isAboutDocument(failure.code) {
                    page.problem = failure.detail
                    page.faults = failure.violations.map { violation in
                        let position = document.position(of: violation.pointer)
                        return .init(line: position.line, pointer: violation.pointer, message: violation.message)
                    }
                }
            } catch let error as YAMLError {
                page.faults = error.faults.map { .init(line: $0.position.line, pointer: "", message: $0.message) }
            }
            // A corrected document is another request.
            page.key = Self.freshKey()
            let projects = try await point.projects(principal)
            var frame = frame(request, context, projects: projects)
            frame.project = form["project"].flatMap { ProjectName($0) } ?? frame.project
            return Self.answer(page.render(frame), status: page.estimates.isEmpty ? .unprocessableContent : .ok)
        }
    }

    private static func place(of made: SubmissionView) -> String {
        if let job = made.job { return "/console/jobs/\(job)" }
        if let workflow = made.workflow { return "/console/workflows/\(workflow)" }
        return made.array.map { Form([("array", $0.description)]).on("/console/jobs") } ?? "/console/jobs"
    }

    /// Failures that the writer of the document can mend.
    private static func isAboutDocument(_ code: Failure.Code) -> Bool {
        switch code {
        case .malformed, .invalid, .impossible, .quotaExceeded, .budgetExceeded, .tooLarge, .notFound, .conflict: true
        default: false
        }
    }

    /// 128 random bits that make a repeat of one form harmless.
    private static func freshKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return "console-" + String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
    }
}
