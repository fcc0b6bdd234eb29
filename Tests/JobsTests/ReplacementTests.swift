import Core
import Store
import Testing
import Wire

@testable import Jobs

@Suite("Reservations whose nodes fail or leave") struct ReplacementTests {
    private let name = ReservationName.named("course")

    private func reserve(
        _ bench: Bench,
        _ change: (inout ReservationRequest) -> Void = { _ in }
    ) async throws -> [String] {
        var request = ReservationRequest(name: name, centre: .named("hub-1"))
        (request.project, request.durationSeconds, request.nodes) = (.named("brain"), 7200, 2)
        request.startsAt = bench.clock.now + .seconds(3600)
        change(&request)
        return try await bench.point.createReservation(request, bench.root).nodes.map(\.node)
    }

    private func look(_ bench: Bench) async throws -> ReservationView {
        try await bench.point.replaceLostNodes()
        return try await bench.point.reservation(name, bench.root)
    }

    private func moves(_ bench: Bench) async throws -> Int {
        try await bench.point.store.read { try $0.events(after: 0, limit: 1000, subject: "reservation/course") }
            .count { if case .reservationMoved = $0.event { true } else { false } }
    }

    @Test("a node that goes down before the window is replaced by a free one, once, and it says by which")
    func down() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(nodes: 4)
        #expect(try await reserve(bench) == ["n1", "n2"])
        #expect(try await look(bench).missing.isEmpty)
        agent.capacity.nodes[1].schedulable = false
        try await agent.exchange()
        let view = try await look(bench)
        #expect(view.nodes == [.init(node: "n1", whole: true), .init(node: "n3", whole: true, insteadOf: "n2")])
        #expect(view.missing.isEmpty && view.lacking == nil)
        #expect(try await moves(bench) == 1)
        // Nothing is done twice, and what comes back is free for others.
        _ = try await look(bench)
        agent.capacity.nodes[1].schedulable = true
        try await agent.exchange()
        #expect(try await look(bench) == view)
        #expect(try await moves(bench) == 1)
        #expect(try await bench.point.liveStateFault() == nil)
        // Jobs keep away from the new node, and only from that.
        let more = #""resources": {"cores": 8, "time_limit": "3h"}"#
        for _ in 0..<4 { _ = try await bench.submitJob("long", more, project: "other", as: bench.root) }
        try await bench.point.place()
        let nodes = try await bench.point.store.read { try $0.liveRuns().flatMap(\.nodes).map(\.node) }
        #expect(Set(nodes) == ["n2", "n4"])
    }

    @Test("nodes that vanish are replaced in the window too, by such as have as much; shortfall is said, and ends")
    func vanished() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cards: [CardGroup(model: "h100-sxm5", count: 4)], nodes: 3)
        agent.capacity.nodes.append(Node(name: "small", cores: 8000, memory: .gibi(64)))
        agent.capacity.nodes[2].schedulable = false
        try await agent.exchange()
        #expect(try await reserve(bench) { ($0.nodes, $0.card, $0.startsAt) = (2, "h100-sxm5", nil) } == ["n1", "n2"])
        bench.clock.advance(.seconds(600))
        agent.capacity.nodes.removeFirst()
        try await agent.exchange()
        // The only one that is left has no cards.
        var view = try await look(bench)
        #expect(view.state == .active && view.nodes.map(\.node) == ["n1", "n2"] && view.missing == ["n1"])
        #expect(try await bench.point.reservations(limit: 10, bench.root).items.map(\.missing) == [["n1"]])
        #expect(try await moves(bench) == 0)
        agent.capacity.nodes[1].schedulable = true
        try await agent.exchange()
        bench.clock.advance(.seconds(10))
        try await agent.exchange()
        view = try await look(bench)
        #expect(view.nodes.map(\.node) == ["n3", "n2"] && view.nodes[0].insteadOf == "n1" && view.missing.isEmpty)
    }

    @Test("parts of nodes are found elsewhere as well, beside what others have reserved")
    func parts() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cards: [CardGroup(model: "h100-sxm5", count: 4)], nodes: 3)
        #expect(try await reserve(bench) { ($0.nodes, $0.cards) = (nil, 3) } == ["n1"])
        var other = ReservationRequest(name: .named("other"), centre: .named("hub-1"))
        (other.project, other.durationSeconds, other.cards) = (.named("other"), 9000, 6)
        #expect(try await bench.point.createReservation(other, bench.root).nodes.map(\.node) == ["n2", "n3"])
        agent.capacity.nodes[0].schedulable = false
        try await agent.exchange()
        // Two cards are left at one of them: less than were kept.
        #expect(try await look(bench).missing == ["n1"])
        _ = try await bench.point.cancelReservation(other.name, bench.root)
        bench.clock.advance(.seconds(10))
        let view = try await look(bench)
        #expect(view.nodes.map(\.node) == ["n2"] && view.nodes.map(\.cards) == [3] && view.missing.isEmpty)
        #expect(view.nodes.map(\.insteadOf) == ["n1"])
    }

    @Test("a free node comes before one that runs hold for a while yet, which comes before none")
    func busy() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(nodes: 3)
        let more = #""resources": {"cores": 8, "time_limit": "90m"}"#
        let job = try await bench.submitJob("long", more, project: "other", as: bench.root)
        try await bench.point.place()
        try await agent.start()
        let held = try #require(try await bench.run(job).nodes.first?.node)
        var nodes = try await reserve(bench) { $0.nodes = 1 }
        for _ in 0..<2 {
            let index = try #require(agent.capacity.nodes.firstIndex { $0.name == nodes[0] })
            agent.capacity.nodes[index].schedulable = false
            try await agent.exchange()
            bench.clock.advance(.seconds(10))
            try await agent.exchange()
            nodes = try await look(bench).nodes.map(\.node)
        }
        #expect(nodes == [held])
        let view = try await look(bench)
        #expect(view.missing.isEmpty && view.lacking?.runs == 1)
    }

    @Test("maintenance stays on its nodes, and what is over is left alone")
    func maintenance() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(nodes: 3)
        _ = try await reserve(bench) { ($0.project, $0.maintenance, $0.nodes, $0.nodeNames) = (nil, true, nil, ["n1"]) }
        agent.capacity.nodes[0].schedulable = false
        try await agent.exchange()
        #expect(try await look(bench).nodes.map(\.node) == ["n1"])
        #expect(try await look(bench).missing.isEmpty)
        _ = try await bench.point.cancelReservation(name, bench.root)
        _ = try await reserve(bench) { $0.nodes = 1 }
        bench.clock.advance(.seconds(4 * 3600))
        agent.capacity.nodes[1].schedulable = false
        try await agent.exchange()
        #expect(try await look(bench).missing.isEmpty)
        #expect(try await moves(bench) == 0)
    }

    @Test("many that fail at once are replaced as far as there are others")
    func many() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(nodes: 200)
        _ = try await reserve(bench) { $0.nodes = 120 }
        for index in 0..<100 { agent.capacity.nodes[index].schedulable = false }
        try await agent.exchange()
        var view = try await look(bench)
        for _ in 0..<3 {
            bench.clock.advance(.seconds(10))
            try await agent.exchange()
            view = try await look(bench)
        }
        #expect(view.nodes.count == 120 && Set(view.nodes.map(\.node)).count == 120)
        #expect(view.missing.count == 20 && view.nodes.count { $0.insteadOf != nil } == 80)
        #expect(try await bench.point.liveStateFault() == nil)
    }
}
