public import Core
import Synchronization

/// What a second look at a blob found.
public enum Verification: Hashable, Sendable {
    case intact(Bytes)
    /// The bytes had another digest; the file went to the quarantine folder and is no longer served.
    case quarantined(found: Digest, path: String)
    case absent
}

extension BlobStore {
    /// Throws `storageExhausted` when the disk has less room than that.
    public func checkSpace(atLeast least: Bytes) async throws {
        let free = try await space().free
        guard free < least else { return }
        throw Failure(
            .storageExhausted,
            "The disk of the data folder has \(free) left; \(least) are the least to work with. Free some space."
        )
    }

    /// Hashes a blob again, at the speed of the disk, and takes it out of service when it does not match.
    public func verify(_ digest: Digest) async throws -> Verification {
        let path = file(of: digest)
        let opened: OpenFile? = try await threads.run {
            do { return try OpenFile(path, .read) } catch let error as SystemError where error.isAbsence { return nil }
        }
        guard let opened else { return .absent }
        if try await threads.run({ try opened.descriptor.status().isStub }) { return try await verifyObject(digest) }
        let walk = Mutex((hasher: BlobHasher(), offset: Int64(0)))
        while try await !threads.run({ try walk.withLock { try Self.hashSlice(of: opened, &$0.hasher, &$0.offset) } }) {
            try Task.checkCancellation()
        }
        let (found, size) = walk.withLock { ($0.hasher.finish(), Bytes($0.offset)) }
        guard found != digest else { return .intact(size) }
        return try await threads.run { [self] in
            let seen = try opened.descriptor.status()
            // Another file may have taken the name meanwhile; only the one that was read is to go.
            guard let now = try FileSystem.status(path), now.inode == seen.inode, now.device == seen.device else {
                return .absent
            }
            let target = "\(root)/quarantine/\(digest.hex).\(newUploadID(now: now.modified).base32)"
            try FileSystem.move(path, to: target)
            try FileSystem.synchroniseFolder(folder(of: digest))
            return .quarantined(found: found, path: target)
        }
    }

    /// - Returns: Whether the end was reached.
    static func hashSlice(
        of file: OpenFile,
        _ hasher: inout BlobHasher,
        _ offset: inout Int64
    ) throws(SystemError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        let stop = offset + FileThreads.sliceBytes
        while offset < stop {
            let count = try file.descriptor.read(into: buffer, at: offset)
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
            offset += Int64(count)
            if count < buffer.count { return true }
        }
        return false
    }
}
