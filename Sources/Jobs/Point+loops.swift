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
        try await rememberWhereabouts()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.reconcile() }
                group.addTask { await self.sweep() }
            }
        }
    }

    /// Places what waits and watches the centres, until the task is cancelled.
    package func reconcile() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.loop("place", self.placeBell) { try await self.place() } }
            group.addTask { await self.loop("watch", nil) { try await self.look() } }
        }
    }

    private func loop(_ name: String, _ bell: Bell?, _ body: () async throws -> Void) async {
        await Reconciler(bell: bell, tick: settings.tick, pauseMin: settings.cyclePauseMin).run(on: runtime) { error in
            log.error("reconciler failed", metadata: ["loop": "\(name)", "error": "\(error)"])
        } _: {
            try await body()
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
            try? await runtime.sleep(for: .seconds(3600))
        }
    }

    // MARK: Watching centres

    private func look() async throws {
        try await watch()
        try await replaceLostNodes()
    }

    /// Marks what cannot be seen, and gives up what its own policy says to give up.
    func watch() async throws {
        let now = now()
        if let step = sight.beat(at: now, stepsFrom: settings.silenceAfter / 2) {
            log.warning(
                "clock stepped or process was stopped, waiting anew",
                metadata: ["by_seconds": "\(step.seconds)"]
            )
        }
        let centres = try await store.read { try $0.centreHeads() }.filter { $0.agent != nil && $0.state != .removed }
        let silent = centres.compactMap { centre in
            sight.silentSince(centre.name, now: now, after: settings.silenceAfter).map { (centre.name, $0) }
        }
        let clearSince = sight.noteSilence(silent: silent.count, of: centres.count, now: now)
        let quiet = quiet.withLock { quiet in
            quiet = quiet.filter { centre, _ in silent.contains { $0.0 == centre } }
            return quiet
        }
        let sequence = store.lastSequence
        func isQuiet(_ centre: CentreName) -> Bool {
            guard let found = quiet[centre] else { return false }
            return found.clearSince == clearSince && found.from <= now && now < found.until
        }
        guard silent.contains(where: { !isQuiet($0.0) || quiet[$0.0]?.sequence != sequence }) else { return }
        let counters = counters
        let isNotDue = Set(silent.map(\.0).filter(isQuiet))
        let (changed, looked) = try await store.read { tx in
            var looked: [CentreName: Quiet] = [:]
            for (centre, _) in silent {
                if try tx.hasRunInSight(at: centre) { return (true, looked) }
                // What nobody was told of is not looked at: it can be placed anew, and is never unseen.
                if isNotDue.contains(centre), var found = quiet[centre] {
                    found.sequence = sequence
                    looked[centre] = found
                    continue
                }
                var until = Instant(milliseconds: .max)
                for (run, spec) in try tx.liveRunsWithSpecs(at: centre) {
                    guard let due = Self.due(run, spec, clearSince: clearSince, now: now) else { continue }
                    if due <= now { return (true, looked) }
                    until = min(until, due)
                }
                looked[centre] = Quiet(sequence: sequence, from: now, until: until, clearSince: clearSince)
            }
            return (false, looked)
        }
        self.quiet.withLock { $0.merge(looked) { $1 } }
        guard changed else { return }
        try await write { tx in
            for (centre, since) in silent {
                // It may have spoken since we looked, and nothing is given up while it speaks.
                guard self.sight.silentSince(centre, now: now, after: self.settings.silenceAfter) != nil else {
                    continue
                }
                for (run, spec) in try tx.liveRunsWithSpecs(at: centre) {
                    var lifecycle = run.lifecycle
                    var changes = lifecycle.loseSight(since: since)
                    let isDue = Self.due(run, spec, clearSince: clearSince, now: now).map { $0 <= now } ?? false
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
        self.quiet.withLock { $0 = [:] }
        placeBell.ring()
    }

    /// When a run will have been out of sight for as long as its job allows; `nil` when that is for ever. Our own
    /// blindness does not count.
    private static func due(_ run: Run, _ spec: JobSpec, clearSince: Instant?, now: Instant) -> Instant? {
        guard let clearSince, let unseenSince = run.lifecycle.unseenSince,
            case .requeue(let seconds) = spec.onCentreLoss
        else { return nil }
        // In the future after our clock was set back; then only what we saw since then counts.
        let since = unseenSince > now ? clearSince : max(unseenSince, clearSince)
        return since + .seconds(seconds)
    }

    // MARK: Placing

    /// One cycle: snapshot, plan, and one applier that checks every item against the rows as they are now.
    func place() async throws {
        let now = now()
        // Most of the time nothing waits, and then what lives need not be read.
        guard try await store.read({ try $0.waitingCount() }) > 0 || shared.hasGuests(now: now) else {
            waiting.withLock { $0 = WaitingReasons() }
            return claims.withLock { $0 = [:] }
        }
        let began = runtime.elapsed
        let (snapshot, extent) = try await snapshot(now: now)
        guard !snapshot.queue.isEmpty || !snapshot.guests.isEmpty else {
            waiting.withLock { $0 = WaitingReasons() }
            claims.withLock { $0 = [:] }
            return
        }
        let (decision, reasons) = await planning.run {
            var terrain = self.terrain.withLock { $0 }
            let decision = Decision(snapshot, on: &terrain)
            self.terrain.withLock { $0 = terrain }
            let plan = decision.plan
            let named = plan.waiting.values.reduce(into: Set(plan.waiting.keys)) { $0.formUnion($1.namedJobs) }
            let owners = self.owners(of: named, in: snapshot)
            // Read by every member of the waiting job's project, and by nobody who may know more.
            let reasons = plan.waiting.map { job, reason in
                (job, reason.naming { owners[$0] != nil && owners[$0] == owners[job] })
            }
            return (decision, Dictionary(uniqueKeysWithValues: reasons))
        }
        let plan = decision.plan
        let spent = runtime.elapsed - began
        latest.withLock { $0 = LatestDecision(decision: decision, revision: extent.revision, spent: spent) }
        counters.placement.withLock { $0.note(cycle: spent, placed: plan.placements.count) }
        waiting.withLock { $0 = WaitingReasons(reasons, of: snapshot.queue, isWhole: !extent.isTruncated) }
        let queued = Set(snapshot.queue.map(\.id))
        if !extent.isTruncated { foresight.keep(only: queued) }
        claims.withLock { claims in claims = claims.filter { extent.isTruncated || queued.contains($0.key) } }
        moves.withLock { moves in
            guard !moves.isEmpty else { return }
            let stopping = Set(snapshot.centres.lazy.flatMap(\.runs).filter(\.stopping).map(\.key.job))
            moves = moves.filter { extent.isTruncated || queued.contains($0.key) || stopping.contains($0.key) }
        }
        let placed = try await carryOut(plan, of: snapshot, at: now)
        log.debug("placed", metadata: ["jobs": "\(placed)", "of": "\(plan.placements.count)"])
        try await foretell(plan, snapshot, at: now)
    }
}
