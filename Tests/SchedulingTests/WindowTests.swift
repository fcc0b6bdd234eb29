import Core
import Testing

@testable import Scheduling

/// What is reserved in advance, in the incremental scheduler: checked from outside, by arithmetic of its own.
@Suite("Windows of the incremental scheduler") struct WindowTests {
    private typealias Window = Scheduler.Window

    /// A scheduler with random sites, a tree of projects and windows, and all that is known of its jobs.
    private struct World {
        struct Run {
            var site: Int
            var places: [Scheduler.Place]
            var begin: Int64
            var limit: Int64
            var end: Int64
        }

        struct Kept {
            var site: Int
            var window: Window
            /// What began before it was reserved may be in its way.
            var since: Int64
        }

        var nodes: [[NodeKind]]
        var scheduler: Scheduler
        var needs: [Int32: Need] = [:]
        /// By project: itself and those above it.
        var ways: [Int32: [Int32]] = [:]
        var classOf: [Int32: Int32] = [:]
        var projectOf: [Int32: Int32] = [:]
        var limits: [Int32: Int64] = [:]
        var waiting: Set<Int32> = []
        var runs: [Int32: Run] = [:]
        var kept: [Kept] = []
        var next: Int32 = 0

        init(_ rules: Rules, _ g: inout SeededGenerator) {
            nodes = (0..<g.int(1...3)).map { _ in
                (0..<g.int(1...2)).flatMap { _ in
                    let kind = NodeKind(
                        milliCores: g.int(2...16) * 1000,
                        memoryMiB: g.int(8...64) * 1024,
                        cards: g.int(0...8)
                    )
                    return Array(repeating: kind, count: g.int(1...3))
                }
            }
            scheduler = Scheduler(sites: nodes, rules: rules)
            for _ in 0..<3 {
                let parent = ways.isEmpty || g.int(0...1) == 0 ? nil : ways.keys.sorted()[g.int(0...ways.count - 1)]
                let number = scheduler.addProject(under: parent, weight: g.int(50...200))
                ways[number] = [number] + (parent.flatMap { ways[$0] } ?? [])
            }
            for _ in 0..<6 {
                let need = Need(
                    tasks: g.int(0...3) == 0 ? g.int(2...4) : 1,
                    milliCores: g.int(1...4) * 1000,
                    memoryMiB: g.int(0...4) * 1024,
                    cards: g.int(0...2)
                )
                if let number = scheduler.addClass(need) { needs[number] = need }
            }
        }

        mutating func reserve(_ g: inout SeededGenerator, now: Int64) {
            let site = g.int(0...nodes.count - 1)
            let from = now + Int64(g.int(0...60)) * 1000
            var window = Window(from: from, to: from + Int64(g.int(1...40)) * 1000)
            if g.int(0...2) > 0 { window.project = ways.keys.sorted()[g.int(0...ways.count - 1)] }
            if g.int(0...3) > 0 {
                window.shares = nodes[site].indices.filter { _ in g.int(0...1) == 0 }.map { node in
                    let kind = nodes[site][node]
                    guard g.int(0...1) == 0 else { return .init(node: Int32(node)) }
                    let amount = Window.Amount(
                        milliCores: g.int(0...kind.milliCores),
                        memoryMiB: g.int(0...kind.memoryMiB),
                        cardMilli: g.int(0...kind.cards) * 1000
                    )
                    return .init(node: Int32(node), amount: amount)
                }
            }
            scheduler.addWindow(window, at: Int32(site))
            kept.append(Kept(site: site, window: window, since: now))
        }

        mutating func submit(_ g: inout SeededGenerator, now: Int64) {
            let classes = needs.keys.sorted()
            guard !classes.isEmpty else { return }
            let limit = Int64(g.int(1...30)) * 1000
            let number = classes[g.int(0...classes.count - 1)]
            let project = g.int(0...4) == 0 ? nil : ways.keys.sorted()[g.int(0...ways.count - 1)]
            let estimate = max(1000, limit / Int64(g.int(1...3)))
            scheduler.submit(next, class: number, estimate: estimate, limit: limit, project: project, at: now)
            (classOf[next], projectOf[next], limits[next]) = (number, project, limit)
            waiting.insert(next)
            next += 1
        }

