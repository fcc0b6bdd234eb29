import Scheduling
import Testing

/// Conservative backfill: everybody who waits has a reservation, and nobody puts off anybody's.
@Suite struct ConservativeTests {
    @Test("every job starts when a plain implementation of conservative backfill starts it", arguments: seeds(10))
    func plain(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let processors = chance.int(2...20)
        let jobs = (0..<30).map { _ in
            let limit = chance.int(1...40)
            return PlainJob(
                submit: chance.int(0...120),
                run: chance.int(0...2) == 0 ? limit : chance.int(1...limit),
                limit: limit,
                processors: chance.int(1...processors)
            )
        }.sorted { $0.submit < $1.submit }
        #expect(Self.starts(jobs, processors) == PlainJob.conservative(jobs, processors))
    }

    /// The scheduler is asked only where something comes or ends, as in a replay.
    private static func starts(_ jobs: [PlainJob], _ processors: Int) -> [Int] {
        var scheduler = Scheduler(
            sites: [[NodeKind(milliCores: processors * 1000, memoryMiB: 1)]],
            rules: .conservative
        )
        let classes = (1...processors).map { scheduler.addClass(Need(milliCores: $0 * 1000)) ?? -1 }
        var starts = Array(repeating: -1, count: jobs.count)
        for second in 0...20_000 where starts.contains(-1) {
            let now = Int64(second) * 1000
            let over = jobs.indices.filter { starts[$0] >= 0 && starts[$0] + jobs[$0].run == second }
            let new = jobs.indices.filter { jobs[$0].submit == second }
            if over.isEmpty, new.isEmpty { continue }
            for number in over { scheduler.end(Int32(number), at: now) }
            for number in new {
                let limit = Int64(jobs[number].limit) * 1000
                let needed = classes[jobs[number].processors - 1]
                scheduler.submit(Int32(number), class: needed, estimate: limit, limit: limit, at: now)
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            for start in started { starts[Int(start.job)] = second }
        }
        return starts
    }

    @Test(
        "over sites, nodes and gangs no reservation is ever put off, none is in another's way, and none could be earlier",
        arguments: seeds(8)
    )
    func reservations(seed: UInt64) throws {
        var world = World(seed: seed)
        var moved = 0
        for second in 0..<300 {
            moved += world.step(second)
            if second % 3 == 0 { try world.check(second) }
        }
        #expect(world.kept > 5, "only \(world.kept) jobs had to wait: the test shows little")
        #expect(moved > 0, "nobody ever moved up: the test shows little")
    }

    @Test("a run that outlives its limit puts off only those who were to follow it, and all start in the end")
    func overdue() throws {
        let node = NodeKind(milliCores: 2000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [[node, node]], rules: .conservative)
        let made = scheduler.addClass(Need(milliCores: 2000))
        let number = try #require(made)
        var started: [Scheduler.Start] = []
        for job in 0..<4 {
            let limit: Int64 = job == 1 ? 30_000 : 10_000
            scheduler.submit(Int32(job), class: number, estimate: limit, limit: limit, at: 0)
        }
        scheduler.pass(at: 0, started: &started)
        #expect(started.map(\.job) == [0, 1])
        #expect(scheduler.reservation(of: 2)?.start == 10_000)
        #expect(scheduler.reservation(of: 3)?.start == 20_000)
        // The first goes on; somebody asks.
        scheduler.pass(at: 12_000, started: &started)
        #expect(scheduler.reservation(of: 2)?.start == 30_000, "the other node is free sooner than the overdue run's")
        #expect(scheduler.reservation(of: 3)?.start == 40_000)
        scheduler.end(0, at: 15_000)
        scheduler.pass(at: 15_000, started: &started)
        #expect(started.map(\.job) == [0, 1, 2])
        #expect(scheduler.reservation(of: 3)?.start == 25_000)
        scheduler.end(2, at: 25_000)
        scheduler.pass(at: 25_000, started: &started)
        #expect(started.map(\.job) == [0, 1, 2, 3])
    }

    @Test("reservations of a site that is shut go elsewhere, and come back when it opens")
    func shut() throws {
        let node = NodeKind(milliCores: 2000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [[node], [node]], rules: .conservative)
        let made = scheduler.addClass(Need(milliCores: 2000))
        let number = try #require(made)
        var started: [Scheduler.Start] = []
        for job in 0..<4 { scheduler.submit(Int32(job), class: number, estimate: 1000, limit: 1000, at: 0) }
        scheduler.pass(at: 0, started: &started)
        #expect(started.map(\.site) == [0, 1])
        #expect((2..<4).map { scheduler.reservation(of: $0)?.start } == [1000, 1000])
        scheduler.setOpen(0, false)
        scheduler.pass(at: 500, started: &started)
        #expect((2..<4).map { scheduler.reservation(of: $0)?.site } == [1, 1])
        #expect((2..<4).map { scheduler.reservation(of: $0)?.start }.sorted { $0 ?? 0 < $1 ?? 0 } == [1000, 2000])
        scheduler.setOpen(0, true)
        scheduler.pass(at: 600, started: &started)
        #expect((2..<4).map { scheduler.reservation(of: $0)?.start } == [1000, 1000])
    }

    @Test("a project at its limit holds no reservation, and never goes over it")
    func limits() throws {
        var scheduler = Scheduler(
            sites: [[NodeKind(milliCores: 4000, memoryMiB: 1024)]],
            rules: .conservative
        )
        let made = scheduler.addClass(Need(milliCores: 1000))
        let number = try #require(made)
        var limits = Scheduler.Limits()
        limits.milliCores = 1000
        let project = scheduler.addProject(limits: limits)
        var started: [Scheduler.Start] = []
        for job in 0..<3 {
            let owner = job < 2 ? project : nil
            scheduler.submit(Int32(job), class: number, estimate: 1000, limit: 1000, project: owner, at: 0)
        }
        scheduler.pass(at: 0, started: &started)
        #expect(started.map(\.job) == [0, 2])
        #expect(scheduler.reservation(of: 1) == nil)
        scheduler.end(0, at: 500)
        scheduler.pass(at: 500, started: &started)
        #expect(started.map(\.job) == [0, 2, 1])
    }
}

/// Some sites whose jobs keep their limits, and all that can be seen of the scheduler from outside.
private struct World {
    private struct Stay {
        var need: Need
        var site: Int32
        var places: [Scheduler.Place]
        var from: Int64
        var to: Int64
    }

