public import Core
public import HTTPTypes
public import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
public import Wire

/// A known path that does not have the method.
struct MethodNotAllowed: Error {
    let allowed: [HTTPRequest.Method]
}

/// A failure whose answer needs headers of its own, such as `Content-Range` with 416.
public struct FailureWithHeaders: Error {
    public let failure: Failure
    public let headers: HTTPFields

    public init(_ failure: Failure, headers: HTTPFields) {
        self.failure = failure
        self.headers = headers
    }
}

/// Turns every error into `application/problem+json`, and cuts off bodies that nobody will read.
public struct ProblemMiddleware: RouterMiddleware {
    public typealias Context = AppContext

    /// Unread bodies up to this length are drained to keep the connection; longer ones end it.
    static let unreadBytesMax: Int64 = 65_536

    public init() {}

    public func handle(
        _ request: Request,
        context: AppContext,
        next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        do {
            let response = try await next(request, context)
            return await closingIfUnread(response, request, context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            let (problem, headers) = problem(of: error, request, context)
            var response = problem.response(method: request.method)
            response.headers.append(contentsOf: headers)
            return await closingIfUnread(response, request, context)
        }
    }

    private func closingIfUnread(_ response: Response, _ request: Request, _ context: AppContext) async -> Response {
        guard request.hasBody, !context.notes.state.withLock({ $0.isBodyRead }) else { return response }
        if let announced = request.announcedBytes, announced <= Self.unreadBytesMax, request.headers[.expect] == nil {
            return response
        }
        var response = response
        response.headers[.connection] = "close"
        do {
            let refused = ConnectionGuard.BodyRefused(announcedBytes: request.announcedBytes)
            try await context.channel.triggerUserOutboundEvent(refused).get()
        } catch {
            // A connection without our handler, or one that is gone: it can only be drained or is closed already.
            context.logger.debug("body not cut off", metadata: ["error": "\(error)"])
        }
        return response
    }

    private func problem(of error: any Error, _ request: Request, _ context: AppContext) -> (Problem, HTTPFields) {
        if let error = error as? MethodNotAllowed {
            let allowed = error.allowed.map(\.rawValue).sorted().joined(separator: ", ")
            let detail = "\(request.uri.path) has no \(request.method.rawValue); it has \(allowed)."
            let problem = Problem(
                .methodNotAllowed,
                detail: detail,
                instance: request.uri.path,
                requestID: context.requestID
            )
            return (problem, [.allow: allowed])
        }
        let (failure, headers) = context.failure(of: error)
        return (Problem(failure, request, context), headers)
    }
}

extension AppContext {
    /// What a caller is told of an error, and the headers that go with it; what only the log may know is written there.
    public func failure(of error: any Error) -> (failure: Failure, headers: HTTPFields) {
        switch error {
        case let failure as Failure:
            noteRefusal(failure)
            return (failure, [:])
        case let error as FailureWithHeaders:
            noteRefusal(error.failure)
            return (error.failure, error.headers)
        case let error as HTTPError:
            return (Failure(error), error.headers)
        case is CancellationError:
            return (Failure(.unavailable, "The point is shutting down; try again.", retryAfter: .seconds(2)), [:])
        case is ChannelError, is IOError:
            // The caller went away; nobody will read this.
            logger.debug("connection lost", metadata: ["error": "\(error)"])
            return (Failure(.unavailable, "The connection was lost."), [:])
        default:
            logger.error(
                "request failed unexpectedly",
                metadata: [
                    "error.type": "\(type(of: error))", "error": "\(String(describing: error).prefix(500))",
                    "http.route": "\(routeTemplate)",
                ]
            )
            return (Failure(.internal, "Something broke on our side. Tell the operator the request id."), [:])
        }
    }
}

extension Problem {
    /// A failure of this request. 429 and 503 always say when to come back.
    init(_ failure: Failure, _ request: Request, _ context: AppContext) {
        self.init(failure, instance: request.uri.path, requestID: context.requestID)
    }

    /// A failure as a problem; 429 and 503 get a time to wait when the failure knows none.
    public init(_ failure: Failure, instance: String? = nil, requestID: String? = nil) {
        let wait: Duration? =
            switch failure.code {
            case .rateLimited: failure.retryAfter ?? .seconds(1)
            case .unavailable: failure.retryAfter ?? .seconds(5)
            default: failure.retryAfter
            }
        self.init(
            ProblemKind(failure.code),
            detail: failure.detail,
            instance: instance,
            requestID: requestID,
            violations: failure.violations,
            retryAfter: wait
        )
    }

    /// The answer that carries the problem.
    func response(method: HTTPRequest.Method) -> Response {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        var headers: HTTPFields = [.contentType: Self.mediaType, .cacheControl: "no-store"]
        if let retryAfter { headers[.retryAfter] = "\(max(1, Int(retryAfter.seconds.rounded(.up))))" }
        if kind.status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"onepoint\"" }
        let response = Response(
            status: .init(code: kind.status),
            headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: bytes))
        )
        return method == .head ? response.createHeadResponse() : response
    }
}

extension Failure {
    /// What the HTTP layer itself refuses.
    fileprivate init(_ error: HTTPError) {
        let code: Code =
            switch error.status.code {
            case 401: .unauthenticated
            case 403: .forbidden
            case 404: .notFound
            case 413: .tooLarge
            case 400..<500: .malformed
            case 503: .unavailable
            default: .internal
            }
        self.init(code, error.body ?? (code == .notFound ? "There is nothing at this path." : "\(error.status)."))
    }
}
