import Core
import Scheduling
import Testing

@Suite struct FairnessTests {
    @Test("two equal projects with equal demands get equal shares, although one submitted everything first")
    func equalShares() {
        var federation = Federation(
            [.fixture("hub", nodes: [.fixture("n1", cores: 8), .fixture("n2", cores: 8)])],
            projects: [.init(name: projectName("early")), .init(name: projectName("late"))]
        )
        for number in 0..<400 {
            let project = number < 200 ? "early" : "late"
            federation.submit(.fixture(number, .fixture(cores: 2, seconds: 600), project: project))
        }
        for _ in 0..<20 { federation.step(seconds: 600) }
        let early = federation.started.keys.count { $0 < jobID(200) }
        let late = federation.started.keys.count - early
        #expect(early + late == 160)
        #expect(abs(early - late) <= 8, "\(early) and \(late)")
    }

    @Test("a project of three times the weight gets three times the share")
    func weights() {
        var federation = Federation(
            [.fixture("hub", nodes: [.fixture("n1", cores: 8)])],
            projects: [.init(name: projectName("one"), weight: 100), .init(name: projectName("three"), weight: 300)]
        )
        for number in 0..<400 {
            let project = number < 200 ? "one" : "three"
            federation.submit(.fixture(number, .fixture(cores: 1, seconds: 600), project: project))
        }
        for _ in 0..<20 { federation.step(seconds: 600) }
        let one = federation.started.keys.count { $0 < jobID(200) }
        #expect((36...44).contains(one), "\(one) of \(federation.started.count)")
    }

    @Test("by dominant share a project of card jobs and one of core jobs come out even")
    func dominant() {
        let cards = [CardGroup(model: "h100", count: 4)]
        var federation = Federation(
            [.fixture("hub", nodes: (0..<4).map { .fixture("n\($0)", cores: 16, gibi: 64, cards: cards) })],
            projects: [.init(name: projectName("cards")), .init(name: projectName("cores"))]
        )
        // A card is a sixteenth of all cards; four cores are a sixteenth of all cores. Ten of each do not fit at once.
        for number in 0..<200 {
            federation.submit(.fixture(number, .fixture(cores: 4, cards: 1, seconds: 600), project: "cards"))
            federation.submit(.fixture(1000 + number, .fixture(cores: 4, seconds: 600), project: "cores"))
        }
        for _ in 0..<10 { federation.step(seconds: 600) }
        let withCards = federation.started.keys.count { $0 < jobID(1000) }
        let without = federation.started.count - withCards
        #expect(withCards + without == 160)
        #expect(abs(withCards - without) <= 8, "\(withCards) and \(without)")
    }

    @Test("within a project priority goes before arrival")
    func priority() {
        let snapshot = Snapshot.fixture(
            [.fixture("hub", nodes: [.fixture("n1", cores: 2)])],
            [.fixture(1, .fixture(cores: 2)), .fixture(2, .fixture(cores: 2), priority: 900)]
        )
        #expect(plan(snapshot).placements.map(\.job) == [jobID(2)])
    }

