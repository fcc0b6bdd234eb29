import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    func addOverviewRoutes(to routes: Pages) {
        page(routes, "") { request, context, principal in
            let projects = try await point.projects(principal)
            let frame = frame(request, context, projects: projects)
            let overview = try await point.overview(project: frame.project, principal)
            return OverviewPage(overview: overview).render(frame)
        }
    }

    func addWorkflowRoutes(to routes: Pages) {
        page(routes, "/workflows") { request, context, principal in
            let projects = try await point.projects(principal)
            let frame = frame(request, context, projects: projects)
            let query = Form(parsing: request.uri.query ?? "")
            let page = try await point.workflows(
                project: frame.project,
                cursor: query["cursor"],
                limit: 50,
                principal
            )
            let kept = Form(query.fields.filter { ["project", "cursor"].contains($0.name) && !$0.value.isEmpty })
            return WorkflowsPage(page: page, query: kept).render(frame)
        }
        page(routes, "/workflows/:id") { request, context, principal in
            let workflow: WorkflowID = try Self.parameter("id", context)
            return WorkflowPage(workflow: try await point.workflow(workflow, principal)).render(frame(request, context))
        }
        post(routes, "/workflows/:id/cancel") { form, request, context, principal in
            let workflow: WorkflowID = try Self.parameter("id", context)
            let path = "/console/workflows/\(workflow)"
            let name = try await point.workflow(workflow, principal).name
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.cancelWorkflow) },
                question: { $0(.cancelWorkflowQuestion, name) },
                back: path,
                section: .workflows
            ) {
                return answer
            }
            _ = try await point.cancelWorkflow(workflow, principal)
            return Self.redirect(to: path)
        }
    }
}
