import Blobs
import Core
import Logging
import Scheduling
public import ServiceLifecycle
import Store
import Synchronization
import Wire

extension Point: Service {
    /// Runs the reconcilers until the process is asked to stop.
    public func run() async throws {
        try await rememberUsage()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.loop("place", self.placeBell) { try await self.place() } }
                group.addTask { await self.loop("watch", nil) { try await self.watch() } }
                group.addTask { await self.sweep() }
            }
        }
    }

    /// Repeats a reconciler: at once when rung, at each tick anyway, and never more than a fifth of the time.
    private func loop(_ name: String, _ bell: Bell?, _ body: @Sendable () async throws -> Void) async {
        var failures = 0
        while !Task.isCancelled {
            let rings = bell?.rings ?? 0
            let began = ContinuousClock.now
            do {
                try await body()
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1 || failures.isMultiple(of: 60) {
                    log.error("reconciler failed", metadata: ["loop": "\(name)", "error": "\(error)"])
                }
            }
            let spent = ContinuousClock.now - began
            try? await Task.sleep(
                for: failures > 0 ? settings.tick : max(.milliseconds(1), min(spent * 4, settings.tick))
            )
            if let bell {
                await bell.wait(beyond: rings, atMost: settings.tick)
            } else {
                try? await Task.sleep(for: settings.tick)
            }
        }
    }

    /// Drops uploads that nobody went on with.
    private func sweep() async {
        while !Task.isCancelled {
            do {
                let dropped = try await blobs.sweepUploads(olderThan: now() - settings.uploadLifetime)
                if dropped > 0 { log.notice("stale uploads dropped", metadata: ["uploads": "\(dropped)"]) }
            } catch {
                log.warning("stale uploads cannot be dropped", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(3600))
        }
    }

    // MARK: Watching centres

    /// Marks what cannot be seen, and gives up what its own policy says to give up.
    func watch() async throws {
        let now = now()
        if let step = sight.beat(at: now, stepsFrom: settings.silenceAfter / 2) {
            log.warning(
                "clock stepped or process was stopped, waiting anew",
                metadata: ["by_seconds": "\(step.seconds)"]
            )
        }
        let centres = try await store.read { try $0.centres() }.filter { $0.agent != nil }
        let silent = centres.compactMap { centre in
            sight.silentSince(centre.name, now: now, after: settings.silenceAfter).map { (centre.name, $0) }
        }
        let clearSince = sight.noteSilence(silent: silent.count, of: centres.count, now: now)
        guard !silent.isEmpty else { return }
        let counters = counters
        let changed = try await store.read { tx in
            try silent.contains { centre, _ in
                try tx.liveRuns(at: centre).contains { run in
                    if run.lifecycle.unseenSince == nil, run.lifecycle.lease != .granted { return true }
                    return self.isDue(run, clearSince: clearSince, now: now, try tx.job(run.key.job))
                }
            }
        }
        guard changed else { return }
        try await write { tx in
            for (centre, since) in silent {
                // It may have spoken since we looked, and nothing is given up while it speaks.
                guard self.sight.silentSince(centre, now: now, after: self.settings.silenceAfter) != nil else {
                    continue
                }
                for run in try tx.liveRuns(at: centre) {
                    var lifecycle = run.lifecycle
                    var changes = lifecycle.loseSight(since: since)
                    let isDue = self.isDue(run, clearSince: clearSince, now: now, try tx.job(run.key.job))
                    if isDue { changes += lifecycle.giveUp(now: now) }
                    if !changes.isEmpty {
                        try tx.apply(
                            changes,
                            to: run,
                            givenUp: isDue,
                            actor: Actor.point,
                            at: now,
                            counters: counters
                        )
                    }
                }
            }
        }
        placeBell.ring()
    }

    /// Whether a run has been out of sight for longer than its job allows. Our own blindness does not count.
    private func isDue(_ run: Run, clearSince: Instant?, now: Instant, _ job: Job?) -> Bool {
        guard let clearSince, let unseenSince = run.lifecycle.unseenSince, let job,
            case .requeue(let seconds) = job.spec.onCentreLoss
        else { return false }
        // In the future after our clock was set back; then only what we saw since then counts.
        let since = unseenSince > now ? clearSince : max(unseenSince, clearSince)
        return now - since >= .seconds(seconds)
    }

    // MARK: Placing

    private static let placementsOfOneWrite = 256

    /// One cycle: snapshot, plan, and one applier that checks every item against the rows as they are now.
    func place() async throws {
        let now = now()
        let (snapshot, truncated) = try await snapshot(now: now)
        guard !snapshot.queue.isEmpty else {
            waiting.withLock { $0 = WaitingReasons() }
            claims.withLock { $0 = [:] }
            return
        }
        let (plan, reasons, spent) = await planning.run {
            let began = ContinuousClock.now
            let plan = Scheduling.plan(snapshot)
            let owners = snapshot.owners
            // Read by every member of the waiting job's project, and by nobody who may know more.
            let reasons = plan.waiting.map { job, reason in
                (job, reason.naming { owners[$0] != nil && owners[$0] == owners[job] })
            }
            return (plan, Dictionary(uniqueKeysWithValues: reasons), ContinuousClock.now - began)
        }
        counters.placement.withLock { $0.note(cycle: spent, placed: plan.placements.count) }
        waiting.withLock { $0 = WaitingReasons(reasons, of: snapshot.queue, isWhole: !truncated) }
        let queued = Set(snapshot.queue.map(\.id))
        claims.withLock { claims in claims = claims.filter { truncated || queued.contains($0.key) } }
        guard !plan.placements.isEmpty || !plan.preemptions.isEmpty else { return }
        let counters = counters
        var placed = 0
        // In pieces, since every other writer waits while one is written.
        for start in stride(from: 0, to: plan.placements.count, by: Self.placementsOfOneWrite) {
            let some = plan.placements[start..<min(start + Self.placementsOfOneWrite, plan.placements.count)]
            placed += try await write { tx in try some.count { try tx.lease($0, at: now) } }
            orderBell.ring()
        }
        if !plan.preemptions.isEmpty {
            try await write { tx in
                for preemption in plan.preemptions {
                    guard let run = try tx.run(preemption.run) else { continue }
                    try tx.stop(run, .preempt, actor: Actor.point, at: now, counters: counters)
                }
            }
        }
        claims.withLock { claims in
            for placement in plan.placements { claims[placement.job] = nil }
            for preemption in plan.preemptions { claims[preemption.job] = preemption.centre }
        }
        log.debug("placed", metadata: ["jobs": "\(placed)", "of": "\(plan.placements.count)"])
        orderBell.ring()
    }
}
