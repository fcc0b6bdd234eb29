import Scheduling
import Testing

/// Projects in the incremental scheduler: shares, limits, and sums that never drift from what really runs.
@Suite struct ProjectTests {
    private struct Running {
        var project: Int?
        var need: Need
        var begin: Int64
        var limit: Int64
    }

    /// A project as the test knows it.
    private struct Known {
        var number: Int32
        /// Index among the known.
        var parent: Int?
        var limits: Scheduler.Limits
        var ended: [(share: Double, begin: Int64, end: Int64)] = []
    }

    private static func dominantShare(_ need: Need, of node: NodeKind) -> Double {
        max(
            Double(need.totalMilliCores) / Double(node.milliCores),
            Double(need.totalMemoryMiB) / Double(node.memoryMiB),
            Double(need.totalCardMilli) / Double(node.cards * 1000)
        )
    }

    @Test("no project is ever over a limit, at any level; sums equal those counted anew", arguments: seeds(20))
    func limits(seed: UInt64) throws {
        let first = try Self.wander(seed)
        #expect(try Self.wander(seed) == first, "the same calls give the same answers")
    }

    /// A random walk among random projects, checked from outside after every step.
    ///
    /// - Returns: Who started when.
    private static func wander(_ seed: UInt64) throws -> [String] {
        var chance = SeededGenerator(seed: seed)
        let everyRule: [Rules] = [.standard, .fcfs, .easy, .easySJBF, .greedy, .easySAF]
        var rules = everyRule[Int(seed % UInt64(everyRule.count))]
        rules.halfLifeSeconds = Double(chance.int(10...100))
        if seed % 2 == 0, case .overdue = rules.promises { rules.promises = .overdue(5) }
        let node = NodeKind(milliCores: 32_000, memoryMiB: 64_000, cards: 8)
        var scheduler = Scheduler(sites: [[node]], rules: rules)
        var known: [Known] = []
        func limits() -> Scheduler.Limits {
            var limits = Scheduler.Limits()
            if chance.int(0...2) == 0 { limits.milliCores = chance.int(0...24) * 1000 }
            if chance.int(0...2) == 0 { limits.cardMilli = chance.int(0...6) * 1000 }
            if chance.int(0...2) == 0 { limits.runs = chance.int(0...6) }
            return limits
        }
        func addProject() {
            let parent = known.isEmpty || chance.int(0...2) == 0 ? nil : chance.int(0...known.count - 1)
            let limits = limits()
            let number = scheduler.addProject(
                under: parent.map { known[$0].number },
                weight: chance.int(1...300),
                limits: limits
            )
            known.append(Known(number: number, parent: parent, limits: limits))
        }
        let needs = (0..<6).map { _ in
            Need(milliCores: chance.int(1...12) * 1000, memoryMiB: chance.int(0...8000), cards: chance.int(0...3))
        }
        let classes = needs.compactMap { scheduler.addClass($0) }
        try #require(classes.count == needs.count)
        var waiting: [Int32: Running] = [:]
        var running: [Int32: Running] = [:]
        var log: [String] = []
        var next: Int32 = 0
        for step in 0..<120 {
            let now = Int64(step) * 1000
            // Projects come while jobs run, after a time without any.
            if step >= 10, known.count < 6, chance.int(0...4) == 0 { addProject() }
            if let changed = known.indices.randomElement(using: &chance), chance.int(0...19) == 0 {
                known[changed].limits = limits()
                scheduler.setLimits(of: known[changed].number, known[changed].limits)
            }
            for job in running.keys.sorted() where chance.int(0...4) == 0 {
                guard let run = running.removeValue(forKey: job) else { continue }
                scheduler.end(job, at: now)
                var at = run.project
                while let project = at {
                    known[project].ended.append((dominantShare(run.need, of: node), run.begin, now))
                    at = known[project].parent
                }
            }
            for _ in 0..<chance.int(0...4) {
                let kind = chance.int(0...classes.count - 1)
                let project = chance.int(0...6)
                let limit = Int64(chance.int(1...40)) * 1000
                waiting[next] = Running(
                    project: project < known.count ? project : nil,
                    need: needs[kind],
                    begin: 0,
                    limit: limit
                )
                scheduler.submit(
                    next,
                    class: classes[kind],
                    estimate: limit / 2 + 1,
                    limit: limit,
                    project: project < known.count ? known[project].number : nil,
                    priority: chance.int(0...2),
                    at: now
                )
                next += 1
            }
            if chance.int(0...9) == 0, let job = waiting.keys.sorted().first {
                scheduler.withdraw(job)
                waiting[job] = nil
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            let before = known.map { Self.holdings(running, $0, known) }
            for start in started {
                log.append("\(now) \(start.job)")
                guard var run = waiting.removeValue(forKey: start.job) else {
                    Issue.record("job \(start.job) started without waiting")
                    continue
                }
                run.begin = now
                running[start.job] = run
            }
            for (index, project) in known.enumerated() {
                let held = holdings(running, project, known)
                #expect(scheduler.holdings(of: project.number) == held)
                // What was held before a limit was lowered stays.
                #expect(held.milliCores <= max(project.limits.milliCores, before[index].milliCores))
                #expect(held.cardMilli <= max(project.limits.cardMilli, before[index].cardMilli))
                #expect(held.runs <= max(project.limits.runs, before[index].runs))
                let usage = usage(running, project, known, node, now, rules)
                #expect(abs(scheduler.usage(of: project.number) - usage) <= 1e-9 * (1 + usage))
            }
            #expect(scheduler.queued == waiting.count)
        }
        return log
    }

    private static func isWithin(_ run: Running, _ project: Known, _ known: [Known]) -> Bool {
        var at = run.project
        while let index = at {
            if known[index].number == project.number { return true }
            at = known[index].parent
        }
        return false
    }

    private static func holdings(_ running: [Int32: Running], _ project: Known, _ known: [Known]) -> Scheduler.Holdings
    {
        var held = Scheduler.Holdings()
        for run in running.values where isWithin(run, project, known) {
            held.milliCores += run.need.totalMilliCores
            held.cardMilli += run.need.totalCardMilli
            held.runs += 1
        }
        return held
    }

    /// Decayed dominant-share hours, interval by interval.
    private static func usage(
        _ running: [Int32: Running],
        _ project: Known,
        _ known: [Known],
        _ node: NodeKind,
        _ now: Int64,
        _ rules: Rules
    ) -> Double {
        func decayed(_ share: Double, _ begin: Int64, _ end: Int64) -> Double {
            func decay(_ at: Int64) -> Double {
                FairShare.decay(elapsedSeconds: Double(now - at) / 1000, halfLifeSeconds: rules.halfLifeSeconds)
            }
            return share * rules.halfLifeSeconds / 0.693_147_180_559_945_3 * (decay(end) - decay(begin))
        }
        var sum = project.ended.reduce(0) { $0 + decayed($1.share, $1.begin, $1.end) }
        for run in running.values where isWithin(run, project, known) {
            let share = dominantShare(run.need, of: node)
            sum += decayed(share, run.begin, now)
            sum += share * min(Double(rules.commitmentHorizonSeconds), (Double(run.limit) / 1000).rounded(.up))
        }
        return sum / 3600
    }

    // MARK: shares

    @Test("four equal projects of unequal appetite get what is due to them", arguments: seeds(4))
    func appetites(seed: UInt64) {
        var world = ProjectWorld(seed: seed, cores: 16)
        for appetite in [0.1, 0.3, 1, 3] { world.addProject(appetite: appetite, share: 0.25) }
        world.run(days: 10)
        world.expectShares()
    }

    @Test("so do projects of unequal weight", arguments: seeds(4))
    func weights(seed: UInt64) {
        var world = ProjectWorld(seed: seed, cores: 16)
        for (weight, appetite) in [(100, 2.0), (200, 0.15), (300, 1.5), (400, 2)] {
            world.addProject(appetite: appetite, weight: weight, share: Double(weight) / 1000)
        }
        world.run(days: 10)
        world.expectShares()
    }

    @Test("and so do projects within projects; what a sibling leaves stays with its parent first", arguments: seeds(4))
    func tree(seed: UInt64) {
        var world = ProjectWorld(seed: seed, cores: 32)
        let physics = world.scheduler.addProject(weight: 300)
        let biology = world.scheduler.addProject(weight: 100)
        world.addProject(appetite: 0.1, weight: 50, under: physics, share: 0.375)
        world.addProject(appetite: 3, weight: 50, under: physics, share: 0.375)
        world.addProject(appetite: 2, weight: 100, under: biology, share: 0.0625)
        world.addProject(appetite: 2, weight: 300, under: biology, share: 0.1875)
        world.run(days: 10)
        world.expectShares()
        let lent = world.received[1] / world.capacity(days: 10)
        #expect(lent > 0.75 - 0.1 - 0.02, "the second got \(lent) of all, its sibling's rest included")
    }

    @Test("projects of large jobs get their share beside projects of small ones", arguments: seeds(4))
    func sizes(seed: UInt64) {
        var world = ProjectWorld(seed: seed, cores: 16)
        for size in [1, 2, 4, 8] { world.addProject(appetite: 2, size: size, share: 0.25) }
        world.run(days: 10)
        world.expectShares()
    }

    @Test("on many nodes, room is kept for several projects of large jobs at a time", arguments: seeds(4))
    func severalPromises(seed: UInt64) {
        var world = ProjectWorld(seed: seed, cores: 32, nodes: 4)
        for size in [1, 4, 8, 8] { world.addProject(appetite: 2, size: size, share: 0.25) }
        world.run(days: 5)
        world.expectShares()
    }

    @Test("more weight never gets less", arguments: seeds(4))
    func monotone(seed: UInt64) {
        var least = 0.0
        for weight in [25, 50, 100, 200, 400, 800] {
            var world = ProjectWorld(seed: seed, cores: 16)
            world.addProject(appetite: 3, weight: weight, isEven: true, share: 0)
            for _ in 0..<3 { world.addProject(appetite: 3, isEven: true, share: 0) }
            world.run(days: 4)
            #expect(world.received[0] >= least, "weight \(weight): \(world.received[0]) after \(least)")
            least = world.received[0]
        }
    }

    @Test("a project that comes late is not made to wait by those before it, nor by what it left unused for weeks")
    func newcomer() throws {
        var scheduler = Scheduler(sites: [[NodeKind(milliCores: 8000, memoryMiB: 1)]], rules: .standard)
        let made = scheduler.addClass(Need(milliCores: 1000))
        let number = try #require(made)
        let (old, new) = (scheduler.addProject(), scheduler.addProject())
        var next: Int32 = 0
        func submit(_ project: Int32, _ count: Int, at now: Int64) {
            for _ in 0..<count {
                scheduler.submit(next, class: number, estimate: 60_000, limit: 60_000, project: project, at: now)
                next += 1
            }
        }
        submit(old, 1000, at: 0)
        var owners = [Int](repeating: 0, count: 2)
        var running: [Int32] = []
        for minute in 0..<100 {
            let now = Int64(minute) * 60_000
            for job in running { scheduler.end(job, at: now) }
            if minute == 50 { submit(new, 100, at: now) }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            #expect(started.count == 8)
            running = started.map(\.job)
            if minute == 50 { #expect(running.allSatisfy { $0 >= 1000 }, "the newcomer has used nothing yet") }
            if minute >= 50 { for job in running { owners[job < 1000 ? 0 : 1] += 1 } }
        }
        #expect(owners == [300, 100], "all of the newcomer's ran, and all the rest was used")
    }

    @Test("priority goes first within a project, and counts for nothing beside another project")
    func priority() throws {
        var scheduler = Scheduler(sites: [[NodeKind(milliCores: 1000, memoryMiB: 1)]], rules: .standard)
        let made = scheduler.addClass(Need(milliCores: 1000))
        let number = try #require(made)
        let (one, two) = (scheduler.addProject(), scheduler.addProject())
        func submit(_ job: Int32, _ project: Int32, _ priority: Int) {
            scheduler.submit(
                job,
                class: number,
                estimate: 1000,
                limit: 1000,
                project: project,
                priority: priority,
                at: 0
            )
        }
        for (job, priority) in [(0, 1), (1, 1), (2, 5), (3, -1)] { submit(Int32(job), one, priority) }
        for (job, priority) in [(4, 900), (5, 1000), (6, 900)] { submit(Int32(job), two, priority) }
        var order: [Int32] = []
        for second in 0..<7 {
            var started: [Scheduler.Start] = []
            scheduler.pass(at: Int64(second) * 1000, started: &started)
            order += started.map(\.job)
            for start in started { scheduler.end(start.job, at: Int64(second + 1) * 1000) }
        }
        #expect(order == [2, 5, 0, 4, 1, 6, 3])
    }

    @Test("a project at its limit, or whose jobs find no room, holds up nobody")
    func blocked() throws {
        let node = NodeKind(milliCores: 8000, memoryMiB: 1)
        var scheduler = Scheduler(sites: [[node]], rules: .standard)
        let (small, large) = (scheduler.addClass(Need(milliCores: 2000)), scheduler.addClass(Need(milliCores: 8000)))
        var limits = Scheduler.Limits()
        limits.runs = 1
        let limited = scheduler.addProject(limits: limits)
        let (wide, other) = (scheduler.addProject(), scheduler.addProject())
        let kinds = try (#require(small), #require(large))
        for (job, project) in [(0, limited), (1, limited), (3, other)] {
            scheduler.submit(Int32(job), class: kinds.0, estimate: 1000, limit: 1000, project: project, at: 0)
        }
        scheduler.submit(2, class: kinds.1, estimate: 1000, limit: 1000, project: wide, at: 0)
        scheduler.submit(4, class: kinds.0, estimate: 1000, limit: 1000, at: 0)
        var started: [Scheduler.Start] = []
        scheduler.pass(at: 0, started: &started)
        // The order of equals: those without a project, then as projects were made known.
        #expect(started.map(\.job) == [4, 0, 3])
        #expect(scheduler.queued == 2)
    }

    @Test("a large job starts in the end, beside endless small ones of other projects, and of its own below its limit")
    func noStarvation() throws {
        var rules = Rules.standard
        rules.promises = .overdue(600)
        rules.head = .patience(factor: 20, atMost: 600)
        rules.fill = rules.head
        var scheduler = Scheduler(sites: [[NodeKind(milliCores: 16_000, memoryMiB: 1)]], rules: rules)
        let (small, large) = (scheduler.addClass(Need(milliCores: 1000)), scheduler.addClass(Need(milliCores: 12_000)))
        let kinds = try (#require(small), #require(large))
        var limits = Scheduler.Limits()
        limits.milliCores = 12_000
        let limited = scheduler.addProject(limits: limits)
        let (wide, narrow) = (scheduler.addProject(), scheduler.addProject())
        var chance = SeededGenerator(seed: 7)
        var ends: [Int64: [Int32]] = [:]
        var starts: [Int32: Int64] = [:]
        scheduler.submit(0, class: kinds.1, estimate: 60_000, limit: 60_000, project: wide, at: 0)
        scheduler.submit(1, class: kinds.1, estimate: 60_000, limit: 60_000, project: limited, at: 0)
        var next: Int32 = 2
        for second in stride(from: Int64(0), to: 4000, by: 10) {
            for project in [narrow, limited] {
                for _ in 0..<2 {
                    scheduler.submit(
                        next,
                        class: kinds.0,
                        estimate: 100,
                        limit: 300_000,
                        project: project,
                        at: second * 1000
                    )
                    next += 1
                }
            }
            for job in ends.removeValue(forKey: second) ?? [] { scheduler.end(job, at: second * 1000) }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: second * 1000, started: &started)
            for start in started {
                starts[start.job] = second
                ends[second + Int64(chance.int(1...30)) * 10, default: []].append(start.job)
            }
        }
        // Ten minutes of patience, then room is kept: runs there end within five minutes.
        #expect(try #require(starts[0]) < 2000)
        // Those that are before it in its project's order, half an hour's work below that limit, come first.
        #expect(try #require(starts[1]) < 3500)
    }
}

/// Projects that submit at random, and what each got beside what was due to it.
private struct ProjectWorld {
    struct Project {
        var number: Int32
        /// How much it asks for, as a part of all cores.
        var appetite: Double
        var size: Int
        /// Whether its jobs come at even times and run equally long.
        var isEven: Bool
        /// What part of all cores is its own.
        var share: Double
        var backlog = 0.0
        var held = 0
        var waiting = 0
    }

    static let stepSeconds = 60
    static let meanSteps = 30

    var scheduler: Scheduler
    let cores: Int
    private var chance: SeededGenerator
    private var projects: [Project] = []
    private var classes: [Int: Int32] = [:]
    private var owners: [Int32: Int] = [:]
    private var runs: [Int32: Int] = [:]
    private var ends: [Int: [Int32]] = [:]
    private var next: Int32 = 0
    /// Core steps that each held while it had work.
    private(set) var received: [Double] = []
    /// Of its share, as much as it had work for.
    private(set) var due: [Double] = []

    init(seed: UInt64, cores: Int, nodes: Int = 1) {
        var rules = Rules.standard
        rules.halfLifeSeconds = 6 * 3600
        let node = NodeKind(milliCores: cores / nodes * 1000, memoryMiB: 1)
        scheduler = Scheduler(sites: [Array(repeating: node, count: nodes)], rules: rules)
        self.cores = cores
        chance = SeededGenerator(seed: seed)
    }

    mutating func addProject(
        appetite: Double,
        weight: Int = 100,
        under parent: Int32? = nil,
        size: Int = 1,
        isEven: Bool = false,
        share: Double
    ) {
        let number = scheduler.addProject(under: parent, weight: weight)
        projects.append(Project(number: number, appetite: appetite, size: size, isEven: isEven, share: share))
        received.append(0)
        due.append(0)
    }

    func capacity(days: Int) -> Double { Double(days * 86_400 / Self.stepSeconds * cores) }

    mutating func run(days: Int) {
        for step in 0..<days * 86_400 / Self.stepSeconds {
            let now = Int64(step * Self.stepSeconds) * 1000
            for job in ends.removeValue(forKey: step) ?? [] {
                scheduler.end(job, at: now)
                if let owner = owners[job] { projects[owner].held -= projects[owner].size }
            }
            for index in projects.indices {
                // What waits already is enough of an appetite.
                guard projects[index].waiting < 4 * cores else { continue }
                projects[index].backlog += projects[index].appetite * Double(cores)
                while projects[index].backlog > 0 { submit(index, now) }
            }
            var started: [Scheduler.Start] = []
            scheduler.pass(at: now, started: &started)
            for start in started {
                guard let owner = owners[start.job], let run = runs[start.job] else { continue }
                projects[owner].held += projects[owner].size
                projects[owner].waiting -= projects[owner].size
                ends[step + run, default: []].append(start.job)
            }
            for (index, project) in projects.enumerated() where project.held + project.waiting > 0 {
                received[index] += Double(project.held)
                due[index] += min(project.share * Double(cores), Double(project.held + project.waiting))
            }
        }
    }

    private mutating func submit(_ index: Int, _ now: Int64) {
        let project = projects[index]
        let steps = project.isEven ? Self.meanSteps : chance.int(1...2 * Self.meanSteps)
        projects[index].backlog -= Double(steps * project.size)
        projects[index].waiting += project.size
        if classes[project.size] == nil {
            classes[project.size] = scheduler.addClass(Need(milliCores: project.size * 1000))
        }
        let limit = Int64(steps * Self.stepSeconds) * 1000
        scheduler.submit(
            next,
            class: classes[project.size] ?? 0,
            estimate: limit,
            limit: limit,
            project: project.number,
            at: now
        )
        owners[next] = index
        runs[next] = steps
        next += 1
    }

    func expectShares() {
        for index in projects.indices {
            let part = received[index] / due[index]
            #expect(part >= 0.95, "project \(index) got \(part) of what was due: \(received) of \(due)")
        }
    }
}
