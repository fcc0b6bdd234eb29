import Agent
import Blobs
import Core
import Jobs
import Logging
import NIOPosix
import Store
import Wire

/// What one simulated world is made of.
package struct WorldPlan: Hashable, Sendable, Codable {
    /// Which of a proof's worlds it is, from 1.
    package var number = 1
    package var seed: UInt64
    package var jobs: Int
    package var faults: [Fault]
    /// How long users go on submitting.
    package var windowSeconds: Int
    package var centres = 5
    package var coresPerCentre = 256
    /// How long every job runs, when that is not left to chance.
    package var jobSeconds: Int?
    /// What every job says of the loss of its centre, when that is not left to chance.
    package var requeueAfterSeconds: Int?
    /// Whether the views are also made anew from the log and compared.
    package var rebuilds = false

    package init(seed: UInt64, jobs: Int, faults count: Int, days: Bool = false, kinds: Set<Fault.Kind>? = nil) {
        self.seed = seed
        self.jobs = jobs
        // So long that the machines could do it in about two thirds of the time.
        windowSeconds = max(120, jobs * 32 / (centres * coresPerCentre))
        faults = Fault.plan(
            count,
            window: .seconds(windowSeconds),
            centres: centres,
            days: days,
            kinds: kinds,
            seed: seed
        )
    }
}

/// One federation in virtual time: a real point, real agents, simulated engines, networks and disks.
///
/// `@unchecked Sendable`: confined to its thread once it runs.
final class World: @unchecked Sendable {
    let plan: WorldPlan
    let time: VirtualTime
    let truth = Truth()
    let host: PointHost
    let book: LogBook
    private(set) var centres: [SimulatedCentre] = []
    private(set) var accepted: [(view: SubmissionView, at: Instant)] = []
    private var clientAnswersLost = 0
    /// How many executions ran when each fault of a scenario struck.
    private(set) var runningAtFaults: [Int] = []
    /// What the audit found of jobs that need not wait for a centre.
    var restartable: Set<JobID> = []
    private let workload: Workload
    private let path: String
    private let trace: (@Sendable (String) -> Void)?
    private let sabotage: Sabotage?
    static let root = principal("root", isOperator: true)

    /// - Parameter folder: Absolute; an empty place for the point's disk.
    static func make(
        _ plan: WorldPlan,
        in folder: String,
        threads: NIOThreadPool,
        sabotage: Sabotage?,
        trace: (@Sendable (String) -> Void)? = nil
    ) async throws -> World {
        World(
            plan,
            path: folder,
            blobs: try await BlobStore.open(root: folder, threads: threads),
            logs: try await LogStore.open(root: folder, threads: threads),
            sabotage: sabotage,
            trace: trace
        )
    }

    private init(
        _ plan: WorldPlan,
        path: String,
        blobs: BlobStore,
        logs: LogStore,
        sabotage: Sabotage?,
        trace: (@Sendable (String) -> Void)?
    ) {
        self.plan = plan
        self.path = path
        self.trace = trace
        self.sabotage = sabotage
        let time = VirtualTime(seed: plan.seed)
        self.time = time
        book = LogBook(truth)
        workload = Workload(plan)
        var log = Logger(label: "world") { _ in SwiftLogNoOpLogHandler() }
        log.logLevel = .critical
        if let trace {
            log = Logger(label: "world") { _ in TraceHandler { trace("\(seconds(time.elapsed)) \($0)") } }
        }
        var settings = Point.Settings()
        settings.queueWindow = 300
        // A cycle takes no time here, so that only this keeps it from following every end of a run.
        settings.cyclePauseMin = .seconds(2)
        host = PointHost(
            .init(path: path + "/db", blobs: blobs, logs: logs, settings: settings, log: log),
            time,
            seed: plan.seed,
            sabotage: sabotage
        )
        for index in 0..<plan.centres {
            guard let name = CentreName("centre-\(index)") else { preconditionFailure("a valid name") }
            centres.append(
                SimulatedCentre(
                    index: index,
                    name: name,
                    engine: engine(of: index, seed: plan.seed),
                    network: network(of: index),
                    time: time,
                    truth: truth,
                    pace: pace,
                    log: log
                )
            )
        }
    }

