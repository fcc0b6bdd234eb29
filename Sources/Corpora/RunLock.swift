import Core
import Glibc

/// One run at a time in an output folder. The kernel gives the lock back when the process ends, however it ends.
struct RunLock: Sendable {
    private let descriptor: Int32

    init(_ folder: String) throws(Failure) {
        let path = folder + "/work/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Disk.failure("opened", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(.conflict, "Another run is at work in \(folder). Wait for it, or end it.")
        }
    }

    func release() { close(descriptor) }
}
