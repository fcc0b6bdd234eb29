import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Speaks to one point over its REST API.
package struct PointClient: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let credentials: Credentials
    private let http: HTTPClient

    /// A whole answer is refused beyond this.
    static let answerBytesMax = 256 << 20
    /// Of ordinary calls, from beginning to end.
    static let callSecondsMax: Int64 = 120
    /// Of one file on its way.
    static let streamSecondsMax: Int64 = 6 * 3600

    /// Opens the client for one command and closes it afterwards.
    static func with<Value>(
        _ credentials: Credentials,
        _ body: (PointClient) async throws -> Value
    ) async throws -> Value {
        var configuration = HTTPClient.Configuration()
        // Credentials never follow a redirect to another party.
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(10)
        // Live streams send a comment every 15 s.
        configuration.timeout.read = .seconds(60)
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let value = try await body(PointClient(credentials: credentials, http: http))
            try await http.shutdown()
            return value
        } catch {
            // The first error is the one to show.
            try? await http.shutdown()
            throw error
        }
    }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> Data {
        try await send(.get, path, query)
    }

    /// Sends a request and collects its answer.
    ///
    /// - Throws: ``Failure``: the point's own problem, or `unavailable` when it cannot be reached.
    @discardableResult
    func send(
        _ method: Method,
        _ path: String,
        _ query: [(String, String?)] = [],
        json: JSON? = nil,
        headers: [(String, String)] = []
    ) async throws -> Data {
        var body: HTTPClientRequest.Body?
        var headers = headers
        if let json {
            var bytes: [UInt8] = []
            json.write(to: &bytes)
            body = .bytes(ByteBuffer(bytes: bytes))
            headers.append(("Content-Type", "application/json"))
        }
        let response = try await open(method, path, query, headers: headers, body: body)
        return try await collect(response)
    }

    /// Sends bytes, such as a piece of an upload.
    func send(
        _ method: Method,
        _ path: String,
        bytes: ByteBuffer,
        headers: [(String, String)]
    ) async throws -> Data {
        let type = ("Content-Type", "application/octet-stream")
        let response = try await open(method, path, [], headers: [type] + headers, body: .bytes(bytes), secondsMax: 600)
        return try await collect(response)
    }

    /// Sends a file's bytes as they are read.
    ///
    /// - Parameter size: How many there are.
    func send(
        _ method: Method,
        _ path: String,
        stream: some AsyncSequence<ByteBuffer, any Error> & Sendable,
        size: Int64
    ) async throws -> Data {
        let response = try await open(
            method,
            path,
            headers: [("Content-Type", "application/octet-stream")],
            body: .stream(stream, length: .known(size)),
            secondsMax: Self.streamSecondsMax
        )
        return try await collect(response)
    }

    /// Begins a request whose answer is read piece by piece.
    ///
    /// - Throws: ``Failure`` also for an answer that is a problem.
    func open(
        _ method: Method,
        _ path: String,
        _ query: [(String, String?)] = [],
        headers: [(String, String)] = [],
        body: HTTPClientRequest.Body? = nil,
        secondsMax: Int64 = callSecondsMax
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: credentials.url + path + Self.queryText(query))
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "onepoint")
        if let token = credentials.token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        request.body = body
        let response = try await execute(request, secondsMax)
        guard (200..<300).contains(response.status.code) else { throw try await problem(response) }
        return response
    }

    /// A kept connection may have been closed while the request was on its way; a question is simply asked again.
    private func execute(_ request: HTTPClientRequest, _ secondsMax: Int64) async throws -> HTTPClientResponse {
        do {
            return try await http.execute(request, timeout: .seconds(secondsMax))
        } catch  where Self.isClosedConnection(error) && request.method == .GET {
            do {
                return try await http.execute(request, timeout: .seconds(secondsMax))
            } catch {
                throw unreachable(error)
            }
        } catch {
            throw unreachable(error)
        }
    }

    private static func isClosedConnection(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed
        case let error as ChannelError: error == .ioOnClosedChannel
        default: false
        }
    }

    func collect(_ response: HTTPClientResponse) async throws -> Data {
        do {
            let buffer = try await response.body.collect(upTo: Self.answerBytesMax)
            return Data(buffer.readableBytesView)
        } catch {
            throw unreachable(error)
        }
    }

    /// What a broken connection is to the caller.
    func unreachable(_ error: any Error) -> any Error {
        if error is Failure || error is CancellationError { return error }
        if error is NIOTooManyBytesError {
            return Failure(.tooLarge, "The answer is larger than \(Self.answerBytesMax) bytes; ask for less.")
        }
        return Failure(.unavailable, "Cannot reach \(credentials.url): \(Self.reason(error)).", note: "\(error)")
    }

    /// The system's own words where there are such.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first {
                reason(first.error)
            } else {
                "the name \(error.host) is not known"
            }
        case let error as HTTPClientError where error == .connectTimeout: "no answer within 10 seconds"
        case let error as HTTPClientError where error == .readTimeout || error == .deadlineExceeded:
            "it stopped answering"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "it closed the connection"
        default: "\(error)"
        }
    }

    private static let hubMessage = "X-Error-Message"

    private func problem(_ response: HTTPClientResponse) async throws -> Failure {
        let status = Int(response.status.code)
        let bytes = (try? await response.body.collect(upTo: 4 << 20)).map { Array($0.readableBytesView) } ?? []
        if let json = try? JSON(parsing: bytes), let failure = Failure(problem: json) {
            guard failure.code == .internal, let request = json["request_id"]?.stringValue else { return failure }
            return Failure(.internal, "\(failure.detail) (request \(request))")
        }
        let code: Failure.Code =
            switch status {
            case 300..<400: .invalid
            case 400 where response.headers.contains(name: Self.hubMessage): .invalid
            case 401: .unauthenticated
            case 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 412: .preconditionFailed
            case 413: .tooLarge
            case 429: .rateLimited
            case 400..<500: .malformed
            case 507: .storageExhausted
            default: .unavailable
            }
        // What the face of the Hub has to say.
        if response.headers.contains(name: Self.hubMessage), let json = try? JSON(parsing: bytes),
            let message = json["error"]?.stringValue
        {
            let wait = response.headers.first(name: "Retry-After").flatMap { Int64($0) }.map { Duration.seconds($0) }
            return Failure(code, message, retryAfter: wait)
        }
        let location = response.headers.first(name: "Location").map { " and points to \($0)" } ?? ""
        return Failure(code, "\(credentials.url) answered \(status)\(location). Is this the address of a point?")
    }

    static func queryText(_ query: [(String, String?)]) -> String {
        let parts = query.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }
}
