internal import Core

/// A project while a plan is made: what it holds and owes, placements of this plan included, and its queue.
struct ProjectAccount {
    let project: Snapshot.Project
    fileprivate var rank: [Snapshot.Project].Rank
    // Of it and all below:
    private var cores: Int64 = 0
    private var cards: Int64 = 0
    private var runs: Int64 = 0
    /// Used and promised dominant-share hours.
    fileprivate var shareHours: Double
    /// Those of its own jobs alone.
    fileprivate var ownHours: Double
    fileprivate(set) var balance: MicroCredits?
    /// How many jobs passed the gates, its own and those of all below.
    fileprivate var passed = 0
    fileprivate var ownPassed = 0
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

    init(_ project: Snapshot.Project, _ rank: [Snapshot.Project].Rank = .init(parent: -1, depth: 0)) {
        self.project = project
        self.rank = rank
        shareHours = project.usage
        ownHours = project.usage
        balance = project.balance
    }

    fileprivate mutating func hold(_ resources: TaskResources, tasks: Int, shareHours: Double) {
        cores = sum(cores, product(resources.cores.count, tasks))
        cards = sum(cards, product(Int64(resources.cards), tasks))
        runs += 1
        self.shareHours += shareHours
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

    /// Whether it holds more than its quota allows, which may have been lowered.
    fileprivate var isOverQuota: Bool {
        let quota = project.quota
        return cores > quota.cores?.count ?? .max || cards > quota.cards.map { Int64($0) } ?? .max
            || runs > quota.runs.map { Int64($0) } ?? .max
    }

    /// The reason when the quota does not allow a request: of several the one exceeded by the largest part.
    fileprivate func overQuota(_ request: Request) -> Reason? {
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

/// The tree that they make: what one does counts for all above it.
extension [ProjectAccount] {
    init(_ projects: [Snapshot.Project]) {
        self = zip(projects, projects.ranks).map { ProjectAccount($0, $1) }
        for account in indices {
            var at = self[account].rank.parent
            while at >= 0 {
                self[at].shareHours += self[account].ownHours
                at = self[at].rank.parent
            }
        }
    }

    mutating func hold(
        _ resources: TaskResources,
        tasks: Int,
        shareHours: Double,
        by account: Int,
        cost: MicroCredits = 0
    ) {
        self[account].ownHours += shareHours
        self[account].balance = self[account].balance.map { $0 - cost }
        var at = account
        while at >= 0 {
            self[at].hold(resources, tasks: tasks, shareHours: shareHours)
            at = self[at].rank.parent
        }
    }

    /// Keeps a part of the balance for a run that is to start soon.
    mutating func setAside(_ cost: MicroCredits, by account: Int) {
        self[account].balance = self[account].balance.map { $0 - cost }
    }

    /// Whether an account, or one that it is part of, holds more than its quota allows.
    func isOverQuota(_ account: Int) -> Bool {
        var at = account
        while at >= 0 {
            if self[at].isOverQuota { return true }
            at = self[at].rank.parent
        }
        return false
    }

    /// A job of an account passed the gates.
    mutating func pass(_ account: Int) {
        self[account].ownPassed += 1
        var at = account
        while at >= 0 {
            self[at].passed += 1
            at = self[at].rank.parent
        }
    }

    /// The reason when a quota does not allow a request: that of the lowest level that does not.
    func overQuota(_ request: Request, of account: Int) -> Reason? {
        var at = account
        while at >= 0 {
            if let reason = self[at].overQuota(request) { return reason }
            at = self[at].rank.parent
        }
        return nil
    }

    /// From the top down, least used for its weight goes first; then by name. What a project's own jobs used stands, with
    /// the standard weight, beside the projects below it.
    func precedes(_ a: Int, _ b: Int) -> Bool {
        // Up to where both are of the same project, or of the federation; `-1` below it stands for its own jobs.
        var (mine, theirs) = ((at: a, below: -1), (at: b, below: -1))
        func depth(_ at: Int) -> Int { at < 0 ? -1 : self[at].rank.depth }
        while mine.at != theirs.at {
            if depth(mine.at) >= depth(theirs.at) {
                mine = (self[mine.at].rank.parent, mine.at)
            } else {
                theirs = (self[theirs.at].rank.parent, theirs.at)
            }
        }
        func hours(_ side: (at: Int, below: Int)) -> Double {
            side.below < 0 ? self[side.at].ownHours : self[side.below].shareHours
        }
        func weight(_ side: (at: Int, below: Int)) -> Double {
            side.below < 0 ? Double(Scheduler.standardWeight) : Double(Swift.max(1, self[side.below].project.weight))
        }
        let (used, usedThere) = (hours(mine) * weight(theirs), hours(theirs) * weight(mine))
        guard used == usedThere else { return used < usedThere }
        return self[mine.below < 0 ? a : mine.below].project.name
            < self[theirs.below < 0 ? b : theirs.below].project.name
    }

    /// The highest level of which nothing passed the gates so far: there others went first. `nil` when jobs of the
    /// account itself did.
    func outranked(_ account: Int) -> ProjectName? {
        guard self[account].ownPassed == 0 else { return nil }
        var level = account
        while case let above = self[level].rank.parent, above >= 0, self[above].passed == 0 { level = above }
        return self[level].project.name
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
