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

    /// Follows a stream on the file threads: `body` may block wherever it runs, and whatever it waits for wakes a file
    /// thread. So a piece that comes costs one change of threads, and none while more of them are waiting.
    ///
    /// Between two waits keep to what ``run(_:)`` says of one call.
    func follow<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await withTaskExecutorPreference(FileExecutor(pool: pool), operation: body)
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

    /// Runs work that nobody waits for.
    func later(_ work: @escaping @Sendable () -> Void) { pool.submit { _ in work() } }

    /// Bytes walked in one call of ``run(_:)``.
    static let sliceBytes: Int64 = 64 << 20
}

/// Runs a task's steps on file threads.
private final class FileExecutor: TaskExecutor {
    private let pool: NIOThreadPool

    init(pool: NIOThreadPool) { self.pool = pool }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // After the pool was closed this runs at once, here, so that every task comes to its end.
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
