import Core
import HTTPTypes
public import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Wire

/// One event of a `text/event-stream` (WHATWG HTML, section 9.2).
public struct ServerSentEvent: Sendable, Hashable {
    /// Comes back as `Last-Event-ID` when the client reconnects.
    public var id: String?
    /// The event's type; `nil` is `message`.
    public var event: String?
    public var data: String

    public init(id: String? = nil, event: String? = nil, data: String) {
        self.id = id
        self.event = event
        self.data = data
    }

    /// Appends the event's text form. Line breaks in `data` become several `data:` lines.
    func write(into buffer: inout ByteBuffer) {
        if let id { buffer.writeString("id: \(id)\n") }
        if let event { buffer.writeString("event: \(event)\n") }
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            buffer.writeString("data: ")
            buffer.writeSubstring(line)
            buffer.writeString("\n")
        }
        buffer.writeString("\n")
    }
}

/// Some events, and where to go on after them.
public struct EventBatch<Position: Sendable>: Sendable {
    public var events: [ServerSentEvent]
    public var next: Position
    /// Nothing will follow.
    public var isLast: Bool

    public init(events: [ServerSentEvent], next: Position, isLast: Bool = false) {
        self.events = events
        self.next = next
        self.isLast = isLast
    }
}

extension Response {
    /// A comment is sent when there was nothing else for this long, so that proxies keep the connection.
    public static let heartbeatPeriod = Duration.seconds(15)

    /// An endless answer: server-sent events that are fetched batch by batch, so that a slow reader holds back its source.
    ///
    /// Ends when the client goes away, when the caller's credentials are no longer good, when the point shuts down,
    /// and after the batch that is the last. An error after the beginning is sent as an event `error` that carries
    /// the problem.
    /// - Parameters:
    ///   - start: Where the first batch begins.
    ///   - next: Returns the batch at a position. Waits at most that long for one, then returns an empty one. It is
    ///     called with `.zero` before the answer begins, so that errors known at once become ordinary problems.
    public static func events<Position: Sendable>(
        for request: Request,
        in context: AppContext,
        from start: Position,
        heartbeat: Duration = heartbeatPeriod,
        next: @escaping @Sendable (Position, Duration) async throws -> EventBatch<Position>
    ) async throws -> Response {
        let first = try await next(start, .zero)
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
            .accelBuffering: "no",
            // Listening for the caller's leaving uses the connection up. Who is not told sends the next request into it.
            .connection: "close",
        ]
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { writer in
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var batch = first
                    var buffer = ByteBuffer(string: "retry: 2000\n\n")
                    while true {
                        for event in batch.events { event.write(into: &buffer) }
                        if batch.events.isEmpty, buffer.readableBytes == 0 { buffer.writeString(": still here\n\n") }
                        try await writer.write(buffer)
                        buffer.clear()
                        if batch.isLast || Task.isCancelled || Task.isShuttingDownGracefully { break }
                        let position = batch.next
                        do {
                            try await context.reauthenticate()
                            batch = try await cancelWhenGracefulShutdown { try await next(position, heartbeat) }
                        } catch is CancellationError {
                            break
                        } catch {
                            let failure = error as? Failure ?? Failure(.internal, "The stream broke; reconnect.")
                            if failure.code == .internal {
                                context.logger.error("event stream broke", metadata: ["error": "\(error)"])
                            }
                            let problem = Problem(failure, instance: request.uri.path, requestID: context.requestID)
                            ServerSentEvent(event: "error", data: problem.json.text).write(into: &buffer)
                            try await writer.write(buffer)
                            break
                        }
                    }
                }
                try await writer.finish(nil)
            }
        )
    }

    /// Runs an operation that may wait long; it is cancelled when the point shuts down.
    public static func whileServing<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await cancelWhenGracefulShutdown(operation)
    }
}
