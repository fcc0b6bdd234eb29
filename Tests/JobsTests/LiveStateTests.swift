import Core
import Scheduling
import Store
import Synchronization
import Testing
import Wire

@testable import Jobs

@Suite struct LiveStateTests {
    /// One random federation: people, centres and agents that do whatever comes into their heads.
    private struct Crowd {
        let bench: Bench
        var agents: [HandAgent] = []
        var jobs: [JobID] = []
        var steps: [String] = []
        var generator: SeededGenerator

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

        mutating func step(_ kinds: [Int] = Array(0...17)) async throws {
            let kind = kinds[number(0...kinds.count - 1)]
            steps.append("\(kind)")
            switch kind {
            case 0...3: try await submit()
            case 4...6: try await bench.point.place()
            case 7: for agent in agents { try await agent.accept() }
            case 8, 9: try await report()
            case 10:
                if let job = jobs.randomElement(using: &generator) {
                    _ = try? await bench.point.cancel(job, bench.root)
                }
            case 11: try await turnCentre()
            case 12: try await changeProject()
            case 13: bench.clock.advance(.seconds(number(1...90)))
            case 14: try await bench.point.watch()
            case 16, 17: try await reserve()
            default:
                if number(0...5) == 0 {
                    try await bench.reopen()
                    for agent in agents { try await agent.exchange() }
                }
            }
        }

