import Core
import Testing

@testable import Engines

@Suite("Kubernetes' word and the shared folder's are joined")
struct KubernetesReadingTests {
    static let start = Instant(milliseconds: 1_795_443_613_746)

    static func traces(released: Bool = true, claimed: Bool = false, ending: EngineRun.State? = nil) -> RunTraces {
        RunTraces(isReleased: released, isClaimed: claimed, startedAt: claimed ? start : nil, ending: ending)
    }

    static func reading(
        _ traces: RunTraces,
        _ job: JSON?,
        pods: [JSON] = [],
        workload: JSON? = nil
    ) throws -> RunReading {
        KubernetesReading.of(
            traces,
            job: try job.map { try #require(KubernetesJob($0)) },
            pods: try pods.map { try #require(KubernetesPod($0)) },
            workload: try workload.map { try #require(KubernetesWorkload($0)) },
            isSending: false
        )
    }

    @Test("an exit record decides; held is what was not released; unknown and unclaimed never started")
    func folder() throws {
        let ending = EngineRun.State.ended(RunOutcome(.exit, code: 3), startedAt: Self.start, endedAt: Self.start)
        let failed = KubernetesFixtures.job(condition: ("Failed", "BackoffLimitExceeded"))
        #expect(try Self.reading(Self.traces(claimed: true, ending: ending), failed) == .known(ending))
        #expect(try Self.reading(Self.traces(claimed: true, ending: ending), nil) == .known(ending))
        #expect(try Self.reading(Self.traces(released: false), KubernetesFixtures.job()) == .known(.held))
        #expect(try Self.reading(Self.traces(), nil) == .known(.held))
        #expect(try Self.reading(Self.traces(), KubernetesFixtures.job(suspend: true)) == .known(.held))
        #expect(try Self.reading(Self.traces(), KubernetesFixtures.job(parallelism: 0)) == .known(.held))
        guard case .doubtful(let lost) = try Self.reading(Self.traces(claimed: true), nil) else {
            Issue.record("believed at once")
            return
        }
        #expect(lost.kind == .lost)
        #expect(
            try Self.reading(Self.traces(claimed: true), KubernetesFixtures.job())
                == .known(.running(startedAt: Self.start))
        )
    }

    @Test("what holds a run back is said in the words of whoever does")
    func waiting() throws {
        func why(_ pods: [JSON], _ workload: JSON? = nil, suspend: Bool = false) throws -> String? {
            let job = KubernetesFixtures.job(suspend: suspend)
            guard case .known(.pending(let why)) = try Self.reading(Self.traces(), job, pods: pods, workload: workload)
            else { return nil }
            return why
        }
        #expect(try why([])?.contains("quota") == true)
        #expect(
            try why([
                KubernetesFixtures.pod(conditions: [
                    ("PodScheduled", "False", "0/3 nodes: 3 Insufficient nvidia.com/gpu.")
                ])
            ]) == "0/3 nodes: 3 Insufficient nvidia.com/gpu."
        )
        #expect(
            try why([KubernetesFixtures.pod(state: ("waiting", "ImagePullBackOff", 0))])?.hasPrefix("ImagePullBackOff")
                == true
        )
        #expect(
            try why([KubernetesFixtures.pod(state: ("waiting", "ContainerCreating", 0))]) == "its pod is being started"
        )
        let queued = KubernetesFixtures.workload([("QuotaReserved", "False", "WaitingForQuota", "no room in team-a")])
        #expect(try why([], queued, suspend: true) == "WaitingForQuota: no room in team-a")
    }

    @Test("Kueue's eviction of a run that had begun is a preemption")
    func evicted() throws {
        let workload = KubernetesFixtures.workload([("Evicted", "True", "Preempted", "to make room")])
        let job = KubernetesFixtures.job(suspend: true)
        guard case .doubtful(let outcome) = try Self.reading(Self.traces(claimed: true), job, workload: workload) else {
            Issue.record("not seen")
            return
        }
        #expect(outcome.kind == .preempted)
    }

    /// The table of ``KubernetesReading/outcome(of:_:began:)``: the condition, the pod, before it began, and after.
    static let outcomes: [((String, String), JSON?, RunOutcome.Kind, RunOutcome.Kind)] = [
        (("Complete", ""), nil, .rejected, .nodeFailure),
        (
            ("Failed", "BackoffLimitExceeded"),
            KubernetesFixtures.pod(disruption: "PreemptionByScheduler"), .preempted, .preempted
        ),
        (
            ("Failed", "BackoffLimitExceeded"),
            KubernetesFixtures.pod(disruption: "DeletionByTaintManager"), .nodeFailure, .nodeFailure
        ), (("Failed", "BackoffLimitExceeded"), KubernetesFixtures.pod(reason: "Evicted"), .nodeFailure, .nodeFailure),
        (("Failed", "BackoffLimitExceeded"), KubernetesFixtures.pod(reason: "NodeLost"), .nodeFailure, .nodeFailure),
        (
            ("Failed", "BackoffLimitExceeded"),
            KubernetesFixtures.pod(state: ("terminated", "OOMKilled", 137)), .outOfMemory, .outOfMemory
        ), (("Failed", "DeadlineExceeded"), nil, .timeLimit, .timeLimit),
        (
            ("Failed", "BackoffLimitExceeded"), KubernetesFixtures.pod(reason: "DeadlineExceeded"), .timeLimit,
            .timeLimit
        ),
        (
            ("Failed", "BackoffLimitExceeded"),
            KubernetesFixtures.pod(state: ("terminated", "StartError", 128)), .rejected, .nodeFailure
        ),
        (
            ("Failed", "BackoffLimitExceeded"),
            KubernetesFixtures.pod(state: ("terminated", "Error", 127)), .rejected, .nodeFailure
        ), (("Failed", "BackoffLimitExceeded"), nil, .nodeFailure, .nodeFailure),
    ]

    @Test("every end that only the cluster tells of has its outcome", arguments: outcomes.indices)
    func ends(_ index: Int) throws {
        let (condition, pod, before, after) = Self.outcomes[index]
        let job = try #require(KubernetesJob(KubernetesFixtures.job(condition: condition)))
        let pods = try pod.map { [try #require(KubernetesPod($0))] } ?? []
        #expect(KubernetesReading.outcome(of: job, pods, began: false).kind == before)
        #expect(KubernetesReading.outcome(of: job, pods, began: true).kind == after)
    }

    @Test("a stop or a kill in the record is explained by the pod, another end is not")
    func told() throws {
        func kind(_ outcome: RunOutcome, _ pod: JSON) throws -> RunOutcome.Kind? {
            let ending = EngineRun.State.ended(outcome, startedAt: Self.start, endedAt: Self.start)
            let seen = try Self.reading(
                Self.traces(claimed: true, ending: ending),
                KubernetesFixtures.job(),
                pods: [pod]
            )
            guard case .known(.ended(let outcome, _, _)) = seen else { return nil }
            return outcome.kind
        }
        let preempted = KubernetesFixtures.pod(disruption: "PreemptionByScheduler")
        let full = KubernetesFixtures.pod(state: ("terminated", "OOMKilled", 137))
        let stopped = RunOutcome(.nodeFailure, detail: RunScript.stoppedByEngine)
        #expect(try kind(stopped, preempted) == .preempted)
        #expect(try kind(RunOutcome(.signal, code: 15), preempted) == .signal)
        #expect(try kind(RunOutcome(.signal, code: 9), full) == .outOfMemory)
        #expect(try kind(RunOutcome(.signal, code: 11), full) == .signal)
        #expect(try kind(RunOutcome(.succeeded), preempted) == .succeeded)
        let ending = EngineRun.State.ended(stopped, startedAt: Self.start, endedAt: Self.start)
        let seen = try Self.reading(
            Self.traces(claimed: true, ending: ending),
            KubernetesFixtures.job(suspend: true),
            workload: KubernetesFixtures.workload([("Evicted", "True", "Preempted", "for another")])
        )
        guard case .known(.ended(let outcome, _, _)) = seen else {
            Issue.record("\(seen)")
            return
        }
        #expect(outcome.kind == .preempted && outcome.detail?.contains("Kueue") == true)
    }
}

/// Objects as an API server gives them, cut to what is read.
enum KubernetesFixtures {
    static func object(_ members: [(String, JSON?)]) -> JSON {
        .object(members.compactMap { name, value in value.map { (name, $0) } })
    }

    static func job(
        _ run: RunKey = RayFixtures.run,
        suspend: Bool = false,
        parallelism: Int64 = 1,
        condition: (String, String)? = nil
    ) -> JSON {
        let conditions = condition.map { type, reason in
            JSON.array([
                object([
                    ("type", .string(type)), ("status", .string("True")), ("reason", .string(reason)),
                    ("message", .string("why")), ("lastTransitionTime", .string("2026-11-23T14:27:54Z")),
                ])
            ])
        }
        return object([
            (
                "metadata",
                object([
                    ("name", .string("\(run)")), ("uid", .string("93cbbd4d-7c5e-4b6f-abc7-e06987bccff3")),
                    ("annotations", object([("onepoint/order", .string("digest"))])),
                ])
            ), ("spec", object([("parallelism", .integer(parallelism)), ("suspend", .bool(suspend))])),
            ("status", object([("conditions", conditions)])),
        ])
    }

    static func pod(
        reason: String? = nil,
        conditions: [(String, String, String)] = [],
        state: (String, String, Int64)? = nil,
        disruption: String? = nil,
        of run: RunKey = RayFixtures.run
    ) -> JSON {
        var all = conditions.map { type, status, message in
            object([("type", .string(type)), ("status", .string(status)), ("message", .string(message))])
        }
        if let disruption {
            all.append(
                object([
                    ("type", .string("DisruptionTarget")), ("status", .string("True")), ("reason", .string(disruption)),
                ])
            )
        }
        let container = state.map { kind, reason, code in
            JSON.array([
                object([
                    ("name", .string("run")),
                    ("state", object([(kind, object([("reason", .string(reason)), ("exitCode", .integer(code))]))])),
                ])
            ])
        }
        return object([
            (
                "metadata",
                object([
                    ("name", .string("pod-1")), ("labels", object([("job-name", .string("\(run)"))])),
                ])
            ),
            (
                "status",
                object([
                    ("phase", .string("Pending")), ("reason", reason.map { .string($0) }), ("conditions", .array(all)),
                    ("containerStatuses", container),
                ])
            ),
        ])
    }

    static func workload(
        _ conditions: [(String, String, String, String)],
        of run: RunKey = RayFixtures.run,
        uid: String = "93cbbd4d-7c5e-4b6f-abc7-e06987bccff3"
    ) -> JSON {
        let owner = object([
            ("apiVersion", .string("batch/v1")), ("kind", .string("Job")), ("name", .string("\(run)")),
            ("uid", .string(uid)),
        ])
        let all = conditions.map { type, status, reason, message in
            object([
                ("type", .string(type)), ("status", .string(status)), ("reason", .string(reason)),
                ("message", .string(message)),
            ])
        }
        return object([
            ("apiVersion", .string("kueue.x-k8s.io/v1beta1")), ("kind", .string("Workload")),
            (
                "metadata",
                object([("name", .string("job-\(run)-0f0f0")), ("ownerReferences", .array([owner]))])
            ), ("status", object([("conditions", .array(all))])),
        ])
    }

    /// Kueue's definition of its workloads, with any fields.
    static let workloads = object([
        ("apiVersion", .string("apiextensions.k8s.io/v1")), ("kind", .string("CustomResourceDefinition")),
        (
            "metadata",
            object([
                ("name", .string("workloads.kueue.x-k8s.io")),
                (
                    "annotations",
                    object([
                        ("api-approved.kubernetes.io", .string("https://github.com/kubernetes-sigs/kueue"))
                    ])
                ),
            ])
        ),
        (
            "spec",
            object([
                ("group", .string("kueue.x-k8s.io")), ("scope", .string("Namespaced")),
                (
                    "names",
                    object([
                        ("kind", .string("Workload")), ("listKind", .string("WorkloadList")),
                        ("plural", .string("workloads")), ("singular", .string("workload")),
                    ])
                ),
                (
                    "versions",
                    .array([
                        object([
                            ("name", .string("v1beta1")), ("served", .bool(true)), ("storage", .bool(true)),
                            (
                                "schema",
                                object([
                                    (
                                        "openAPIV3Schema",
                                        object([
                                            ("type", .string("object")),
                                            ("x-kubernetes-preserve-unknown-fields", .bool(true)),
                                        ])
                                    )
                                ])
                            ),
                        ])
                    ])
                ),
            ])
        ),
    ])
}
