internal import Core

/// What we keep in sight in a cluster.
enum KubernetesKind: String, Sendable {
    case jobs, pods, nodes, workloads
    /// Pods of anybody else, anywhere in the cluster.
    case strangers

    /// The events of an object are its whole text; etcd keeps no more than 1.5 MiB of one, which is less as JSON by far.
    static let eventBytesMax = 8 << 20
}

extension KubernetesClient {
    /// Where objects of a kind are listed, the newest version of their interface first.
    private func paths(_ kind: KubernetesKind) -> [String] {
        let place = "namespaces/\(namespace.percentEncoded)"
        return switch kind {
        case .jobs: [jobsPath]
        case .pods: ["/api/v1/\(place)/pods"]
        case .nodes: ["/api/v1/nodes"]
        case .strangers: [Self.allPodsPath]
        case .workloads: ["v1beta2", "v1beta1"].map { "/apis/kueue.x-k8s.io/\($0)/\(place)/workloads" }
        }
    }

    private static let allPodsPath = "/api/v1/pods"

    /// Our own Jobs and their pods carry our label; nodes and Kueue's workloads do not. Of others' pods those are left out
    /// that hold nothing any more.
    private func query(_ path: String) -> String {
        if path == Self.allPodsPath {
            let others = selector.replacing("=", with: "!=").percentEncoded
            let living = "status.phase!=Succeeded,status.phase!=Failed".percentEncoded
            return "labelSelector=\(others)&fieldSelector=\(living)"
        }
        return path == jobsPath || path.hasSuffix("/pods") ? "labelSelector=\(selector.percentEncoded)" : ""
    }

    /// Every object of a kind, from one call. Read through to etcd: a cached list might not show the newest.
    func list(_ kind: KubernetesKind) async throws(EngineError) -> KubernetesListing {
        for path in paths(kind) {
            let full = "\(path)?\(query(path))"
            guard let json = try await get(full, expecting: kind == .workloads ? [404] : []) else { continue }
            // Go writes an empty list as null.
            let items = json["items"] == .null ? [] : json["items"]?.arrayValue
            guard let items, let version = json["metadata"]?["resourceVersion"]?.stringValue, !version.isEmpty else {
                throw .unreachable("Kubernetes at \(http.base) answered GET \(full) with something that is no list.")
            }
            return KubernetesListing(path: path, items: items, version: version)
        }
        throw .refused(
            "The centre's configuration names a Kueue queue, and Kubernetes at \(http.base) has no Kueue. Install it, or "
                + "take the queue out."
        )
    }

    /// Follows what happens to the objects of a list.
    ///
    /// - Parameters:
    ///   - path: Where they were listed.
    ///   - version: From where on.
    ///   - duration: After which the API server is to end the call.
    ///   - slack: What it may be late.
    ///   - each: Takes one event as JSON.
    /// - Returns: `nil` once the call was ended; the answer when it is none that begins a watch.
    func watch(
        _ path: String,
        from version: String,
        for duration: Duration,
        slack: Duration,
        opened: @escaping @Sendable () -> Void,
        each: @escaping @Sendable ([UInt8]) throws(EngineError) -> Void
    ) async throws(EngineError) -> EngineHTTP.Answer? {
        await budget.take()
        let query =
            "watch=1&allowWatchBookmarks=true&timeoutSeconds=\(duration.components.seconds)"
            + "&resourceVersion=\(version.percentEncoded)&\(query(path))"
        return try await http.lines(
            of: "\(path)?\(query)",
            lineBytesMax: KubernetesKind.eventBytesMax,
            within: duration + slack,
            opened: opened,
            each: each
        )
    }
}
