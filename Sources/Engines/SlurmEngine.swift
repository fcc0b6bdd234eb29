internal import CSupervise
public import Core
public import Logging
internal import Synchronization

/// A Slurm cluster. Runs are carried out by scripts on a folder that its nodes share (see `RunScript`); Slurm is told to
/// start them and when to give up, and is asked once a period what it thinks of all of them.
public final class SlurmEngine: Engine {
    public struct Configuration: Sendable, Hashable {
        /// The cluster's REST service, slurmrestd.
        public struct Service: Sendable, Hashable {
            /// `http://host:6820`, or `unix:` and the path of its socket.
            public var address: String
            /// Whose jobs they are.
            public var user: String
            /// A file with that user's JSON Web Token, read anew for every call.
            public var tokenFile: String

            public init(address: String, user: String, tokenFile: String) {
                (self.address, self.user, self.tokenFile) = (address, user, tokenFile)
            }
        }

        /// `nil` for the commands of the agent's own user.
        public var service: Service?
        /// The `slurm.conf` of the cluster that the commands speak to; `nil` for the one that they find themselves.
        public var configFile: String?
        public var partition: String?
        public var account: String?
        /// What the cluster calls its cards, to models of the catalogue.
        public var cardAliases: [String: String]
        /// The most calls to the cluster in a minute, all together.
        public var callsPerMinute: Int

        public init(
            service: Service? = nil,
            configFile: String? = nil,
            partition: String? = nil,
            account: String? = nil,
            cardAliases: [String: String] = [:],
            callsPerMinute: Int = 120
        ) {
            self.service = service
            self.configFile = configFile
            self.partition = partition
            self.account = account
            self.cardAliases = cardAliases
            self.callsPerMinute = callsPerMinute
        }
    }

    let configuration: Configuration
    let posted: PostedRuns
    var runs: SharedRuns { posted.runs }
    let access: any SlurmAccess
    let budget: CallBudget
    let log: Logger
    let state = Mutex(State())

    /// What need not be read again. Losing it costs time only.
    struct State {
        /// How many lists in a row lacked a run that Slurm should have.
        var absences: [RunKey: Int] = [:]
        var version: String?
    }

    /// So many lists in a row must lack a run before Slurm is believed to have lost it.
    static let absencesMax = 3
    /// For a run whose end Slurm tells of: time for its last word to be seen here.
    static let lastWordMax = Duration.seconds(5)

    /// By the REST service where one is configured, else by the commands of the agent's user.
    ///
    /// - Parameter sharedFolder: Absolute folder that the agent and every node see at the same path.
    /// - Throws: ``EngineError/unreachable(_:)`` when the shared folder cannot be made.
    public convenience init(
        _ configuration: Configuration,
        sharedFolder: String,
        log: Logger
    ) async throws(EngineError) {
        let access: any SlurmAccess =
            configuration.service.map { SlurmREST($0) } ?? SlurmCommandLine(configFile: configuration.configFile)
        try await self.init(configuration, sharedFolder: sharedFolder, access: access, log: log)
    }

    init(
        _ configuration: Configuration,
        sharedFolder: String,
        access: any SlurmAccess,
        log: Logger
    ) async throws(EngineError) {
        posted = try await blocking { () throws(EngineError) in try PostedRuns(root: sharedFolder) }
        self.configuration = configuration
        self.access = access
        self.log = log
        budget = CallBudget(perMinute: configuration.callsPerMinute)
    }

    public var kind: EngineKind { .slurm }

