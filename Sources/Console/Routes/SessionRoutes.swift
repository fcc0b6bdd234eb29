import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension Console {
    /// Signing in and out, and the switch of language.
    func addSessionRoutes(to routes: Pages) {
        routes.get("/login") { request, context in
            let next = Self.back(Form(parsing: request.uri.query ?? "")["next"])
            if context.principal != nil { return Self.redirect(to: next) }
            return Self.answer(LoginPage(next: next, fault: nil).render(frame(request, context)))
        }
        routes.post("/login") { request, context in try await signIn(request, context) }
        post(routes, "/logout") { _, request, _, principal in
            if let secret = request.cookie(AuthenticationMiddleware.cookieName), let token = Self.token(of: secret) {
                do {
                    try await point.revokeToken(token, principal)
                } catch let failure as Failure where failure.code == .notFound || failure.code == .conflict {
                    // Already gone, which is what was asked for.
                }
                authenticator.forgetAll()
            }
            var response = Self.redirect(to: "/console/login")
            response.headers[.setCookie] = Session.cookie("", isSecure: options.isSecure(request))
            return response
        }
        routes.get("/language") { request, _ in
            let query = Form(parsing: request.uri.query ?? "")
            var response = Self.redirect(to: Self.back(query["back"]))
            if let language = query["to"].flatMap({ Language(rawValue: $0) }) {
                let secure = options.isSecure(request) ? "; Secure" : ""
                response.headers[.setCookie] =
                    "lang=\(language.rawValue); Path=/; Max-Age=31536000; SameSite=Lax\(secure)"
            }
            return response
        }
    }

    private func signIn(_ request: Request, _ context: AppContext) async throws -> Response {
        try Session.refuseForeign(request)
        let body = try await request.bytes(limitBytes: 8192, in: context)
        let form = Form(parsing: String(buffer: body))
        let next = Self.back(form["next"])
        let frame = frame(request, context)
        do {
            let principal = try await authenticator.identity(of: form["token"] ?? "", from: context.remoteAddress)
            let session = try await point.openSession(principal)
            var response = Self.redirect(to: next)
            response.headers[.setCookie] = Session.cookie(session.secret, isSecure: options.isSecure(request))
            return response
        } catch let failure as Failure where failure.code == .unauthenticated {
            let page = LoginPage(next: next, fault: frame.words(.loginFailed))
            return Self.answer(page.render(frame), status: .unauthorized)
        } catch let failure as Failure where failure.code == .rateLimited {
            let page = LoginPage(next: next, fault: frame.words(.problemRateLimited))
            var response = Self.answer(page.render(frame), status: .tooManyRequests)
            response.headers[.retryAfter] = "\(max(1, Int((failure.retryAfter ?? .seconds(60)).seconds.rounded(.up))))"
            return response
        }
    }

    /// The identifier within a token's text `op_<identifier>_<secret>`.
    static func token(of secret: String) -> TokenID? {
        let parts = secret.split(separator: "_")
        guard parts.count == 3 else { return nil }
        return TokenID(base32: parts[1])
    }
}
