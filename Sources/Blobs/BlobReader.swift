import AsyncHTTPClient
public import Core
public import NIOCore

/// An open blob. Reads of files run on the store's file threads; the file is closed with the last reference.
public final class BlobReader: Sendable {
    public let blob: StoredBlob
    let source: Source
    private let threads: FileThreads

    enum Source: Sendable {
        case file(OpenFile)
        case bucket(S3Bucket)
    }

    /// The most that one ``read(offset:countMax:)`` returns.
    public static let readBytesMax = 8 << 20

    init(blob: StoredBlob, source: Source, threads: FileThreads) {
        self.blob = blob
        self.source = source
        self.threads = threads
    }

    public var digest: Digest { blob.digest }
    public var size: Bytes { blob.size }

    /// Bytes from `offset` on: at most `countMax` and ``readBytesMax``; empty at the end of the blob.
    /// - Throws: ``Failure`` `rangeNotSatisfiable` for an offset outside `0...size`, `internal` when the file on the
    ///   disk is shorter than it was (somebody cut it).
    public func read(offset: Int64, countMax: Int) async throws -> ByteBuffer {
        guard offset >= 0, offset <= size.count else { throw outside() }
        let count = Int(min(Int64(max(0, min(countMax, Self.readBytesMax))), size.count - offset))
        guard count > 0 else { return ByteBuffer() }
        switch source {
        case .file(let file):
            let buffer = try await threads.run { try file.descriptor.buffer(at: offset, count: count) }
            guard buffer.readableBytes == count else { throw SystemError.truncated(file.descriptor.path).failure }
            return buffer
        case .bucket:
            var buffer = ByteBuffer()
            for try await var piece in try chunks(offset..<offset + Int64(count)) { buffer.writeBuffer(&piece) }
            return buffer
        }
    }

    /// The bytes of `range`, or of the whole blob, in pieces of at most 1 MiB; the next piece is read when it is
    /// asked for. Any number of iterations may run at once.
    /// - Throws: ``Failure`` `rangeNotSatisfiable` for a range that is not inside the blob.
    public func chunks(_ range: Range<Int64>? = nil) throws(Failure) -> BlobChunks {
        let range = range ?? 0..<size.count
        guard range.lowerBound >= 0, range.upperBound <= size.count else { throw outside() }
        return BlobChunks(reader: self, range: range)
    }

    private func outside() -> Failure {
        Failure(.rangeNotSatisfiable, "This blob has \(size.count) bytes. Ask for a range inside them.")
    }
}

/// A range of a blob as a sequence of buffers. Holds no more than one buffer, and none between two calls.
public struct BlobChunks: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer

    /// Of one element, in bytes.
    public static let chunkBytesMax = 1 << 20

    let reader: BlobReader
    public let range: Range<Int64>

    public struct AsyncIterator: AsyncIteratorProtocol {
        let reader: BlobReader
        var offset: Int64
        let end: Int64
        /// What comes from the bucket, from `offset` on.
        private var stream: HTTPClientResponse.Body.AsyncIterator?

        fileprivate init(_ chunks: BlobChunks) {
            (reader, offset, end) = (chunks.reader, chunks.range.lowerBound, chunks.range.upperBound)
        }

        public mutating func next() async throws -> ByteBuffer? {
            guard offset < end else { return nil }
            let buffer =
                switch reader.source {
                case .file: try await reader.read(offset: offset, countMax: count)
                case .bucket(let bucket): try await piece(from: bucket)
                }
            offset += Int64(buffer.readableBytes)
            return buffer
        }

        private var count: Int { Int(Swift.min(end - offset, Int64(BlobChunks.chunkBytesMax))) }

        /// A stream that breaks off is asked for once more, from where it stood.
        private mutating func piece(from bucket: S3Bucket) async throws -> ByteBuffer {
            var triesLeft = 3
            while true {
                do {
                    if stream == nil { stream = try await bucket.get(reader.digest, offset..<end).makeAsyncIterator() }
                    if let piece = try await stream?.next() {
                        if piece.readableBytes > 0 { return piece }
                        continue
                    }
                } catch let error as Core.Failure {
                    throw error
                } catch is HTTPClientError {
                    // A line that broke; below.
                } catch is IOError {
                    // The same.
                }
                stream = nil
                triesLeft -= 1
                guard triesLeft > 0 else {
                    throw Core.Failure(.unavailable, "The bucket broke off \(reader.digest) again and again.")
                }
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
