import API
import Console
import Core
import Entry
import Hub
import Hummingbird
import HummingbirdCore
import Jobs
import Logging
import Protocols
import Wire

/// The version that the product gives itself.
let productVersion = "0.1.0"

/// Connections beyond this many wait to be accepted.
private let connectionsMax = 4096

/// One HTTP server with every face of the point.
func httpServer(
    _ point: Point,
    _ repositories: Repositories,
    _ configuration: ServerConfiguration,
    _ log: Logger
) -> some ApplicationProtocol {
    let monotonic: MonotonicNow = { ContinuousClock.now }
    let metrics = HTTPMetrics()
    let failures = RateLimit(perSecond: 1.0 / 6, burst: 10, now: monotonic)
    let users = Authenticator<Principal>(failures: failures, now: monotonic) {
        try await point.authenticate(bearer: $0)
    }
    let agents = Authenticator<AgentPrincipal>(failures: failures, now: monotonic) {
        try await point.authenticateAgent(bearer: $0)
    }
    let router = Router(context: AppContext.self)
    router.addEntryMiddleware(
        metrics: metrics,
        trustedProxies: configuration.settings.trustedProxies,
        now: monotonic
    )
    let rate = Double(configuration.settings.requestsPerSecondMax)
    addAPIRoutes(
        to: router,
        point: point,
        repositories: repositories,
        users: users,
        agents: agents,
        metrics: metrics,
        limits: RequestLimits(perSecond: rate, burst: rate * 2),
        version: productVersion,
        now: monotonic
    )
    addProtocolRoutes(
        to: router,
        repositories: repositories,
        point: point,
        users: users,
        limits: FaceLimits(perSecond: rate, burst: rate * 2),
        clock: Assembly.now,
        now: monotonic
    )
    addConsoleRoutes(to: router, point: point, repositories: repositories, authenticator: users, now: Assembly.now)
    return Application(
        router: router,
        server: .onepoint(),
        configuration: .init(
            address: .hostname(configuration.listenHost, port: configuration.listenPort),
            serverName: "onepoint",
            availableConnectionsDelegate: MaximumAvailableConnections(connectionsMax)
        ),
        logger: log
    )
}
