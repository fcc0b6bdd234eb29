public import AsyncHTTPClient
public import Core
import FoundationEssentials
public import NIOCore
import NIOHTTP1
import Synchronization
public import Wire

/// The point over HTTP or HTTPS. Connects outward only.
public struct HTTPPointLink: PointLink, BlobLink {
    private let base: String
    private let key: String
    private let client: HTTPClient

    /// One for the whole process, as long as it lives, with connections for all transfers at once and for the calls
    /// beside them: an exchange that had to wait for the end of a transfer would make the centre silent.
    public static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Staging.transfersMax + 48
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// - Parameters:
    ///   - point: Such as `https://point.example:7070`.
    ///   - key: The agent's key; empty before joining.
    public init(point: String, key: String, client: HTTPClient = Self.client) {
        base = point.hasSuffix("/") ? String(point.dropLast()) : point
        self.key = key
        self.client = client
    }

    /// Spends a one-time token.
    public func join(_ request: JoinRequest) async throws -> JoinResponse {
        try await call("POST", "/v1/agent/join", json: request, timeout: .seconds(30))
    }

    /// Whether the point knows our key.
    ///
    /// - Throws: ``Failure`` when it cannot be reached, or answers neither yes nor no.
    public func isKnown() async throws -> Bool {
        do {
            // No upload has this name, which only those who are known are told.
            _ = try await send(request("GET", "/v1/agent/uploads/up-00000000000000000000000000"), timeout: .seconds(20))
        } catch let failure as Failure where failure.code == .notFound {
            return true
        } catch let failure as Failure where failure.code == .unauthenticated {
            return false
        }
        return true
    }

    /// How far the point's clock is ahead of ours, to within the time of the call.
    ///
    /// - Throws: ``Failure`` when it cannot be reached, or is no point.
    public func clockSkew(now: @Sendable () -> Instant) async throws -> Duration {
        struct Health: Decodable { var at: Instant }
        let health: Health = try await decode(send(request("GET", "/healthz"), timeout: .seconds(20)))
        return health.at - now()
    }

    public func exchange(_ request: ExchangeRequest) async throws -> ExchangeResponse {
        let timeout = TimeAmount.milliseconds(Int64(request.waitMilliseconds)) + .seconds(30)
        return try await call("POST", "/v1/agent/exchange", json: request, timeout: timeout)
    }

