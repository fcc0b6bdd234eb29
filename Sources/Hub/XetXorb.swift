import CXet
import Core
import NIOCore
import Synchronization

/// The chunks of a xorb that is being unpacked, in their order.
final class XorbTable: Sendable {
    private let found = Mutex<[XetChunk]>([])

    var chunks: [XetChunk] { found.withLock { $0 } }
    fileprivate func append(_ chunk: XetChunk) -> Int {
        found.withLock {
            $0.append(chunk)
            return $0.count
        }
    }
}

/// Unpacks a xorb as it comes: what goes in is as the client sent it, what comes out are the plain bytes. Every chunk's
/// hash is computed; at the end they must make up the hash that the client named.
///
/// Holds one packed chunk and about ``outputBytes`` of plain bytes. Every length is checked before there is room made
/// for it (a frame of LZ4 of some bytes can claim any size).
struct PlainXorb<Packed: AsyncSequence & Sendable>: AsyncSequence, Sendable where Packed.Element == ByteBuffer {
    typealias Element = ByteBuffer

    let packed: Packed
    let expected: XetHash
    let table: XorbTable

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(packed: packed.makeAsyncIterator(), expected: expected, table: table)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var packed: Packed.AsyncIterator
        let expected: XetHash
        let table: XorbTable
        var input = ByteBuffer()
        /// What came after `input`, which holds a part of a chunk then.
        var later = ByteBuffer()
        var unpacker = XorbUnpacker()
        var isAtEnd = false

        mutating func next() async throws -> ByteBuffer? {
            var output = ByteBufferAllocator().buffer(capacity: isAtEnd ? 0 : Xorb.outputBytes + Xorb.chunkBytesMax)
            while !isAtEnd, output.readableBytes < Xorb.outputBytes {
                if try unpacker.step(&input, into: &output, table) { continue }
                if unpacker.isAtFooter {
                    // What follows repeats what is known by now.
                    while try await packed.next() != nil {}
                    isAtEnd = true
                } else if later.readableBytes > 0 {
                    complete()
                } else if let more = try await packed.next() {
                    if input.readableBytes > 0 { later = more } else { input = more }
                } else {
                    guard input.readableBytes == 0 else { throw Xorb.broken("it ends within a chunk") }
                    isAtEnd = true
                }
            }
            if output.readableBytes > 0 { return output }
            guard XetHash.xorb(table.chunks) == expected else {
                throw Core.Failure(
                    .digestMismatch,
                    "The chunks of this xorb do not make up \(expected). Send it again."
                )
            }
            return nil
        }

        /// Adds to the part of a chunk what it lacks; after a whole one goes on with what came, uncopied.
        private mutating func complete() {
            guard input.readableBytes > 0 else {
                (input, later) = (later, ByteBuffer())
                return
            }
            var chunk = ByteBufferAllocator().buffer(capacity: 8 + 2 * Xorb.chunkBytesMax)
            chunk.writeBuffer(&input)
            while case let lacking = XorbUnpacker.countWanted(by: chunk) - chunk.readableBytes, lacking > 0,
                var some = later.readSlice(length: Swift.min(lacking, later.readableBytes)), some.readableBytes > 0
            {
                chunk.writeBuffer(&some)
            }
            input = chunk
        }
    }
}

/// Limits of a xorb.
enum Xorb {
    static let chunksMax = 8192
    static let chunkBytesMax = Int(ONEPOINT_XET_CHUNK_MAX)
    /// As it is sent, with the footer that old clients add.
    static let packedBytesMax: Int64 = 66 << 20
    /// Unpacked. Clients fill a xorb with 64 MiB.
    static let plainBytesMax = 128 << 20
    static let outputBytes = 1 << 20

    static func broken(_ what: String) -> Core.Failure { Core.Failure(.invalid, "This is no xorb: \(what).") }
}

/// Takes one chunk after the other out of a buffer.
struct XorbUnpacker {
    private let decoder = XetDecoder()
    private var plainBytes = 0
    /// Old clients end a xorb with a summary of it, which begins where the version of a chunk would stand.
    private(set) var isAtFooter = false

    /// How many bytes the chunk has that begins a buffer, or its head while that is not there.
    static func countWanted(by input: ByteBuffer) -> Int {
        guard let head = input.getInteger(at: input.readerIndex, endianness: .little, as: UInt64.self) else { return 8 }
        return 8 + min(packedBytes(head), 2 * Xorb.chunkBytesMax)
    }

    private static func packedBytes(_ head: UInt64) -> Int { Int(head >> 8 & 0xFF_FFFF) }

    /// - Returns: Whether there was a whole chunk.
    mutating func step(_ input: inout ByteBuffer, into output: inout ByteBuffer, _ table: XorbTable) throws -> Bool {
        let at = input.readerIndex
        guard let version = input.getInteger(at: at, as: UInt8.self), !isAtFooter else { return false }
        if version == UInt8(ascii: "X") {
            isAtFooter = true
            return false
        }
        guard version == 0 else { throw Xorb.broken("it has chunks of version \(version)") }
        guard let head = input.getInteger(at: at, endianness: .little, as: UInt64.self) else { return false }
        let packed = Self.packedBytes(head)
        let scheme = Int32(head >> 32 & 0xFF)
        let plain = Int(head >> 40)
        guard (1...Xorb.chunkBytesMax).contains(plain), packed <= 2 * Xorb.chunkBytesMax else {
            throw Xorb.broken("a chunk has 1 to \(Xorb.chunkBytesMax) bytes")
        }
        guard input.readableBytes >= 8 + packed else { return false }
        plainBytes += plain
        guard plainBytes <= Xorb.plainBytesMax else {
            throw Xorb.broken("it has more than \(Xorb.plainBytesMax) bytes")
        }
        output.reserveCapacity(minimumWritableBytes: plain)
        let decoder = decoder
        let hash = try input.withUnsafeReadableBytes { from in
            try output.withUnsafeMutableWritableBytes { to in
                let bytes = UnsafeMutableRawBufferPointer(rebasing: to[..<plain])
                let packedBytes = UnsafeRawBufferPointer(rebasing: from[8..<(8 + packed)])
                guard decoder.unpack(scheme, packedBytes, into: bytes) else {
                    throw Xorb.broken("a chunk cannot be unpacked")
                }
                return XetHash.chunk(UnsafeRawBufferPointer(bytes))
            }
        }
        output.moveWriterIndex(forwardBy: plain)
        input.moveReaderIndex(forwardBy: 8 + packed)
        guard table.append(XetChunk(hash: hash, length: UInt32(plain))) <= Xorb.chunksMax else {
            throw Xorb.broken("it has more than \(Xorb.chunksMax) chunks")
        }
        return true
    }
}

/// The memory that unpacking needs, kept from chunk to chunk.
private final class XetDecoder {
    private let decoder: OpaquePointer?

    init() { decoder = onepoint_xet_decoder_new() }
    deinit { onepoint_xet_decoder_free(decoder) }

    func unpack(_ scheme: Int32, _ packed: UnsafeRawBufferPointer, into plain: UnsafeMutableRawBufferPointer) -> Bool {
        guard let decoder else { return false }
        return onepoint_xet_unpack(
            decoder,
            scheme,
            packed.assumingMemoryBound(to: UInt8.self).baseAddress,
            packed.count,
            plain.assumingMemoryBound(to: UInt8.self).baseAddress,
            plain.count
        ) == 0
    }
}
