import Core
import Scheduling
import Testing

@Suite("Centres that others use too") struct OthersTests {
    private func shared(
        _ name: String = "c",
        others: [NodeUse] = [],
        turns: Int = 0,
        waitSeconds: Int? = nil,
        runs: [Snapshot.Run] = []
    ) -> Snapshot.Centre {
        var centre = Snapshot.Centre.fixture(
            name,
            nodes: [.fixture("n1", cards: [CardGroup(model: "h100", count: 4)]), .fixture("n2")],
            runs: runs
        )
        centre.others = others
        centre.queue = .init(turns: turns, waitSeconds: waitSeconds)
        return centre
    }

    private func use(_ node: String, cores: Int, gibi: Int64 = 1, cards: Int = 0) -> NodeUse {
        NodeUse(
            node: node,
            cores: .cores(cores),
            memory: .gibi(gibi),
            cards: cards > 0 ? [CardGroup(model: "h100", count: cards)] : []
        )
    }

    @Test("what others hold is not given out, of cores, memory and cards")
    func held() {
        let centre = shared(others: [use("n1", cores: 8, cards: 3), use("n2", cores: 1, gibi: 60)])
        let queue: [QueuedJob] = [
            .fixture(1, .fixture(cores: 9)), .fixture(2, .fixture(cores: 1, gibi: 8, cards: 1)),
            .fixture(3, .fixture(cores: 1, cards: 1)),
        ]
        let plan = plan(.fixture([centre], queue))
        #expect(plan.placements.map(\.job) == [jobID(1), jobID(2)])
        #expect(plan.placements[0].nodes.map(\.node) == ["n2"])
        #expect(plan.placements[1].nodes.map(\.node) == ["n1"])
        #expect(plan.waiting[jobID(3)]?.code == "capacity")
    }

    @Test("what is more than a node has, and of nodes that are not there, counts no further")
    func bounded() {
        let others = [use("n1", cores: 1000, gibi: 1000, cards: 1000), use("gone", cores: 4), use("n2", cores: -5)]
        let plan = plan(.fixture([shared(others: others)], [.fixture(1, .fixture(cores: 16)), .fixture(2)]))
        #expect(plan.placements.map(\.nodes) == [[NodeShare(node: "n2", tasks: 1)]])
    }

    @Test("an empty centre is what it is, whoever is there: nothing is impossible because of others")
    func neverImpossible() {
        let centre = shared(others: [use("n1", cores: 16, gibi: 64), use("n2", cores: 16, gibi: 64)])
        let snapshot = Snapshot.fixture([centre], [.fixture(1, .fixture(tasks: 2, cores: 16))])
        let reason = explain(snapshot.queue[0], in: snapshot)
        #expect(reason.code == "capacity")
        #expect(reason.evidence.contains("other users of c hold 32 of 32 cores there"), "\(reason.evidence)")
        #expect(reason.predictedStart == noon + .seconds(Policy().othersHorizonSeconds))
    }

    @Test("forecasts know what others hold, beside runs of ours that wait for it")
    func forecasts() throws {
        var centre = shared(others: [use("n1", cores: 16), use("n2", cores: 12)])
        centre.runs = [.fixture(50, on: [NodeShare(node: "n2", tasks: 1)], cores: 8, seconds: 600)]
        let snapshot = Snapshot.fixture([centre], [.fixture(1, .fixture(cores: 16)), .fixture(2, .fixture(cores: 1))])
        let prospects = Outlook(snapshot).prospects(of: [jobID(1), jobID(2)])
        #expect(try #require(prospects[jobID(1)]).wait == Double(Policy().othersHorizonSeconds))
        // On the second node ours has eight of the twelve that others have now.
        #expect(try #require(prospects[jobID(2)]).wait == 600)
    }

    @Test("as many as there are turns wait in the centre's own queue, in order, and say so")
    func turns() throws {
        let full = [use("n1", cores: 16), use("n2", cores: 14)]
        let queue = (1...5).map { QueuedJob.fixture($0, .fixture(cores: 4)) }
        let plan = plan(.fixture([shared(others: full, turns: 2, waitSeconds: 90)], queue))
        #expect(plan.placements.map(\.job) == [jobID(1), jobID(2)])
        let reason = try #require(plan.placements.first?.reason)
        let words = "waits for its turn in c's own queue, whose other users hold 30 of 32 cores"
        #expect(reason.contains(words), "\(reason)")
        #expect(reason.contains("such waits took 90 s"), "\(reason)")
        #expect(plan.waiting.count == 3)
        // Those that wait hold their place: the next cycle gives nobody what they wait for.
        var after = shared(others: full, turns: 0)
        after.runs = plan.placements.map { .fixture(Int($0.job.low), on: $0.nodes, cores: 4) }
        for cores in [2, 4] {
            #expect(explain(.fixture(9, .fixture(cores: cores)), in: .fixture([after], [])).code == "capacity")
        }
        after.runs = []
        #expect(explain(.fixture(9, .fixture(cores: 2)), in: .fixture([after], [])).code == "ready")
    }

