import HTTPTypes
public import Hummingbird

/// Headers that keep browsers from doing more with an answer than it means; an answer's own values win.
///
/// Pages set their own `Content-Security-Policy`; everything else may load nothing at all.
public struct SecurityHeadersMiddleware: RouterMiddleware {
    public typealias Context = AppContext

    public init() {}

    public func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for (name, value) in Self.headers where !response.headers.contains(name) { response.headers[name] = value }
        return response
    }

    private static let headers: [(HTTPField.Name, String)] = [
        (.xContentTypeOptions, "nosniff"),
        (.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"),
        (.referrerPolicy, "same-origin"),
        (.crossOriginResourcePolicy, "same-origin"),
    ]
}

extension HTTPField.Name {
    /// Unique within the process; the same as in problems and logs.
    static let requestID = constant("X-Request-Id")
    static let referrerPolicy = constant("Referrer-Policy")
    /// Asks nginx and its kin not to buffer a stream.
    static let accelBuffering = constant("X-Accel-Buffering")
}
