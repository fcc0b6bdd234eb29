import Core
import Store
import Testing
import Wire

@testable import Jobs

@Suite("Forecasts") struct ForecastTests {
    private func estimate(_ bench: Bench, _ document: String, as caller: Principal? = nil) async throws -> EstimatesView
    {
        try await bench.point.estimate(JSON(parsing: document.utf8), project: nil, caller ?? bench.alice)
    }

    @Test("an estimate makes nothing, and says when, how long and how much")
    func estimates() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 4000)
        let document = #"{"name": "work", "command": ["true"], "resources": {"cores": 4}}"#
        let free = try await estimate(bench, document)
        let ready = try #require(free.jobs.first)
        #expect(ready.code == "ready" && ready.wayOut == nil)
        let now = bench.clock.now
        let forecast = try #require(ready.forecast)
        #expect(forecast.startP50 == now && forecast.startP90 == now)
        #expect(forecast.runP90Seconds == 3600, "before anything ran, its limit is all that is known")
        #expect(ready.costMax == 80_000, "four cores for an hour")

        let job = try await bench.submitJob("work", #""resources": {"cores": 4}"#)
        try await bench.point.place()
        try await agent.start()
        let behind = try #require(try await estimate(bench, document).jobs.first)
        #expect(behind.code == "capacity")
        let later = try #require(behind.forecast)
        #expect(later.startP90 == now + .seconds(3600), "its limit ends the run before it")
        #expect(try await bench.point.jobs(JobQuery(project: bench.brain), bench.alice).items.map(\.job) == [job])
    }

    @Test("what nobody could run, and what a viewer asks, is refused as at submission; others' names stay hidden")
    func refusals() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 4000)
        await #expect(throws: Failure.self) {
            try await estimate(bench, #"{"name": "x", "command": ["true"], "resources": {"cores": 400}}"#)
        }
        await #expect(throws: Failure.self) {
            try await estimate(bench, #"{"name": "x", "command": ["true"], "project": "brain"}"#, as: bench.bob)
        }
        let secret = try await bench.submitJob("secret", #""resources": {"cores": 4}"#)
        try await bench.point.place()
        try await agent.start()
        let eve = try await estimate(
            bench,
            #"{"name": "x", "command": ["true"], "resources": {"cores": 4}}"#,
            as: bench.eve
        )
        let text = try #require(eve.jobs.first)
        #expect(text.code == "capacity")
        #expect(!("\(text)".contains("\(secret)")))
    }

    @Test("a workflow's later jobs have no start of their own yet")
    func workflows() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre()
        let view = try await estimate(
            bench,
            """
            {"workflow": "w", "jobs": [{"name": "a", "command": ["true"]}, \
            {"name": "b", "command": ["true"], "after": ["a"]}]}
            """
        )
        #expect(view.jobs.map(\.code) == ["ready", "dependency"])
        #expect(view.jobs[0].forecast?.startP50 != nil)
        #expect(view.jobs[1].forecast?.startP50 == nil)
        #expect(view.jobs[1].forecast?.runP90Seconds == 3600)
    }

    @Test("a workflow of many alike jobs is one question, one of too many different jobs is refused")
    func manyJobs() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre(cores: 400_000)
        func workflow(_ limit: (Int) -> Int) -> String {
            let jobs = (1...100).map { number in
                #"{"name": "j\#(number)", "command": ["true"], "resources": {"time_limit": \#(limit(number))}}"#
            }
            return #"{"workflow": "w", "jobs": [\#(jobs.joined(separator: ","))]}"#
        }
        #expect(try await estimate(bench, workflow { _ in 60 }).jobs.count == 100)
        let failure = await #expect(throws: Failure.self) { try await estimate(bench, workflow { 60 + $0 }) }
        #expect(failure?.code == .tooLarge)
    }

    @Test("a job that waits again after a failed run is not foretold again")
    func onlyOnce() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 1000)
        let first = try await bench.submitJob("first", #""retries": {"limit": 1, "on": ["exit"]}"#)
        let second = try await bench.submitJob("second")
        try await bench.point.place()
        for run in try await agent.start() { try await agent.end(run, .exit, code: 1) }
        try await bench.point.place()
        try await agent.start()
        // Past the back-off.
        bench.clock.advance(.seconds(3))
        try await bench.point.place()
        #expect(try await bench.point.why(first, bench.alice).code == "capacity", "behind the second")
        let events = try await bench.point.events(after: 0, subject: nil, project: nil, limit: 1000, bench.root)
        #expect(events.filter { $0.kind == "job_forecast" }.map(\.subject) == ["\(second)"])
    }

    @Test("every job has one forecast from before its start, and it is scored; a restart forgets nothing")
    func kept() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 1000)
        #expect(try await bench.point.forecastAccuracy().since == nil)
        for round in 0..<40 {
            let first = try await bench.submitJob("work")
            let second = try await bench.submitJob("work")
            try await bench.point.place()
            let waiting = try await bench.point.job(second, bench.alice)
            let foretold = try #require(waiting.forecast, "round \(round)")
            let placed = try await bench.point.job(first, bench.alice)
            #expect(placed.forecast?.startP50.map { $0 - bench.clock.now < .seconds(1) } == true)
            for _ in 0..<2 {
                let runs = try await agent.start()
                bench.clock.advance(.seconds(100))
                for run in runs { try await agent.end(run) }
                try await bench.point.place()
            }
            #expect(try await bench.point.job(second, bench.alice).forecast == foretold, "the first one stands")
            bench.clock.advance(.seconds(10))
        }
        let accuracy = try await bench.point.forecastAccuracy()
        #expect(accuracy.starts.count == 80 && accuracy.runs.count == 80)
        #expect(accuracy.starts.p90 >= 72)
        // What always took 100 s is known to take 100 s.
        let document = #"{"name": "work", "command": ["true"]}"#
        let known = try #require(try await estimate(bench, document).jobs.first?.forecast)
        #expect((90...110).contains(known.runP50Seconds) && known.runP90Seconds < 200)
        try await bench.reopen()
        try await bench.point.rememberUsage()
        let again = try #require(try await estimate(bench, document).jobs.first?.forecast)
        #expect(again.runP50Seconds == known.runP50Seconds && again.runP90Seconds == known.runP90Seconds)
    }
}