    @Test("a big job among endless small ones starts by the time its room was promised for")
    func noStarvation() throws {
        for seed in seeds(10) {
            var g = SeededGenerator(seed: seed)
            var federation = Federation(
                [
                    .fixture("hub", nodes: (0..<4).map { .fixture("n\($0)", cores: 8) }),
                    .fixture("edge", tier: .edge, nodes: [.fixture("e1", cores: 4)]),
                ],
                projects: [.init(name: projectName("p"))]
            )
            var number = 0
            func submitSmall() {
                for _ in 0..<6 {
                    number += 1
                    let limit = Int.random(in: 60...600, using: &g)
                    federation.submit(
                        .fixture(number, .fixture(cores: Int.random(in: 1...3, using: &g), seconds: limit)),
                        seconds: Int.random(in: 30...limit, using: &g)
                    )
                }
            }
            for _ in 0..<10 {
                submitSmall()
                federation.step(seconds: 60)
            }
            let big = QueuedJob.fixture(100_000, .fixture(tasks: 4, cores: 8, seconds: 600))
            // First in line from now on: its turn is the earliest.
            federation.submit(
                QueuedJob(
                    id: big.id,
                    project: big.project,
                    sequence: -1,
                    submittedAt: noon,
                    request: big.request,
                    estimateSeconds: 1
                )
            )
            let at = federation.snapshot.now
            var promised: Instant?
            for _ in 0..<40 where federation.started[big.id] == nil {
                submitSmall()
                let plan = federation.step(seconds: 60)
                guard let reservation = plan.reservations.first(where: { $0.job == big.id }) else { continue }
                if let promised { #expect(reservation.start <= promised, "a promise was put off, seed \(seed)") }
                promised = reservation.start
            }
            let started = try #require(federation.started[big.id], "never started, seed \(seed)")
            // No small job lasts longer than 600 s; cycles come every 60 s.
            #expect((started - at).seconds <= 660, "seed \(seed)")
        }
    }

    @Test("each centre keeps room for its own first blocked job, so a queue at one does not starve another")
    func reservationsPerCentre() {
        let busy = Snapshot.Run.fixture(900, on: [NodeShare(node: "n1", tasks: 1)], cores: 8)
        let snapshot = Snapshot.fixture(
            [
                .fixture("a", nodes: [.fixture("n1", cores: 16)], runs: [busy]),
                .fixture("b", nodes: [.fixture("n1", cores: 16)], runs: [busy]),
            ],
            [
                .fixture(1, .fixture(cores: 16, centres: ["a"])),
                .fixture(2, .fixture(cores: 16, centres: ["a"])),
                .fixture(3, .fixture(cores: 16, centres: ["b"])),
                .fixture(4, .fixture(cores: 8, seconds: 7200, centres: ["b"])),
                .fixture(5, .fixture(cores: 8, seconds: 3600, centres: ["b"])),
            ]
        )
        let plan = plan(snapshot)
        #expect(plan.reservations.map(\.job) == [jobID(1), jobID(3)])
        // Job 4 would last beyond the start of job 3; job 5 ends just in time.
        #expect(plan.placements.map(\.job) == [jobID(5)])
        #expect(plan.waiting[jobID(4)]?.code == "behind")
    }

    @Test("who could run at several centres has room kept at one, and while it waits nobody else there has")
    func oneOfSeveral() {
        let busy = Snapshot.Run.fixture(900, on: [NodeShare(node: "n1", tasks: 1)], cores: 8)
        let snapshot = Snapshot.fixture(
            ["a", "b", "c"].map { .fixture($0, nodes: [.fixture("n1", cores: 16)], runs: [busy]) },
            [
                .fixture(1, .fixture(cores: 16, centres: ["a", "b"])),
                .fixture(2, .fixture(cores: 16)),
                .fixture(3, .fixture(cores: 16, centres: ["c"])),
                .fixture(4, .fixture(cores: 8, seconds: 7200, centres: ["a"])),
                .fixture(5, .fixture(cores: 8, seconds: 7200, centres: ["b"])),
                .fixture(6, .fixture(cores: 8, seconds: 7200, centres: ["c"])),
            ]
        )
        let plan = plan(snapshot)
        // Job 2 could go anywhere, so it waits for its turn; job 3 is in nobody's way.
        #expect(plan.reservations.map(\.job) == [jobID(1), jobID(3)])
        #expect(plan.reservations.first?.centre == centreName("a"))
        #expect(plan.placements.map(\.job) == [jobID(5)])
        #expect(plan.waiting[jobID(2)]?.code == "capacity" && plan.waiting[jobID(4)]?.code == "behind")
    }

    @Test("room made by preemption goes to the job it was made for, although others come first in order")
    func claims() {
        var federation = Federation(
            [.fixture("hub", nodes: [.fixture("n1", cores: 8)])],
            projects: [.init(name: projectName("poor")), .init(name: projectName("rich"), usage: 50)]
        )
        let low = Request.fixture(cores: 8, seconds: 7200)
        federation.submit(.fixture(1, low, project: "poor", priority: 100, preemptible: true))
        federation.step(seconds: 60)
        federation.submit(.fixture(2, low, project: "poor", priority: 100))
        federation.submit(.fixture(3, .fixture(cores: 8), project: "rich", priority: 900))
        let first = federation.step(seconds: 60)
        #expect(first.preemptions.map(\.job) == [jobID(3)])
        #expect(first.waiting[jobID(2)]?.code == "capacity")
        let next = federation.step(seconds: 60)
        #expect(next.placements.map(\.job) == [jobID(3)])
        #expect(next.preemptions.isEmpty)
    }

    @Test("decay halves in a half-life and is exact at its ends")
    func decay() {
        #expect(FairShare.decay(elapsedSeconds: 0, halfLifeSeconds: 100) == 1)
        #expect(FairShare.decay(elapsedSeconds: 100, halfLifeSeconds: 100) == 0.5)
        #expect(abs(FairShare.decay(elapsedSeconds: 150, halfLifeSeconds: 100) - 0.353_553_390_593_273_8) < 1e-15)
        #expect(FairShare.decay(elapsedSeconds: 1e9, halfLifeSeconds: 1) == 0)
        let used = FairShare.Interval(share: 0.5, from: noon - .seconds(7200), to: noon - .seconds(3600))
        #expect(FairShare.usage(of: [used], now: noon, halfLifeSeconds: 3600) == 0.25)
    }

    @Test("of one project the job that is expected to be short goes first, until the long one has waited two days")
    func patience() {
        let long = QueuedJob.fixture(1, .fixture(cores: 8, seconds: 100_000))
        func short(submittedAt: Instant) -> QueuedJob {
            QueuedJob(
                id: jobID(2),
                project: long.project,
                sequence: 2,
                submittedAt: submittedAt,
                request: .fixture(cores: 8, seconds: 100_000),
                estimateSeconds: 60
            )
        }
        func first(_ other: QueuedJob) -> JobID? {
            let snapshot = Snapshot(
                now: noon + .seconds(400_000),
                centres: [.fixture("hub", nodes: [.fixture("n", cores: 8)])],
                projects: [.init(name: long.project)],
                queue: [long, other]
            )
            return plan(snapshot).placements.first?.job
        }
        #expect(first(short(submittedAt: noon + .seconds(3600))) == jobID(2))
        #expect(first(short(submittedAt: noon + .seconds(49 * 3600))) == jobID(1))
    }
}
