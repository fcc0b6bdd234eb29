public import Core

/// One step of a workflow: a job, or all elements of an array.
public struct WorkflowStep: Hashable, Sendable {
    /// The job, or the array's first element.
    public var first: Job
    public var counts: JobCounts
    /// Where its runs are or were, in the order of their names.
    public var centres: [CentreName]
    /// When the first of its runs started.
    public var startedAt: Instant?
    /// When the last of its jobs ended, so far.
    public var endedAt: Instant?
    /// What its ended runs cost.
    public var charged: MicroCredits
}

extension ReadTransaction {
    /// The steps of a workflow in the order of its description.
    ///
    /// - Complexity: O(jobs of the workflow) in the database; one value for each step.
    public func steps(of workflow: WorkflowID) throws -> [WorkflowStep] {
        struct Sums {
            var first: JobID
            var counts = JobCounts()
            var endedAt: Instant?
        }
        var order: [Int64] = []
        var sums: [Int64: Sums] = [:]
        let rows = try connection.all(
            """
            SELECT sequence, state, MIN(id), COUNT(*), MAX(ended_at) FROM job WHERE workflow = ?
            GROUP BY sequence, state ORDER BY sequence
            """,
            workflow
        ) {
            (
                $0.integer(0), try $0.choice(1, as: JobState.self), try $0.value(2, as: JobID.self), $0.int(3),
                $0.optionalInstant(4)
            )
        }
        for (sequence, state, first, count, endedAt) in rows {
            if sums[sequence] == nil { order.append(sequence) }
            var sum = sums[sequence] ?? Sums(first: first)
            sum.first = min(sum.first, first)
            sum.counts[state] = count
            sum.endedAt = [sum.endedAt, endedAt].compactMap { $0 }.max()
            sums[sequence] = sum
        }
        var steps: [WorkflowStep] = []
        for sequence in order {
            guard let sum = sums[sequence], let first = try job(sum.first) else { continue }
            var step = WorkflowStep(
                first: first,
                counts: sum.counts,
                centres: [],
                startedAt: nil,
                endedAt: sum.endedAt,
                charged: 0
            )
            let runs = try connection.all(
                """
                SELECT run.centre, MIN(run.started_at), SUM(COALESCE(run.charged, 0)) FROM job
                JOIN run ON run.job = job.id WHERE job.workflow = ? AND job.sequence = ?
                GROUP BY run.centre ORDER BY run.centre
                """,
                workflow,
                sequence
            ) { (try $0.value(0, as: CentreName.self), $0.optionalInstant(1), MicroCredits($0.integer(2))) }
            for (centre, startedAt, charged) in runs {
                step.centres.append(centre)
                step.startedAt = [step.startedAt, startedAt].compactMap { $0 }.min()
                step.charged = step.charged + charged
            }
            steps.append(step)
        }
        return steps
    }
}
