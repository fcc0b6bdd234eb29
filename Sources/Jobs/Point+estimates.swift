public import Core
import Scheduling
import Store
import Synchronization
public import Wire

extension Point {
    /// How many different jobs one question may be about: each is a plan and a look ahead, while others wait.
    static let estimatesMax = 64

    /// What a submission could expect if it were made now. Nothing is made.
    ///
    /// - Throws: As ``submit(_:project:idempotencyKey:_:)``: with every fault at once, or `.impossible`; `.tooLarge` for
    ///   a workflow of more than ``estimatesMax`` jobs that differ.
    public func estimate(_ document: JSON, project: ProjectName?, _ caller: Principal) async throws -> EstimatesView {
        let (read, workflowName, project) = try await read(document, project: project, caller)
        var drafts = read
        _ = try await store.read { try Self.require(.member, in: project, caller, $0) }
        try await resolve(&drafts, project: project, isWorkflow: workflowName != nil, caller)
        let now = now()
        let (snapshot, _) = try await snapshot(now: now)
        let visible = try await store.read { try Self.visible(to: caller, $0) }
        let last = snapshot.queue.map(\.sequence).max() ?? 0
        let names = workflowName == nil ? [] : Set(drafts.map(\.spec.name))
        var jobs: [EstimateView] = []
        // Jobs that ask for the same may expect the same.
        var known: [QueuedJob: (Reason, Forecast?)] = [:]
        let id: JobID = makeID()
        for draft in drafts {
            let spec = draft.spec
            let awaited = try await store.read { try Self.awaited(spec, among: names, $0) }
            let job = QueuedJob(
                id: id,
                project: project,
                sequence: last + 1,
                submittedAt: now,
                priority: spec.priority,
                preemptible: spec.preemptible,
                request: Request(spec),
                estimateSeconds: runTimes.seconds(RunTimes.Kind(spec, project: project)),
                unmetDependencies: awaited.count,
                waitingFor: awaited
            )
            guard known[job] != nil || known.count < Self.estimatesMax else {
                throw Failure(
                    .tooLarge,
                    "An estimate is of at most \(Self.estimatesMax) jobs that differ. Ask about a part of the workflow."
                )
            }
            let (reason, forecast): (Reason, Forecast?)
            if let same = known[job] {
                (reason, forecast) = same
            } else {
                let terrain = terrain.withLock { $0 }
                reason = await explaining.run {
                    var terrain = terrain
                    return Scheduling.explain(job, in: snapshot, on: &terrain)
                }
                forecast = try await foresee(job, reason, in: snapshot)
            }
            known[job] = (reason, forecast)
            let owners = owners(of: reason.namedJobs, in: snapshot)
            let named =
                visible.map { visible in
                    reason.naming { owners[$0].map(visible.contains) ?? false }
                } ?? reason
            jobs.append(
                EstimateView(
                    name: spec.name,
                    count: spec.array ?? 1,
                    code: named.code,
                    headline: named.headline,
                    evidence: named.evidence,
                    wayOut: named.way == .nothing ? nil : named.wayOut,
                    timeLimitSeconds: spec.timeLimitSeconds,
                    forecast: forecast.map { ForecastView($0, madeAt: now, knowsStart: reason.isMatterOfTime) },
                    costMax: forecast.map {
                        PriceTable.reservation(perHour: $0.pricePerHour, timeLimitSeconds: spec.timeLimitSeconds)
                    }
                )
            )
        }
        return EstimatesView(project: project, jobs: jobs)
    }

    /// What a job that is not made yet would have to wait for: names of jobs in its workflow, and others that have not
    /// succeeded.
    private static func awaited(_ spec: JobSpec, among names: Set<String>, _ tx: ReadTransaction) throws -> [String] {
        var references = spec.after
        for input in spec.inputs {
            if case .output(let job, _) = input.source { references.append(job) }
        }
        var awaited: [String] = []
        for reference in references where !awaited.contains(reference) {
            let isMet: Bool? =
                switch Dependency(reference) {
                case nil: nil
                case .job(let id)?: try tx.job(id).map { $0.state == .succeeded }
                case .array(let id)?: try tx.array(id).map { $0.counts.succeeded == $0.counts.total }
                }
            if names.contains(reference) || isMet == false { awaited.append(reference) }
        }
        return awaited
    }

    /// What a job that waits for a reason may expect. A forecast of one that waits for more than its turn tells only how
    /// long it will run and what that costs; there is none where no centre is open to it.
    func foresee(_ job: QueuedJob, _ reason: Reason, in snapshot: Snapshot) async throws -> Forecast? {
        let reasons = waiting.withLock { $0.reasons }
        let foreseeing = living.withLock { $0.foreseeing(snapshot, runTimes) }
        let prospect = await explaining.run {
            var with = foreseeing
            with.queue.removeAll { $0.id == job.id }
            with.queue.append(job)
            let outlook = Outlook(with) { $0.id == job.id || reasons[$0.id]?.isMatterOfTime ?? true }
            return outlook.prospects(of: [job.id])[job.id]
        }
        guard var prospect else { return nil }
        if case .ready = reason.cause { (prospect.wait, prospect.waitMax) = (0, 0) }
        return foresight.forecast(
            prospect,
            runSeconds: job.estimateSeconds,
            timeLimitSeconds: job.request.timeLimitSeconds
        )
    }

    /// How often forecasts came true, over the latest jobs of all projects: sums only, of which everybody may know.
    public func forecastAccuracy() async throws -> ForecastAccuracyView {
        let outcomes = try await store.read { try $0.forecastOutcomes(limit: Foresight.remembered) }
        func held(_ outcomes: some Sequence<ForecastOutcome>, starts: Bool) -> ForecastAccuracyView.Held {
            var held = ForecastAccuracyView.Held(count: 0, p50: 0, p90: 0, medianFactor: 1)
            var factors: [Double] = []
            let floor = starts ? Forecaster.waitFloorSeconds : Forecaster.runFloorSeconds
            for outcome in outcomes {
                guard let truth = starts ? outcome.waitedSeconds : outcome.ranSeconds.map(Double.init) else { continue }
                let span = starts ? outcome.forecast.wait : outcome.forecast.run
                held.count += 1
                // Forecasts are in whole seconds: within the same second is right.
                if truth.rounded(.down) <= Double(span.p50) { held.p50 += 1 }
                if truth.rounded(.down) <= Double(span.p90) { held.p90 += 1 }
                let ratio = (truth + floor) / (Double(span.p50) + floor)
                factors.append(max(ratio, 1 / ratio))
            }
            factors.sort()
            if !factors.isEmpty { held.medianFactor = factors[factors.count / 2] }
            return held
        }
        let bounds: [Int64] = [60, 600, 3600, 6 * 3600]
        func number(_ span: Forecast.Span) -> Int { bounds.firstIndex { span.p50 <= $0 } ?? bounds.count }
        return ForecastAccuracyView(
            since: outcomes.map(\.madeAt).min(),
            starts: held(outcomes, starts: true),
            runs: held(outcomes, starts: false),
            classes: (0...bounds.count).map { index in
                .init(
                    atMostSeconds: index < bounds.count ? bounds[index] : nil,
                    starts: held(outcomes.lazy.filter { number($0.forecast.wait) == index }, starts: true),
                    runs: held(outcomes.lazy.filter { number($0.forecast.run) == index }, starts: false)
                )
            }
        )
    }
}

extension ForecastOutcome {
    /// From the forecast to the start.
    fileprivate var waitedSeconds: Double? { startedAt.map { max(0, ($0 - madeAt).seconds) } }
}
