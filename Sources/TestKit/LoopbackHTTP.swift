internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// An HTTP server on a port of the loopback interface, whose answers a test decides.
public final class LoopbackHTTP: Sendable {
    public struct Request: Sendable, Hashable {
        public var method: String
        /// Path and query.
        public var target: String
        public var authorization: String?
        public var body: [UInt8]
    }

    public struct Answer: Sendable {
        public var status: Int
        public var body: [UInt8]
        /// Breaks the connection off after so many bytes of the body; zero says nothing at all.
        public var breaksOffAfter: Int?
        /// What goes on after the body, as the test likes.
        public var stream: Stream?

        /// Begins with status 200 and goes on as the stream says.
        public init(_ stream: Stream) {
            self.init(200, bytes: [])
            self.stream = stream
        }

        public init(_ status: Int, _ text: String, breaksOffAfter: Int? = nil) {
            self.init(status, bytes: Array(text.utf8), breaksOffAfter: breaksOffAfter)
        }

        public init(_ status: Int, bytes: [UInt8], breaksOffAfter: Int? = nil) {
            self.status = status
            body = bytes
            self.breaksOffAfter = breaksOffAfter
        }
    }

    /// An answer that goes on for as long as a test likes.
    public final class Stream: Sendable {
        private enum State {
            case waiting(steps: [Step])
            case open(any Channel)
        }
        private enum Step { case text(String), end, cut }

        private let state = Mutex(State.waiting(steps: []))

        public init() {}

        public func send(_ text: String) { take(.text(text)) }
        /// Ends the answer as a whole one.
        public func end() { take(.end) }
        /// Breaks the connection off.
        public func breakOff() { take(.cut) }

        private func take(_ step: Step) {
            state.withLock { state in
                switch state {
                case .waiting(let steps): state = .waiting(steps: steps + [step])
                case .open(let channel): Self.do(step, on: channel)
                }
            }
        }

        fileprivate func open(_ channel: any Channel) {
            state.withLock { state in
                if case .waiting(let steps) = state { for step in steps { Self.do(step, on: channel) } }
                state = .open(channel)
            }
        }

        private static func `do`(_ step: Step, on channel: any Channel) {
            switch step {
            case .text(let text):
                channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
            case .end: channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
            case .cut: channel.close(promise: nil)
            }
        }
    }

    private let channel: any Channel

    /// - Parameter answer: Called on the server's own thread, one call after another for each connection.
    public init(_ answer: @escaping @Sendable (Request) -> Answer) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(Answering(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Such as `http://127.0.0.1:41234`.
    public var address: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    public func close() async { try? await channel.close() }
}

/// Collects one request at a time and writes its answer.
private final class Answering: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: @Sendable (LoopbackHTTP.Request) -> LoopbackHTTP.Answer
    private var request: LoopbackHTTP.Request?

    init(_ answer: @escaping @Sendable (LoopbackHTTP.Request) -> LoopbackHTTP.Answer) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = LoopbackHTTP.Request(
                method: head.method.rawValue,
                target: head.uri,
                authorization: head.headers.first(name: "Authorization"),
                body: []
            )
        case .body(let piece): request?.body.append(contentsOf: piece.readableBytesView)
        case .end:
            guard let request else { return }
            self.request = nil
            write(answer(request), context)
        }
    }

    private func write(_ answer: LoopbackHTTP.Answer, _ context: ChannelHandlerContext) {
        if answer.breaksOffAfter == 0 {
            context.close(promise: nil)
            return
        }
        if let stream = answer.stream {
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Transfer-Encoding": "chunked"])
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            return stream.open(context.channel)
        }
        var headers = HTTPHeaders()
        headers.add(name: "Content-Length", value: "\(answer.body.count)")
        let status = HTTPResponseStatus(statusCode: answer.status)
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
        let body = ByteBuffer(bytes: answer.body.prefix(answer.breaksOffAfter ?? answer.body.count))
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        if answer.breaksOffAfter == nil {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        } else {
            let channel = context.channel
            context.flush()
            channel.close(promise: nil)
        }
    }
}
