import Core
import Foundation
import Replay
import Testing

/// A trace under what a running point decides by.
@Suite("A replay by the point's plans") struct PointReplayTests {
    private static func run(
        _ jobs: [TraceJob],
        on federation: Federation,
        models: [[String]] = [],
        _ options: ReplayOptions = ReplayOptions()
    ) throws -> Experiment.Outcome {
        try Experiment(Trace(name: "test", jobs: jobs, modelSets: models), on: federation, options: options)
            .run(try #require(ReplayPolicy("point")), cpuTime: { 0 })
    }

    private static func nodes(_ count: Int, cores: Int = 4, cards: Int = 0, model: String = "") -> [Federation.Node] {
        Array(
            repeating: .init(milliCores: cores * 1000, memoryMiB: 1024, cards: cards, model: model),
            count: count
        )
    }

    private static func job(_ submit: Int64, _ run: Int64, cores: Int) -> TraceJob {
        TraceJob(submit: submit, run: run, requested: run, milliCores: cores * 1000)
    }

    @Test("who may be preempted gives way after its grace, and what it did is lost")
    func preempted() throws {
        var low = Self.job(0, 1000, cores: 4)
        (low.priority, low.preemptible) = (100, true)
        var high = Self.job(300, 50, cores: 4)
        high.priority = 900
        let federation = Federation(centres: [.init(name: "a", nodes: Self.nodes(1))])
        let outcome = try Self.run([low, high], on: federation)
        #expect(outcome.schedule.start == [360, 310])
        #expect(outcome.metrics.stops?.preempted == 1 && outcome.metrics.stops?.relocated == 0)
        #expect(outcome.metrics.stops?.lostHours == 4 * 310 / 3600.0)
        // One that is over before its grace is has lost nothing.
        low.run = 305
        #expect(try Self.run([low, high], on: federation).schedule.start == [0, 305])
        #expect(try Self.run([low, high], on: federation).metrics.stops?.preempted == 0)
        low.preemptible = false
        low.run = 1000
        #expect(try Self.run([low, high], on: federation).schedule.start == [0, 1000])
    }

    @Test("runs are moved within their centre for a job that needs a whole node")
    func relocated() throws {
        var jobs = [
            Self.job(0, 36_000, cores: 2), Self.job(1, 100, cores: 2), Self.job(2, 36_000, cores: 2),
            Self.job(200, 3600, cores: 4),
        ]
        for index in [0, 2] { (jobs[index].preemptible, jobs[index].priority) = (true, 500) }
        let federation = Federation(centres: [.init(name: "a", nodes: Self.nodes(2))])
        let outcome = try Self.run(jobs, on: federation)
        #expect(outcome.metrics.stops?.relocated == 1 && outcome.metrics.stops?.preempted == 0)
        #expect(outcome.schedule.start[3] == 210)
        #expect(outcome.schedule.start.contains(210) && outcome.metrics.jobs == 4)
        for index in [0, 2] { jobs[index].preemptible = false }
        #expect(try Self.run(jobs, on: federation).schedule.start[3] > 30_000)
    }

    @Test("never over what nodes have; every job runs once; the same every time", arguments: (0..<10).map(UInt64.init))
    func capacity(seed: UInt64) throws {
        var chance = SplitMix(seed: seed)
        let federation = Federation(centres: [
            .init(name: "a", nodes: Self.nodes(3, cores: 8, cards: 8, model: "h20")),
            .init(name: "b", tier: "edge", nodes: Self.nodes(2, cores: 4, cards: 2, model: "t4") + Self.nodes(1)),
        ])
        var at: Int64 = 0
        let jobs = (0..<300).map { _ in
            at += Int64.random(in: 0..<40, using: &chance)
            let run = Int64.random(in: 1..<400, using: &chance)
            let cards = Int.random(in: 0...3, using: &chance) == 0 ? Int.random(in: 1...20, using: &chance) : 0
            var job = TraceJob(
                submit: at,
                run: run,
                requested: run * Int64.random(in: 1...4, using: &chance),
                milliCores: cards > 0 ? 0 : Int.random(in: 1...10, using: &chance) * 1000,
                cards: cards
            )
            job.models = cards > 8 || Bool.random(using: &chance) ? -1 : 0
            return job
        }
        let outcome = try Self.run(jobs, on: federation, models: [["h20"]])
        #expect(outcome.schedule.impossible == 0 && outcome.metrics.jobs == jobs.count)
        for moment in outcome.schedule.start {
            let running = jobs.indices.filter {
                outcome.schedule.start[$0] <= moment && moment < outcome.schedule.start[$0] + jobs[$0].run
            }
            for (number, centre) in federation.centres.enumerated() {
                let here = running.filter { Int(outcome.schedule.centre[$0]) == number }
                #expect(here.reduce(0) { $0 + jobs[$1].cards } <= centre.cards)
                #expect(here.reduce(0) { $0 + jobs[$1].milliCores } <= centre.cores * 1000)
            }
        }
        for index in jobs.indices where jobs[index].cards > 0 && jobs[index].models == 0 {
            #expect(outcome.schedule.centre[index] == 0)
        }
        for index in jobs.indices { #expect(outcome.schedule.start[index] >= jobs[index].submit) }
        #expect(try Self.run(jobs, on: federation, models: [["h20"]]).schedule.hash == outcome.schedule.hash)
    }

    @Test("a centre that is away loses its runs once, and takes none until it is back")
    func outage() throws {
        let federation = Federation(centres: [
            .init(name: "a", nodes: Self.nodes(1)), .init(name: "b", nodes: Self.nodes(1)),
        ])
        var options = ReplayOptions()
        options.outages = [.init(centre: 0, start: 500, end: 5000)]
        options.forecastEvery = 1
        let jobs = (0..<8).map { Self.job(Int64($0), 1000, cores: 2) }
        let outcome = try Self.run(jobs, on: federation, options)
        #expect(outcome.schedule.interrupted == 2 && outcome.metrics.jobs == 8)
        for (start, centre) in zip(outcome.schedule.start, outcome.schedule.centre) where centre == 0 {
            #expect(start >= 5000)
        }
        #expect(outcome.schedule.forecasts != nil)
        options.forecastEvery = 0
        #expect(try Self.run(jobs, on: federation, options).schedule.hash == outcome.schedule.hash)
    }

    @Test("cards that fill no node evenly are asked for in equal tasks; what fits nowhere is told; shares are refused")
    func requests() throws {
        let federation = Federation(centres: [.init(name: "a", nodes: Self.nodes(3, cores: 64, cards: 8, model: "h20"))]
        )
        let jobs = [20, 11, 25].map { TraceJob(submit: 0, run: 10, requested: 10, cards: $0) }
        let outcome = try Self.run(jobs, on: federation)
        #expect(outcome.schedule.impossible == 1 && outcome.schedule.start[2] == -1)
        #expect(outcome.schedule.start.prefix(2).allSatisfy { $0 >= 0 })
        let share = TraceJob(submit: 0, run: 10, requested: 10, cards: 1, cardMilli: 500)
        let fault = #expect(throws: TraceFault.self) { try Self.run([share], on: federation) }
        #expect(fault?.description == "test asks for parts of cards, which no point gives out")
        var mixed = federation
        mixed.centres[0].nodes += Self.nodes(1, cards: 2, model: "t4") + Self.nodes(1, cards: 2, model: "l20")
        var choosy = TraceJob(submit: 0, run: 10, requested: 10, cards: 1)
        choosy.models = 0
        #expect(throws: TraceFault.self) { try Self.run([choosy], on: mixed, models: [["t4", "l20"]]) }
        #expect(try Self.run([choosy], on: mixed, models: [["t4", "l20", "h20"]]).metrics.jobs == 1)
    }

    @Test("a table of jobs names priorities, and who may be preempted")
    func columns() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("jobs-\(UUID().uuidString).csv")
        defer { try? FileManager.default.removeItem(at: path) }
        let table = "submit,duration,gpus,priority,preemptible\n0,10,1,900,1\n1,10,1,,\n2,10,1,-5,0\n"
        try Data(table.utf8).write(to: path)
        let jobs = try Trace.read(path.path).jobs
        #expect(jobs.map(\.priority) == [900, 500, 0])
        #expect(jobs.map(\.preemptible) == [true, false, false])
    }
}