    private var pace: Agent.Pace {
        var pace = Agent.Pace()
        // Nobody reads along here, and every look costs.
        pace.logPeriod = .seconds(plan.jobSeconds == nil ? 20 : 1800)
        // Jobs that run for a day are well watched every minute.
        if plan.jobSeconds ?? 0 >= 86_400 { pace.lookPeriod = .seconds(60) }
        return pace
    }

    private func engine(of index: Int, seed: UInt64) -> SimulatedEngine {
        let nodes = (0..<4).map {
            Node(
                name: "n\($0)",
                cores: MilliCores(Int64(plan.coresPerCentre) * 250),
                memory: .gibi(Int64(plan.coresPerCentre))
            )
        }
        return SimulatedEngine(
            centre: index,
            nodes: nodes,
            time: time,
            truth: truth,
            seed: seed,
            jobDuration: plan.jobSeconds.map { .seconds($0) },
            sabotage: sabotage
        )
    }

    /// - Parameter way: One of several between the point and the centre.
    private func network(of index: Int, _ way: UInt64 = 0) -> Network {
        Network(
            centre: index,
            time: time,
            truth: truth,
            host: host,
            book: book,
            chance: Chance(seed: plan.seed &+ way, stream: 200 + UInt64(index)),
            sabotage: sabotage
        )
    }

    var databasePath: String { path + "/db" }

    /// Lives from the first submission until everything has come to rest, or for as long as one can wait for that.
    ///
    /// - Returns: Why it did not come to rest, when it did not.
    func live() -> String? {
        let result = Outcome()
        Task(executorPreference: time) {
            do {
                try await self.found()
                self.schedule()
                result.text = try await self.rest()
            } catch {
                result.text = "the world ended early: \(error)"
            }
            result.isOver = true
        }
        do {
            try time.run { result.isOver }
        } catch {
            return error.description
        }
        return result.text
    }

    /// Ends every process, and waits for what each of them still had to do.
    func end() {
        for centre in centres { centre.leave() }
        host.end()
        do { try time.run { time.isEmpty } } catch { truth.complain("the world does not end: \(error)") }
    }

    /// `@unchecked Sendable`: confined to the world's thread.
    private final class Outcome: @unchecked Sendable {
        var text: String?
        var isOver = false
    }

    // MARK: Beginning

    private static func principal(_ name: String, isOperator: Bool) -> Principal {
        guard let user = UserName(name) else { preconditionFailure("a valid name") }
        return Principal(user: user, isOperator: isOperator, scopes: Set(Token.Scope.allCases), project: nil)
    }

    private func found() async throws {
        try await host.open()
        try await host.call { point in
            _ = try await point.bootstrap(operator: Self.root.user, project: Workload.projects[0])
            _ = try await point.createProject(
                Project(name: Workload.projects[1], weight: 50, metered: true),
                Self.root
            )
            // Just about what it needs in the end, so that it often waits for reservations to be settled.
            _ = try await point.grantVoucher(
                MicroCredits(Int64(plan.jobs) * 20_000),
                to: Workload.projects[1],
                note: "all it has",
                Self.root
            )
        }
        for centre in centres {
            let answer = try await host.call { point in
                let view = try await point.createCentre(centre.name, tier: .hub, prices: nil, Self.root)
                return try await point.join(JoinRequest(token: view.token))
            }
            centre.join(answer)
        }
        // Capacity is known before the first submission, or it would be refused as impossible.
        try await time.sleep(for: .seconds(5))
    }

    private func schedule() {
        watchBeds()
        for submission in workload.submissions {
            time.after(submission.at) { [self] in
                Task(executorPreference: time) { await self.submit(submission) }
            }
        }
        for fault in plan.faults {
            time.after(fault.at) { [self] in
                trace?("\(seconds(time.elapsed)) FAULT \(fault.text)")
                strike(fault)
            }
        }
    }

