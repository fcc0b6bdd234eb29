import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    /// Names of the query of the list; others are dropped, so that links stay clean.
    private static let listFields: Set<String> = ["state", "name", "project", "centre", "workflow", "array", "cursor"]

    /// The most jobs that one form may cancel.
    static let selectionMax = 500

    func addJobRoutes(to routes: Pages) {
        page(routes, "/jobs") { request, context, principal in try await list(request, context, principal) }
        page(routes, "/jobs/:id") { request, context, principal in
            let id: JobID = try Self.parameter("id", context)
            let query = Form(parsing: request.uri.query ?? "")
            async let why = point.why(id, principal)
            async let events = point.events(
                after: 0,
                subject: id.description,
                project: nil,
                limit: 200,
                principal
            )
            let job = try await point.job(id, principal)
            let run = Self.number(query["run"]).flatMap { wanted in job.runs.first { $0.number == wanted } }
            let log = try await tail(
                of: job,
                run: run ?? job.runs.last,
                task: Self.number(query["task"]) ?? 0,
                principal
            )
            return JobPage(job: job, why: try await why, log: log, events: try await events)
                .render(frame(request, context))
        }
        post(routes, "/jobs/:id/cancel") { form, request, context, principal in
            let id: JobID = try Self.parameter("id", context)
            let path = "/console/jobs/\(id)"
            let name = try await point.job(id, principal).summary.name
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.cancelJob) },
                question: { $0(.cancelJobQuestion, name) },
                back: path,
                section: .jobs
            ) {
                return answer
            }
            _ = try await point.cancel(id, principal)
            return Self.redirect(to: path)
        }
        post(routes, "/jobs/cancel") { form, request, context, principal in
            try await cancelSelected(form, request, context, principal)
        }
    }

    private func list(_ request: Request, _ context: AppContext, _ principal: Principal) async throws -> HTML {
        let typed = Form(parsing: request.uri.query ?? "")
        let query = Form(typed.fields.filter { Self.listFields.contains($0.name) && !$0.value.trimmed.isEmpty })
        let projects = try await point.projects(principal)
        let frame = frame(request, context, projects: projects)
        let wanted = JobQuery(
            project: frame.project,
            states: query["state"].flatMap { JobState(rawValue: $0) }.map { [$0] } ?? [],
            namePrefix: query["name"],
            workflow: query["workflow"].flatMap { WorkflowID($0) },
            array: query["array"].flatMap { ArrayID($0) },
            centre: query["centre"].flatMap { CentreName($0) },
            cursor: query["cursor"],
            limit: 50
        )
        let page = try await point.jobs(wanted, principal)
        let centres = try await point.centres(principal).map(\.name)
        let seen = projects.filter { frame.project == nil || $0.project.name == frame.project }
        let counts = seen.reduce(into: [String: Int]()) { $0.merge($1.jobs, uniquingKeysWith: +) }
        return JobsPage(page: page, counts: counts, query: query, centres: centres.sorted()).render(frame)
    }

    private func cancelSelected(
        _ form: Form,
        _ request: Request,
        _ context: AppContext,
        _ principal: Principal
    ) async throws -> Response {
        let back = Self.back(form["back"])
        let jobs = form.all("job").compactMap { JobID($0) }.prefix(Self.selectionMax)
        guard !jobs.isEmpty else { return Self.redirect(to: back) }
        if form["sure"] == nil {
            var names: [String] = []
            for job in jobs.prefix(20) {
                let view = try await point.job(job, principal).summary
                names.append(view.name + (view.arrayIndex.map { "[\($0)]" } ?? ""))
            }
            if jobs.count > names.count { names.append("… +\(jobs.count - names.count)") }
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.cancelTitle, "\(jobs.count)") },
                question: { $0(.cancelQuestion) },
                items: names,
                button: { $0(.cancelNow) },
                back: back,
                section: .jobs
            ) {
                return answer
            }
        }
        for job in jobs {
            do {
                _ = try await point.cancel(job, principal)
            } catch let failure as Failure where failure.code == .conflict {
                // It ended meanwhile, which is as good.
            }
        }
        return Self.redirect(to: back)
    }
}