        private mutating func submit() async throws {
            var more = #""priority": \#(number(1...3) * 100), "resources": {"cores": \#(number(1...3))}"#
            more += #", "retries": {"limit": 2, "on": ["exit"], "backoff": \#(number(0...1) * 60)}"#
            more += #", "preemptible": \#(Bool.random(using: &generator))"#
            if number(0...2) == 0, let job = jobs.randomElement(using: &generator) {
                more += #", "after": ["\#(job)"]"#
            }
            if number(0...3) == 0 { more += #", "array": \#(number(1...12))"# }
            if number(0...4) == 0 { more += #", "on_centre_loss": {"requeue_after": 1}"# }
            let project = number(0...3) == 0 ? "other" : "brain"
            // What waits for one that failed is refused.
            let document = #"{"name": "work", "command": ["true"], \#(more)}"#
            guard let view = try? await bench.submit(document, project: project, as: bench.root) else { return }
            if let job = view.job { jobs.append(job) }
            if let array = view.array {
                jobs += try await bench.point.store.read { try $0.jobs(of: array, limit: 20).map(\.id) }
            }
        }

        private mutating func report() async throws {
            for agent in agents where number(0...1) == 0 {
                let live = try await bench.point.store.read { try $0.liveRuns(at: agent.principal.centre) }
                for run in live where agent.holds.contains(run.key) {
                    switch number(0...3) {
                    case 0: try await agent.report([run.key], .running(at: bench.clock.now))
                    case 1: try await agent.end(run.key)
                    case 2: try await agent.end(run.key, .exit, code: 1)
                    default: break
                    }
                }
            }
        }

        private mutating func turnCentre() async throws {
            guard let agent = agents.randomElement(using: &generator) else { return }
            let name = agent.principal.centre
            switch number(0...3) {
            case 0: _ = try? await bench.point.drainCentre(name, evict: Bool.random(using: &generator), bench.root)
            case 1: _ = try? await bench.point.resumeCentre(name, bench.root)
            case 2:
                let prices = PriceTable(coreHour: MicroCredits(Int64(number(1...9)) * 1000))
                _ = try? await bench.point.setPrices(name, prices, bench.root)
            default:
                guard agents.count < 5 else { return }
                agents.append(try await bench.centre("more-\(agents.count)", cores: Int64(number(1...4)) * 1000))
            }
        }

        private mutating func reserve() async throws {
            guard let agent = agents.randomElement(using: &generator) else { return }
            var request = ReservationRequest(name: .named("r-\(number(0...5))"), centre: agent.principal.centre)
            if number(0...3) == 0 {
                // Many are no longer there, and some never were.
                _ = try? await bench.point.cancelReservation(request.name, bench.root)
                return
            }
            (request.project, request.maintenance) = (bench.brain, false)
            if number(0...2) == 0 { (request.project, request.maintenance) = (nil, true) }
            if Bool.random(using: &generator) {
                request.startsAt = bench.clock.now + .seconds(Int64(number(1...200)))
            }
            request.durationSeconds = number(1...200)
            if Bool.random(using: &generator) {
                request.cores = MilliCores(Int64(number(1...4)) * 1000)
            } else {
                request.nodes = 1
            }
            request.ignoreRunning = Bool.random(using: &generator)
            _ = try? await bench.point.createReservation(request, bench.root)
        }

        private mutating func changeProject() async throws {
            switch number(0...4) {
            case 0:
                _ = try await bench.point.grantVoucher(200_000, to: .named("other"), note: "more", bench.root)
            case 1:
                let isOther = Bool.random(using: &generator)
                let place = Bool.random(using: &generator) ? .top : ProjectPatch.Place(isOther ? "brain" : "other")
                // What is below the other already is refused.
                _ = try? await bench.point.changeProject(
                    isOther ? .named("other") : bench.brain,
                    ProjectPatch(place: place),
                    bench.root
                )
            default:
                _ = try await bench.point.changeProject(
                    Bool.random(using: &generator) ? .named("other") : bench.brain,
                    ProjectPatch(weight: number(1...200), quota: Quota(runs: number(2...9))),
                    bench.root
                )
            }
        }
    }

    @Test("what is kept in mind equals what would be read from nothing, after every step")
    func followsTheLog() async throws {
        let seed = SeededGenerator.seed("followsTheLog")
        for round in 0..<4 {
            let bench = try await Bench.make {
                $0.queueWindow = 3
                $0.silenceAfter = .seconds(60)
            }
            var crowd = Crowd(bench: bench, generator: SeededGenerator(seed &+ UInt64(round)))
            crowd.agents = [try await bench.centre(cores: 4000), try await bench.centre("hub-2", cores: 8000)]
            _ = try await bench.point.changeProject(.named("other"), ProjectPatch(metered: true), bench.root)
            for _ in 0..<150 {
                try await crowd.step()
                let fault = try await bench.point.liveStateFault()
                #expect(fault == nil, "round \(round), steps \(crowd.steps.joined(separator: " "))")
                if fault != nil { return }
            }
        }
    }

    @Test("what of a plan the rows do not allow any more is left out whole, and the rest is carried out")
    func refusedInPart() async throws {
        let seed = SeededGenerator.seed("refusedInPart")
        var (carriedOut, refused, stopped) = (0, 0, 0)
        for round in 0..<4 {
            let bench = try await Bench.make { $0.queueWindow = 10 }
            var crowd = Crowd(bench: bench, generator: SeededGenerator(seed &+ UInt64(round)))
            crowd.agents = [try await bench.centre(cores: 2000), try await bench.centre("hub-2", cores: 3000)]
            _ = try await bench.point.changeProject(.named("other"), ProjectPatch(metered: true), bench.root)
            for _ in 0..<40 {
                for _ in 0..<3 { try await crowd.step([0, 1, 2, 7, 8, 12]) }
                let (snapshot, _) = try await bench.point.snapshot(now: bench.clock.now)
                let plan = Scheduling.plan(snapshot)
                // Much happens between a decision and its carrying out.
                for _ in 0..<crowd.number(0...3) { try await crowd.step([4, 10, 10, 11, 12, 16]) }
                let before = try await Set(stops(bench))
                try await bench.point.carryOut(plan, of: snapshot, at: bench.clock.now)
                let context = "round \(round), steps \(crowd.steps.joined(separator: " "))"
                for run in try await stops(bench) where !before.contains(run) {
                    let why = try #require(plan.preemptions.first { $0.run == run }, "\(context)")
                    #expect(try await bench.state(why.job) == .queued, "\(context)")
                    #expect(bench.point.claims.withLock { $0[why.job] } == why.centre, "\(context)")
                    stopped += 1
                }
                let placed = try await bench.point.store.read { tx in
                    for run in try tx.liveRuns() {
                        let job = try #require(try tx.job(run.key.job))
                        #expect(job.state == .active && job.run == run.key, "\(context)")
                    }
                    #expect(try tx.balance(.project(.named("other"))) >= 0, "\(context)")
                    return try plan.placements.count { try tx.job($0.job)?.state == .active }
                }
                carriedOut += placed
                refused += plan.placements.count - placed
                let fault = try await bench.point.liveStateFault()
                #expect(fault == nil, "\(context)")
            }
        }
        print("refusedInPart: \(carriedOut) carried out, \(refused) refused, \(stopped) preempted")
    }

    private func stops(_ bench: Bench) async throws -> [RunKey] {
        try await bench.point.store.read { try $0.liveRuns().filter { $0.lifecycle.stop == .preempt }.map(\.key) }
    }
}
