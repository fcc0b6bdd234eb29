internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

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

        public init(_ status: Int, _ text: String, breaksOffAfter: Int? = nil) {
            self.init(status, bytes: Array(text.utf8), breaksOffAfter: breaksOffAfter)
        }

        public init(_ status: Int, bytes: [UInt8], breaksOffAfter: Int? = nil) {
            self.status = status
            body = bytes
            self.breaksOffAfter = breaksOffAfter
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