        mutating func pass(_ g: inout SeededGenerator, now: Int64) {
            for job in runs.keys.sorted() where runs[job].map({ $0.end <= now }) ?? false {
                scheduler.end(job, at: now)
                runs[job] = nil
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            for start in started {
                waiting.remove(start.job)
                let limit = limits[start.job] ?? 1
                runs[start.job] = Run(
                    site: Int(start.site),
                    places: scheduler.places(of: start.job),
                    begin: now,
                    limit: limit,
                    end: now + max(1000, Int64(g.int(1...Int(limit / 1000))) * 1000)
                )
            }
        }

        func isWithin(_ job: Int32, _ project: Int32?) -> Bool {
            guard let project, let own = projectOf[job] else { return false }
            return ways[own]?.contains(project) ?? false
        }

        /// What all tasks of a job on a node take of it.
        func room(_ job: Int32, _ run: Run, on node: Int) -> [Int] {
            guard let need = needs[classOf[job] ?? -1] else { return [0, 0, 0] }
            let tasks = run.places.filter { Int($0.node) == node }.reduce(0) { $0 + Int($1.tasks) }
            return [need.milliCores * tasks, need.memoryMiB * tasks, need.cards * tasks]
        }

        /// What is wrong on a node at a moment.
        func fault(site: Int, node: Int, now: Int64) -> String? {
            let kind = nodes[site][node]
            let here = runs.filter { $0.value.site == site && $0.value.places.contains { Int($0.node) == node } }
            let on = kept.filter {
                $0.site == site && $0.window.start <= now && now < $0.window.end
                    && ($0.window.shares?.contains { Int($0.node) == node } ?? true)
            }
            for (job, run) in here {
                let foreign = on.filter { !isWithin(job, $0.window.project) && run.begin >= $0.since }
                guard !foreign.isEmpty else { continue }
                var sum = [0, 0, 0]
                for (other, run) in here {
                    for (index, amount) in room(other, run, on: node).enumerated() { sum[index] += amount }
                }
                for project in Set(foreign.map(\.window.project)) {
                    var owed = [0, 0, 0]
                    for kept in foreign where kept.window.project == project {
                        let share = kept.window.shares?.first { Int($0.node) == node }
                        guard let amount = share?.amount else { return "job \(job) stands where all is kept" }
                        owed[0] += amount.milliCores
                        owed[1] += amount.memoryMiB
                        owed[2] += amount.cardMilli / 1000
                    }
                    for (other, run) in here where isWithin(other, project) {
                        for (index, amount) in room(other, run, on: node).enumerated() { owed[index] -= amount }
                    }
                    for index in owed.indices { sum[index] += max(0, owed[index]) }
                }
                let own = room(job, run, on: node)
                let all = [kind.milliCores, kind.memoryMiB, kind.cards]
                for index in own.indices where own[index] > 0 && sum[index] > all[index] {
                    return "job \(job): \(sum) of \(all)"
                }
            }
            return nil
        }
    }

    @Test("nobody stands in room that is reserved for others, whatever the rules", arguments: seeds(66))
    func neverInReservedRoom(seed: UInt64) {
        var g = SeededGenerator(seed: seed)
        let rules = SchedulerTests.everyRule[Int(seed) % SchedulerTests.everyRule.count]
        var world = World(rules, &g)
        for second in 0..<150 {
            let now = Int64(second) * 1000
            if second == 0 || g.int(0...19) == 0 { world.reserve(&g, now: now) }
            for _ in 0..<g.int(0...2) { world.submit(&g, now: now) }
            world.pass(&g, now: now)
            for site in world.nodes.indices {
                for node in world.nodes[site].indices {
                    let fault = world.fault(site: site, node: node, now: now)
                    #expect(fault == nil, "node \(node) of \(site) at \(second) s, seed \(seed)")
                    if fault != nil { return }
                }
            }
        }
        for second in 150..<2000 where !world.waiting.isEmpty { world.pass(&g, now: Int64(second) * 1000) }
        #expect(world.waiting.isEmpty, "\(world.waiting.count) never started, seed \(seed)")
    }

