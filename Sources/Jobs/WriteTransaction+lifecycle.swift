import Core
import Store
import Synchronization

/// Where state machines meet the log: each change that a machine returns becomes the events that say so.
extension WriteTransaction {
    /// Writes down what happened to a run, and what follows for its job.
    ///
    /// - Parameters:
    ///   - nodes: Where it runs, when it starts elsewhere at its centre than was planned.
    ///   - artifacts: What it left, when it ended well.
    ///   - givenUp: The run may live on unseen; its job's own policy asks for another all the same.
    func apply(
        _ changes: [RunLifecycle.Change],
        to run: Run,
        nodes: [NodeShare]? = nil,
        artifacts: [Artifact] = [],
        givenUp: Bool = false,
        actor: String,
        at now: Instant,
        counters: Counters
    ) throws {
        var run = run
        for change in changes {
            let event: Event
            switch change {
            case .offered: event = .runOffered(.init(run: run.key))
            case .accepted: event = .runAccepted(.init(run: run.key))
            case .pending(let engineJob): event = .runPending(.init(run: run.key, engineJob: engineJob))
            case .waits(let reason): event = .runWaiting(.init(run: run.key, reason: reason))
            case .started(let reported):
                // The agent's clock may be behind ours, by years: nothing starts before it was placed.
                let startedAt = max(reported, run.leasedAt)
                run.startedAt = startedAt
                if let nodes { run.nodes = nodes }
                event = .runStarted(.init(run: run.key, startedAt: startedAt, nodes: nodes))
            case .unseen(let since): event = .runUnseen(.init(run: run.key, since: since))
            case .seen: event = .runSeen(.init(run: run.key))
            case .stopRequested(let reason): event = .runStopRequested(.init(run: run.key, reason: reason))
            case .ended(let outcome, let endedAt):
                // A centre's clock may be behind its own start report or ours: an end is never before its start.
                run.endedAt = max(endedAt, run.startedAt ?? run.leasedAt)
                run.outcome = outcome
                event = .runEnded(
                    .init(
                        run: run.key,
                        outcome: outcome,
                        endedAt: run.endedAt ?? endedAt,
                        artifacts: artifacts,
                        usage: Usage.of(run) { Accelerator.named($0)?.fp16DenseTflops },
                        charged: run.charge
                    )
                )
            }
            try append(event, project: run.project, subject: "\(run.key.job)", actor: actor, at: now)
        }
        if let outcome = run.outcome, changes.contains(where: { if case .ended = $0 { true } else { false } }) {
            counters.runsEnded.withLock { $0[outcome.kind, default: 0] += 1 }
            guard let job = try job(run.key.job) else { return }
            var lifecycle = job.lifecycle
            let follows =
                givenUp
                ? lifecycle.runGivenUp(number: run.key.number)
                : lifecycle.runEnded(
                    number: run.key.number,
                    outcome: outcome,
                    retries: job.spec.retries,
                    now: now
                )
            try apply(follows, to: job, actor: actor, at: now, counters: counters)
        }
    }

    /// Writes down what happened to a job, and what follows for the jobs that wait for it, however long the chain.
    func apply(
        _ changes: [JobLifecycle.Change],
        to job: Job,
        actor: String,
        at now: Instant,
        counters: Counters
    ) throws {
        var doomed = try write(changes, to: job, actor: actor, at: now, counters: counters)
        while let next = doomed.popLast() {
            // Looked at only now: another way through the graph may have reached it first.
            guard let dependant = try self.job(next.job), !dependant.state.isTerminal else { continue }
            var lifecycle = dependant.lifecycle
            doomed += try write(
                lifecycle.requestCancel(detail: next.detail),
                to: dependant,
                actor: Actor.point,
                at: now,
                counters: counters
            )
        }
    }

    /// A job that can never start, and why.
    private struct Doomed {
        var job: JobID
        var detail: String
    }

    private func write(
        _ changes: [JobLifecycle.Change],
        to job: Job,
        actor: String,
        at now: Instant,
        counters: Counters
    ) throws -> [Doomed] {
        var doomed: [Doomed] = []
        for change in changes {
            switch change {
            case .requeued(let notBefore, let retriesUsed):
                try append(
                    .jobRequeued(.init(job: job.id, notBefore: notBefore, retriesUsed: retriesUsed)),
                    project: job.project,
                    subject: "\(job.id)",
                    actor: actor,
                    at: now
                )
            case .cancelRequested(let number):
                try append(
                    .jobCancelRequested(.init(job: job.id)),
                    project: job.project,
                    subject: "\(job.id)",
                    actor: actor,
                    at: now
                )
                if let run = try run(RunKey(job: job.id, number: number)) {
                    try stop(run, .cancel, actor: actor, at: now, counters: counters)
                }
            case .ended(let state, let detail):
                try append(
                    .jobEnded(.init(job: job.id, state: state, detail: detail)),
                    project: job.project,
                    subject: "\(job.id)",
                    actor: actor,
                    at: now
                )
                counters.jobsEnded.withLock { $0[state, default: 0] += 1 }
                if state != .succeeded { doomed += try dependants(of: job, which: state) }
            }
        }
        return doomed
    }

    /// Nothing that waits for a job that did not succeed can ever start.
    private func dependants(of job: Job, which state: JobState) throws -> [Doomed] {
        let verb = state == .failed ? "failed" : "was cancelled"
        var targets = [Dependency.job(job.id)]
        // What waits for the whole array was told when its first element came to nothing.
        if let id = job.array, let counts = try array(id)?.counts, counts.failed + counts.cancelled == 1 {
            targets.append(.array(id))
        }
        return try targets.flatMap { try dependants(on: $0) }
            .map { Doomed(job: $0, detail: "'\(job.spec.name)', which it waits for, \(verb)") }
    }

    func stop(_ run: Run, _ reason: StopReason, actor: String, at now: Instant, counters: Counters) throws {
        var lifecycle = run.lifecycle
        try apply(
            lifecycle.requestStop(reason, now: now),
            to: run,
            actor: actor,
            at: now,
            counters: counters
        )
    }

    /// Asks for the end of a job, whatever it is doing.
    func cancel(_ job: Job, detail: String, actor: String, at now: Instant, counters: Counters) throws {
        var lifecycle = job.lifecycle
        try apply(lifecycle.requestCancel(detail: detail), to: job, actor: actor, at: now, counters: counters)
    }
}
