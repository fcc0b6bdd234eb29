public import Core
public import NIOCore
import Synchronization

extension BlobStore {
    /// Stores a few bytes. Nothing is written when they are here already.
    /// - Throws: ``Failure`` `digestMismatch` when they are not what was expected, `tooLarge`.
    @discardableResult
    public func put(_ bytes: ByteBuffer, expected: Digest? = nil) async throws -> StoredBlob {
        try SizeLimit(announced: nil, blobMax: limits.blobMax).check(Int64(bytes.readableBytes))
        return try await threads.run { [self] in
            var hasher = BlobHasher()
            bytes.withUnsafeReadableBytes { hasher.update($0) }
            let blob = StoredBlob(digest: hasher.finish(), size: Bytes(Int64(bytes.readableBytes)))
            try Self.match(blob.digest, [expected])
            if let present = try FileSystem.status(file(of: blob.digest)), present.size == blob.size.count {
                try FileSystem.synchroniseFolder(folder(of: blob.digest))
                return blob
            }
            let path = newPartPath()
            defer { release(path) }
            do {
                let file = try Descriptor(path, .create(mode: 0o600))
                try bytes.withUnsafeReadableBytes { try file.write($0, at: 0) }
                try publish(file, as: blob)
            } catch {
                _ = try? FileSystem.removeFile(path)
                throw error
            }
            return blob
        }
    }

    /// Stores a few bytes; see ``put(_:expected:)-(ByteBuffer,_)``.
    @discardableResult
    public func put(_ bytes: [UInt8], expected: Digest? = nil) async throws -> StoredBlob {
        try await put(ByteBuffer(bytes: bytes), expected: expected)
    }

