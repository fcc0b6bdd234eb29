import Core

/// A misfortune that operators ask about, with many long jobs running when it comes.
package enum Scenario: String, Sendable, CaseIterable {
    /// The point is away for an hour.
    case pointDown = "point-down"
    /// One centre cannot be reached for a day.
    case centreDown = "centre-down"

    /// How long a restartable job waits for its centre to come back.
    static let requeueAfterSeconds = 600
    /// When it comes.
    static let atSeconds = 900

    /// How long it lasts.
    package var lastsSeconds: Int { self == .pointDown ? 3600 : 86_400 }

    package func plan(jobs: Int, seed: UInt64, lastsSeconds: Int) -> WorldPlan {
        var plan = WorldPlan(seed: seed, jobs: jobs, faults: 0)
        // All can run at once, and those of one centre elsewhere too.
        plan.coresPerCentre = max(8, (jobs + 3) / 4 * 4 * 3 / 2 / plan.centres)
        // Every job still runs when it is over.
        plan.jobSeconds = lastsSeconds + 4 * Self.atSeconds
        plan.requeueAfterSeconds = Self.requeueAfterSeconds
        plan.faults = [
            Fault(
                kind: self == .pointDown ? .pointCrash : .partition,
                atMilliseconds: Int64(Self.atSeconds) * 1000,
                centre: 1,
                lastsMilliseconds: Int64(lastsSeconds) * 1000,
                draw: 0
            )
        ]
        return plan
    }
}

/// What became of the jobs of a scenario.
package struct ScenarioResult: Sendable, Hashable {
    package var scenario: Scenario
    package var plan: WorldPlan
    package var world: WorldResult
    /// How many ran when it came.
    package var running = 0
    /// Executions outside the place that was struck which did not come to their own end.
    package var lostElsewhere = 0
    /// Jobs of the centre that was struck which need not wait for it.
    package var restartable = 0
    /// Those of them that ran again, and from the time that their policy names to the new start, the longest.
    package var restarted = 0
    package var restartSecondsMax = 0.0
    /// What is allowed of it.
    package static let restartSecondsLimit = 120.0
    /// Of the others at that centre: how many went on and came to their own end.
    package var waited = 0
    /// How long it took to find out.
    package var seconds = 0.0

    package var isKept: Bool {
        world.findings.isClean && lostElsewhere == 0 && running == plan.jobs && restarted == restartable
            && restartSecondsMax <= Self.restartSecondsLimit && (scenario == .pointDown || restartable > 0)
    }
}

extension World {
    /// Reads the scenario's result off what really happened.
    func result(of scenario: Scenario, _ world: WorldResult) -> ScenarioResult {
        var result = ScenarioResult(scenario: scenario, plan: plan, world: world)
        result.running = runningAtFaults.first ?? 0
        guard let fault = plan.faults.first else { return result }
        let struck = scenario == .centreDown ? fault.centre : nil
        let due = VirtualTime.start + fault.at + .seconds(Scenario.requeueAfterSeconds)
        for execution in truth.executions where execution.run.number == 1 {
            let isOwn = if case .own? = execution.ended?.0 { true } else { false }
            guard execution.centre == struck else {
                if !isOwn { result.lostElsewhere += 1 }
                continue
            }
            guard restartable.contains(execution.run.job) else {
                if isOwn { result.waited += 1 }
                continue
            }
            result.restartable += 1
            guard let second = truth.starts[RunKey(job: execution.run.job, number: 2)]?.first else { continue }
            result.restarted += 1
            let late = (truth.executions[second].startedAt - due).seconds
            result.restartSecondsMax = max(result.restartSecondsMax, late)
        }
        return result
    }
}
