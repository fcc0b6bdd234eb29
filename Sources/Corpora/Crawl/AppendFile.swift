import Core
import Glibc

/// A file that grows at its end and is cut back to what is known to be whole when it is opened again.
struct AppendFile: ~Copyable {
    let path: String
    private(set) var count: Int
    private let descriptor: Int32

    /// - Parameter count: Bytes to keep of what is there.
    init(_ path: String, keeping count: Int) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Disk.failure("written", path) }
        guard ftruncate(descriptor, count) == 0 else {
            let number = errno
            close(descriptor)
            throw Disk.failure("cut", path, number)
        }
        self.path = path
        self.count = count
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    mutating func append(_ bytes: Span<UInt8>) throws(Failure) {
        try Disk.write(bytes, to: descriptor, path)
        count += bytes.count
    }

    func flush() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw Disk.failure("flushed", path) }
    }
}
