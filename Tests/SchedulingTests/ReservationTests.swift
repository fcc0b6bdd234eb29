import Core
import Testing

@testable import Scheduling

extension ReservationName {
    static func named(_ text: String) -> ReservationName {
        guard let name = ReservationName(text) else { preconditionFailure("\(text) is not a name") }
        return name
    }
}

extension Reservation {
    /// - Parameter project: `nil` for maintenance.
    static func fixture(
        _ name: String = "r",
        at centre: String = "c",
        project: String? = nil,
        from: Int,
        to: Int,
        _ shares: [Share]? = nil
    ) -> Reservation {
        Reservation(
            name: .named(name),
            centre: centreName(centre),
            project: project.map { projectName($0) },
            startsAt: noon + .seconds(from),
            endsAt: noon + .seconds(to),
            shares: shares,
            user: UserName("root").unsafelyUnwrapped
        )
    }
}

extension Snapshot.Centre {
    func reserving(_ reservations: Reservation...) -> Snapshot.Centre {
        var centre = self
        centre.reservations = reservations
        return centre
    }
}

@Suite("Reservations in advance") struct ReservationTests {
    private func two(_ runs: [Snapshot.Run] = []) -> Snapshot.Centre {
        .fixture("c", nodes: [.fixture("n1"), .fixture("n2")], runs: runs)
    }

    // MARK: maintenance

