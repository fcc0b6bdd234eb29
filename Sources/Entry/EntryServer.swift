public import HTTPTypes
public import Hummingbird
public import HummingbirdCore
import NIOCore

/// Limits of each connection.
public struct ConnectionLimits: Sendable {
    /// A connection without a request, or with a request of which nothing arrives, is closed after this long.
    public var idleTimeMax: Duration
    public var headerFieldBytesMax: Int
    public var headerBytesMax: Int
    public var headerFieldsMax: Int

    public init(
        idleTimeMax: Duration = .seconds(60),
        headerFieldBytesMax: Int = 16_384,
        headerBytesMax: Int = 65_536,
        headerFieldsMax: Int = 100
    ) {
        self.idleTimeMax = idleTimeMax
        self.headerFieldBytesMax = headerFieldBytesMax
        self.headerBytesMax = headerBytesMax
        self.headerFieldsMax = headerFieldsMax
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 with our limits and a ``ConnectionGuard`` in each connection. The entry's middleware counts on it.
    public static func onepoint(limits: ConnectionLimits = ConnectionLimits()) -> HTTPServerBuilder {
        let (seconds, attoseconds) = limits.idleTimeMax.components
        return .http1(
            configuration: .init(
                additionalChannelHandlers: [ConnectionGuard()],
                idleTimeout: .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerFieldBytesMax,
                    maxHeaderListSize: limits.headerBytesMax,
                    maxHeaderFieldCount: limits.headerFieldsMax
                )
            )
        )
    }
}

extension Router<AppContext> {
    /// Adds what every face of the point needs around its routes. Call it before adding any route.
    public func addEntryMiddleware(
        metrics: HTTPMetrics,
        trustedProxies: Set<String> = [],
        now: @escaping MonotonicNow
    ) {
        add(middleware: ObservationMiddleware(metrics: metrics, trustedProxies: trustedProxies, now: now))
        add(middleware: SecurityHeadersMiddleware())
        add(middleware: ProblemMiddleware())
    }
}

extension RouterMethods<AppContext> {
    /// Answers every other method on a path with 405 and `Allow`, and HEAD where there is GET by the GET handler.
    ///
    /// Call it once for each path, after its routes are known.
    public func refuseOtherMethods(_ path: RouterPath, allowed: [HTTPRequest.Method]) {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options]
        where !allowed.contains(method) {
            on(path, method: method) { _, _ -> Response in throw MethodNotAllowed(allowed: allowed) }
        }
    }
}
