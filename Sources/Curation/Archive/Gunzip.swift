/// Decompresses a gzip file of any number of members piece by piece, in memory that does not grow with it.
///
/// Zeros after the last member are padding, as `gzip` takes them. Any other bytes there are a fault.
///
/// > Source: RFC 1952.
///
/// `@unchecked Sendable`: the decompression state has one owner, which this value is.
public struct Gunzip: ~Copyable, @unchecked Sendable {
    private enum State {
        case between
        case member
        case padding
        case failed(StreamFault)
    }

    private var inflater = Inflater(.gzip)
    private var scratch = [UInt8](repeating: 0, count: pieceBytes)
    private var state = State.between
    private let cap: ExpansionCap

    /// Compressed bytes read and bytes delivered so far.
    public private(set) var consumed = 0
    public private(set) var produced = 0

    private static let pieceBytes = 64 << 10

    public init(cap: ExpansionCap = .none) {
        self.cap = cap
    }

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
        if case .failed(let fault) = state { throw fault }
        var position = 0
        var room = max(0, outputMax)
        loop: while true {
            switch state {
            case .failed(let fault): throw fault
            case .padding:
                while position < input.count, input[position] == 0 { position += 1 }
                guard position == input.count else { throw fail(.garbage, at: position) }
                break loop
            case .between:
                guard position < input.count else { break loop }
                if input[position] == 0x1F {
                    inflater.reset()
                    state = .member
                } else if input[position] == 0, consumed + position > 0 {
                    state = .padding
                } else {
                    throw fail(.garbage, at: position)
                }
            case .member:
                guard room > 0 else { break loop }
                let piece = min(room, Self.pieceBytes)
                let step = input.withUnsafeBufferPointer { source in
                    scratch.withUnsafeMutableBufferPointer { target in
                        inflater.inflate(
                            UnsafeBufferPointer(rebasing: source[position...]),
                            into: UnsafeMutableBufferPointer(rebasing: target[..<piece])
                        )
                    }
                }
                output.append(contentsOf: scratch[..<step.produced])
                position += step.consumed
                room -= step.produced
                produced += step.produced
                if cap.isExceeded(produced: produced, consumed: consumed + position) {
                    throw fail(.expansion, at: position)
                }
                switch step.outcome {
                case .finished: state = .between
                case .damaged: throw fail(.damaged, at: position)
                case .checksum: throw fail(.checksum, at: position)
                case .more:
                    guard step.produced < piece else { continue }
                    if isLast { throw fail(.truncated, at: position) }
                    break loop
                }
            }
        }
        consumed += position
        return position
    }

    private mutating func fail(_ kind: StreamFault.Kind, at position: Int) -> StreamFault {
        consumed += position
        let fault = StreamFault(kind, offset: consumed)
        state = .failed(fault)
        return fault
    }
}
