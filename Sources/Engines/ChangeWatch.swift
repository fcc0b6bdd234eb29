internal import CSupervise
internal import Glibc

/// Wakes a stream whenever a supervisor touches the events folder, from a thread of its own.
final class ChangeWatch: Sendable {
    let changes: AsyncStream<Void>
    private let stopEnd: Int32

    /// What the thread needs; owned by it.
    private struct Work {
        let folder: String
        let stop: Int32
        let wake: AsyncStream<Void>.Continuation
    }

    private final class Box {
        let work: Work
        init(_ work: Work) { self.work = work }
    }

    /// - Parameter folder: Where supervisors touch a file when a run starts or ends.
    init(folder: String) {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        changes = stream
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 { for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) } }
        stopEnd = ends[1]
        let box = Unmanaged.passRetained(Box(Work(folder: folder, stop: ends[0], wake: continuation)))
        let code = onepoint_thread(
            { context in
                guard let context else { return }
                ChangeWatch.watch(Unmanaged<Box>.fromOpaque(context).takeRetainedValue().work)
            },
            box.toOpaque()
        )
        if code != 0 { box.release() }
    }

    deinit { if stopEnd >= 0 { close(stopEnd) } }

    private static func watch(_ work: Work) {
        let watch = onepoint_watch_open(work.folder)
        // Without inotify the stream still wakes, ten times a second.
        while true {
            let event = onepoint_watch_wait(watch, work.stop, watch >= 0 ? -1 : 100)
            if event < 0 { break }
            work.wake.yield()
        }
        if watch >= 0 { close(watch) }
        close(work.stop)
        work.wake.finish()
    }
}
