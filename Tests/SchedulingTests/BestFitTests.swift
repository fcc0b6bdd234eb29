import Core
import Scheduling
import Testing

@Suite struct BestFitTests {
    private func placed(_ request: Request, _ centres: [Snapshot.Centre]) -> Plan.Placement? {
        plan(.fixture(centres, [.fixture(1, request)])).placements.first
    }

    @Test("one task goes to the node that it leaves the least on")
    func tightestNode() {
        let nodes: [Node] = [.fixture("big", cores: 32), .fixture("tight", cores: 6), .fixture("small", cores: 2)]
        let placement = placed(.fixture(cores: 4), [.fixture("hub", nodes: nodes)])
        #expect(placement?.nodes == [NodeShare(node: "tight", tasks: 1)])
        #expect(
            placement?.reason == "the only possible centre: leaves 2 cores on node tight; price 0.08 credits an hour"
        )
    }

    @Test("the centre that is left with the least wins over the cheaper one, and the sentence says what was out")
    func tightestCentre() {
        let placement = placed(
            .fixture(cores: 2, gibi: 2),
            [
                .fixture("edge-1", nodes: [.fixture("n1", cores: 4, gibi: 1)]),
                .fixture("cheap", nodes: [.fixture("n1", cores: 16)], prices: PriceTable(coreHour: 1)),
                .fixture("tight", nodes: [.fixture("n1", cores: 4)]),
                .fixture("quiet", state: .draining),
                .fixture("wide", nodes: [.fixture("n1", cores: 64)]),
            ]
        )
        #expect(placement?.centre == centreName("tight"))
        #expect(
            placement?.reason
                == "best fit of 3 possible centres: leaves 2 cores on node n1; price 0.04 credits an hour; 2 of 5 "
                + "centres out: edge-1 is too small (1 GiB of 2 GiB of memory) and quiet is draining and takes no new work"
        )
    }

    @Test("a centre that has gibibytes of the inputs wins over a tighter one, and less than one counts nothing")
    func nearInputs() {
        let centres: [Snapshot.Centre] = [
            .fixture("tight", nodes: [.fixture("n1", cores: 4)]), .fixture("near", nodes: [.fixture("n1", cores: 64)]),
        ]
        var job = QueuedJob.fixture(1, .fixture(cores: 4))
        job.near = [centreName("near"): .gibi(12), centreName("tight"): .gibi(1)]
        let placement = plan(.fixture(centres, [job])).placements.first
        #expect(placement?.centre == centreName("near"))
        #expect(
            placement?.reason
                == "best fit of 2 possible centres, with 12 GiB of its inputs: leaves 60 cores on node n1; "
                + "price 0.08 credits an hour"
        )
        job.near = [centreName("near"): .mebi(1023)]
        #expect(plan(.fixture(centres, [job])).placements.first?.centre == centreName("tight"))
    }

    @Test("where links are known, a job goes where its inputs are soonest, in tens of seconds, then by price")
    func links() {
        func centre(_ name: String, cores: Int, _ link: Link?) -> Snapshot.Centre {
            var centre = Snapshot.Centre.fixture(name, nodes: [.fixture("n1", cores: cores)])
            centre.link = link
            return centre
        }
        var job = QueuedJob.fixture(1, .fixture(cores: 4))
        job.inputBytes = .gibi(10)
        let slow = centre("slow", cores: 4, Link(megabitsPerSecond: 100))
        let fast = centre("fast", cores: 64, Link(megabitsPerSecond: 10_000, latencyMilliseconds: 20, egressGib: 1000))
        let placement = plan(.fixture([slow, fast], [job])).placements.first
        #expect(placement?.centre == centreName("fast"))
        #expect(
            placement?.reason
                == "best fit of 2 possible centres, 10 GiB to bring in about 9 s for 0.01 credits: leaves 60 cores on "
                + "node n1; price 0.08 credits an hour"
        )
        // What is there already need not be brought.
        job.near = [centreName("slow"): .gibi(10)]
        #expect(plan(.fixture([slow, fast], [job])).placements.first?.centre == centreName("slow"))
        // A usual link is assumed of the others.
        job.near = [:]
        let unsaid = centre("unsaid", cores: 64, nil)
        #expect(plan(.fixture([slow, unsaid], [job])).placements.first?.centre == centreName("unsaid"))
        let dear = centre("a", cores: 4, Link(megabitsPerSecond: 100, egressGib: 5000))
        #expect(plan(.fixture([dear, slow], [job])).placements.first?.centre == centreName("slow"))
    }

    @Test("training gangs prefer hub and region, one short task the edge, and both spill over")
    func tiers() {
        let cards = [CardGroup(model: "h100", count: 8)]
        func centre(_ tier: Tier) -> Snapshot.Centre {
            .fixture(tier.rawValue, tier: tier, nodes: [.fixture("n1", cores: 64, cards: cards)])
        }
        let gang = Request.fixture(tasks: 2, cores: 4, cards: 2)
        let short = Request.fixture(cores: 4, cards: 1, seconds: 600)
        // All alike: without a preference the first by name wins.
        func place(_ request: Request, _ tiers: [Tier]) -> Tier? {
            placed(request, tiers.map { centre($0) }).flatMap { Tier(rawValue: $0.centre.text) }
        }
        #expect(place(gang, [.edge, .hub, .device]) == .hub)
        #expect(place(gang, [.device, .region]) == .region)
        #expect(place(gang, [.device, .edge]) == .edge)
        #expect(place(short, [.device, .edge, .hub]) == .edge)
        #expect(place(short, [.hub, .region]) == .region)
        #expect(place(.fixture(cores: 4, cards: 1), [.hub, .edge]) == .edge)
        #expect(
            placed(short, [centre(.edge), centre(.hub)])?.reason
                == "best fit of 2 possible centres, of tier edge as such jobs prefer: leaves 7 cards on node n1; "
                + "price 1.08 credits an hour"
        )
    }

    @Test("between equal fits the cheaper centre wins, then the first name")
    func cheaperThenName() {
        let dear = Snapshot.Centre.fixture("a", prices: PriceTable(coreHour: 30_000))
        #expect(placed(.fixture(), [dear, .fixture("c"), .fixture("b")])?.centre == centreName("b"))
    }

    @Test("a job without cards leaves nodes with cards alone while others do")
    func sparesCards() {
        let cards = [CardGroup(model: "h100", count: 8)]
        let nodes: [Node] = [.fixture("gpu", cores: 4, cards: cards), .fixture("cpu", cores: 64)]
        #expect(placed(.fixture(cores: 4), [.fixture("hub", nodes: nodes)])?.nodes.map(\.node) == ["cpu"])
        let gang = placed(.fixture(tasks: 17, cores: 4), [.fixture("hub", nodes: nodes)])
        #expect(gang?.nodes.map(\.node) == ["cpu", "gpu"])
    }

    @Test("a gang takes the fewest nodes, and its rest the tightest")
    func gang() {
        let nodes: [Node] = [
            .fixture("n1", cores: 8), .fixture("n2", cores: 4), .fixture("n3", cores: 16), .fixture("n4", cores: 12),
        ]
        let placement = placed(.fixture(tasks: 5, cores: 4), [.fixture("hub", nodes: nodes)])
        #expect(placement?.nodes == [NodeShare(node: "n3", tasks: 4), NodeShare(node: "n2", tasks: 1)])
    }

    @Test("a gang never spreads over centres or over kinds of cards")
    func gangStaysTogether() {
        let mixed: [Node] = [
            .fixture("n1", cards: [CardGroup(model: "h100", count: 4)]),
            .fixture("n2", cards: [CardGroup(model: "910b", count: 4)]),
        ]
        let snapshot = Snapshot.fixture(
            [.fixture("a", nodes: mixed), .fixture("b", nodes: mixed)],
            [.fixture(1, .fixture(tasks: 5, cards: 1))]
        )
        #expect(plan(snapshot).waiting[jobID(1)]?.code == "impossible")
        #expect(placed(.fixture(tasks: 4, cards: 1), [.fixture("a", nodes: mixed)])?.nodes.count == 1)
    }

    @Test("emulated cards are used only when asked for, and then for nothing")
    func emulated() {
        let toy = [CardGroup(model: "toy", count: 2, emulated: true)]
        let centre = Snapshot.Centre.fixture("dev", nodes: [.fixture("n1", cards: toy)])
        #expect(placed(.fixture(cards: 1), [centre]) == nil)
        let placement = placed(.fixture(cards: 1, emulated: true), [centre])
        #expect(placement?.nodes == [NodeShare(node: "n1", tasks: 1, card: "toy", emulated: true)])
        #expect(placement?.pricePerHour == 20_000)
    }

    @Test("a project with a small voucher gets the cheaper centre, and quota counts placements of the same plan")
    func voucherAndQuota() {
        let centres: [Snapshot.Centre] = [
            .fixture("dear", nodes: [.fixture("n1", cores: 1)], prices: PriceTable(coreHour: 500_000)),
            .fixture("fair", nodes: [.fixture("n1", cores: 8)], prices: PriceTable(coreHour: 100_000)),
        ]
        let project = Snapshot.Project(name: projectName("p"), quota: Quota(runs: 2), balance: 250_000)
        let plan = plan(.fixture(centres, (1...4).map { .fixture($0) }, projects: [project]))
        #expect(plan.placements.map(\.centre.text) == ["fair", "fair"])
        #expect(plan.placements.map(\.reserve) == [100_000, 100_000])
        #expect(plan.waiting.values.allSatisfy { $0.code == "quota" })
    }

    @Test("preemption takes the run that loses the least, spares what is not needed, and repeats nothing")
    func leastLostWork() {
        let runs = [10, 600, 60].enumerated().map { index, age in
            Snapshot.Run.fixture(
                900 + index,
                on: [NodeShare(node: "n\(index)", tasks: 1)],
                startedAt: noon - .seconds(age),
                priority: 100,
                preemptible: index != 0
            )
        }
        var snapshot = Snapshot.fixture(
            [.fixture("hub", nodes: (0..<3).map { .fixture("n\($0)", cores: 16) }, runs: runs)],
            [.fixture(1, .fixture(cores: 16), priority: 200)]
        )
        let first = plan(snapshot)
        #expect(first.preemptions.map(\.run) == [runs[2].key])
        #expect(first.waiting[jobID(1)]?.predictedStart == noon + .seconds(10))
        #expect(
            first.waiting[jobID(1)]?.headline
                == "Room is being made for it at hub: 1 run of lower priority is stopping."
        )
        snapshot.centres[0].runs[2].stopping = true
        #expect(plan(snapshot).preemptions.isEmpty)
        snapshot.queue[0].priority = 100
        snapshot.centres[0].runs[2].stopping = false
        #expect(plan(snapshot).preemptions.isEmpty, "equal priority preempts nothing")
    }

    @Test("many tasks go where a plain look at every node, one task after another, sends them")
    func asPlainLook() {
        for seed in seeds(20) {
            var g = SeededGenerator(seed: seed)
            let nodes = (0..<40).map { node in
                Node.fixture(
                    "n\(node)",
                    cores: [8, 16][Int.random(in: 0..<2, using: &g)],
                    gibi: [16, 32][Int.random(in: 0..<2, using: &g)],
                    cards: Int.random(in: 0..<4, using: &g) == 0 ? [CardGroup(model: "h100", count: 4)] : []
                )
            }
            let jobs = (1...160).map { number in
                QueuedJob.fixture(
                    number,
                    .fixture(
                        cores: [1, 2, 5, 8][Int.random(in: 0..<4, using: &g)],
                        gibi: [1, 4, 10][Int.random(in: 0..<3, using: &g)],
                        cards: Int.random(in: 0..<5, using: &g) == 0 ? Int.random(in: 1...4, using: &g) : 0
                    )
                )
            }
            var policy = Policy()
            policy.reservationsPerCentre = 0
            var free = nodes.map { (cores: $0.cores.count, memory: $0.memory.count, cards: $0.cards.first?.count ?? 0) }
            var expected: [JobID: String] = [:]
            for job in jobs {
                let need = job.request.resources
                let fitting = nodes.indices.filter {
                    free[$0].cores >= need.cores.count && free[$0].memory >= need.memory.count
                        && free[$0].cards >= need.cards
                }
                let byMemory = FairShare.dominantShare(
                    tasks: 1,
                    resources: TaskResources(cores: 0, memory: need.memory),
                    of: FairShare.Totals([.fixture("c", nodes: nodes)])
                )
                let byCores = FairShare.dominantShare(
                    tasks: 1,
                    resources: TaskResources(cores: need.cores, memory: 0),
                    of: FairShare.Totals([.fixture("c", nodes: nodes)])
                )
                func rank(_ node: Int) -> (Int, Int64, Int64, Int) {
                    let (cores, memory, cards) = free[node]
                    if need.cards > 0 { return (0, Int64(cards), cores, node) }
                    let hasCards = nodes[node].cards.isEmpty ? 0 : 1
                    return byMemory > byCores ? (hasCards, memory, cores, node) : (hasCards, cores, memory, node)
                }
                guard let best = fitting.min(by: { rank($0) < rank($1) }) else { continue }
                expected[job.id] = nodes[best].name
                free[best].cores -= need.cores.count
                free[best].memory -= need.memory.count
                free[best].cards -= need.cards
            }
            let made = plan(.fixture([.fixture("c", nodes: nodes)], jobs), policy: policy)
            let placed = Dictionary(uniqueKeysWithValues: made.placements.map { ($0.job, $0.nodes[0].node) })
            #expect(placed == expected, "seed \(seed)")
        }
    }
}