    /// Whether a cluster answers its commands on this machine.
    public static func isHere() async -> Bool {
        (try? await SlurmCommandLine().nodes())?.isEmpty == false
    }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        await budget.take()
        let version: String
        if let known = state.withLock({ $0.version }) { version = known } else { version = try await access.version() }
        state.withLock { $0.version = version }
        let nodes = try await access.nodes().filter { node in
            configuration.partition.map { node.partitions.contains($0) } ?? true
        }
        return CentreCapacity(
            engine: .slurm,
            engineVersion: "Slurm \(version)",
            nodes: nodes.map { node in
                Node(
                    name: node.name,
                    partition: configuration.partition ?? node.partitions.first,
                    schedulable: node.isSchedulable,
                    cores: MilliCores(node.cores * 1000),
                    memory: .mebi(node.mebibytes),
                    cards: SlurmNode.cards(node.gres).map { CardGroup(model: model(of: $0.type), count: $0.count) }
                )
            },
            isolates: false
        )
    }

    private func model(of type: String) -> String {
        configuration.cardAliases[type] ?? type
    }

    /// What the cluster calls cards of that model.
    private func type(of model: String) -> String {
        configuration.cardAliases.filter { $0.value == model }.keys.sorted().first ?? model
    }

    // MARK: Submit and release

    public func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        let runs = runs
        let (known, wasTried) = try await blocking { () throws(EngineError) -> (String?, Bool) in
            try runs.write(order)
            return (Self.engineJob(order.run, runs), Disk.exists(runs.folder(order.run).file("submission")))
        }
        if let known { return known }
        if wasTried {
            // A call of ours may have been answered when nobody listened any more.
            await budget.take()
            let found = try await access.jobs().filter { $0.name == order.run.description }
            if let first = found.min(by: { Int($0.id) ?? 0 < Int($1.id) ?? 0 }) {
                return try await note(first.id, for: order.run)
            }
        }
        let submission = submission(order)
        try await blocking { () throws(EngineError) in
            do throws(Disk.Fault) {
                try Disk.replace(Array(submission.json.text.utf8), in: submission.folder, as: "submission")
            } catch {
                throw .unreachable("The submission of \(order.run) cannot be written: \(error.sentence).")
            }
        }
        await budget.take()
        return try await note(try await access.submit(submission), for: order.run)
    }

    /// Makes the job's number durable, so that a repeat finds it.
    func note(_ id: String, for run: RunKey) async throws(EngineError) -> String {
        let runs = runs
        try await blocking { () throws(EngineError) in
            do throws(Disk.Fault) {
                try Disk.replace(Array("\(id)\n".utf8), in: runs.folder(run).path, as: "engine-job")
            } catch {
                throw .unreachable("The number of \(run) at its engine cannot be written: \(error.sentence).")
            }
        }
        return id
    }

    static func engineJob(_ run: RunKey, _ runs: SharedRuns) -> String? {
        guard let bytes = Disk.read(runs.folder(run).file("engine-job"), bytesMax: 64) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }

    private func submission(_ order: EngineOrder) -> SlurmSubmission {
        let folder = runs.folder(order.run).path
        let cores = Int(max(1, (order.resources.cores.count + 999) / 1000))
        let mebibytes = max(1, (order.resources.memory.count + (1 << 20) - 1) >> 20)
        let script = RunScript.quoted(runs.script(order.run))
        // Slurm places the tasks and starts them; each finds its place in the gang by what srun tells it.
        let launcher =
            order.tasks == 1
            ? "" : " srun --ntasks=\(order.tasks) --cpus-per-task=\(cores) --kill-on-bad-exit=1 --export=ALL"
        let card = order.nodes.first?.card ?? order.resources.card
        let cards = order.resources.cards
        return SlurmSubmission(
            name: order.run.description,
            script: "#!/bin/sh\nexec sh \(script) main\(launcher)\n",
            tasks: order.tasks,
            coresPerTask: cores,
            mebibytesPerCore: max(1, (mebibytes + Int64(cores) - 1) / Int64(cores)),
            cardsPerTask: cards == 0 ? nil : card.map { "\(type(of: $0)):\(cards)" } ?? "\(cards)",
            minutes: (max(1, order.timeLimitSeconds) + 59) / 60 + 5,
            folder: folder,
            partition: configuration.partition,
            account: configuration.account
        )
    }

    public func release(_ run: RunKey) async throws(EngineError) {
        let runs = runs
        let (id, look) = try await blocking { () throws(EngineError) -> (String, SharedRuns.Look) in
            guard let look = runs.look(at: run), let id = Self.engineJob(run, runs) else { throw .unknownRun(run) }
            do throws(Disk.Fault) { try Disk.touch(runs.folder(run).file("released")) } catch {
                throw .unreachable("The release of \(run) cannot be written: \(error.sentence).")
            }
            return (id, look)
        }
        guard look.claim == nil, look.ending == nil else { return }
        await budget.take()
        // What the controller has lost is found out by the next list, which knows more than one answer tells.
        _ = try await access.release(id)
    }

    // MARK: Cancel

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        let posted = posted
        let (isOver, neverStarted, id) = try await blocking { () throws(EngineError) -> (Bool, Bool, String?) in
            guard let look = posted.runs.look(at: run) else { throw .unknownRun(run) }
            guard look.ending == nil else { return (true, false, nil) }
            return (false, try posted.askToEnd(run, grace: grace), Self.engineJob(run, posted.runs))
        }
        // Its script sees the wish within a second; Slurm is asked only when it does not heed it.
        guard !isOver, neverStarted, let id else { return }
        await budget.take()
        try await access.cancel(id)
    }

    // MARK: Logs and forgetting

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await posted.logs(run, task: task, from: offset, countMax: countMax)
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        let posted = posted
        try await blocking { () throws(EngineError) in
            if let look = posted.runs.look(at: run), look.ending == nil {
                throw .refused("The run \(run) has not ended; cancel it first.")
            }
            try posted.forget(run)
        }
        state.withLock { $0.absences[run] = nil }
    }
}

/// Calls in a minute, gathered up to a tenth of them while there are none.
actor CallBudget {
    private let interval: Duration
    private let burst: Int
    private var free: ContinuousClock.Instant

    init(perMinute: Int) {
        interval = .seconds(60) / max(1, perMinute)
        burst = max(1, perMinute / 10)
        free = .now - interval * max(1, perMinute / 10)
    }

    /// Returns when the next call may be made.
    func take() async {
        free = max(free, .now - interval * burst) + interval
        let wait = free - .now
        if wait > .zero { try? await Task.sleep(for: wait) }
    }
}
