import Core
import Glibc

/// One run at a time in an output folder, and none while it is published. The kernel gives the lock back when the process
/// ends, however it ends.
struct RunLock: Sendable {
    private let descriptor: Int32

    enum Use: Sendable {
        /// Changes the folder.
        case run
        /// Only reads it, as others may.
        case publication
    }

    init(_ folder: String, for use: Use = .run) throws(Failure) {
        let path = folder + "/work/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Disk.failure("opened", path) }
        guard flock(descriptor, (use == .run ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
            close(descriptor)
            let other = use == .run ? "Another run, or a publication," : "A run"
            throw Failure(.conflict, "\(other) is at work in \(folder). Wait for it, or end it.")
        }
    }

    func release() { close(descriptor) }
}
