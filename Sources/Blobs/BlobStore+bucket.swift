public import Core
import NIOCore
import Synchronization

/// What a round of ``BlobStore/offload(keeping:)`` did.
public struct Offloaded: Hashable, Sendable {
    public var blobs = 0
    public var bytes: Bytes = 0
    /// Objects that nothing needed any more.
    public var objectsRemoved = 0
    /// Blobs that were not any more what their names say, and went to the quarantine folder.
    public var damaged: [Digest] = []

    public var isNothing: Bool { self == Offloaded() }
}

extension BlobStore {
    /// Smaller blobs stay: a request each would cost more than their room.
    public static let offloadedMin = Bytes(1 << 20)

    public var hasBucket: Bool { bucket != nil }

    /// Moves bytes to the bucket, those first that were not wanted for longest, until no more than `keep` are left of
    /// those that may move; and removes objects that nothing needs.
    ///
    /// One round at a time. A round that fails has moved what it had moved.
    /// - Throws: ``Failure`` `unavailable` when the bucket does not answer.
    public func offload(keeping keep: Bytes) async throws -> Offloaded {
        guard let bucket else { return Offloaded() }
        var done = Offloaded()
        let notes = try await loose()
        doubtful.withLock { doubtful in
            guard doubtful == nil else { return }
            let until = ContinuousClock.now + Self.strayPutMax
            doubtful = Dictionary(uniqueKeysWithValues: notes.map { ($0, until) })
        }
        for digest in notes {
            try Task.checkCancellation()
            if try await removeIfUnneeded(digest, from: bucket) { done.objectsRemoved += 1 }
        }
        // A look at every file, so only when what has come since the last one may be too much.
        if let most = movableMax.withLock({ $0 }), most <= keep { return done }
        movableMax.withLock { $0 = 0 }
        do {
            let left = try await move(until: keep, to: bucket, &done)
            // What came meanwhile may be counted twice.
            movableMax.withLock { $0 = $0.map { $0 + left } }
        } catch {
            movableMax.withLock { $0 = nil }
            throw error
        }
        return done
    }

    /// - Returns: How many bytes are left of those that may move.
    private func move(until keep: Bytes, to bucket: S3Bucket, _ done: inout Offloaded) async throws -> Bytes {
        var here = try await movable()
        var held = here.reduce(Bytes(0)) { $0 + $1.blob.size }
        here.sort { ($0.usedAt, $0.blob.digest) < ($1.usedAt, $1.blob.digest) }
        for use in here {
            guard held > keep else { break }
            try Task.checkCancellation()
            do {
                if try await move(use.blob, to: bucket) {
                    done.blobs += 1
                    done.bytes = done.bytes + use.blob.size
                }
            } catch let failure as Failure where failure.code == .digestMismatch {
                // One that the disk has damaged must not keep the others here.
                if case .quarantined = try await verify(use.blob.digest) { done.damaged.append(use.blob.digest) }
            }
            held = held - use.blob.size
        }
        return held
    }

    /// Blobs whose bytes are here, and that are worth moving.
    private func movable() async throws -> [BlobUse] {
        try await uses { !$0.isStub && $0.size >= Self.offloadedMin.count }
    }

    /// - Returns: Whether it is in the bucket now; it may have been collected meanwhile.
    private func move(_ blob: StoredBlob, to bucket: S3Bucket) async throws -> Bool {
        let reader: BlobReader
        do { reader = try await open(blob.digest) } catch  where (error as? Failure)?.code == .notFound { return false }
        guard case .file = reader.source else { return false }
        // Whatever happens from here on, somebody looks after the object.
        try await threads.run { [self] in try noteLoose(blob.digest) }
        do {
            try await bucket.put(blob) { offset, count in
                var bytes = ByteBuffer()
                for try await var piece in try reader.chunks(offset..<offset + Int64(count)) {
                    bytes.writeBuffer(&piece)
                }
                return bytes
            }
        } catch {
            doubtful.withLock { $0?[blob.digest] = ContinuousClock.now + Self.strayPutMax }
            throw error
        }
        guard try await bucket.size(of: blob.digest) == blob.size.count else {
            throw Failure(.internal, "The bucket has another size for \(blob.digest) than was sent.")
        }
        let isStub = try await threads.run { [self] in try replaceByStub(blob) }
        if isStub { try await threads.run { [self] in try forgetLoose(blob.digest) } }
        return isStub
    }

