import Core
public import Hummingbird
import Logging
import Synchronization

/// Counts, times and logs each request, and names it in the answer's `X-Request-Id`.
///
/// Never logs bodies, tokens, headers or query strings. Answers below 400 are logged as `debug`, 4xx as `info` and
/// 5xx as `warning`; what broke is logged where it is known.
public struct ObservationMiddleware: RouterMiddleware {
    public typealias Context = AppContext

    private let metrics: HTTPMetrics
    private let now: MonotonicNow

    public init(metrics: HTTPMetrics, now: @escaping MonotonicNow) {
        self.metrics = metrics
        self.now = now
    }

    public func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.now = now
        let began = now()
        var response = try await next(request, context)
        let duration = now() - began
        let status = response.status.code
        metrics.record(method: request.method, route: context.routeTemplate, status: status, duration: duration)
        response.headers[.requestID] = context.requestID
        let level: Logger.Level = status < 400 ? .debug : status < 500 ? .info : .warning
        guard context.logger.logLevel <= level else { return response }
        context.logger.log(
            level: level,
            "request answered",
            metadata: [
                "http.method": "\(request.method.rawValue)", "http.route": "\(context.routeTemplate)",
                "http.status": "\(status)", "http.milliseconds": "\(duration.milliseconds)",
                "caller": "\(context.notes.state.withLock { $0.caller } ?? "anonymous")",
                "client.address": "\(context.remoteAddress)",
            ]
        )
        return response
    }
}
