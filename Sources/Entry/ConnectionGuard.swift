import HTTPTypes
public import NIOCore
public import NIOHTTPTypes

/// Sits in each connection and decides whether a body may come in.
///
/// - `Expect: 100-continue` is answered when the route begins to read the body, that is after route, credentials and
///   size were accepted (RFC 9110, section 10.1.1), and never when the request is refused.
/// - A refused body is drained first, so that callers who read only when they have sent it all see the answer instead of
///   a reset; but not for ever. Of bodies longer than `drainBytesMax`, or that take longer than `drainTimeMax`, the rest
///   stays where it is: the answer goes out, the connection is closed towards the caller, and after the same time again
///   for good.
public final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPRequestPart
    public typealias InboundOut = HTTPRequestPart
    public typealias OutboundIn = HTTPResponsePart
    public typealias OutboundOut = HTTPResponsePart

    /// The route wants the body.
    struct BodyWanted: Sendable {}
    /// The answer that follows refuses the body. Done when that answer may go out.
    struct BodyRefused: Sendable {
        let announcedBytes: Int64?
    }

    /// More than any body that is taken into memory may have.
    static let drainBytesMax: Int64 = 16 << 20
    static let drainTimeMax = TimeAmount.seconds(2)

    private var expectsContinue = false
    private var isBodyOver = false
    private var isRefusing = false
    private var drainedBytes: Int64 = 0
    private var drained: EventLoopPromise<Void>?

    public init() {}

    /// Read at once at the most. Bodies of gibibytes come in fewer pieces so, each of which costs two changes of threads;
    /// connections on which little comes stay with little. Where more comes than the disk takes, a connection holds about
    /// 17 MiB.
    static let readBytesMax = 1 << 20

    public func handlerAdded(context: ChannelHandlerContext) {
        let allocator = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: Self.readBytesMax)
        context.channel.setOption(.recvAllocator, value: allocator).whenFailure { _ in
            // A channel that is no socket, or is closed already.
        }
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            expectsContinue = head.headerFields[.expect]?.lowercased() == "100-continue"
            isBodyOver = false
        case .body(let buffer):
            expectsContinue = false
            if isRefusing { drainedBytes += Int64(buffer.readableBytes) }
        case .end:
            expectsContinue = false
            isBodyOver = true
        }
        if isRefusing { answerIfDrained() } else { context.fireChannelRead(data) }
    }

    public func read(context: ChannelHandlerContext) {
        if drainedBytes < Self.drainBytesMax { context.read() }
    }

    public func channelInactive(context: ChannelHandlerContext) {
        answer()
        context.fireChannelInactive()
    }

    private func answerIfDrained() {
        // Whoever waits to be asked for the body sends none.
        if isBodyOver || expectsContinue || drainedBytes >= Self.drainBytesMax { answer() }
    }

    private func answer() {
        drained?.succeed()
        drained = nil
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind us takes parts any more, so nobody asks for more of them either.
        if isRefusing { read(context: context) }
    }

    public func triggerUserOutboundEvent(
        context: ChannelHandlerContext,
        event: Any,
        promise: EventLoopPromise<Void>?
    ) {
        switch event {
        case is BodyWanted:
            if expectsContinue {
                expectsContinue = false
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            promise?.succeed()
        case let refused as BodyRefused:
            isRefusing = true
            drained = promise
            if (refused.announcedBytes ?? 0) > Self.drainBytesMax { answer() } else { answerIfDrained() }
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainTimeMax) { self.answer() }
            read(context: context)
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isRefusing, case .end = unwrapOutboundIn(data) else {
            context.write(data, promise: promise)
            return
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(data).assumeIsolated().whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
        }
        promise?.succeed()
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainTimeMax) {
            bound.value.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
