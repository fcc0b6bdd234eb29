import Core
import Scheduling
import Testing

@Suite struct PlanPropertyTests {
    /// A random federation with random load, projects and queue; small enough that limits are hit all the time. Every
    /// other one has a tree of projects.
    static func snapshot(seed: UInt64) -> Snapshot {
        var g = SeededGenerator(seed: seed)
        let models = ["h100", "910b", "toy"]
        let projects = (0..<Int.random(in: 1...4, using: &g)).map { index in
            Snapshot.Project(
                name: projectName("p\(index)"),
                parent: index > 0 && seed.isMultiple(of: 2) ? projectName("p\((seed / 2) % UInt64(index))") : nil,
                weight: Int.random(in: 1...300, using: &g),
                usage: Double.random(in: 0...2, using: &g),
                quota: Quota(
                    cores: Bool.random(using: &g) ? .cores(Int.random(in: 0...60, using: &g)) : nil,
                    cards: Bool.random(using: &g) ? Int.random(in: 0...8, using: &g) : nil,
                    runs: Bool.random(using: &g) ? Int.random(in: 0...12, using: &g) : nil
                ),
                balance: Bool.random(using: &g) ? MicroCredits(Int64.random(in: 0...9_000_000, using: &g)) : nil
            )
        }
        var number = 10_000
        let centres = (0..<Int.random(in: 0...5, using: &g)).map { index in
            let nodes = (0..<Int.random(in: 0...6, using: &g)).map { node in
                Node.fixture(
                    "n\(node)",
                    cores: Int.random(in: 1...32, using: &g),
                    gibi: Int64.random(in: 1...64, using: &g),
                    cards: (0..<Int.random(in: 0...2, using: &g)).map {
                        CardGroup(model: models[$0], count: Int.random(in: 1...8, using: &g), emulated: $0 == 1)
                    },
                    up: Int.random(in: 0..<8, using: &g) > 0
                )
            }
            // Runs that stand legally: each takes half of what one node has.
            let runs = nodes.filter(\.schedulable).compactMap { node -> Snapshot.Run? in
                guard Bool.random(using: &g), node.cores.count > 1000 else { return nil }
                number += 1
                let group = node.cards.first
                return Snapshot.Run(
                    key: RunKey(job: jobID(number), number: 1),
                    project: projects[number % projects.count].name,
                    nodes: [
                        NodeShare(node: node.name, tasks: 1, card: group?.model, emulated: group?.emulated ?? false)
                    ],
                    resources: TaskResources(
                        cores: MilliCores(node.cores.count / 2),
                        memory: Bytes(node.memory.count / 2),
                        cards: (group?.count ?? 0) / 2
                    ),
                    leasedAt: noon - .seconds(Int.random(in: 0...4000, using: &g)),
                    startedAt: Bool.random(using: &g) ? noon - .seconds(Int.random(in: 0...4000, using: &g)) : nil,
                    timeLimitSeconds: Int.random(in: 1...4000, using: &g),
                    priority: Int.random(in: 0...9, using: &g) * 100,
                    preemptible: Bool.random(using: &g),
                    stopping: Int.random(in: 0..<6, using: &g) == 0
                )
            }
            var centre = Snapshot.Centre.fixture(
                "c\(index)",
                tier: Tier.allCases[index % 4],
                state: Int.random(in: 0..<8, using: &g) == 0 ? .draining : .open,
                unseenSince: Int.random(in: 0..<8, using: &g) == 0 ? noon - .seconds(60) : nil,
                nodes: Int.random(in: 0..<10, using: &g) == 0 ? nil : nodes,
                isolates: Bool.random(using: &g),
                runs: runs
            )
            // At every third centre somebody else has up to half of some nodes.
            for node in nodes where seed.isMultiple(of: 3) && Bool.random(using: &g) {
                centre.others.append(
                    NodeUse(
                        node: node.name,
                        cores: MilliCores(Int64.random(in: 0...node.cores.count / 2, using: &g)),
                        memory: Bytes(Int64.random(in: 0...node.memory.count / 2, using: &g)),
                        cards: node.cards.prefix(1).map {
                            CardGroup(model: $0.model, count: $0.count / 2, emulated: $0.emulated)
                        }
                    )
                )
            }
            return centre
        }
        let queue = (0..<Int.random(in: 0...60, using: &g)).map { index -> QueuedJob in
            let cards = Bool.random(using: &g) ? Int.random(in: 0...4, using: &g) : 0
            var job = QueuedJob.fixture(
                index,
                .fixture(
                    tasks: Bool.random(using: &g) ? 1 : Int.random(in: 2...9, using: &g),
                    cores: Int.random(in: 1...12, using: &g),
                    gibi: Int64.random(in: 1...24, using: &g),
                    cards: cards,
                    card: cards > 0 && Bool.random(using: &g) ? models[Int.random(in: 0..<3, using: &g)] : nil,
                    seconds: Int.random(in: 10...9000, using: &g),
                    tiers: Int.random(in: 0..<4, using: &g) == 0
                        ? [Tier.allCases[Int.random(in: 0..<4, using: &g)]] : [],
                    centres: Int.random(in: 0..<6, using: &g) == 0 ? ["c\(Int.random(in: 0..<5, using: &g))"] : [],
                    emulated: Bool.random(using: &g),
                    isolation: Int.random(in: 0..<5, using: &g) == 0 ? .required : .auto
                ),
                project: "p\(Int.random(in: 0..<4, using: &g))",
                priority: Int.random(in: 0...9, using: &g) * 100,
                preemptible: Bool.random(using: &g)
            )
            if Int.random(in: 0..<10, using: &g) == 0 { job.unmetDependencies = 1 }
            if Int.random(in: 0..<10, using: &g) == 0 { job.notBefore = noon + .seconds(30) }
            if Int.random(in: 0..<10, using: &g) == 0 { job.claim = centreName("c0") }
            return job
        }
        return .fixture(centres, queue, projects: projects)
    }

