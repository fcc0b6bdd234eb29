internal import Core

/// A batch/v1 Job of ours.
struct KubernetesJob: KubernetesObject {
    var run: RunKey
    var uid: String
    /// Of its text, as the API server counts them.
    var version: String
    /// Kueue's local queue, once it is to be admitted from there.
    var queue: String?
    /// The digest of the order that it was made from.
    var order: String?
    /// Nothing starts: suspended, or of no pods at a time.
    var isHeld: Bool
    var isSuspended: Bool
    var active: Int
    /// Somebody has deleted it, and its pods are being ended.
    var isGoing: Bool
    var isComplete: Bool
    /// Why it failed, in one word of Kubernetes, and its sentence.
    var failure: Failing?
    var endedAt: Instant?

    struct Failing: Hashable, Sendable {
        var reason: String
        var message: String
    }

    var name: String { run.description }
    var hasEnded: Bool { isComplete || failure != nil }

    init?(_ json: JSON) {
        guard let run = json["metadata"]?["name"]?.stringValue.flatMap({ RunKey($0) }),
            let uid = json["metadata"]?["uid"]?.stringValue
        else { return nil }
        self.run = run
        self.uid = uid
        version = json["metadata"]?["resourceVersion"]?.stringValue ?? ""
        queue = json["metadata"]?["labels"]?[KubernetesManifest.queueLabel]?.stringValue
        order = json["metadata"]?["annotations"]?[KubernetesManifest.orderAnnotation]?.stringValue
        isSuspended = json["spec"]?["suspend"]?.boolValue == true
        isHeld = isSuspended || json["spec"]?["parallelism"]?.integerValue == 0
        active = json["status"]?["active"]?.integerValue.map { Int(clamping: $0) } ?? 0
        isGoing = json["metadata"]?["deletionTimestamp"]?.stringValue != nil
        let conditions = (json["status"]?["conditions"]?.arrayValue ?? []).filter {
            $0["status"]?.stringValue == "True"
        }
        let complete = conditions.first { $0["type"]?.stringValue == "Complete" }
        let failed = conditions.first { $0["type"]?.stringValue == "Failed" }
        isComplete = complete != nil
        failure = failed.map {
            Failing(reason: $0["reason"]?.stringValue ?? "", message: $0["message"]?.stringValue ?? "")
        }
        endedAt = (complete ?? failed)?["lastTransitionTime"]?.stringValue.flatMap { Instant(rfc3339: $0) }
    }
}

/// A pod of one of our Jobs.
struct KubernetesPod: KubernetesObject {
    var run: RunKey
    var name: String
    var phase: String
    /// Why the pod as a whole was ended, such as `Evicted`.
    var reason: String?
    var message: String?
    /// Why it is not placed.
    var unschedulable: String?
    /// Why its container does not start, such as `ImagePullBackOff`.
    var waiting: String?
    var waitingMessage: String?
    /// How its container ended, such as `OOMKilled`.
    var ended: String?
    var exitCode: Int?
    /// Why the cluster takes it down, such as `PreemptionByScheduler`.
    var disruption: String?
    var node: String?

    init?(_ json: JSON) {
        let labels = json["metadata"]?["labels"]
        guard
            let run = (labels?["batch.kubernetes.io/job-name"] ?? labels?["job-name"])?.stringValue
                .flatMap({ RunKey($0) })
        else { return nil }
        self.run = run
        name = json["metadata"]?["name"]?.stringValue ?? ""
        node = json["spec"]?["nodeName"]?.stringValue
        let status = json["status"]
        phase = status?["phase"]?.stringValue ?? "Unknown"
        reason = status?["reason"]?.stringValue
        message = status?["message"]?.stringValue
        let conditions = status?["conditions"]?.arrayValue ?? []
        unschedulable =
            conditions.first {
                $0["type"]?.stringValue == "PodScheduled" && $0["status"]?.stringValue == "False"
            }
            .map { $0["message"]?.stringValue ?? $0["reason"]?.stringValue ?? "it is not placed" }
        disruption =
            conditions.first {
                $0["type"]?.stringValue == "DisruptionTarget" && $0["status"]?.stringValue == "True"
            }?["reason"]?.stringValue
        let state = status?["containerStatuses"]?.arrayValue?.first?["state"]
        waiting = state?["waiting"]?["reason"]?.stringValue
        waitingMessage = state?["waiting"]?["message"]?.stringValue
        ended = state?["terminated"]?["reason"]?.stringValue
        exitCode = state?["terminated"]?["exitCode"]?.integerValue.map { Int(clamping: $0) }
    }
}

/// Kueue's view of one of our Jobs.
struct KubernetesWorkload: KubernetesObject {
    var run: RunKey
    var name: String
    var isAdmitted: Bool
    /// Kueue has taken its place away from it.
    var eviction: String?
    /// Why it has no quota yet, in Kueue's words.
    var waiting: String?

    init?(_ json: JSON) {
        let owners = json["metadata"]?["ownerReferences"]?.arrayValue ?? []
        guard
            let run = owners.lazy.filter({ $0["kind"]?.stringValue == "Job" })
                .compactMap({ $0["name"]?.stringValue.flatMap { RunKey($0) } }).first
        else { return nil }
        self.run = run
        name = json["metadata"]?["name"]?.stringValue ?? ""
        let conditions = json["status"]?["conditions"]?.arrayValue ?? []
        func condition(_ type: String, _ status: String) -> JSON? {
            conditions.first { $0["type"]?.stringValue == type && $0["status"]?.stringValue == status }
        }
        isAdmitted = condition("Admitted", "True") != nil
        eviction = condition("Evicted", "True").map { $0["reason"]?.stringValue ?? "Evicted" }
        waiting = condition("QuotaReserved", "False").map { condition in
            [condition["reason"]?.stringValue, condition["message"]?.stringValue].compactMap { $0 }
                .joined(separator: ": ")
        }
    }
}
