import Core
import Store
import Synchronization
import Testing
import Wire

@testable import Jobs

@Suite struct SightTests {
    /// Three centres; a job that may be run again after 60 s runs at hub-1.
    private func bench() async throws -> (bench: Bench, agent: HandAgent, others: [HandAgent], job: JobID) {
        let bench = try await Bench.make()
        let agent = try await bench.centre("hub-1")
        let others = [
            try await bench.centre("hub-2", cores: 1000), try await bench.centre("hub-3", cores: 1000),
        ]
        let job = try await bench.submitJob(
            "a",
            #""on_centre_loss": {"requeue_after": 60}, "placement": {"centres": ["hub-1", "hub-2"]}"#
        )
        try await bench.point.place()
        let placed = try await bench.run(job).centre
        let all = [agent] + others
        let home = try #require(all.first { $0.principal.centre == placed })
        try await home.start()
        return (bench, home, all.filter { $0 !== home }, job)
    }

    private func pass(_ seconds: Int, _ bench: Bench, speaking: [HandAgent]) async throws {
        for _ in 0..<seconds / 10 {
            bench.clock.advance(.seconds(10))
            for agent in speaking { try await agent.exchange() }
            try await bench.point.watch()
        }
    }

    @Test("a silent centre's runs are unseen, and seen again when it speaks")
    func unseen() async throws {
        let (bench, agent, others, job) = try await bench()
        try await pass(20, bench, speaking: others)
        #expect(try await bench.run(job).lifecycle.unseenSince == nil)
        try await pass(20, bench, speaking: others)
        #expect(try await bench.run(job).lifecycle.unseenSince != nil)
        let why = try await bench.point.why(job, bench.alice)
        #expect(why.code == "unseen")
        let view = try await bench.point.centre(agent.principal.centre, bench.alice)
        #expect(!view.connected)
        #expect(view.unseenRuns == 1)
        try await agent.exchange()
        #expect(try await bench.run(job).lifecycle.unseenSince == nil)
        #expect(try await bench.state(job) == .active)
        #expect(try await bench.point.centre(agent.principal.centre, bench.alice).connected)
    }

