/// The incremental mind: knows every node and every waiting job, is told what changes, and decides who starts where.
///
/// Jobs, classes and sites are numbers that the caller hands out, times are milliseconds: what happens millions of
/// times must not look up names. Deterministic: the same calls give the same answers on any machine.
public struct Scheduler {
    /// A job that starts now.
    public struct Start: Hashable, Sendable {
        public var job: Int32
        public var site: Int32
    }

    struct Candidate {
        var site: Int32
        /// Of the site, when it was last looked at; -1 for never.
        var version = -1
        /// The best state there; -1 when no node fits.
        var state: Int32 = -1
        var score: Int32 = 0
    }

    /// Jobs that ask for the same of the same sites. What one cannot have, none of them can.
    struct JobClass {
        let need: Need
        /// Of all tasks.
        let milliCores: Int
        let cardMilli: Int
        var candidates: [Candidate]
        /// What is asked for as a part of the whole federation, for orders by size.
        var size: Double
        /// The same with memory, as projects are charged for it, in parts of ``Accounts/shareParts``.
        var share: Int64
        /// Of its jobs without a project; -1 until there was one.
        var line: Int32 = -1
        /// The last pass by project in which nothing more of it could start.
        var outIn = 0
        /// By state: the score of the placement, where it was worked out.
        var scores: [Int16] = []
        /// The measure that they belong to.
        var epoch = 0
    }

    /// The waiting jobs of one class and one project.
    struct Line {
        let jobClass: Int32
        var account: Int32
        var heads = ClassQueue()
        /// The same jobs in the order in which they may pass; empty when that is the order of `heads`.
        var fills = ClassQueue()
        /// Among those with jobs; -1 when it has none.
        var position: Int32 = -1
    }

    private struct LineKey: Hashable {
        var jobClass: Int32
        var account: Int32
    }

    struct Job {
        var jobClass: Int32
        var line: Int32
        var arrival: Int64
        var estimate: Int64
        /// How long it may run: what promises to others reckon with.
        var limit: Int64
        var begin: Int64 = 0
        var sequence: UInt32
        var headKey: Int64 = 0
        var fillKey: Int64 = 0
        var site: Int32 = -1
        var end: Int64 = 0
        var stand = Stand(node: -1, tasks: 0)
        /// The account that was charged for it when it started; -1 for none.
        var charged: Int32 = -1
    }

    public let rules: Rules
    /// Opens or closes a site for new work; what runs there goes on.
    public mutating func setOpen(_ site: Int32, _ isOpen: Bool) {
        sites[Int(site)].isOpen = isOpen
        if isOpen {
            isFreed = true
            if reservations.isInUse { reservations.open(.init(site: site, node: -1, to: .max)) }
        } else {
            if reservations.isInUse { closeReservations(at: site) }
            for promise in sites[Int(site)].promises { dropPromise(to: promise.job) }
        }
    }

    /// Some tasks of a running job on one node.
    public struct Place: Hashable, Sendable {
        /// Its number among the site's nodes.
        public var node: Int32
        public var tasks: Int32
        /// Whether it is the smaller task of a need with a rest.
        public var isRest: Bool

        public init(node: Int32, tasks: Int32, isRest: Bool = false) {
            (self.node, self.tasks, self.isRest) = (node, tasks, isRest)
        }
    }

    /// Where a running job stands; empty for one that waits.
    public func places(of job: Int32) -> [Place] {
        let entry = jobs[Int(job)]
        guard entry.site >= 0 else { return [] }
        return (entry.stand.node >= 0 ? [entry.stand] : stands[job] ?? []).map {
            Place(node: $0.node, tasks: $0.tasks, isRest: $0.isRest)
        }
    }

    /// For which job room was kept first, and from when on, in milliseconds. Only where there are projects is it kept for
    /// more than one.
    public var promise: (job: Int32, start: Int64)? {
        guard let job = promisedJobs.first else { return nil }
        return promisedStart(of: job).map { (job, $0) }
    }

    /// The jobs that hold nodes of a site, those expected to end first first.
    public func running(at site: Int32) -> [Int32] { sites[Int(site)].occupants.map(\.job) }

    /// Cores in thousandths and cards in thousandths that nobody holds at a site.
    public func free(at site: Int32) -> (milliCores: Int, cardMilli: Int) {
        (sites[Int(site)].freeMilliCores, sites[Int(site)].freeCardMilli)
    }