    /// Notes how many run everywhere right before each fault strikes.
    private func watchBeds() {
        for fault in plan.faults where plan.jobSeconds != nil {
            time.after(fault.at - .milliseconds(1)) { [self] in runningAtFaults.append(truth.running) }
        }
    }

    // MARK: Clients

    /// A client that gives up only when it is told no.
    private func submit(_ submission: Workload.Submission) async {
        var view: SubmissionView?
        while view == nil {
            do {
                let answer = try await host.call { point in
                    try await point.submit(
                        submission.document,
                        project: submission.project,
                        idempotencyKey: submission.key,
                        Self.root
                    )
                }
                if clientAnswersLost > 0 {
                    clientAnswersLost -= 1
                } else {
                    view = answer
                }
            } catch let failure as Failure where [.unavailable, .storageExhausted, .internal].contains(failure.code) {
            } catch is CancellationError {
            } catch {
                return truth.complain("a submission was refused: \(error)")
            }
            if view == nil { try? await time.sleep(for: .seconds(2)) }
        }
        guard let view else { return }
        accepted.append((view, time.now))
        if view.count != submission.count { truth.complain("\(submission.count) were asked, \(view.count) accepted") }
        guard let delay = submission.cancelAfter else { return }
        try? await time.sleep(for: delay)
        await cancel(view)
    }

    private func cancel(_ view: SubmissionView) async {
        while true {
            do {
                guard let store = host.store else { throw Failure(.unavailable, "nobody is there") }
                let job = try store.rehearsedRead { tx in
                    try view.job ?? view.array.flatMap { try tx.jobs(of: $0, limit: 3).last?.id }
                }
                guard let job else { return }
                if truth.cancelled[job] == nil { truth.cancelled[job] = time.now }
                _ = try await host.call { try await $0.cancel(job, Self.root) }
                if clientAnswersLost == 0 { return }
                clientAnswersLost -= 1
            } catch let failure as Failure where [.conflict, .notFound].contains(failure.code) {
                return
            } catch {
                try? await time.sleep(for: .seconds(2))
            }
        }
    }

    // MARK: Faults

    private func strike(_ fault: Fault) {
        let centre = centres[fault.centre % centres.count]
        let share = Double(fault.draw % 100) / 100
        switch fault.kind {
        case .requestLost, .answerLost, .requestDelayed, .answerDelayed, .requestRepeated: centre.network.strike(fault)
        case .clientAnswerLost: clientAnswersLost += 1
        case .partition: centre.network.cut(for: fault.lasts)
        case .pointCrash:
            host.crash(atCommit: Int(fault.draw % 20), after: fault.draw.isMultiple(of: 2), away: fault.lasts)
        case .pointDisk: host.refuseCommits(for: fault.lasts)
        case .agentCrash:
            centre.crash(after: Int(fault.draw % 200), reboots: fault.draw.isMultiple(of: 5), away: fault.lasts)
        case .agentDisk: centre.disk.refuse(for: fault.lasts)
        case .agentRestored:
            let copy = fault.draw.isMultiple(of: 4) ? [:] : centre.disk.records
            time.after(fault.lasts) { centre.restore(copy) }
        case .agentTwin:
            // Half of them can be cut off from the point while the first is not, and the other way round.
            let network = fault.draw.isMultiple(of: 2) ? centre.network : network(of: centre.index, fault.draw)
            centre.twin(at: nil, over: network, for: fault.lasts)
        case .agentCopied:
            let other = engine(of: centre.index, seed: plan.seed &+ fault.draw)
            centre.twin(at: other, over: network(of: centre.index, fault.draw), for: fault.lasts)
        case .clockSkew:
            let seconds = Int64(fault.draw % 7200) * (fault.draw.isMultiple(of: 10) ? 10_000 : 1)
            centre.skewClock(.seconds(fault.draw.isMultiple(of: 2) ? seconds : -seconds), for: fault.lasts)
        case .credentialExpiry:
            centre.network.refuse(for: fault.lasts)
            guard fault.draw.isMultiple(of: 2) else { return }
            time.after(fault.lasts) { [self] in
                Task(executorPreference: time) { await self.rejoin(centre) }
            }
        case .engineDown: centre.engine.fallSilent("connection refused", for: fault.lasts)
        case .engineRestart:
            centre.engine.fallSilent("connection refused", for: fault.lasts)
            time.after(fault.lasts) {
                centre.engine.restart(share: share, keepsCopies: !fault.draw.isMultiple(of: 4))
            }
        case .nodeFailure:
            centre.engine.fallSilent("connection refused", for: fault.lasts)
            centre.engine.failNodes(share: share / 4)
        case .engineAnswerLost: centre.engine.loseAnswer(after: Int(fault.draw % 50))
        case .engineStaleList: centre.engine.standStill(for: fault.lasts)
        case .engineRepeats: centre.engine.repeatItself(for: fault.lasts)
        case .engineForgets: centre.engine.forgetEnded()
        }
    }

