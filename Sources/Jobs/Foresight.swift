import Core
import Scheduling
import Store
import Synchronization

/// What jobs may expect: models of waits and run times, corrected by how they did so far. Lives in memory; filled again
/// from the forecasts that were kept when the point starts.
final class Foresight: Sendable {
    /// How many of the latest forecasts are looked at when the point starts, and scored when somebody asks.
    static let remembered = 5000

    private struct State {
        var waits = Forecaster.waits
        var runs = Forecaster.runs
        /// Queued jobs of which something was foretold.
        var foretold: Set<JobID> = []
        /// When there was last an outlook, and how long that took.
        var outlook: (at: Instant, spent: Duration)?
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - prospect: What an outlook said, or of a job that starts now that it waits for nothing.
    ///   - runSeconds: What is expected by its kind.
    func forecast(_ prospect: Outlook.Prospect, runSeconds: Int, timeLimitSeconds: Int) -> Forecast {
        state.withLock { state in
            let expected = prospect.wait
            let said = state.waits.span(expected, Forecaster.waitContexts(seconds: expected))
            let waiting = said ?? .init(p50: expected, p90: prospect.waitMax)
            let limit = Int64(timeLimitSeconds)
            let ran =
                state.runs.span(
                    Double(runSeconds),
                    Forecaster.runContexts(seconds: Double(runSeconds), limitSeconds: limit)
                ) ?? .init(p50: Double(runSeconds), p90: Double(limit))
            func whole(_ seconds: Double, atMost most: Int64 = .max / 2) -> Int64 {
                seconds < Double(most) ? Int64(seconds.rounded(.up)) : most
            }
            return Forecast(
                wait: .init(modelled: whole(expected), p50: whole(waiting.p50), p90: whole(waiting.p90)),
                run: .init(
                    modelled: Int64(runSeconds),
                    p50: max(1, whole(ran.p50, atMost: limit)),
                    p90: max(1, whole(ran.p90, atMost: limit))
                ),
                pricePerHour: prospect.pricePerHour
            )
        }
    }

    /// What came of a forecast.
    func learn(_ outcome: ForecastOutcome) {
        state.withLock { state in
            let (wait, run) = (outcome.forecast.wait, outcome.forecast.run)
            if let startedAt = outcome.startedAt {
                state.waits.learn(
                    Double(wait.modelled),
                    said: .init(p50: Double(wait.p50), p90: Double(wait.p90)),
                    // In whole seconds, as what was said.
                    truth: max(0, (startedAt - outcome.madeAt).seconds.rounded(.down)),
                    Forecaster.waitContexts(seconds: Double(wait.modelled))
                )
            }
            if let ran = outcome.ranSeconds {
                state.runs.learn(
                    Double(run.modelled),
                    said: .init(p50: Double(run.p50), p90: Double(run.p90)),
                    truth: Double(ran),
                    Forecaster.runContexts(
                        seconds: Double(run.modelled),
                        limitSeconds: Int64(outcome.timeLimitSeconds)
                    )
                )
            }
        }
    }

    func isForetold(_ job: JobID) -> Bool { state.withLock { $0.foretold.contains(job) } }

    func note(foretold jobs: some Sequence<JobID>) { state.withLock { $0.foretold.formUnion(jobs) } }

    /// Forgets which jobs were foretold, but for those that still wait.
    func keep(only queued: Set<JobID>) { state.withLock { $0.foretold.formIntersection(queued) } }

    /// Whether it is time to look ahead again: a fiftieth of the time is spent on it, and no more.
    func isDue(at now: Instant) -> Bool {
        state.withLock { state in
            guard let last = state.outlook else { return true }
            let since = now - last.at
            return since < .zero || since >= max(.seconds(1), last.spent * 50)
        }
    }

    func noteOutlook(at now: Instant, spent: Duration) { state.withLock { $0.outlook = (now, spent) } }
}

extension Point {
    /// How many waiting jobs are foretold in one cycle.
    private static let foretoldAtOnce = 500

    /// Looks ahead for those waiting jobs of which nothing was foretold yet, and writes it down.
    func foretell(_ plan: Plan, _ snapshot: Snapshot, at now: Instant) async throws {
        guard foresight.isDue(at: now) else { return }
        let waiting = plan.waiting
        let jobs = snapshot.queue
            .filter { waiting[$0.id]?.isMatterOfTime == true && !foresight.isForetold($0.id) }
            .prefix(Self.foretoldAtOnce)
        guard !jobs.isEmpty else { return }
        let wanted = Set(jobs.map(\.id))
        let began = runtime.elapsed
        let foreseeing = living.withLock { $0.foreseeing(snapshot, runTimes) }
        let prospects = await planning.run {
            // Those that are placed right now take part as well: nobody may start before they have ended.
            Outlook(foreseeing) { waiting[$0.id]?.isMatterOfTime ?? true }.prospects(of: wanted)
        }
        foresight.noteOutlook(at: now, spent: runtime.elapsed - began)
        let foretold = jobs.compactMap { job in
            prospects[job.id].map { prospect in
                Event.JobForecast(
                    job: job.id,
                    forecast: foresight.forecast(
                        prospect,
                        runSeconds: job.estimateSeconds,
                        timeLimitSeconds: job.request.timeLimitSeconds
                    )
                )
            }
        }
        guard !foretold.isEmpty else { return }
        try await write { tx in
            for forecast in foretold {
                // It may have been cancelled or placed meanwhile.
                guard let job = try tx.job(forecast.job), job.state == .queued else { continue }
                // One that waits again after a failed run has its first.
                guard try tx.forecast(of: job.id) == nil else { continue }
                try tx.append(
                    .jobForecast(forecast),
                    project: job.project,
                    subject: "\(job.id)",
                    actor: Actor.point,
                    at: now
                )
            }
        }
        foresight.note(foretold: foretold.map(\.job))
    }

    /// What to foretell of a job that is placed at the first look; `nil` when something was foretold before.
    func forecast(_ job: QueuedJob, placed placement: Plan.Placement) -> Forecast? {
        guard !foresight.isForetold(job.id) else { return nil }
        return foresight.forecast(
            Outlook.Prospect(pricePerHour: placement.pricePerHour),
            runSeconds: job.estimateSeconds,
            timeLimitSeconds: job.request.timeLimitSeconds
        )
    }

    /// Fills the memory of forecasts after a start.
    func rememberForecasts() async throws {
        let (outcomes, queued) = try await store.read { tx in
            (try tx.forecastOutcomes(limit: Foresight.remembered), try tx.forecastQueued())
        }
        for outcome in outcomes.reversed() { foresight.learn(outcome) }
        foresight.note(foretold: queued)
    }
}
