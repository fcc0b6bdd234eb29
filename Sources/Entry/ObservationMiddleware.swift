import Core
import HTTPTypes
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
    private let trustedProxies: Set<String>
    private let now: MonotonicNow

    /// - Parameter trustedProxies: Addresses whose `X-Forwarded-For` is believed.
    public init(metrics: HTTPMetrics, trustedProxies: Set<String> = [], now: @escaping MonotonicNow) {
        self.metrics = metrics
        self.trustedProxies = trustedProxies
        self.now = now
    }

    public func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.now = now
        if trustedProxies.contains(context.remoteAddress), let client = forwardedAddress(request) {
            context.remoteAddress = client
        }
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

    /// The last address of `X-Forwarded-For` that is no proxy of ours: what stands before it, anybody may have written.
    private func forwardedAddress(_ request: Request) -> String? {
        let hops = request.headers[values: .forwardedFor].flatMap { $0.split(separator: ",") }
        for hop in hops.reversed() {
            let address = hop.filter { $0 != " " }
            guard (1...45).contains(address.utf8.count) else { return nil }
            if !trustedProxies.contains(address) { return address }
        }
        return nil
    }
}

extension HTTPField.Name {
    fileprivate static let forwardedFor: Self = {
        guard let name = Self("X-Forwarded-For") else { preconditionFailure("a valid name") }
        return name
    }()
}
