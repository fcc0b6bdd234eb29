import Core
import Scheduling
import Testing
import Wire

@testable import Jobs

@Suite("Projects within projects")
struct ProjectTreeTests {
    private func project(_ name: String, under parent: String? = nil, _ bench: Bench) async throws {
        let parent = parent.map { ProjectName.named($0) }
        _ = try await bench.point.createProject(Project(name: .named(name), parent: parent), bench.root)
    }

    private func move(_ name: String, _ place: ProjectPatch.Place, _ bench: Bench) async throws {
        _ = try await bench.point.changeProject(.named(name), ProjectPatch(place: place), bench.root)
    }

    @Test("no loop, no unknown parent, no more than eight levels; only operators move projects")
    func shape() async throws {
        let bench = try await Bench.make()
        await expectFailure(.invalid) { try await project("a", under: "nowhere", bench) }
        await expectFailure(.conflict) { try await project("a", under: "a", bench) }
        try await project("l1", bench)
        for level in 2...8 { try await project("l\(level)", under: "l\(level - 1)", bench) }
        await expectFailure(.conflict) { try await project("l9", under: "l8", bench) }
        await expectFailure(.conflict) { try await move("l1", .below(.named("l1")), bench) }
        await expectFailure(.conflict) { try await move("l1", .below(.named("l8")), bench) }
        await expectFailure(.invalid) { try await move("l8", .below(.named("nowhere")), bench) }
        // The whole of what moves counts.
        await expectFailure(.conflict) { try await move("l1", .below(bench.brain), bench) }
        await expectFailure(.forbidden) {
            _ = try await bench.point.changeProject(bench.brain, ProjectPatch(place: .top), bench.alice)
        }
        try await move("l5", .top, bench)
        try await move("l1", .below(.named("l8")), bench)
        await expectFailure(.conflict) { try await move("l5", .below(bench.brain), bench) }
        let view = try await bench.point.project(.named("l1"), bench.root)
        #expect(view.project.parent == .named("l8"))
    }

    @Test(
        "a quota further up holds for whoever is below, is told by its name, and is checked again when it is carried out"
    )
    func quotaAbove() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre(cores: 16_000)
        try await move("other", .below(bench.brain), bench)
        func limit(_ cores: MilliCores) async throws {
            _ = try await bench.point.changeProject(
                bench.brain,
                ProjectPatch(quota: Quota(cores: cores, cards: 0)),
                bench.root
            )
        }
        try await limit(3000)
        let first = try await bench.submitJob("first", #""resources": {"cores": 2}"#)
        try await bench.point.place()
        try await agent.start()
        let second = try await bench.submitJob("second", #""resources": {"cores": 2}"#, project: "other", as: bench.eve)
        try await bench.point.place()
        #expect(try await bench.state(first) == .active)
        let why = try await bench.point.why(second, bench.eve)
        #expect(why.code == "quota")
        #expect(why.headline == "Project brain holds 2 of the 3 cores that its quota allows, and this job needs 2.")
        // Between the plan and its carrying out the limit comes back.
        try await limit(4000)
        let (snapshot, _) = try await bench.point.snapshot(now: bench.clock.now)
        let plan = Scheduling.plan(snapshot)
        #expect(plan.placements.map(\.job) == [second])
        try await limit(3000)
        #expect(try await bench.point.carryOut(plan, of: snapshot, at: bench.clock.now) == 0)
        #expect(try await bench.state(second) == .queued)
        try await limit(4000)
        try await bench.point.place()
        #expect(try await bench.state(second) == .active)
        let held = try await bench.point.project(bench.brain, bench.root)
        #expect(held.cores == 4 && held.runs == 2, "what its quota is held against")
        #expect(try await bench.point.project(.named("other"), bench.eve).cores == 2)
        // Who belongs to a project does not belong to what it is part of, nor the other way round.
        await expectFailure(.notFound) { _ = try await bench.point.project(bench.brain, bench.eve) }
        await expectFailure(.notFound) { _ = try await bench.point.project(.named("other"), bench.alice) }
    }

    @Test("vouchers are those of the project itself, not of what it is part of")
    func vouchers() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre(prices: PriceTable(coreHour: 3_600_000))
        try await move("other", .below(bench.brain), bench)
        for name in ["brain", "other"] {
            _ = try await bench.point.changeProject(.named(name), ProjectPatch(metered: true), bench.root)
        }
        _ = try await bench.point.grantVoucher(1_000_000, to: bench.brain, note: "", bench.root)
        let job = try await bench.submitJob(
            "a",
            #""resources": {"cores": 1, "time_limit": 100}"#,
            project: "other",
            as: bench.eve
        )
        try await bench.point.place()
        #expect(try await bench.point.why(job, bench.eve).code == "voucher")
        _ = try await bench.point.grantVoucher(100_000, to: .named("other"), note: "", bench.root)
        try await bench.point.place()
        #expect(try await bench.balance(.reserved(.named("other"))) == 100_000)
        #expect(try await bench.balance(.project(bench.brain)) == 1_000_000)
    }
}
