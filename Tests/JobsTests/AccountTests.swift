import Core
import Store
import Testing
import Wire

@testable import Jobs

@Suite struct AccountTests {
    /// What must hold after every step, by public reads.
    private func check(_ bench: Bench, quota: Quota, step: Int) async throws {
        try await bench.point.store.read { tx in
            let live = try tx.liveRuns()
            let sum = try tx.balances().reduce(0) { $0 + $1.amount.count }
            #expect(sum == 0, "step \(step): the ledger sums to \(sum)")
            for project in try tx.projects() {
                let own = live.filter { $0.project == project.name }
                let reserved = own.reduce(0) { $0 + $1.reserved.count }
                #expect(
                    try tx.balance(.reserved(project.name)).count == reserved,
                    "step \(step): reserved of \(project.name)"
                )
                if project.metered {
                    #expect(try tx.balance(.project(project.name)).count >= 0, "step \(step): \(project.name) owes")
                }
                let cores = own.reduce(MilliCores(0)) { $0 + $1.resources.cores * $1.tasks }
                let held = try tx.projectUsage(project.name)
                #expect(held.cores == cores && held.runs == own.count, "step \(step): held by \(project.name)")
                if project.name == bench.brain {
                    // The other is part of it.
                    let all = live.reduce(MilliCores(0)) { $0 + $1.resources.cores * $1.tasks }
                    #expect(all <= quota.cores ?? all, "step \(step): \(all) cores")
                    #expect(live.count <= quota.runs ?? live.count, "step \(step): \(live.count) runs")
                    let within = try tx.projectUsage(within: project.name)
                    #expect(within.cores == all && within.runs == live.count, "step \(step)")
                }
                var counted = JobCounts()
                for job in try tx.jobs(JobFilter(projects: [project.name]), limit: 100_000) { counted[job.state] += 1 }
                #expect(try tx.jobCounts([project.name])[project.name] ?? JobCounts() == counted, "step \(step)")
            }
            let perJob = Dictionary(grouping: live, by: \.key.job)
            #expect(perJob.values.allSatisfy { $0.count == 1 }, "step \(step): two live runs of one job")
            for run in live {
                #expect(
                    try tx.job(run.key.job)?.lifecycle.runNumber == run.key.number,
                    "step \(step): an old fence lives"
                )
            }
        }
    }

    /// Every view as text, by public reads.
    private func views(_ bench: Bench) async throws -> [String] {
        let point = bench.point
        var texts: [String] = []
        func add(_ value: some Encodable) throws {
            texts.append(String(decoding: try WireJSON.encode(value), as: UTF8.self))
        }
        for project in try await point.projects(bench.root) { try add(project) }
        for job in try await point.jobs(JobQuery(limit: 500), bench.root).items {
            try add(try await point.job(job.job, bench.root))
        }
        for centre in try await point.centres(bench.root) { try add(centre) }
        try add(try await point.balances(bench.root))
        try add(try await point.ledger(project: nil, cursor: nil, limit: 1000, bench.root))
        try add(try await point.usage(project: nil, from: nil, to: nil, cursor: nil, limit: 1000, bench.root))
        return texts
    }

    @Test(
        "over any sequence of steps no quota or voucher is exceeded, the books balance, and a rebuild changes nothing"
    )
    func property() async throws {
        var generator = SeededGenerator(SeededGenerator.seed("AccountTests.property"))
        let bench = try await Bench.make()
        let quota = Quota(cores: 6000, runs: 4)
        _ = try await bench.point.changeProject(
            bench.brain,
            ProjectPatch(quota: quota, metered: true),
            bench.root
        )
        _ = try await bench.point.changeProject(.named("other"), ProjectPatch(place: .below(bench.brain)), bench.root)
        let agents = [try await bench.centre("hub-1"), try await bench.centre("edge-1", tier: .edge, cores: 3000)]
        var jobs: [JobID] = []
        for step in 0..<150 {
            let agent = agents[Int.random(in: 0..<2, using: &generator)]
            switch Int.random(in: 0..<12, using: &generator) {
            case 0...2:
                let more = """
                    "tasks": \(Int.random(in: 1...2, using: &generator)), "preemptible": \(Bool.random(using: &generator)),
                    "priority": \(Int.random(in: 0...1000, using: &generator)),
                    "on_centre_loss": {"requeue_after": 30}, "retries": {"limit": 1, "on": ["exit", "lost"], "backoff": 1},
                    "resources": {"cores": \(Int.random(in: 1...3, using: &generator)), "time_limit": 600}
                    """
                let isBrain = Bool.random(using: &generator)
                jobs.append(
                    try await bench.submitJob(
                        "j\(step)",
                        more,
                        project: isBrain ? "brain" : "other",
                        as: isBrain ? bench.alice : bench.eve
                    )
                )
            case 3...4: try await bench.point.place()
            case 5: try await agent.accept()
            case 6: try await agent.start()
            case 7...8:
                guard let run = agent.holds.sorted().randomElement(using: &generator) else { continue }
                let kind = RunOutcome.Kind.allCases.filter { $0 != .missingOutput }.randomElement(using: &generator)
                let settled = try await agent.end(run, kind ?? .lost)
                if settled.settled.contains(run) { agent.holds.remove(run) }
            case 9:
                guard let job = jobs.randomElement(using: &generator), try await !bench.state(job).isTerminal else {
                    continue
                }
                _ = try await bench.point.cancel(job, bench.root)
            case 10:
                _ = try await bench.point.grantVoucher(
                    MicroCredits(Int64.random(in: 1...20_000, using: &generator)),
                    to: bench.brain,
                    note: "n",
                    bench.root
                )
            default:
                bench.clock.advance(.seconds(Int.random(in: 1...40, using: &generator)))
                for other in agents where Bool.random(using: &generator) { try await other.exchange() }
                try await bench.point.watch()
            }
            try await check(bench, quota: quota, step: step)
        }
        let before = try await views(bench)
        try await bench.point.store.rebuild()
        for (now, then) in zip(try await views(bench), before) { #expect(now == then) }
    }

    @Test("a metered project runs only what its vouchers cover, and is told what is missing")
    func voucher() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(prices: PriceTable(coreHour: 3_600_000))
        _ = try await bench.point.changeProject(bench.brain, ProjectPatch(metered: true), bench.root)
        let job = try await bench.submitJob("a", #""resources": {"cores": 1, "time_limit": 100}"#)
        try await bench.point.place()
        #expect(try await bench.point.why(job, bench.alice).code == "voucher")
        _ = try await bench.point.grantVoucher(100_000, to: bench.brain, note: "trial", bench.root)
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        #expect(try await bench.balance(.project(bench.brain)) == 0)
        #expect(try await bench.balance(.reserved(bench.brain)) == 100_000)
        bench.clock.advance(.seconds(25))
        try await agent.end(run)
        #expect(try await bench.point.job(job, bench.alice).charged == 25_000)
        #expect(try await bench.balance(.project(bench.brain)) == 75_000)
        #expect(try await bench.balance(.centre(.named("hub-1"))) == 25_000)
        let rows = try await bench.point.usage(
            project: nil,
            from: nil,
            to: nil,
            cursor: nil,
            limit: 10,
            bench.alice
        ).items
        #expect(rows.map(\.meter) == [.coreSeconds])
        #expect(rows.first?.microUnits == 25_000_000)
        await expectFailure(.forbidden) {
            try await bench.point.grantVoucher(1, to: bench.brain, note: "", bench.alice)
        }
        #expect(try await bench.point.balances(bench.eve).isEmpty)
    }

    @Test("what each project holds is told with its reason: quota, capacity, order, back-off")
    func whyWaiting() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 2000)
        _ = try await bench.point.changeProject(
            .named("other"),
            ProjectPatch(quota: Quota(runs: 0)),
            bench.root
        )
        let first = try await bench.submitJob("first", #""resources": {"cores": 2}"#)
        #expect(try await bench.point.why(first, bench.alice).code == "ready")
        try await bench.point.place()
        #expect(try await bench.point.why(first, bench.alice).code == "leased")
        try await agent.accept()
        #expect(try await bench.point.why(first, bench.alice).code == "submitting")
        let run = RunKey(job: first, number: 1)
        try await agent.report(
            [run],
            RunObservation(phase: .submitting, waiting: "staging in: 1 GiB of 2 GiB, 1 MiB/s")
        )
        #expect(
            try await bench.point.why(first, bench.alice).headline
                == "Centre 'hub-1' has it: staging in: 1 GiB of 2 GiB, 1 MiB/s"
        )
        try await agent.report([run], RunObservation(phase: .pending, engineJob: "e-1"))
        #expect(try await bench.point.why(first, bench.alice).code == "pending")
        #expect(try await bench.point.job(first, bench.alice).runs.first?.waiting == nil)
        try await agent.report([run], .running(at: bench.clock.now))
        #expect(try await bench.point.why(first, bench.alice).code == "running")
        let second = try await bench.submitJob("second", #""resources": {"cores": 2}"#)
        let capacity = try await bench.point.why(second, bench.alice)
        #expect(capacity.code == "capacity")
        #expect(capacity.evidence.joined().contains("\(first)"))
        let third = try await bench.submitJob("third", project: "other", as: bench.eve)
        #expect(try await bench.point.why(third, bench.eve).code == "quota")
        let held = try await bench.submitJob("held", #""after": ["\#(second)"]"#)
        #expect(try await bench.point.why(held, bench.alice).code == "dependency")
        await expectFailure(.notFound) { try await bench.point.why(second, bench.eve) }
        try await bench.point.place()
        let overview = try await bench.point.overview(project: nil, bench.alice)
        #expect(Set(overview.waiting.map(\.code)) == ["capacity", "dependency"])
    }

    @Test("the reason why a job waits names no job of another project")
    func whyTellsNothing() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 2000)
        let secret = try await bench.submitJob("secret", #""resources": {"cores": 2}"#)
        try await bench.point.place()
        try await agent.start()
        let job = try await bench.submitJob("a", #""resources": {"cores": 2}"#, project: "other", as: bench.eve)
        try await bench.point.place()
        let id = "\(secret)"
        let why = try await bench.point.why(job, bench.eve)
        #expect(why.code == "capacity")
        #expect(!"\(why)".contains(id))
        #expect("\(try await bench.point.why(job, bench.root))".contains(id))
        #expect(!"\(try await bench.point.job(job, bench.eve).summary)".contains(id))
        #expect(!"\(try await bench.point.overview(project: nil, bench.eve))".contains(id))
    }

    @Test("of many waiting jobs each is answered for as of the latest cycle, also one that no cycle has looked at")
    func manyWaiting() async throws {
        let bench = try await Bench.make {
            $0.queueWindow = 3
            $0.exactAnswersMax = 0
        }
        let agent = try await bench.centre(cores: 1000)
        let first = try await bench.submitJob("first")
        let array = try #require(
            try await bench.submit(#"{"name": "work", "command": ["true"], "array": 20}"#).array
        )
        try await bench.point.place()
        try await agent.start()
        try await bench.point.place()
        #expect(try await bench.state(first) == .active)
        let jobs = try await bench.point.store.read { try $0.jobs(of: array, limit: 20).map(\.id) }
        for job in jobs {
            let why = try await bench.point.why(job, bench.alice)
            #expect(why.code == "capacity" && why.evidence.contains { $0.contains("hub-1 lacks cores") })
        }
        let start = try await bench.point.why(jobs[0], bench.alice).predictedStart
        #expect(start == bench.clock.now + .seconds(3600), "what was foretold of the first of them")
    }

    @Test("jobs that back off do not keep others from being looked at")
    func window() async throws {
        let bench = try await Bench.make { $0.queueWindow = 3 }
        let agent = try await bench.centre(cores: 1000)
        for index in 0..<4 {
            _ = try await bench.submitJob(
                "b\(index)",
                #""priority": 900, "retries": {"limit": 5, "on": ["exit"], "backoff": 3600}"#
            )
            try await bench.point.place()
            let run = try #require(try await agent.start().first)
            try await agent.end(run, .exit, code: 1)
            agent.holds = []
        }
        let job = try await bench.submitJob("a")
        try await bench.point.place()
        #expect(try await bench.state(job) == .active)
    }
}
