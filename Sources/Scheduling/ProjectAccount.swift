internal import Core

/// A project while a plan is made: what it holds and owes, placements of this plan included, and its queue.
struct ProjectAccount {
    let project: Snapshot.Project
    private(set) var cores: Int64 = 0
    private(set) var cards: Int64 = 0
    private(set) var runs: Int64 = 0
    /// Used and promised dominant-share hours.
    private(set) var shareHours: Double
    private(set) var balance: MicroCredits?
    /// How many of its jobs passed the gates.
    var passed = 0
    private var queue: [Turn] = []
    private var position = 0

    /// A job of the snapshot's queue, and where it stands among those of its project.
    private struct Turn {
        var priority: Int
        var at: Instant
        var sequence: Int64
        var id: JobID
        var index: Int
    }

    init(_ project: Snapshot.Project) {
        self.project = project
        shareHours = project.usage
        balance = project.balance
    }

    mutating func hold(_ resources: TaskResources, tasks: Int, shareHours: Double, cost: MicroCredits = 0) {
        cores = sum(cores, product(resources.cores.count, tasks))
        cards = sum(cards, product(Int64(resources.cards), tasks))
        runs += 1
        self.shareHours += shareHours
        balance = balance.map { $0 - cost }
    }

    /// Least used for its weight goes first; then by name.
    func precedes(_ other: ProjectAccount) -> Bool {
        let mine = shareHours * Double(max(1, other.project.weight))
        let theirs = other.shareHours * Double(max(1, project.weight))
        return mine != theirs ? mine < theirs : project.name < other.project.name
    }

    /// Must be followed by ``sortQueue()``.
    mutating func append(_ job: QueuedJob, at index: Int) {
        queue.append(
            Turn(priority: job.priority, at: job.turn, sequence: job.sequence, id: job.id, index: index)
        )
    }

    /// By priority, then by patience, then by arrival.
    mutating func sortQueue() {
        queue.sort { ($1.priority, $0.at, $0.sequence, $0.id) < ($0.priority, $1.at, $1.sequence, $1.id) }
        position = 0
    }

    var hasNext: Bool { position < queue.count }

    /// The index of the next job in the snapshot's queue.
    mutating func popNext() -> Int? {
        guard hasNext else { return nil }
        position += 1
        return queue[position - 1].index
    }

    /// The reason when the quota does not allow a request: of several the one exceeded by the largest part.
    func overQuota(_ request: Request) -> Reason? {
        var worst: (part: Double, dimension: Dimension, used: Int64, limit: Int64, need: Int64)?
        func check(_ dimension: Dimension, _ used: Int64, _ limit: Int64?, _ need: Int64) {
            guard let limit, need > 0, sum(used, need) > limit else { return }
            let part = Double(sum(used, need)) / Double(max(1, limit))
            if worst.map({ part > $0.part }) ?? true { worst = (part, dimension, used, limit, need) }
        }
        check(.cores, cores, project.quota.cores?.count, product(request.resources.cores.count, request.tasks))
        check(
            .cards,
            cards,
            project.quota.cards.map { Int64($0) },
            product(Int64(request.resources.cards), request.tasks)
        )
        check(.runs, runs, project.quota.runs.map { Int64($0) }, 1)
        guard let worst else { return nil }
        return Reason(
            .quota(
                project: project.name,
                dimension: worst.dimension,
                used: worst.used,
                limit: worst.limit,
                need: worst.need
            ),
            way: .quota(
                project: project.name,
                dimension: worst.dimension,
                from: worst.limit,
                to: sum(worst.used, worst.need)
            )
        )
    }
}

/// `a + b`, saturating: requests come from outside and may be absurd.
func sum(_ a: Int64, _ b: Int64) -> Int64 {
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? (a < 0 ? .min : .max) : value
}

/// `amount * count`, saturating, of amounts that are not negative.
func product(_ amount: Int64, _ count: Int) -> Int64 {
    let (value, overflow) = amount.multipliedReportingOverflow(by: Int64(count))
    return overflow ? .max : value
}