    @Test("what is known of reserved nodes equals what is seen anew, after every step", arguments: seeds(20))
    func builtAnew(seed: UInt64) {
        var g = SeededGenerator(seed: seed)
        var world = World(.greedy, &g)
        guard !world.needs.isEmpty else { return }
        for second in 0..<100 {
            let now = Int64(second) * 1000
            if second == 0 || g.int(0...14) == 0 { world.reserve(&g, now: now) }
            for _ in 0..<g.int(0...2) { world.submit(&g, now: now) }
            world.pass(&g, now: now)
            // The same from nothing: what runs, and what is reserved.
            var (old, new) = (world.scheduler, Scheduler(sites: world.nodes, rules: .greedy))
            for project in world.ways.keys.sorted() {
                let parent = world.ways[project]?.dropFirst().first
                #expect(new.addProject(under: parent) == project)
            }
            for job in world.waiting.sorted() { old.withdraw(job) }
            var held: [Int32: Int32] = [:]
            for (number, need) in world.needs { held[number] = new.addHeldClass(need) }
            for job in world.runs.keys.sorted() {
                guard let run = world.runs[job], let number = held[world.classOf[job] ?? -1] else { continue }
                new.hold(
                    job,
                    class: number,
                    at: Int32(run.site),
                    places: run.places,
                    begin: run.begin,
                    estimate: run.limit,
                    limit: run.limit,
                    project: world.projectOf[job]
                )
            }
            for kept in world.kept { new.addWindow(kept.window, at: Int32(kept.site)) }
            // How far ahead is looked depends on who came so far.
            new.longestLimit = old.longestLimit
            // Whoever comes next gets the same of both.
            for _ in 0..<3 {
                let number = world.needs.keys.sorted()[g.int(0...world.needs.count - 1)]
                guard let need = world.needs[number], let same = new.addClass(need) else { continue }
                let project = g.int(0...3) == 0 ? nil : world.ways.keys.sorted()[g.int(0...world.ways.count - 1)]
                let limit = Int64(g.int(1...40)) * 1000
                var (one, other) = (old, new)
                let job = world.next
                one.submit(job, class: number, estimate: limit, limit: limit, project: project, at: now)
                other.submit(job, class: same, estimate: limit, limit: limit, project: project, at: now)
                var (first, second): ([Scheduler.Start], [Scheduler.Start]) = ([], [])
                one.pass(at: now, started: &first)
                other.pass(at: now, started: &second)
                #expect(first == second && one.places(of: job) == other.places(of: job), "at \(now), seed \(seed)")
                for site in one.sites.indices {
                    let (a, b) = (one.sites[site].windows, other.sites[site].windows)
                    for node in a.nodes {
                        guard let position = b.position(of: node.node) else { continue }
                        #expect(Self.stays(node) == Self.stays(b.nodes[position]), "at \(now), seed \(seed)")
                    }
                }
            }
        }
    }

    private static func stays(_ node: Windows.Node) -> [String] {
        node.stays.map { "\($0.job) \($0.room)" }.sorted()
    }

    @Test(
        "who holds the reservation has all of it when the time comes, however many others want it",
        arguments: seeds(20)
    )
    func holder(seed: UInt64) throws {
        var g = SeededGenerator(seed: seed)
        let rules = [Rules.standard, .easy, .conservative, .greedy, .easySJBF][Int(seed % 5)]
        let nodes = g.int(2...5)
        let kind = NodeKind(milliCores: 8000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [Array(repeating: kind, count: nodes)], rules: rules)
        let (mine, theirs) = (scheduler.addProject(), scheduler.addProject())
        let reserved = g.int(1...nodes)
        let start: Int64 = 200_000
        let shares = (0..<reserved).map { Window.Share(node: Int32($0)) }
        scheduler.addWindow(Window(from: start, to: start + 100_000, project: mine, shares), at: 0)
        let smallClass = scheduler.addClass(Need(milliCores: 2000))
        let small = try #require(smallClass)
        let wholeClass = scheduler.addClass(Need(tasks: reserved, milliCores: 8000))
        let whole = try #require(wholeClass)
        var ends: [(at: Int64, job: Int32)] = []
        var started: [Scheduler.Start] = []
        var next: Int32 = 1
        for second in 0...200 {
            let now = Int64(second) * 1000
            for end in ends where end.at == now { scheduler.end(end.job, at: now) }
            ends.removeAll { $0.at == now }
            for _ in 0..<g.int(0...3) {
                let limit = Int64(g.int(1...60)) * 1000
                scheduler.submit(next, class: small, estimate: limit, limit: limit, project: theirs, at: now)
                next += 1
            }
            if second == 200 {
                scheduler.submit(0, class: whole, estimate: 90_000, limit: 100_000, project: mine, at: now)
            }
            started.removeAll()
            scheduler.pass(at: now, started: &started)
            for start in started where start.job > 0 { ends.append((now + Int64(g.int(1...20)) * 1000, start.job)) }
            // A second try of one that was drawn to run longer than it may: all keep their limits.
            for index in ends.indices { ends[index].at = min(ends[index].at, scheduler.jobs[Int(ends[index].job)].end) }
        }
        #expect(started.contains { $0.job == 0 }, "the whole of what is reserved, at its beginning, seed \(seed)")
        #expect(scheduler.places(of: 0).map(\.node).sorted() == (0..<Int32(reserved)).map { $0 })
    }

