import Core
import Synchronization
import Testing
import Wire

@testable import Jobs

@Suite struct RunTests {
    @Test("a lease is told of only after it is on disk as offered, and repeated until it is held")
    func leases() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob()
        try await bench.point.place()
        #expect(try await bench.run(job).lifecycle.lease == .granted)
        #expect(try await agent.exchange().leases.map(\.run) == [RunKey(job: job, number: 1)])
        #expect(try await bench.run(job).lifecycle.lease == .offered)
        #expect(try await agent.exchange().leases.count == 1)
        try await agent.accept()
        #expect(try await bench.run(job).lifecycle.lease == .accepted)
        #expect(try await agent.exchange().leases.isEmpty)
    }

    @Test("a lease that was never offered is withdrawn at once when its job is cancelled")
    func withdrawn() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob()
        try await bench.point.place()
        _ = try await bench.point.cancel(job, bench.alice)
        #expect(try await bench.state(job) == .cancelled)
        #expect(try await agent.exchange().leases.isEmpty)
        await expectFailure(.conflict) { try await bench.point.cancel(job, bench.alice) }
    }

    @Test("reports that repeat, come late or out of order change nothing", arguments: [1, 2])
    func repeats(times: Int) async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob()
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        bench.clock.advance(.seconds(60))
        for _ in 0..<times { try await agent.end(run) }
        let end = bench.clock.now
        bench.clock.advance(.seconds(60))
        let usage = bench.point.usageMemory.usage(bench.brain, now: bench.clock.now)
        for observation in [
            RunObservation(phase: .submitting), .running(at: bench.clock.now),
            RunObservation(phase: .ended, endedAt: bench.clock.now, outcome: RunOutcome(.exit, code: 1)),
        ] {
            let answer = try await agent.report([run], observation)
            #expect(answer.acknowledged.map(\.run) == [run])
            #expect(answer.settled == [run])
        }
        #expect(try await bench.state(job) == .succeeded)
        #expect(try await bench.run(job).endedAt == end)
        // Told twice, used once.
        #expect(bench.point.usageMemory.usage(bench.brain, now: bench.clock.now) == usage)
    }

    @Test("reports of unknown runs and of another centre's are neither believed nor acknowledged")
    func strange() async throws {
        let bench = try await Bench.make()
        let (agent, other) = (try await bench.centre("hub-1"), try await bench.centre("hub-2"))
        let job = try await bench.submitJob("a", #""placement": {"centres": ["hub-1"]}"#)
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        let unknown = RunKey(job: job, number: 9)
        other.holds = [unknown]
        let answer = try await other.report(
            [run, unknown],
            RunObservation(phase: .ended, outcome: RunOutcome(.succeeded))
        )
        #expect(answer.acknowledged.isEmpty)
        #expect(answer.settled.isEmpty)
        #expect(answer.stops.isEmpty)
        #expect(try await bench.run(job).state == .running)
        await expectFailure(.forbidden) {
            try await bench.point.exchange(
                ExchangeRequest(
                    agent: other.principal.agent,
                    seat: "other",
                    at: bench.clock.now,
                    capacity: nil,
                    reports: [],
                    holds: [],
                    waitMilliseconds: 0
                ),
                agent.principal
            )
        }
    }

    @Test("an agent whose clock is years behind is charged from the lease, not from 1970")
    func skew() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob()
        try await bench.point.place()
        let run = try #require(try await agent.accept().first?.run)
        try await agent.report([run], .running(at: Instant(milliseconds: 0)))
        bench.clock.advance(.seconds(5))
        try await agent.end(run)
        let stored = try await bench.run(job)
        #expect(stored.startedAt == stored.leasedAt)
        #expect(try await bench.point.job(job, bench.alice).charged < stored.reserved)
    }

    @Test("a cancel ends a job in each of its states, and the twin of success wins when it came first")
    func cancel() async throws {
        let bench = try await Bench.make()
        let queued = try await bench.submitJob("queued")
        _ = try await bench.point.cancel(queued, bench.alice)
        #expect(try await bench.state(queued) == .cancelled)
        let agent = try await bench.centre()
        for phase in [RunObservation.Phase.submitting, .pending, .running] {
            let job = try await bench.submitJob()
            try await bench.point.place()
            let run = try #require(try await agent.accept().first?.run)
            try await agent.report([run], RunObservation(phase: phase, startedAt: bench.clock.now))
            let view = try await bench.point.cancel(job, bench.alice)
            #expect(view.cancelRequested)
            #expect(view.state == .active)
            #expect(try await bench.point.why(job, bench.bob).code == "stopping")
            #expect(try await agent.exchange().stops.map(\.reason) == [.cancel])
            try await agent.end(run, .cancelled)
            #expect(try await bench.state(job) == .cancelled)
        }
        let job = try await bench.submitJob()
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        _ = try await bench.point.cancel(job, bench.alice)
        try await agent.end(run, .succeeded)
        #expect(try await bench.state(job) == .succeeded)
        await expectFailure(.forbidden) { try await bench.point.cancel(job, bench.bob) }
        await expectFailure(.notFound) { try await bench.point.cancel(job, bench.eve) }
    }

    @Test("an array is cancelled whole, beyond one page")
    func cancelArray() async throws {
        let bench = try await Bench.make()
        let view = try await bench.submit(#"{"name": "a", "command": ["true"], "array": 1200}"#)
        let array = try #require(view.array)
        await expectFailure(.notFound) { try await bench.point.cancelArray(array, bench.eve) }
        await expectFailure(.forbidden) { try await bench.point.cancelArray(array, bench.bob) }
        #expect(try await bench.point.cancelArray(array, bench.alice) == 1200)
        #expect(try await bench.point.cancelArray(array, bench.alice) == 0)
    }

    @Test("a failed attempt is repeated after its back-off, as often as its policy says")
    func retries() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob("a", #""retries": {"limit": 2, "on": ["exit"], "backoff": 10}"#)
        for (number, wait) in [(1, 10), (2, 20)] {
            try await bench.point.place()
            let run = try #require(try await agent.start().first)
            #expect(run.number == number)
            try await agent.end(run, .exit, code: 1)
            #expect(try await bench.point.why(job, bench.alice).code == "backoff")
            bench.clock.advance(.seconds(wait - 1))
            try await bench.point.place()
            #expect(try await bench.state(job) == .queued)
            bench.clock.advance(.seconds(1))
        }
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        try await agent.end(run, .exit, code: 1)
        #expect(try await bench.state(job) == .failed)
        // A report of an old number never changes the job.
        try await agent.end(RunKey(job: job, number: 1), .succeeded)
        #expect(try await bench.state(job) == .failed)
    }

    @Test("a job of higher priority preempts, and what it preempted is queued again")
    func preemption() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 1000)
        let low = try await bench.submitJob("low", #""preemptible": true, "priority": 1"#)
        try await bench.point.place()
        let first = try #require(try await agent.start().first)
        let high = try await bench.submitJob("high", #""priority": 900"#)
        try await bench.point.place()
        #expect(try await agent.exchange().stops.map(\.reason) == [.preempt])
        #expect(bench.point.claims.withLock { $0 } == [high: .named("hub-1")])
        // The agent was killed meanwhile and has forgotten why; the point has not.
        try await agent.end(first, .cancelled)
        #expect(try await bench.run(low).outcome?.kind == .preempted)
        #expect(try await bench.state(low) == .queued)
        try await bench.point.place()
        #expect(try await bench.state(high) == .active)
        #expect(bench.point.claims.withLock { $0 }.isEmpty)
    }

    @Test("draining with eviction moves only what declared itself preemptible")
    func drain() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let soft = try await bench.submitJob("soft", #""preemptible": true"#)
        let hard = try await bench.submitJob("hard")
        try await bench.point.place()
        try await agent.start()
        let view = try await bench.point.drainCentre(.named("hub-1"), evict: true, bench.root)
        #expect(view.capacity.cores.schedulable == 0)
        #expect(try await agent.exchange().stops.map(\.run.job) == [soft])
        try await agent.end(RunKey(job: soft, number: 1), .preempted)
        try await bench.point.place()
        #expect(try await bench.state(soft) == .queued)
        #expect(try await bench.point.why(soft, bench.alice).code == "centres")
        #expect(try await bench.state(hard) == .active)
        await expectFailure(.conflict) { try await bench.point.removeCentre(.named("hub-1"), bench.root) }
        _ = try await bench.point.resumeCentre(.named("hub-1"), bench.root)
        try await bench.point.place()
        #expect(try await bench.state(soft) == .active)
    }

    @Test("an output counts only once its bytes were uploaded for the project")
    func outputs() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let secret = try await bench.upload("secret of others", project: .named("other"), as: bench.eve)
        let stolen = try await bench.submitJob("stolen", #""outputs": ["x"]"#)
        let absent = try await bench.submitJob("absent", #""outputs": ["x"]"#)
        try await bench.point.place()
        try await agent.start()
        let artifact = Artifact(name: "x", kind: .file, digest: secret, size: 16)
        try await agent.end(RunKey(job: stolen, number: 1), artifacts: [artifact])
        try await agent.end(RunKey(job: absent, number: 1))
        for job in [stolen, absent] {
            #expect(try await bench.state(job) == .failed)
            #expect(try await bench.run(job).outcome?.kind == .missingOutput)
        }
        await expectFailure(.notFound) { try await bench.point.blobSize(secret, bench.alice) }
    }
}
