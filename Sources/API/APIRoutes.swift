import Core
public import Entry
import HTTPTypes
public import Hub
public import Hummingbird
public import Jobs
public import Wire

/// What protects the point from too many requests. Parameters, so that operators and tests can set their own.
public struct RequestLimits: Sendable {
    /// By user, and by agent.
    public var perSecond: Double
    public var burst: Double
    /// By address: requests without credentials.
    public var anonymousPerSecond: Double
    public var anonymousBurst: Double
    /// By address: attempts to join as an agent, a minute.
    public var joinsPerMinute: Double

    public init(
        perSecond: Double = 5000,
        burst: Double = 10_000,
        anonymousPerSecond: Double = 100,
        anonymousBurst: Double = 1000,
        joinsPerMinute: Double = 30
    ) {
        self.perSecond = perSecond
        self.burst = burst
        self.anonymousPerSecond = anonymousPerSecond
        self.anonymousBurst = anonymousBurst
        self.joinsPerMinute = joinsPerMinute
    }
}

/// Our REST interface: its table of routes, and what their handlers work with.
public struct APIRoutes: Sendable {
    let point: Point
    let repositories: Repositories
    let users: Authenticator<Principal>
    let agents: Authenticator<AgentPrincipal>
    let metrics: HTTPMetrics
    let version: String
    let requests: RateLimit
    let anonymous: RateLimit
    let joins: RateLimit

    /// JSON bodies, except those of submissions.
    static let bodyBytesMax = 1 << 20
    /// A job or workflow document.
    static let documentBytesMax = 4 << 20
    /// One piece of a log.
    static let logBytesMax = 4 << 20
    /// An agent's exchange: 1,000 reports with their artifacts.
    static let exchangeBytesMax = 16 << 20
    /// One piece of an upload.
    static let uploadBytesMax: Int64 = 1 << 40

    /// Every route, in the order of the document.
    static let endpoints: [Endpoint] =
        tenancyEndpoints + centreEndpoints + reservationEndpoints + simulationEndpoints + jobEndpoints
        + workflowEndpoints + eventEndpoints + artifactEndpoints + repositoryEndpoints + releaseEndpoints
        + ledgerEndpoints + agentEndpoints + operationEndpoints

    /// Every route, for tests and tools.
    public static var routes: [RouteDescription] {
        endpoints.map {
            RouteDescription(method: $0.method, template: $0.template, access: $0.access, scope: $0.scope)
        }
    }
}

/// Adds the routes of our REST interface.
///
/// Call ``Hummingbird/Router/addEntryMiddleware(metrics:trustedProxies:now:)`` first. Answers with `Allow` to other methods on its
/// paths.
/// - Parameters:
///   - users: Checks users' tokens; the console shares it, so that a revocation is forgotten everywhere at once.
///   - version: Of the product, for the OpenAPI document.
public func addAPIRoutes(
    to router: Router<AppContext>,
    point: Point,
    repositories: Repositories,
    users: Authenticator<Principal>,
    agents: Authenticator<AgentPrincipal>,
    metrics: HTTPMetrics,
    limits: RequestLimits = RequestLimits(),
    version: String,
    now: @escaping MonotonicNow
) {
    let api = APIRoutes(
        point: point,
        repositories: repositories,
        users: users,
        agents: agents,
        metrics: metrics,
        version: version,
        requests: RateLimit(perSecond: limits.perSecond, burst: limits.burst, now: now),
        anonymous: RateLimit(perSecond: limits.anonymousPerSecond, burst: limits.anonymousBurst, now: now),
        joins: RateLimit(perSecond: limits.joinsPerMinute / 60, burst: limits.joinsPerMinute, now: now)
    )
    let open = router.group()
    let forUsers = router.group().add(middleware: AuthenticationMiddleware(users, cookies: .reading))
    let forAgents = router.group().add(middleware: AgentAuthenticationMiddleware(agents))
    for endpoint in APIRoutes.endpoints {
        let path = RouterPath(endpoint.template)
        let group =
            switch endpoint.access {
            case .public: open
            case .agent: forAgents
            case .user, .viewer, .member, .owner, .operator: forUsers
            }
        group.on(path, method: endpoint.method) { request, context in
            try await api.answer(endpoint, request, context)
        }
        // RFC 9110, section 9.1: who has GET has HEAD.
        if endpoint.method == .get, !APIRoutes.has(.head, endpoint.template) {
            group.on(path, method: .head) { request, context in
                try await api.answer(endpoint, request, context).createHeadResponse()
            }
        }
    }
    var templates: [String: [HTTPRequest.Method]] = [:]
    for endpoint in APIRoutes.endpoints { templates[endpoint.template, default: []].append(endpoint.method) }
    for (template, methods) in templates {
        let allowed = methods.contains(.get) && !methods.contains(.head) ? methods + [.head] : methods
        open.refuseOtherMethods(RouterPath(template), allowed: allowed)
    }
}

extension APIRoutes {
    static func has(_ method: HTTPRequest.Method, _ template: String) -> Bool {
        endpoints.contains { $0.method == method && $0.template == template }
    }

    /// Limits, credentials, scope and query, in this order; then the handler.
    func answer(_ endpoint: Endpoint, _ request: Request, _ context: AppContext) async throws -> Response {
        switch endpoint.access {
        case .public: try anonymous.admit(context.remoteAddress)
        case .agent: try requests.admit("agent/\(try context.requireAgent().centre)")
        case .user, .viewer, .member, .owner, .operator:
            let caller = try context.requirePrincipal()
            try requests.admit(caller.user.text)
            if let scope = endpoint.scope { try require(scope, of: caller) }
        }
        let call = Call(request: request, context: context, api: self)
        try call.refuseUnknownQuery(endpoint)
        return try await endpoint.handle(call)
    }

    /// A token of scope `admin` may be used for everything that its user may do; the other scopes stand for themselves.
    private func require(_ scope: Token.Scope, of caller: Principal) throws(Failure) {
        guard caller.scopes.contains(scope) || caller.scopes.contains(.admin) else {
            throw Failure(
                .forbidden,
                "This token lacks the scope '\(scope.rawValue)'. Issue one that has it: 'onepoint tokens create'."
            )
        }
    }
}
