import Core
import NIOCore

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the file system knows about one entry.
struct FileStatus {
    enum Kind { case file, folder, link, other }

    var kind: Kind
    var size: Int64
    var device: UInt64
    var inode: UInt64
    var linkCount: UInt64
    var isExecutable: Bool
    /// The mark of a blob whose bytes are in the bucket: the sticky bit, which means nothing on files.
    var isStub: Bool
    var modified: Instant

    static let stubMark: mode_t = 0o1000

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        size = Int64(raw.st_size)
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        linkCount = UInt64(raw.st_nlink)
        isExecutable = raw.st_mode & 0o111 != 0
        isStub = raw.st_mode & Self.stubMark != 0
        modified = Instant(milliseconds: Int64(raw.st_mtim.tv_sec) * 1000 + Int64(raw.st_mtim.tv_nsec) / 1_000_000)
    }
}

/// An open file, closed when it goes out of scope. Every call blocks: use it on a file thread only.
///
/// All reads and writes carry their offset, finish short transfers and repeat interrupted calls.
struct Descriptor: ~Copyable, Sendable {
    let raw: CInt
    let path: String

    enum Purpose {
        case read
        /// For files that somebody else may have made: never waits on a FIFO nor takes a terminal.
        case readForeign
        case update
        /// Makes the file; one that exists is an error.
        case create(mode: mode_t)
        case folder
    }

    init(_ path: String, _ purpose: Purpose) throws(SystemError) {
        let flags: CInt
        var mode: mode_t = 0
        switch purpose {
        case .read: flags = O_RDONLY | O_NOFOLLOW
        case .readForeign: flags = O_RDONLY | O_NONBLOCK | O_NOCTTY
        case .update: flags = O_RDWR | O_NOFOLLOW
        case .create(let wanted):
            flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
            mode = wanted
        case .folder: flags = O_RDONLY | O_DIRECTORY
        }
        var result: CInt
        repeat { result = open(path, flags | O_CLOEXEC, mode) } while result < 0 && errno == EINTR
        guard result >= 0 else { throw .last("open", path) }
        raw = result
        self.path = path
    }

    deinit { close(raw) }

    func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        guard fstat(self.raw, &raw) == 0 else { throw .last("fstat", path) }
        return FileStatus(raw)
    }

    /// Reads until `buffer` is full or the file ends.
    /// - Returns: Bytes read; fewer than asked only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let count = pread(raw, base + done, buffer.count - done, off_t(offset) + off_t(done))
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR && errno != EAGAIN {
                throw .last("pread", path)
            }
        }
        return done
    }

    /// Writes all of `bytes`; on an error some of them may be in the file.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = pwrite(raw, base + done, bytes.count - done, off_t(offset) + off_t(done))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw SystemError(code: ENOSPC, operation: "pwrite", path: path)
            } else if errno != EINTR && errno != EAGAIN {
                throw .last("pwrite", path)
            }
        }
    }

    func truncate(to size: Int64) throws(SystemError) {
        while ftruncate(raw, off_t(size)) != 0 {
            guard errno == EINTR else { throw .last("ftruncate", path) }
        }
    }

    /// Returns when the bytes and the size are on the disk.
    func synchronise() throws(SystemError) {
        while fsync(raw) != 0 {
            guard errno == EINTR else { throw .last("fsync", path) }
        }
    }

    /// Sets the time of the last change to the system's own.
    func touch() throws(SystemError) {
        let now = timespec(tv_sec: 0, tv_nsec: FileSystem.utimeNow)
        guard futimens(raw, [now, now]) == 0 else { throw .last("futimens", path) }
    }

    func setMode(_ mode: mode_t) throws(SystemError) {
        guard fchmod(raw, mode) == 0 else { throw .last("fchmod", path) }
    }

    /// Where the open file really is, however it was reached; `nil` when the kernel does not tell.
    func realPath() -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
            guard let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
            let count = readlink("/proc/self/fd/\(raw)", base, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return String(validating: buffer[0..<count], as: UTF8.self)
        }
    }

    /// Makes this empty file share all extents of `source`, where the file system can.
    /// - Returns: Whether it does now; otherwise copy.
    func share(_ source: borrowing Descriptor) -> Bool {
        let cloneFile: UInt = 0x4004_9409  // FICLONE, linux/fs.h
        return ioctl(raw, cloneFile, source.raw) == 0
    }

    /// Copies `count` bytes from the same offset of `source`, inside the kernel where it can.
    func copy(from source: borrowing Descriptor, at offset: Int64, count: Int64) throws(SystemError) {
        var position = off_t(offset)
        let end = off_t(offset + count)
        guard lseek(raw, position, SEEK_SET) == position else { throw .last("lseek", path) }
        while position < end {
            let copied = sendfile(raw, source.raw, &position, min(Int(end - position), 1 << 30))
            if copied == 0 { throw SystemError.truncated(source.path) }
            if copied < 0, errno != EINTR, errno != EAGAIN {
                let error = SystemError.last("sendfile", path)
                guard error.isUnsupported else { throw error }
                return try copyByHand(from: source, at: Int64(position), count: Int64(end - position))
            }
        }
    }

    private func copyByHand(from source: borrowing Descriptor, at offset: Int64, count: Int64) throws(SystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(min(count, 1 << 20)), alignment: 16)
        defer { buffer.deallocate() }
        var position = offset
        while position < offset + count {
            let wanted = Int(min(offset + count - position, Int64(buffer.count)))
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<wanted]), at: position)
            guard got == wanted else { throw SystemError.truncated(source.path) }
            try write(UnsafeRawBufferPointer(rebasing: buffer[0..<wanted]), at: position)
            position += Int64(wanted)
        }
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func buffer(at offset: Int64, count: Int) throws(SystemError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var failure: SystemError?
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            do throws(SystemError) {
                return try read(into: UnsafeMutableRawBufferPointer(rebasing: space[0..<count]), at: offset)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return buffer
    }
}

/// A ``Descriptor`` that several hops to the file threads share.
final class OpenFile: Sendable {
    let descriptor: Descriptor

    init(_ path: String, _ purpose: Descriptor.Purpose) throws(SystemError) {
        descriptor = try Descriptor(path, purpose)
    }
}
