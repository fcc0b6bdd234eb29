internal import Core
internal import Logging
internal import Synchronization

extension KubernetesEngine {
    /// Keeps what a pod printed whose script was never reached, such as a shell that does not find it.
    ///
    /// It is put where the run's log would be, once, before the run's end is believed. From there it is read by offset
    /// like every other log, and it survives the pod. Once its script is reached a run writes that log itself, and the
    /// pod's own holds nothing of the user's. A pod that is gone has taken its words along.
    func hear(_ run: RunKey, _ pods: [KubernetesPod]) async {
        guard heard.withLock({ !$0.contains(run) }) else { return }
        do throws(EngineError) {
            let isOurs = try await blocking { () throws(EngineError) in
                guard self.runs.isKnown(run) else { return false }
                let traces = try self.runs.traces(run)
                return !traces.isClaimed && traces.ending == nil
            }
            if isOurs, let pod = pods.min(by: { $0.name < $1.name }), let words = try await client.log(of: pod.name) {
                try await blocking { () throws(EngineError) in try self.runs.keep(words, as: "log.0", of: run) }
            }
            heard.withLock { _ = $0.insert(run) }
        } catch {
            // The next look tries again, as long as the end is in doubt.
            log.info("a pod's words not heard yet", metadata: ["run.id": "\(run)", "error": "\(error)"])
        }
    }
}

extension KubernetesClient {
    /// The beginning of what a pod's container printed; `nil` when the pod is gone or has printed nothing yet.
    func log(of pod: String) async throws(EngineError) -> [UInt8]? {
        let path =
            "/api/v1/namespaces/\(namespace.percentEncoded)/pods/\(pod.percentEncoded)/log"
            + "?container=\(KubernetesManifest.container)&limitBytes=\(Self.logBytesMax)"
        let answer = try await call("GET", path)
        switch answer.status {
        case 200: return answer.body
        // Gone; or its container never came to be, which the pod's own state tells better.
        case 404 where status(answer) != nil, 400 where status(answer) != nil: return nil
        default: throw fault(answer, "GET \(path)")
        }
    }

    private static let logBytesMax = 64 << 10
}
