import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let simulationEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/simulations",
            .user,
            .read,
            "List the published reports of simulations, the newest first",
            parameters: paging,
            answer: .json(Page<SimulationSummary>.self)
        ) { call in
            let page = try await call.point.simulations(
                cursor: call.query("cursor"),
                limit: call.limit(),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .get,
            "/v1/simulations/{simulation}",
            .user,
            .read,
            "One report: figures by policy, differences, and the series that charts are drawn from",
            answer: .json(SimulationDetail.self)
        ) { call in
            try call.answer(try await call.point.simulation(call.path("simulation"), call.caller()))
        },
        Endpoint(
            .put,
            "/v1/simulations/{simulation}",
            .operator,
            .admin,
            "Publish a report, in the place of an earlier one of that name",
            body: .json(WireSchema.reference(to: SimulationReport.self)),
            answer: .json(SimulationSummary.self, status: 201, "Published. 200 when there was one of that name.")
        ) { call in
            let name: SimulationName = try call.path("simulation")
            let document = try await call.json(advice: "A report has at most 40,000 values in its series.")
            let (view, isNew) = try await call.point.publishSimulation(name, document, call.caller())
            return try call.answer(
                view,
                status: isNew ? .created : .ok,
                location: isNew ? "/v1/simulations/\(name)" : nil
            )
        },
        Endpoint(
            .delete,
            "/v1/simulations/{simulation}",
            .operator,
            .admin,
            "Delete a report; the log keeps what it said",
            answer: .empty
        ) { call in
            try await call.point.removeSimulation(call.path("simulation"), call.caller())
            return call.noContent()
        },
    ]
}