    /// Stores a stream, hashing while it comes; holds at most about 1 MiB of it.
    ///
    /// Not resumable: when the stream throws, or the task is cancelled, nothing is kept.
    /// - Parameter size: When known already; more bytes are refused as they come, fewer at the end.
    /// - Throws: ``Failure`` `digestMismatch`, `tooLarge`, `malformed` for fewer bytes than announced, and whatever
    ///   the stream throws.
    @discardableResult
    public func put<Chunks: AsyncSequence & Sendable>(
        stream: Chunks,
        expected: Digest? = nil,
        size: Bytes? = nil
    ) async throws -> StoredBlob where Chunks.Element == ByteBuffer {
        let limit = SizeLimit(announced: size, blobMax: limits.blobMax)
        if let size { try SizeLimit(announced: nil, blobMax: limits.blobMax).check(size.count) }
        return try await withPart { part in
            try await self.follow(stream) { batch in
                // Once is enough: the hash of a file made here is never behind.
                _ = try part.append(batch, at: nil, limit: limit)
            }
            return try await self.complete { [self] in
                try part.seal(
                    check: { count in
                        if let size, count < size.count {
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
    }

    /// Hands a stream on in batches that are worth a call of the system's, on file threads: `write` blocks. What came
    /// before the stream broke off too.
    func follow<Chunks: AsyncSequence & Sendable>(
        _ stream: Chunks,
        write: ([ByteBuffer]) throws -> Void
    ) async throws where Chunks.Element == ByteBuffer {
        try await threads.follow {
            var pending: [ByteBuffer] = []
            var pendingBytes = 0
            func flush() throws {
                // A stream of a cancelled task may just end.
                try Task.checkCancellation()
                if !pending.isEmpty { try write(pending) }
                pending.removeAll(keepingCapacity: true)
                pendingBytes = 0
            }
            var chunks = stream.makeAsyncIterator()
            while true {
                do {
                    guard let chunk = try await chunks.next() else { return try flush() }
                    pending.append(chunk)
                    pendingBytes += chunk.readableBytes
                } catch {
                    if !pending.isEmpty { try write(pending) }
                    throw error
                }
                if pendingBytes >= 1 << 18 || pending.count >= 256 { try flush() }
            }
        }
    }

    /// Stores a stream of byte arrays; see ``put(stream:expected:size:)``.
    @discardableResult
    public func put<Chunks: AsyncSequence & Sendable>(
        stream: Chunks,
        expected: Digest? = nil,
        size: Bytes? = nil
    ) async throws -> StoredBlob where Chunks.Element == [UInt8] {
        try await put(stream: stream.map { ByteBuffer(bytes: $0) }, expected: expected, size: size)
    }

    /// Stores a file.
    ///
    /// - Parameters:
    ///   - path: A regular file, not a link. It must not change meanwhile; what was read is what is stored.
    ///   - consume: Takes the file itself instead of a copy where it lies on the same file system and has no other
    ///     name. Nobody may have it open for writing. It is gone afterwards; after a failure it is back in its place.
    /// - Throws: ``Failure`` `notFound`, `invalid` for anything but a regular file, `digestMismatch`, `tooLarge`.
    @discardableResult
    public func put(file path: String, expected: Digest? = nil, consume: Bool = false) async throws -> StoredBlob {
        let source = try await threads.run {
            do {
                let source = try OpenFile(path, .readForeign)
                let status = try source.descriptor.status()
                guard status.kind == .file, try FileSystem.status(path)?.kind == .file else {
                    throw Failure(.invalid, "Only regular files can be stored; this is something else.", note: path)
                }
                return source
            } catch let error as SystemError where error.isAbsence {
                throw Failure(.notFound, "There is no file to be stored here.", note: path)
            }
        }
        if consume, let blob = try await take(path, source, expected: expected) { return blob }
        let blob = try await copy(source, expected: expected)
        if consume { _ = try await threads.run { try FileSystem.removeFile(path) } }
        return blob
    }

    /// Copies from an open file of somebody else's.
    func copy(_ source: OpenFile, expected: Digest?, synchronisesFolder: Bool = true) async throws -> StoredBlob {
        let limit = SizeLimit(announced: nil, blobMax: limits.blobMax)
        return try await withPart { part in
            try await self.complete { [self] in
                let taken = try part.pull(from: source.descriptor, at: part.end, limit: limit)
                guard taken < FileThreads.sliceBytes else { return .behind }
                return try part.seal(
                    check: { _ in },
                    publish: { file, blob in
                        try Self.match(blob.digest, [expected])
                        try publish(file, as: blob, synchronisesFolder: synchronisesFolder)
                    }
                )
            }
        }
    }

    /// Moves a file in; `nil` when it has to be copied.
    private func take(_ path: String, _ source: OpenFile, expected: Digest?) async throws -> StoredBlob? {
        let part: PartFile? = try await threads.run { [self] in
            guard try source.descriptor.status().linkCount == 1 else { return nil }
            let target = newPartPath()
            do {
                // Out of reach of others by name before it is read.
                try FileSystem.move(path, to: target)
                return try PartFile(resuming: target)
            } catch {
                release(target)
                if let error = error as? SystemError, error.crossesFileSystems { return nil }
                throw error
            }
        }
        guard let part else { return nil }
        do {
            let limit = SizeLimit(announced: nil, blobMax: limits.blobMax)
            let blob = try await complete { [self] in
                try part.seal(
                    check: { try limit.check($0) },
                    publish: { file, blob in
                        do {
                            try Self.match(blob.digest, [expected])
                            try publish(file, as: blob)
                        } catch {
                            try? FileSystem.moveExclusively(part.path, to: path)
                            throw error
                        }
                    }
                )
            }
            release(part.path)
            return blob
        } catch {
            await threads.cleanUp { [self] in
                defer { release(part.path) }
                if try FileSystem.status(part.path) != nil { try FileSystem.moveExclusively(part.path, to: path) }
            }
            throw error
        }
    }

    /// A new file on its way, removed whatever happens unless it was published.
    func withPart(
        _ body: @Sendable (PartFile) async throws -> StoredBlob
    ) async throws -> StoredBlob {
        let part = try await threads.run { [self] in
            let path = newPartPath()
            do { return try PartFile(creating: path) } catch {
                release(path)
                throw error
            }
        }
        do {
            let blob = try await body(part)
            release(part.path)
            return blob
        } catch {
            await threads.cleanUp { [self] in
                defer { release(part.path) }
                try part.discard()
            }
            throw error
        }
    }

    /// A name for a file on its way, which no sweep takes until it is released.
    func newPartPath() -> String {
        // The time in the name tells nothing and is left out; sweeps go by the file's own.
        let path = "\(root)/uploads/\(newUploadID(now: Instant(milliseconds: 0))).part"
        uploads.withLock { _ = $0.busy.insert(path) }
        return path
    }

    func release(_ path: String) { uploads.withLock { _ = $0.busy.remove(path) } }
}
