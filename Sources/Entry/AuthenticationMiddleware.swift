import Core
import HTTPTypes
public import Hummingbird
import Synchronization
public import Wire

/// Finds out who asks: by `Authorization: Bearer …`, or by the console's cookie where that is allowed.
///
/// Without credentials the request goes on as anonymous; ``AppContext/requirePrincipal()`` is what refuses it. A wrong
/// `Authorization` header is an error; a wrong cookie only means anonymous, because browsers send stale ones.
public struct AuthenticationMiddleware: RouterMiddleware {
    public typealias Context = AppContext

    /// Which requests the console's cookie speaks for.
    public enum CookieUse: Sendable {
        case never
        /// GET and HEAD only, so that a foreign page cannot make a browser change anything. For API routes.
        case reading
        /// All. For pages that guard their own forms with a token against forgery.
        case always
    }

    /// The console's cookie. Its value is a short-lived bearer token.
    public static let cookieName = "onepoint_session"

    private let authenticator: Authenticator<Principal>
    private let cookies: CookieUse

    public init(_ authenticator: Authenticator<Principal>, cookies: CookieUse = .reading) {
        self.authenticator = authenticator
        self.cookies = cookies
    }

    public func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let address = context.remoteAddress
        if let token = try bearerToken(of: request) {
            context.principal = try await authenticator.identity(of: token, from: address)
            context.recheck = { [authenticator] in _ = try await authenticator.identity(of: token, from: address) }
        } else if allowsCookie(request.method), let token = request.cookie(Self.cookieName) {
            do {
                context.principal = try await authenticator.identity(of: token, from: address)
                context.usesCookie = true
                context.recheck = { [authenticator] in _ = try await authenticator.identity(of: token, from: address) }
            } catch let failure as Failure where failure.code == .unauthenticated {
                context.principal = nil
            }
        }
        if let principal = context.principal {
            context.notes.state.withLock { $0.caller = principal.user.text }
        }
        return try await next(request, context)
    }

    private func allowsCookie(_ method: HTTPRequest.Method) -> Bool {
        switch cookies {
        case .never: false
        case .reading: method == .get || method == .head
        case .always: true
        }
    }
}

/// Lets only agents through, by `Authorization: Bearer <agent key>`.
public struct AgentAuthenticationMiddleware: RouterMiddleware {
    public typealias Context = AppContext

    private let authenticator: Authenticator<AgentPrincipal>

    public init(_ authenticator: Authenticator<AgentPrincipal>) { self.authenticator = authenticator }

    public func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let agent = try await bearerToken(of: request).asyncMap { [address = context.remoteAddress] in
            try await authenticator.identity(of: $0, from: address)
        }
        context.agent = agent
        if let agent { context.notes.state.withLock { $0.caller = "agent/\(agent.centre)" } }
        return try await next(request, context)
    }
}

/// The token of the `Authorization` header; `nil` when there is no such header.
private func bearerToken(of request: Request) throws(Failure) -> String? {
    guard let header = request.headers[.authorization] else { return nil }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer", (1...512).contains(parts[1].utf8.count) else {
        throw Failure(.unauthenticated, "The Authorization header must be 'Bearer <token>'.")
    }
    return String(parts[1])
}

extension Optional {
    fileprivate func asyncMap<Value>(_ transform: (Wrapped) async throws -> Value) async rethrows -> Value? {
        switch self {
        case .some(let value): try await transform(value)
        case .none: nil
        }
    }
}

extension Request {
    /// The value of a cookie; the first when a careless client sends several.
    public func cookie(_ name: String) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                let key = parts.first?.drop { $0 == " " }
                if parts.count == 2, key == name[...] { return String(parts[1]) }
            }
        }
        return nil
    }
}
