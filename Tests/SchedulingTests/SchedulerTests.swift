import Scheduling
import Testing

/// The incremental scheduler: what holds whatever happens, checked from outside after every step.
@Suite struct SchedulerTests {
    /// One node of a site as it is known from the jobs' places alone.
    private struct Ledger {
        var milliCores: Int
        var memoryMiB: Int
        var cardMilli: Int

        mutating func take(_ need: Need, _ place: Scheduler.Place, sign: Int) {
            let share = place.isRest ? Double(need.restCards) / Double(max(1, need.cards)) : Double(place.tasks)
            milliCores -= sign * Int(Double(need.milliCores) * share)
            memoryMiB -= sign * Int(Double(need.memoryMiB) * share)
            let cards = need.cards == 1 && need.cardMilli < 1000 ? need.cardMilli : need.cards * 1000
            cardMilli -= sign * (place.isRest ? need.restCards * 1000 : cards * Int(place.tasks))
        }
    }

    static let everyRule: [Rules] = [
        .standard, .fcfs, .sjf, .easy, .conservative, .easySJBF, .easySPF, .easySAF, .greedy, .greedySJF, .fgd,
    ]

    @Test("never over a node's cores, memory or cards; gangs whole; nothing started twice", arguments: seeds(20))
    func capacity(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let nodes = (0..<chance.int(1...4)).map { _ in
            (0..<chance.int(1...3)).flatMap { _ in
                // Nodes come alike, as they do: some mistakes need two of a kind.
                let kind = NodeKind(
                    milliCores: chance.int(1...16) * 1000,
                    memoryMiB: chance.int(1...64) * 1024,
                    cards: chance.int(0...12),
                    model: chance.int(0...2)
                )
                return Array(repeating: kind, count: chance.int(1...3))
            }
        }
        let rules = Self.everyRule[Int(seed % UInt64(Self.everyRule.count))]
        var scheduler = Scheduler(sites: nodes, rules: rules)
        var needs: [Int32: Need] = [:]
        for _ in 0..<chance.int(1...12) {
            let cards = chance.int(0...4)
            let need = Need(
                tasks: chance.int(1...10) > 7 ? chance.int(2...4) : 1,
                milliCores: chance.int(0...4) * 500,
                memoryMiB: chance.int(0...8) * 512,
                cards: cards,
                cardMilli: cards == 1 && chance.int(0...1) == 1 ? chance.int(1...20) * 50 : 1000,
                models: chance.int(0...3) == 0 ? UInt64(chance.int(1...7)) : .max
            )
            if let number = scheduler.addClass(need) { needs[number] = need }
        }
        let classes = needs.keys.sorted()
        guard !classes.isEmpty else { return }
        var ledgers = nodes.map {
            $0.map { Ledger(milliCores: $0.milliCores, memoryMiB: $0.memoryMiB, cardMilli: $0.cards * 1000) }
        }
        var classOf: [Int32: Int32] = [:]
        var running: [Int32: (site: Int32, places: [Scheduler.Place])] = [:]
        var waiting: Set<Int32> = []
        var next: Int32 = 0
        for step in 0..<100 {
            let now = Int64(step) * 1000
            for _ in 0..<chance.int(0...3) {
                let number = classes[chance.int(0...classes.count - 1)]
                let estimate = Int64(chance.int(1...50)) * 1000
                scheduler.submit(next, class: number, estimate: estimate, limit: estimate * 2, at: now)
                classOf[next] = number
                waiting.insert(next)
                next += 1
            }
            if chance.int(0...9) == 0, let job = waiting.sorted().first {
                scheduler.withdraw(job)
                waiting.remove(job)
            }
            for job in running.keys.sorted() where chance.int(0...3) == 0 {
                guard let (site, places) = running.removeValue(forKey: job), let need = needs[classOf[job] ?? -1] else {
                    Issue.record("job \(job) runs without a class")
                    return
                }
                for place in places { ledgers[Int(site)][Int(place.node)].take(need, place, sign: -1) }
                scheduler.end(job, at: now)
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            for start in started {
                #expect(waiting.remove(start.job) != nil, "job \(start.job) started without waiting")
                let need = try #require(needs[classOf[start.job] ?? -1])
                let places = scheduler.places(of: start.job)
                #expect(places.reduce(0) { $0 + ($1.isRest ? 0 : Int($1.tasks)) } == need.tasks, "a gang is whole")
                for place in places { ledgers[Int(start.site)][Int(place.node)].take(need, place, sign: 1) }
                running[start.job] = (start.site, places)
            }
            for (site, ledger) in ledgers.enumerated() {
                for node in ledger {
                    #expect(node.milliCores >= 0 && node.memoryMiB >= 0 && node.cardMilli >= 0, "over: \(node)")
                }
                let free = scheduler.free(at: Int32(site))
                #expect(free.milliCores == ledger.reduce(0) { $0 + $1.milliCores })
                #expect(free.cardMilli == ledger.reduce(0) { $0 + $1.cardMilli })
            }
            #expect(scheduler.queued == waiting.count)
        }
    }

    @Test("EASY backfill starts every job when a plain implementation of it does", arguments: seeds(10))
    func easy(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let processors = chance.int(2...20)
        let jobs = (0..<60).map { _ in
            let limit = chance.int(1...60)
            return PlainJob(
                submit: chance.int(0...300),
                run: chance.int(1...limit),
                limit: limit,
                processors: chance.int(1...processors)
            )
        }.sorted { $0.submit < $1.submit }
        #expect(Self.starts(jobs, processors: processors, rules: .easy) == PlainJob.easy(jobs, processors: processors))
    }

    @Test("a promise, once made, is only ever brought forward while runs keep their limits", arguments: seeds(10))
    func promises(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let processors = chance.int(4...32)
        var rules = seed % 2 == 0 ? Rules.easySJBF : Rules.standard
        if seed % 2 == 1 {
            // As in our own rules: whoever is past its patience is before all who come, and is promised room.
            rules.head = .patience(factor: 20, atMost: 100)
            rules.fill = rules.head
            rules.promises = .overdue(100)
        }
        var scheduler = Scheduler(
            sites: [[NodeKind(milliCores: processors * 1000, memoryMiB: 1)]],
            rules: rules
        )
        let classes = (1...processors).compactMap { scheduler.addClass(Need(milliCores: $0 * 1000)) }
        var ends: [(at: Int64, job: Int32)] = []
        var promised: [Int32: Int64] = [:]
        var runs: [Int32: Int] = [:]
        var next: Int32 = 0
        var kept = 0
        for second in 0..<2000 {
            let now = Int64(second) * 1000
            for end in ends where end.at == now { scheduler.end(end.job, at: now) }
            ends.removeAll { $0.at == now }
            if chance.int(0...9) == 0 {
                let limit = chance.int(1...200)
                scheduler.submit(
                    next,
                    class: classes[chance.int(0...classes.count - 1)],
                    estimate: Int64(chance.int(1...limit)) * 1000,
                    limit: Int64(limit) * 1000,
                    at: now
                )
                runs[next] = chance.int(1...limit)
                next += 1
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            for start in started {
                if let latest = promised[start.job] {
                    #expect(now <= latest, "job \(start.job) was promised \(latest) and started at \(now)")
                    kept += 1
                }
                ends.append((now + Int64(runs[start.job] ?? 1) * 1000, start.job))
            }
            if let promise = scheduler.promise {
                if let before = promised[promise.job] {
                    #expect(
                        promise.start <= before,
                        "the promise to \(promise.job) moved from \(before) to \(promise.start)"
                    )
                }
                promised[promise.job] = min(promise.start, promised[promise.job] ?? .max)
            }
        }
        #expect(kept > 0, "nobody was promised anything: the test shows nothing")
    }

    @Test("the rest of a gang goes to a node of its own")
    func rest() throws {
        let node = NodeKind(milliCores: 2000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [[node, node, node]], rules: .easy)
        let made = scheduler.addClass(Need(tasks: 3, milliCores: 1000))
        scheduler.submit(0, class: try #require(made), estimate: 1000, limit: 1000, at: 0)
        var started: [Scheduler.Start] = []
        scheduler.pass(at: 0, started: &started)
        #expect(started.count == 1)
        #expect(scheduler.places(of: 0).map { [$0.node, $0.tasks] } == [[0, 2], [1, 1]])
    }

    @Test("the rest of a gang finds its place where all nodes are kept for it", arguments: [0, 1])
    func restOnPromised(firstEnds: Int32) throws {
        let node = NodeKind(milliCores: 8000, memoryMiB: 1024, cards: 8)
        var rules = Rules.standard
        rules.promises = .overdue(10)
        var scheduler = Scheduler(sites: [[node, node]], rules: rules)
        let made = [Need(cards: 8), Need(cards: 8, restCards: 4)].compactMap { scheduler.addClass($0) }
        try #require(made.count == 2)
        let (whole, gang) = (made[0], made[1])
        var started: [Scheduler.Start] = []
        for job in 0..<2 { scheduler.submit(Int32(job), class: whole, estimate: 100_000, limit: 100_000, at: 0) }
        scheduler.pass(at: 0, started: &started)
        scheduler.submit(2, class: gang, estimate: 10_000, limit: 10_000, at: 0)
        scheduler.submit(3, class: whole, estimate: 100_000, limit: 100_000, at: 1000)
        scheduler.end(firstEnds, at: 50_000)
        scheduler.pass(at: 50_000, started: &started)
        #expect(scheduler.promise?.job == 2)
        #expect(started.map(\.job) == [0, 1], "room for a part of the gang is nobody else's")
        scheduler.end(1 - firstEnds, at: 60_000)
        scheduler.pass(at: 60_000, started: &started)
        #expect(started.map(\.job) == [0, 1, 2])
        #expect(scheduler.places(of: 2).map(\.node).sorted() == [0, 1])
    }

    @Test("what is shut takes nothing new, and takes again when it is opened")
    func shut() throws {
        let node = NodeKind(milliCores: 4000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [[node], [node]], rules: .standard)
        let made = scheduler.addClass(Need(milliCores: 4000))
        let number = try #require(made)
        scheduler.setOpen(0, false)
        var started: [Scheduler.Start] = []
        for job in 0..<2 {
            scheduler.submit(Int32(job), class: number, estimate: 1000, limit: 1000, at: 0)
        }
        scheduler.pass(at: 0, started: &started)
        #expect(started.map(\.site) == [1])
        scheduler.setOpen(0, true)
        scheduler.pass(at: 1, started: &started)
        #expect(started.map(\.site) == [1, 0])
    }

    @Test("whoever is promised room gets it although others become first meanwhile", arguments: seeds(10))
    func promisedButNotFirst(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var rules = Rules.standard
        // Promised room long before its patience ends: those who come after it may still be before it in the order.
        rules.promises = .overdue(20)
        rules.head = .patience(factor: 20, atMost: 500)
        rules.fill = rules.head
        let processors = chance.int(4...16)
        var scheduler = Scheduler(sites: [[NodeKind(milliCores: processors * 1000, memoryMiB: 1)]], rules: rules)
        let classes = (1...processors).compactMap { scheduler.addClass(Need(milliCores: $0 * 1000)) }
        var ends: [Int: [Int32]] = [:]
        var next: Int32 = 0
        for second in 0..<20_000 where second < 1000 || scheduler.queued > 0 {
            let now = Int64(second) * 1000
            for job in ends.removeValue(forKey: second) ?? [] { scheduler.end(job, at: now) }
            if second < 1000, chance.int(0...9) == 0 {
                let limit = chance.int(1...100)
                scheduler.submit(
                    next,
                    class: classes[chance.int(0...classes.count - 1)],
                    estimate: Int64(chance.int(1...limit)) * 1000,
                    limit: Int64(limit) * 1000,
                    at: now
                )
                next += 1
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            for start in started { ends[second + chance.int(1...100), default: []].append(start.job) }
        }
        #expect(scheduler.queued == 0, "\(scheduler.queued) of \(next) never started")
    }

    @Test("what no site could ever hold gets no class")
    func impossible() {
        var scheduler = Scheduler(sites: [[NodeKind(milliCores: 4000, memoryMiB: 1024, cards: 2)]], rules: .standard)
        #expect(scheduler.addClass(Need(milliCores: 5000)) == nil)
        #expect(scheduler.addClass(Need(tasks: 3, cards: 1)) == nil)
        #expect(scheduler.addClass(Need(cards: 1, models: 0b10)) == nil)
        #expect(scheduler.addClass(Need(tasks: 2, cards: 1, cardMilli: 500)) == nil, "a gang of shares")
        #expect(scheduler.addClass(Need(tasks: 2, cards: 1)) != nil)
    }

    /// When each job starts, with one pass after all that happens in a second.
    private static func starts(_ jobs: [PlainJob], processors: Int, rules: Rules) -> [Int] {
        var scheduler = Scheduler(sites: [[NodeKind(milliCores: processors * 1000, memoryMiB: 1)]], rules: rules)
        let classes = (1...processors).map { scheduler.addClass(Need(milliCores: $0 * 1000)) ?? -1 }
        var starts = Array(repeating: -1, count: jobs.count)
        var started: [Scheduler.Start] = []
        for now in 0...20_000 where starts.contains(-1) {
            for (number, job) in jobs.enumerated() where starts[number] >= 0 && starts[number] + job.run == now {
                scheduler.end(Int32(number), at: Int64(now) * 1000)
            }
            for (number, job) in jobs.enumerated() where job.submit == now {
                let limit = Int64(job.limit) * 1000
                scheduler.submit(
                    Int32(number),
                    class: classes[job.processors - 1],
                    estimate: limit,
                    limit: limit,
                    at: Int64(now) * 1000
                )
            }
            started.removeAll()
            scheduler.pass(at: Int64(now) * 1000, started: &started)
            for start in started { starts[Int(start.job)] = now }
        }
        return starts
    }
}

extension SeededGenerator {
    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}

/// A rigid job on one machine, and EASY backfill written as its definition reads.
private struct PlainJob {
    var submit: Int
    var run: Int
    var limit: Int
    var processors: Int

    static func easy(_ jobs: [PlainJob], processors: Int) -> [Int] {
        var starts = Array(repeating: -1, count: jobs.count)
        for now in 0...20_000 where starts.contains(-1) {
            func isRunning(_ number: Int) -> Bool { starts[number] >= 0 && now < starts[number] + jobs[number].run }
            var queue = jobs.indices.filter { starts[$0] < 0 && jobs[$0].submit <= now }
            var free = processors - jobs.indices.filter(isRunning).reduce(0) { $0 + jobs[$1].processors }
            while let head = queue.first, jobs[head].processors <= free {
                starts[head] = now
                free -= jobs[head].processors
                queue.removeFirst()
            }
            guard let head = queue.first else { continue }
            // The head's start if runs use up their limits, and what is free beside it then.
            let ends = jobs.indices.filter(isRunning).map { (at: starts[$0] + jobs[$0].limit, number: $0) }
                .sorted { $0.at < $1.at }
            var then = free
            var shadow = now
            for end in ends where then < jobs[head].processors {
                then += jobs[end.number].processors
                shadow = end.at
            }
            then = free + ends.filter { $0.at <= shadow }.reduce(0) { $0 + jobs[$1.number].processors }
            var extra = then - jobs[head].processors
            for number in queue.dropFirst() where jobs[number].processors <= free {
                let endsBefore = now + jobs[number].limit <= shadow
                guard endsBefore || jobs[number].processors <= extra else { continue }
                if !endsBefore { extra -= jobs[number].processors }
                starts[number] = now
                free -= jobs[number].processors
            }
        }
        return starts
    }
}
