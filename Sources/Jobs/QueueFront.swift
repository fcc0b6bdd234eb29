import Core
import Scheduling

/// The first of a project's queued jobs that wait for nobody.
struct QueueFront: Hashable, Sendable {
    /// Where a job stands: the highest priority first, then by arrival.
    struct Place: Hashable, Sendable, Comparable {
        var priority: Int
        var sequence: Int64
        var job: JobID

        init(_ job: Job) { (priority, sequence, self.job) = (job.spec.priority, job.sequence, job.id) }
        init(_ job: QueuedJob) { (priority, sequence, self.job) = (job.priority, job.sequence, job.id) }

        static func < (a: Place, b: Place) -> Bool {
            (b.priority, a.sequence, a.job) < (a.priority, b.sequence, b.job)
        }
    }

    /// In order; the first of all, or all where `isWhole`.
    var ready: [LiveState.Waiting] = []
    var isWhole = true
    /// All that are not to be placed before some time. They must not fill the window of those that could start.
    var resting: [JobID: LiveState.Waiting] = [:]

    private func position(_ place: Place) -> Int {
        ready.partitioningIndex { !($0.place < place) }
    }

    mutating func put(_ waiting: LiveState.Waiting, at now: Instant, keeping most: Int) {
        if let until = waiting.job.notBefore, until > now {
            resting[waiting.job.id] = waiting
            return
        }
        let at = position(waiting.place)
        if at < ready.count, ready[at].job.id == waiting.job.id {
            ready[at] = waiting
        } else if isWhole || at < ready.count {
            // What is behind the front is found when the front has run low.
            ready.insert(waiting, at: at)
        }
        if ready.count > most {
            ready.removeLast()
            isWhole = false
        }
    }

    mutating func remove(_ job: JobID, _ place: Place) {
        resting[job] = nil
        let at = position(place)
        if at < ready.count, ready[at].job.id == job { ready.remove(at: at) }
    }

    /// There are more that stand behind this place and before others.
    mutating func cut(after place: Place) {
        ready.removeSubrange(position(place)...)
        isWhole = false
    }

    /// Lets those take part whose time has come.
    ///
    /// - Returns: Whether there were any.
    mutating func wake(at now: Instant, keeping most: Int) -> Bool {
        let due = resting.values.filter { waiting in waiting.job.notBefore.map { $0 <= now } ?? true }
        for waiting in due {
            resting[waiting.job.id] = nil
            put(waiting, at: now, keeping: most)
        }
        return !due.isEmpty
    }
}

extension LiveState.Waiting {
    var place: QueueFront.Place { .init(job) }
}
