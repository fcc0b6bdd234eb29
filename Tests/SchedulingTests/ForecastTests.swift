import Core
import Scheduling
import Testing

@Suite("What is foretold") struct ForecastTests {
    @Test("p50 and p90 hold as often as they say, also after the world has changed", arguments: seeds(5))
    func calibration(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var calibration = Calibration(floorSeconds: 10)
        var held = (p50: 0, p90: 0, count: 0)
        for step in 0..<6000 {
            let predicted = Double(chance.int(10...5000))
            // A model that is off by a factor, and by another one later.
            let factor = step < 2000 ? 0.25 : 3.0
            let spread = Double(chance.int(1...400)) / 100
            let truth = predicted * factor * spread
            let contexts = Forecaster.waitContexts(seconds: predicted)
            let span = calibration.span(predicted, contexts)
            if step < 20 { #expect(span == nil, "nothing is said before enough was seen") }
            if step >= 3000, let span {
                held.count += 1
                if truth <= span.p50 { held.p50 += 1 }
                if truth <= span.p90 { held.p90 += 1 }
                #expect(span.p50 <= span.p90 && span.p50 >= 0)
            }
            calibration.learn(predicted, said: span, truth: truth, contexts)
        }
        let (p50, p90) = (Double(held.p50) / Double(held.count), Double(held.p90) / Double(held.count))
        #expect((0.46...0.54).contains(p50), "p50 holds for \(p50)")
        #expect((0.88...0.92).contains(p90), "p90 holds for \(p90)")
    }

    @Test("what is foreseen is what happens when runs take as long as expected and nobody comes", arguments: seeds(20))
    func foresight(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let nodes = (0..<chance.int(1...3)).map { _ in
            (0..<chance.int(1...4)).map { _ in NodeKind(milliCores: chance.int(2...8) * 1000, memoryMiB: 1024) }
        }
        var scheduler = Scheduler(sites: nodes, rules: .standard)
        let classes = (1...4).compactMap { scheduler.addClass(Need(milliCores: $0 * 1000)) }
        guard !classes.isEmpty else { return }
        var runs: [Int32: Int64] = [:]
        for job in 0..<Int32(chance.int(10...40)) {
            let run = Int64(chance.int(1...100)) * 1000
            runs[job] = run
            scheduler.submit(
                job,
                class: classes[chance.int(0...classes.count - 1)],
                estimate: run,
                limit: run * Int64(chance.int(1...5)),
                at: Int64(job)
            )
        }
        let now: Int64 = 100
        let foreseen = scheduler.foresee(Set(runs.keys), at: now)
        #expect(foreseen.count == runs.count)
        var ends: [(at: Int64, job: Int32)] = []
        var time = now
        var begun: [Int32: Int64] = [:]
        while begun.count < runs.count {
            var started: [Scheduler.Start] = []
            scheduler.pass(at: time, started: &started)
            for start in started {
                begun[start.job] = time
                ends.append((time + (runs[start.job] ?? 0), start.job))
            }
            ends.sort { ($0.at, $0.job) < ($1.at, $1.job) }
            guard let next = ends.first?.at else { break }
            time = next
            while let first = ends.first, first.at == time {
                scheduler.end(first.job, at: time)
                ends.removeFirst()
            }
        }
        #expect(begun == foreseen)
    }

    @Test("from a snapshot: behind what runs, at the price of the cheapest centre, bounded by limits")
    func outlook() throws {
        let busy = Snapshot.Run(
            key: RunKey(job: jobID(1), number: 1),
            project: projectName("brain"),
            nodes: [NodeShare(node: "n1", tasks: 1)],
            resources: TaskResources(cores: .cores(16)),
            leasedAt: noon + .seconds(-100),
            startedAt: noon + .seconds(-100),
            timeLimitSeconds: 7200,
            estimateSeconds: 700
        )
        let dear = PriceTable(coreHour: 50_000)
        let snapshot = Snapshot(
            now: noon,
            centres: [
                .fixture("hub-1", prices: dear, runs: [busy]),
                .fixture("hub-2", nodes: [.fixture("n1", cores: 2)]),
                .fixture("away", unseenSince: noon, nodes: [.fixture("n1", cores: 64)]),
            ],
            projects: [],
            queue: [
                queued(2, cores: 16), queued(3, cores: 2), queued(4, cores: 64),
            ]
        )
        let prospects = Outlook(snapshot).prospects(of: [jobID(2), jobID(3), jobID(4)])
        let big = try #require(prospects[jobID(2)])
        #expect(big.wait == 600, "when the run before it is expected to end")
        #expect(big.waitMax == 7100, "when the run before it has to end")
        #expect(big.pricePerHour == MicroCredits(16 * 50_000))
        let small = try #require(prospects[jobID(3)])
        #expect(small.wait == 0)
        #expect(small.pricePerHour == MicroCredits(2 * 20_000), "the cheapest, wherever it starts")
        #expect(prospects[jobID(4)] == nil, "no open centre could run it")
    }

    @Test("absurd sizes, and runs on nodes that have shrunk, are got over")
    func absurd() {
        func run(_ number: Int, memory: Bytes, tasks: Int) -> Snapshot.Run {
            Snapshot.Run(
                key: RunKey(job: jobID(number), number: 1),
                project: projectName("brain"),
                nodes: [NodeShare(node: "n1", tasks: tasks), NodeShare(node: "gone", tasks: 1)],
                resources: TaskResources(cores: .cores(1), memory: memory),
                leasedAt: noon,
                timeLimitSeconds: 100
            )
        }
        let vast = Node(name: "n1", cores: .cores(1 << 40), memory: Bytes(1 << 62), cards: [])
        let runs = (1...6).map { run($0, memory: Bytes(1 << 50), tasks: 1_000_000) }
        let snapshot = Snapshot(
            now: noon,
            centres: [
                .fixture("hub-1", nodes: [vast], runs: runs),
                .fixture("hub-2", nodes: [.fixture("n1", cores: 0)], runs: [run(9, memory: .gibi(1), tasks: 40)]),
            ],
            projects: [],
            queue: [queued(20, cores: 1 << 40), queued(21, cores: 1)]
        )
        #expect(Outlook(snapshot).prospects(of: [jobID(20), jobID(21)])[jobID(21)] != nil)
    }

    @Test("quotas, shares and priorities count for those who wait")
    func projects() throws {
        let brain = projectName("brain")
        let apes = projectName("apes")
        func run(_ number: Int, _ project: ProjectName, cores: Int, ends seconds: Int) -> Snapshot.Run {
            Snapshot.Run(
                key: RunKey(job: jobID(number), number: 1),
                project: project,
                nodes: [NodeShare(node: "n1", tasks: 1)],
                resources: TaskResources(cores: .cores(cores)),
                leasedAt: noon,
                startedAt: noon,
                timeLimitSeconds: seconds
            )
        }
        var quota = Quota()
        quota.cores = .cores(4)
        let snapshot = Snapshot(
            now: noon,
            centres: [
                .fixture("hub-1", runs: [run(1, brain, cores: 4, ends: 500), run(2, apes, cores: 10, ends: 900)])
            ],
            projects: [
                Snapshot.Project(name: brain, quota: quota), Snapshot.Project(name: apes, usage: 5),
                Snapshot.Project(name: projectName("new")),
            ],
            queue: [
                queued(3, cores: 2, limit: 300), queued(4, cores: 16, project: "apes"),
                queued(5, cores: 16, project: "new"),
                queued(6, cores: 16, project: "new", priority: 900),
            ]
        )
        let waits = Outlook(snapshot).prospects(of: Set((3...6).map(jobID))).mapValues(\.wait)
        #expect(waits[jobID(3)] == 500, "its project may hold four cores; two are free all the time")
        #expect(waits[jobID(6)] == 900, "the higher priority first")
        #expect(waits[jobID(5)] == 960 && waits[jobID(4)] == 1020, "who has used more comes later")
    }

    @Test("the quotas and shares of what a project is part of count too")
    func projectTree() throws {
        let names = ["top", "one", "two", "rival"].map(projectName)
        let run = Snapshot.Run(
            key: RunKey(job: jobID(1), number: 1),
            project: names[1],
            nodes: [NodeShare(node: "n1", tasks: 1)],
            resources: TaskResources(cores: .cores(4)),
            leasedAt: noon,
            startedAt: noon,
            timeLimitSeconds: 500
        )
        var snapshot = Snapshot(
            now: noon,
            centres: [.fixture("hub-1", runs: [run])],
            projects: [
                // Below comes before above.
                Snapshot.Project(name: names[1], parent: names[0], usage: 2),
                Snapshot.Project(name: names[2], parent: names[0]),
                Snapshot.Project(name: names[0], quota: Quota(cores: .cores(4))),
                Snapshot.Project(name: names[3], usage: 1),
            ],
            queue: [queued(2, cores: 1, project: "two", limit: 300), queued(3, cores: 1, project: "top", limit: 300)]
        )
        var waits = Outlook(snapshot).prospects(of: [jobID(2), jobID(3)]).mapValues(\.wait)
        #expect(waits == [jobID(2): 500, jobID(3): 500], "all that top may hold is held below it")
        snapshot.projects[2].quota = Quota()
        snapshot.queue = [
            queued(2, cores: 16, project: "two"), queued(3, cores: 16, project: "top"),
            queued(4, cores: 16, project: "rival"), queued(5, cores: 16, project: "one"),
        ]
        waits = Outlook(snapshot).prospects(of: Set((2...5).map(jobID))).mapValues(\.wait)
        // Two and the own jobs of top have used nothing, but top has with what one did.
        #expect(waits[jobID(4)] == 500 && waits[jobID(5)] == 680, "\(waits)")
    }

    @Test("who waits for a reservation is foretold its end, its holder its beginning, and others what it leaves them")
    func reservations() throws {
        func waits(_ reservation: Reservation, _ jobs: QueuedJob...) -> [Double?] {
            let centre = Snapshot.Centre.fixture("c", nodes: [.fixture("n1"), .fixture("n2")]).reserving(reservation)
            let prospects = Outlook(.fixture([centre], jobs)).prospects(of: Set(jobs.map(\.id)))
            return jobs.map { prospects[$0.id]?.wait }
        }
        let power = Reservation.fixture("power", from: 3600, to: 7200)
        #expect(waits(power, queued(1, cores: 16, limit: 3600), queued(2, cores: 1, limit: 3601)) == [0, 7200])
        // Nobody says anything else of the project.
        let course = Reservation.fixture("course", project: "course", from: 0, to: 7200, [.init(node: "n2")])
        let three = (1...3).map { queued($0, cores: 16, project: $0 == 3 ? "course" : "brain", limit: 9000) }
        #expect(waits(course, three[0], three[1], three[2]) == [0, 60, 0], "n2 is not theirs for an hour each")
        let gang = QueuedJob.fixture(1, .fixture(tasks: 2, cores: 16), project: "brain")
        #expect(waits(course, gang) == [7200])
        let part = Reservation.Amount(cores: .cores(10), memory: .gibi(10))
        let parts = Reservation.fixture("some", project: "course", from: 0, to: 500, [.init(node: "n1", amount: part)])
        let small = (1...4).map { queued($0, cores: 6, project: "brain", limit: 100) }
        #expect(
            waits(parts, small[0], small[1], small[2], small[3]) == [0, 0, 0, 60],
            "one beside it, two on the other"
        )
    }

    private func queued(
        _ number: Int,
        cores: Int,
        project: String = "brain",
        priority: Int = 500,
        limit: Int = 3600
    ) -> QueuedJob {
        var job = QueuedJob.fixture(
            number,
            Request(resources: TaskResources(cores: .cores(cores)), timeLimitSeconds: limit),
            project: project,
            priority: priority
        )
        job.estimateSeconds = 60
        return job
    }
}
