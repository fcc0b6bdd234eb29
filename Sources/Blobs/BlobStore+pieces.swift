public import Core
public import NIOCore

/// Bytes that somebody else vouches for, kept on the disk until they are put into blobs.
///
/// They have no digest, are not flushed, and end with the last reference or with the process.
public final class StagedFile: Sendable {
    public let size: Bytes
    let path: String
    private let store: BlobStore

    init(path: String, size: Bytes, in store: BlobStore) {
        (self.path, self.size, self.store) = (path, size, store)
    }

    deinit {
        let (path, store) = (path, store)
        store.threads.later {
            // What cannot be removed now is found by the next sweep.
            _ = try? FileSystem.removeFile(path)
            store.release(path)
        }
    }

    /// All of it; for what is known to be small.
    public func bytes() async throws -> ByteBuffer {
        let (path, count) = (path, Int(size.count))
        return try await store.threads.run { try Descriptor(path, .read).buffer(at: 0, count: count) }
    }
}

/// Some of the bytes of a blob, or of a staged file.
public struct BlobPiece: Sendable {
    public enum Source: Hashable, Sendable {
        case blob(Digest)
        case staged(StagedFile)
    }

    public var source: Source
    /// The whole of a blob without one.
    public var range: Range<Int64>?

    public init(_ source: Source, _ range: Range<Int64>? = nil) { (self.source, self.range) = (source, range) }
}

extension StagedFile: Hashable {
    public static func == (one: StagedFile, other: StagedFile) -> Bool { one === other }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension BlobStore {
    /// Keeps a stream as it is; see ``StagedFile``. Holds at most about 1 MiB of it.
    /// - Throws: ``Failure`` `tooLarge`, and whatever the stream throws; nothing is kept then.
    public func stage<Chunks: AsyncSequence & Sendable>(
        _ stream: Chunks
    ) async throws -> StagedFile where Chunks.Element == ByteBuffer {
        let limit = SizeLimit(announced: nil, blobMax: limits.blobMax)
        let path = newPartPath()
        var size: Int64 = 0
        do {
            let file = try await threads.run { try OpenFile(path, .create(mode: 0o600)) }
            try await follow(stream) { batch in
                for buffer in batch {
                    try limit.check(size + Int64(buffer.readableBytes))
                    try buffer.withUnsafeReadableBytes { try file.descriptor.write($0, at: size) }
                    size += Int64(buffer.readableBytes)
                }
            }
        } catch {
            await threads.cleanUp { [self] in
                defer { release(path) }
                try FileSystem.removeFile(path)
            }
            throw error
        }
        return StagedFile(path: path, size: Bytes(size), in: self)
    }

    /// Keeps a few bytes; see ``stage(_:)-(Chunks)``.
    public func stage(_ bytes: ByteBuffer) async throws -> StagedFile {
        try await stage(
            AsyncStream {
                $0.yield(bytes)
                $0.finish()
            }
        )
    }

    /// Stores a file that is made of pieces, one after the other.
    ///
    /// - Parameters:
    ///   - size: Of all of it.
    ///   - progress: Told after every 64 MiB at the latest.
    /// - Throws: ``Failure`` `digestMismatch`, `tooLarge`, `malformed` for pieces that have fewer bytes than `size`,
    ///   `notFound` when a blob is not here.
    public func put(
        pieces: [BlobPiece],
        expected: Digest? = nil,
        size: Bytes,
        progress: @Sendable () -> Void = {}
    ) async throws -> StoredBlob {
        if pieces.count == 1, case .staged(let staged) = pieces[0].source, staged.size == size,
            pieces[0].range ?? 0..<size.count == 0..<size.count, let blob = try await put(whole: staged, expected)
        {
            return blob
        }
        let limit = SizeLimit(announced: size, blobMax: limits.blobMax)
        return try await withPart { part in
            // Kept open, as the next piece is often of the same.
            var last: (source: BlobPiece.Source, reader: BlobReader)?
            for piece in pieces {
                let reader: BlobReader
                if let last, last.source == piece.source {
                    reader = last.reader
                } else {
                    reader = try await open(piece.source)
                    last = (piece.source, reader)
                }
                try await append(reader, piece.range, to: part, limit, progress)
            }
            return try await seal(part, size, expected)
        }
    }

    private func open(_ source: BlobPiece.Source) async throws -> BlobReader {
        switch source {
        case .blob(let digest): return try await open(digest)
        case .staged(let staged):
            let path = staged.path
            let file = try await threads.run { try OpenFile(path, .read) }
            // A name that nobody sees: the reader is for its bytes only.
            let blob = StoredBlob(digest: BlobHasher.digest(of: []), size: staged.size)
            return BlobReader(blob: blob, source: .file(file), threads: threads)
        }
    }

    private func append(
        _ reader: BlobReader,
        _ range: Range<Int64>?,
        to part: PartFile,
        _ limit: SizeLimit,
        _ progress: @Sendable () -> Void
    ) async throws {
        let range = range ?? 0..<reader.size.count
        switch reader.source {
        case .file(let file):
            var offset = range.lowerBound
            while offset < range.upperBound {
                let (at, left) = (offset, range.upperBound - offset)
                offset += try await threads.run {
                    let taken = try part.pull(from: file.descriptor, at: at, countMax: left, limit: limit)
                    guard taken == min(left, FileThreads.sliceBytes) else {
                        throw SystemError.truncated(file.descriptor.path)
                    }
                    return taken
                }
                progress()
                try Task.checkCancellation()
            }
        case .bucket:
            for try await batch in try reader.chunks(range) {
                // Runs once: the hash of a file made here is never behind.
                _ = try await complete { try part.append([batch], at: nil, limit: limit) }
            }
            progress()
        }
    }

    private func seal(_ part: PartFile, _ size: Bytes, _ expected: Digest?) async throws -> StoredBlob {
        try await complete { [self] in
            try part.seal(
                check: { count in
                    if count < size.count {
                        throw Failure(.malformed, "Only \(count) of \(size.count) announced bytes came.")
                    }
                },
                publish: { file, blob in
                    try Self.match(blob.digest, [expected])
                    try publish(file, as: blob)
                }
            )
        }
    }

    /// Gives a staged file a second name and makes a blob of that; `nil` where files can have one name only.
    private func put(whole staged: StagedFile, _ expected: Digest?) async throws -> StoredBlob? {
        let path = newPartPath()
        do {
            let part: PartFile? = try await threads.run {
                do throws(SystemError) {
                    try FileSystem.hardLink(staged.path, at: path)
                } catch {
                    if error.forbidsLink { return nil }
                    throw error
                }
                return try PartFile(resuming: path)
            }
            guard let part else {
                release(path)
                return nil
            }
            let blob = try await seal(part, staged.size, expected)
            release(path)
            return blob
        } catch {
            await threads.cleanUp { [self] in
                defer { release(path) }
                try FileSystem.removeFile(path)
            }
            throw error
        }
    }
}
