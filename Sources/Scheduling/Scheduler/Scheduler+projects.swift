extension Scheduler {
    /// How much a project may hold at a time, of all jobs of its own and of the projects below it.
    public struct Limits: Hashable, Sendable {
        public var milliCores = Int.max
        /// In thousandths of a card.
        public var cardMilli = Int.max
        public var runs = Int.max

        public init() {}
    }

    /// What a project holds.
    public struct Holdings: Hashable, Sendable {
        public var milliCores = 0
        /// In thousandths of a card.
        public var cardMilli = 0
        public var runs = 0

        public init() {}
    }

    /// What a project weighs if nobody says otherwise, and what a project's own jobs weigh beside its children.
    public static let standardWeight = 100

    /// Makes a project known.
    ///
    /// - Parameters:
    ///   - parent: Of whose share its own is a part; `nil` for the federation.
    ///   - weight: Its part beside that of its siblings, at least 1.
    public mutating func addProject(
        under parent: Int32? = nil,
        weight: Int = Scheduler.standardWeight,
        limits: Limits = Limits()
    ) -> Int32 {
        accounts.isInUse = true
        return add(under: parent, weight: weight, limits: limits)
    }

    /// Makes a project known without a share or limits, only as one that something may be reserved for: for policies that
    /// do not share between projects. Nothing of it changes the order.
    public mutating func addHolder(under parent: Int32? = nil) -> Int32 {
        precondition(!accounts.isInUse, "where projects share, each has its part")
        return add(under: parent, weight: Scheduler.standardWeight, limits: Limits())
    }

    private mutating func add(under parent: Int32?, weight: Int, limits: Limits) -> Int32 {
        let parent = parent ?? Accounts.root
        var own: Int32?
        let made = accounts.add(under: parent, weight: weight, limits: limits) { own = $0 }
        if let own { moveLines(from: parent, to: own) }
        return made
    }

    /// Counts what a project's own jobs have used so far, in dominant-share hours, decayed to `now`, for it and for those
    /// above it. Asked for once the projects below it are known.
    public mutating func addUsage(of project: Int32, _ hours: Double, at now: Int64) {
        accounts.advance(to: now)
        accounts.addUsage(accounts.ownAccount(of: project), hours * 3600)
    }

    public mutating func setWeight(of project: Int32, _ weight: Int) { accounts.setWeight(project, weight) }

    /// What is held already stays, even if it is more.
    public mutating func setLimits(of project: Int32, _ limits: Limits) {
        accounts.setLimits(project, limits)
        isFreed = true
    }

    /// What a project and those below it hold now.
    public func holdings(of project: Int32) -> Holdings { accounts.all[Int(project)].held }

    /// What a project and those below it have used and are promised, in dominant-share hours, decayed to the time of the
    /// last pass or end.
    public func usage(of project: Int32) -> Double { accounts.usage(project) / 3600 }

    func charge(for job: Job) -> Accounts.Charge {
        let jobClass = classes[Int(job.jobClass)]
        let seconds = min(Int64(rules.commitmentHorizonSeconds), (job.limit + 999) / 1000)
        return .init(
            share: jobClass.share,
            promised: jobClass.share * seconds,
            milliCores: jobClass.milliCores,
            cardMilli: jobClass.cardMilli
        )
    }

    // MARK: the pass

    /// Starts whoever can start now: always the first job of the project with the least usage by weight, on every level
    /// of the tree. Whoever cannot start charges nothing and holds up nobody.
    ///
    /// - Complexity: After room was given back, O(lines with waiting jobs · log), else as much for the newcomers' lines.
    mutating func passByProject(_ now: Int64, _ started: inout [Start]) {
        accounts.advance(to: now)
        passes += 1
        if !isFreed, !needsWholePassByProject {
            // Newcomers among jobs that cannot start: only they can.
            var lines = fresh.map { jobs[Int($0)].line }
            if lines.count > 1 { lines = Array(Set(lines)).sorted() }
            return serve(lines, now, isHeadFound: true, &started)
        }
        accounts.reopen()
        if rules.promises == .head { dropPromise() }
        keepPromises(now, &started)
        serve(waiting, now, isHeadFound: rules.promises == .none && rules.fill != nil, &started)
    }

    private var needsWholePassByProject: Bool {
        guard !fresh.isEmpty else { return false }
        switch rules.promises {
        case .none, .everybody: return rules.fill == nil
        case .head: return true
        case .overdue: return false
        }
    }

    /// Whoever room is kept for comes before everybody, whatever its project has used meanwhile.
    mutating func keepPromises(_ now: Int64, _ started: inout [Start]) {
        for job in promisedJobs {
            let number = Int(jobs[Int(job)].jobClass)
            if obstacle(job) != nil {
                dropPromise(to: job)
            } else if case .started = attempt(number, job, now, &started) {
                dropPromise(to: job)
                unqueue(job)
            } else if let start = promisedStart(of: job), start <= now {
                dropPromise(to: job)
                promise(job, number, now)
            }
        }
        latestPromise = promisedJobs.compactMap { promisedStart(of: $0) }.max() ?? .min
    }

    func obstacle(_ job: Int32) -> Int32? {
        let line = lines[Int(jobs[Int(job)].line)]
        return accounts.obstacle(
            line.account,
            milliCores: classes[Int(line.jobClass)].milliCores,
            cardMilli: classes[Int(line.jobClass)].cardMilli
        )
    }

    /// Serves the jobs of some lines, each line until it is known that no more of it can start.
    ///
    /// - Parameter isHeadFound: Whether room is kept already for whom it is to be kept for; else that is found out: it is
    ///   the first for whom there is no room.
    private mutating func serve(_ numbers: [Int32], _ now: Int64, isHeadFound: Bool, _ started: inout [Start]) {
        var isHeadFound = isHeadFound
        takeTurns(numbers, isFilling: isHeadFound)
        while let account = accounts.first {
            var turn = accounts.turn(of: account)
            let attempt = isAllowed(turn, now) ? tryOut(turn, now, &started) : nil
            if attempt == .noRoom || attempt == .tooLong {
                let isHead = !isHeadFound
                guard rules.fill != nil else { return }
                isHeadFound = keepRoom(for: turn, isHead: isHead, now) || !isHead
                if isHead, isHeadFound, hasFills {
                    takeTurns(numbers, isFilling: true)
                    continue
                }
            }
            // Behind one that only waits for what is reserved in advance, the next may be the first for whom room is kept.
            let isPassed = attempt == .noRoom && !isHeadFound
            var isOut = attempt == nil || attempt == .noRoom && !isPassed
            if attempt == .tooLong || isPassed {
                turn.looked += 1
                turn.tooLong = min(turn.tooLong, jobs[Int(turn.entry.job)].limit)
                isOut = turn.looked >= rules.depth
                turn.cursor = queue(turn.line, isFilling: isHeadFound).after(turn.cursor)
            }
            let goesOn = !isOut && advance(&turn, isFilling: isHeadFound)
            accounts.goOn(account, with: goesOn ? turn : nil, hasStarted: attempt == .started)
        }
    }

    private mutating func takeTurns(_ numbers: [Int32], isFilling: Bool) {
        accounts.forgetTurns()
        for line in numbers {
            let (jobClass, account) = (lines[Int(line)].jobClass, lines[Int(line)].account)
            let none = ClassQueue.Entry(key: 0, sequence: 0, job: -1)
            var turn = Turn(entry: none, line: line, jobClass: jobClass, cursor: .init(), looked: 0)
            if advance(&turn, isFilling: isFilling) { accounts.add(turn, to: account) }
        }
        accounts.orderTurns()
    }

    private func queue(_ line: Int32, isFilling: Bool) -> ClassQueue {
        hasFills && isFilling ? lines[Int(line)].fills : lines[Int(line)].heads
    }

    /// Goes to the job at the turn's cursor, or past it if room is kept for it: it had its turn before all.
    ///
    /// - Returns: Whether there is one.
    private func advance(_ turn: inout Turn, isFilling: Bool) -> Bool {
        let queue = queue(turn.line, isFilling: isFilling)
        while let entry = queue[turn.cursor], promisedJobs.contains(entry.job) {
            turn.cursor = queue.after(turn.cursor)
        }
        guard let entry = queue[turn.cursor] else { return false }
        turn.entry = entry
        return true
    }

    /// Whether the limits of its project and of all above allow a job. If not, and it is overdue, what is given back to
    /// that limit is kept for it: else small jobs could take it for ever.
    private mutating func isAllowed(_ turn: Turn, _ now: Int64) -> Bool {
        guard let limited = obstacle(turn.entry.job) else { return true }
        if isOverdue(turn.entry.job, now) {
            let jobClass = classes[Int(turn.jobClass)]
            accounts.close(limited, for: jobClass.milliCores, jobClass.cardMilli)
        }
        return false
    }

    func isOverdue(_ job: Int32, _ now: Int64) -> Bool {
        guard case .overdue(let seconds) = rules.promises else { return false }
        return now - jobs[Int(job)].arrival > Int64(seconds) * 1000 + jobs[Int(job)].estimate
    }

    /// Keeps room for a job that finds none: for the first of all if it is overdue, and for the first of each project
    /// that is behind.
    ///
    /// - Returns: Whether the job counts as such: not if only what is reserved in advance keeps it waiting, so that the
    ///   next has its place.
    private mutating func keepRoom(for turn: Turn, isHead: Bool, _ now: Int64) -> Bool {
        switch rules.promises {
        case .none, .everybody: break
        case .head:
            guard isHead, hasWindows else {
                if isHead { due = (turn.entry.job, Int(turn.jobClass)) }
                break
            }
            guard keep(for: turn, now) else { return false }
        case .overdue:
            let account = lines[Int(turn.line)].account
            guard accounts.isFirstBlocked(account, in: passes), promisedJobs.count < Self.promisesMax,
                !promisedJobs.contains(where: { lines[Int(jobs[Int($0)].line)].account == account }),
                isHead && isOverdue(turn.entry.job, now) || accounts.isBehind(account)
            else { return true }
            guard keep(for: turn, now) else {
                accounts.letPass(account)
                return false
            }
        }
        return true
    }

    /// - Returns: `false` when only what is reserved in advance keeps the job waiting, and others may still be asked.
    private mutating func keep(for turn: Turn, _ now: Int64) -> Bool {
        let isKept = promise(turn.entry.job, Int(turn.jobClass), now)
        latestPromise = max(latestPromise, promisedStart(of: turn.entry.job) ?? .min)
        guard hasWindows, !isKept, promiseTries < Self.promiseTriesMax else { return true }
        promiseTries += 1
        return false
    }

    /// Each sets nodes aside and is asked about at every placement.
    private static let promisesMax = 8

    private mutating func tryOut(_ turn: Turn, _ now: Int64, _ started: inout [Start]) -> Attempt {
        let number = Int(turn.jobClass)
        let job = turn.entry.job
        // What one cannot have, none of its class can, whosever it is.
        guard classes[number].outIn != passes else { return .noRoom }
        var attempt = Attempt.noRoom
        if mayFit(number) {
            keepDuePromise(now)
            if rules.promises == .head { latestPromise = promise?.start ?? .min }
            attempt =
                isTooLong(turn, now, latestPromise) ? .tooLong : self.attempt(number, job, now, &started)
        }
        switch attempt {
        case .started: unqueue(job)
        case .noRoom: classes[number].outIn = passes
        case .tooLong: break
        }
        return attempt
    }
}
