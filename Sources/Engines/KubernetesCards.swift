internal import Core

/// How extended resources and labels of nodes become cards of the catalogue.
struct KubernetesCards: Sendable {
    /// One vendor's device plugin: what it counts, and the label that says of what model, where a first-party one is
    /// known to us.
    struct Plugin: Hashable, Sendable {
        var resource: String
        var vendor: String
        var label: String?
    }

    /// Resources that count whole cards. Slices, shares and virtual cards have names of their own and are not counted.
    ///
    /// > Source: the vendors' own device plugins and feature discovery.
    static let plugins: [Plugin] = [
        Plugin(resource: "nvidia.com/gpu", vendor: "NVIDIA", label: "nvidia.com/gpu.product"),
        Plugin(resource: "amd.com/gpu", vendor: "AMD", label: "amd.com/gpu.product-name"),
        Plugin(resource: "gpu.intel.com/i915", vendor: "Intel", label: "gpu.intel.com/product"),
        Plugin(resource: "gpu.intel.com/xe", vendor: "Intel", label: "gpu.intel.com/product"),
        Plugin(resource: "habana.ai/gaudi", vendor: "Intel"),
        // 910B and 910C hide behind the same resource: the operator's table tells them apart.
        Plugin(resource: "huawei.com/Ascend910", vendor: "Huawei"),
        Plugin(resource: "huawei.com/Ascend310P", vendor: "Huawei"),
        Plugin(resource: "huawei.com/Ascend310", vendor: "Huawei"),
        Plugin(resource: "cambricon.com/mlu", vendor: "Cambricon"),
        Plugin(resource: "cambricon.com/mlu370", vendor: "Cambricon"),
        Plugin(resource: "hygon.com/dcu", vendor: "Hygon", label: "hygon.com/dcu.name"),
        Plugin(resource: "mthreads.com/gpu", vendor: "Moore Threads"),
        Plugin(resource: "birentech.com/gpu", vendor: "Biren"),
        Plugin(resource: "iluvatar.com/gpu", vendor: "Iluvatar"),
        Plugin(resource: "iluvatar.ai/gpu", vendor: "Iluvatar"),
        Plugin(resource: "metax-tech.com/gpu", vendor: "MetaX"), Plugin(resource: "enflame.com/gcu", vendor: "Enflame"),
    ]

    /// The operator's table: a resource (`huawei.com/Ascend910`) or a label with its value
    /// (`nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3`) to a model of the catalogue. A resource that is named here
    /// counts as cards even when no plugin above has it.
    var aliases: [String: String] = [:]

    struct Cards: Hashable, Sendable {
        var model: String
        var count: Int
        var resource: String
        /// The label that tells these cards from others under the same resource.
        var label: Label?

        struct Label: Hashable, Sendable {
            var name: String
            var value: String
        }
    }

    func groups(_ node: KubernetesNode) -> [Cards] {
        let named = aliases.keys.filter { name in
            !name.contains("=") && !Self.plugins.contains { $0.resource == name }
        }
        return (Self.plugins + named.sorted().map { Plugin(resource: $0, vendor: "") }).compactMap { plugin in
            let amount = node.allocatable[plugin.resource] ?? 0
            guard amount >= 1 else { return nil }
            let (model, label) = model(plugin, node)
            return Cards(model: model, count: Int(min(amount, 1e9)), resource: plugin.resource, label: label)
        }
    }

    /// What the operator says of a label goes before what they say of the resource, and that before what the vendor's
    /// label says.
    private func model(_ plugin: Plugin, _ node: KubernetesNode) -> (String, Cards.Label?) {
        // A resource that only the operator knows.
        if plugin.vendor.isEmpty, let model = aliases[plugin.resource] { return (model, nil) }
        for (name, model) in aliases.sorted(by: { $0.key < $1.key }) {
            let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, node.labels[parts[0]] == parts[1] else { continue }
            // A node may have cards of two vendors, and the label is of one of them.
            if let vendor = Accelerator.named(model)?.vendor, vendor != plugin.vendor {
                continue
            }
            return (model, Cards.Label(name: parts[0], value: parts[1]))
        }
        let label = plugin.label.flatMap { name in node.labels[name].map { Cards.Label(name: name, value: $0) } }
        if let model = aliases[plugin.resource] { return (model, label) }
        guard let label else { return (plugin.resource, nil) }
        // NVIDIA's feature discovery tells the memory in MiB, and the product's name often in GB: it tells variants of
        // one name apart.
        let mebi = plugin.vendor == "NVIDIA" ? node.labels["nvidia.com/gpu.memory"].flatMap { Int64($0) } : nil
        let gibi = CardNames.tokens(label.value).lazy.filter { $0.hasSuffix("gb") }.compactMap { Int64($0.dropLast(2)) }
            .first
        let memory = mebi.map { Bytes.mebi($0) } ?? gibi.map { Bytes.gibi($0) }
        return (CardNames.model(vendor: plugin.vendor, name: label.value, memory: memory), label)
    }

    func nodes(_ all: [KubernetesNode], emulated: Bool) -> [Node] {
        all.sorted { $0.name < $1.name }.map { node in
            Node(
                name: node.name,
                schedulable: node.isSchedulable,
                cores: MilliCores(Int64((min(node.allocatable["cpu"] ?? 0, 1e9) * 1000).rounded(.down))),
                memory: Bytes(Int64(min(node.allocatable["memory"] ?? 0, 1e18))),
                cards: groups(node).map { CardGroup(model: $0.model, count: $0.count, emulated: emulated) }
            )
        }
    }
}

/// One node as the API server tells of it.
struct KubernetesNode: KubernetesObject {
    var name: String
    var labels: [String: String]
    /// What pods may have of it, by resource, in cores, bytes and pieces.
    var allocatable: [String: Double]
    /// Ready, not cordoned, and without a taint that keeps our pods away.
    var isSchedulable: Bool

    init?(_ json: JSON) {
        guard let name = json["metadata"]?["name"]?.stringValue else { return nil }
        self.name = name
        labels = json["metadata"]?["labels"].map(Self.texts) ?? [:]
        allocatable = (json["status"]?["allocatable"].map(Self.texts) ?? [:]).compactMapValues(KubernetesQuantity.value)
        let taints = json["spec"]?["taints"]?.arrayValue ?? []
        let keepsAway = taints.contains { ["NoSchedule", "NoExecute"].contains($0["effect"]?.stringValue) }
        let conditions = json["status"]?["conditions"]?.arrayValue ?? []
        let isReady = conditions.contains {
            $0["type"]?.stringValue == "Ready" && $0["status"]?.stringValue == "True"
        }
        isSchedulable = isReady && !keepsAway && json["spec"]?["unschedulable"]?.boolValue != true
    }

    /// The members of an object that are strings.
    static func texts(_ json: JSON) -> [String: String] {
        guard case .object(let members) = json else { return [:] }
        return Dictionary(
            members.compactMap { name, value in value.stringValue.map { (name, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
    }
}
