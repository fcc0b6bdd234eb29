public import Core
public import Engines
public import Blobs
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
        /// Between two reports of capacity.
        public var capacityPeriod: Duration = .seconds(10)
        /// Between two looks at a running task's log.
        public var logPeriod: Duration = .milliseconds(100)
        /// After a failed call, doubled up to `retryMax`.
        public var retryMin: Duration = .milliseconds(100)
        public var retryMax: Duration = .seconds(15)

        public init() {}
    }

    let identity: AgentIdentity
    let folder: AgentFolder
    let engine: any Engine
    let link: any PointLink
    let staging: Staging
    let pace: Pace
    let now: @Sendable () -> Instant
    let log: Logger

    private(set) var records: [RunKey: AgentRecord] = [:]
    /// What the engine said last, by run.
    private(set) var seen: [RunKey: EngineRun] = [:]
    /// Up to where the point has each log.
    private(set) var logOffsets: [LogKey: Int64] = [:]
    private var capacity: CentreCapacity?
    private var capacityAcknowledged: CentreCapacity?
    /// Rings when something is to be reported.
    let reportBell = Bell()
    /// Rings when a run's worker should look again.
    let workBell = Bell()
    /// Rings when the engine should be listed.
    let lookBell = Bell()
    private let accepted = AsyncStream<RunKey>.makeStream(bufferingPolicy: .unbounded)

    public init(
        identity: AgentIdentity, folder: AgentFolder, engine: any Engine, link: any PointLink, cache: BlobStore,
        pace: Pace = Pace(), now: @escaping @Sendable () -> Instant, log: Logger
    ) {
        self.identity = identity
        self.folder = folder
        self.engine = engine
        self.link = link
        self.pace = pace
        self.now = now
        var log = log
        log[metadataKey: "centre"] = "\(identity.centre)"
        self.log = log
        staging = Staging(folder: folder, cache: cache, link: link)
    }

    /// Works until the task is cancelled or the process is asked to stop. Running work is left running.
    public func run() async throws {
        try await restore()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.exchangeLoop(waits: true) }
                group.addTask { await self.exchangeLoop(waits: false) }
                group.addTask { await self.lookLoop() }
                group.addTask { await self.capacityLoop() }
                group.addTask { await self.listenToEngine() }
                for await run in self.accepted.stream {
                    group.addTask { await self.carryOut(run) }
                }
                group.cancelAll()
            }
        }
    }

    private func restore() async throws {
        let (found, unreadable) = try await folder.load()
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
        var rings = reportBell.rings
        while !Task.isCancelled {
            if !waits {
                if !hasReports { await reportBell.wait(beyond: rings, atMost: pace.exchangeWait) }
                rings = reportBell.rings
                guard hasReports else { continue }
            }
            do {
                let request = exchangeRequest(wait: waits ? pace.exchangeWait : .zero, withReports: !waits)
                let response = try await link.exchange(request)
                let isNews = try await take(response, to: request)
                // What is repeated until it is done must not be asked for in a tight circle.
                if waits, !isNews { try await Task.sleep(for: pace.retryMin) }
                if failures > 0 { log.notice("point reached again", metadata: ["after_failures": "\(failures)"]) }
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1 { log.warning("exchange failed", metadata: ["error": "\(describe(error))"]) }
                try? await Task.sleep(for: backoff(failures))
            }
        }
    }

    private var hasReports: Bool {
        capacity != nil && capacity != capacityAcknowledged || records.values.contains { $0.needsReport }
    }

    private func exchangeRequest(wait: Duration, withReports: Bool) -> ExchangeRequest {
        let due = withReports ? records.values.filter(\.needsReport).prefix(ExchangeRequest.reportsMax) : []
        return ExchangeRequest(
            agent: identity.agent, at: now(), capacity: capacity == capacityAcknowledged ? nil : capacity,
            reports: due.map { .init(run: $0.key, version: $0.version, observation: $0.observation) },
            holds: Array(records.keys), waitMilliseconds: Int(wait.milliseconds))
    }

    /// Takes in what the point said. A lease is on disk before the next exchange can say that it is held.
    ///
    /// - Returns: Whether anything in it was new.
    private func take(_ response: ExchangeResponse, to request: ExchangeRequest) async throws -> Bool {
        var isNews = false
        if let sent = request.capacity { capacityAcknowledged = sent }
        for order in response.leases where records[order.run] == nil {
            isNews = true
            let record = AgentRecord(order: order)
            // Reserved before the write: the other loop may bring the same lease meanwhile.
            records[order.run] = record
            do {
                try await folder.save(record)
            } catch {
                records[order.run] = nil
                throw error
            }
            log.info("lease accepted", metadata: ["run": "\(order.run)"])
            accepted.continuation.yield(order.run)
            reportBell.ring()
        }
        for stop in response.stops where records[stop.run] != nil && records[stop.run]?.stop?.reason != stop.reason {
            isNews = true
            records[stop.run]?.stop = stop
            log.info("stop asked", metadata: ["run": "\(stop.run)", "reason": "\(stop.reason.rawValue)"])
        }
        for item in response.acknowledged {
            guard let record = records[item.run] else { continue }
            records[item.run]?.acknowledged = max(record.acknowledged, item.version)
        }
        for run in response.settled where records[run]?.settled == false {
            isNews = true
            records[run]?.settled = true
        }
        workBell.ring()
        return isNews
    }

    // MARK: Looking at the engine

    private func listenToEngine() async {
        guard let engine = engine as? any ChangeNotifying else { return }
        for await _ in engine.changes {
            lookBell.ring()
            workBell.ring()
        }
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
                beyond: rings, atMost: records.isEmpty ? pace.capacityPeriod : failures > 0 ? backoff(failures) : pace.lookPeriod)
        }
    }

    /// One list call: what is desired, what is known and what is seen are compared as wholes.
    private func look() async throws {
        let runs = try await engine.list()
        seen = Dictionary(runs.map { ($0.run, $0) }) { first, _ in first }
        workBell.ring()
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
            } catch {
                failures += 1
                if failures == 1 { log.warning("capacity unknown", metadata: ["error": "\(error)"]) }
            }
            try? await Task.sleep(for: failures > 0 ? backoff(failures) : pace.capacityPeriod)
        }
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

    /// Notes the end of a run, durably, before it can be reported.
    func end(_ run: RunKey, with observation: RunObservation) async throws {
        guard var record = records[run], !record.hasEnded else { return }
        record.observation = observation
        record.version += 1
        try await folder.save(record)
        // Fields that an exchange may have changed during the write are kept.
        record.acknowledged = records[run]?.acknowledged ?? record.acknowledged
        record.stop = records[run]?.stop ?? record.stop
        records[run] = record
        log.info(
            "run ended", metadata: ["run": "\(run)", "outcome": "\(observation.outcome?.kind.rawValue ?? "unknown")"])
        reportBell.ring()
    }

    func note(_ engineRun: EngineRun) { seen[engineRun.run] = engineRun }

    func noteLogOffset(_ run: RunKey, _ task: Int, _ offset: Int64) {
        logOffsets[LogKey(run: run, task: task)] = offset
    }

    func forget(_ run: RunKey) async throws {
        try await engine.forget(run)
        try await folder.remove(run)
        records[run] = nil
        seen[run] = nil
        logOffsets = logOffsets.filter { $0.key.run != run }
    }

    func backoff(_ failures: Int) -> Duration {
        let ceiling = min(pace.retryMin * (1 << min(failures, 12)), pace.retryMax)
        return ceiling * Double.random(in: 0.5...1)
    }

    func describe(_ error: any Error) -> String {
        guard let failure = error as? Failure else { return "\(error)" }
        return failure.note.map { "\(failure.detail) (\($0))" } ?? failure.detail
    }
}

/// One task's log.
struct LogKey: Hashable {
    var run: RunKey
    var task: Int
}
