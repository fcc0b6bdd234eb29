public import Core
public import Entry
import HTTPTypes
public import Hub
public import Hummingbird
public import Jobs
import Logging
public import Wire

/// How the console is reached.
public struct ConsoleOptions: Sendable {
    /// The point as browsers and agents reach it, such as `https://point.example`; `nil` takes each request's own host.
    public var publicURL: String?

    public init(publicURL: String? = nil) { self.publicURL = publicURL }

    /// The address of the point as the caller of this request reached it.
    func address(_ request: Request) -> String {
        publicURL ?? request.origin
    }

    /// Whether the browser speaks to us, or to the proxy before us, over TLS.
    func isSecure(_ request: Request) -> Bool { publicURL?.hasPrefix("https://") ?? request.isSecure }
}

/// Adds the web console: server-rendered pages under `/console`, and `/` that leads there.
///
/// Call it after ``Hummingbird/Router/addEntryMiddleware(metrics:trustedProxies:now:)``. Pages authenticate by the console's cookie
/// for every method and guard their own forms; a bearer token is accepted too.
/// - Parameters:
///   - authenticator: Also checks the tokens that people sign in with, and so limits wrong ones by address.
///   - now: The wall clock.
public func addConsoleRoutes(
    to router: Router<AppContext>,
    point: Point,
    repositories: Repositories,
    authenticator: Authenticator<Principal>,
    options: ConsoleOptions = ConsoleOptions(),
    now: @escaping @Sendable () -> Instant
) {
    let console = Console(
        point: point,
        repositories: repositories,
        authenticator: authenticator,
        options: options,
        now: now,
        assets: AssetFiles()
    )
    router.get("/") { _, _ in Console.redirect(to: "/console") }
    // Files are the same for everybody, so they come without authentication.
    router.get("/console/assets/:file") { _, context in
        try console.assets.answer(context.parameters.get("file") ?? "")
    }
    let pages = router.group("/console")
        .add(middleware: AuthenticationMiddleware(authenticator, cookies: .always))
        .add(middleware: PageMiddleware(console: console))
    console.addSessionRoutes(to: pages)
    console.addOverviewRoutes(to: pages)
    console.addJobRoutes(to: pages)
    console.addJobStreams(to: pages)
    console.addWorkflowRoutes(to: pages)
    console.addArtifactRoutes(to: pages)
    console.addRepositoryRoutes(to: pages)
    console.addTrainingRoutes(to: pages)
    console.addCentreRoutes(to: pages)
    console.addSimulationRoutes(to: pages)
    console.addLedgerRoutes(to: pages)
    console.addProjectRoutes(to: pages)
    console.addTokenRoutes(to: pages)
    console.addSubmitRoutes(to: pages)
    pages.get("/**") { _, _ -> Response in throw Failure(.notFound, "There is no such page.") }
    pages.post("/**") { _, _ -> Response in throw Failure(.notFound, "There is no such page.") }
}

/// Turns errors into pages, and asks the unknown to sign in.
struct PageMiddleware: RouterMiddleware {
    typealias Context = AppContext

    let console: Console

    func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as Failure {
            if failure.code == .unauthenticated, request.method == .get || request.method == .head {
                let wanted = Console.back(request.uri.string)
                return Console.redirect(to: Form([("next", wanted)]).on("/console/login"))
            }
            if failure.note != nil || failure.code == .internal {
                context.logger.log(
                    level: failure.code == .internal ? .error : .info,
                    "page refused",
                    metadata: [
                        "problem.code": "\(failure.code.rawValue)", "problem.note": "\(failure.note ?? "")",
                        "http.route": "\(context.routeTemplate)",
                    ]
                )
            }
            let problem = Problem(failure, instance: request.uri.path, requestID: context.requestID)
            let page = ProblemPage(problem: problem).render(console.frame(request, context))
            var response = Console.answer(page, status: .init(code: problem.kind.status))
            if let wait = problem.retryAfter {
                response.headers[.retryAfter] = "\(max(1, Int(wait.seconds.rounded(.up))))"
            }
            return response
        }
    }
}

extension Console {
    typealias Pages = RouterGroup<AppContext>

    /// A page behind the login.
    func page(
        _ routes: Pages,
        _ path: RouterPath,
        _ render: @escaping @Sendable (Request, AppContext, Principal) async throws -> HTML
    ) {
        routes.get(path) { request, context in
            let principal = try context.requirePrincipal()
            return Self.answer(try await render(request, context, principal))
        }
    }

    /// An answer of another kind behind the login.
    func get(
        _ routes: Pages,
        _ path: RouterPath,
        _ answer: @escaping @Sendable (Request, AppContext, Principal) async throws -> Response
    ) {
        routes.get(path) { request, context in
            try await answer(request, context, try context.requirePrincipal())
        }
    }

    /// Something that a form of ours does. The form is checked before the closure sees it.
    func post(
        _ routes: Pages,
        _ path: RouterPath,
        limitBytes: Int = 262_144,
        _ act: @escaping @Sendable (Form, Request, AppContext, Principal) async throws -> Response
    ) {
        routes.post(path) { request, context in
            let principal = try context.requirePrincipal()
            // Before reading anything: what comes from elsewhere is not worth its bytes.
            try Session.refuseForeign(request)
            let body = try await request.bytes(limitBytes: limitBytes, in: context)
            let form = Form(parsing: String(buffer: body))
            try Session.check(form, request, context)
            return try await act(form, request, context, principal)
        }
    }
}
