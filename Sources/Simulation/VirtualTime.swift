import Core
import Glibc

/// The clock and the only thread of a simulated world.
///
/// Every task of the world runs here, one after the other, in the order in which they became ready. Time stands still
/// while anything can run, and then jumps to the next moment that somebody waits for. So a world does the same again
/// for the same seed, and a day without work costs nothing.
///
/// `@unchecked Sendable`: everything in it is confined to the thread that calls ``run(until:)``.
final class VirtualTime: TaskExecutor, Runtime, @unchecked Sendable {
    private enum Wake {
        case sleeper(UnsafeContinuation<Void, any Error>)
        case action(() -> Void)
    }

    private struct Timer {
        var at: Int64
        var order: UInt64
    }

    /// What is ready to run; `first` is the place of the next.
    private var ready: [UnownedJob] = []
    private var first = 0
    private var timers: [Timer] = []
    /// What is to be done, by its timer's order; a sleeper who is woken early leaves his timer behind.
    private var wakes: [UInt64: Wake] = [:]
    private var count: UInt64 = 0
    private var stepsAtThisMoment = 0
    /// Whose world it is, once it runs.
    private var thread: pthread_t?
    private var random: Chance
    /// Microseconds since the world began.
    private var microseconds: Int64 = 0

    /// Steps that one moment may take before it counts as a circle without end.
    private static let stepsOfOneMomentMax = 20_000_000

    /// When the world begins.
    static let start = Instant(milliseconds: 1_790_000_000_000)

    init(seed: UInt64) { random = Chance(seed: seed, stream: 1) }

    /// Whether nothing runs and nothing is waited for.
    var isEmpty: Bool { first == ready.count && timers.isEmpty }

    var now: Instant { Self.start + elapsed }

    // MARK: Runtime

    var elapsed: Duration { .microseconds(microseconds) }
    var chance: Double { random.fraction() }
    var hasThreads: Bool { false }

    func sleep(for duration: Duration) async throws {
        count += 1
        let id = count
        let at = microseconds + max(0, duration.milliseconds) * 1000
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                push(.sleeper(continuation), Timer(at: at, order: id))
            }
        } onCancel: {
            guard case .sleeper(let continuation)? = wakes.removeValue(forKey: id) else { return }
            continuation.resume(throwing: CancellationError())
        }
    }

    /// Does something later.
    func after(_ duration: Duration, _ action: @escaping () -> Void) {
        count += 1
        push(.action(action), Timer(at: microseconds + max(0, duration.milliseconds) * 1000, order: count))
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        // Whatever came from elsewhere would run beside the world, and make its result a matter of luck.
        precondition(thread.map { pthread_equal($0, pthread_self()) != 0 } ?? true, "a job came from another thread")
        ready.append(UnownedJob(job))
    }

    /// Runs everything there is until `isOver`.
    func run(until isOver: () -> Bool) throws(Standstill) {
        let executor = asUnownedTaskExecutor()
        thread = pthread_self()
        while !isOver() {
            if first < ready.count {
                let job = ready[first]
                first += 1
                if first == ready.count {
                    ready.removeAll(keepingCapacity: true)
                    first = 0
                }
                stepsAtThisMoment += 1
                guard stepsAtThisMoment < Self.stepsOfOneMomentMax else { throw .circle(at: now) }
                job.runSynchronously(on: executor)
            } else if let timer = pop() {
                if timer.at > microseconds {
                    microseconds = timer.at
                    stepsAtThisMoment = 0
                }
                switch wakes.removeValue(forKey: timer.order) {
                case .sleeper(let continuation): continuation.resume()
                case .action(let action): action()
                case nil: break
                }
            } else {
                throw .nothingLeft(at: now)
            }
        }
    }

    // MARK: A heap of timers

    private static func precedes(_ a: Timer, _ b: Timer) -> Bool { (a.at, a.order) < (b.at, b.order) }

    private func push(_ wake: Wake, _ timer: Timer) {
        wakes[timer.order] = wake
        timers.append(timer)
        var child = timers.count - 1
        while child > 0, Self.precedes(timers[child], timers[(child - 1) / 2]) {
            timers.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private func pop() -> Timer? {
        guard let top = timers.first else { return nil }
        let last = timers.removeLast()
        guard !timers.isEmpty else { return top }
        timers[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < timers.count {
                if Self.precedes(timers[child], timers[least]) { least = child }
            }
            guard least != parent else { return top }
            timers.swapAt(parent, least)
            parent = least
        }
    }
}

/// Why a world could not go on.
enum Standstill: Error, CustomStringConvertible {
    /// Something goes round without waiting for anything.
    case circle(at: Instant)
    /// Everybody waits for something that nobody will do.
    case nothingLeft(at: Instant)

    var description: String {
        switch self {
        case .circle(let at): "at \(at) something goes round in a circle without waiting"
        case .nothingLeft(let at): "at \(at) everybody waits and nothing is left to happen"
        }
    }
}
