import HTTPTypes
public import NIOCore
public import NIOHTTPTypes

/// Sits in each connection and decides whether a body may come in.
///
/// - `Expect: 100-continue` is answered when the route begins to read the body, that is after route, credentials and
///   size were accepted (RFC 9110, section 10.1.1), and never when the request is refused.
/// - A refused body is not drained for ever: once the answer is out the connection is closed towards the caller, up to
///   `drainBytesMax` are read and dropped so that the caller gets to see the answer instead of a reset, and after
///   `drainTimeMax` the connection is closed for good.
public final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPRequestPart
    public typealias InboundOut = HTTPRequestPart
    public typealias OutboundIn = HTTPResponsePart
    public typealias OutboundOut = HTTPResponsePart

    /// The route wants the body.
    struct BodyWanted: Sendable {}
    /// The answer that follows refuses the body.
    struct BodyRefused: Sendable {}

    static let drainBytesMax = 1 << 20
    static let drainTimeMax = TimeAmount.seconds(2)

    private var expectsContinue = false
    private var isRefusing = false
    private var drainedBytes = 0

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
        let part = unwrapInboundIn(data)
        if isRefusing {
            if case .body(let buffer) = part {
                drainedBytes += buffer.readableBytes
                if drainedBytes > Self.drainBytesMax { context.close(promise: nil) }
            }
            return
        }
        switch part {
        case .head(let head): expectsContinue = head.headerFields[.expect]?.lowercased() == "100-continue"
        case .body, .end: expectsContinue = false
        }
        context.fireChannelRead(data)
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody behind us takes parts any more, so nobody asks for more of them either.
        if isRefusing { context.read() }
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
        case is BodyRefused:
            isRefusing = true
            context.read()
            promise?.succeed()
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
