import Core
import Scheduling
import Testing

@Suite struct DecisionTests {
    @Test("a decision answers for its jobs as its plan does, as often as it is asked")
    func agrees() {
        for seed in seeds(100) {
            let snapshot = PlanPropertyTests.snapshot(seed: seed)
            var terrain = Terrain()
            let decision = Decision(snapshot, on: &terrain)
            let plan = decision.plan
            #expect(plan == Scheduling.plan(snapshot), "seed \(seed)")
            for job in snapshot.queue {
                let reason = decision.reason(for: job)
                #expect(reason.code == plan.waiting[job.id]?.code ?? "ready", "seed \(seed)")
                #expect(plan.waiting[job.id].map { $0.findings == reason.findings } ?? true, "seed \(seed)")
                #expect(reason == decision.reason(for: job), "seed \(seed)")
            }
            #expect(plan == decision.plan, "seed \(seed)")
        }
    }

    @Test("a job that was not looked at is answered as if it came last, and changes nothing")
    func lastOfAll() {
        for seed in seeds(100) {
            var snapshot = PlanPropertyTests.snapshot(seed: seed)
            let strangers = snapshot.queue
            snapshot.queue = []
            var terrain = Terrain()
            let decision = Decision(snapshot, on: &terrain)
            for job in strangers {
                #expect(decision.reason(for: job) == explain(job, in: snapshot), "seed \(seed)")
            }
            #expect(decision.plan.placements.isEmpty && decision.plan.waiting.isEmpty, "seed \(seed)")
        }
    }
}
