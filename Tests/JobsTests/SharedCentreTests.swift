import Core
import Testing
import Wire

@testable import Jobs

@Suite("Centres that others use too, seen from the point") struct SharedCentreTests {
    private func use(cores: Int, cards: Int = 0) -> NodeUse {
        NodeUse(
            node: "n1",
            cores: .cores(cores),
            memory: .gibi(1),
            cards: cards > 0 ? [CardGroup(model: "h100", count: cards)] : []
        )
    }

    @Test("what others hold is not free, in views and figures, until they have left or another agent has joined")
    func views() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cards: [CardGroup(model: "h100", count: 4)])
        #expect(try await bench.point.centre(.named("hub-1"), bench.alice).shared == nil)
        try await agent.tell([use(cores: 6, cards: 3), NodeUse(node: "gone", cores: .cores(9), memory: 0)])
        let view = try await bench.point.centre(.named("hub-1"), bench.alice)
        #expect(view.nodes[0].freeCores == .cores(2) && view.nodes[0].freeCards == 1)
        #expect(view.capacity.cores.free == 2 && view.capacity.cards.free == 1 && view.capacity.cores.schedulable == 8)
        let shared = try #require(view.shared)
        #expect(shared.cards == 3 && shared.waiting == 0 && shared.waitingMax == SharedCentres.limitAtFirst)
        #expect(try await bench.point.metrics().contains(#"onepoint_centre_others_cards{centre="hub-1"} 3"#))
        // Nothing new is said: it still holds.
        try await agent.exchange()
        #expect(try await bench.point.centre(.named("hub-1"), bench.alice).nodes[0].freeCards == 1)
        try await agent.tell([])
        #expect(try await bench.point.centre(.named("hub-1"), bench.alice).shared == nil)
        try await agent.tell([use(cores: 8)])
        let token = try await bench.point.renewJoin(.named("hub-1"), bench.root).token
        _ = try await bench.join(token)
        #expect(try await bench.point.centre(.named("hub-1"), bench.alice).shared == nil)
    }

    @Test("a job waits for room that others hold, is told so, and starts when they have left")
    func placing() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        try await agent.tell([use(cores: 7)])
        let small = try await bench.submitJob("small")
        var jobs: [JobID] = []
        for index in 0..<6 { jobs.append(try await bench.submitJob("more-\(index)")) }
        try await bench.point.place()
        #expect(try await bench.state(small) == .active)
        let run = try await bench.run(jobs[0])
        #expect(run.reason.contains("waits for its turn in hub-1's own queue, whose other users hold 7 of 8 cores"))
        var states: [JobState] = []
        for job in jobs { states.append(try await bench.state(job)) }
        #expect(states == [.active, .active, .active, .active, .queued, .queued])
        let why = try await bench.point.why(jobs[5], bench.alice)
        #expect(why.code == "capacity", "\(why)")
        try await agent.tell([])
        for run in try await agent.start() { try await agent.end(run) }
        try await bench.point.place()
        #expect(try await bench.state(jobs[4]) == .active)
        let next = try await bench.run(jobs[4])
        #expect(!next.reason.contains("waits"))
    }

    @Test("who starts soon makes room for one more, who waits long halves it, and who was given up is forgotten")
    func adapts() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        try await agent.tell([use(cores: 8)])
        func limit() async throws -> Int? {
            try await bench.point.place()
            return try await bench.point.centre(.named("hub-1"), bench.root).shared?.waitingMax
        }
        _ = try await bench.submitJob("quick")
        try await bench.point.place()
        let quick = try #require(try await agent.accept().first?.run)
        try await agent.report([quick], RunObservation(phase: .pending, engineJob: "1"))
        bench.clock.advance(.seconds(30))
        try await agent.report([quick], .running(at: bench.clock.now))
        #expect(try await limit() == SharedCentres.limitAtFirst + 1)
        #expect(try await bench.point.centre(.named("hub-1"), bench.root).shared?.waitSeconds == 30)
        let job = try await bench.submitJob("slow")
        try await bench.point.place()
        let slow = try #require(try await agent.accept().first?.run)
        try await agent.report([slow], RunObservation(phase: .pending, engineJob: "2"))
        bench.clock.advance(.seconds(SharedCentres.longSeconds))
        try await agent.exchange()
        #expect(try await limit() == 2)
        bench.clock.advance(.seconds(SharedCentres.longSeconds))
        try await agent.exchange()
        #expect(try await limit() == 1)
        #expect(try await limit() == 1, "never none, and once in that time")
        _ = try await bench.point.cancel(job, bench.alice)
        try await agent.end(slow, .cancelled)
        bench.clock.advance(.seconds(SharedCentres.longSeconds))
        try await agent.exchange()
        _ = try await bench.submitJob("next")
        try await bench.point.place()
        let next = try #require(try await agent.accept().first?.run)
        try await agent.report([next], RunObservation(phase: .pending, engineJob: "3"))
        try await agent.report([next], .running(at: bench.clock.now))
        #expect(try await limit() == 2)
    }

    @Test("who has waited there for a minute comes back for room elsewhere, unless it starts first")
    func takenBack() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        try await agent.tell([use(cores: 8)])
        var jobs: [JobID] = []
        for index in 0..<2 { jobs.append(try await bench.submitJob("job-\(index)")) }
        try await bench.point.place()
        let runs = try await agent.accept().map(\.run).sorted()
        try await agent.report(runs, RunObservation(phase: .pending, engineJob: "1"))
        let other = try await bench.centre("edge-1")
        try await bench.point.place()
        #expect(try await agent.exchange().stops.isEmpty, "they have only come")
        bench.clock.advance(.seconds(SharedCentres.soonSeconds))
        for one in [agent, other] { try await one.exchange() }
        try await bench.point.place()
        let stops = try await agent.exchange().stops
        #expect(stops.map(\.run).sorted() == runs && stops.allSatisfy { $0.reason == .withdraw })
        let why = try await bench.point.why(jobs[0], bench.alice)
        #expect(why.headline.contains("is being taken back from the queue of 'hub-1'"), "\(why)")
        // Asked once, however often one looks.
        try await bench.point.place()
        // The first starts at that very moment; the second comes back.
        try await agent.report([runs[0]], .running(at: bench.clock.now))
        #expect(try await agent.exchange().stops.map(\.run) == [runs[1]])
        #expect(try await bench.run(runs[0].job).lifecycle.stop == nil)
        try await agent.report(
            [runs[1]],
            RunObservation(phase: .ended, endedAt: bench.clock.now, outcome: RunOutcome(.preempted))
        )
        #expect(try await bench.state(runs[1].job) == .queued)
        try await bench.point.place()
        let second = try await bench.run(runs[1].job, 2)
        #expect(second.centre == .named("edge-1") && second.key.number == 2)
        #expect(second.reason.hasPrefix("taken back from the queue of hub-1's own engine"))
        try await agent.end(runs[0])
        #expect(try await bench.state(runs[0].job) == .succeeded)
        for run in try await other.start() { try await other.end(run) }
        #expect(try await bench.state(runs[1].job) == .succeeded)
    }

    @Test("a run stands where its engine put it, unless that cannot be")
    func standing() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let nodes = ["n1", "n2"].map { Node(name: $0, cores: 8000, memory: .gibi(64)) }
        let two = HandAgent(
            bench: bench,
            principal: agent.principal,
            key: agent.key,
            capacity: CentreCapacity(engine: .fake, engineVersion: "1", nodes: nodes, isolates: false)
        )
        for shares in [[NodeShare(node: "n2", tasks: 1)], [NodeShare(node: "n9", tasks: 1)], []] {
            let job = try await bench.submitJob()
            try await bench.point.place()
            try await two.exchange()
            let planned = try await bench.run(job).nodes
            let run = try #require(try await two.accept().first?.run)
            var observation = RunObservation.running(at: bench.clock.now)
            observation.nodes = shares
            try await two.report([run], observation)
            #expect(try await bench.run(job).nodes == (shares.first?.node == "n2" ? shares : planned))
            #expect(try await bench.point.liveStateFault() == nil)
            try await two.end(run)
        }
    }

    @Test("more nodes than a centre may have are refused")
    func capped() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let many = (0...ExchangeRequest.nodesMax).map { NodeUse(node: "n\($0)", cores: 1, memory: 0) }
        await #expect(throws: Failure.self) { try await agent.tell(many) }
    }
}
