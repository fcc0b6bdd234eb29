import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    func addSimulationRoutes(to routes: Pages) {
        page(routes, "/simulations") { request, context, principal in
            let query = Form(parsing: request.uri.query ?? "")
            let page = try await point.simulations(cursor: query["cursor"], limit: 50, principal)
            return SimulationsPage(page: page, query: query).render(frame(request, context))
        }
        page(routes, "/simulations/:name") { request, context, principal in
            let name: SimulationName = try Self.parameter("name", context)
            let simulation = try await point.simulation(name, principal)
            return SimulationPage(simulation: simulation).render(frame(request, context))
        }
        post(routes, "/simulations/:name/delete") { form, request, context, principal in
            let name: SimulationName = try Self.parameter("name", context)
            if let answer = question(
                form,
                request,
                context,
                title: { $0.deleteSimulation },
                question: { $0.deleteSimulationQuestion(name.text) },
                back: "/console/simulations/\(name)",
                section: .centres
            ) {
                return answer
            }
            try await point.removeSimulation(name, principal)
            return Self.redirect(to: "/console/simulations")
        }
    }
}
