import Core
import Testing
import Wire

@testable import Jobs

@Suite struct CapacityTests {
    @Test("real and emulated cards are told apart in every figure, and only real ones have PFLOPS")
    func cards() async throws {
        let bench = try await Bench.make()
        let model = try #require(Accelerator.catalogue.first { ($0.fp16DenseTflops ?? 0) > 0 })
        let agent = try await bench.centre(
            "hub-1",
            cards: [
                CardGroup(model: model.model, count: 4, measuredTflops: 100),
                CardGroup(model: model.model, count: 2, emulated: true),
            ]
        )
        _ = try await bench.centre("edge-1", tier: .edge)
        let capacity = try await bench.point.capacity(bench.alice)
        let pflops = (model.fp16DenseTflops ?? 0) / 1000
        #expect(capacity.total.cards == Figures(nameplate: 4, schedulable: 4, free: 4))
        #expect(capacity.total.emulatedCards == Figures(nameplate: 2, schedulable: 2, free: 2))
        #expect(abs(capacity.total.pflops.nameplate - 4 * pflops) < 1e-9)
        #expect(capacity.total.pflops.measured == 0.4)
        #expect(capacity.tiers.first { $0.tier == .edge }?.centres == 1)
        // One job on a real card, one that an emulated one will do for.
        _ = try await bench.submitJob("real", #""resources": {"cards": 3}"#)
        try await bench.point.place()
        _ = try await bench.submitJob("emulated", #""resources": {"cards": 2}, "placement": {"emulated": true}"#)
        try await bench.point.place()
        try await agent.start()
        let used = try await bench.point.capacity(bench.alice)
        #expect(used.total.cards.free == 1)
        #expect(used.total.emulatedCards.free == 0)
        let row = try #require(used.projects.first)
        #expect(row.cards == 5)
        #expect(abs(row.pflops - 3 * pflops) < 1e-9)
        #expect(try await bench.point.capacity(bench.eve).projects.isEmpty)
        #expect(try await bench.point.centre(.named("hub-1"), bench.alice).nodes.first?.runs.isEmpty == true)
        #expect(try await bench.point.centre(.named("hub-1"), bench.root).nodes.first?.runs.count == 2)
    }

    @Test("the metrics are in the exposition format, each family once")
    func metrics() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        _ = try await bench.submitJob()
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        try await agent.end(run)
        let text = try await bench.point.metrics()
        var families: [String: String] = [:]
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /# TYPE ([a-z_0-9]+) (gauge|counter)/) {
                #expect(families.updateValue(String(match.2), forKey: String(match.1)) == nil, "\(line)")
            } else if !line.hasPrefix("# HELP ") {
                let match = try #require(
                    line.wholeMatch(of: /([a-z_0-9]+)(\{[a-z]+="[a-z0-9_-]*"(?:,[a-z]+="[a-z0-9_-]*")*\})? (\S+)/),
                    "\(line)"
                )
                #expect(families[String(match.1)] != nil, "\(line)")
                samples["\(match.1)\(match.2 ?? "")"] = Double(match.3)
            }
        }
        #expect(samples[#"onepoint_jobs{state="succeeded"}"#] == 1)
        #expect(samples[#"onepoint_runs_ended_total{outcome="succeeded"}"#] == 1)
        #expect(samples[#"onepoint_centre_connected{centre="hub-1",tier="hub"}"#] == 1)
        #expect(samples["onepoint_jobs_submitted_total"] == 1)
    }

    @Test("events and lists show a tenant only its own, page by page")
    func lists() async throws {
        let bench = try await Bench.make()
        _ = try await bench.submit(#"{"name": "a", "command": ["true"], "array": 7}"#)
        _ = try await bench.submitJob("b", project: "other", as: bench.eve)
        var seen: [JobID] = []
        var query = JobQuery(limit: 3)
        repeat {
            let page = try await bench.point.jobs(query, bench.alice)
            seen += page.items.map(\.job)
            query.cursor = page.next
        } while query.cursor != nil
        #expect(seen.count == 7)
        #expect(Set(seen).count == 7)
        await expectFailure(.malformed) { try await bench.point.jobs(JobQuery(cursor: "x"), bench.alice) }
        await expectFailure(.malformed) { try await bench.point.jobs(JobQuery(limit: 0), bench.alice) }
        let events = try await bench.point.events(after: 0, subject: nil, project: nil, limit: 1000, bench.eve)
        #expect(events.allSatisfy { $0.project == .named("other") })
        #expect(try await bench.point.jobs(JobQuery(), bench.eve).items.count == 1)
        await expectFailure(.notFound) { try await bench.point.jobs(JobQuery(project: bench.brain), bench.eve) }
    }
}
