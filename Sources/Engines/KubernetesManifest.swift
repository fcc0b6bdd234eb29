internal import CSupervise
internal import Core

/// The objects that a run becomes. Pure: an order and the cluster's abilities in, JSON out.
struct KubernetesManifest: Sendable {
    static let centreLabel = "onepoint/centre"
    /// What each pod's only container is called.
    static let container = "run"
    static let orderAnnotation = "onepoint/order"
    /// > Source: Kueue, "Run a Kubernetes Job".
    static let queueLabel = "kueue.x-k8s.io/queue-name"

    /// What the API server's version allows.
    struct Abilities: Hashable, Sendable {
        var minor: Int
        /// `spec.suspend` of Jobs is on by default since 1.22; before, a Job of no parallel pods is the hold.
        var suspends: Bool { minor >= 22 }
        /// Completion indexes with stable host names are stable since 1.24.
        var indexes: Bool { minor >= 24 }
        /// `podReplacementPolicy` is on by default since 1.29.
        var replacesOnlyFailed: Bool { minor >= 29 }
    }

    var order: EngineOrder
    var configuration: KubernetesEngine.Configuration
    var abilities: Abilities
    /// The cards of one task; `nil` when it has none.
    var cards: KubernetesCards.Cards?
    /// Argument vector of every task's container.
    var command: [String]

    /// What tells one order from another under the same name.
    static func digest(_ order: EngineOrder) -> String {
        let words =
            order.command + order.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            + [
                order.parameters, "\(order.tasks)", "\(order.resources)", order.algorithmFolder ?? "",
                order.inputsFolder,
            ]
        let bytes = Array(words.joined(separator: "\0").utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        onepoint_sha256(bytes, bytes.count, &digest)
        return Digest(bytes: digest)?.hex ?? ""
    }

    var hold: (key: String, value: JSON) {
        abilities.suspends ? ("suspend", .bool(true)) : ("parallelism", .integer(0))
    }

    /// What lifts the hold. With Kueue, giving it a queue; Kueue lifts the suspension when it admits it.
    static func release(_ job: KubernetesJob, tasks: Int, queue: String?) -> JSON {
        var metadata: [(key: String, value: JSON)] = [("uid", .string(job.uid))]
        if let queue { metadata.append(("labels", .object([(queueLabel, .string(queue))]))) }
        var patch: [(key: String, value: JSON)] = [("metadata", .object(metadata))]
        if queue == nil {
            let lift: (key: String, value: JSON) =
                job.isSuspended ? ("suspend", .bool(false)) : ("parallelism", .integer(Int64(tasks)))
            patch.append(("spec", .object([lift])))
        }
        return .object(patch)
    }

    /// Kubernetes takes a finished Job away by itself after a fortnight, which outlasts our longest outage; we do as
    /// soon as the run is settled.
    static let keptSeconds: Int64 = 14 * 86_400

    /// The pod is ended by the kubelet so long after the script should have kept the limit itself.
    static let limitSlackSeconds: Int64 = 600

    func job(orderDigest: String) -> JSON {
        let labels = JSON.object([
            ("app.kubernetes.io/managed-by", .string("onepoint")), (Self.centreLabel, .string(configuration.centre)),
        ])
        let tasks = Int64(order.tasks)
        var spec: [(key: String, value: JSON)] = [("completions", .integer(tasks))]
        if abilities.suspends { spec.append(("parallelism", .integer(tasks))) }
        spec.append(hold)
        spec += [("backoffLimit", .integer(0)), ("ttlSecondsAfterFinished", .integer(Self.keptSeconds))]
        if order.tasks > 1, abilities.indexes { spec.append(("completionMode", .string("Indexed"))) }
        if abilities.replacesOnlyFailed { spec.append(("podReplacementPolicy", .string("Failed"))) }
        spec.append(
            ("template", .object([("metadata", .object([("labels", labels)])), ("spec", podSpec)]))
        )
        return .object([
            ("apiVersion", .string("batch/v1")), ("kind", .string("Job")),
            (
                "metadata",
                .object([
                    ("name", .string("\(order.run)")), ("labels", labels),
                    ("annotations", .object([(Self.orderAnnotation, .string(orderDigest))])),
                ])
            ), ("spec", .object(spec)),
        ])
    }

    /// The headless service that gives a gang's pods names, owned by the Job so that it goes with it.
    static func service(_ run: RunKey, owner uid: String) -> JSON {
        let name = JSON.string("\(run)")
        let owner = JSON.object([
            ("apiVersion", .string("batch/v1")), ("kind", .string("Job")), ("name", name), ("uid", .string(uid)),
        ])
        return .object([
            ("apiVersion", .string("v1")), ("kind", .string("Service")),
            ("metadata", .object([("name", name), ("ownerReferences", .array([owner]))])),
            (
                "spec",
                .object([
                    ("clusterIP", .string("None")), ("selector", .object([("job-name", name)])),
                    // Tasks look for each other before any of them is ready.
                    ("publishNotReadyAddresses", .bool(true)),
                ])
            ),
        ])
    }

    private var mounts: [JSON] {
        let whole: [(key: String, value: JSON)] = [("name", .string("centre"))]
        guard !configuration.shares.isEmpty else {
            return [.object(whole + [("mountPath", .string(configuration.mount))])]
        }
        return configuration.shares.map { share in
            .object(whole + [("mountPath", .string("\(configuration.mount)/\(share)")), ("subPath", .string(share))])
        }
    }

    private var podSpec: JSON {
        let task = order.resources
        var amounts: [(key: String, value: JSON)] = []
        if task.cores > 0 { amounts.append(("cpu", .string("\(task.cores.count)m"))) }
        if task.memory > 0 { amounts.append(("memory", .string("\(task.memory.count)"))) }
        if let cards, task.cards > 0 { amounts.append((cards.resource, .string("\(task.cards)"))) }
        let volume = configuration.claim.map { claim in
            ("persistentVolumeClaim", JSON.object([("claimName", .string(claim))]))
        }
        let container = JSON.object([
            ("name", .string(Self.container)), ("image", .string(configuration.image)),
            ("command", .array(command.map { .string($0) })),
            ("resources", .object([("limits", .object(amounts)), ("requests", .object(amounts))])),
            ("volumeMounts", .array(mounts)),
        ])
        var spec: [(key: String, value: JSON)] = [
            ("restartPolicy", .string("Never")), ("automountServiceAccountToken", .bool(false)),
            ("enableServiceLinks", .bool(false)),
            ("activeDeadlineSeconds", .integer(Int64(max(1, order.timeLimitSeconds)) + Self.limitSlackSeconds)),
            ("containers", .array([container])),
            (
                "volumes",
                .array([
                    .object([
                        ("name", .string("centre")),
                        volume ?? ("hostPath", .object([("path", .string(configuration.mount))])),
                    ])
                ])
            ),
        ]
        if let label = cards?.label, task.cards > 0 {
            spec.append(("nodeSelector", .object([(label.name, .string(label.value))])))
        }
        if order.tasks > 1, abilities.indexes { spec.append(("subdomain", .string("\(order.run)"))) }
        return .object(spec)
    }
}
