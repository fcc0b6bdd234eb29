public import Core
public import Hummingbird
import Logging
public import NIOCore
import Synchronization
public import Wire

/// What a request carries on its way: who asks, over which connection, and what has become of its body.
public struct AppContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// Kept to accept, cut off or close what the caller sends.
    public let channel: any Channel
    /// The caller; `nil` for anonymous requests and for agents.
    public var principal: Principal?
    /// The calling agent; `nil` for everybody else.
    public var agent: AgentPrincipal?
    /// Whether the caller came with the console's cookie instead of an `Authorization` header.
    public var usesCookie = false
    /// Checks the caller's credentials anew; `nil` for anonymous requests. Long streams call it between batches.
    var recheck: (@Sendable () async throws -> Void)?
    /// The entry's clock; `nil` where its middleware is missing.
    public internal(set) var now: MonotonicNow?
    /// The caller's network address without the port; `local` for sockets that have none. Behind a trusted proxy it is
    /// what the proxy says.
    public internal(set) var remoteAddress: String
    let notes = RequestNotes()

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// The caller of a route that needs one.
    ///
    /// - Throws: ``Failure`` with `.unauthenticated` for anonymous requests.
    public func requirePrincipal() throws(Failure) -> Principal {
        guard let principal else {
            throw Failure(
                .unauthenticated,
                "This needs credentials: send 'Authorization: Bearer <token>'. 'onepoint login' keeps a token for you."
            )
        }
        return principal
    }

    /// The agent of a route that only agents may call.
    public func requireAgent() throws(Failure) -> AgentPrincipal {
        guard let agent else {
            throw Failure(.unauthenticated, "This needs an agent's key: join the centre first.")
        }
        return agent
    }

    /// Makes somebody the caller, in the request's log too. For faces that read credentials themselves.
    public mutating func identify(as principal: Principal) {
        self.principal = principal
        notes.state.withLock { $0.caller = principal.user.text }
    }

    /// Writes to the log what a refusal says only there.
    func noteRefusal(_ failure: Failure) {
        guard failure.note != nil || failure.code == .internal else { return }
        logger.log(
            level: failure.code == .internal ? .error : .info,
            "request refused",
            metadata: [
                "problem.code": "\(failure.code.rawValue)", "problem.note": "\(failure.note ?? "")",
                "http.route": "\(routeTemplate)",
            ]
        )
    }

    /// Throws when the caller's credentials have been revoked or have expired since the request began.
    public func reauthenticate() async throws { try await recheck?() }

    /// Of the request, unique within this process; also in the `X-Request-Id` header of the answer.
    ///
    /// Not `id`, which crashes where the log handler drops metadata.
    public var requestID: String { logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? "none" }

    /// The path's template such as `/v1/jobs/{id}`, for logs and metrics; `unmatched` where no route matched.
    public var routeTemplate: String {
        switch endpointPath {
        case nil, "NotFound": "unmatched"
        case let path?: path
        }
    }
}

/// What inner layers tell outer ones, which only hold a copy of the context.
final class RequestNotes: Sendable {
    struct State {
        /// The body was read to its end.
        var isBodyRead = false
        /// For the request log: `alice`, or `agent/hub-1`.
        var caller: String?
    }

    let state = Mutex(State())
}
