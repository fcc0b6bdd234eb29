import Core
import Scheduling
import Testing

@Suite struct ReasonTests {
    private struct Case {
        var name: String
        var snapshot: Snapshot
        var code: String
        var headline: String
        var evidence: [String]
        var wayOut: String
    }

    private static let full = Snapshot.Run.fixture(900, on: [NodeShare(node: "n1", tasks: 1)], cores: 12)
    private static let fuller = Snapshot.Run.fixture(900, on: [NodeShare(node: "n1", tasks: 1)], cores: 14)

    private static var cases: [Case] {
        var waiting = QueuedJob.fixture(1)
        waiting.unmetDependencies = 2
        waiting.waitingFor = ["collect", "simulate"]
        var resting = QueuedJob.fixture(1)
        resting.notBefore = noon + .seconds(30)
        let end = noon + .seconds(3600)
        let other = RunKey(job: jobID(900), number: 1).job
        return [
            Case(
                name: "dependency",
                snapshot: .fixture([.fixture("hub")], [waiting]),
                code: "dependency",
                headline: "It waits for 2 jobs to succeed first: collect and simulate.",
                evidence: ["collect has not succeeded yet", "simulate has not succeeded yet"],
                wayOut: "nothing has to be done: it starts once they have succeeded"
            ),
            Case(
                name: "backoff",
                snapshot: .fixture([.fixture("hub")], [resting]),
                code: "backoff",
                headline: "Its last attempt failed; it is tried again at \(noon + .seconds(30)).",
                evidence: [],
                wayOut: "cancel nothing: expected to start at \(noon + .seconds(30))"
            ),
            Case(
                name: "impossible",
                snapshot: .fixture(
                    [.fixture("edge-1"), .fixture("dev", nodes: [.fixture("n1", cores: 2, gibi: 4)])],
                    [.fixture(1, .fixture(cores: 32, gibi: 8))]
                ),
                code: "impossible",
                headline: "No centre that it may use could ever run it, even when empty.",
                evidence: ["edge-1 is too small (16 of 32 cores)", "dev is too small (2 of 32 cores)"],
                wayOut: "with 16 instead of 32 cores it would fit edge-1"
            ),
            Case(
                name: "impossible for want of a kind of card",
                snapshot: .fixture(
                    [.fixture("ai", nodes: [.fixture("n1", cards: [CardGroup(model: "910b", count: 8)])])],
                    [.fixture(1, .fixture(cards: 4, card: "h100"))]
                ),
                code: "impossible",
                headline: "No centre that it may use could ever run it, even when empty.",
                evidence: ["ai has other cards (910b)"],
                wayOut: "with any card instead of h100 it would fit ai"
            ),
            Case(
                name: "centres",
                snapshot: .fixture(
                    [
                        .fixture("hub", state: .draining), .fixture("edge-1", tier: .edge),
                        .fixture("far", unseenSince: noon - .seconds(60)), .fixture("new", nodes: nil),
                    ],
                    [.fixture(1, .fixture(cores: 16, tiers: [.hub])), .fixture(2, .fixture(cores: 16, tiers: [.edge]))]
                ),
                code: "centres",
                headline: "No centre that could run it is open to it now.",
                evidence: [
                    "hub is draining and takes no new work",
                    "far has not been heard of since \(noon - .seconds(60))",
                    "new has not reported its capacity yet", "1 centre of tiers that the job does not allow",
                ],
                wayOut: "were tier edge allowed, it would start now at edge-1"
            ),
            Case(
                name: "no centre at all",
                snapshot: .fixture([], [.fixture(1)]),
                code: "centres",
                headline: "No centre that could run it is open to it now.",
                evidence: [],
                wayOut: "connect a centre that it may use, or widen its placement"
            ),
            Case(
                name: "quota",
                snapshot: .fixture(
                    [
                        .fixture(
                            "ai",
                            nodes: [.fixture("n1", cards: [CardGroup(model: "h100", count: 16)])],
                            runs: [
                                .fixture(
                                    900,
                                    on: [NodeShare(node: "n1", tasks: 1, card: "h100")],
                                    cores: 1,
                                    cards: 6,
                                    project: "p"
                                )
                            ]
                        )
                    ],
                    [.fixture(1, .fixture(cards: 6))],
                    projects: [.init(name: projectName("p"), quota: Quota(cards: 8))]
                ),
                code: "quota",
                headline: "Project p holds 6 of the 8 cards that its quota allows, and this job needs 6.",
                evidence: ["cards: 6 held + 6 needed = 12, over 8"],
                wayOut: "raise the quota of project p from 8 to 12 cards"
            ),
            Case(
                name: "voucher",
                snapshot: .fixture(
                    [.fixture("hub"), .fixture("dear", prices: PriceTable(coreHour: 9_000_000))],
                    [.fixture(1, .fixture(cores: 4, seconds: 7200))],
                    projects: [.init(name: projectName("p"), balance: 100_000)]
                ),
                code: "voucher",
                headline: "Project p has 0.1 credits left, and this job needs 0.16 set aside even at hub, its cheapest "
                    + "centre.",
                evidence: ["0.06 credits are missing"],
                wayOut: "grant project p a voucher of 0.06 credits"
            ),
            Case(
                name: "capacity with a smaller request that fits",
                snapshot: .fixture([.fixture("edge-1", runs: [full])], [.fixture(1, .fixture(cores: 8))]),
                code: "capacity",
                headline: "Every centre that could run it is busy: edge-1 has 4 of 8 cores free on its best node, and "
                    + "room is kept for it from \(end).",
                evidence: [
                    "edge-1 is expected to have room at \(end) when \(other) ends, kept for it",
                    "edge-1 lacks cores (4 of 8 cores free)",
                ],
                wayOut: "with 4 instead of 8 cores it would start now at edge-1"
            ),
            Case(
                name: "capacity that only time mends",
                snapshot: .fixture([.fixture("edge-1", runs: [fuller])], [.fixture(1, .fixture(cores: 16, gibi: 64))]),
                code: "capacity",
                headline: "Every centre that could run it is busy: edge-1 has 2 of 16 cores free on its best node, and "
                    + "room is kept for it from \(end).",
                evidence: [
                    "edge-1 is expected to have room at \(end) when \(other) ends, kept for it",
                    "edge-1 lacks cores (2 of 16 cores free)",
                ],
                wayOut: "cancel nothing: expected to start at \(end) when \(other) ends"
            ),
            Case(
                name: "behind a reservation",
                snapshot: .fixture(
                    [.fixture("edge-1", runs: [full])],
                    [.fixture(2, .fixture(cores: 4, seconds: 4000)), .fixture(0, .fixture(cores: 16))]
                ),
                code: "behind",
                headline: "There is room, but 1 job ahead of it gets it first.",
                evidence: [
                    "\(jobID(0)) is the next that room is kept for",
                    "edge-1 keeps its room for \(jobID(0)), which starts at \(end)",
                ],
                wayOut: "with a time limit of 3600 instead of 4000 seconds it would start now at edge-1"
            ),
            Case(
                name: "fair share",
                snapshot: .fixture(
                    [.fixture("edge-1")],
                    [.fixture(1, .fixture(cores: 16)), .fixture(2, .fixture(cores: 14), project: "q")],
                    projects: [.init(name: projectName("p"), usage: 5), .init(name: projectName("q"))]
                ),
                code: "capacity",
                headline: "Every centre that could run it is busy: edge-1 has 2 of 16 cores free on its best node, and "
                    + "room is kept for it from \(end).",
                evidence: [
                    "1 job ahead of it in order",
                    "edge-1 is expected to have room at \(end) when \(jobID(2)) ends, kept for it",
                    "edge-1 gave its room to jobs ahead in this cycle (2 of 16 cores left)",
                ],
                wayOut: "cancel nothing: expected to start at \(end) when \(jobID(2)) ends"
            ),
        ]
    }

