import Core
import Engines
import Logging
import Wire

#if canImport(Glibc)
    import Glibc
#endif

extension Agent {
    /// Takes one run from its lease to the point's last word on it. Every step may be repeated after a crash.
    func carryOut(_ run: RunKey) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await advance(run)
                return
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1 || failures.isMultiple(of: 20) {
                    log.warning("run delayed", metadata: ["run": "\(run)", "error": "\(describe(error))"])
                }
                let rings = workBell.rings
                await workBell.wait(beyond: rings, atMost: backoff(failures))
                try? await Task.sleep(for: pace.retryMin)
            }
        }
    }

    private func advance(_ run: RunKey) async throws {
        guard let record = records[run] else { return }
        if !record.hasEnded {
            try await start(record)
            try await follow(run)
        }
        try await shipLogs(run, complete: true)
        try await untilSettled(run)
        try await forget(run)
    }

    // MARK: Start

    /// Stages, submits held, and releases once the point has acknowledged that we hold the lease: what the point has
    /// given up in the meantime is never acknowledged, and so never starts.
    private func start(_ record: AgentRecord) async throws {
        let run = record.key
        if let known = try await engineRun(run), known.state != .held { return }
        guard records[run]?.stop == nil else { return }
        let order: EngineOrder
        do {
            order = try await staging.stage(record.order)
        } catch let failure as Failure where !failure.isWorthARepeat {
            try await end(run, rejected: "its inputs could not be brought: \(failure.detail)")
            return
        }
        guard records[run]?.stop == nil else { return }
        let engineJob: String
        do {
            engineJob = try await engine.submit(order)
        } catch {
            guard case .refused(let why) = error else { throw error }
            try await end(run, rejected: why)
            return
        }
        observe(run) {
            $0.engineJob = engineJob
            $0.phase = .pending
        }
        while records[run]?.acknowledged == 0, records[run]?.stop == nil {
            let rings = workBell.rings
            guard records[run]?.acknowledged == 0 else { break }
            await workBell.wait(beyond: rings, atMost: pace.lookPeriod)
            try Task.checkCancellation()
        }
        guard records[run]?.stop == nil, records[run]?.settled == false else { return }
        try await engine.release(run)
        log.info("run released", metadata: ["run": "\(run)", "engine_job": "\(engineJob)"])
        lookBell.ring()
    }

    private func engineRun(_ run: RunKey) async throws -> EngineRun? {
        if let known = seen[run] { return known }
        return try await engine.list().first { $0.run == run }
    }

    private func end(_ run: RunKey, rejected why: String) async throws {
        try await end(
            run,
            with: RunObservation(phase: .ended, endedAt: now(), outcome: RunOutcome(.rejected, detail: why)))
    }

    // MARK: Follow

    /// Watches the run at the engine, ships its logs, and passes a wish to stop on, until it has ended.
    private func follow(_ run: RunKey) async throws {
        var stopSent: StopReason?
        var missingSince: Instant?
        while let record = records[run], !record.hasEnded {
            try Task.checkCancellation()
            let rings = workBell.rings
            if let stop = record.stop, stop.reason != stopSent {
                guard try await passOn(stop) else { return }
                stopSent = stop.reason
            }
            switch seen[run]?.state {
            case .ended(let outcome, let startedAt, let endedAt):
                try await conclude(record, outcome, startedAt: startedAt, endedAt: endedAt)
                return
            case .running(let startedAt):
                missingSince = nil
                observe(run) {
                    $0.phase = .running
                    $0.startedAt = startedAt
                    $0.waiting = nil
                }
                try await shipLogs(run, complete: false)
                await workBell.wait(beyond: rings, atMost: pace.logPeriod)
            case .pending(let why):
                missingSince = nil
                observe(run) { $0.waiting = why }
                await workBell.wait(beyond: rings, atMost: pace.lookPeriod)
            case .held:
                missingSince = nil
                // Released already, and a look from before the release is all we have; releasing again is harmless.
                if record.stop == nil, record.acknowledged > 0, !record.settled { try await engine.release(run) }
                await workBell.wait(beyond: rings, atMost: pace.lookPeriod)
            case nil:
                // The engine was listed without it. Ask anew, directly, before believing it.
                if let known = try await engine.list().first(where: { $0.run == run }) {
                    note(known)
                } else if let since = missingSince, now() - since > pace.lookPeriod * 3 {
                    try await conclude(
                        record, RunOutcome(.lost, detail: "its engine does not know it any more"),
                        startedAt: record.observation.startedAt, endedAt: now())
                    return
                } else {
                    missingSince = missingSince ?? now()
                }
                await workBell.wait(beyond: rings, atMost: pace.lookPeriod)
            }
        }
    }

    /// Asks the engine to stop a run.
    ///
    /// - Returns: Whether there is anything to stop; if not, the run's end has been noted.
    private func passOn(_ stop: ExchangeResponse.Stop) async throws -> Bool {
        do {
            try await engine.cancel(stop.run, grace: .seconds(stop.graceSeconds))
        } catch {
            guard case .unknownRun = error else { throw error }
            // It was never submitted: the end is ours to say.
            try await end(
                stop.run,
                with: RunObservation(
                    phase: .ended, endedAt: now(), outcome: RunOutcome(stop.reason.outcome, detail: "before it started")))
            return false
        }
        lookBell.ring()
        return true
    }

    /// The run has ended at the engine: collects what it left, then notes the end.
    private func conclude(
        _ record: AgentRecord, _ outcome: RunOutcome, startedAt: Instant?, endedAt: Instant
    ) async throws {
        var outcome = outcome
        if outcome.kind == .cancelled, let stop = record.stop {
            outcome = RunOutcome(stop.reason.outcome, detail: outcome.detail)
        }
        var artifacts: [Artifact] = []
        if outcome.kind == .succeeded {
            switch try await staging.collect(record.order) {
            case .complete(let found): artifacts = found
            case .missing(let name):
                outcome = RunOutcome(
                    .missingOutput, detail: "nothing stands at outputs/\(name), which its description promises")
            case .unusable(let why): outcome = RunOutcome(.missingOutput, detail: why)
            }
        }
        try await end(
            record.key,
            with: RunObservation(
                phase: .ended, engineJob: record.observation.engineJob, startedAt: startedAt, endedAt: endedAt,
                outcome: outcome, artifacts: artifacts))
    }

    // MARK: Logs

    /// Sends what the point does not have yet of every task's log. Offsets make a repeat harmless.
    private func shipLogs(_ run: RunKey, complete: Bool) async throws {
        guard let record = records[run] else { return }
        for task in 0..<record.order.spec.tasks {
            var offset = logOffsets[LogKey(run: run, task: task)] ?? 0
            while true {
                let bytes: [UInt8]
                do {
                    bytes = try await engine.logs(run, task: task, from: offset, countMax: 256 << 10)
                } catch {
                    guard case .unknownRun = error else { throw error }
                    bytes = []
                }
                if bytes.isEmpty && !complete { break }
                let end = try await link.appendLog(
                    run, task: task, offset: offset, bytes, complete: complete && bytes.isEmpty)
                // After a restart the point is ahead of us, after its loss behind: its word decides.
                offset = end
                noteLogOffset(run, task, end)
                if bytes.isEmpty { break }
            }
        }
    }

    // MARK: Settlement

    private func untilSettled(_ run: RunKey) async throws {
        while let record = records[run], !record.settled {
            try Task.checkCancellation()
            let rings = workBell.rings
            guard records[run]?.settled == false else { return }
            await workBell.wait(beyond: rings, atMost: pace.exchangeWait)
        }
    }
}

extension Failure {
    /// Whether the same call may succeed later without anybody changing it.
    var isWorthARepeat: Bool {
        switch code {
        case .unavailable, .rateLimited, .internal, .storageExhausted, .unauthenticated, .preconditionFailed: true
        case .malformed, .invalid, .forbidden, .notFound, .conflict, .tooLarge, .rangeNotSatisfiable, .digestMismatch,
            .impossible, .quotaExceeded, .budgetExceeded:
            false
        }
    }
}
