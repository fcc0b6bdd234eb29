public import Core
public import Logging
internal import Synchronization

/// A Kubernetes cluster, driven through batch/v1 Jobs in one namespace.
///
/// A run is a Job of its name. What the cluster may forget or run twice is kept on a volume that the agent and every
/// pod share: the order and its script, the mark of its release, the claim, logs and the exit record. See decision 18.
public final class KubernetesEngine: Engine {
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
            emulatesCards: Bool = false
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
        }
    }

    let configuration: Configuration
    let client: KubernetesClient
    let cards: KubernetesCards
    let runs: PostedRuns
    let log: Logger
    private let sending = Mutex<Set<RunKey>>([])

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
        client = try KubernetesClient(
            configuration.access,
            selector: "\(KubernetesManifest.centreLabel)=\(configuration.centre)"
        )
        cards = KubernetesCards(aliases: configuration.cardAliases)
        runs = try await blocking { () throws(EngineError) in try PostedRuns(root: configuration.folder) }
        self.log = log
    }

    public var kind: EngineKind { .kubernetes }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        let version = try await client.version()
        return CentreCapacity(
            engine: .kubernetes,
            engineVersion: "Kubernetes \(version.text)",
            nodes: cards.nodes(try await client.nodes(), emulated: configuration.emulatesCards),
            isolates: false
        )
    }

    func abilities() async throws(EngineError) -> KubernetesManifest.Abilities {
        let abilities = KubernetesManifest.Abilities(minor: try await client.version().minor)
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
            let cards = try cards(for: order, on: try await client.nodes())
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
            if let job, !job.isHeld {
                // The API server has dropped what it does not know, and would start it.
                try await client.delete(run, uid: job.uid)
                throw .refused(
                    "Kubernetes at \(configuration.access.server) ignores the suspension of Jobs. Turn its feature gate "
                        + "SuspendJob on."
                )
            }
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
        var job = try await client.job(run)
        // Somebody has deleted it; nothing of it had started, so it may be made anew.
        if job == nil { job = try await create(run) }
        guard let job, job.isHeld else { return }
        let patch = KubernetesManifest.release(
            job,
            tasks: Int(document["tasks"]?.integerValue ?? 1),
            queue: configuration.queue
        )
        guard try await client.patch(run, patch) else {
            throw .unreachable("The Job \(run) was changed or deleted while it was released. It is asked again.")
        }
    }

    /// The runs as the cluster and the shared folder together tell of them: one list of Jobs, one of pods, and one of
    /// workloads where Kueue decides.
    public func list() async throws(EngineError) -> [EngineRun] {
        let jobs = Dictionary(try await client.jobs().map { ($0.run, $0) }, uniquingKeysWith: { first, _ in first })
        let pods = Dictionary(grouping: try await client.pods(), by: \.run)
        var workloads: [RunKey: KubernetesWorkload] = [:]
        if configuration.queue != nil {
            for workload in try await client.workloads() { workloads[workload.run] = workload }
        }
        let (known, sending) = (workloads, sending.withLock { $0 })
        let (seen, overdue) = try await runs.list { run, traces in
            KubernetesReading.of(
                traces,
                job: jobs[run],
                pods: pods[run] ?? [],
                workload: known[run],
                isSending: sending.contains(run)
            )
        }
        // The script was asked to end and has not, beyond its grace: the pod goes with its Job. What fails here must not
        // hide what was seen; it is tried again.
        for run in overdue {
            guard let job = jobs[run], !job.isGoing else { continue }
            do throws(EngineError) { try await client.delete(run, uid: job.uid) } catch {
                log.warning("Job of an overdue run not deleted", metadata: ["run.id": "\(run)", "error": "\(error)"])
            }
        }
        return seen
    }

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        guard case .never = try await runs.cancel(run, grace: grace) else { return }
        // Nothing has started, and nothing will: the claim is ours. Should the Job stay, it goes when it is forgotten.
        do throws(EngineError) { try await delete(run) } catch {
            log.info("the Job of a cancelled run stays", metadata: ["run.id": "\(run)", "error": "\(error)"])
        }
    }

    private func delete(_ run: RunKey) async throws(EngineError) {
        if let job = try await client.job(run), !job.isGoing { try await client.delete(run, uid: job.uid) }
    }

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await runs.logs(run, task: task, from: offset, countMax: countMax)
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        try await runs.forget(run) { () throws(EngineError) in try await self.delete(run) }
    }
}
