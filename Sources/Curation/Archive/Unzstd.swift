import CZstd

/// Decompresses a zstd file of any number of frames piece by piece. Its memory is bounded by ``windowMaxBytes``.
///
/// > Source: RFC 8878; the manual in zstd.h.
///
/// `@unchecked Sendable`: the decompression state has one owner, which this value is.
public struct Unzstd: ~Copyable, @unchecked Sendable {
    /// The largest window that a frame may want: what the `zstd` tool decompresses without being asked to.
    public static let windowMaxBytes = 1 << windowMaxLog
    private static let windowMaxLog: Int32 = 27
    private static let pieceBytes = 64 << 10

    /// Of `ZSTD_ErrorCode` in zstd_errors.h, where they are promised not to change.
    private static let windowTooLarge = 16
    private static let checksumWrong = 22
    private static let prefixUnknown = 10

    private let context: OpaquePointer?
    private let cap: ExpansionCap
    private var scratch = [UInt8](repeating: 0, count: pieceBytes)
    private var isInFrame = false
    private var fault: StreamFault?

    /// Compressed bytes read and bytes delivered so far.
    public private(set) var consumed = 0
    public private(set) var produced = 0

    public init(cap: ExpansionCap = .none) {
        self.cap = cap
        context = ZSTD_createDCtx()
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowMaxLog)
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Appends what `input` decompresses to, at most `outputMax` bytes of it.
    ///
    /// Call again with the rest of the input, if any was left; when nothing was left and nothing was appended, more
    /// input is needed, or the stream has ended if this was its last.
    ///
    /// - Parameter isLast: Whether the stream ends with this input.
    /// - Returns: How many bytes of the input were consumed.
    /// - Throws: What is wrong with the stream, after all that could be read before it was appended; and again on
    ///   every later call.
    public mutating func decompress(
        _ input: Span<UInt8>,
        isLast: Bool,
        into output: inout [UInt8],
        outputMax: Int
    ) throws(StreamFault) -> Int {
        if let fault { throw fault }
        guard context != nil else { throw fail(.damaged, at: 0) }
        var position = 0
        var room = max(0, outputMax)
        while room > 0 {
            if position == input.count, !isInFrame { break }
            let piece = min(room, Self.pieceBytes)
            let start = position
            var written = 0
            let result = input.withUnsafeBufferPointer { source in
                scratch.withUnsafeMutableBufferPointer { target in
                    var from = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: position)
                    var to = ZSTD_outBuffer(
                        dst: target.baseAddress,
                        size: piece,
                        pos: 0
                    )
                    let result = ZSTD_decompressStream(context, &to, &from)
                    position = from.pos
                    written = to.pos
                    return result
                }
            }
            output.append(contentsOf: scratch[..<written])
            room -= written
            produced += written
            if ZSTD_isError(result) != 0 { throw fail(kind(of: result), at: position) }
            if cap.isExceeded(produced: produced, consumed: consumed + position) {
                throw fail(.expansion, at: position)
            }
            isInFrame = result != 0
            guard isInFrame, written < piece, position == input.count || position == start else { continue }
            if isLast { throw fail(.truncated, at: position) }
            break
        }
        consumed += position
        return position
    }

    private func kind(of result: Int) -> StreamFault.Kind {
        switch -result {
        case Self.windowTooLarge: .window
        case Self.checksumWrong: .checksum
        case Self.prefixUnknown: consumed > 0 || produced > 0 ? .garbage : .damaged
        default: .damaged
        }
    }

    private mutating func fail(_ kind: StreamFault.Kind, at position: Int) -> StreamFault {
        consumed += position
        let fault = StreamFault(kind, offset: consumed)
        self.fault = fault
        return fault
    }
}