    /// The operator brings a fresh token to the centre.
    private func rejoin(_ centre: SimulatedCentre) async {
        while true {
            do {
                let answer = try await host.call { point in
                    let view = try await point.renewJoin(centre.name, Self.root)
                    return try await point.join(JoinRequest(token: view.token))
                }
                return centre.join(answer)
            } catch {
                try? await time.sleep(for: .seconds(5))
            }
        }
    }

    // MARK: Rest

    /// How long after the last fault everything must have ended.
    private var restSecondsMax: Int { sabotage == nil ? 3600 : 1200 }

    /// Waits until every job has ended and no centre has anything left, and looks at the books meanwhile.
    private func rest() async throws -> String? {
        let end = plan.faults.map { $0.at + $0.lasts }.max() ?? .zero
        let busy = Duration.seconds(max(plan.windowSeconds, plan.jobSeconds.map { 2 * $0 } ?? 0))
        let deadline = max(end, busy) + .seconds(restSecondsMax)
        while true {
            try await time.sleep(for: .seconds(10))
            checkBooks()
            await checkLiveState()
            let isSubmitted = accepted.count == workload.submissions.count
            let isCalm = time.elapsed > end && isSubmitted && centres.allSatisfy(\.isIdle) && waiting() == 0
            if isCalm { return nil }
            guard time.elapsed < deadline else {
                let rests = centres.filter { !$0.isIdle }.map { centre in
                    "\(centre.name): \(centre.disk.records.count) records, \(centre.engine.livesOn.count) live at the engine"
                }
                return "not at rest \(restSecondsMax) s after the last fault: \(waiting() ?? -1) jobs have not "
                    + "ended; \(rests.joined(separator: "; "))"
            }
        }
    }

    /// What placing goes by must be what is stored, whatever was written meanwhile.
    private func checkLiveState() async {
        if let fault = try? await host.call({ try await $0.liveStateFault() }) { truth.complain(fault) }
    }

    /// Jobs that have not ended; `nil` while nobody can say.
    private func waiting() -> Int? {
        guard let store = host.store else { return nil }
        return try? store.rehearsedRead { tx in
            try tx.jobCounts().values.reduce(0) { $0 + $1.queued + $1.active }
        }
    }

    /// Whatever has happened: no metered project has promised more than its vouchers cover.
    private func checkBooks() {
        guard let store = host.store else { return }
        let found = try? store.rehearsedRead { tx in
            (try tx.balance(.project(Workload.projects[1])), try tx.balances())
        }
        guard let (balance, balances) = found else { return }
        if balance < 0 { truth.complain("at \(time.now) project 'paid' has promised more than it has: \(balance)") }
        let sum = balances.reduce(Int64(0)) { $0 + $1.amount.count }
        if sum != 0 { truth.complain("at \(time.now) the ledger sums to \(sum)") }
    }
}

/// Tells what the product logs.
private struct TraceHandler: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    let write: @Sendable (String) -> Void

    init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let pairs = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        write(([event.message.description] + pairs).joined(separator: " "))
    }
}
