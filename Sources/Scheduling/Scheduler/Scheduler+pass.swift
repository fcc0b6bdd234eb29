extension Scheduler {
    enum Attempt {
        case started
        /// Nothing that any job of the class could use.
        case noRoom
        /// Only room that is promised, and the job would be in it too long.
        case tooLong
    }

    /// A place in one of the orders, while a pass goes through it.
    struct Turn: HeapElement {
        var entry: ClassQueue.Entry
        var line: Int32
        var jobClass: Int32
        var cursor: ClassQueue.Cursor
        /// How many jobs of the class were found to need promised room for too long.
        var looked: Int
        /// The shortest limit of those.
        var tooLong = Int64.max

        @inline(__always)
        static func < (a: Turn, b: Turn) -> Bool { a.entry < b.entry }
    }

    /// Starts whoever can start now.
    ///
    /// - Parameter started: Gets who starts, in order of decision.
    /// - Complexity: After room was given back, O(classes · log classes + jobs started); else O(jobs that came). Where
    ///   everybody is promised room, after it was given back O(waiting jobs + classes · changes to come where it was).
    public mutating func pass(at now: Int64, started: inout [Start]) {
        defer {
            fresh.removeAll(keepingCapacity: true)
            isFreed = false
        }
        if hasWindows { advanceWindows(to: now) }
        promiseTries = 0
        if reservations.isInUse { return passByReservation(now, &started) }
        if accounts.isInUse { return passByProject(now, &started) }
        if !isFreed, !needsWholePass(now) {
            for job in fresh { passFresh(job, now, &started) }
            return
        }
        if rules.promises == .head { dropPromise() }
        guard takeHeads(now, &started) else { return }
        if rules.fill != nil { fillIn(now, &started) }
    }

    /// Whether newcomers change more than their own lot.
    private func needsWholePass(_ now: Int64) -> Bool {
        guard !fresh.isEmpty else { return false }
        if fresh.count == queued { return true }
        switch rules.promises {
        case .none, .everybody: return rules.fill == nil
        case .head:
            guard let (head, _) = firstHead() else { return true }
            return fresh.contains(head)
        case .overdue: return false
        }
    }

    /// A newcomer among jobs that cannot start: only it can.
    private mutating func passFresh(_ job: Int32, _ now: Int64, _ started: inout [Start]) {
        let entry = jobs[Int(job)]
        guard mayFit(Int(entry.jobClass)) else { return }
        keepDuePromise(now)
        if case .started = attempt(Int(entry.jobClass), job, now, &started) { unqueue(job) }
    }

    /// Takes heads while they fit, and keeps room for the first that does not, if it is to have it.
    ///
    /// - Returns: Whether others may pass.
    private mutating func takeHeads(_ now: Int64, _ started: inout [Start]) -> Bool {
        if rules.promises == .none, rules.fill != nil { return true }
        // Where somebody else has become the first meanwhile, whoever room is kept for would never be asked again, and
        // a promise whose time has come would keep everybody out for ever.
        if case .overdue = rules.promises, promised >= 0, firstHead()?.job != promised { keepPromises(now, &started) }
        while let (job, number) = firstHead() {
            if case .started = attempt(number, job, now, &started) {
                if promised == job { dropPromise() }
                unqueue(job)
                continue
            }
            switch rules.promises {
            case .none, .everybody: break
            case .head: due = (job, number)
            case .overdue(let seconds):
                // A promise holds until its time: made anew at every turn, it would cost more than it is worth.
                if promised == job, let start = promise?.start, start > now { break }
                let waited = now - jobs[Int(job)].arrival
                if waited > Int64(seconds) * 1000 + jobs[Int(job)].estimate {
                    dropPromise()
                    promise(job, number, now)
                }
            }
            return rules.fill != nil
        }
        return false
    }

    mutating func keepDuePromise(_ now: Int64) {
        guard let (job, number) = due else { return }
        dropPromise()
        promise(job, number, now)
    }

    private func firstHead() -> (job: Int32, class: Int)? {
        var first: (entry: ClassQueue.Entry, class: Int)?
        for line in waiting {
            guard let entry = lines[Int(line)].heads[.init()] else { continue }
            if first.map({ entry < $0.entry }) ?? true { first = (entry, Int(lines[Int(line)].jobClass)) }
        }
        return first.map { ($0.entry.job, $0.class) }
    }

    /// Everybody else, in the order of passing: class by class merged, each class until it is known that no more of
    /// it can start.
    private mutating func fillIn(_ now: Int64, _ started: inout [Start]) {
        var turns = scratch
        turns.removeAll(keepingCapacity: true)
        scratch = []
        defer { scratch = turns }
        let head = due?.job ?? promised
        // Room may be kept for whoever finds none, where the first only waits for what is reserved in advance.
        let asksAll = hasWindows && rules.promises != .none
        for line in waiting where asksAll || mayFit(Int(lines[Int(line)].jobClass)) {
            guard let entry = entry(Int(line), .init()) else { continue }
            if entry.job == head, lines[Int(line)].heads.count == 1 { continue }
            turns.append(
                Turn(entry: entry, line: line, jobClass: lines[Int(line)].jobClass, cursor: .init(), looked: 0)
            )
        }
        if turns.isEmpty { return }
        keepDuePromise(now)
        turns.heapify()
        let promisedStart = promised >= 0 ? promise?.start ?? .min : .min
        while !turns.isEmpty {
            let line = Int(turns[0].line)
            let job = turns[0].entry.job
            var isOut = false
            if job == promised {
                turns[0].cursor = after(line, turns[0].cursor)
            } else if isTooLong(turns[0], now, promisedStart) {
                // As those before it.
                turns[0].looked += 1
                turns[0].cursor = after(line, turns[0].cursor)
                isOut = turns[0].looked >= rules.depth
            } else {
                switch attempt(Int(turns[0].jobClass), job, now, &started) {
                case .started: turns[0].cursor = unqueue(job)
                case .noRoom where !keepsForNext(job, now): isOut = true
                case .noRoom, .tooLong:
                    turns[0].looked += 1
                    turns[0].tooLong = min(turns[0].tooLong, jobs[Int(job)].limit)
                    turns[0].cursor = after(line, turns[0].cursor)
                    isOut = turns[0].looked >= rules.depth
                }
            }
            if !isOut, let entry = entry(line, turns[0].cursor) {
                turns[0].entry = entry
                turns.replaceFirst(turns[0])
            } else {
                turns.popFirst()
            }
        }
    }

    /// Where only what is reserved in advance keeps the first waiting, so that no room is kept for it, room is kept for the
    /// next who finds none.
    ///
    /// - Returns: Whether the one after this job is still to be asked.
    private mutating func keepsForNext(_ job: Int32, _ now: Int64) -> Bool {
        guard hasWindows, promised < 0, promiseTries < Self.promiseTriesMax else { return false }
        switch rules.promises {
        case .none, .everybody: return false
        case .overdue where !isOverdue(job, now): return false
        case .head, .overdue:
            promiseTries += 1
            return !promise(job, Int(jobs[Int(job)].jobClass), now)
        }
    }

    /// In one pass, where all wait for the same window: each asks every node and run.
    static let promiseTriesMax = 8

    /// Whether a job is known to need promised or reserved room for too long, as others before it in its line do.
    @inline(__always)
    func isTooLong(_ turn: Turn, _ now: Int64, _ promisedStart: Int64) -> Bool {
        guard turn.looked > 0 else { return false }
        let limit = jobs[Int(turn.entry.job)].limit
        // What is reserved may begin later than what is promised, and be in the way only of the longer.
        return hasWindows ? limit >= turn.tooLong : now + limit > promisedStart
    }

    @inline(__always)
    func entry(_ line: Int, _ cursor: ClassQueue.Cursor) -> ClassQueue.Entry? {
        hasFills ? lines[line].fills[cursor] : lines[line].heads[cursor]
    }

    @inline(__always)
    func after(_ line: Int, _ cursor: ClassQueue.Cursor) -> ClassQueue.Cursor {
        hasFills ? lines[line].fills.after(cursor) : lines[line].heads.after(cursor)
    }
}
