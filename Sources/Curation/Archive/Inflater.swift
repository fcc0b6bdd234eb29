import CZlib

/// One zlib decompression state: a member at a time, in pieces of any size.
///
/// > Source: RFC 1950, 1951 and 1952; the manual in zlib.h.
struct Inflater: ~Copyable {
    enum Format: Sendable {
        case gzip
        case zlib
        case raw

        fileprivate var windowBits: Int32 {
            switch self {
            case .gzip: 15 + 16
            case .zlib: 15
            case .raw: -15
            }
        }
    }

    enum Outcome {
        /// All input is consumed or all room for output is used.
        case more
        /// The member's end, its checksum right.
        case finished
        case damaged
        case checksum
    }

    struct Step {
        let outcome: Outcome
        let consumed: Int
        let produced: Int
    }

    // Zlib keeps the address of the stream in its state, so it may not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let isUsable: Bool

    init(_ format: Format) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = inflateInit2_(stream, format.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        isUsable = status == Z_OK
    }

    deinit {
        if isUsable { inflateEnd(stream) }
        stream.deallocate()
    }

    /// Begins another member.
    mutating func reset() {
        if isUsable { inflateReset(stream) }
    }

    /// Decompresses from `input` to `output` as far as both reach.
    mutating func inflate(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Step {
        guard isUsable else { return Step(outcome: .damaged, consumed: 0, produced: 0) }
        let inputCount = min(input.count, Int(UInt32.max))
        let outputCount = min(output.count, Int(UInt32.max))
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(inputCount)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(outputCount)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        let consumed = inputCount - Int(stream.pointee.avail_in)
        let produced = outputCount - Int(stream.pointee.avail_out)
        let outcome: Outcome =
            switch status {
            case Z_STREAM_END: .finished
            case Z_OK, Z_BUF_ERROR: .more
            default: isChecksum ? .checksum : .damaged
            }
        return Step(outcome: outcome, consumed: consumed, produced: produced)
    }

    /// Whether the last fault was one of the trailer. Zlib tells by its message only.
    private var isChecksum: Bool {
        guard let message = stream.pointee.msg else { return false }
        let text = String(cString: message)
        return text == "incorrect data check" || text == "incorrect length check"
    }
}
