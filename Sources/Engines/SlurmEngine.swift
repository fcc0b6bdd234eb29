internal import CSupervise
public import Core
public import Logging
internal import Synchronization

/// A Slurm cluster. Runs are carried out by scripts on a folder that its nodes share (see `RunScript`); Slurm is told to
/// start them and when to give up, and is asked once a period what it thinks of all of them.
public final class SlurmEngine: SharedEngine {
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
    let batches: SlurmBatches
    let access: any SlurmAccess
    let budget: CallBudget
    /// What is asked for together goes in one call.
    let submissions: Gathering<EngineOrder, String>
    let releases: Gathering<RunKey, Void>
    let cancellations: Gathering<SlurmBatches.Place, Void>
    let log: Logger
    let state = Mutex(State())

    /// What need not be read again. Losing it costs time only.
    struct State {
        /// How many lists in a row lacked a run that Slurm should have, and since when.
        var absences: [RunKey: (count: Int, since: ContinuousClock.Instant)] = [:]
        var version: String?
        /// What the nodes were when capacity was asked for last.
        var nodes: [SlurmNode] = []
        /// The most elements of the next array: fewer after one that was not taken.
        var elementsMax = SlurmEngine.elementsMax
        /// When accounting said that there is none.
        var withoutPast: ContinuousClock.Instant?
    }

    /// So many lists in a row must lack a run before Slurm is believed to have lost it.
    static let absencesMax = 3
    /// Of one array: what Slurm takes where nobody has changed it.
    ///
    /// > Source: `slurm.conf(5)`, MaxArraySize, 1001 and one more than the highest index.
    static let elementsMax = 1000
    /// How far back accounting is asked.
    static let pastDays = 30
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
        let posted = try await blocking { () throws(EngineError) in try PostedRuns(root: sharedFolder) }
        batches = try await blocking { () throws(EngineError) in try SlurmBatches(posted.runs) }
        self.posted = posted
        self.configuration = configuration
        self.access = access
        self.log = log
        let budget = CallBudget(perMinute: configuration.callsPerMinute)
        self.budget = budget
        submissions = Gathering(budget, countMax: Self.elementsMax)
        releases = Gathering(budget, countMax: 10 * Self.elementsMax)
        cancellations = Gathering(budget, countMax: 10 * Self.elementsMax)
    }

    public var kind: EngineKind { .slurm }

    /// Whether a cluster answers its commands on this machine.
    public static func isHere() async -> Bool {
        (try? await SlurmCommandLine().nodes())?.isEmpty == false
    }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        await budget.take(access.callsOfReading)
        let version: String
        if let known = state.withLock({ $0.version }) { version = known } else { version = try await access.version() }
        state.withLock { $0.version = version }
        let nodes = try await access.nodes().filter { node in
            configuration.partition.map { node.partitions.contains($0) } ?? true
        }
        state.withLock { $0.nodes = nodes }
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

    func model(of type: String) -> String {
        configuration.cardAliases[type] ?? type
    }

    /// What the cluster calls cards of that model.
    func type(of model: String) -> String {
        configuration.cardAliases.filter { $0.value == model }.keys.sorted().first ?? model
    }

    // MARK: Logs and forgetting

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await posted.logs(run, task: task, from: offset, countMax: countMax)
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        let (posted, batches) = (posted, batches)
        try await blocking { () throws(EngineError) in
            if let look = posted.runs.look(at: run), look.ending == nil {
                throw .refused("The run \(run) has not ended; cancel it first.")
            }
            try posted.forget(run)
            batches.forget(run)
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

    /// Returns when so many calls may be made.
    func take(_ count: Int = 1) async {
        free = max(free, .now - interval * burst) + interval * count
        let wait = free - .now
        if wait > .zero { try? await Task.sleep(for: wait) }
    }
}