    @Test("what is reserved for a project is taken first, and by nobody above or beside it")
    func preference() throws {
        let kind = NodeKind(milliCores: 8000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [[kind, kind, kind]], rules: .standard)
        let institute = scheduler.addProject()
        let group = scheduler.addProject(under: institute)
        let team = scheduler.addProject(under: group)
        scheduler.addWindow(Window(from: 0, to: 60_000, project: group, [.init(node: 2)]), at: 0)
        let made = scheduler.addClass(Need(milliCores: 8000))
        let number = try #require(made)
        var started: [Scheduler.Start] = []
        for (job, project) in [institute, team, nil, group].enumerated() {
            let limit: Int64 = 90_000
            scheduler.submit(Int32(job), class: number, estimate: limit, limit: limit, project: project, at: 0)
            scheduler.pass(at: 0, started: &started)
        }
        #expect(started.map(\.job) == [0, 1, 2], "the last finds nothing")
        #expect((0..<3).map { scheduler.places(of: $0).map(\.node) } == [[0], [2], [1]])
    }

    @Test("room for a blocked job is promised beside what is reserved, and none to whom only that keeps waiting")
    func promise() throws {
        let kind = NodeKind(milliCores: 8000, memoryMiB: 1024)
        func promised(limit: Int64, until end: Int64 = 10_000) throws -> Int64? {
            var scheduler = Scheduler(sites: [[kind, kind]], rules: .easy)
            scheduler.addWindow(Window(from: 20_000, to: 30_000, [.init(node: 1)]), at: 0)
            let oneClass = scheduler.addClass(Need(milliCores: 8000))
            let one = try #require(oneClass)
            let bothClass = scheduler.addClass(Need(tasks: 2, milliCores: 8000))
            let both = try #require(bothClass)
            scheduler.submit(0, class: one, estimate: end, limit: end, at: 0)
            scheduler.submit(1, class: both, estimate: limit, limit: limit, at: 0)
            // Who would be in the way of a promise has one made.
            scheduler.submit(2, class: one, estimate: 15_000, limit: 15_000, at: 0)
            var started: [Scheduler.Start] = []
            scheduler.pass(at: 0, started: &started)
            return scheduler.promise?.start
        }
        #expect(try promised(limit: 10_000) == 10_000)
        #expect(try promised(limit: 10_001) == nil)
        #expect(try promised(limit: 60_000, until: 30_000) == 30_000)
    }