    /// Whether jobs pass in another order than they are taken in.
    let hasFills: Bool
    var states = NodeStates()
    var sites: [Site] = []
    var classes: [JobClass] = []
    var jobs: [Job] = []
    /// Of jobs that stand on more than one node.
    var stands: [Int32: [Stand]] = [:]
    var lines: [Line] = []
    /// Lines with waiting jobs.
    var waiting: [Int32] = []
    /// Of jobs with a project.
    private var lineOfProject: [LineKey: Int32] = [:]
    var accounts: Accounts
    /// When the last of the promises falls due, in a pass by project: whoever ends later is in the way of all.
    var latestPromise = Int64.min
    /// Counts the passes by project.
    var passes = 0
    public private(set) var queued = 0
    private var sequence: UInt32 = 0
    var mix = Mix()
    /// Jobs that came since the last pass.
    var fresh: [Int32] = []
    /// Whether room was given back since the last pass.
    var isFreed = false
    /// The job that room is kept for; -1 for none.
    var promised: Int32 { promisedJobs.first ?? -1 }
    /// The jobs that room is kept for, first promised first: one, or where there are projects one of each.
    var promisedJobs: [Int32] = []
    /// The blocked first of the queue and its class, when room for it is still to be found: that is put off until
    /// somebody would take it.
    var due: (job: Int32, class: Int)?
    var reservations: Reservations
    /// Whether anything is reserved in advance anywhere.
    var hasWindows = false
    /// The longest that any job so far may run: what begins later than that is in nobody's way yet.
    var longestLimit: Int64 = 0
    /// How often room was sought in this pass for who is not the first.
    var promiseTries = 0
    /// Memory that passes use again.
    var scratch: [Turn] = []
    let heaviest: (milliCores: Int, cardMilli: Int)
    /// Of all sites.
    private let totals: (milliCores: Int, cardMilli: Int, memoryMiB: Int)

    /// - Parameter sites: The nodes of each.
    public init(sites nodes: [[NodeKind]], rules: Rules) {
        self.rules = rules
        accounts = Accounts(halfLifeSeconds: rules.halfLifeSeconds)
        hasFills = rules.fill != nil && rules.fill != rules.head
        var heaviest = (milliCores: 1, cardMilli: 1)
        for kind in nodes.joined() {
            heaviest.milliCores = max(heaviest.milliCores, kind.milliCores)
            heaviest.cardMilli = max(heaviest.cardMilli, kind.cards * 1000)
        }
        self.heaviest = heaviest
        var totals = (milliCores: 0, cardMilli: 0, memoryMiB: 0)
        for nodes in nodes {
            let site = Site(nodes: nodes, in: &states)
            totals.milliCores += site.totalMilliCores
            totals.cardMilli += site.totalCardMilli
            totals.memoryMiB += site.totalMemoryMiB
            sites.append(site)
        }
        self.totals = totals
        reservations = Reservations(sites, states, rules: rules)
    }

    /// Makes a class of jobs known.
    ///
    /// - Parameter sites: Where its jobs may run, in order of preference among equals; `nil` for everywhere.
    /// - Returns: Its number; `nil` when none of these sites could run it if it were empty, and for a gang of shares:
    ///   the tasks of a gang take whole cards.
    public mutating func addClass(_ need: Need, sites allowed: [Int32]? = nil) -> Int32? {
        guard !need.isShare || !need.isGang else { return nil }
        let candidates = (allowed ?? sites.indices.map { Int32($0) }).filter { sites[Int($0)].couldHold(need, states) }
        guard !candidates.isEmpty else { return nil }
        return append(need, candidates.map { Candidate(site: $0) })
    }

    mutating func append(_ need: Need, _ candidates: [Candidate]) -> Int32 {
        let size = max(
            Double(need.totalMilliCores) / Double(max(1, totals.milliCores)),
            Double(need.totalCardMilli) / Double(max(1, totals.cardMilli))
        )
        classes.append(
            JobClass(
                need: need,
                milliCores: need.totalMilliCores,
                cardMilli: need.totalCardMilli,
                candidates: candidates,
                size: size,
                share: Int64(
                    max(
                        1,
                        max(size, Double(need.totalMemoryMiB) / Double(max(1, totals.memoryMiB))) * Accounts.shareParts
                    )
                )
            )
        )
        return Int32(classes.count - 1)
    }

    /// A job comes and waits.
    ///
    /// - Parameters:
    ///   - job: Its number: a small one that no job has now.
    ///   - estimate: How long it is expected to run, in milliseconds: what its place in the queue goes by.
    ///   - limit: How long it may run, in milliseconds: what promises to others reckon with.
    ///   - project: Whose it is; `nil` for nobody's.
    ///   - priority: Higher goes first within the project, -1000 to 1000.
    public mutating func submit(
        _ job: Int32,
        class number: Int32,
        estimate: Int64,
        limit: Int64,
        project: Int32? = nil,
        priority: Int = 0,
        at now: Int64
    ) {
        let line = line(number, project.map { accounts.ownAccount(of: $0) } ?? Accounts.nobody)
        var made = Job(
            jobClass: number,
            line: line,
            arrival: now,
            estimate: max(1, estimate),
            limit: max(1, limit),
            sequence: sequence
        )
        sequence &+= 1
        longestLimit = max(longestLimit, made.limit)
        made.headKey = Self.key(key(rules.head, made), priority)
        made.fillKey = Self.key(rules.fill.map { key($0, made) } ?? 0, priority)
        while jobs.count <= Int(job) { jobs.append(made) }
        jobs[Int(job)] = made
        lines[Int(line)].heads.insert(.init(key: made.headKey, sequence: made.sequence, job: job))
        if hasFills { lines[Int(line)].fills.insert(.init(key: made.fillKey, sequence: made.sequence, job: job)) }
        if lines[Int(line)].position < 0 {
            lines[Int(line)].position = Int32(waiting.count)
            waiting.append(line)
        }
        queued += 1
        if rules.placement != .bestFit { mix.learn(classes[Int(number)].need) }
        fresh.append(job)
        guard reservations.isInUse else { return }
        reservations.advance(to: now)
        reservations.come(queueEntry(job))
    }