    private var chance: SeededGenerator
    private let nodes: [[NodeKind]]
    private var scheduler: Scheduler
    private var needs: [Int32: Need] = [:]
    private var limitOf: [Int32: Int64] = [:]
    private var classOf: [Int32: Int32] = [:]
    private var ends: [Int: [Int32]] = [:]
    private var running: [Int32: Stay] = [:]
    private var waiting: [Int32] = []
    private var told: [Int32: Int64] = [:]
    private var next: Int32 = 0
    /// Jobs that waited and started no later than they were told.
    private(set) var kept = 0

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed)
        var made: [[NodeKind]] = []
        for _ in 0..<chance.int(1...3) {
            let kind = NodeKind(
                milliCores: chance.int(4...8) * 1000,
                memoryMiB: 1 << 20,
                cards: chance.int(0...1) * chance.int(2...8),
                model: chance.int(0...1)
            )
            made.append(Array(repeating: kind, count: chance.int(1...3)))
        }
        nodes = made
        scheduler = Scheduler(sites: nodes, rules: .conservative)
        while needs.count < 6 {
            let cards = chance.int(0...2) * chance.int(0...2)
            let need = Need(
                tasks: chance.int(0...2) == 0 ? chance.int(2...3) : 1,
                milliCores: chance.int(1...4) * 1000,
                cards: cards,
                models: chance.int(0...3) == 0 ? 0b01 : .max
            )
            if let number = scheduler.addClass(need) { needs[number] = need }
        }
    }

    /// - Returns: How many reservations moved up.
    mutating func step(_ second: Int) -> Int {
        let now = Int64(second) * 1000
        for job in ends.removeValue(forKey: second) ?? [] {
            running[job] = nil
            scheduler.end(job, at: now)
        }
        if chance.int(0...2) == 0 {
            let number = needs.keys.sorted()[chance.int(0...needs.count - 1)]
            let limit = Int64(chance.int(1...60)) * 1000
            scheduler.submit(next, class: number, estimate: limit, limit: limit, at: now)
            (limitOf[next], classOf[next]) = (limit, number)
            waiting.append(next)
            next += 1
        }
        if chance.int(0...30) == 0, let job = waiting.first {
            scheduler.withdraw(job)
            waiting.removeFirst()
        }
        var started: [Scheduler.Start] = []
        scheduler.pass(at: now, started: &started)
        for start in started {
            if let latest = told[start.job] {
                #expect(now <= latest, "job \(start.job) was told \(latest) and started at \(now)")
                kept += 1
            }
            let limit = limitOf[start.job] ?? 1
            let run = chance.int(0...2) == 0 ? Int(limit) / 1000 : chance.int(1...Int(limit) / 1000)
            ends[second + run, default: []].append(start.job)
            running[start.job] = Stay(
                need: needs[classOf[start.job] ?? -1] ?? Need(),
                site: start.site,
                places: scheduler.places(of: start.job),
                from: now,
                to: now + limit
            )
            waiting.removeAll { $0 == start.job }
        }
        var moved = 0
        for job in waiting {
            guard let reservation = scheduler.reservation(of: job) else {
                Issue.record("job \(job) waits without a reservation at \(now)")
                continue
            }
            if let before = told[job] {
                #expect(reservation.start <= before, "job \(job) was put off from \(before) to \(reservation.start)")
                if reservation.start < before { moved += 1 }
            }
            told[job] = reservation.start
        }
        return moved
    }

    func check(_ second: Int) throws {
        let now = Int64(second) * 1000
        var stays = running
        for job in waiting {
            let reservation = try #require(scheduler.reservation(of: job))
            stays[job] = Stay(
                need: needs[classOf[job] ?? -1] ?? Need(),
                site: reservation.site,
                places: reservation.places,
                from: reservation.start,
                to: reservation.start + (limitOf[job] ?? 1)
            )
        }
        let moments = Set([now] + stays.values.flatMap { [$0.from, $0.to] }).filter { $0 >= now }.sorted()
        for moment in moments {
            for (site, nodes) in nodes.enumerated() {
                for node in nodes.indices {
                    let free = free(site, node, at: moment, stays)
                    #expect(free.milliCores >= 0 && free.cards >= 0, "over at \(moment): \(free)")
                }
            }
        }
        for job in waiting {
            guard let own = stays[job] else { continue }
            var others = stays
            others[job] = nil
            for moment in moments where moment < own.from {
                #expect(
                    !couldStart(own.need, at: moment, for: own.to - own.from, others, moments),
                    "job \(job) could start at \(moment) instead of \(own.from)"
                )
            }
        }
    }

    private func free(_ site: Int, _ node: Int, at moment: Int64, _ stays: [Int32: Stay]) -> (
        milliCores: Int, cards: Int
    ) {
        var free = (milliCores: nodes[site][node].milliCores, cards: nodes[site][node].cards)
        for stay in stays.values where Int(stay.site) == site && stay.from <= moment && moment < stay.to {
            for place in stay.places where Int(place.node) == node {
                free.milliCores -= stay.need.milliCores * Int(place.tasks)
                free.cards -= stay.need.cards * Int(place.tasks)
            }
        }
        return free
    }

    private func couldStart(
        _ need: Need,
        at begin: Int64,
        for length: Int64,
        _ others: [Int32: Stay],
        _ moments: [Int64]
    ) -> Bool {
        let inside = moments.filter { $0 >= begin && $0 < begin + length }
        return nodes.indices.contains { site in
            var tasks = 0
            for node in nodes[site].indices {
                if need.cards > 0, need.models >> UInt64(nodes[site][node].model) & 1 == 0 { continue }
                var fit = need.tasks
                for moment in inside {
                    let free = free(site, node, at: moment, others)
                    fit = min(fit, free.milliCores / need.milliCores)
                    if need.cards > 0 { fit = min(fit, free.cards / need.cards) }
                }
                tasks += fit
            }
            return tasks >= need.tasks
        }
    }
}

