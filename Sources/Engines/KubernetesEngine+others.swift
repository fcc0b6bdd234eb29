public import Core

extension KubernetesEngine {
    /// What pods of others have asked for, by node. Those of daemons and of the node itself are no part of it: they stay,
    /// and are taken off its capacity.
    ///
    /// - Throws: ``EngineError/unreachable(_:)`` also where the account may not see other namespaces.
    public func others() async throws(EngineError) -> [NodeUse] {
        var byNode: [String: [String: Double]] = [:]
        for pod in try await strangers.objects() where !pod.isOfNode {
            byNode[pod.node, default: [:]].merge(pod.requests, uniquingKeysWith: +)
        }
        guard !byNode.isEmpty else { return [] }
        return try await nodes.objects().sorted { $0.name < $1.name }.compactMap { node in
            guard let requests = byNode[node.name] else { return nil }
            let use = NodeUse(
                node: node.name,
                cores: MilliCores(Int64((min(requests["cpu"] ?? 0, 1e9) * 1000).rounded(.up))),
                memory: Bytes(Int64(min(requests["memory"] ?? 0, 1e18))),
                cards: cards.groups(node).compactMap { group in
                    let count = Int(min(requests[group.resource] ?? 0, 1e9))
                    guard count > 0 else { return nil }
                    return CardGroup(model: group.model, count: count, emulated: configuration.emulatesCards)
                }
            )
            return use.isNothing ? nil : use
        }
    }

    /// The nodes with what is left of them beside their own daemons, as far as those can be seen.
    func nodesBesideDaemons() async throws(EngineError) -> [KubernetesNode] {
        let nodes = try await nodes.objects()
        guard let all = try? await strangers.objects() else { return nodes }
        var held: [String: [String: Double]] = [:]
        for pod in all where pod.isOfNode { held[pod.node, default: [:]].merge(pod.requests, uniquingKeysWith: +) }
        return nodes.map { node in
            var node = node
            for (resource, amount) in held[node.name] ?? [:] {
                if let whole = node.allocatable[resource] { node.allocatable[resource] = max(0, whole - amount) }
            }
            return node
        }
    }
}

/// A pod of anybody else's that has a node.
struct KubernetesStranger: KubernetesObject {
    /// With its namespace.
    var name: String
    var node: String
    /// A daemon's, or one of the node itself: there for as long as the node is.
    var isOfNode: Bool
    /// What it asked for, by resource, in cores, bytes and pieces.
    var requests: [String: Double]

    static func name(of json: JSON) -> String {
        let metadata = json["metadata"]
        return "\(metadata?["namespace"]?.stringValue ?? "")/\(metadata?["name"]?.stringValue ?? "")"
    }

    init?(_ json: JSON) {
        let phase = json["status"]?["phase"]?.stringValue
        guard let node = json["spec"]?["nodeName"]?.stringValue, !node.isEmpty, phase != "Succeeded", phase != "Failed"
        else { return nil }
        name = Self.name(of: json)
        self.node = node
        let owners = json["metadata"]?["ownerReferences"]?.arrayValue ?? []
        isOfNode = owners.contains { ["DaemonSet", "Node"].contains($0["kind"]?.stringValue) }
        requests = Self.requests(json["spec"])
    }

    /// What the cluster's scheduler sets aside: all containers together, or the largest that runs before them, and what
    /// the pod costs by itself.
    ///
    /// > Source: Kubernetes, "Init containers", resource sharing; "Pod overhead"; a container that is restarted always is
    /// > one of the pod from its start on ("Sidecar containers").
    private static func requests(_ spec: JSON?) -> [String: Double] {
        func amounts(_ json: JSON?) -> [String: Double] {
            (json.map(KubernetesNode.texts) ?? [:]).compactMapValues(KubernetesQuantity.value)
        }
        var sum: [String: Double] = [:]
        for container in spec?["containers"]?.arrayValue ?? [] {
            sum.merge(amounts(container["resources"]?["requests"]), uniquingKeysWith: +)
        }
        var first: [String: Double] = [:]
        for container in spec?["initContainers"]?.arrayValue ?? [] {
            let own = amounts(container["resources"]?["requests"])
            if container["restartPolicy"]?.stringValue == "Always" {
                sum.merge(own, uniquingKeysWith: +)
            } else {
                first.merge(own, uniquingKeysWith: max)
            }
        }
        sum.merge(first, uniquingKeysWith: max)
        return sum.merging(amounts(spec?["overhead"]), uniquingKeysWith: +)
    }
}
