package import Core
import Wire

/// Where reports of simulations are published: `onepoint simulate --publish`.
package struct SimulationPublisher: Sendable {
    private let credentials: Credentials

    /// Finds the point and makes sure that it will take a report, before anybody replays anything for minutes.
    ///
    /// - Parameter url: Instead of the point of `login` or of `ONEPOINT_URL`.
    /// - Throws: ``Failure``: `unavailable` when the point cannot be reached, `forbidden` when the caller is no operator.
    package init(url: String?) async throws {
        credentials = try Credentials.find(url: url, environment: ClientContext.current.environment)
        let me: WhoAmI = try await PointClient.with(credentials) { client in
            try WireJSON.decode(from: try await client.get("/v1/whoami"))
        }
        guard me.operator, me.scopes.contains(.admin) else {
            throw Failure(
                .forbidden,
                me.operator
                    ? "This token lacks the scope 'admin', without which nothing can be published."
                    : "Only an operator may publish a simulation; \(me.user) is none at \(credentials.url)."
            )
        }
    }

    /// - Returns: Where it can be looked at.
    package func publish(_ report: SimulationReport, as name: SimulationName) async throws -> String {
        let document = try JSON(encoding: report)
        _ = try await PointClient.with(credentials) { client in
            try await client.send(.put, SimulationCommand.path(name.text), json: document)
        }
        return "\(credentials.url)/console/simulations/\(name)"
    }
}
