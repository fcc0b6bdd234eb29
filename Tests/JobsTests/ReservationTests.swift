import Core
import Scheduling
import Store
import Testing
import Wire

@testable import Jobs

@Suite("Reservations through the point") struct ReservationTests {
    private func request(
        _ name: String = "course",
        _ change: (inout ReservationRequest) -> Void = { _ in }
    ) -> ReservationRequest {
        var request = ReservationRequest(name: .named(name), centre: .named("hub-1"))
        (request.project, request.durationSeconds, request.nodes) = (.named("brain"), 3600, 1)
        change(&request)
        return request
    }

    /// One node of eight cores in `hub-1`, and a job of `brain` or `other` that lasts so many minutes at most.
    private func submit(_ bench: Bench, _ minutes: Int, project: String = "other") async throws -> JobID {
        let limit = #""resources": {"cores": 1, "time_limit": "\#(minutes)m"}"#
        return try await bench.submitJob("work", limit, project: project, as: bench.root)
    }

    @Test("a job that would last into a window waits for it, says so, and starts when it is over")
    func window() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let start = bench.clock.now + .seconds(3600)
        let view = try await bench.point.createReservation(
            request {
                ($0.project, $0.maintenance, $0.nodes, $0.wholeCentre) = (nil, true, nil, true)
                $0.startsAt = start
            },
            bench.root
        )
        #expect(view.state == .planned && view.purpose == .maintenance && view.wholeCentre && view.lacking == nil)
        let (short, long) = (try await submit(bench, 60), try await submit(bench, 61))
        try await bench.point.place()
        #expect(try await bench.state(short) == .active)
        #expect(try await bench.state(long) == .queued)
        let why = try await bench.point.why(long, bench.eve)
        #expect(why.code == "reserved", "\(why)")
        #expect(why.headline.contains("kept for maintenance course from \(start)"))
        #expect(why.wayOut == "with a time limit of 3600 instead of 3660 seconds it would start now at hub-1")
        for run in try await agent.start() { try await agent.end(run) }
        // It lasts an hour, and nothing happens at its beginning and end but that time passes.
        bench.clock.advance(.seconds(3600))
        try await agent.exchange()
        #expect(try await bench.point.reservation(.named("course"), bench.eve).state == .active)
        let late = try await submit(bench, 1)
        try await bench.point.place()
        #expect(try await bench.state(late) == .queued)
        #expect(try await bench.state(long) == .queued)
        #expect(try await bench.point.liveStateFault() == nil)
        bench.clock.advance(.seconds(3600))
        try await agent.exchange()
        try await bench.point.place()
        #expect(try await bench.state(late) == .active)
        #expect(try await bench.state(long) == .active)
        #expect(try await bench.point.reservation(.named("course"), bench.eve).state == .ended)
        #expect(try await bench.point.liveStateFault() == nil)
    }

    @Test("only jobs of its project get what is reserved, and everybody does once it is cancelled")
    func forAProject() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre()
        _ = try await bench.point.createReservation(request(), bench.root)
        let (own, foreign) = (try await submit(bench, 10, project: "brain"), try await submit(bench, 10))
        try await bench.point.place()
        #expect(try await bench.state(own) == .active)
        #expect(try await bench.state(foreign) == .queued)
        #expect(try await bench.point.why(foreign, bench.eve).code == "reserved")
        let cancelled = try await bench.point.cancelReservation(.named("course"), bench.root)
        #expect(cancelled.state == .cancelled && cancelled.cancelledAt == bench.clock.now)
        try await bench.point.place()
        #expect(try await bench.state(foreign) == .active)
        await expectFailure(.conflict) {
            try await bench.point.cancelReservation(.named("course"), bench.root)
        }
        // The name is free again.
        let again = try await bench.point.createReservation(
            request { $0.startsAt = bench.clock.now + .seconds(7200) },
            bench.root
        )
        #expect(again.state == .planned)
        #expect(try await bench.point.reservation(.named("course"), bench.root).state == .planned)
        #expect(try await bench.point.reservations(past: true, limit: 10, bench.root).items.count == 2)
        #expect(try await bench.point.liveStateFault() == nil)
    }

    @Test("of what was reserved between a plan and its carrying out nothing is given away")
    func sincePlanned() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre()
        let job = try await submit(bench, 10)
        let (snapshot, _) = try await bench.point.snapshot(now: bench.clock.now)
        let plan = Scheduling.plan(snapshot)
        #expect(plan.placements.count == 1)
        _ = try await bench.point.createReservation(request(), bench.root)
        #expect(try await bench.point.carryOut(plan, of: snapshot, at: bench.clock.now) == 0)
        #expect(try await bench.state(job) == .queued)
    }

    @Test("runs that may last into it refuse it, or are accepted and named")
    func busy() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre()
        _ = try await submit(bench, 90)
        try await bench.point.place()
        let end = bench.clock.now + .seconds(90 * 60)
        let refused = await expectFailure(.conflict) {
            try await bench.point.createReservation(
                request { $0.startsAt = bench.clock.now + .seconds(3600) },
                bench.root
            )
        }
        #expect(refused?.detail.contains("all of it at \(end)") == true, "\(refused?.detail ?? "")")
        // Its own project's are not in the way.
        _ = try await bench.point.createReservation(
            request("own") {
                ($0.project, $0.startsAt) = (.named("other"), bench.clock.now + .seconds(60))
            },
            bench.root
        )
        _ = try await bench.point.cancelReservation(.named("own"), bench.root)
        let view = try await bench.point.createReservation(
            request { ($0.startsAt, $0.ignoreRunning) = (bench.clock.now + .seconds(3600), true) },
            bench.root
        )
        #expect(view.lacking == .init(nodes: 1, runs: 1, until: end))
        #expect(try await bench.point.reservation(.named("course"), bench.bob).lacking == view.lacking)
    }

    @Test("what is wrong with a request is said at once, and what would fit")
    func refused() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre(cards: [CardGroup(model: "h100-sxm5", count: 4)])
        func failure(
            _ code: Failure.Code,
            _ location: SourceLocation = #_sourceLocation,
            as caller: Principal? = nil,
            _ change: (inout ReservationRequest) -> Void
        ) async -> Failure? {
            let request = request("refused", change)
            return await expectFailure(code, sourceLocation: location) {
                try await bench.point.createReservation(request, caller ?? bench.root)
            }
        }
        let all = await failure(.invalid) {
            $0.startsAt = bench.clock.now - .seconds(1)
            ($0.maintenance, $0.cards, $0.memory, $0.durationSeconds) = (true, 1, .gibi(1), nil)
        }
        #expect(
            Set(all?.violations.map(\.pointer) ?? []) == [
                "/project", "/starts_at", "/ends_at", "/nodes", "/memory",
            ]
        )
        #expect(await failure(.invalid) { $0.durationSeconds = 367 * 86_400 } != nil)
        #expect(await failure(.invalid) { $0.startsAt = bench.clock.now + .seconds(367 * 86_400) } != nil)
        #expect(await failure(.invalid) { ($0.endsAt, $0.durationSeconds) = (bench.clock.now, nil) } != nil)
        #expect(await failure(.invalid) { $0.nodes = 4097 } != nil)
        #expect(await failure(.invalid) { ($0.nodes, $0.nodeNames) = (nil, ["n1", "n7"]) } != nil)
        #expect(await failure(.notFound) { $0.centre = .named("nowhere") } != nil)
        #expect(await failure(.notFound) { $0.project = .named("nobody") } != nil)
        #expect(await failure(.forbidden, as: bench.alice) { _ in } != nil)
        let many = await failure(.impossible) { $0.nodes = 3 }
        #expect(many?.detail.contains("has 1 node that") == true, "\(many?.detail ?? "")")
        let cards = await failure(.impossible) { ($0.nodes, $0.cards, $0.card) = (nil, 5, "h100-sxm5") }
        #expect(cards?.detail.contains("has 4 cards of h100-sxm5 that") == true, "\(cards?.detail ?? "")")
        _ = try await bench.point.createReservation(
            request { ($0.nodes, $0.cores) = (nil, 6000) },
            bench.root
        )
        let taken = await failure(.conflict) { ($0.nodes, $0.cores) = (nil, 3000) }
        #expect(taken?.detail.contains("leaves 2 cores: 'course'") == true, "\(taken?.detail ?? "")")
        let same = await expectFailure(.conflict) { try await bench.point.createReservation(request(), bench.root) }
        #expect(same?.detail.contains("already") == true)
        _ = try await bench.point.createCentre(.named("silent"), tier: .edge, prices: nil, bench.root)
        #expect(await failure(.conflict) { $0.centre = .named("silent") } != nil)
    }

    @Test("pages partition the list; of other projects only when and where is seen")
    func list() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre()
        for hour in 0..<5 {
            _ = try await bench.point.createReservation(
                request("hour-\(hour)") {
                    $0.startsAt = bench.clock.now + .seconds(3600 * Int64(10 - hour))
                    $0.note = "for the course"
                },
                bench.root
            )
        }
        var names: [String] = []
        var cursor: String?
        repeat {
            let page = try await bench.point.reservations(cursor: cursor, limit: 2, bench.alice)
            names += page.items.map(\.name.text)
            cursor = page.next
        } while cursor != nil
        #expect(names == (0..<5).reversed().map { "hour-\($0)" })
        await expectFailure(.malformed) {
            try await bench.point.reservations(cursor: "x", limit: 2, bench.alice)
        }
        let mine = try await bench.point.reservation(.named("hour-1"), bench.bob)
        #expect(mine.project == bench.brain && mine.note == "for the course" && mine.user == bench.root.user)
        let theirs = try await bench.point.reservation(.named("hour-1"), bench.eve)
        #expect(theirs.project == nil && theirs.note == nil && theirs.user == nil && theirs.purpose == .project)
        #expect(theirs.startsAt == mine.startsAt && theirs.nodes == [.init(node: "n1", whole: true)])
        await expectFailure(.notFound) {
            try await bench.point.reservations(project: bench.brain, limit: 2, bench.eve)
        }
        await expectFailure(.notFound) { try await bench.point.reservation(.named("none"), bench.root) }
    }

    @Test("there can be so many, and what is over does not count")
    func limit() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre(cores: 1_000_000)
        for number in 0..<Point.reservationsOfCentreMax {
            _ = try await bench.point.createReservation(
                request("r-\(number)") { ($0.nodes, $0.cores) = (nil, 1000) },
                bench.root
            )
        }
        let full = await expectFailure(.conflict) { try await bench.point.createReservation(request(), bench.root) }
        #expect(full?.detail.contains("at most 100 and 1000") == true, "\(full?.detail ?? "")")
        bench.clock.advance(.seconds(3600))
        _ = try await bench.point.createReservation(request(), bench.root)
    }

    @Test("what is reserved survives a new start, and goes with its centre")
    func lasting() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        _ = try await bench.point.createReservation(request(), bench.root)
        let job = try await submit(bench, 10)
        try await bench.reopen()
        try await agent.exchange()
        try await bench.point.place()
        #expect(try await bench.point.why(job, bench.eve).code == "reserved")
        #expect(try await bench.state(job) == .queued)
        try await bench.point.removeCentre(.named("hub-1"), bench.root)
        #expect(try await bench.point.reservation(.named("course"), bench.root).state == .cancelled)
    }
}
