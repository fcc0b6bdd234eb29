internal import Core

/// What Kubernetes says of a run and what the shared folder says, joined. The folder goes first.
enum KubernetesReading {
    /// - Parameters:
    ///   - traces: Read *after* the cluster was asked.
    ///   - job: `nil` when the cluster was asked and does not know it.
    ///   - isSending: Whether its creation or release is under way in this process.
    static func of(
        _ traces: RunTraces,
        job: KubernetesJob?,
        pods: [KubernetesPod],
        workload: KubernetesWorkload?,
        isSending: Bool
    ) -> RunReading {
        if let ending = traces.ending { return .known(told(ending, by: pods, workload)) }
        guard traces.isReleased else { return .known(.held) }
        guard let job else {
            if traces.isClaimed {
                return .doubtful(RunOutcome(.lost, detail: "its Job was deleted at the cluster, and it left no record"))
            }
            return .known(isSending ? .pending("it is being sent to Kubernetes") : .held)
        }
        if job.hasEnded { return .doubtful(outcome(of: job, pods, began: traces.isClaimed)) }
        if let eviction = workload?.eviction, traces.isClaimed, job.isSuspended {
            return .doubtful(RunOutcome(.preempted, detail: "Kueue took its place away (\(eviction))"))
        }
        if let started = traces.startedAt { return .known(.running(startedAt: started)) }
        if traces.isClaimed { return .known(.pending("it is being prepared")) }
        if isSending { return .known(.pending("it is being released")) }
        // With Kueue it is Kueue that lifts the suspension, once there is quota.
        if job.isHeld, workload == nil, job.queue == nil { return .known(.held) }
        return .known(.pending(waiting(job, pods, workload)))
    }

    /// Why a released run has not begun, in the words of whoever holds it back.
    static func waiting(_ job: KubernetesJob, _ pods: [KubernetesPod], _ workload: KubernetesWorkload?) -> String {
        if let workload, !workload.isAdmitted { return cut(workload.waiting ?? "Kueue has not admitted it yet") }
        if job.isHeld { return "Kueue has not looked at it yet" }
        if job.isGoing { return "its Job is being deleted" }
        for pod in pods {
            if let why = pod.unschedulable { return cut(why) }
            if let word = pod.waiting, word != "ContainerCreating", word != "PodInitializing" {
                return cut([word, pod.waitingMessage].compactMap { $0 }.joined(separator: ": "))
            }
        }
        if pods.isEmpty { return "its pod has not been made yet; a quota of the namespace may be used up" }
        return pods.count > 1 ? "its pods are being started, and wait for each other" : "its pod is being started"
    }

    /// How a run ended, where only the cluster can tell: its script never began, or left no exit record.
    ///
    /// | the Job | its pod | before its script began | after it |
    /// | --- | --- | --- | --- |
    /// | `Complete` | | `rejected` | `node_failure` |
    /// | `Failed` | `DisruptionTarget` by `PreemptionByScheduler` | `preempted` | `preempted` |
    /// | `Failed` | another `DisruptionTarget`, `Evicted`, `NodeLost`, `Shutdown`, `Terminated`, `UnexpectedAdmissionError` | `node_failure` | `node_failure` |
    /// | `Failed` | container `OOMKilled` | `out_of_memory` | `out_of_memory` |
    /// | `Failed`, `DeadlineExceeded`, or the pod's | | `time_limit` | `time_limit` |
    /// | `Failed` | container `StartError`, `ContainerCannotRun`, `Error` | `rejected` | `node_failure` |
    /// | `Failed` | none left, or another word | `node_failure` | `node_failure` |
    ///
    /// > Source: the Job controller's reasons (`pkg/controller/job`), the kubelet's and the scheduler's pod conditions.
    static func outcome(of job: KubernetesJob, _ pods: [KubernetesPod], began: Bool) -> RunOutcome {
        guard let failure = job.failure else {
            return began
                ? RunOutcome(.nodeFailure, detail: "its pod ended, and it left no record of how")
                : RunOutcome(.rejected, detail: "its pod ended without reaching its script: is the volume mounted?")
        }
        if let cause = cause(pods) { return cause }
        if failure.reason == "DeadlineExceeded" || pods.contains(where: { $0.reason == "DeadlineExceeded" }) {
            return RunOutcome(.timeLimit)
        }
        let pod = pods.first { $0.ended != nil }
        let why = [pod?.ended, pod?.exitCode.map { "status \($0)" }, "\(failure.reason): \(failure.message)"]
            .compactMap { $0 }.joined(separator: ", ")
        if !began, let word = pod?.ended, ["StartError", "ContainerCannotRun", "Error"].contains(word) {
            return RunOutcome(
                .rejected,
                detail: cut(
                    "its script was not reached (\(why)): does the image have /bin/sh, and is the volume mounted?"
                )
            )
        }
        return RunOutcome(.nodeFailure, detail: cut(why))
    }

    private static let nodeReasons: Set<String> = [
        "Evicted", "NodeLost", "Shutdown", "Terminated", "NodeShutdown", "NodeAffinity", "UnexpectedAdmissionError",
    ]

    /// A record tells that the run was told to end or killed, and only the cluster why.
    private static func told(
        _ ending: EngineRun.State,
        by pods: [KubernetesPod],
        _ workload: KubernetesWorkload?
    ) -> EngineRun.State {
        guard case .ended(let outcome, let startedAt, let endedAt) = ending,
            outcome.isStopByEngine || outcome.kind == .signal && outcome.code == 9
        else { return ending }
        let evicted = workload?.eviction.map { RunOutcome(.preempted, detail: "Kueue took its place away (\($0))") }
        guard let cause = cause(pods) ?? evicted else { return ending }
        return .ended(cause, startedAt: startedAt, endedAt: endedAt)
    }

    /// What the cluster did to a run, where its pods tell.
    private static func cause(_ pods: [KubernetesPod]) -> RunOutcome? {
        if let pod = pods.first(where: { $0.disruption == "PreemptionByScheduler" || $0.reason == "Preempting" }) {
            return RunOutcome(.preempted, detail: pod.message.map(cut))
        }
        if let pod = pods.first(where: { $0.disruption != nil || $0.reason.map(nodeReasons.contains) == true }) {
            let words = [pod.disruption ?? pod.reason, pod.message].compactMap { $0 }.joined(separator: ": ")
            return RunOutcome(.nodeFailure, detail: cut(words))
        }
        return pods.contains { $0.ended == "OOMKilled" } ? RunOutcome(.outOfMemory) : nil
    }

    private static func cut(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.cut(to: 300)
    }
}