    /// Tells of a job that was asked for elsewhere or before, as part of the mix that placements are measured by.
    public mutating func learnMix(_ number: Int32) { mix.learn(classes[Int(number)].need) }

    /// A waiting job goes away.
    public mutating func withdraw(_ job: Int32) {
        if reservations.isInUse { forgetReservation(job) }
        unqueue(job)
        fresh.removeAll { $0 == job }
        if promisedJobs.contains(job) || due?.job == job {
            due = nil
            dropPromise(to: job)
            isFreed = true
        }
    }

    /// A running job is over.
    public mutating func end(_ job: Int32, at now: Int64) {
        let entry = jobs[Int(job)]
        if entry.charged >= 0 {
            accounts.advance(to: now)
            accounts.charge(entry.charged, charge(for: entry), sign: -1)
        }
        let site = Int(entry.site)
        let need = classes[Int(entry.jobClass)].need
        sites[site].remove(Occupant(end: entry.end, job: job))
        if reservations.isInUse {
            reservations.advance(to: now)
            let own = standsOf(job)
            reservations.move(job, need, own, site: entry.site, end: entry.end, to: nil, now: now)
        }
        if hasWindows { for stand in standsOf(job) { sites[site].leave(job, node: stand.node) } }
        if entry.stand.node >= 0 {
            sites[site].give(need, entry.stand, &states)
        } else {
            for stand in stands.removeValue(forKey: job) ?? [] { sites[site].give(need, stand, &states) }
        }
        jobs[Int(job)].site = -1
        isFreed = true
    }

    /// Where the jobs of a class and an account wait.
    mutating func line(_ number: Int32, _ account: Int32) -> Int32 {
        let made = Int32(lines.count)
        if account == Accounts.nobody {
            if classes[Int(number)].line >= 0 { return classes[Int(number)].line }
            classes[Int(number)].line = made
        } else {
            let key = LineKey(jobClass: number, account: account)
            if let known = lineOfProject[key] { return known }
            lineOfProject[key] = made
        }
        lines.append(Line(jobClass: number, account: account))
        return made
    }

    /// A project's own jobs become those of another account.
    mutating func moveLines(from account: Int32, to own: Int32) {
        for index in lines.indices where lines[index].account == account {
            let jobClass = lines[index].jobClass
            lines[index].account = own
            lineOfProject[LineKey(jobClass: jobClass, account: account)] = nil
            lineOfProject[LineKey(jobClass: jobClass, account: own)] = Int32(index)
        }
    }

    /// A key within a priority: all of a higher priority come before all of a lower one.
    private static func key(_ key: Int64, _ priority: Int) -> Int64 {
        let most = Int64(1) << 51 - 1
        return max(-most, min(most, key)) - Int64(max(-1000, min(1000, priority))) << 52
    }

    private func key(_ order: Rules.Order, _ job: Job) -> Int64 {
        switch order {
        case .arrival: job.arrival
        case .shortest: job.estimate
        case .smallest: Int64(Double(job.estimate) * classes[Int(job.jobClass)].size * 1e6)
        case .patience(let factor, let most):
            job.arrival + min(Int64(most) * 1000, Int64(Double(job.estimate) * factor))
        }
    }

    /// Takes a job out of its queues, and says where it stood in the order of passing.
    @discardableResult
    mutating func unqueue(_ job: Int32) -> ClassQueue.Cursor {
        let entry = jobs[Int(job)]
        let line = Int(entry.line)
        var cursor = lines[line].heads.remove(.init(key: entry.headKey, sequence: entry.sequence, job: job))
        if hasFills {
            cursor = lines[line].fills.remove(.init(key: entry.fillKey, sequence: entry.sequence, job: job))
        }
        queued -= 1
        guard lines[line].heads.isEmpty else { return cursor }
        let position = Int(lines[line].position)
        lines[line].position = -1
        let last = waiting.removeLast()
        if position < waiting.count {
            waiting[position] = last
            lines[Int(last)].position = Int32(position)
        }
        return cursor
    }
}

extension Site {
    /// Whether a need would fit if everybody left.
    func couldHold(_ need: Need, _ table: NodeStates) -> Bool {
        var tasks = 0
        for state in states {
            let kind = table.kinds[Int(table[state].kind)]
            let empty = NodeState(
                kind: table[state].kind,
                milliCores: Int32(clamping: kind.milliCores),
                memoryMiB: Int32(clamping: kind.memoryMiB),
                wholeCards: Int32(clamping: kind.cards)
            )
            let right = need.cards == 0 || table.isModelRight(empty, need)
            tasks += empty.tasks(need, isModelRight: right, limit: need.tasks)
            if tasks >= need.tasks + (need.restCards > 0 ? 1 : 0) { return true }
        }
        return false
    }
}
