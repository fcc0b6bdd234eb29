import Core
import Scheduling
import Store
import Synchronization
import Testing
import Wire

@testable import Jobs

@Suite("Moving runs through the point") struct ConsolidationTests {
    /// Two nodes of eight cores, and on each a run of two that may be moved.
    private func scattered(_ bench: Bench) async throws -> (agent: HandAgent, small: [JobID]) {
        let agent = try await bench.centre(nodes: 2)
        var (small, large): ([JobID], [JobID]) = ([], [])
        for _ in 0..<2 {
            large.append(try await submit(bench, cores: 6))
            try await bench.point.place()
            small.append(try await submit(bench, cores: 2, preemptible: true))
            try await bench.point.place()
        }
        try await agent.start()
        for job in large { try await agent.end(RunKey(job: job, number: 1)) }
        let nodes = try await bench.point.store.read { try $0.liveRuns().flatMap(\.nodes).map(\.node) }
        #expect(Set(nodes) == ["n1", "n2"])
        return (agent, small)
    }

    private func submit(_ bench: Bench, cores: Int, preemptible: Bool = false) async throws -> JobID {
        let more =
            #""resources": {"cores": \#(cores), "time_limit": "2h"}, "grace_period": "30s", "#
            + #""preemptible": \#(preemptible)"#
        return try await bench.submitJob("work", more)
    }

    @Test("a whole node is made for a job by moving a run that allows it: both say so, and both run in the end")
    func wholeNode() async throws {
        let bench = try await Bench.make()
        let (agent, small) = try await scattered(bench)
        bench.clock.advance(.seconds(20))
        try await agent.exchange()
        bench.clock.advance(.seconds(20))
        try await agent.exchange()
        let whole = try await submit(bench, cores: 8)
        try await bench.point.place()
        // To its agent it is a run to be preempted like any other.
        let stops = try await agent.exchange().stops
        #expect(stops.map(\.reason) == [.preempt] && stops.map(\.graceSeconds) == [30])
        let run = try #require(stops.first?.run)
        #expect(small.contains(run.job))
        let asked = try await bench.point.store.read { try $0.events(after: 0, limit: 1000, subject: "\(run.job)") }
            .compactMap { if case .runStopRequested(let wish) = $0.event { wish.reason } else { nil } }
        #expect(asked == [.consolidate])
        var why = try await bench.point.why(run.job, bench.alice)
        #expect(why.code == "stopping" && why.headline.hasPrefix("It is being moved to other nodes of centre 'hub-1'"))
        let waits = try await bench.point.why(whole, bench.alice)
        #expect(waits.code == "capacity" && waits.figures["moving"] == 1)
        #expect(
            waits.headline == "Its place is being made at hub-1: 1 run is being moved to other nodes there.",
            "\(waits.headline)"
        )
        #expect(waits.predictedStart.map { $0 <= bench.clock.now + .seconds(30) } == true)
        // While it stops its new place is kept: who comes now does not get it, and nothing more is stopped.
        let late = try await submit(bench, cores: 6)
        try await bench.point.place()
        #expect(try await bench.state(late) == .queued)
        #expect(try await agent.exchange().stops.count == 1)
        bench.clock.advance(.seconds(20))
        try await agent.end(run, .preempted)
        #expect(try await bench.state(run.job) == .queued)
        why = try await bench.point.why(run.job, bench.alice)
        #expect(
            why.evidence.last
                == "attempt 1 was preempted: it was moved to other nodes so that another job finds its place"
        )
        try await bench.point.place()
        #expect(try await bench.state(whole) == .active)
        let again = try await bench.run(run.job, 2)
        #expect(again.reason.hasPrefix("moved here from other nodes so that another job finds its place: leaves"))
        #expect(again.nodes != (try await bench.run(run.job)).nodes)
        #expect(try await bench.run(whole).nodes == (try await bench.run(run.job)).nodes)
        #expect(bench.point.moves.withLock { $0 }.isEmpty && bench.point.claims.withLock { $0 }.isEmpty)
        #expect(try await bench.point.liveStateFault() == nil)
        // How often it was moved is read from what is stored, also by a point that is new.
        try await bench.reopen()
        let (snapshot, _) = try await bench.point.snapshot(now: bench.clock.now)
        let moves = snapshot.centres.flatMap(\.runs).map { ($0.key.job, $0.moves) }
        #expect(moves.allSatisfy { $0.1 == ($0.0 == run.job ? 1 : 0) } && moves.count == 3)
    }

    @Test("who was moved is not moved again for the next job")
    func once() async throws {
        let bench = try await Bench.make()
        let (agent, _) = try await scattered(bench)
        let whole = try await submit(bench, cores: 8)
        try await bench.point.place()
        let run = try #require(try await agent.exchange().stops.first?.run)
        try await agent.end(run, .preempted)
        try await bench.point.place()
        try await agent.start()
        try await agent.end(RunKey(job: whole, number: 1))
        // Both stand on one node now, and the other is free: the next whole node is there.
        let next = try await submit(bench, cores: 8)
        try await bench.point.place()
        #expect(try await bench.state(next) == .active)
        _ = try await submit(bench, cores: 8)
        try await bench.point.place()
        #expect(try await agent.exchange().stops.isEmpty)
    }

    @Test("at a centre where something was reserved since the plan nobody is moved")
    func sincePlanned() async throws {
        let bench = try await Bench.make()
        let (agent, _) = try await scattered(bench)
        _ = try await submit(bench, cores: 8)
        let (snapshot, _) = try await bench.point.snapshot(now: bench.clock.now)
        let plan = Scheduling.plan(snapshot)
        #expect(plan.preemptions.count == 1)
        var request = ReservationRequest(name: .named("course"), centre: .named("hub-1"))
        (request.project, request.durationSeconds, request.cores) = (.named("other"), 3600, 1000)
        _ = try await bench.point.createReservation(request, bench.root)
        _ = try await bench.point.carryOut(plan, of: snapshot, at: bench.clock.now)
        #expect(try await agent.exchange().stops.isEmpty)
    }
}
