public import Blobs
public import Core
public import Engines
public import Logging
import NIOPosix
public import ServiceLifecycle
import Wire

/// The centre side: drives one engine, stages data, ships states and logs, fences runs. The same code runs inside the
/// point's process and on another machine.
///
/// What it must not forget is on its disk: a lease before the point is told that it is held, and an end before it is
/// reported. It goes on without the point; a new process on the same folder carries on where the last one was killed.
public actor Agent: Service {
    /// How the agent spends its time.
    public struct Pace: Sendable {
        /// How long the point may hold an exchange that has nothing to say.
        public var exchangeWait: Duration = .seconds(15)
        /// Between two looks at the engine when nothing rings.
        public var lookPeriod: Duration = .seconds(1)
        /// A run that the engine's lists leave out is lost only after this long: what engines list may lag.
        public var absenceMin: Duration = .seconds(30)
        /// Between two reports of capacity.
        public var capacityPeriod: Duration = .seconds(10)
        /// Between two looks at whether the cache has grown beyond its limit.
        public var trimPeriod: Duration = .seconds(10)
        /// Between two looks at a running task's log.
        public var logPeriod: Duration = .milliseconds(100)
        /// After a failed call, doubled up to `retryMax`.
        public var retryMin: Duration = .milliseconds(100)
        public var retryMax: Duration = .seconds(15)

        public init() {}
    }

    let identity: AgentIdentity
    let disk: any AgentDisk
    let engine: any Engine
    let link: any PointLink
    let staging: any CentreStaging
    let pace: Pace
    let now: @Sendable () -> Instant
    let runtime: any Runtime
    let log: Logger

    private(set) var records: [RunKey: AgentRecord] = [:]
    /// What the engine said last, by run.
    private(set) var seen: [RunKey: EngineRun] = [:]
    /// What it had then and no record here was of, without what was accepted since.
    private var strays: Set<RunKey> = []
    /// Up to where the point has each task's log.
    private var logOffsets: [RunKey: [Int: Int64]] = [:]
    /// Leases that are being written to disk: nobody is told of them yet.
    private var accepting: Set<RunKey> = []
    /// Runs that were accepted in this process's life, so that the engine and the point have nothing of them from before.
    private(set) var fresh: Set<RunKey> = []
    /// Of each run, what rings when its worker should look again.
    private var workBells: [RunKey: Bell] = [:]
    private var looksBegun = 0
    /// The number of the last look that succeeded.
    private var looksDone = 0
    private var capacity: CentreCapacity?
    private var capacityAcknowledged: CentreCapacity?
    /// What the engine's other users hold; `nil` while it has not told.
    private var others: [NodeUse]?
    private var seesOthers = true
    /// What the point was told of that in its present life; it keeps it in mind only.
    private var othersAcknowledged: [NodeUse]?
    /// Rings when something is to be reported.
    let reportBell = Bell()
    /// Rings when something in the cache may not be needed any more.
    private let trimBell = Bell()
    /// Rings when the engine was listed.
    private let lookedBell = Bell()
    /// Rings when the engine should be listed.
    let lookBell = Bell()
    private let accepted = AsyncStream<RunKey>.makeStream(bufferingPolicy: .unbounded)

    /// - Parameters:
    ///   - cache: The agent's own. What is in it may be removed at any time, so it is never the point's store.
    ///   - cacheMax: What it and the algorithms' folders may hold, beyond what live runs name; `nil` for a fifth of the
    ///     file system.
    public init(
        identity: AgentIdentity,
        folder: AgentFolder,
        engine: any Engine,
        link: any PointLink & BlobLink,
        cache: BlobStore,
        cacheMax: Bytes? = nil,
        pace: Pace = Pace(),
        now: @escaping @Sendable () -> Instant,
        log: Logger
    ) {
        let runtime = SystemRuntime()
        self.init(
            identity: identity,
            disk: folder,
            staging: Staging(
                folder: folder,
                cache: cache,
                link: link,
                cacheMax: cacheMax,
                now: now,
                elapsed: { runtime.elapsed },
                log: Self.log(log, of: identity)
            ),
            engine: engine,
            link: link,
            pace: pace,
            now: now,
            runtime: runtime,
            log: log
        )
    }

    package init(
        identity: AgentIdentity,
        disk: any AgentDisk,
        staging: any CentreStaging,
        engine: any Engine,
        link: any PointLink,
        pace: Pace,
        now: @escaping @Sendable () -> Instant,
        runtime: any Runtime,
        log: Logger
    ) {
        self.identity = identity
        self.disk = disk
        self.staging = staging
        self.runtime = runtime
        self.engine = engine
        self.link = link
        self.pace = pace
        self.now = now
        self.log = Self.log(log, of: identity)
    }

    private static func log(_ log: Logger, of identity: AgentIdentity) -> Logger {
        var log = log
        log[metadataKey: "centre"] = "\(identity.centre)"
        return log
    }

    /// Works until the task is cancelled or the process is asked to stop. Running work is left running.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.work() }
    }

    /// Works until the task is cancelled, on no executor but its task's.
    package func work() async throws {
        try await restore()
        await staging.open(keeping: { [weak self] in await self?.lives ?? Lives(orders: [], areAll: false) })
        await withDiscardingTaskGroup { group in
            group.addTask { await self.exchangeLoop(waits: true) }
            group.addTask { await self.exchangeLoop(waits: false) }
            group.addTask { await self.lookLoop() }
            group.addTask { await self.capacityLoop() }
            group.addTask { await self.listenToEngine() }
            group.addTask { await self.trimLoop() }
            for await run in self.accepted.stream {
                group.addTask { await self.carryOut(run) }
            }
            group.cancelAll()
        }
    }

    private func restore() async throws {
        let (found, unreadable) = try await disk.load()
        for name in unreadable { log.error("run record unreadable, kept aside", metadata: ["file": "\(name)"]) }
        for var record in found {
            record.acknowledged = 0
            record.version += 1
            records[record.key] = record
            accepted.continuation.yield(record.key)
        }
        if !found.isEmpty { log.notice("runs found on disk", metadata: ["runs": "\(found.count)"]) }
    }

    // MARK: Exchange

    /// One loop is parked at the point and brings orders; the other goes at once when there is something to report.
    private func exchangeLoop(waits: Bool) async {
        var failures = 0
        var repeats = 0
        while !Task.isCancelled {
            let rings = reportBell.rings
            if !waits, !hasReports {
                await reportBell.wait(beyond: rings, atMost: pace.exchangeWait, on: runtime)
                continue
            }
            do {
                let request = exchangeRequest(wait: waits ? pace.exchangeWait : .zero, withReports: !waits)
                let response = try await link.exchange(request)
                let isNews = try await take(response, to: request)
                if failures > 0 { log.notice("point reached again", metadata: ["after_failures": "\(failures)"]) }
                failures = 0
                let saysSomething = !response.stops.isEmpty || !response.settled.isEmpty || !response.leases.isEmpty
                if waits, !isNews {
                    // What the point repeats until it is done must not be asked for in a tight circle.
                    repeats = saysSomething ? repeats + 1 : 0
                    try await runtime.sleep(
                        for: min(pace.retryMin * (1 << min(repeats, 12)), max(pace.retryMin, pace.lookPeriod))
                    )
                } else if !request.reports.isEmpty, response.acknowledged.isEmpty {
                    // The point knows nothing of these runs, or not now.
                    repeats += 1
                    await reportBell.wait(beyond: rings, atMost: backoff(repeats), on: runtime)
                } else {
                    repeats = 0
                }
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                // Another life of the point may be the next to answer.
                othersAcknowledged = nil
                if failures == 1 { log.warning("exchange failed", metadata: ["error": "\(describe(error))"]) }
                try? await runtime.sleep(for: backoff(failures))
            }
        }
    }

    private var hasReports: Bool {
        capacity != nil && capacity != capacityAcknowledged || others != nil && others != othersAcknowledged
            || records.values.contains { $0.needsReport }
    }

    private func exchangeRequest(wait: Duration, withReports: Bool) -> ExchangeRequest {
        let due = withReports ? records.values.filter(\.needsReport).prefix(ExchangeRequest.reportsMax) : []
        return ExchangeRequest(
            agent: identity.agent,
            seat: disk.seat,
            at: now(),
            capacity: capacity == capacityAcknowledged ? nil : capacity,
            others: others == othersAcknowledged ? nil : others,
            reports: due.map { .init(run: $0.key, version: $0.version, observation: $0.observation) },
            holds: Array(records.keys),
            strays: looksDone > 0 ? Array(strays.prefix(ExchangeRequest.holdsMax)) : nil,
            waitMilliseconds: Int(wait.milliseconds)
        )
    }

    /// Takes in what the point said. A lease is on disk before the next exchange can say that it is held.
    ///
    /// - Returns: Whether anything in it was new.
    private func take(_ response: ExchangeResponse, to request: ExchangeRequest) async throws -> Bool {
        var isNews = false
        if let sent = request.capacity { capacityAcknowledged = sent }
        if let sent = request.others { othersAcknowledged = sent }
        let leases = response.leases.filter { records[$0.run] == nil && !accepting.contains($0.run) }
        if !leases.isEmpty {
            isNews = true
            // The other loop may bring the same leases meanwhile; and neither may say that they are held before they are.
            accepting.formUnion(leases.map(\.run))
            strays.subtract(leases.map(\.run))
            defer { accepting.subtract(leases.map(\.run)) }
            let accepted = leases.map { AgentRecord(order: $0) }
            try await disk.save(accepted)
            for record in accepted { accept(record) }
            reportBell.ring()
        }
        for stop in response.stops where records[stop.run] != nil && records[stop.run]?.stop?.reason != stop.reason {
            isNews = true
            records[stop.run]?.stop = stop
            log.info("stop asked", metadata: ["run": "\(stop.run)", "reason": "\(stop.reason.rawValue)"])
            bell(of: stop.run).ring()
        }
        for run in response.settled where records[run]?.settled == false {
            isNews = true
            records[run]?.settled = true
            if records[run]?.hasEnded == false, records[run]?.stop == nil {
                // Over for the point and not for us: whatever is left of it here is in nobody's interest.
                records[run]?.stop = .init(run: run, reason: .superseded, graceSeconds: 10)
            }
            bell(of: run).ring()
        }
        // After the stops: what is acknowledged may start, unless it is to stop.
        for item in response.acknowledged {
            guard let record = records[item.run], item.version > record.acknowledged else { continue }
            records[item.run]?.acknowledged = item.version
            if record.acknowledged == 0 { bell(of: item.run).ring() }
        }
        return isNews
    }

    /// Begins to work on a lease that is on disk.
    private func accept(_ record: AgentRecord) {
        let run = record.key
        records[run] = record
        if seen[run] == nil {
            fresh.insert(run)
            log.info("lease accepted", metadata: ["run": "\(run)"])
        } else {
            log.notice("stray run adopted", metadata: ["run": "\(run)"])
        }
        accepted.continuation.yield(run)
    }

    /// What rings when something about a run may have changed for its worker.
    func bell(of run: RunKey) -> Bell {
        if let bell = workBells[run] { return bell }
        let bell = Bell()
        if records[run] != nil { workBells[run] = bell }
        return bell
    }

    // MARK: Looking at the engine

    private func listenToEngine() async {
        guard let engine = engine as? any ChangeNotifying else { return }
        for await _ in engine.changes { lookBell.ring() }
    }

    private func lookLoop() async {
        var failures = 0
        while !Task.isCancelled {
            let rings = lookBell.rings
            do {
                try await look()
                failures = 0
            } catch {
                failures += 1
                if failures == 1 { log.warning("engine not reached", metadata: ["error": "\(error)"]) }
            }
            await lookBell.wait(
                beyond: rings,
                atMost: records.isEmpty ? pace.capacityPeriod : failures > 0 ? backoff(failures) : pace.lookPeriod,
                on: runtime
            )
        }
    }

    /// One list call for all runs; those about which something has changed look again.
    private func look() async throws {
        looksBegun += 1
        let number = looksBegun
        let runs = try await engine.list()
        let before = seen
        seen = Dictionary(runs.map { ($0.run, $0) }) { first, _ in first }
        strays = Set(seen.keys.filter { records[$0] == nil && !accepting.contains($0) })
        looksDone = number
        for run in records.keys where seen[run] != before[run] { bell(of: run).ring() }
        lookedBell.ring()
    }

    /// Returns when the engine has been listed by a call that was begun after this one. Many wait for the same list.
    func lookAnew() async throws {
        let number = looksBegun + 1
        lookBell.ring()
        while looksDone < number {
            let rings = lookedBell.rings
            await lookedBell.wait(beyond: rings, atMost: pace.lookPeriod, on: runtime)
            try Task.checkCancellation()
        }
    }

    private func capacityLoop() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let fresh = try await engine.capacity()
                if fresh != capacity {
                    capacity = fresh
                    reportBell.ring()
                }
                failures = 0
                await lookForOthers()
            } catch {
                failures += 1
                if failures == 1 { log.warning("capacity unknown", metadata: ["error": "\(error)"]) }
            }
            try? await runtime.sleep(for: failures > 0 ? backoff(failures) : pace.capacityPeriod)
        }
    }

    /// What cannot be seen of others holds nothing else up.
    private func lookForOthers() async {
        guard let engine = engine as? any SharedEngine else { return }
        do throws(EngineError) {
            let fresh = try await engine.others()
            seesOthers = true
            guard fresh != others else { return }
            others = fresh
            reportBell.ring()
        } catch {
            if seesOthers { log.warning("what others hold is unknown", metadata: ["error": "\(error)"]) }
            seesOthers = false
        }
    }

    /// Room is made before anything is brought; this sees to the rest: what runs have left, and what they need no more.
    private func trimLoop() async {
        var failures = 0
        while !Task.isCancelled {
            let rings = trimBell.rings
            do {
                try await staging.trim()
                failures = 0
            } catch is CancellationError {
                break
            } catch {
                failures += 1
                if failures == 1 { log.warning("cache not trimmed", metadata: ["error": "\(describe(error))"]) }
            }
            await trimBell.wait(beyond: rings, atMost: pace.trimPeriod, on: runtime)
        }
        // Whoever waits for a download waits for its end, also when both are to stop.
        await staging.stop()
    }

    private var lives: Lives {
        // What the engine runs and no record here is of may need an algorithm, and so may what it has not told yet.
        Lives(orders: records.values.map(\.order), areAll: looksDone > 0 && strays.isEmpty && accepting.isEmpty)
    }

    // MARK: Records

    /// Notes what was learned of a run; the next exchange reports it.
    func observe(_ run: RunKey, _ change: (inout RunObservation) -> Void) {
        guard var record = records[run] else { return }
        let before = record.observation
        change(&record.observation)
        guard record.observation != before else { return }
        record.version += 1
        records[run] = record
        reportBell.ring()
    }

    /// Notes that a run may begin, durably, before the engine can begin it: a later process that finds it nowhere must not
    /// begin it anew.
    func noteRelease(of run: RunKey) async throws {
        guard var record = records[run], record.releasedAt == nil else { return }
        record.releasedAt = now()
        try await disk.save(record)
        records[run]?.releasedAt = record.releasedAt
    }

    /// Notes the end of a run, durably, before it can be reported.
    func end(_ run: RunKey, with observation: RunObservation) async throws {
        guard var record = records[run], !record.hasEnded else { return }
        record.observation = observation
        record.version += 1
        try await disk.save(record)
        // Fields that an exchange may have changed during the write are kept.
        record.acknowledged = records[run]?.acknowledged ?? record.acknowledged
        record.stop = records[run]?.stop ?? record.stop
        record.settled = records[run]?.settled ?? record.settled
        record.releasedAt = records[run]?.releasedAt ?? record.releasedAt
        records[run] = record
        log.info(
            "run ended",
            metadata: ["run": "\(run)", "outcome": "\(observation.outcome?.kind.rawValue ?? "unknown")"]
        )
        reportBell.ring()
    }

    /// A run has started: too late to take it back.
    func keep(_ run: RunKey) {
        if records[run]?.stop?.reason == .withdraw { records[run]?.stop = nil }
    }

    /// Up to where the point has a task's log; `nil` when that has to be asked.
    func logOffset(_ run: RunKey, _ task: Int) -> Int64? { logOffsets[run]?[task] ?? (fresh.contains(run) ? 0 : nil) }

    func noteLogOffset(_ run: RunKey, _ task: Int, _ offset: Int64) { logOffsets[run, default: [:]][task] = offset }

    func forget(_ run: RunKey) async throws {
        do {
            try await engine.forget(run)
        } catch {
            // It lives on at the engine, although its end was noted: the engine had lost sight of it for a while.
            if case .refused = error { try? await engine.cancel(run, grace: .zero) }
            throw error
        }
        try await disk.remove(run)
        records[run] = nil
        seen[run] = nil
        logOffsets[run] = nil
        workBells[run] = nil
        fresh.remove(run)
        await staging.release(run)
        trimBell.ring()
    }

    /// Between two looks at a running task's log: longer when many run, so that looking stays cheap.
    var logPeriod: Duration { max(pace.logPeriod, .milliseconds(5) * records.count) }

    func backoff(_ failures: Int) -> Duration {
        let ceiling = min(pace.retryMin * (1 << min(failures, 12)), pace.retryMax)
        return ceiling * (0.5 + runtime.chance / 2)
    }

    func describe(_ error: any Error) -> String {
        guard let failure = error as? Failure else { return "\(error)" }
        return failure.note.map { "\(failure.detail) (\($0))" } ?? failure.detail
    }
}
