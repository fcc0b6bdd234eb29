import Core
import TestKit
import Testing
import Wire

@testable import Jobs

@Suite("Simulations at the point") struct SimulationTests {
    private static func document(jobs: Int = 28_476) throws -> JSON {
        var report = SimulationReport.sample
        report.trace.jobs = jobs
        return try JSON(encoding: report)
    }

    @Test("the same name again takes the place of the first; the same report again is no event; the log keeps all")
    func replacing() async throws {
        let bench = try await Bench.make()
        let name: SimulationName = .named("kth")
        func publish(_ jobs: Int) async throws -> Bool {
            try await bench.point.publishSimulation(name, try Self.document(jobs: jobs), bench.root).isNew
        }
        #expect(try await publish(1))
        bench.clock.advance(.seconds(60))
        #expect(try await !publish(1))
        #expect(try await !publish(2))
        try await bench.point.removeSimulation(name, bench.root)
        await expectFailure(.notFound) { try await bench.point.simulation(name, bench.root) }
        #expect(try await publish(1))
        let log = try await bench.point.events(
            after: 0,
            subject: "simulation/kth",
            project: nil,
            limit: 100,
            bench.root
        )
        let (published, removed) = ("simulation_published", "simulation_removed")
        #expect(log.map(\.kind) == [published, published, removed, published])
        let jobs = log.compactMap { $0.payload["report"]?["trace"]?["jobs"]?.integerValue }
        #expect(jobs == [1, 2, 1])
    }

    @Test("only operators publish and delete; others see all but the projects that they are not in")
    func rights() async throws {
        let bench = try await Bench.make()
        let name: SimulationName = .named("kth")
        await expectFailure(.forbidden) {
            try await bench.point.publishSimulation(name, try Self.document(), bench.alice)
        }
        _ = try await bench.point.publishSimulation(name, try Self.document(), bench.root)
        await expectFailure(.forbidden) { try await bench.point.removeSimulation(name, bench.alice) }
        func projects(_ caller: Principal) async throws -> ([[String]], [Int]) {
            let policies = try await bench.point.simulation(name, caller).report.policies
            return (policies.map { $0.projects.map(\.name) }, policies.map(\.projectsMore))
        }
        #expect(try await projects(bench.root) == ([["brain", "user 7"], ["brain", "user 7"]], [4, 4]))
        #expect(try await projects(bench.alice) == ([["brain"], ["brain"]], [5, 5]))
        #expect(try await projects(bench.eve) == ([[], []], [6, 6]))
        #expect(try await bench.point.simulations(limit: 10, bench.eve).items.map(\.name) == [name])
        let seen = try await bench.point.events(after: 0, subject: nil, project: nil, limit: 1000, bench.alice)
        #expect(!seen.contains { $0.kind == "simulation_published" })
    }

    @Test("there are at most so many; replacing one goes on")
    func limit() async throws {
        let bench = try await Bench.make()
        let document = try Self.document()
        for number in 0..<Point.simulationsMax {
            _ = try await bench.point.publishSimulation(.named("s-\(number)"), document, bench.root)
        }
        await expectFailure(.conflict) { try await bench.point.publishSimulation(.named("more"), document, bench.root) }
        let other = try Self.document(jobs: 3)
        #expect(try await !bench.point.publishSimulation(.named("s-7"), other, bench.root).isNew)
    }
}