    public func download(
        _ digest: Digest,
        for run: RunKey,
        from offset: Int64,
        _ body: @Sendable (ByteBuffer, Bytes) async throws -> Void
    ) async throws {
        var request = request("GET", "/v1/agent/runs/\(run)/blobs/\(digest)")
        if offset > 0 { request.headers.add(name: "Range", value: "bytes=\(offset)-") }
        let response: HTTPClientResponse
        do {
            response = try await send(request, timeout: .hours(24))
        } catch let failure as Failure where failure.code == .rangeNotSatisfiable {
            return
        }
        // Who does not know ranges sends the whole.
        let first = response.status == .partialContent ? offset : 0
        let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) } ?? 0
        var surplus = offset - first
        var pieces = response.body.makeAsyncIterator()
        while var piece = try await next(of: &pieces) {
            let skipped = Int(min(surplus, Int64(piece.readableBytes)))
            piece.moveReaderIndex(forwardBy: skipped)
            surplus -= Int64(skipped)
            if piece.readableBytes > 0 { try await body(piece, Bytes(first + length)) }
        }
    }

    private func next(of pieces: inout HTTPClientResponse.Body.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await pieces.next()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Failure(.unavailable, "The connection to the point at \(base) broke off: \(error).")
        }
    }

    public func missing(_ digests: [Digest], for run: RunKey) async throws -> [Digest] {
        let answer: MissingBlobs = try await call(
            "POST",
            "/v1/agent/runs/\(run)/blobs/missing",
            json: DigestList(digests: digests),
            timeout: .seconds(60)
        )
        return answer.missing
    }

    public func beginUpload(for run: RunKey, expected: Digest, size: Bytes) async throws -> UploadView {
        try await call(
            "POST",
            "/v1/agent/runs/\(run)/uploads",
            json: BlobView(digest: expected, size: size),
            timeout: .seconds(60)
        )
    }

    public func append<Stream: AsyncSequence & Sendable>(
        _ stream: Stream,
        count: Int64,
        to upload: UploadID,
        at offset: Int64
    ) async throws -> UploadView where Stream.Element == ByteBuffer {
        let sending = Sending(stream)
        var request = request("PATCH", "/v1/agent/uploads/\(upload)")
        request.headers.add(name: "Upload-Offset", value: "\(offset)")
        request.body = .stream(sending, length: .known(count))
        return try await withThrowingTaskGroup(of: UploadView.self) { [request] group in
            defer { group.cancelAll() }
            group.addTask { try await decode(send(request, timeout: .hours(24))) }
            group.addTask {
                // Nobody tells of a line that takes nothing any more: the system itself waits a quarter of an hour.
                var seen = -1
                while sending.pieces > seen {
                    seen = sending.pieces
                    try await Task.sleep(for: Self.standstillMax)
                }
                throw Failure(
                    .unavailable,
                    "The connection to the point at \(base) takes nothing any more. Check the network."
                )
            }
            guard let view = try await group.next() else { preconditionFailure("two tasks were added") }
            return view
        }
    }

    /// Without a piece of an upload taken, or its answer, in this time the connection is given up.
    private static let standstillMax = Duration.seconds(120)

    public func finish(_ upload: UploadID) async throws -> BlobView {
        try await decode(send(request("POST", "/v1/agent/uploads/\(upload)/finish"), timeout: .minutes(10)))
    }

    public func appendLog(
        _ run: RunKey,
        task: Int,
        offset: Int64,
        _ bytes: [UInt8],
        complete: Bool
    ) async throws -> Int64 {
        var request = request(
            "PUT",
            "/v1/agent/runs/\(run)/logs/\(task)?offset=\(offset)&complete=\(complete)"
        )
        request.body = .bytes(ByteBuffer(bytes: bytes))
        let answer: LogPosition = try await decode(send(request, timeout: .seconds(60)))
        return answer.offset
    }

    private func request(_ method: String, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        if !key.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        return request
    }

    private func call<Answer: Decodable>(
        _ method: String,
        _ path: String,
        json: some Encodable,
        timeout: TimeAmount
    ) async throws -> Answer {
        var request = request(method, path)
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try WireJSON.encode(json)))
        return try await decode(send(request, timeout: timeout))
    }

    private func decode<Answer: Decodable>(_ response: HTTPClientResponse) async throws -> Answer {
        let body = try await response.body.collect(upTo: 64 << 20)
        do {
            return try WireJSON.decode(from: body.readableBytesView)
        } catch {
            throw Failure(.unavailable, "The point answered something that is not understood here.", note: "\(error)")
        }
    }

    private func send(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, timeout: timeout)
        } catch let error as CancellationError {
            throw error
        } catch let failure as Failure {
            // Of what is sent.
            throw failure
        } catch {
            throw Failure(
                .unavailable,
                "The point at \(base) cannot be reached: \(error). Check the address and the network."
            )
        }
        guard (200..<300).contains(response.status.code) else { throw await failure(of: response) }
        return response
    }

    private func failure(of response: HTTPClientResponse) async -> Failure {
        let body = try? await response.body.collect(upTo: 1 << 16)
        if let body, let json = try? JSON(parsing: body.readableBytesView), let failure = Failure(problem: json) {
            return failure
        }
        let code: Failure.Code =
            switch response.status.code {
            case 401: .unauthenticated
            case 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 412: .preconditionFailed
            case 413: .tooLarge
            case 429: .rateLimited
            case 400..<500: .invalid
            default: .unavailable
            }
        return Failure(code, "The point answered \(response.status).")
    }
}

/// A body on its way out, and how many pieces of it the connection has asked for.
private final class Sending<Stream: AsyncSequence & Sendable>: AsyncSequence, Sendable
where Stream.Element == ByteBuffer {
    private let stream: Stream
    private let asked = Atomic(0)

    init(_ stream: Stream) { self.stream = stream }

    var pieces: Int { asked.load(ordering: .relaxed) }

    struct AsyncIterator: AsyncIteratorProtocol {
        var stream: Stream.AsyncIterator
        let sending: Sending

        mutating func next() async throws -> ByteBuffer? {
            sending.asked.add(1, ordering: .relaxed)
            return try await stream.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream.makeAsyncIterator(), sending: self) }
}