    @Test("nothing may last into a maintenance window, and what ends before it starts")
    func maintenance() throws {
        let centre = two().reserving(.fixture("power", from: 3600, to: 7200))
        let snapshot = Snapshot.fixture(
            [centre],
            [.fixture(1, .fixture(seconds: 3600)), .fixture(2, .fixture(seconds: 3601))]
        )
        let plan = plan(snapshot)
        #expect(plan.placements.map(\.job) == [jobID(1)])
        #expect(plan.reservations.isEmpty, "it would keep others' room idle")
        let reason = explain(snapshot.queue[1], in: snapshot)
        #expect(reason.code == "reserved" && plan.waiting[jobID(2)]?.code == "reserved")
        #expect(reason.predictedStart == noon + .seconds(7200))
        #expect(
            reason.headline == "There is room at c, but it is kept for maintenance power from "
                + "\(noon + .seconds(3600)) to \(noon + .seconds(7200))."
        )
        #expect(reason.wayOut == "with a time limit of 3600 instead of 3601 seconds it would start now at c")
        #expect(reason.names == ["centre": "c", "reservation": "power"])
        #expect(reason.figures["until_ms"] == (noon + .seconds(7200)).milliseconds)
    }

    @Test("within the window nothing starts; when it is over everything does")
    func begunAndOver() {
        let centre = two().reserving(.fixture("power", from: -60, to: 60))
        let queue = [QueuedJob.fixture(1, .fixture(seconds: 10))]
        #expect(plan(.fixture([centre], queue)).waiting[jobID(1)]?.code == "reserved")
        let wait = explain(queue[0], in: .fixture([centre], queue))
        #expect(wait.predictedStart == noon + .seconds(60))
        #expect(wait.way == .wait(until: noon + .seconds(60), after: nil))
        #expect(plan(.fixture([centre], queue, now: noon + .seconds(60))).placements.count == 1)
    }

    @Test("another centre is taken where there is one, and named as the way out where the job shuts it out")
    func elsewhere() {
        let kept = two().reserving(.fixture("power", from: 0, to: 60))
        let other = Snapshot.Centre.fixture("d", tier: .edge)
        let free = QueuedJob.fixture(1)
        #expect(plan(.fixture([kept, other], [free])).placements.first?.centre == centreName("d"))
        let bound = QueuedJob.fixture(2, .fixture(tiers: [.hub]))
        let reason = explain(bound, in: .fixture([kept, other], [bound]))
        #expect(reason.code == "reserved")
        #expect(reason.wayOut == "were tier edge allowed, it would start now at d")
    }

    // MARK: for a project

    @Test("a project's jobs use what is reserved for it, first of all, and nobody else's do")
    func project() {
        let shares = [Reservation.Share(node: "n2")]
        let centre = two().reserving(.fixture(project: "p", from: 0, to: 7200, shares))
        // Both would fit n1 as well.
        let plan = plan(.fixture([centre], [.fixture(1, project: "p"), .fixture(2, project: "q")]))
        #expect(plan.placements.first { $0.job == jobID(1) }?.nodes.map(\.node) == ["n2"])
        #expect(plan.placements.first { $0.job == jobID(2) }?.nodes.map(\.node) == ["n1"])
        let gang = Request.fixture(tasks: 2, cores: 16)
        #expect(Scheduling.plan(.fixture([centre], [.fixture(1, gang, project: "p")])).placements.count == 1)
        let foreign = Scheduling.plan(.fixture([centre], [.fixture(1, gang, project: "q")]))
        #expect(foreign.waiting[jobID(1)]?.code == "reserved")
    }

    @Test("what is reserved for a project is for all below it, and not for the one that it is part of")
    func below() {
        let centre = two().reserving(.fixture(project: "group", from: 0, to: 7200, [Reservation.Share(node: "n2")]))
        var snapshot = Snapshot.fixture([centre], [.fixture(1, .fixture(tasks: 2, cores: 16), project: "team")])
        snapshot.projects = [
            .init(name: projectName("institute")), .init(name: projectName("group"), parent: projectName("institute")),
            .init(name: projectName("team"), parent: projectName("group")),
        ]
        #expect(plan(snapshot).placements.count == 1)
        for other in ["institute", "elsewhere"] {
            snapshot.queue[0].project = projectName(other)
            #expect(plan(snapshot).waiting[jobID(1)]?.code == "reserved", "\(other)")
        }
    }

    @Test("part of a node is kept, what its project's runs hold of it counts, and the rest is everybody's")
    func parts() {
        let part = Reservation.Amount(cores: .cores(8), memory: .gibi(8))
        let share = Reservation.Share(node: "n1", amount: part)
        func plan(_ cores: Int, project: String, runs: [Snapshot.Run] = []) -> Bool {
            let centre = Snapshot.Centre.fixture("c", runs: runs)
                .reserving(.fixture(project: "p", from: 1800, to: 7200, [share]))
            let job = QueuedJob.fixture(1, .fixture(cores: cores), project: project)
            return !Scheduling.plan(.fixture([centre], [job])).placements.isEmpty
        }
        #expect(plan(8, project: "q") && !plan(9, project: "q") && plan(16, project: "p"))
        let node = [NodeShare(node: "n1", tasks: 1)]
        let own = [Snapshot.Run.fixture(9, on: node, cores: 6, project: "p")]
        #expect(plan(8, project: "q", runs: own) && !plan(9, project: "q", runs: own))
        // This one is over before the window.
        let short = [Snapshot.Run.fixture(9, on: node, cores: 6, project: "p", seconds: 600)]
        #expect(plan(8, project: "q", runs: short) && !plan(9, project: "q", runs: short))
        // A run of others that lasts into it: nothing of what is left is anybody else's.
        let late = [Snapshot.Run.fixture(9, on: node, cores: 8, project: "q")]
        #expect(!plan(1, project: "q", runs: late) && plan(8, project: "p", runs: late))
    }

    @Test("a blocked job's promised start lies beside what is reserved")
    func promise() {
        let runs = [Snapshot.Run.fixture(9, on: [NodeShare(node: "n1", tasks: 1)], seconds: 600)]
        let shares = [Reservation.Share(node: "n2")]
        let centre = two(runs).reserving(.fixture(project: "p", from: 1000, to: 2000, shares))
        let job = QueuedJob.fixture(1, .fixture(tasks: 2, cores: 16, seconds: 500), project: "q")
        let plan = plan(.fixture([centre], [job]))
        #expect(plan.waiting[jobID(1)]?.code == "capacity")
        // n1 is free after 600 s, but the job would last into the window until 1100 s.
        #expect(plan.reservations.isEmpty)
        let reason = explain(job, in: .fixture([centre], [job]))
        guard case .capacity(let busy) = reason.cause else { return }
        #expect(busy.freeAt == noon + .seconds(2000))
        let short = QueuedJob.fixture(1, .fixture(tasks: 2, cores: 16, seconds: 400), project: "q")
        let kept = Scheduling.plan(.fixture([centre], [short]))
        #expect(kept.reservations.first?.start == noon + .seconds(600))
        let own = QueuedJob.fixture(1, .fixture(tasks: 2, cores: 16, seconds: 500), project: "p")
        #expect(Scheduling.plan(.fixture([centre], [own])).reservations.first?.start == noon + .seconds(600))
    }

    @Test("no run is preempted for room that is reserved for others")
    func preemption() {
        let runs = ["n1", "n2"].enumerated().map { index, node in
            Snapshot.Run.fixture(10 + index, on: [NodeShare(node: node, tasks: 1)], priority: 100, preemptible: true)
        }
        let job = QueuedJob.fixture(1, .fixture(tasks: 2, cores: 16), project: "q")
        #expect(plan(.fixture([two(runs)], [job])).preemptions.count == 2)
        let shares = [Reservation.Share(node: "n2")]
        let kept = two(runs).reserving(.fixture(project: "p", from: 600, to: 7200, shares))
        #expect(plan(.fixture([kept], [job])).preemptions.isEmpty)
    }

    // MARK: properties

    /// A random federation in which room is reserved as an operator would: through the search.
    static func snapshot(seed: UInt64) -> Snapshot {
        var g = SeededGenerator(seed: seed &* 31)
        var snapshot = PlanPropertyTests.snapshot(seed: seed)
        for centre in snapshot.centres.indices {
            for number in 0..<Int.random(in: 0...4, using: &g) {
                let project = Int.random(in: 0..<3, using: &g) == 0 ? nil : "p\(Int.random(in: 0..<4, using: &g))"
                let from = Int.random(in: 0..<3, using: &g) == 0 ? 0 : Int.random(in: 0...6000, using: &g)
                let to = from + Int.random(in: 1...6000, using: &g)
                let wanted: RoomWanted =
                    switch Int.random(in: 0..<5, using: &g) {
                    case 0: .centre
                    case 1: .nodes(Int.random(in: 1...3, using: &g), card: nil)
                    case 2: .cards(Int.random(in: 1...6, using: &g), card: "h100")
                    case 3: .cores(.cores(Int.random(in: 1...40, using: &g)), memory: .gibi(2))
                    default: .cores(.cores(Int.random(in: 1...40, using: &g)), memory: nil)
                    }
                var reservation = Reservation.fixture(
                    "r\(number)",
                    at: snapshot.centres[centre].name.text,
                    project: project,
                    from: from,
                    to: to
                )
                let search = RoomSearch(
                    at: snapshot.centres[centre],
                    for: reservation.project,
                    among: snapshot.projects,
                    from: reservation.startsAt,
                    until: reservation.endsAt,
                    now: noon
                )
                guard case .success(let shares) = search?.find(wanted, ignoringRuns: Bool.random(using: &g)) else {
                    continue
                }
                reservation.shares = shares
                snapshot.centres[centre].reservations.append(reservation)
            }
        }
        return snapshot
    }

    /// An amount by name, reckoned apart from the planner's own arithmetic.
    private typealias Room = [String: Int64]

    private static func room(_ share: NodeShare, _ resources: TaskResources) -> Room {
        var room: Room = ["cores": resources.cores.count * Int64(share.tasks)]
        room["memory"] = resources.memory.count * Int64(share.tasks)
        if resources.cards > 0 { room["\(share.card ?? "") \(share.emulated)"] = Int64(resources.cards * share.tasks) }
        return room
    }

    private static func room(_ node: Node) -> Room {
        var room: Room = ["cores": node.cores.count, "memory": node.memory.count]
        for group in node.cards { room["\(group.model) \(group.emulated)", default: 0] += Int64(group.count) }
        return room
    }

    private static func room(_ share: Reservation.Share?, of node: Node) -> Room {
        guard let amount = share?.amount else { return room(node) }
        var room: Room = ["cores": amount.cores.count, "memory": amount.memory.count]
        if amount.cards > 0 { room["\(amount.card ?? "") \(amount.emulated)"] = Int64(amount.cards) }
        return room
    }

    /// Whether a project is another or below it.
    private static func isWithin(_ project: ProjectName, _ head: ProjectName?, _ all: [Snapshot.Project]) -> Bool {
        var at: ProjectName? = project
        for _ in 0..<10 where at != nil && at != head { at = all.first { $0.name == at }?.parent }
        return at != nil && at == head
    }

    private struct Stay {
        var project: ProjectName
        var end: Instant
        var room: Room
        var isPlaced: Bool
    }

    /// What is wrong with a plan at one node and moment.
    private static func fault(
        _ node: Node,
        _ stays: [Stay],
        _ kept: [(ProjectName?, Room)],
        wholly: Set<ProjectName?>,
        _ projects: [Snapshot.Project]
    ) -> String? {
        let capacity = room(node)
        for placed in stays where placed.isPlaced {
            if wholly.contains(where: { !Self.isWithin(placed.project, $0, projects) }) { return "wholly reserved" }
            var sum: Room = [:]
            for stay in stays { sum.merge(stay.room) { $0 + $1 } }
            for project in Set(kept.map(\.0)) where !Self.isWithin(placed.project, project, projects) {
                var owed: Room = [:]
                for entry in kept where entry.0 == project { owed.merge(entry.1) { $0 + $1 } }
                for stay in stays where Self.isWithin(stay.project, project, projects) {
                    for (key, value) in stay.room { owed[key, default: 0] -= value }
                }
                for (key, value) in owed where value > 0 { sum[key, default: 0] += value }
            }
            for (key, value) in placed.room where value > 0 && sum[key, default: 0] > capacity[key, default: 0] {
                return "\(key): \(sum[key, default: 0]) of \(capacity[key, default: 0])"
            }
        }
        return nil
    }

    @Test("no plan places a job into room that is reserved for others while its time limit lasts")
    func neverIntoReservedRoom() {
        var reserved = 0
        for seed in seeds(500) {
            let snapshot = Self.snapshot(seed: seed)
            let plan = plan(snapshot)
            reserved += plan.waiting.values.count { $0.code == "reserved" }
            let jobs = Dictionary(uniqueKeysWithValues: snapshot.queue.map { ($0.id, $0) })
            for centre in snapshot.centres where !centre.reservations.isEmpty {
                for node in centre.capacity?.nodes ?? [] {
                    var stays: [Stay] = []
                    for run in centre.runs {
                        var end = run.limitEnd > noon ? run.limitEnd : noon + .seconds(60)
                        if run.stopping { end = min(end, noon + .seconds(run.gracePeriodSeconds)) }
                        // Who is preempted may leave at once.
                        if plan.preemptions.contains(where: { $0.run == run.key }) { continue }
                        for share in run.nodes where share.node == node.name {
                            let room = Self.room(share, run.resources)
                            stays.append(Stay(project: run.project, end: end, room: room, isPlaced: false))
                        }
                    }
                    for placement in plan.placements where placement.centre == centre.name {
                        guard let job = jobs[placement.job] else { continue }
                        let end = noon + .seconds(job.request.timeLimitSeconds)
                        for share in placement.nodes where share.node == node.name {
                            let room = Self.room(share, job.request.resources)
                            stays.append(Stay(project: job.project, end: end, room: room, isPlaced: true))
                        }
                    }
                    let times = Set([noon] + centre.reservations.map(\.startsAt) + stays.map(\.end))
                    for time in times {
                        let on = centre.reservations.filter { $0.startsAt <= time && time < $0.endsAt }
                            .compactMap { reservation -> (Reservation, Reservation.Share?)? in
                                guard let shares = reservation.shares else { return (reservation, nil) }
                                return shares.first { $0.node == node.name }.map { (reservation, $0) }
                            }
                        let fault = Self.fault(
                            node,
                            stays.filter { $0.end > time },
                            on.map { ($0.0.project, Self.room($0.1, of: node)) },
                            wholly: Set(on.filter { $0.1?.amount == nil }.map(\.0.project)),
                            snapshot.projects
                        )
                        #expect(fault == nil, "\(node.name) of \(centre.name) at \(time - noon), seed \(seed)")
                    }
                }
            }
        }
        #expect(reserved > 0 || seeds(500).count == 1, "the seeds never kept anybody waiting")
    }

    @Test("a project's job starts now exactly when it would if nothing were reserved for the project")
    func ownRoomIsFree() {
        for seed in seeds(200) {
            let with = Self.snapshot(seed: seed)
            for job in with.queue.prefix(12) {
                var one = with
                one.queue = [job]
                var without = one
                for centre in without.centres.indices {
                    without.centres[centre].reservations.removeAll {
                        Self.isWithin(job.project, $0.project, with.projects)
                    }
                }
                let (mine, theirs) = (plan(one), plan(without))
                #expect(mine.placements.isEmpty == theirs.placements.isEmpty, "\(job.id), seed \(seed)")
                #expect(mine.waiting[job.id]?.code == theirs.waiting[job.id]?.code, "\(job.id), seed \(seed)")
            }
        }
    }

    @Test("what is over, and what begins after everything has ended, changes nothing")
    func nothingChanges() {
        for seed in seeds(200) {
            let snapshot = PlanPropertyTests.snapshot(seed: seed)
            let plain = plan(snapshot)
            for (from, to) in [(-7200, 0), (10_000_000, 10_003_600)] {
                for project in [nil, "p0"] {
                    var kept = snapshot
                    for centre in kept.centres.indices {
                        kept.centres[centre].reservations = [.fixture(project: project, from: from, to: to)]
                    }
                    let made = plan(kept)
                    guard project != nil else {
                        #expect(made == plain, "\(from), seed \(seed)")
                        continue
                    }
                    // Its jobs are decided apart from equal ones of others, and may be told of another moment of the plan.
                    #expect(made.placements.map(\.job) == plain.placements.map(\.job), "\(from), seed \(seed)")
                    #expect(made.placements.map(\.nodes) == plain.placements.map(\.nodes), "\(from), seed \(seed)")
                    #expect(made.preemptions == plain.preemptions, "\(from), seed \(seed)")
                    #expect(made.reservations == plain.reservations, "\(from), seed \(seed)")
                }
            }
        }
    }

    @Test("the same reservations give the same plan, every job has an answer, and explaining agrees")
    func deterministic() {
        for seed in seeds(150) {
            let snapshot = Self.snapshot(seed: seed)
            let first = plan(snapshot)
            #expect(first == plan(snapshot), "seed \(seed)")
            let answered = Set(first.placements.map(\.job)).union(first.waiting.keys)
            #expect(answered == Set(snapshot.queue.map(\.id)), "seed \(seed)")
            for job in snapshot.queue {
                let reason = explain(job, in: snapshot)
                #expect(reason.code == first.waiting[job.id]?.code ?? "ready", "\(job.id), seed \(seed)")
                guard case .reserved(_, let window) = reason.cause else { continue }
                #expect(window.until > noon && !reason.findings.isEmpty, "seed \(seed)")
                if let start = reason.predictedStart { #expect(start > noon, "seed \(seed)") }
            }
            let decision = { (terrain: inout Terrain) in Decision(snapshot, on: &terrain) }
            var terrain = Terrain()
            _ = decision(&terrain)
            #expect(decision(&terrain).plan == first, "on known terrain, seed \(seed)")
        }
    }

    @Test("a predicted start comes true when runs take their whole time limits, and nothing starts before it")
    func predictions() {
        var policy = Policy()
        (policy.preempts, policy.consolidates) = (false, false)
        var seen = 0
        for seed in seeds(300) {
            var snapshot = Self.snapshot(seed: seed)
            snapshot.projects = []
            for centre in snapshot.centres.indices {
                // Others have no limits: when they leave is guessed anew at every moment.
                snapshot.centres[centre].others = []
                snapshot.centres[centre].runs.mutateEach { run in
                    let left = max(1, Int((run.limitEnd - noon).milliseconds / 1000))
                    (run.leasedAt, run.startedAt, run.timeLimitSeconds, run.stopping) = (noon, noon, left, false)
                }
            }
            for var job in snapshot.queue.prefix(12) {
                (job.unmetDependencies, job.notBefore, job.claim) = (0, nil, nil)
                var one = snapshot
                one.queue = [job]
                let reason = explain(job, in: one, policy: policy)
                var predicted = reason.predictedStart
                if case .capacity(let busy) = reason.cause { predicted = busy.freeAt }
                guard let predicted, predicted > noon else { continue }
                func starts(at time: Instant) -> Bool {
                    var later = one
                    later.now = time
                    for centre in later.centres.indices {
                        later.centres[centre].runs.removeAll { $0.limitEnd <= time }
                    }
                    return !plan(later, policy: policy).placements.isEmpty
                }
                seen += 1
                #expect(starts(at: predicted), "\(job.id) \(reason.code) at \(predicted - noon), seed \(seed)")
                // Room may be kept at a centre where nothing is in the way, although another opens sooner.
                guard plan(one, policy: policy).reservations.isEmpty else { continue }
                let before = starts(at: predicted - .milliseconds(1))
                #expect(!before, "\(job.id) \(reason.code) before \(predicted - noon), seed \(seed)")
            }
        }
        #expect(seen > 0 || seeds(300).count == 1, "the seeds never predicted anything")
    }

    @Test("through days of work nothing runs in a maintenance window, and everything is done after it")
    func inVirtualTime() {
        for seed in seeds(8) {
            var g = SeededGenerator(seed: seed)
            var centre = two()
            centre.reservations = [
                .fixture("power", from: 7200, to: 10_800),
                .fixture("course", project: "p1", from: 14_400, to: 18_000, [.init(node: "n1")]),
            ]
            var federation = Federation([centre])
            var count = 0
            for step in 0..<400 {
                if step < 200 {
                    for _ in 0..<Int.random(in: 0...2, using: &g) {
                        count += 1
                        let request = Request.fixture(
                            tasks: Int.random(in: 1...2, using: &g),
                            cores: Int.random(in: 1...16, using: &g),
                            seconds: Int.random(in: 60...5000, using: &g)
                        )
                        let seconds = Int.random(in: 1...request.timeLimitSeconds, using: &g)
                        let project = "p\(Int.random(in: 0...1, using: &g))"
                        federation.submit(.fixture(count, request, project: project), seconds: seconds)
                    }
                }
                federation.step(seconds: 300)
                let now = federation.snapshot.now
                let runs = federation.snapshot.centres[0].runs
                if now > noon + .seconds(7200), now <= noon + .seconds(10_800) {
                    #expect(runs.isEmpty, "seed \(seed), \(now - noon)")
                }
                if now > noon + .seconds(14_400), now <= noon + .seconds(18_000) {
                    let foreign = runs.filter { $0.project != projectName("p1") }.flatMap(\.nodes)
                    #expect(!foreign.contains { $0.node == "n1" }, "seed \(seed), \(now - noon)")
                }
            }
            while !federation.snapshot.queue.isEmpty, federation.snapshot.now < noon + .seconds(3_000_000) {
                federation.step(seconds: 300)
            }
            #expect(federation.snapshot.queue.isEmpty && federation.started.count == count, "seed \(seed)")
        }
    }
}
