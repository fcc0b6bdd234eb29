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
        // Submitted once more, what the engine has begun and forgotten since would run twice.
        var isReleased = records[run]?.releasedAt != nil
        while !Task.isCancelled {
            do {
                try await advance(run, &isReleased)
                return
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1 || failures.isMultiple(of: 20) {
                    log.warning("run delayed", metadata: ["run": "\(run)", "error": "\(describe(error))"])
                }
                let bell = bell(of: run)
                await bell.wait(beyond: bell.rings, atMost: backoff(failures), on: runtime)
                try? await runtime.sleep(for: pace.retryMin)
            }
        }
    }

    /// - Parameter isReleased: Whether the engine was asked to release the run, by this process or an earlier one.
    private func advance(_ run: RunKey, _ isReleased: inout Bool) async throws {
        guard let record = records[run] else { return }
        if !record.hasEnded {
            if !isReleased { try await start(record, &isReleased) }
            try await follow(run)
        }
        try await shipLogs(run, complete: true)
        try await untilSettled(run)
        try await forget(run)
    }

    // MARK: Start

    /// Stages, submits held, and releases once the point has acknowledged that we hold the lease: what the point has
    /// given up in the meantime is never acknowledged, and so never starts.
    private func start(_ record: AgentRecord, _ isReleased: inout Bool) async throws {
        let run = record.key
        // A run from before a restart may have been released. A fresh one is unknown to the engine.
        if !fresh.contains(run) {
            if seen[run] == nil { try await lookAnew() }
            if let known = seen[run], known.state != .held {
                isReleased = true
                return
            }
        }
        guard records[run]?.stop == nil else { return }
        let order: EngineOrder
        do {
            order = try await staging.stage(record.order) { await self.noteStaging(of: run, $0) }
        } catch let failure as Failure {
            guard !failure.isWorthARepeat else {
                noteStaging(of: run, "its inputs do not come: \(failure.detail)")
                throw failure
            }
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
            $0.waiting = nil
        }
        let bell = bell(of: run)
        while true {
            let rings = bell.rings
            guard records[run]?.acknowledged == 0, records[run]?.stop == nil else { break }
            await bell.wait(beyond: rings, atMost: pace.exchangeWait, on: runtime)
            try Task.checkCancellation()
        }
        guard records[run]?.stop == nil, records[run]?.settled == false else { return }
        try await noteRelease(of: run)
        isReleased = true
        guard records[run]?.stop == nil, records[run]?.settled == false else { return }
        try await release(run)
        log.info("run released", metadata: ["run": "\(run)", "engine_job": "\(engineJob)"])
        lookBell.ring()
    }

    private func release(_ run: RunKey) async throws {
        do {
            try await engine.release(run)
        } catch {
            // Forgotten since it was listed or submitted. Whoever follows it finds that out with care.
            guard case .unknownRun = error else { throw error }
        }
    }

    private func noteStaging(of run: RunKey, _ text: String) {
        observe(run) { if $0.phase == .submitting { $0.waiting = text } }
    }

    private func end(_ run: RunKey, rejected why: String) async throws {
        try await end(
            run,
            with: RunObservation(phase: .ended, endedAt: now(), outcome: RunOutcome(.rejected, detail: why))
        )
    }

    // MARK: Follow

    /// Watches the run at the engine, ships its logs, and passes a wish to stop on, until it has ended.
    private func follow(_ run: RunKey) async throws {
        var stopSent: StopReason?
        var absences = 0
        var absentSince = runtime.elapsed
        let bell = bell(of: run)
        while let record = records[run], !record.hasEnded {
            try Task.checkCancellation()
            let rings = bell.rings
            if let stop = record.stop, stop.reason != stopSent {
                guard try await passOn(stop, record) else { return }
                stopSent = stop.reason
            }
            if seen[run] != nil { absences = 0 }
            switch seen[run]?.state {
            case .ended(let outcome, let startedAt, let endedAt):
                try await conclude(record, outcome, startedAt: startedAt, endedAt: endedAt)
                return
            case .running(let startedAt):
                keep(run)
                let nodes = seen[run]?.nodes
                observe(run) {
                    $0.phase = .running
                    $0.startedAt = startedAt
                    $0.nodes = nodes
                    $0.waiting = nil
                }
                try await shipLogs(run, complete: false)
                await bell.wait(beyond: rings, atMost: logPeriod, on: runtime)
            case .pending(let why):
                observe(run) { $0.waiting = why }
                await bell.wait(beyond: rings, atMost: pace.lookPeriod, on: runtime)
            case .held:
                // Released already, and a look from before the release is all we have; releasing again is harmless.
                if record.stop == nil, record.acknowledged > 0, !record.settled { try await release(run) }
                await bell.wait(beyond: rings, atMost: pace.lookPeriod, on: runtime)
            case nil:
                // The engine was listed without it. Ask anew, and again, before believing it.
                try await lookAnew()
                guard seen[run] == nil else { continue }
                if absences == 0 { absentSince = runtime.elapsed }
                absences += 1
                guard absences < Self.absencesMax || runtime.elapsed - absentSince < pace.absenceMin else {
                    try await conclude(
                        record,
                        RunOutcome(.lost, detail: "its engine does not know it any more"),
                        startedAt: record.observation.startedAt,
                        endedAt: now()
                    )
                    return
                }
                await bell.wait(beyond: rings, atMost: pace.lookPeriod, on: runtime)
            }
        }
    }

    /// After so many lists without it in a row, a look period between them, a run may be lost.
    private static let absencesMax = 3

    /// Asks the engine to stop a run.
    ///
    /// - Returns: Whether there is anything to stop; if not, the run's end has been noted.
    private func passOn(_ stop: ExchangeResponse.Stop, _ record: AgentRecord) async throws -> Bool {
        do {
            if stop.reason == .withdraw {
                let isWithdrawn = try await engine.withdraw(stop.run)
                log.info("run asked back", metadata: ["run": "\(stop.run)", "came_back": "\(isWithdrawn)"])
            } else {
                try await engine.cancel(stop.run, grace: .seconds(stop.graceSeconds))
            }
        } catch {
            guard case .unknownRun = error else { throw error }
            // It may have started before the engine lost it.
            if stop.reason == .withdraw, record.observation.engineJob != nil { return true }
            // The engine does not have it, most likely because it was never submitted: the end is ours to say.
            let startedAt = record.observation.startedAt
            try await end(
                stop.run,
                with: RunObservation(
                    phase: .ended,
                    startedAt: startedAt,
                    endedAt: now(),
                    outcome: RunOutcome(stop.reason.outcome, detail: startedAt == nil ? "before it started" : nil)
                )
            )
            return false
        }
        lookBell.ring()
        return true
    }

    /// The run has ended at the engine: collects what it left, then notes the end.
    private func conclude(
        _ record: AgentRecord,
        _ outcome: RunOutcome,
        startedAt: Instant?,
        endedAt: Instant
    ) async throws {
        var outcome = outcome
        if let stop = record.stop, Self.explains(stop.reason, outcome.kind, startedAt: startedAt) {
            outcome = RunOutcome(stop.reason.outcome, detail: outcome.detail)
        }
        var artifacts: [Artifact] = []
        // What the point has given up takes no outputs any more.
        if outcome.kind == .succeeded, !record.settled {
            switch try await collect(record, startedAt: startedAt) {
            case nil: outcome = RunOutcome(.cancelled, detail: "before its outputs arrived")
            case .complete(let found)?: artifacts = found
            case .missing(let name)?:
                outcome = RunOutcome(
                    .missingOutput,
                    detail: "nothing stands at outputs/\(name), which its description promises"
                )
            case .unusable(let why)?: outcome = RunOutcome(.missingOutput, detail: why)
            }
        }
        try await end(
            record.key,
            with: RunObservation(
                phase: .ended,
                engineJob: record.observation.engineJob,
                startedAt: startedAt,
                endedAt: endedAt,
                outcome: outcome,
                artifacts: artifacts
            )
        )
    }

    /// Whether a run ended so because it was asked to stop. What was only asked back may have run before the engine forgot
    /// it, or before somebody else ended it; then its job is not simply to run again.
    private static func explains(_ stop: StopReason, _ end: RunOutcome.Kind, startedAt: Instant?) -> Bool {
        switch end {
        case .cancelled: stop != .withdraw || startedAt == nil
        case .lost: stop != .withdraw
        default: false
        }
    }

    /// Takes its outputs to the point, which hears meanwhile how far they are.
    ///
    /// - Returns: `nil` when they do not arrive and nobody wants them any more.
    private func collect(_ record: AgentRecord, startedAt: Instant?) async throws -> StagedOutputs? {
        let run = record.key
        @Sendable func tell(_ text: String) async {
            await self.observe(run) {
                guard $0.phase != .ended else { return }
                $0.phase = .running
                $0.startedAt = $0.startedAt ?? startedAt
                $0.waiting = text
            }
        }
        do {
            return try await staging.collect(record.order, tell)
        } catch let failure as Failure {
            if records[run]?.stop?.reason == .cancel { return nil }
            await tell("its outputs do not arrive: \(failure.detail)")
            throw failure
        }
    }

    // MARK: Logs

    /// Sends what the point does not have yet of every task's log. Offsets make a repeat harmless.
    private func shipLogs(_ run: RunKey, complete: Bool) async throws {
        guard let record = records[run] else { return }
        for task in 0..<record.order.spec.tasks {
            var offset: Int64
            if let known = logOffset(run, task) {
                offset = known
            } else {
                // From before a restart: the point says how far it is.
                offset = try await link.appendLog(run, task: task, offset: 0, [], complete: false)
                noteLogOffset(run, task, offset)
            }
            while true {
                let bytes: [UInt8]
                do {
                    bytes = try await engine.logs(run, task: task, from: offset, countMax: Self.logPieceBytesMax)
                } catch {
                    guard case .unknownRun = error else { throw error }
                    bytes = []
                }
                if bytes.isEmpty && !complete { break }
                let end = try await link.appendLog(
                    run,
                    task: task,
                    offset: offset,
                    bytes,
                    complete: complete && bytes.isEmpty
                )
                noteLogOffset(run, task, end)
                // The point's word decides: it may have lost something, and is then told again.
                if bytes.isEmpty && end == offset { break }
                offset = end
            }
        }
    }

    private static let logPieceBytesMax = 256 << 10

    // MARK: Settlement

    private func untilSettled(_ run: RunKey) async throws {
        let bell = bell(of: run)
        while true {
            let rings = bell.rings
            guard records[run]?.settled == false else { return }
            await bell.wait(beyond: rings, atMost: pace.exchangeWait, on: runtime)
            try Task.checkCancellation()
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
