import Core
import Synchronization

/// What the jobs of one submission share: decoded once, whatever the size of its array.
///
/// It is not copied into a view: a job's `sequence` is the place of its `jobs_submitted` event, and that event holds it.
struct Submission: Sendable {
    var spec: JobSpec
    var dependencies: [Dependency]

    init(_ event: Event.JobsSubmitted) { (spec, dependencies) = (event.spec, event.dependencies) }
}

/// The submissions used last, by their place in the log. Events never change, so an entry is never wrong.
final class SubmissionCache: Sendable {
    /// About 4 kB each.
    static let entriesMax = 1024

    private struct State {
        /// Two generations: a lookup moves an entry to the young one; when that is full it becomes the old one.
        var young: [Int64: Submission] = [:]
        var old: [Int64: Submission] = [:]
    }

    private let state = Mutex(State())

    subscript(sequence: Int64) -> Submission? {
        state.withLock { state in
            if let found = state.young[sequence] { return found }
            guard let found = state.old[sequence] else { return nil }
            Self.insert(found, at: sequence, in: &state)
            return found
        }
    }

    func insert(_ submission: Submission, at sequence: Int64) {
        state.withLock { Self.insert(submission, at: sequence, in: &$0) }
    }

    private static func insert(_ submission: Submission, at sequence: Int64, in state: inout State) {
        if state.young.count >= entriesMax / 2 {
            state.old = state.young
            state.young = [:]
        }
        state.young[sequence] = submission
    }
}