    @Test("no plan goes over a node, a quota or a voucher, and gangs stay whole")
    func neverOver() {
        for seed in seeds(400) {
            let snapshot = Self.snapshot(seed: seed)
            let plan = plan(snapshot)
            let jobs = Dictionary(uniqueKeysWithValues: snapshot.queue.map { ($0.id, $0) })
            for centre in snapshot.centres {
                var shares: [(TaskResources, NodeShare)] = []
                for run in centre.runs { shares += run.nodes.map { (run.resources, $0) } }
                for placement in plan.placements where placement.centre == centre.name {
                    guard let job = jobs[placement.job] else { continue }
                    let request = job.request
                    #expect(placement.nodes.reduce(0) { $0 + $1.tasks } == request.tasks, "gang, seed \(seed)")
                    #expect(placement.nodes.allSatisfy { $0.tasks > 0 }, "seed \(seed)")
                    #expect(Set(placement.nodes.map(\.card)).count == 1, "one kind of card, seed \(seed)")
                    #expect(centre.state == .open && centre.unseenSince == nil, "seed \(seed)")
                    #expect(
                        request.placement.tiers.isEmpty || request.placement.tiers.contains(centre.tier),
                        "seed \(seed)"
                    )
                    #expect(
                        request.placement.centres.isEmpty || request.placement.centres.contains(centre.name),
                        "seed \(seed)"
                    )
                    #expect(request.isolation != .required || centre.capacity?.isolates == true, "seed \(seed)")
                    for share in placement.nodes {
                        #expect(!share.emulated || request.placement.emulated, "seed \(seed)")
                        #expect(request.resources.card == nil || request.resources.card == share.card, "seed \(seed)")
                    }
                    #expect(
                        placement.reserve
                            == PriceTable.reservation(
                                perHour: placement.pricePerHour,
                                timeLimitSeconds: request.timeLimitSeconds
                            ),
                        "seed \(seed)"
                    )
                    #expect(
                        placement.pricePerHour
                            == centre.prices.perHour(resources: request.resources, nodes: placement.nodes),
                        "seed \(seed)"
                    )
                    shares += placement.nodes.map { (request.resources, $0) }
                }
                for node in centre.capacity?.nodes ?? [] {
                    let here = shares.filter { $0.1.node == node.name }
                    let others = centre.others.first { $0.node == node.name }
                    let cores = here.reduce(0) { $0 + $1.0.cores.count * Int64($1.1.tasks) }
                    let memory = here.reduce(0) { $0 + $1.0.memory.count * Int64($1.1.tasks) }
                    let (othersCores, othersMemory) = (others?.cores.count ?? 0, others?.memory.count ?? 0)
                    #expect(cores + othersCores <= node.cores.count, "cores of \(node.name), seed \(seed)")
                    #expect(memory + othersMemory <= node.memory.count, "memory of \(node.name), seed \(seed)")
                    for group in node.cards {
                        let used = here.filter { $0.1.card == group.model && $0.1.emulated == group.emulated }
                            .reduce(0) { $0 + $1.0.cards * $1.1.tasks }
                        let theirs = others?.cards.first { $0.model == group.model }?.count ?? 0
                        #expect(used + theirs <= group.count, "cards of \(node.name), seed \(seed)")
                    }
                    if !node.schedulable {
                        #expect(
                            !plan.placements.contains {
                                $0.centre == centre.name && $0.nodes.contains { $0.node == node.name }
                            },
                            "seed \(seed)"
                        )
                    }
                }
            }
            for project in snapshot.projects {
                if let balance = project.balance {
                    let placed = plan.placements.filter { jobs[$0.job]?.project == project.name }
                    #expect(placed.reduce(0) { $0 + $1.reserve.count } <= balance.count, "seed \(seed)")
                }
                let within = Set(snapshot.projects.map(\.name).filter { snapshot.line(of: $0).contains(project.name) })
                let live = snapshot.centres.flatMap(\.runs).filter { within.contains($0.project) }
                let placed = plan.placements.filter { jobs[$0.job].map { within.contains($0.project) } ?? false }
                guard !placed.isEmpty else { continue }
                let requests = placed.compactMap { jobs[$0.job]?.request }
                let cores =
                    live.reduce(0) { $0 + $1.resources.cores.count * Int64($1.tasks) }
                    + requests.reduce(0) { $0 + $1.resources.cores.count * Int64($1.tasks) }
                let cards =
                    live.reduce(0) { $0 + $1.resources.cards * $1.tasks }
                    + requests.reduce(0) { $0 + $1.resources.cards * $1.tasks }
                let newCards = requests.reduce(0) { $0 + $1.resources.cards * $1.tasks }
                if let limit = project.quota.cores { #expect(cores <= limit.count, "seed \(seed)") }
                if let limit = project.quota.cards, newCards > 0 { #expect(cards <= limit, "seed \(seed)") }
                if let limit = project.quota.runs { #expect(live.count + placed.count <= limit, "seed \(seed)") }
            }
            for case .quota(let project, let dimension, let used, let limit, let need) in plan.waiting.values.map(
                \.cause
            ) {
                let quota = snapshot.projects.first { $0.name == project }?.quota
                let limits: [Dimension: Int64?] = [
                    .cores: quota?.cores?.count, .cards: quota?.cards.map { Int64($0) },
                    .runs: quota?.runs.map { Int64($0) },
                ]
                #expect(limits[dimension] == .some(.some(limit)) && used + need > limit, "seed \(seed)")
            }
            for (job, reason) in plan.waiting {
                switch reason.cause {
                case .quota(let project, _, _, _, _), .fairShare(let project, _, _):
                    #expect(jobs[job].map { snapshot.line(of: $0.project).contains(project) } ?? false, "seed \(seed)")
                default: break
                }
            }
        }
    }

    @Test("every queued job is either placed once or has a reason with texts")
    func everyJobAnswered() {
        for seed in seeds(200) {
            let snapshot = Self.snapshot(seed: seed)
            let plan = plan(snapshot)
            let placed = Set(plan.placements.map(\.job))
            #expect(placed.count == plan.placements.count, "seed \(seed)")
            #expect(placed.isDisjoint(with: plan.waiting.keys), "seed \(seed)")
            #expect(placed.union(plan.waiting.keys) == Set(snapshot.queue.map(\.id)), "seed \(seed)")
            for reason in plan.waiting.values {
                #expect(reason.headline.hasSuffix("."), "\(reason.headline), seed \(seed)")
                #expect(!reason.wayOut.isEmpty && Reason.codes.contains(reason.code), "seed \(seed)")
                #expect(reason.evidence.allSatisfy { !$0.isEmpty }, "seed \(seed)")
            }
        }
    }

    @Test("the same snapshot gives the same plan, and explaining a job gives the plan's own cause")
    func deterministic() {
        for seed in seeds(100) {
            let snapshot = Self.snapshot(seed: seed)
            let first = plan(snapshot)
            #expect(first == plan(snapshot), "seed \(seed)")
            for job in snapshot.queue.prefix(5) {
                let reason = explain(job, in: snapshot)
                #expect(reason.code == first.waiting[job.id]?.code ?? "ready", "seed \(seed)")
                #expect(first.waiting[job.id].map { $0.findings == reason.findings } ?? true, "seed \(seed)")
            }
        }
    }

    @Test("only preemptible runs of strictly lower priority are preempted, each once, and then the job fits")
    func preemption() {
        var seen = 0
        for seed in seeds(400) {
            let snapshot = Self.snapshot(seed: seed)
            let plan = plan(snapshot)
            #expect(Set(plan.preemptions.map(\.run)).count == plan.preemptions.count, "seed \(seed)")
            for job in Set(plan.preemptions.map(\.job)) {
                guard let queued = snapshot.queue.first(where: { $0.id == job }) else {
                    Issue.record("a job that does not wait, seed \(seed)")
                    continue
                }
                let own = plan.preemptions.filter { $0.job == job }
                #expect(Set(own.map(\.centre)).count == 1, "one centre, seed \(seed)")
                var after = snapshot
                for centre in after.centres.indices where after.centres[centre].name == own[0].centre {
                    for run in after.centres[centre].runs where own.contains(where: { $0.run == run.key }) {
                        #expect(run.preemptible && run.priority < queued.priority && !run.stopping, "seed \(seed)")
                        seen += 1
                    }
                    let gone = Set(own.map(\.run))
                    after.centres[centre].runs.removeAll { gone.contains($0.key) || $0.stopping }
                }
                // Alone, in the room that was made for it, it starts.
                after.queue = [queued]
                let starts = Scheduling.plan(after).placements.map(\.job) == [job]
                #expect(starts, "\(job), seed \(seed)")
            }
        }
        // One seed alone may well preempt nothing; all of them must not.
        #expect(seen > 0 || seeds(400).count == 1, "the seeds never preempted anything")
    }

    @Test("feasibility agrees with the plan on empty centres")
    func feasibilityAgrees() {
        for seed in seeds(200) {
            var snapshot = Self.snapshot(seed: seed)
            for centre in snapshot.centres.indices {
                snapshot.centres[centre].runs = []
                snapshot.centres[centre].others = []
                snapshot.centres[centre].state = .open
                snapshot.centres[centre].unseenSince = nil
                snapshot.centres[centre].capacity?.nodes.mutateEach { $0.schedulable = true }
            }
            snapshot.projects = []
            for job in snapshot.queue {
                var alone = job
                alone.unmetDependencies = 0
                alone.notBefore = nil
                var one = snapshot
                one.queue = [alone]
                let plan = plan(one)
                switch feasibility(job.request, centres: snapshot.centres) {
                case .possible:
                    let isUnknown = plan.waiting[job.id]?.code == "centres"
                    #expect(plan.placements.count == 1 || isUnknown, "seed \(seed)")
                case .impossible(let why):
                    #expect(plan.waiting[job.id]?.code == "impossible", "seed \(seed)")
                    guard let nearest = why.nearest else { continue }
                    one.queue[0].request = nearest
                    #expect(Scheduling.plan(one).placements.count == 1, "the nearest runs, seed \(seed)")
                }
            }
        }
    }
}

extension Array {
    mutating func mutateEach(_ body: (inout Element) -> Void) { for index in indices { body(&self[index]) } }
}

extension Snapshot {
    /// The names of a project and those that it is part of, itself first.
    func line(of name: ProjectName) -> [ProjectName] {
        var line: [ProjectName] = []
        var next: ProjectName? = name
        while let name = next, !line.contains(name) {
            line.append(name)
            next = projects.first { $0.name == name }?.parent
        }
        return line
    }
}
