import Core
import Scheduling
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("Moving runs so that a job finds its place") struct ConsolidationTests {
    /// Two nodes of 16 cores, on each a run of a quarter; `change` may make them otherwise.
    private func scattered(
        _ job: QueuedJob = .fixture(1, .fixture(cores: 16)),
        started ago: Int = 60,
        _ change: (inout [Snapshot.Run]) -> Void = { _ in }
    ) -> Snapshot {
        var runs = (1...2).map { number in
            Snapshot.Run.fixture(
                100 + number,
                on: [NodeShare(node: "n\(number)", tasks: 1)],
                cores: 4,
                startedAt: noon - .seconds(ago),
                seconds: 7200,
                preemptible: true
            )
        }
        change(&runs)
        return .fixture([.fixture("hub", nodes: [.fixture("n1"), .fixture("n2")], runs: runs)], [job])
    }

    @Test("a whole node is made for a job by moving the cheaper run, and both are told where they are going")
    func wholeNode() throws {
        let snapshot = scattered { $0[1].startedAt = noon - .seconds(10) }
        let plan = plan(snapshot)
        let move = try #require(plan.preemptions.first)
        #expect(plan.preemptions.count == 1 && plan.placements.isEmpty)
        #expect(move.run.job == jobID(102) && move.job == jobID(1) && move.centre == centreName("hub"))
        #expect(move.destination == [NodeShare(node: "n1", tasks: 1)])
        #expect(plan.reservations.map(\.job) == [jobID(1)] && plan.reservations.first?.start == noon + .seconds(10))
        let reason = explain(snapshot.queue[0], in: snapshot)
        #expect(reason.code == "capacity" && reason.way == .nothing)
        #expect(reason.predictedStart == noon + .seconds(10))
        #expect(reason.headline == "Its place is being made at hub: 1 run is being moved to other nodes there.")
        #expect(reason.figures["moving"] == 1 && reason.figures["preempting"] == nil)
    }

    @Test("it starts as soon as they have gone, and they where room was kept for them")
    func carriedOut() throws {
        var federation = Federation([.fixture("hub", nodes: [.fixture("n1"), .fixture("n2")])])
        federation.graceSeconds = 90
        for number in 1...2 {
            // Eight cores each keep them apart.
            federation.submit(.fixture(number, .fixture(cores: 9, seconds: 7200), preemptible: true))
        }
        federation.step(seconds: 60)
        federation.submit(.fixture(3, .fixture(cores: 12, seconds: 7200)))
        // No place for nine beside nine: nothing can be moved.
        #expect(federation.step(seconds: 60).preemptions.isEmpty)
        var small = Federation(scattered().centres)
        small.graceSeconds = 90
        small.submit(.fixture(1, .fixture(cores: 16, seconds: 3600)))
        small.snapshot.centres[0].runs.mutateEach { $0.gracePeriodSeconds = 90 }
        small.submit(.fixture(101, .fixture(cores: 4, seconds: 7200), project: "other", preemptible: true))
        small.submit(.fixture(102, .fixture(cores: 4, seconds: 7200), project: "other", preemptible: true))
        small.snapshot.queue.removeAll { $0.id != jobID(1) }
        #expect(small.step(seconds: 60).preemptions.count == 1)
        // Many others want the same room meanwhile.
        for number in 200..<220 { small.submit(.fixture(number, .fixture(cores: 2, seconds: 7200))) }
        for _ in 0..<3 where small.started[jobID(1)] == nil {
            let plan = small.step(seconds: 60)
            #expect(plan.preemptions.isEmpty)
        }
        #expect(small.started[jobID(1)] == noon + .seconds(120))
        let moved = try #require(small.moved.keys.first)
        #expect(small.started[moved] == noon + .seconds(120))
        #expect(small.snapshot.moves.isEmpty)
        let place = small.snapshot.centres[0].runs.first { $0.key.job == moved }?.nodes
        let whole = small.snapshot.centres[0].runs.first { $0.key.job == jobID(1) }?.nodes
        #expect(place?.first?.node != whole?.first?.node)
    }

    @Test("who starts again says that it was moved")
    func told() {
        var snapshot = scattered()
        snapshot.centres[0].runs.removeFirst()
        snapshot.queue = [.fixture(101, .fixture(cores: 4))]
        snapshot.moves = [
            .init(
                job: jobID(101),
                centre: centreName("hub"),
                nodes: [NodeShare(node: "n1", tasks: 1)],
                cause: .room(for: jobID(1))
            )
        ]
        // The tightest place would be on the other node.
        let placement = plan(snapshot).placements.first
        #expect(placement?.nodes == [NodeShare(node: "n1", tasks: 1)])
        let text = "moved here from other nodes so that another job finds its place: leaves 12 cores on node n1; price"
        #expect(placement?.reason.hasPrefix(text) == true, "\(placement?.reason ?? "")")
        // What was meant for it is not there any more: it goes where it can.
        snapshot.centres[0].capacity?.nodes[0].schedulable = false
        #expect(plan(snapshot).placements.first?.nodes == [NodeShare(node: "n2", tasks: 1)])
    }

    @Test(
        "who did not declare it, is of higher priority, has not started or was moved lately is left alone"
    )
    func leftAlone() {
        func moves(_ change: @escaping (inout Snapshot.Run) -> Void) -> Int {
            plan(scattered { $0.mutateEach(change) }).preemptions.count
        }
        #expect(moves { _ in } == 1)
        #expect(moves { $0.preemptible = false } == 0)
        #expect(moves { $0.priority = 501 } == 0)
        #expect(moves { $0.startedAt = nil } == 0)
        #expect(moves { $0.moves = 1 } == 0)
        let settled = plan(
            scattered(started: 3600) { $0.mutateEach { ($0.moves, $0.timeLimitSeconds) = (1, 864_000) } }
        )
        #expect(settled.preemptions.count == 1)
        let often = plan(scattered(started: 3600) { $0.mutateEach { ($0.moves, $0.timeLimitSeconds) = (2, 864_000) } })
        #expect(often.preemptions.isEmpty)
        // Lower priority gives way for good, as before.
        let gone = plan(scattered { $0.mutateEach { $0.priority = 499 } }).preemptions
        #expect(gone.count == 1 && gone[0].destination == nil)
    }

    @Test("it has to be worth it: against what is lost, and in time")
    func worth() {
        // A quarter of a node for three hours against a node an hour sooner: 0.25 · 3 · 10 > 1.
        let long = scattered(started: 3 * 3600) { $0.mutateEach { $0.timeLimitSeconds = 4 * 3600 } }
        #expect(plan(long).preemptions.isEmpty)
        var generous = Policy()
        generous.consolidationWorth = 1
        #expect(plan(long, policy: generous).preemptions.count == 1)
        // In nine minutes there is room anyway.
        let soon = scattered { $0.mutateEach { $0.timeLimitSeconds = 600 } }
        #expect(plan(soon).preemptions.isEmpty)
        var never = Policy()
        never.consolidates = false
        #expect(plan(scattered(), policy: never).preemptions.isEmpty)
    }

    @Test("who has no other place stays: for want of room, of the right cards, of credits, or for a reservation")
    func noOtherPlace() throws {
        // Full: nine of sixteen cores on each.
        #expect(plan(scattered { $0.mutateEach { $0.resources.cores = .cores(9) } }).preemptions.isEmpty)
        // The other node's cards are of another model.
        let cards = ["h100", "910b"].map { [CardGroup(model: $0, count: 4)] }
        var other = scattered(.fixture(1, .fixture(cores: 16))) { runs in
            runs.removeLast()
            runs[0].resources.cards = 1
            runs[0].nodes[0].card = "h100"
        }
        other.centres[0].capacity?.nodes = [.fixture("n1", cards: cards[0]), .fixture("n2", cores: 8, cards: cards[1])]
        #expect(plan(other).preemptions.isEmpty)
        other.centres[0].capacity?.nodes[1].cards = cards[0]
        #expect(plan(other).preemptions.first?.destination == [NodeShare(node: "n2", tasks: 1, card: "h100")])
        // Its project has nothing left to set aside for another start.
        var poor = scattered()
        poor.projects = [.init(name: projectName("other"), balance: 0)]
        #expect(plan(poor).preemptions.isEmpty)
        // Its quota was lowered below what it holds.
        var over = scattered()
        over.projects = [.init(name: projectName("other"), quota: Quota(cores: .cores(7)))]
        #expect(plan(over).preemptions.isEmpty)
        // What is free is reserved for somebody else before it would be over.
        var booked = scattered()
        booked.centres[0].reservations = ["n1", "n2"].map { node in
            Reservation(
                name: .named(node),
                centre: centreName("hub"),
                project: projectName("q"),
                startsAt: noon + .seconds(7000),
                endsAt: noon + .seconds(9000),
                shares: [.init(node: node, amount: .init(cores: .cores(10), memory: .gibi(1)))],
                user: UserName("root").unsafelyUnwrapped
            )
        }
        #expect(plan(booked).preemptions.isEmpty)
    }

    @Test("one that stands alone on a node is moved before two whose losses are smaller each")
    func leastLost() {
        let runs: [Snapshot.Run] = [(11, "n1", 100), (12, "n2", 60), (13, "n2", 60)].map { number, node, ago in
            .fixture(
                number,
                on: [NodeShare(node: node, tasks: 1)],
                cores: 4,
                startedAt: noon - .seconds(ago),
                seconds: 7200,
                preemptible: true
            )
        }
        let nodes = (1...3).map { Node.fixture("n\($0)", cores: $0 == 3 ? 8 : 16) }
        let snapshot = Snapshot.fixture([.fixture("hub", nodes: nodes, runs: runs)], [.fixture(1, .fixture(cores: 16))])
        #expect(plan(snapshot).preemptions.map(\.run.job) == [jobID(11)])
    }

    @Test("at a centre one job after the other, and only for whom room may be kept")
    func oneAtATime() {
        var snapshot = scattered()
        snapshot.queue.append(.fixture(2, .fixture(cores: 16)))
        #expect(Set(plan(snapshot).preemptions.map(\.job)) == [jobID(1)])
        snapshot.moves = [
            .init(job: jobID(7), centre: centreName("hub"), nodes: [], cause: .room(for: jobID(8)))
        ]
        #expect(plan(snapshot).preemptions.isEmpty)
    }

    // MARK: Properties

    /// A fragmented centre or two, and jobs that want whole nodes.
    static func fragmented(seed: UInt64) -> Snapshot {
        var g = SeededGenerator(seed: seed)
        let projects = ["p", "q"].map {
            Snapshot.Project(
                name: projectName($0),
                quota: Quota(cores: Int.random(in: 0..<4, using: &g) == 0 ? .cores(40) : nil),
                balance: Int.random(in: 0..<4, using: &g) == 0 ? 3_000_000 : nil
            )
        }
        var number = 1000
        let centres = (0..<Int.random(in: 1...2, using: &g)).map { index -> Snapshot.Centre in
            let cards = Bool.random(using: &g) ? [CardGroup(model: "h100", count: 4)] : []
            let nodes = (0..<Int.random(in: 2...6, using: &g)).map { node in
                Node.fixture("n\(node)", cores: 16, cards: cards, up: Int.random(in: 0..<9, using: &g) > 0)
            }
            var runs: [Snapshot.Run] = []
            for node in nodes {
                for _ in 0..<Int.random(in: 0...3, using: &g) {
                    number += 1
                    let ago = Int.random(in: 0...2000, using: &g)
                    runs.append(
                        Snapshot.Run(
                            key: RunKey(job: jobID(number), number: 1),
                            project: projects[number % 2].name,
                            nodes: [NodeShare(node: node.name, tasks: 1, card: cards.first?.model)],
                            resources: TaskResources(
                                cores: .cores(Int.random(in: 1...5, using: &g)),
                                memory: .gibi(Int64.random(in: 1...8, using: &g)),
                                cards: cards.isEmpty ? 0 : 1
                            ),
                            leasedAt: noon - .seconds(ago),
                            startedAt: Int.random(in: 0..<8, using: &g) == 0 ? nil : noon - .seconds(ago),
                            timeLimitSeconds: Int.random(in: 3000...90_000, using: &g),
                            priority: Int.random(in: 4...6, using: &g) * 100,
                            preemptible: Int.random(in: 0..<4, using: &g) > 0,
                            stopping: Int.random(in: 0..<20, using: &g) == 0,
                            gracePeriodSeconds: Int.random(in: 0...120, using: &g),
                            moves: Int.random(in: 0..<3, using: &g) / 2
                        )
                    )
                }
            }
            var centre = Snapshot.Centre.fixture("c\(index)", nodes: nodes, runs: runs)
            if Int.random(in: 0..<3, using: &g) == 0 {
                centre.reservations = [
                    Reservation(
                        name: .named("r\(index)"),
                        centre: centre.name,
                        project: Bool.random(using: &g) ? projects[0].name : nil,
                        startsAt: noon + .seconds(Int.random(in: 0...5000, using: &g)),
                        endsAt: noon + .seconds(10_000),
                        shares: [.init(node: nodes[0].name)],
                        user: UserName("root").unsafelyUnwrapped
                    )
                ]
            }
            return centre
        }
        let queue = (0..<(seed.isMultiple(of: 2) ? 1 : Int.random(in: 2...6, using: &g))).map { index -> QueuedJob in
            .fixture(
                index,
                .fixture(
                    tasks: Int.random(in: 1...3, using: &g),
                    cores: Bool.random(using: &g) ? 16 : Int.random(in: 4...16, using: &g),
                    gibi: Int64.random(in: 1...64, using: &g),
                    cards: Int.random(in: 0..<3, using: &g) == 0 ? 4 : 0,
                    seconds: Int.random(in: 600...9000, using: &g)
                ),
                project: ["p", "q"][index % 2],
                priority: Int.random(in: 5...6, using: &g) * 100
            )
        }
        return .fixture(centres, queue, projects: projects)
    }

    @Test("whoever is moved had declared it, has another place beside all others, is needed, and the job then starts")
    func properties() throws {
        var seen = 0
        let all = seeds(2000)
        for seed in all {
            let snapshot = Self.fragmented(seed: seed)
            let policy = Policy()
            let plan = plan(snapshot, policy: policy)
            #expect(plan == Scheduling.plan(snapshot, policy: policy), "seed \(seed)")
            let moves = plan.preemptions.filter { $0.destination != nil }
            let jobs = Dictionary(uniqueKeysWithValues: snapshot.queue.map { ($0.id, $0) })
            let totals = FairShare.Totals(snapshot.centres)
            for centre in snapshot.centres {
                let here = moves.filter { $0.centre == centre.name }
                #expect(Set(here.map(\.job)).count <= 1 && here.count <= policy.movedRunsMax, "seed \(seed)")
                guard let job = here.first.flatMap({ jobs[$0.job] }) else { continue }
                seen += 1
                var lost = 0.0
                var grace = 0
                for move in here {
                    let run = try #require(centre.runs.first { $0.key == move.run }, "seed \(seed)")
                    #expect(run.preemptible && !run.stopping && run.priority <= job.priority, "seed \(seed)")
                    let done = (noon - (try #require(run.startedAt, "seed \(seed)"))).seconds
                    #expect(run.moves == 0 || (run.moves < 2 && done >= 3600), "seed \(seed)")
                    let share = FairShare.dominantShare(tasks: run.tasks, resources: run.resources, of: totals)
                    lost += share * (done + Double(run.gracePeriodSeconds + policy.restartSeconds))
                    grace = max(grace, run.gracePeriodSeconds)
                    #expect(move.destination?.reduce(0) { $0 + $1.tasks } == run.tasks, "seed \(seed)")
                }
                for run in centre.runs where run.stopping { grace = max(grace, run.gracePeriodSeconds) }
                // Worth it, against when it would start without.
                var without = policy
                without.consolidates = false
                let isAlone = snapshot.queue.count == 1
                let kept = Scheduling.plan(snapshot, policy: without).reservations.first { $0.job == job.id }
                if isAlone, let kept {
                    let gained = (kept.start - noon).seconds - Double(grace)
                    let share = FairShare.dominantShare(
                        tasks: job.request.tasks,
                        resources: job.request.resources,
                        of: totals
                    )
                    #expect(gained >= 600 && lost * 10 <= share * gained * 1.000001, "seed \(seed)")
                }
                // All of it fits at once, beside what is placed now.
                var after = snapshot
                after.centres = [centre]
                let gone = Set(here.map(\.run))
                for placement in plan.placements where placement.centre == centre.name {
                    let placed = try #require(jobs[placement.job])
                    after.centres[0].runs.append(
                        .init(
                            key: RunKey(job: placed.id, number: 1),
                            project: placed.project,
                            nodes: placement.nodes,
                            resources: placed.request.resources,
                            leasedAt: noon,
                            timeLimitSeconds: placed.request.timeLimitSeconds
                        )
                    )
                }
                func start(without spared: RunKey?) -> Bool {
                    var after = after
                    after.centres[0].runs.removeAll { ($0.stopping || gone.contains($0.key)) && $0.key != spared }
                    for move in here where move.run != spared {
                        guard var run = centre.runs.first(where: { $0.key == move.run }) else { continue }
                        run.nodes = move.destination ?? []
                        after.centres[0].runs.append(run)
                    }
                    after.queue = [job]
                    after.projects = []
                    return Scheduling.plan(after).placements.map(\.job) == [job.id]
                }
                #expect(start(without: nil), "it has its place, seed \(seed)")
                // Beside other jobs room may be kept for those as well.
                for spared in here where isAlone {
                    #expect(!start(without: spared.run), "\(spared.run) is needed, seed \(seed)")
                }
                Self.expectHeld(after.centres[0], here, "seed \(seed)")
            }
            // Nothing is moved twice.
            #expect(Set(plan.preemptions.map(\.run)).count == plan.preemptions.count, "seed \(seed)")
        }
        #expect(seen >= 40 || all.count == 1, "only \(seen) consolidations")
    }

    /// Everybody who is moved stands in its new place beside all who are there now: nothing is over.
    private static func expectHeld(_ centre: Snapshot.Centre, _ moves: [Plan.Preemption], _ comment: Comment) {
        var shares: [(TaskResources, NodeShare)] = centre.runs.flatMap { run in run.nodes.map { (run.resources, $0) } }
        for move in moves {
            guard let run = centre.runs.first(where: { $0.key == move.run }) else { continue }
            shares += (move.destination ?? []).map { (run.resources, $0) }
        }
        for node in centre.capacity?.nodes ?? [] {
            let here = shares.filter { $0.1.node == node.name }
            #expect(here.reduce(0) { $0 + $1.0.cores.count * Int64($1.1.tasks) } <= node.cores.count, comment)
            #expect(here.reduce(0) { $0 + $1.0.memory.count * Int64($1.1.tasks) } <= node.memory.count, comment)
            #expect(here.reduce(0) { $0 + $1.0.cards * $1.1.tasks } <= node.cards.reduce(0) { $0 + $1.count }, comment)
        }
    }

    @Test("through a day: who is moved starts again with its next cycle, at most twice, and who it was for with it")
    func throughADay() throws {
        for seed in seeds(6) {
            var trial = FragmentedCluster(seed: seed, nodes: 8, policy: Policy())
            trial.run(hours: 24)
            for (job, losses) in trial.federation.moved { #expect(losses.count <= 2, "\(job), seed \(seed)") }
            #expect(trial.lateness.values.allSatisfy { $0 <= 60 }, "\(trial.lateness), seed \(seed)")
            #expect(trial.starts.values.allSatisfy { $0 <= 60 }, "\(trial.starts), seed \(seed)")
            #expect(trial.overfull == nil, "\(trial.overfull ?? ""), seed \(seed)")
        }
    }

    /// The figures of docs/benchmarks.md are of seeds 1 to 20 and three days.
    @Test("gangs wait less in the mean where runs are moved for them, and the others hardly more")
    func gangsWaitLess() {
        var (without, with) = ([Double](), [Double]())
        for seed in seeds(2) {
            for consolidates in [false, true] {
                var policy = Policy()
                policy.consolidates = consolidates
                var trial = FragmentedCluster(seed: seed, nodes: 16, load: (0.5, 0.3, 4), policy: policy)
                trial.run(hours: getenv("ONEPOINT_TEST_SEED") == nil ? 36 : 72)
                let gangs = trial.waits(ofGangs: true)
                if consolidates { with += gangs } else { without += gangs }
                print("consolidation: \(consolidates), seed \(seed), \(trial.summary)")
            }
        }
        #expect(mean(with) < mean(without) || seeds(2).count == 1, "\(mean(with)) s, without \(mean(without)) s")
    }
}

/// Nodes of eight cards on which small preemptible jobs come and go, and gangs of whole nodes wait for a place.
struct FragmentedCluster {
    var federation: Federation
    /// Of every moved job: how long after its run had gone it started again, in seconds.
    private(set) var lateness: [JobID: Double] = [:]
    /// Of every job that runs were moved for: how long after the last had gone it started.
    private(set) var starts: [JobID: Double] = [:]
    private(set) var waits: [JobID: Double] = [:]
    private(set) var overfull: String?
    /// Card hours that moved runs had to do once more.
    private(set) var lostCardHours = 0.0
    private(set) var movedRuns = 0
    private let policy: Policy
    private var g: SeededGenerator
    private var submitted: [JobID: Instant] = [:]
    private var cards: [JobID: Int] = [:]
    private var expected: [JobID: Instant] = [:]
    private var number = 0

    /// What small jobs and gangs ask for of all cards, in the mean; and how many nodes a gang takes.
    private let load: (small: Double, gangs: Double, nodesOfGang: Int)

    init(
        seed: UInt64,
        nodes: Int,
        load: (small: Double, gangs: Double, nodesOfGang: Int) = (0.5, 0.2, 2),
        policy: Policy
    ) {
        g = SeededGenerator(seed: seed)
        self.policy = policy
        self.load = load
        let group = [CardGroup(model: "h100", count: 8)]
        federation = Federation([
            .fixture("hub", nodes: (0..<nodes).map { .fixture("n\($0)", cores: 64, gibi: 512, cards: group) })
        ])
        federation.graceSeconds = 30
    }

    static func isGang(_ job: JobID) -> Bool { job >= jobID(1_000_000) }

    private mutating func submit(gang: Bool) {
        number += 1
        let id = gang ? 1_000_000 + number : number
        let request: Request =
            gang
            ? .fixture(tasks: load.nodesOfGang, cores: 8, cards: 8, seconds: 4 * 3600)
            : .fixture(cores: 4, cards: [1, 1, 2, 4][Int.random(in: 0..<4, using: &g)], seconds: 24 * 3600)
        // As most run times: short ones are many, and few come near their limit.
        let part = Double.random(in: 0..<1, using: &g)
        let seconds = max(60, Int(Double(request.timeLimitSeconds) * part * part))
        var job = QueuedJob.fixture(id, request, preemptible: !gang)
        job = QueuedJob(
            id: job.id,
            project: job.project,
            sequence: job.sequence,
            submittedAt: federation.snapshot.now,
            preemptible: !gang,
            request: request,
            estimateSeconds: 3600
        )
        federation.submit(job, seconds: seconds)
        submitted[job.id] = federation.snapshot.now
        cards[job.id] = request.resources.cards * request.tasks
    }

    /// In steps of a minute.
    mutating func run(hours: Int) {
        let nodes = Double(federation.snapshot.centres[0].capacity?.nodes.count ?? 0)
        for _ in 0..<hours * 60 {
            // A small job has two cards in the mean, and a run takes a third of its limit.
            let small = nodes * 8 * load.small / 2 / (24 * 60 / 3)
            let gangs = nodes * load.gangs / Double(load.nodesOfGang) / (4 * 60 / 3)
            if Double.random(in: 0..<1, using: &g) < small { submit(gang: false) }
            if Double.random(in: 0..<1, using: &g) < gangs { submit(gang: true) }
            step()
        }
    }

    private mutating func step() {
        let now = federation.snapshot.now
        let plan = federation.step(seconds: 60, policy: policy)
        for move in plan.preemptions where move.destination != nil {
            movedRuns += 1
            let seconds = federation.moved[move.run.job]?.last ?? 0
            lostCardHours += seconds / 3600 * Double(cards[move.run.job] ?? 0)
            // Gone within the step.
            expected[move.run.job] = now + .seconds(60)
            expected[move.job] = now + .seconds(60)
        }
        for placement in plan.placements {
            if waits[placement.job] == nil, let at = submitted[placement.job] {
                waits[placement.job] = (now - at).seconds
            }
            guard let due = expected.removeValue(forKey: placement.job) else { continue }
            if Self.isGang(placement.job) {
                starts[placement.job] = (now - due).seconds
            } else {
                lateness[placement.job] = (now - due).seconds
            }
        }
        check()
    }

    /// In order, in seconds.
    func waits(ofGangs: Bool) -> [Double] {
        waits.filter { Self.isGang($0.key) == ofGangs }.map(\.value).sorted()
    }

    /// In minutes.
    var summary: String {
        func figures(_ seconds: [Double]) -> String {
            let p90 = seconds.isEmpty ? 0 : seconds[min(seconds.count - 1, seconds.count * 9 / 10)]
            return "\(seconds.count) \(mean(seconds) / 60) p90 \(p90 / 60) max \((seconds.last ?? 0) / 60)"
        }
        return "gangs \(figures(waits(ofGangs: true))), small \(figures(waits(ofGangs: false))), moved \(movedRuns), "
            + "lost card hours \(lostCardHours)"
    }

    private mutating func check() {
        for centre in federation.snapshot.centres {
            for node in centre.capacity?.nodes ?? [] {
                let used = centre.runs.flatMap { run in run.nodes.map { (run, $0) } }.filter { $0.1.node == node.name }
                    .reduce(0) { $0 + $1.0.resources.cards * $1.1.tasks }
                if used > 8 { overfull = "\(used) cards on \(node.name)" }
            }
        }
    }
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
