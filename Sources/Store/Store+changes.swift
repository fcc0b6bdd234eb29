public import Core

/// That something happened, without what it was: enough to know which rows to read anew.
public struct Change: Hashable, Sendable {
    public var sequence: Int64
    /// `nil` for a newer version's word.
    public var kind: Event.Kind?
    public var subject: String
    public var project: ProjectName?
}

/// What whoever keeps the live rows in mind reads to stay up to date.
extension ReadTransaction {
    /// What happened after a place in the log, in order.
    public func changes(after sequence: Int64, limit: Int) throws -> [Change] {
        try connection.all(
            "SELECT seq, kind, subject, project FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
            sequence,
            limit
        ) {
            Change(
                sequence: $0.integer(0),
                kind: Event.Kind(rawValue: $0.text(1)),
                subject: $0.text(2),
                project: try $0.optional(3)
            )
        }
    }

    /// The jobs of one submission that could be placed, in the order of their ids.
    public func jobsWaiting(ofSubmission sequence: Int64, limit: Int) throws -> [Job] {
        try jobs("WHERE sequence = ? AND state = 'queued' AND unmet = 0 ORDER BY id LIMIT ?", [sequence, limit])
    }

    /// Queued jobs that wait for nobody and are not to be placed before some time after `now`.
    public func jobsBackingOff(after now: Instant) throws -> [Job] {
        try jobs("WHERE not_before > ? AND state = 'queued' AND unmet = 0 ORDER BY sequence, id", [now])
    }

    /// The submissions that have one dependency less since a job succeeded: those that named it, or its array if it was
    /// the last of it.
    public func submissions(awaiting job: JobID) throws -> [Int64] {
        try connection.all(
            """
            SELECT sequence FROM dependency WHERE target = ? OR target = (
                SELECT job_array.id FROM job JOIN job_array ON job_array.id = job.array_id
                WHERE job.id = ? AND queued + active + failed + cancelled = 0
            )
            """,
            job,
            job
        ) { $0.integer(0) }
    }
}
