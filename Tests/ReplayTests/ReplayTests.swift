import Core
import Foundation
import Replay
import Testing

@Suite struct ReplayTests {
    private static func policy(_ name: String) throws -> ReplayPolicy { try #require(ReplayPolicy(name)) }

    private static func run(
        _ jobs: [TraceJob],
        _ policy: String,
        on federation: Federation,
        _ options: ReplayOptions = ReplayOptions()
    ) throws -> Experiment.Outcome {
        try Experiment(Trace(name: "test", jobs: jobs), on: federation, options: options)
            .run(Self.policy(policy), cpuTime: { 0 })
    }

    @Test("first come, first served waits behind the head; backfill passes it without putting it off")
    func backfill() throws {
        // Four processors: the first takes three for 100 s, the second wants all, the third one for 50 s.
        let jobs = [
            TraceJob(submit: 0, run: 100, requested: 100, milliCores: 3000),
            TraceJob(submit: 1, run: 10, requested: 10, milliCores: 4000),
            TraceJob(submit: 2, run: 50, requested: 50, milliCores: 1000),
            TraceJob(submit: 3, run: 200, requested: 200, milliCores: 1000),
        ]
        let machine = Federation.processors(4)
        #expect(try Self.run(jobs, "fcfs", on: machine).schedule.start == [0, 100, 110, 110])
        #expect(try Self.run(jobs, "easy", on: machine).schedule.start == [0, 100, 2, 110])
        #expect(try Self.run(jobs, "conservative", on: machine).schedule.start == [0, 100, 2, 110])
        #expect(try Self.run(jobs, "greedy", on: machine).schedule.start == [0, 252, 2, 52])
    }

    @Test("estimates are learned: what always ran briefly passes what always ran long")
    func learned() throws {
        var jobs: [TraceJob] = []
        for round in 0..<10 {
            let at = Int64(round) * 10_000
            jobs.append(TraceJob(submit: at, run: 5000, requested: 90_000, milliCores: 1000, user: 1))
            jobs.append(TraceJob(submit: at + 6000, run: 10, requested: 90_000, milliCores: 1000, user: 2))
        }
        // All at once on a machine that is busy: both kinds ask for the same time.
        let begin: Int64 = 200_000
        jobs.append(TraceJob(submit: begin, run: 1000, requested: 90_000, milliCores: 1000, user: 3))
        for _ in 0..<3 {
            jobs.append(TraceJob(submit: begin + 1, run: 5000, requested: 90_000, milliCores: 1000, user: 1))
        }
        jobs.append(TraceJob(submit: begin + 2, run: 10, requested: 90_000, milliCores: 1000, user: 2))
        let outcome = try Self.run(jobs, "onepoint", on: .processors(1))
        #expect(outcome.schedule.start.last == begin + 1000, "the short one is next, although it came last")
    }

    @Test("forecasts are scored on the later half, and hold about as often as they say")
    func forecasts() throws {
        var chance = SplitMix(seed: 7)
        var at: Int64 = 0
        let jobs = (0..<4000).map { _ in
            at += Int64(Int.random(in: 0..<60, using: &chance))
            let run = Int64(1 + Int.random(in: 0..<20, using: &chance) * Int.random(in: 0..<20, using: &chance))
            let cores = Int.random(in: 1...3, using: &chance)
            return TraceJob(submit: at, run: run, requested: 400, milliCores: 1000 * cores)
        }
        var options = ReplayOptions()
        options.forecastEvery = 1
        let outcome = try Self.run(jobs, "onepoint", on: .processors(6), options)
        let score = try #require(outcome.schedule.forecasts)
        #expect(score.atOnce + score.waits.count == 2000)
        let (waits, runs) = (score.waits, score.runs)
        #expect(waits.count > 500 && runs.count == 2000)
        #expect((0.85...0.95).contains(Double(waits.p90) / Double(waits.count)), "\(waits)")
        #expect((0.85...0.95).contains(Double(runs.p90) / Double(runs.count)), "\(runs)")
        options.forecastEvery = 0
        let without = try Self.run(jobs, "onepoint", on: .processors(6), options)
        #expect(without.schedule.hash == outcome.schedule.hash, "to look ahead changes nothing")
    }

    @Test("a centre that is away loses its runs once, and none of its jobs")
    func outage() throws {
        let node = Federation.Node(milliCores: 4000, memoryMiB: 1024)
        let federation = Federation(centres: [.init(name: "a", nodes: [node]), .init(name: "b", nodes: [node])])
        let jobs = (0..<8).map { TraceJob(submit: Int64($0), run: 1000, requested: 1000, milliCores: 2000) }
        var options = ReplayOptions()
        options.outages = [.init(centre: 0, start: 500, end: 5000)]
        let outcome = try Self.run(jobs, "onepoint", on: federation, options)
        #expect(outcome.schedule.interrupted == 2)
        #expect(outcome.metrics.jobs == 8)
        for (start, centre) in zip(outcome.schedule.start, outcome.schedule.centre) where centre == 0 {
            #expect(start >= 5000, "something started at a centre that was away")
        }
        #expect(outcome.schedule.start.allSatisfy { $0 >= 0 })
    }

    @Test("jobs of more cards than a node has take whole nodes and the rest of another")
    func gangs() throws {
        let federation = Federation(
            centres: [
                .init(
                    name: "a",
                    nodes: Array(repeating: .init(milliCores: 64_000, memoryMiB: 1024, cards: 8), count: 3)
                )
            ]
        )
        let jobs = [
            TraceJob(submit: 0, run: 100, requested: 100, cards: 20),
            TraceJob(submit: 1, run: 10, requested: 10, cards: 4),
            TraceJob(submit: 2, run: 10, requested: 10, cards: 5),
            TraceJob(submit: 3, run: 10, requested: 10, cards: 25),
        ]
        let outcome = try Self.run(jobs, "easy", on: federation)
        #expect(outcome.schedule.start == [0, 1, 100, -1])
        #expect(outcome.schedule.impossible == 1)
    }

    @Test("the same seed gives the same schedule, and another policy another")
    func deterministic() throws {
        let jobs = (0..<400).map { number in
            TraceJob(
                submit: Int64(number) * 7,
                run: Int64(number * 37 % 211 + 1),
                requested: Int64(number * 37 % 211 + 50),
                milliCores: (number * 13 % 7 + 1) * 1000,
                user: Int32(number % 5)
            )
        }
        let machine = Federation.processors(16)
        let first = try Self.run(jobs, "onepoint", on: machine)
        #expect(try Self.run(jobs, "onepoint", on: machine).schedule.hash == first.schedule.hash)
        let other = try Self.run(jobs, "fcfs", on: machine)
        #expect(other.schedule.hash != first.schedule.hash)
        let comparison = Comparison(first, with: other, jobs: jobs, seed: 1)
        #expect(comparison.wait.low <= comparison.wait.mean && comparison.wait.mean <= comparison.wait.high)
        let same = Comparison(first, with: first, jobs: jobs, seed: 1)
        #expect(same.wait.low == 0 && same.wait.mean == 0 && same.wait.high == 0)
    }

    @Test("projects share a machine that all came to at once, and the policies that know none serve them by arrival")
    func projects() throws {
        // Four jobs of one user, then two of another, on one processor.
        let jobs = [7, 7, 7, 7, 3, 3].map { user in
            TraceJob(submit: 0, run: 100, requested: 100, milliCores: 1000, user: Int32(user))
        }
        var options = ReplayOptions()
        options.projects = .user
        let shared = try Self.run(jobs, "onepoint", on: .processors(1), options)
        #expect(shared.schedule.start.sorted() == [0, 100, 200, 300, 400, 500])
        #expect(shared.schedule.start[4...].sorted() == [0, 200], "of equals the first by number begins")
        #expect(shared.projects.map(\.name) == ["user 3", "user 7"])
        #expect(shared.projects.map(\.jobs) == [2, 4])
        // The first held the machine 200 s of 300 in which it had work, and half was due to it.
        #expect(abs(shared.projects[0].held - 2.0 / 3) < 1e-9 && abs(shared.projects[0].ofDue - 4.0 / 3) < 1e-9)
        #expect(abs(shared.projects[1].ofDue - 4.0 / 3) < 1e-9)
        #expect(shared.projects.map(\.meanWait) == [100, 325])
        let (few, many) = (2.0, (200.0 + 400 + 500 + 600) / 400)
        let jain = (few + many) * (few + many) / (2 * (few * few + many * many))
        #expect(abs(ProjectMetrics.jain(shared.projects) - jain) < 1e-9)
        let blind = try Self.run(jobs, "patience", on: .processors(1), options)
        #expect(blind.schedule.start == [0, 100, 200, 300, 400, 500])
        #expect(blind.projects[0].ofDue < 1)
    }

    @Test("the report stands alone and shows every policy")
    func report() throws {
        let jobs = (0..<50).map { TraceJob(submit: Int64($0), run: 100, requested: 100, milliCores: 1000) }
        var trace = Trace(name: "<trace>", jobs: jobs)
        for index in trace.jobs.indices { trace.jobs[index].project = Int32(index % 2) }
        trace.names[.project] = [0: "<one>"]
        var options = ReplayOptions()
        options.projects = .project
        let experiment = try Experiment(trace, on: .processors(4), options: options)
        let outcomes = try ["fcfs", "easy"].map { try experiment.run(try Self.policy($0), cpuTime: { 0 }) }
        let page = experiment.html(outcomes, [Comparison(outcomes[1], with: outcomes[0], jobs: jobs, seed: 1)])
        #expect(page.contains("&lt;trace&gt;") && !page.contains("<trace>"))
        #expect(page.contains("&lt;one&gt;") && !page.contains("<one>") && page.contains("project 1"))
        #expect(page.contains("<svg") && page.contains("easy") && page.contains("fcfs"))
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"))
    }
}
