public import Core
public import Logging
internal import Synchronization

/// A Kubernetes cluster, driven through batch/v1 Jobs in one namespace.
///
/// A run is a Job of its name. What the cluster may forget or run twice is kept on a volume that the agent and every
/// pod share: the order and its script, the mark of its release, the claim, logs and the exit record. See decision 18.
public final class KubernetesEngine: ChangeNotifying, SharedEngine {
    public struct Configuration: Sendable {
        public var access: KubernetesAccess
        /// Marks our objects in the namespace.
        public var centre: String
        /// What every task's container is made from: needs `/bin/sh`, and Python where algorithms do.
        public var image: String
        /// Absolute folder of ours, below `mount`.
        public var folder: String
        /// Where the shared volume is seen, by the agent and in every pod.
        public var mount: String
        /// The folders below `mount` that pods see; none shows them all of it.
        public var shares: [String]
        /// The persistent volume claim behind `mount`; `nil` takes the node's own folder of that path.
        public var claim: String?
        /// Kueue's local queue; `nil` where Kueue does not decide.
        public var queue: String?
        /// From a resource or `label=value` to a model of the catalogue. See ``KubernetesCards``.
        public var cardAliases: [String: String]
        public var emulatesCards: Bool
        /// The most calls to the API server in a minute, all together. A watch is one call, and there are two or so of
        /// each kind of object in a minute.
        public var callsPerMinute: Int

        public init(
            access: KubernetesAccess,
            centre: String,
            image: String,
            folder: String,
            mount: String,
            shares: [String] = [],
            claim: String? = nil,
            queue: String? = nil,
            cardAliases: [String: String] = [:],
            emulatesCards: Bool = false,
            callsPerMinute: Int = 1200
        ) {
            self.access = access
            self.centre = centre
            self.image = image
            self.folder = folder
            self.mount = mount
            self.shares = shares
            self.claim = claim
            self.queue = queue
            self.cardAliases = cardAliases
            self.emulatesCards = emulatesCards
            self.callsPerMinute = callsPerMinute
        }
    }

    /// Rings when the API server has told of a change.
    public let changes: AsyncStream<Void>

    let configuration: Configuration
    let client: KubernetesClient
    let cards: KubernetesCards
    let runs: PostedRuns
    let log: Logger
    let jobs: KubernetesWatch<KubernetesJob>
    let pods: KubernetesWatch<KubernetesPod>
    let nodes: KubernetesWatch<KubernetesNode>
    let strangers: KubernetesWatch<KubernetesStranger>
    /// `nil` where Kueue does not decide.
    let workloads: KubernetesWatch<KubernetesWorkload>?
    private let pacer = Pacer()
    private let sending = Mutex<Set<RunKey>>([])
    private let version = Mutex<(text: String, minor: Int, at: ContinuousClock.Instant)?>(nil)
    /// Runs whose pods' own words are on the shared folder, or cannot be had.
    let heard = Mutex<Set<RunKey>>([])

    /// Opens or makes the centre's folder. The API server itself is asked by the first call.
    ///
    /// - Throws: ``EngineError/refused(_:)`` for what can never work, ``EngineError/unreachable(_:)`` when the folder
    ///   cannot be made or written.
    public init(_ configuration: Configuration, log: Logger) async throws(EngineError) {
        guard "\(configuration.folder)/".hasPrefix("\(configuration.mount)/") else {
            throw .refused(
                "The folder \(configuration.folder) is not below \(configuration.mount), which is all that pods see."
            )
        }
        self.configuration = configuration
        let client = try KubernetesClient(
            configuration.access,
            selector: "\(KubernetesManifest.centreLabel)=\(configuration.centre)",
            callsPerMinute: configuration.callsPerMinute
        )
        self.client = client
        cards = KubernetesCards(aliases: configuration.cardAliases)
        runs = try await blocking { () throws(EngineError) in try PostedRuns(root: configuration.folder) }
        self.log = log
        let (changes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.changes = changes
        let pacer = pacer
        let changed: @Sendable () -> Void = { if pacer.isDue() { wake.yield() } }
        jobs = KubernetesWatch(.jobs, client, changed: changed)
        pods = KubernetesWatch(.pods, client, changed: changed)
        nodes = KubernetesWatch(.nodes, client)
        strangers = KubernetesWatch(.strangers, client)
        workloads = configuration.queue.map { _ in KubernetesWatch(.workloads, client, changed: changed) }
    }

    /// Keeps a burst of events from making a look of each: what comes too soon is seen by the next look. The more runs
    /// there are, the more a look reads, and the longer it takes until the next ring.
    private final class Pacer: Sendable {
        private let state = Mutex<(last: ContinuousClock.Instant?, runs: Int)>((nil, 0))

        func note(runs: Int) { state.withLock { $0.runs = runs } }

        func isDue() -> Bool {
            state.withLock { state in
                let interval = max(.milliseconds(200), .milliseconds(1) * state.runs)
                if let last = state.last, .now - last < interval { return false }
                state.last = .now
                return true
            }
        }
    }

    public var kind: EngineKind { .kubernetes }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        let version = try await currentVersion()
        return CentreCapacity(
            engine: .kubernetes,
            engineVersion: "Kubernetes \(version.text)",
            nodes: cards.nodes(try await nodesBesideDaemons(), emulated: configuration.emulatesCards),
            isolates: false
        )
    }

