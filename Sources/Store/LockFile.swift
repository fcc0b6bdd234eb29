import Core
import Glibc
import Synchronization

/// The right of one process to a database: an advisory lock on a file beside it, released by the kernel with the process.
final class LockFile: Sendable {
    /// `nil` once released.
    private let descriptor: Mutex<Int32?>

    /// - Parameters:
    ///   - path: The lock file; made when missing and never deleted, since deleting would race with the next holder.
    ///   - holder: Who we are, for the message that others get.
    /// - Throws: `.unavailable` naming the holder, or `.storageExhausted` when the file cannot be made.
    init(path: String, holder: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure.unwritable(path, errno: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let other = Self.contents(descriptor)
            close(descriptor)
            throw Failure(
                .unavailable,
                "The database is in use by \(other.isEmpty ? "another process" : other); "
                    + "stop it first, or choose another data folder.",
                note: path
            )
        }
        // A failure to write the name only costs the next one a better message.
        _ = ftruncate(descriptor, 0)
        _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Lets others have the database at once, while this object may live on.
    func release() {
        descriptor.withLock { descriptor in
            guard let open = descriptor.take() else { return }
            // A child that is being started right now has the descriptor too until it executes its program: closing ours
            // would leave the lock with it for that moment.
            flock(open, LOCK_UN)
            close(open)
        }
    }

    private static func contents(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

extension Failure {
    /// A file or folder that could not be made or written, from `errno`.
    static func unwritable(_ path: String, errno code: Int32) -> Failure {
        let reason = String(cString: strerror(code))
        let detail =
            switch code {
            case ENOSPC, EDQUOT: "The disk under \(path) is full; free some space."
            default: "\(path) cannot be written: \(reason). Choose a folder that the point may write to."
            }
        return Failure(.storageExhausted, detail, note: "errno \(code)")
    }
}