    @Test("each cause has its exact words")
    func texts() throws {
        for item in Self.cases {
            let job = try #require(item.snapshot.queue.first)
            let known = try #require(plan(item.snapshot).waiting[job.id], "\(item.name): it was placed")
            #expect(known.headline == item.headline, "\(item.name)")
            var terrain = Terrain()
            let reason = Decision(item.snapshot, on: &terrain).reason(for: job)
            #expect(reason.code == item.code, "\(item.name)")
            #expect(reason.headline == item.headline, "\(item.name)")
            #expect(reason.evidence == item.evidence, "\(item.name)")
            #expect(reason.wayOut == item.wayOut, "\(item.name)")
            let explained = explain(job, in: item.snapshot)
            #expect(explained.headline == item.headline && explained.wayOut == item.wayOut, "\(item.name)")
        }
    }

    @Test("whoever has used more of its share is told so")
    func fairShare() {
        let snapshot = Snapshot.fixture(
            [.fixture("hub")],
            [
                .fixture(1, .fixture(cores: 16)), .fixture(2, .fixture(cores: 16), project: "q"),
                .fixture(3, .fixture(cores: 8), project: "q"),
            ],
            projects: [.init(name: projectName("p"), usage: 5), .init(name: projectName("q"))]
        )
        let plan = plan(snapshot)
        #expect(plan.placements.map(\.job) == [jobID(2)])
        #expect(plan.reservations.map(\.job) == [jobID(3)])
        #expect(plan.waiting[jobID(1)]?.code == "fair_share")
        #expect(
            plan.waiting[jobID(1)]?.headline
                == "There is room, but project p has used more of its share: 2 jobs of other projects go first."
        )
        #expect(plan.waiting[jobID(1)]?.figures["ahead"] == 2)
    }

    @Test("a job that can start says where and why")
    func ready() {
        let job = QueuedJob.fixture(7)
        let reason = explain(job, in: .fixture([.fixture("hub")], []))
        #expect(reason.code == "ready")
        #expect(reason.headline == "It can start now at hub.")
        #expect(reason.evidence == ["the only possible centre: leaves 15 cores on node n1; price 0.02 credits an hour"])
        #expect(reason.predictedStart == noon)
    }

    @Test("figures carry the numbers in base units")
    func figures() {
        let snapshot = Snapshot.fixture([.fixture("edge-1", runs: [Self.full])], [.fixture(1, .fixture(cores: 8))])
        let figures = plan(snapshot).waiting[jobID(1)]?.figures
        #expect(figures?["need"] == 8000 && figures?["have"] == 4000)
        #expect(figures?["predicted_start_ms"] == (noon + .seconds(3600)).milliseconds)
    }

    @Test("an unknown, silent or unreported centre leaves a request possible; a known small one does not")
    func feasible() {
        let huge = Request.fixture(cores: 999)
        #expect(feasibility(huge, centres: []) == .possible)
        #expect(feasibility(huge, centres: [.fixture("a", nodes: nil)]) == .possible)
        #expect(feasibility(.fixture(), centres: [.fixture("a", unseenSince: noon)]) == .possible)
        #expect(feasibility(.fixture(centres: ["b"]), centres: [.fixture("a")]) == .possible)
        guard case .impossible(let why) = feasibility(huge, centres: [.fixture("a", state: .draining)]) else {
            Issue.record("a draining centre that is too small makes it possible")
            return
        }
        #expect(why.text == "with 16 instead of 999 cores it would fit a")
        #expect(why.evidence == ["a is too small (16 of 999 cores)"])
    }

    @Test("a gang that is too large is offered fewer tasks")
    func gangTooLarge() {
        let nodes = (0..<3).map { Node.fixture("n\($0)", cores: 8) }
        guard
            case .impossible(let why) = feasibility(
                .fixture(tasks: 8, cores: 4),
                centres: [.fixture("a", nodes: nodes)]
            )
        else {
            Issue.record("eight tasks of four cores do not fit three nodes of eight")
            return
        }
        #expect(why.text == "with 6 instead of 8 tasks it would fit a")
        #expect(why.evidence == ["a is too small (6 of 8 tasks)"])
    }
}

@Suite struct AbsurdRequestTests {
    @Test("requests beyond all measure get a reason, never a crash")
    func absurd() {
        let most = Int64.max
        var queue: [QueuedJob] = []
        for (number, cores) in [most, most / 2, 0].enumerated() {
            let resources = TaskResources(cores: MilliCores(cores), memory: Bytes(most), cards: .max)
            let request = Request(tasks: 1 << 40, resources: resources, timeLimitSeconds: .max)
            queue.append(.fixture(number, request))
        }
        let project = Snapshot.Project(name: projectName("p"), quota: Quota(cores: 1, cards: 1), balance: 1)
        let cards = [CardGroup(model: "h100", count: 1)]
        let centre = Snapshot.Centre.fixture("a", nodes: [.fixture("n1", cards: cards)])
        let plan = plan(.fixture([centre], queue, projects: [project]))
        #expect(plan.waiting.count == 3)
        #expect(plan.waiting.values.allSatisfy { !$0.wayOut.isEmpty && !$0.headline.isEmpty })
        // The same against a centre that is merely silent, where the quota has to count it.
        #expect(Scheduling.plan(.fixture([.fixture("b", nodes: nil)], queue, projects: [project])).waiting.count == 3)
    }
}
