public import Core
public import Logging
internal import Synchronization

/// A Ray cluster, driven through its Jobs REST interface.
///
/// Ray has no hold, no time limit and a short memory, and its word is not always right. So the truth of a run is what
/// stands in its folder on a file system that the agent and every node share: the order and its script (held), the
/// mark of its release, the claim of whoever started it, its logs and its exit record. Ray carries the script to where
/// there is room, and says how it fares. See decision 17.
public final class RayEngine: Engine {
    public struct Configuration: Sendable {
        /// Of the head's dashboard, such as `http://head:8265`.
        public var address: String
        /// The file with the bearer token; `nil` for a cluster without.
        public var tokenFile: String?
        /// Absolute folder that the agent and every Ray node see under the same path.
        public var folder: String
        /// From a resource of Ray, such as `accelerator_type:A100` or `h100`, to a model of the catalogue.
        public var cardAliases: [String: String]
        /// Whether the cluster's cards exist for trials only.
        public var emulatesCards: Bool

        public init(
            address: String,
            tokenFile: String? = nil,
            folder: String,
            cardAliases: [String: String] = [:],
            emulatesCards: Bool = false
        ) {
            self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
            self.tokenFile = tokenFile
            self.folder = folder
            self.cardAliases = cardAliases
            self.emulatesCards = emulatesCards
        }
    }

    let configuration: Configuration
    let client: RayClient
    let cards: RayCards
    let runs: PostedRuns
    let log: Logger
    private let sending = Mutex<Set<RunKey>>([])
    let shared = Mutex(Shared())

    /// Opens or makes the centre's folder. Ray itself is asked by the first call.
    ///
    /// - Throws: ``EngineError/unreachable(_:)`` when the folder cannot be made or written.
    public convenience init(_ configuration: Configuration, log: Logger) async throws(EngineError) {
        let runs = try await blocking { () throws(EngineError) in try PostedRuns(root: configuration.folder) }
        self.init(configuration, runs: runs, log: log)
    }

    init(_ configuration: Configuration, runs: PostedRuns, log: Logger) {
        self.configuration = configuration
        let token = configuration.tokenFile.map { EngineHTTP.Token.file($0) } ?? .none
        client = RayClient(http: EngineHTTP(name: "Ray", base: configuration.address, token: token))
        cards = RayCards(aliases: configuration.cardAliases)
        self.runs = runs
        self.log = log
    }

    public var kind: EngineKind { .ray }

    /// Where the head's dashboard listens unless it was told otherwise.
    public static let addressHere = "http://127.0.0.1:8265"

    /// Whether this machine is the head of a Ray cluster that lets us in.
    public static func isHere(tokenFile: String?) async -> Bool {
        let token = tokenFile.map { EngineHTTP.Token.file($0) } ?? .none
        var http = EngineHTTP(name: "Ray", base: addressHere, token: token)
        http.timeout = .seconds(5)
        return (try? await RayClient(http: http).version()) != nil
    }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        let version = try await client.version()
        return CentreCapacity(
            engine: .ray,
            engineVersion: "Ray \(version.ray)",
            nodes: cards.nodes(try await client.nodes(), emulated: configuration.emulatesCards),
            isolates: false
        )
    }

    public func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        let isKnown = try await blocking { () throws(EngineError) in self.runs.isKnown(order.run) }
        if !isKnown {
            _ = try await client.version()
            let request = try request(order, on: try await client.nodes())
            try await blocking { () throws(EngineError) in try self.write(order, request) }
        }
        return order.run.description
    }

    public func release(_ run: RunKey) async throws(EngineError) {
        guard let submission = try await runs.release(run) else { return }
        // One submission of a run at a time: two at once have spoilt the first one's status in older Rays.
        guard sending.withLock({ $0.insert(run).inserted }) else { return }
        defer { sending.withLock { _ = $0.remove(run) } }
        if let known = try await client.job(run) {
            // Ray fails what waited long for its turn; nothing of it has started, so it may wait on.
            guard known.gaveUpWaiting, try await client.delete(run) else { return }
            log.notice("run waited longer than Ray lets it; sent again", metadata: ["run.id": "\(run)"])
        }
        switch try await client.submit(submission) {
        case .accepted: break
        case .exists:
            guard try await client.job(run) != nil else {
                throw .unreachable("Ray says that it has the job \(run), and then that it does not. It is asked again.")
            }
        case .refused(let why):
            _ = try await blocking { () throws(EngineError) in
                try self.runs.end(run, RunOutcome(.rejected, detail: "Ray does not take it: \(why)"))
            }
        }
    }

    /// The runs as Ray and the shared folder together tell of them: one call to Ray, a few small files for each run
    /// that has not ended.
    public func list() async throws(EngineError) -> [EngineRun] {
        let jobs = Dictionary(try await client.jobs().map { ($0.run, $0) }, uniquingKeysWith: { first, _ in first })
        let sending = sending.withLock { $0 }
        let (seen, overdue) = try await runs.list { run, traces in
            RayReading.of(traces, job: jobs[run], isSending: sending.contains(run))
        }
        // The script was asked to end and has not, beyond its grace: Ray's own stop is the harder one. What fails here
        // must not hide what was seen; it is tried again.
        do throws(EngineError) {
            for run in overdue where jobs[run]?.status == .running { try await client.stop(run) }
            try await removeStrays(jobs, known: Set(seen.map(\.run)))
        } catch {
            log.warning("Ray was not told to clear up", metadata: ["error": "\(error)"])
        }
        return await standing(seen, jobs)
    }

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        guard case .never(wasReleased: true) = try await runs.cancel(run, grace: grace) else { return }
        await stop(run)
    }

    public func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        guard try await runs.withdraw(run) else { return false }
        await stop(run)
        return true
    }

    /// Nothing has started. Ray answers "stopped" and leaves it pending; what may come of it ends at the claim.
    private func stop(_ run: RunKey) async {
        do throws(EngineError) { try await client.stop(run) } catch {
            log.info("Ray was not told of a cancel", metadata: ["run.id": "\(run)", "error": "\(error)"])
        }
    }

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await runs.logs(run, task: task, from: offset, countMax: countMax)
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        // What Ray will not delete yet has no folder from now on, and is removed as a stray once it lets go.
        try await runs.forget(run) { () throws(EngineError) in _ = try await self.client.delete(run) }
    }

    /// The most jobs without a folder that one list removes.
    private static let straysMax = 8

    /// Jobs of this centre that were forgotten while Ray still held on to them. A live one is left alone: without its
    /// folder it ends as soon as it starts, and should it be us who do not see the folder, it must not suffer.
    private func removeStrays(_ jobs: [RunKey: RayJob], known: Set<RunKey>) async throws(EngineError) {
        let strays = jobs.values.filter {
            $0.folder == configuration.folder && !known.contains($0.run) && $0.outcome(began: true) != nil
        }
        for job in strays.sorted(by: { $0.run < $1.run }).prefix(Self.straysMax) {
            _ = try await client.delete(job.run)
            log.info("forgotten job removed from Ray", metadata: ["run.id": "\(job.run)"])
        }
    }
}
