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
        var candidates: [Candidate]
        var heads = ClassQueue()
        /// The same jobs in the order in which they may pass; empty when that is the order of `heads`.
        var fills = ClassQueue()
        /// What is asked for as a part of the whole federation, for orders by size.
        var size: Double
        /// By state: the score of the placement, where it was worked out.
        var scores: [Int16] = []
        /// The measure that they belong to.
        var epoch = 0
    }

    struct Job {
        var jobClass: Int32
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
    }

    public let rules: Rules
    /// Opens or closes a site for new work; what runs there goes on.
    public mutating func setOpen(_ site: Int32, _ isOpen: Bool) {
        sites[Int(site)].isOpen = isOpen
        if isOpen { isFreed = true } else if sites[Int(site)].promise != nil { dropPromise() }
    }

    /// Some tasks of a running job on one node.
    public struct Place: Hashable, Sendable {
        /// Its number among the site's nodes.
        public var node: Int32
        public var tasks: Int32
        /// Whether it is the smaller task of a need with a rest.
        public var isRest: Bool
    }

    /// Where a running job stands; empty for one that waits.
    public func places(of job: Int32) -> [Place] {
        let entry = jobs[Int(job)]
        guard entry.site >= 0 else { return [] }
        return (entry.stand.node >= 0 ? [entry.stand] : stands[job] ?? []).map {
            Place(node: $0.node, tasks: $0.tasks, isRest: $0.isRest)
        }
    }

    /// For which job room is kept, and from when on, in milliseconds.
    public var promise: (job: Int32, start: Int64)? {
        sites.lazy.compactMap { $0.promise }.first.map { ($0.job, $0.start) }
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
    /// Classes with waiting jobs.
    var waiting: [Int32] = []
    var positionInWaiting: [Int32] = []
    public private(set) var queued = 0
    private var sequence: UInt32 = 0
    var mix = Mix()
    /// Jobs that came since the last pass.
    var fresh: [Int32] = []
    /// Whether room was given back since the last pass.
    var isFreed = false
    /// The job that room is kept for; -1 for none.
    var promised: Int32 = -1
    /// The blocked first of the queue and its class, when room for it is still to be found: that is put off until
    /// somebody would take it.
    var due: (job: Int32, class: Int)?
    /// Memory that passes use again.
    var scratch: [Turn] = []
    let heaviest: (milliCores: Int, cardMilli: Int)

    /// - Parameter sites: The nodes of each.
    public init(sites nodes: [[NodeKind]], rules: Rules) {
        self.rules = rules
        hasFills = rules.fill != nil && rules.fill != rules.head
        var heaviest = (milliCores: 1, cardMilli: 1)
        for kind in nodes.joined() {
            heaviest.milliCores = max(heaviest.milliCores, kind.milliCores)
            heaviest.cardMilli = max(heaviest.cardMilli, kind.cards * 1000)
        }
        self.heaviest = heaviest
        for nodes in nodes { sites.append(Site(nodes: nodes, in: &states)) }
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
        let cores = sites.reduce(0) { $0 + $1.totalMilliCores }
        let cards = sites.reduce(0) { $0 + $1.totalCardMilli }
        classes.append(
            JobClass(
                need: need,
                candidates: candidates.map { Candidate(site: $0) },
                size: max(
                    Double(need.totalMilliCores) / Double(max(1, cores)),
                    Double(need.totalCardMilli) / Double(max(1, cards))
                )
            )
        )
        positionInWaiting.append(-1)
        return Int32(classes.count - 1)
    }

    /// A job comes and waits.
    ///
    /// - Parameters:
    ///   - job: Its number: a small one that no job has now.
    ///   - estimate: How long it is expected to run, in milliseconds: what its place in the queue goes by.
    ///   - limit: How long it may run, in milliseconds: what promises to others reckon with.
    public mutating func submit(_ job: Int32, class number: Int32, estimate: Int64, limit: Int64, at now: Int64) {
        var made = Job(
            jobClass: number,
            arrival: now,
            estimate: max(1, estimate),
            limit: max(1, limit),
            sequence: sequence
        )
        sequence &+= 1
        made.headKey = key(rules.head, made)
        made.fillKey = rules.fill.map { key($0, made) } ?? 0
        while jobs.count <= Int(job) { jobs.append(made) }
        jobs[Int(job)] = made
        classes[Int(number)].heads.insert(.init(key: made.headKey, sequence: made.sequence, job: job))
        if hasFills { classes[Int(number)].fills.insert(.init(key: made.fillKey, sequence: made.sequence, job: job)) }
        if positionInWaiting[Int(number)] < 0 {
            positionInWaiting[Int(number)] = Int32(waiting.count)
            waiting.append(number)
        }
        queued += 1
        if rules.placement != .bestFit { mix.learn(classes[Int(number)].need) }
        fresh.append(job)
    }

    /// Tells of a job that was asked for elsewhere or before, as part of the mix that placements are measured by.
    public mutating func learnMix(_ number: Int32) { mix.learn(classes[Int(number)].need) }

    /// A waiting job goes away.
    public mutating func withdraw(_ job: Int32) {
        unqueue(job)
        fresh.removeAll { $0 == job }
        if promised == job || due?.job == job {
            dropPromise()
            isFreed = true
        }
    }

    /// A running job is over.
    public mutating func end(_ job: Int32) {
        let entry = jobs[Int(job)]
        let site = Int(entry.site)
        let need = classes[Int(entry.jobClass)].need
        sites[site].remove(Occupant(end: entry.end, job: job))
        if entry.stand.node >= 0 {
            sites[site].give(need, entry.stand, &states)
        } else {
            for stand in stands.removeValue(forKey: job) ?? [] { sites[site].give(need, stand, &states) }
        }
        jobs[Int(job)].site = -1
        isFreed = true
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
        let number = Int(entry.jobClass)
        var cursor = classes[number].heads.remove(.init(key: entry.headKey, sequence: entry.sequence, job: job))
        if hasFills {
            cursor = classes[number].fills.remove(.init(key: entry.fillKey, sequence: entry.sequence, job: job))
        }
        queued -= 1
        guard classes[number].heads.isEmpty else { return cursor }
        let position = Int(positionInWaiting[number])
        positionInWaiting[number] = -1
        let last = waiting.removeLast()
        if position < waiting.count {
            waiting[position] = last
            positionInWaiting[Int(last)] = Int32(position)
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