/// A rigid job on one machine, and conservative backfill written as its definition reads, second by second.
private struct PlainJob {
    var submit: Int
    var run: Int
    var limit: Int
    var processors: Int

    static func conservative(_ jobs: [PlainJob], _ processors: Int) -> [Int] {
        var starts = Array(repeating: -1, count: jobs.count)
        var reserved = starts
        for now in 0...20_000 where starts.contains(-1) {
            /// From now on, how many processors are taken by all but one.
            func taken(without left: Int) -> [Int] {
                var taken = Array(repeating: 0, count: 1500)
                for (number, job) in jobs.enumerated() where number != left {
                    let begin = starts[number] >= 0 ? starts[number] : reserved[number]
                    let isOver = starts[number] >= 0 && starts[number] + job.run <= now
                    guard begin >= 0, !isOver else { continue }
                    for second in max(0, begin - now)..<max(0, begin + job.limit - now) {
                        taken[second] += job.processors
                    }
                }
                return taken
            }
            func earliest(_ number: Int) -> Int {
                let taken = taken(without: number)
                var begin = 0
                var second = 0
                while second < begin + jobs[number].limit {
                    if taken[second] + jobs[number].processors > processors { begin = second + 1 }
                    second += 1
                }
                return now + begin
            }
            let hasRoom = jobs.indices.contains {
                starts[$0] >= 0 && starts[$0] + jobs[$0].run == now && jobs[$0].run < jobs[$0].limit
            }
            var goesOn = hasRoom
            while goesOn {
                goesOn = false
                for number in jobs.indices where starts[number] < 0 && reserved[number] > now {
                    let better = earliest(number)
                    if better < reserved[number] {
                        reserved[number] = better
                        goesOn = true
                    }
                }
            }
            for number in jobs.indices where jobs[number].submit == now { reserved[number] = earliest(number) }
            for number in jobs.indices where starts[number] < 0 && reserved[number] == now { starts[number] = now }
        }
        return starts
    }
}
