import Core
import HTTPTypes
public import Hummingbird
public import NIOCore
import Synchronization

/// How long a body may take: `base` and a second more for each `bytesPerSecondMin` received. A connection on which
/// nothing at all arrives is closed by the server's idle time-out, so a drip cannot hold a request much beyond this.
struct BodyPace {
    static let base = Duration.seconds(30)
    static let bytesPerSecondMin = 16_384

    static func allows(bytes: Int64, elapsed: Duration) -> Bool {
        elapsed <= base + .seconds(bytes / Int64(bytesPerSecondMin))
    }
}

extension Request {
    /// The announced length of the body; `nil` when there is no such header or the body is chunked.
    var announcedBytes: Int64? { headers[.contentLength].flatMap { Int64($0) } }

    /// Whether a body follows the head.
    var hasBody: Bool { headers[.transferEncoding] != nil || (announcedBytes ?? 0) > 0 }

    /// The whole body, in memory.
    ///
    /// - Parameters:
    ///   - limitBytes: A longer body is refused, before it is read when its length is announced.
    ///   - advice: A sentence for the caller whose body is too long.
    /// - Throws: ``Failure`` with `.tooLarge` or `.malformed`.
    public func bytes(limitBytes: Int, advice: String = "", in context: AppContext) async throws -> ByteBuffer {
        if !hasBody { return ByteBuffer() }
        var iterator = streamedBytes(limitBytes: Int64(limitBytes), advice: advice, in: context).makeAsyncIterator()
        guard var whole = try await iterator.next() else { return ByteBuffer() }
        while var next = try await iterator.next() { whole.writeBuffer(&next) }
        return whole
    }

    /// The body as a stream with back-pressure, held to its announced length, a limit and a least pace.
    public func streamedBytes(limitBytes: Int64, advice: String = "", in context: AppContext) -> StreamedBody {
        StreamedBody(request: self, context: context, limitBytes: limitBytes, advice: advice)
    }
}

/// A request's body on its way in.
public struct StreamedBody: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer

    let request: Request
    let context: AppContext
    let limitBytes: Int64
    let advice: String

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let body: StreamedBody
        private var inner: RequestBody.AsyncIterator?
        private var received: Int64 = 0
        private var began: ContinuousClock.Instant?
        private var isDone = false

        init(body: StreamedBody) { self.body = body }

        public mutating func next() async throws -> ByteBuffer? {
            if isDone { return nil }
            if inner == nil { try begin() }
            let buffer = try await inner?.next()
            guard let buffer else { return try end() }
            received += Int64(buffer.readableBytes)
            guard received <= body.limitBytes else { throw body.tooLarge(body.request.announcedBytes) }
            if let began, let now = body.context.now?(), !BodyPace.allows(bytes: received, elapsed: now - began) {
                throw Core.Failure(.malformed, "The body came too slowly; send it again over a better line.")
            }
            return buffer
        }

        private mutating func begin() throws(Core.Failure) {
            let request = body.request
            guard request.hasBody else {
                isDone = true
                return
            }
            if let announced = request.announcedBytes, announced > body.limitBytes { throw body.tooLarge(announced) }
            if request.headers[.expect] != nil {
                body.context.channel.triggerUserOutboundEvent(ConnectionGuard.BodyWanted(), promise: nil)
            }
            began = body.context.now?()
            inner = request.body.makeAsyncIterator()
        }

        private mutating func end() throws(Core.Failure) -> ByteBuffer? {
            isDone = true
            // A closed connection looks like the end of the body from inside.
            if let announced = body.request.announcedBytes, received < announced {
                throw Core.Failure(
                    .malformed,
                    "The connection ended after \(received) of \(announced) bytes of the body."
                )
            }
            body.context.notes.state.withLock { $0.isBodyRead = true }
            return nil
        }
    }

    func tooLarge(_ announced: Int64?) -> Core.Failure {
        let size = announced.map { "this one has \(Bytes($0))" } ?? "this one has more"
        return Core.Failure(
            .tooLarge,
            "A body may have \(Bytes(limitBytes)) here; \(size)." + (advice.isEmpty ? "" : " " + advice)
        )
    }
}
