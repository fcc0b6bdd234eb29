public import Core
public import NIOCore

/// How clients of Xet read a stored file: as chunks of one size, written as they are, in xorbs that nobody stores.
///
/// Where each byte stands in these xorbs is arithmetic, so there is nothing to keep, and any file can be read so,
/// whoever brought it (docs/decisions/0027-xet-reads-are-arithmetic.md).
public struct XetLayout: Sendable, Hashable {
    /// Xet's own chunks have this size in the mean, and at most twice of it.
    static let chunkBytes: Int64 = 65_536
    /// Version, packed length, scheme, plain length.
    static let headerBytes: Int64 = 8
    /// 32 MiB, half of what a xorb may have: clients hold some of them in memory.
    static let chunksPerXorb: Int64 = 512

    public let digest: Digest
    public let size: Int64

    public init(of digest: Digest, size: Bytes) { (self.digest, self.size) = (digest, size.count) }

    /// A run of chunks of one xorb.
    public struct Term: Sendable, Hashable {
        public var xorb: Int64
        public var chunks: Range<Int64>
        /// How many bytes of the file they are.
        public var plainBytes: Int64
        /// Where they stand in the xorb.
        public var packed: Range<Int64>
    }

    private static var xorbPlainBytes: Int64 { chunkBytes * chunksPerXorb }

    /// The runs of whole chunks in which a range of the file lies, and where the first of them begins in the file.
    public func terms(covering range: Range<Int64>) -> (terms: [Term], start: Int64) {
        let range = range.clamped(to: 0..<size)
        guard !range.isEmpty else { return ([], range.lowerBound) }
        let first = range.lowerBound / Self.chunkBytes
        let end = (range.upperBound + Self.chunkBytes - 1) / Self.chunkBytes
        let terms = (first / Self.chunksPerXorb...(end - 1) / Self.chunksPerXorb).map { xorb in
            let start = xorb * Self.chunksPerXorb
            let chunks = max(first - start, 0)..<min(end - start, Self.chunksPerXorb)
            let plain = plainEnd(xorb, chunks.upperBound) - plainEnd(xorb, chunks.lowerBound)
            let packed = chunks.lowerBound * (Self.chunkBytes + Self.headerBytes)
            return Term(
                xorb: xorb,
                chunks: chunks,
                plainBytes: plain,
                packed: packed..<packed + plain + Int64(chunks.count) * Self.headerBytes
            )
        }
        return (terms, first * Self.chunkBytes)
    }

    /// Where a xorb's first chunks end in the file.
    private func plainEnd(_ xorb: Int64, _ chunks: Int64) -> Int64 {
        min(xorb * Self.xorbPlainBytes + chunks * Self.chunkBytes, size)
    }

    /// A name for a xorb, which says what is in it: clients keep what they have read under it.
    public func name(ofXorb xorb: Int64) -> String {
        let number = String(xorb, radix: 16)
        return digest.hex.prefix(48) + String(repeating: "0", count: 16 - number.count) + number
    }

    /// How many bytes a xorb has as it is sent; `nil` when the file has no such one.
    public func packedBytes(ofXorb xorb: Int64) -> Int64? {
        guard xorb >= 0, xorb <= size / Self.xorbPlainBytes else { return nil }
        let start = xorb * Self.xorbPlainBytes
        return terms(covering: start..<start + Self.xorbPlainBytes).terms.first?.packed.upperBound
    }

    /// The bytes of the file that stand in a part of a xorb.
    func plain(ofXorb xorb: Int64, packed: Range<Int64>) -> Range<Int64> {
        func place(_ offset: Int64) -> Int64 {
            let (chunk, rest) = offset.quotientAndRemainder(dividingBy: Self.chunkBytes + Self.headerBytes)
            let plain = xorb * Self.xorbPlainBytes + chunk * Self.chunkBytes + max(0, rest - Self.headerBytes)
            return min(plain, size)
        }
        return place(packed.lowerBound)..<place(packed.upperBound)
    }

    /// What a chunk begins with: it is packed by nothing.
    func header(ofXorb xorb: Int64, chunk: Int64) -> [UInt8] {
        let length = UInt32(plainEnd(xorb, chunk + 1) - plainEnd(xorb, chunk))
        let three = (0..<3).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
        return [0] + three + [0] + three
    }
}

/// A part of such a xorb, made of the file's bytes as they come.
struct PackedXorb<Plain: AsyncSequence & Sendable>: AsyncSequence, Sendable where Plain.Element == ByteBuffer {
    typealias Element = ByteBuffer

    let layout: XetLayout
    let xorb: Int64
    let packed: Range<Int64>
    /// The bytes of the file that stand in it.
    let plain: Plain

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(xorb: self, plain: plain.makeAsyncIterator(), offset: packed.lowerBound)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let xorb: PackedXorb
        var plain: Plain.AsyncIterator
        var offset: Int64
        var input = ByteBuffer()

        mutating func next() async throws -> ByteBuffer? {
            var output = ByteBuffer()
            while offset < xorb.packed.upperBound {
                let left = xorb.packed.upperBound - offset
                let stride = XetLayout.chunkBytes + XetLayout.headerBytes
                let (chunk, place) = offset.quotientAndRemainder(dividingBy: stride)
                var count: Int64
                if place < XetLayout.headerBytes {
                    count = Swift.min(XetLayout.headerBytes - place, left)
                    let header = xorb.layout.header(ofXorb: xorb.xorb, chunk: chunk)
                    output.writeBytes(header[Int(place)..<Int(place + count)])
                } else {
                    if input.readableBytes == 0 {
                        if output.readableBytes > XetLayout.headerBytes { return output }
                        guard let more = try await plain.next() else { return output.readableBytes > 0 ? output : nil }
                        input = more
                    }
                    count = Swift.min(stride - place, left, Int64(input.readableBytes))
                    if var slice = input.readSlice(length: Int(count)) { output.writeBuffer(&slice) }
                }
                offset += count
            }
            return output.readableBytes > 0 ? output : nil
        }
    }
}

extension Repositories {
    /// A part of a xorb of a file that may be had through a repository.
    ///
    /// The caller's right to read the repository was checked before.
    /// - Throws: `.notFound` when the file is not there.
    public func bytes(
        of layout: XetLayout,
        xorb: Int64,
        packed: Range<Int64>,
        in repository: Repository
    ) async throws -> some AsyncSequence<ByteBuffer, any Error> & Sendable {
        let plain = try await bytes(layout.digest, layout.plain(ofXorb: xorb, packed: packed), in: repository)
        return PackedXorb(layout: layout, xorb: xorb, packed: packed, plain: plain)
    }
}