    /// The file for its stub, in one step. Blocks.
    private func replaceByStub(_ blob: StoredBlob) throws(SystemError) -> Bool {
        let draft = "\(root)/loose/\(blob.digest.hex).stub"
        try FileSystem.removeFile(draft)
        let file = try Descriptor(draft, .create(mode: 0o600))
        try file.truncate(to: blob.size.count)
        try file.setMode(0o444 | FileStatus.stubMark)
        try file.synchronise()
        let path = self.file(of: blob.digest)
        let isReplaced = try leases.withLock { _ throws(SystemError) in
            guard let status = try FileSystem.status(path), !status.isStub else { return false }
            _ = try FileSystem.setModified(draft, status.modified)
            try FileSystem.move(draft, to: path)
            return true
        }
        if isReplaced {
            try FileSystem.synchroniseFolder(folder(of: blob.digest))
        } else {
            try FileSystem.removeFile(draft)
        }
        return isReplaced
    }

    /// Hashes an object again, and takes it out of service when it does not match or is gone: pushing its bytes again
    /// heals it.
    func verifyObject(_ digest: Digest) async throws -> Verification {
        let reader = try await open(digest)
        guard case .bucket = reader.source else { return try await verify(digest) }
        var hasher = BlobHasher()
        do {
            for try await piece in try reader.chunks() {
                try Task.checkCancellation()
                piece.withUnsafeReadableBytes { hasher.update($0) }
            }
        } catch let failure as Failure where failure.code == .internal {
            // It is not there: its hash is that of nothing.
            hasher = BlobHasher()
        }
        let found = hasher.finish()
        guard found != digest else { return .intact(reader.size) }
        return try await threads.run { [self] in
            let isGone = try leases.withLock { _ in
                guard try FileSystem.status(file(of: digest))?.isStub ?? false else { return false }
                return try FileSystem.removeFile(file(of: digest))
            }
            guard isGone else { return .absent }
            try FileSystem.synchroniseFolder(folder(of: digest))
            // The object stays for whoever wants to know what became of it.
            return .quarantined(found: found, path: "sha256/\(digest.hex.prefix(2))/\(digest.hex) in the bucket")
        }
    }

    // MARK: Objects too many

    private func looseNote(_ digest: Digest) -> String { "\(root)/loose/\(digest.hex)" }

    /// Notes that nothing may need an object soon, or already. Blocks.
    func noteLoose(_ digest: Digest) throws(SystemError) {
        let path = looseNote(digest)
        if try FileSystem.status(path) != nil { return }
        do { try Descriptor(path, .create(mode: 0o600)).synchronise() } catch  where error.isPresence { return }
        try FileSystem.synchroniseFolder("\(root)/loose")
    }

    private func forgetLoose(_ digest: Digest) throws(SystemError) { try FileSystem.removeFile(looseNote(digest)) }

    private func loose() async throws -> [Digest] {
        try await threads.run { [self] in
            try FileSystem.names(in: "\(root)/loose").compactMap { $0.flatMap { Digest(hex: $0) } }
        }
    }

    /// For so long the service may still carry out a request whose sender is dead or has given up waiting.
    private static let strayPutMax = Duration.seconds(600)

    /// Only rounds of ``offload(keeping:)`` make stubs, and this is a part of them: none can come meanwhile.
    private func removeIfUnneeded(_ digest: Digest, from bucket: S3Bucket) async throws -> Bool {
        let isNeeded = try await threads.run { [self] in try FileSystem.status(file(of: digest))?.isStub ?? false }
        if !isNeeded { try await bucket.remove(digest) }
        // What was on its way there may arrive after this, and is removed again then.
        let mayCome = doubtful.withLock { $0?[digest].map { $0 > ContinuousClock.now } ?? false }
        if !isNeeded, mayCome { return false }
        doubtful.withLock { $0?[digest] = nil }
        try await threads.run { [self] in try forgetLoose(digest) }
        return !isNeeded
    }
}
