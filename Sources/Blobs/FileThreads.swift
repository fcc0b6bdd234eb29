import Core
import NIOPosix

/// Where all file work runs: threads of our own, never the cooperative pool, which has one thread per core.
struct FileThreads: Sendable {
    let pool: NIOThreadPool

    /// Runs blocking work on a file thread. Not begun when the task is cancelled already.
    ///
    /// Keep one call under about 100 ms of work: long files are walked in several calls, so that the threads are
    /// shared fairly and cancellation is noticed.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await pool.runIfActive(work)
        } catch let error as SystemError {
            throw error.failure
        }
    }

    /// Cleans up on a file thread, in a cancelled task as well. Errors are dropped: what could not be removed is
    /// found by the next sweep.
    func cleanUp(_ work: @escaping @Sendable () throws -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            pool.submit { _ in
                try? work()
                continuation.resume()
            }
        }
    }

    /// Bytes walked in one call of ``run(_:)``.
    static let sliceBytes: Int64 = 64 << 20
}