    @Test("nobody waits there where room comes sooner at a centre that is ours alone")
    func sooner() {
        let run = Snapshot.Run.fixture(50, on: [NodeShare(node: "n1", tasks: 1)], cores: 16, seconds: 120)
        let own = Snapshot.Centre.fixture("own", nodes: [.fixture("n1")], runs: [run])
        let full = [use("n1", cores: 16), use("n2", cores: 16)]
        let job = QueuedJob.fixture(1, .fixture(cores: 4))
        let slow = plan(.fixture([own, shared(others: full, turns: 4, waitSeconds: 600)], [job]))
        #expect(slow.placements.isEmpty)
        let quick = plan(.fixture([own, shared(others: full, turns: 4, waitSeconds: 30)], [job]))
        #expect(quick.placements.map(\.centre) == [centreName("c")])
    }

    @Test("who waits among others is taken back when its turn here would come, for room that is elsewhere now")
    func takenBack() throws {
        func guest(_ number: Int, cores: Int = 8, stopping: Bool = false, moves: Int = 0) -> Snapshot.Guest {
            .init(
                run: RunKey(job: jobID(number), number: 1),
                centre: centreName("c"),
                job: .fixture(number, .fixture(cores: cores)),
                stopping: stopping,
                moves: moves
            )
        }
        func snapshot(_ guests: [Snapshot.Guest], _ queue: [QueuedJob] = []) -> Snapshot {
            var theirs = shared(others: [use("n1", cores: 16), use("n2", cores: 16)])
            theirs.runs = guests.map {
                .fixture(Int($0.job.id.low), on: [NodeShare(node: "n1", tasks: 1)], cores: 8)
            }
            var snapshot = Snapshot.fixture([.fixture("own", nodes: [.fixture("n1")]), theirs], queue)
            snapshot.guests = guests
            return snapshot
        }
        // Two have room, in the order of their coming.
        let made = plan(snapshot([guest(3), guest(1), guest(2)]))
        #expect(made.takeBacks.map(\.run.job) == [jobID(1), jobID(2)])
        #expect(made.takeBacks.allSatisfy { $0.destination == centreName("own") && $0.nodes.map(\.node) == ["n1"] })
        // Who waits here and came before goes first; who came later does not.
        let later = plan(snapshot([guest(2, cores: 16)], [.fixture(1, .fixture(cores: 1)), .fixture(3)]))
        #expect(later.takeBacks.isEmpty && later.placements.map(\.job) == [jobID(1), jobID(3)])
        let sooner = plan(snapshot([guest(2, cores: 16)], [.fixture(3)]))
        #expect(sooner.takeBacks.map(\.run.job) == [jobID(2)] && sooner.placements.isEmpty)
        // Nobody is asked twice, or for ever; and what is free where it waits is for its engine to give.
        #expect(plan(snapshot([guest(1, stopping: true)])).takeBacks.isEmpty)
        #expect(plan(snapshot([guest(1, moves: Policy().movesMax)])).takeBacks.isEmpty)
        var home = snapshot([guest(1)])
        home.centres[1].others = []
        home.centres[0].state = .draining
        #expect(plan(home).takeBacks.isEmpty)
        // Its room is kept while it is on its way, and then it goes there before all others.
        let move = Snapshot.Move(
            job: jobID(1),
            centre: centreName("own"),
            nodes: [NodeShare(node: "n1", tasks: 1)],
            cause: .wait(at: centreName("c"))
        )
        var going = snapshot([guest(1, cores: 16, stopping: true)], [.fixture(3)])
        going.moves = [move]
        #expect(plan(going).placements.isEmpty)
        var gone = snapshot([], [.fixture(0, .fixture(cores: 16)), .fixture(1, .fixture(cores: 16))])
        gone.moves = [move]
        let placement = try #require(plan(gone).placements.first)
        #expect(placement.job == jobID(1) && placement.centre == centreName("own"))
        #expect(placement.reason.hasPrefix("taken back from the queue of c's own engine, as there is room here"))
    }

    @Test("room comes before a turn, and without others there are no turns")
    func roomFirst() {
        let job = QueuedJob.fixture(1, .fixture(cores: 4))
        let free = plan(.fixture([shared(others: [use("n1", cores: 16)], turns: 4)], [job]))
        #expect(free.placements.first?.reason.contains("waits") == false)
        let run = Snapshot.Run.fixture(50, on: ["n1", "n2"].map { NodeShare(node: $0, tasks: 1) }, cores: 16)
        #expect(plan(.fixture([shared(turns: 4, runs: [run])], [job])).placements.isEmpty)
    }
}
