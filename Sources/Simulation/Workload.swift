import Core
import Wire

/// What users of a world submit, and when.
struct Workload {
    struct Submission {
        var at: Duration
        var project: ProjectName
        var count: Int
        var document: JSON
        var key: String
        /// When somebody changes their mind about one of its jobs.
        var cancelAfter: Duration?
    }

    static let projects = ["free", "paid"].compactMap { ProjectName($0) }

    let submissions: [Submission]

    /// Arrays and single jobs, evenly over the window.
    init(_ plan: WorldPlan) {
        if let seconds = plan.jobSeconds {
            submissions = Self.scenario(plan, seconds)
            return
        }
        let window = Duration.seconds(plan.windowSeconds)
        var chance = Chance(seed: plan.seed, stream: 3)
        var submissions: [Submission] = []
        var left = plan.jobs
        while left > 0 {
            let isSingle = chance.happens(0.3)
            let count = min(left, isSingle ? 1 : 20 + Int(chance.next() % 480))
            left -= count
            var members: [(String, JSON)] = [
                ("name", .string("work")), ("command", .array([.string("work")])),
                ("resources", .object([("time_limit", .string("10m"))])),
            ]
            if count > 1 { members.append(("array", .integer(Int64(count)))) }
            if isSingle, chance.happens(0.1) { members.append(("tasks", .integer(2 + Int64(chance.next() % 3)))) }
            if chance.happens(0.2) { members.append(("preemptible", .bool(true))) }
            if chance.happens(0.3) { members.append(("priority", .integer(Int64(chance.next() % 1000)))) }
            if chance.happens(0.4) {
                let seconds = 60 + Int64(chance.next() % 240)
                members.append(("on_centre_loss", .object([("requeue_after", .string("\(seconds)s"))])))
            }
            if chance.happens(0.6) {
                let causes = RetryPolicy.Cause.allCases.filter { _ in chance.happens(0.6) }
                members.append(
                    (
                        "retries",
                        .object([
                            ("limit", .integer(Int64(chance.next() % 4))),
                            ("on", .array(causes.map { .string($0.rawValue) })),
                            ("backoff", .string("\(1 + chance.next() % 10)s")),
                        ])
                    )
                )
            }
            submissions.append(
                Submission(
                    at: chance.between(.zero, window),
                    project: Self.projects[chance.happens(0.3) ? 1 : 0],
                    count: count,
                    document: .object(members),
                    key: "key-\(submissions.count)",
                    cancelAfter: chance.happens(0.1) ? chance.between(.zero, .seconds(120)) : nil
                )
            )
        }
        self.submissions = submissions.sorted { $0.at < $1.at }
    }

    /// Long jobs in arrays of a thousand, all at the beginning; every other one restartable.
    private static func scenario(_ plan: WorldPlan, _ jobSeconds: Int) -> [Submission] {
        stride(from: 0, to: plan.jobs, by: 1000).map { start in
            var members: [(key: String, value: JSON)] = [
                ("name", .string("work")), ("command", .array([.string("work")])),
                ("resources", .object([("time_limit", .string("\(jobSeconds * 2)s"))])),
            ]
            if let seconds = plan.requeueAfterSeconds, start / 1000 % 2 == 0 {
                members.append(("on_centre_loss", .object([("requeue_after", .string("\(seconds)s"))])))
            }
            let count = min(1000, plan.jobs - start)
            if count > 1 { members.append(("array", .integer(Int64(count)))) }
            return Submission(
                at: .zero,
                project: projects[0],
                count: count,
                document: .object(members),
                key: "key-\(start)"
            )
        }
    }
}