    @Test("a centre that was told of a run and then heard of has its whole time again to say that it has it")
    func toldAgain() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre("hub-1")
        let others = [try await bench.centre("hub-2"), try await bench.centre("hub-3")]
        let job = try await bench.submitJob(
            "a",
            #""on_centre_loss": {"requeue_after": 60}, "placement": {"centres": ["hub-1"]}"#
        )
        try await bench.point.place()
        // The answer is lost, and so is everything for fifty seconds.
        _ = try await agent.exchange()
        try await pass(50, bench, speaking: others)
        #expect(try await bench.run(job).lifecycle.unseenSince != nil)
        _ = try await agent.exchange()
        #expect(try await bench.run(job).lifecycle.unseenSince == nil)
        try await pass(50, bench, speaking: others)
        #expect(try await bench.run(job).state == .leased)
        try await pass(20, bench, speaking: others)
        #expect(try await bench.run(job).state == .lost)
    }

    @Test("a run is given up only after its own time, and its late twin never becomes the result")
    func givenUp() async throws {
        let (bench, agent, others, job) = try await bench()
        try await pass(50, bench, speaking: others)
        #expect(try await bench.state(job) == .active)
        #expect(try await bench.run(job).state == .running)
        try await pass(20, bench, speaking: others)
        #expect(try await bench.run(job).state == .lost)
        #expect(try await bench.state(job) == .queued)
        let given = try await bench.point.job(job, bench.alice)
        #expect(given.summary.unseenSince == nil && given.runs.allSatisfy { $0.unseenSince == nil })
        try await bench.point.place()
        let second = try #require(
            others.first { $0.principal.centre == .named("hub-2") || $0.principal.centre == .named("hub-1") }
        )
        try await second.start()
        let settled = try await bench.run(job)
        #expect(settled.charged.map { $0 <= settled.reserved } == true)
        let twin = RunKey(job: job, number: 1)
        let answer = try await agent.exchange()
        #expect(answer.stops.map(\.reason) == [.superseded])
        #expect(answer.settled == [twin])
        try await agent.end(twin, .succeeded)
        #expect(try await bench.state(job) == .active)
        #expect(try await bench.run(job) == settled)
        try await second.end(RunKey(job: job, number: 2))
        let detail = try await bench.point.job(job, bench.alice)
        #expect(detail.summary.state == .succeeded)
        #expect(detail.summary.centre == second.principal.centre)
        #expect(try await bench.balance(.reserved(bench.brain)) == 0)
    }

    @Test("nothing is given up while most centres are silent, since the fault is likelier ours")
    func ourFault() async throws {
        let (bench, _, others, job) = try await bench()
        try await pass(600, bench, speaking: [])
        #expect(try await bench.run(job).state == .running)
        // Seeing again begins the clocks anew.
        try await pass(60, bench, speaking: others)
        #expect(try await bench.run(job).state == .running)
        try await pass(60, bench, speaking: others)
        #expect(try await bench.run(job).state == .lost)
    }

    @Test("a copied identity is told nothing while the first is heard, and takes over once that one is silent")
    func copiedIdentity() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre("hub-1")
        let copy = agent.copy()
        let job = try await bench.submitJob("a")
        try await bench.point.place()
        await expectFailure(.conflict) { try await copy.exchange() }
        #expect(try await agent.exchange().leases.map(\.run) == [RunKey(job: job, number: 1)])
        // What it was refused must not count as a word of the centre either.
        for _ in 0..<2 {
            bench.clock.advance(.seconds(10))
            try await bench.point.watch()
            await expectFailure(.conflict) { try await copy.exchange() }
        }
        bench.clock.advance(.seconds(10))
        try await bench.point.watch()
        #expect(try await copy.exchange().leases.map(\.run) == [RunKey(job: job, number: 1)])
        await expectFailure(.conflict) { try await agent.exchange() }
        // Who speaks is on disk: a restart of ours lets nobody in earlier.
        try await bench.reopen()
        await expectFailure(.conflict) { try await agent.exchange() }
        try await copy.exchange()
    }

    @Test("a restart of the point begins the clocks anew")
    func restart() async throws {
        let (bench, agent, others, job) = try await bench()
        try await pass(40, bench, speaking: others)
        #expect(try await bench.run(job).lifecycle.unseenSince != nil)
        bench.clock.advance(.seconds(3600))
        try await bench.reopen()
        try await pass(20, bench, speaking: others)
        #expect(try await bench.run(job).state == .running)
        try await pass(80, bench, speaking: others + [agent])
        #expect(try await bench.state(job) == .active)
        #expect(try await bench.run(job).lifecycle.unseenSince == nil)
    }

    @Test(
        "a clock that is set, or a process that was stopped, makes nobody silent",
        arguments: [172_800, -172_800, 20]
    )
    func clockStep(seconds: Int) async throws {
        // One centre: nobody else's silence tells that the fault is ours.
        let bench = try await Bench.make()
        let agent = try await bench.centre("hub-1")
        let job = try await bench.submitJob("a", #""on_centre_loss": {"requeue_after": 60}"#)
        try await bench.point.place()
        try await agent.start()
        try await pass(20, bench, speaking: [agent])
        bench.clock.advance(.seconds(seconds))
        try await bench.point.watch()
        bench.clock.advance(.seconds(10))
        try await bench.point.watch()
        #expect(try await bench.run(job).lifecycle.unseenSince == nil)
        try await pass(60, bench, speaking: [agent])
        #expect(try await bench.run(job).lifecycle.unseenSince == nil)
        #expect(try await bench.run(job).state == .running)
        // And real silence is still noticed in its own time.
        try await pass(110, bench, speaking: [])
        #expect(try await bench.run(job).state == .lost)
    }

    @Test("a run out of sight when the clock is set back is given up in its own time from then on")
    func clockSetBack() async throws {
        let (bench, _, others, job) = try await bench()
        try await pass(40, bench, speaking: others)
        #expect(try await bench.run(job).lifecycle.unseenSince != nil)
        bench.clock.advance(.seconds(-172_800))
        try await bench.point.watch()
        try await pass(50, bench, speaking: others)
        #expect(try await bench.run(job).state == .running)
        try await pass(60, bench, speaking: others)
        #expect(try await bench.run(job).state == .lost)
    }

    @Test("a job that waits is never given up")
    func waits() async throws {
        let bench = try await Bench.make()
        let (agent, other) = (try await bench.centre("hub-1"), try await bench.centre("hub-2"))
        let job = try await bench.submitJob("a", #""placement": {"centres": ["hub-1"]}"#)
        try await bench.point.place()
        try await agent.start()
        try await pass(3600, bench, speaking: [other])
        #expect(try await bench.run(job).state == .running)
        #expect(try await bench.run(job).lifecycle.unseenSince != nil)
    }

    @Test("a run that its agent does not hold any more is lost, but not on the word of a late call")
    func absent() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob("a", #""retries": {"limit": 1, "on": ["lost"], "backoff": 0}"#)
        let stopped = try await bench.submitJob("b")
        try await bench.point.place()
        let runs = try await agent.start()
        _ = try await bench.point.cancel(stopped, bench.alice)
        agent.holds = []
        try await agent.exchange()
        bench.clock.advance(.seconds(50))
        agent.holds = Set(runs)
        try await agent.exchange()
        #expect(try await bench.state(job) == .active)
        // A new machine joins in its place; nobody has the runs.
        let token = try await bench.point.renewJoin(.named("hub-1"), bench.root).token
        let heir = try await bench.join(token)
        for _ in 0..<6 {
            #expect(try await bench.run(job).state == .running)
            bench.clock.advance(.seconds(20))
            try await heir.exchange()
        }
        bench.clock.advance(.seconds(1))
        try await heir.exchange()
        #expect(try await bench.run(job).state == .lost)
        #expect(try await bench.state(job) == .queued)
        #expect(try await bench.state(stopped) == .cancelled)
    }

    @Test("late calls, with nothing between them because the line is cut, do not make a run lost")
    func lateCalls() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob()
        try await bench.point.place()
        let runs = try await agent.start()
        // Made before the agent had the run, come up to a minute and a half later.
        agent.holds = []
        for seconds in [10, 65, 300, 130] {
            bench.clock.advance(.seconds(seconds))
            try await agent.exchange()
            #expect(try await bench.run(job).state == .running)
        }
        agent.holds = Set(runs)
        try await agent.exchange()
        #expect(try await bench.run(job).state == .running)
    }

    @Test("nothing is absent on the word of an agent that has not seen its engine since it lost its records")
    func blind() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob("a", #""retries": {"limit": 1, "on": ["lost"], "backoff": 0}"#)
        try await bench.point.place()
        let runs = try await agent.start()
        agent.holds = []
        agent.strays = nil
        for _ in 0..<8 {
            bench.clock.advance(.seconds(20))
            try await agent.exchange()
        }
        #expect(try await bench.run(job).state == .running)
        // The engine answers again, and has it.
        agent.strays = Set(runs)
        #expect(try await agent.exchange().leases.map(\.run) == runs)
        // It answers, and does not have it: the time counts from now on.
        agent.strays = []
        try await agent.exchange()
        for _ in 0..<6 {
            #expect(try await bench.run(job).state == .running)
            bench.clock.advance(.seconds(20))
            try await agent.exchange()
        }
        bench.clock.advance(.seconds(1))
        try await agent.exchange()
        #expect(try await bench.run(job).state == .lost)
    }

    @Test("an agent that lost its records gets back what is live, and is told what is over, of its own runs only")
    func strays() async throws {
        let bench = try await Bench.make()
        let (agent, other) = (try await bench.centre("hub-1"), try await bench.centre("hub-2"))
        let live = try await bench.submitJob("a", #""placement": {"centres": ["hub-1"]}"#)
        let over = try await bench.submitJob("b", #""placement": {"centres": ["hub-1"]}"#)
        try await bench.point.place()
        try await agent.start()
        let (liveRun, overRun) = (RunKey(job: live, number: 1), RunKey(job: over, number: 1))
        try await agent.end(overRun)
        let unknown = RunKey(job: JobID(high: 7, low: 7), number: 1)
        agent.holds = []
        agent.strays = [liveRun, overRun, unknown]
        // Longer than any absence is borne: the engine has it, so it is not absent.
        for _ in 0..<8 {
            bench.clock.advance(.seconds(20))
            let response = try await agent.exchange()
            // What is over is told once more too, since its log may not have arrived.
            #expect(response.leases.map(\.run) == [liveRun, overRun])
            #expect(response.settled == [overRun])
        }
        #expect(try await bench.run(live).state == .running)
        other.strays = [liveRun, overRun]
        other.holds = [overRun]
        let foreign = try await other.exchange()
        #expect(foreign.leases.isEmpty && foreign.settled.isEmpty && foreign.stops.isEmpty)
    }

    @Test("an agent whose place was taken is refused, also in the call that it is parked in")
    func replaced() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let token = try await bench.point.renewJoin(.named("hub-1"), bench.root).token
        // Awaited below.
        let parked = Task { try await agent.exchange(wait: 20_000) }
        while bench.point.counters.exchanges.withLock({ $0 }) < 2 { await Task.yield() }
        let heir = try await bench.join(token)
        let job = try await bench.submitJob()
        try await bench.point.place()
        await expectFailure(.unauthenticated) { try await parked.value }
        await expectFailure(.unauthenticated) { try await bench.point.authenticateAgent(bearer: agent.key) }
        #expect(try await bench.point.authenticateAgent(bearer: heir.key) == heir.principal)
        #expect(try await bench.run(job).lifecycle.lease == .granted)
    }

    @Test("a join token is spent once and expires")
    func joining() async throws {
        let bench = try await Bench.make()
        let join = try await bench.point.createCentre(.named("edge-1"), tier: .edge, prices: nil, bench.root)
        await expectFailure(.unauthenticated) { try await bench.point.join(JoinRequest(token: join.token + "0")) }
        _ = try await bench.point.join(JoinRequest(token: join.token))
        await expectFailure(.unauthenticated) { try await bench.point.join(JoinRequest(token: join.token)) }
        let late = try await bench.point.renewJoin(.named("edge-1"), bench.root)
        bench.clock.advance(bench.point.settings.joinTokenLifetime)
        await expectFailure(.unauthenticated) { try await bench.point.join(JoinRequest(token: late.token)) }
        await expectFailure(.conflict) {
            try await bench.point.createCentre(.named("edge-1"), tier: .edge, prices: nil, bench.root)
        }
        await expectFailure(.forbidden) {
            try await bench.point.createCentre(.named("edge-2"), tier: .edge, prices: nil, bench.alice)
        }
        try await bench.point.removeCentre(.named("edge-1"), bench.root)
        await expectFailure(.notFound) { try await bench.point.renewJoin(.named("edge-1"), bench.root) }
    }

    @Test("a report that changes nothing is acknowledged without a write, and one that does with its own")
    func repeated() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre("hub-1")
        let jobs = [try await bench.submitJob("a"), try await bench.submitJob("b")]
        try await bench.point.place()
        let runs = try await agent.start()
        let before = (bench.point.store.statistics.commands, bench.point.store.lastSequence)
        let again = try await agent.report(runs, .running(at: bench.clock.now))
        #expect(Set(again.acknowledged.map(\.run)) == Set(runs))
        #expect((bench.point.store.statistics.commands, bench.point.store.lastSequence) == before)
        let end = RunObservation(phase: .ended, endedAt: bench.clock.now, outcome: RunOutcome(.succeeded))
        let foreign = RunKey(job: jobs[0], number: 7)
        let mixed = try await agent.exchange([
            runs[0]: .running(at: bench.clock.now), runs[1]: end, foreign: .running(at: bench.clock.now),
        ])
        #expect(Set(mixed.acknowledged.map(\.run)) == Set(runs))
        #expect(mixed.settled == [runs[1]])
        #expect(try await bench.state(runs[1].job) == .succeeded)
        #expect(try await bench.state(runs[0].job) == .active)
    }
}