    @Test("a wide job behind one that only waits for a window has room promised", arguments: 0..<4)
    func next(variant: Int) throws {
        var rules = variant < 2 ? Rules.easy : .standard
        if variant >= 2 { rules.promises = .overdue(10) }
        let kind = NodeKind(milliCores: 8000, memoryMiB: 1024)
        var scheduler = Scheduler(sites: [[kind, kind, kind]], rules: rules)
        let project = variant % 2 == 1 ? scheduler.addProject() : nil
        let last: Int64 = 100_000
        scheduler.addWindow(Window(from: last, to: last * 2), at: 0)
        let smallClass = scheduler.addClass(Need(milliCores: 8000))
        let wideClass = scheduler.addClass(Need(tasks: 3, milliCores: 8000))
        let (small, wide) = (try #require(smallClass), try #require(wideClass))
        var ends: [Int: [Int32]] = [:]
        var started: [Scheduler.Start] = []
        var begun: Int?
        for second in 0..<90 {
            let now = Int64(second) * 1000
            for job in ends.removeValue(forKey: second) ?? [] { scheduler.end(job, at: now) }
            // One that would last into the window, then one that would not; small ones come without an end.
            if second == 3 {
                scheduler.submit(1000, class: small, estimate: 1000, limit: last, project: project, at: now)
                scheduler.submit(1001, class: wide, estimate: 1000, limit: 5000, project: project, at: now)
            }
            for job in 0..<2 {
                let number = Int32(second * 2 + job)
                scheduler.submit(number, class: small, estimate: 3000, limit: 3000, project: project, at: now)
            }
            started.removeAll()
            scheduler.pass(at: now, started: &started)
            for start in started {
                ends[second + 3, default: []].append(start.job)
                if start.job == 1001 { begun = second }
            }
        }
        #expect(begun != nil, "it starved behind small ones")
    }

    @Test("conservative backfill puts off nobody for what was reserved before he came", arguments: seeds(20))
    func conservative(seed: UInt64) {
        var g = SeededGenerator(seed: seed)
        var world = World(.conservative, &g)
        for _ in 0..<4 { world.reserve(&g, now: 0) }
        var starts: [Int32: Int64] = [:]
        for second in 0..<400 {
            let now = Int64(second) * 1000
            if second < 120 { for _ in 0..<g.int(0...2) { world.submit(&g, now: now) } }
            world.pass(&g, now: now)
            for job in world.waiting.sorted() {
                guard let start = world.scheduler.reservation(of: job)?.start else {
                    Issue.record("job \(job) waits for nothing, seed \(seed)")
                    return
                }
                #expect(start <= starts[job] ?? .max, "job \(job), seed \(seed)")
                starts[job] = start
            }
            for (job, run) in world.runs where run.begin == now { #expect(now <= starts[job] ?? .max, "seed \(seed)") }
        }
        #expect(world.waiting.isEmpty, "seed \(seed)")
    }

    @Test("what is over or far off changes no decision", arguments: seeds(22))
    func nothingChanges(seed: UInt64) {
        let rules = SchedulerTests.everyRule[Int(seed) % SchedulerTests.everyRule.count]
        func starts(_ windows: [Window]) -> [String] {
            var g = SeededGenerator(seed: seed)
            var world = World(rules, &g)
            for window in windows {
                for site in world.nodes.indices { world.scheduler.addWindow(window, at: Int32(site)) }
            }
            var log: [String] = []
            for second in 0..<300 {
                let now = Int64(second) * 1000
                if second < 100 { for _ in 0..<g.int(0...2) { world.submit(&g, now: now) } }
                let before = Set(world.runs.keys)
                world.pass(&g, now: now)
                for job in world.runs.keys.sorted() where !before.contains(job) {
                    log.append("\(job) \(second) \(world.runs[job]?.site ?? -1) \(world.runs[job]?.places ?? [])")
                }
            }
            return log
        }
        let far: Int64 = 1_000_000_000
        let project: Int32? = 2
        let over = [Window(from: -50_000, to: 0, project: project, [.init(node: 0)]), Window(from: -5000, to: -10)]
        let later = [Window(from: far, to: far * 2, [.init(node: 0)]), Window(from: far, to: far * 2)]
        #expect(starts(over + later) == starts([]))
    }

    // MARK: the same as the plan

    /// As random as those of the plan, with what the plain numbers of the scheduler can say: one kind of card on a node,
    /// runs within their limits, and projects that are nothing but a tree.
    private static func snapshot(seed: UInt64) -> Snapshot {
        var snapshot = ReservationTests.snapshot(seed: seed)
        for project in snapshot.projects.indices {
            let known = snapshot.projects[project]
            snapshot.projects[project] = .init(name: known.name, parent: known.parent)
        }
        for centre in snapshot.centres.indices {
            if var capacity = snapshot.centres[centre].capacity {
                for node in capacity.nodes.indices {
                    capacity.nodes[node].cards = Array(capacity.nodes[node].cards.prefix(1))
                }
                snapshot.centres[centre].capacity = capacity
            }
            snapshot.centres[centre].runs.mutateEach { run in
                let left = max(1, Int((run.limitEnd - noon).milliseconds / 1000))
                (run.leasedAt, run.startedAt, run.timeLimitSeconds, run.stopping) = (noon, noon, left, false)
                run.estimateSeconds = nil
            }
        }
        return snapshot
    }

    @Test("a job alone in the queue starts now exactly when the plan starts it, and else when the plan predicts")
    func asPlanned() {
        var policy = Policy()
        (policy.preempts, policy.consolidates) = (false, false)
        var (now, later, reserved) = (0, 0, 0)
        for seed in seeds(400) {
            let snapshot = Self.snapshot(seed: seed)
            for var job in snapshot.queue.prefix(12) {
                (job.unmetDependencies, job.notBefore, job.claim) = (0, nil, nil)
                var one = snapshot
                one.queue = [job]
                let reason = explain(job, in: one, policy: policy)
                let prospect = Outlook(one).prospects(of: [job.id])[job.id]
                if case .ready = reason.cause {
                    now += 1
                    #expect(prospect?.waitMax == 0, "\(job.id), seed \(seed)")
                    continue
                }
                // Room may be kept at a centre where nothing is in the way, although another opens sooner.
                guard reason.isMatterOfTime, plan(one, policy: policy).reservations.isEmpty else { continue }
                var predicted = reason.predictedStart
                if case .capacity(let busy) = reason.cause { predicted = busy.freeAt }
                guard let predicted else { continue }
                later += 1
                if case .reserved = reason.cause { reserved += 1 }
                let wait = (predicted - noon).seconds
                #expect(prospect?.waitMax == wait, "\(job.id) \(reason.code), seed \(seed)")
            }
        }
        #expect(seeds(400).count == 1 || now > 100 && later > 20 && reserved > 10, "\(now), \(later), \(reserved)")
    }
}