    /// Asked once a minute: a cluster is upgraded while we look on.
    private func currentVersion() async throws(EngineError) -> (text: String, minor: Int) {
        if let known = version.withLock({ $0 }), .now - known.at < .seconds(60) { return (known.text, known.minor) }
        let asked = try await client.version()
        version.withLock { $0 = (asked.text, asked.minor, .now) }
        return asked
    }

    func abilities() async throws(EngineError) -> KubernetesManifest.Abilities {
        let abilities = KubernetesManifest.Abilities(minor: try await currentVersion().minor)
        guard configuration.queue == nil || abilities.suspends else {
            throw .refused("A Kueue queue needs Kubernetes 1.22 or newer, which suspends Jobs. Take the queue out.")
        }
        return abilities
    }

    /// Writes the run to the shared folder, then creates its Job held. A repeat finds either.
    public func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        let isKnown = try await blocking { () throws(EngineError) in self.runs.isKnown(order.run) }
        if !isKnown {
            let abilities = try await abilities()
            let cards = try cards(for: order, on: try await nodes.objects())
            try await blocking { () throws(EngineError) in try self.write(order, cards, abilities) }
        }
        let isOpen = try await blocking { () throws(EngineError) -> Bool in
            let traces = try self.runs.traces(order.run)
            return !traces.isReleased && !traces.isClaimed && traces.ending == nil
        }
        if isOpen { _ = try await create(order.run) }
        return order.run.description
    }

    /// Creates the Job that was written down, or finds the one that was created from it.
    private func create(_ run: RunKey) async throws(EngineError) -> KubernetesJob? {
        let document = try await blocking { () throws(EngineError) in try self.runs.document(run) }
        guard let manifest = document["job"] else { throw .unreachable("The Job of \(run) cannot be read on disk.") }
        switch try await client.create(manifest) {
        case .created(let job):
            if let job, let why = unheld(job) {
                try await client.delete(run, uid: job.uid)
                throw .refused("Kubernetes at \(configuration.access.server) \(why)")
            }
            if let job { jobs.note(job, version: job.version) }
            if let job, let tasks = document["tasks"]?.integerValue, tasks > 1 { try await serve(run, job, document) }
            return job
        case .exists:
            let job = try await client.job(run)
            let order = manifest["metadata"]?["annotations"]?[KubernetesManifest.orderAnnotation]?.stringValue
            guard job == nil || job?.order == order else {
                throw .refused("The namespace has a Job \(run) that was not made from this order. Delete it there.")
            }
            if let job, let tasks = document["tasks"]?.integerValue, tasks > 1 { try await serve(run, job, document) }
            return job
        case .refused(let why): throw .refused("Kubernetes does not take the run \(run): \(why)")
        }
    }

    /// Why a Job that was created held would start all the same.
    private func unheld(_ job: KubernetesJob) -> String? {
        if !job.isHeld { return "ignores the suspension of Jobs. Turn its feature gate SuspendJob on." }
        // What has a queue, Kueue starts when it likes, and it gives one to whatever comes without.
        return job.queue.map { queue in
            "puts every Job into Kueue's queue '\(queue)' by itself, where it would start before it is released. Give "
                + "the local queue of that name in the namespace \(configuration.access.namespace) another one."
        }
    }

    /// Makes the headless service of a gang, where its Job has indexes.
    private func serve(_ run: RunKey, _ job: KubernetesJob, _ document: JSON) async throws(EngineError) {
        guard document["job"]?["spec"]?["completionMode"] != nil else { return }
        if case .refused(let why) = try await client.create(service: KubernetesManifest.service(run, owner: job.uid)) {
            throw .refused("Kubernetes does not take the service of the run \(run): \(why)")
        }
    }

    public func release(_ run: RunKey) async throws(EngineError) {
        guard let document = try await runs.release(run) else { return }
        guard sending.withLock({ $0.insert(run).inserted }) else { return }
        defer { sending.withLock { _ = $0.remove(run) } }
        let tasks = Int(document["tasks"]?.integerValue ?? 1)
        if let job = jobs.known(run.description), job.isHeld, !job.isGoing, try await lift(job, tasks) { return }
        var job = try await client.job(run)
        // Somebody has deleted it; nothing of it had started, so it may be made anew.
        if job == nil { job = try await create(run) }
        guard let job, job.isHeld else { return }
        guard try await lift(job, tasks) else {
            throw .unreachable("The Job \(run) was changed or deleted while it was released. It is asked again.")
        }
    }

    /// - Returns: Whether the Job was still there.
    private func lift(_ job: KubernetesJob, _ tasks: Int) async throws(EngineError) -> Bool {
        let patch = KubernetesManifest.release(job, tasks: tasks, queue: configuration.queue)
        guard let released = try await client.patch(job.run, patch) else { return false }
        jobs.note(released, version: released.version)
        return true
    }

    /// The runs as the cluster and the shared folder together tell of them. The cluster is not asked: it is kept in
    /// sight by watches.
    ///
    /// - Throws: ``EngineError/unreachable(_:)`` when it is out of sight: what was seen before proves nothing.
    public func list() async throws(EngineError) -> [EngineRun] {
        let jobs = Dictionary(try await jobs.objects().map { ($0.run, $0) }) { $1 }
        let pods = Dictionary(grouping: try await pods.objects(), by: \.run)
        let workloads = Dictionary(try await workloads?.objects().map { ($0.run, $0) } ?? []) { $1 }
        let sending = sending.withLock { $0 }
        for (run, job) in jobs where job.hasEnded { await hear(run, pods[run] ?? []) }
        let (seen, overdue) = try await runs.list { run, traces in
            KubernetesReading.of(
                traces,
                job: jobs[run],
                pods: pods[run] ?? [],
                workload: workloads[run],
                isSending: sending.contains(run)
            )
        }
        pacer.note(runs: seen.count)
        let standing = seen.map { run in
            guard case .running = run.state else { return run }
            var run = run
            let nodes = (pods[run.run] ?? []).filter { $0.phase == "Running" }.compactMap(\.node)
            run.nodes = Dictionary(grouping: nodes) { $0 }.sorted { $0.key < $1.key }
                .map { NodeShare(node: $0.key, tasks: $0.value.count) }
            return run
        }
        // The script was asked to end and has not, beyond its grace: the pod goes with its Job. What fails here must not
        // hide what was seen; it is tried again.
        for run in overdue {
            guard let job = jobs[run], !job.isGoing else { continue }
            do throws(EngineError) { try await client.delete(run, uid: job.uid) } catch {
                log.warning("Job of an overdue run not deleted", metadata: ["run.id": "\(run)", "error": "\(error)"])
            }
        }
        return standing
    }

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        guard case .never = try await runs.cancel(run, grace: grace) else { return }
        await clear(run)
    }

    public func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        guard try await runs.withdraw(run) else { return false }
        await clear(run)
        return true
    }

    /// Nothing has started, and nothing will: the claim is ours. Should the Job stay, it goes when it is forgotten.
    private func clear(_ run: RunKey) async {
        do throws(EngineError) { try await delete(run) } catch {
            log.info("the Job of a cancelled run stays", metadata: ["run.id": "\(run)", "error": "\(error)"])
        }
    }

    private func delete(_ run: RunKey) async throws(EngineError) {
        if let job = jobs.known(run.description), try await client.delete(run, uid: job.uid) { return }
        if let job = try await client.job(run), !job.isGoing { try await client.delete(run, uid: job.uid) }
    }

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await runs.logs(run, task: task, from: offset, countMax: countMax)
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        try await runs.forget(run) { () throws(EngineError) in try await self.delete(run) }
        heard.withLock { _ = $0.remove(run) }
    }
}
