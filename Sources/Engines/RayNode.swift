internal import Core

/// One node as Ray's state interface tells of it.
struct RayNode: Hashable, Sendable {
    var id: String
    var name: String
    var isAlive: Bool
    var resources: [String: Double]

    /// An item of `GET /api/v0/nodes?detail=True`.
    init?(_ json: JSON) {
        guard let id = json["node_id"]?.stringValue, case .object(let members)? = json["resources_total"] else {
            return nil
        }
        self.id = id
        name = json["node_name"]?.stringValue ?? json["node_ip"]?.stringValue ?? id
        isAlive = json["state"]?.stringValue == "ALIVE"
        resources = Self.amounts(.object(members))
    }

    /// The numbers of an object, by name.
    static func amounts(_ json: JSON) -> [String: Double] {
        guard case .object(let members) = json else { return [:] }
        return Dictionary(
            members.compactMap { name, value in value.numberValue.map { (name, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The cards of a node, under the catalogue's names, and how to ask Ray for them.
    struct Cards: Hashable, Sendable {
        var model: String
        var count: Int
        /// The resource that is counted, and that lets Ray say which of the cards are ours: `GPU`, `NPU`, ….
        var family: String
        /// The resource that tells these cards from others of the family; `nil` where the cluster does not say.
        var mark: String?

        /// What a task that wants `count` such cards asks for, beside cores and memory.
        func request(_ count: Int) -> [(name: String, amount: Double)] {
            var all = [(name: family, amount: Double(count))]
            if let mark {
                // A node has one of `accelerator_type:X` however many cards; other marks are counted as cards are.
                all.append((mark, mark.hasPrefix(RayCards.typePrefix) ? 0.001 : Double(count)))
            }
            return all
        }
    }
}

/// How resources of Ray become cards of the catalogue.
struct RayCards: Sendable {
    static let typePrefix = "accelerator_type:"

    /// Resources that Ray counts whole accelerators by.
    ///
    /// > Source: `get_resource_name` of the accelerator managers in Ray 2.60, `_private/accelerators/`.
    static let families = ["GPU", "NPU", "HPU", "TPU", "RBLN", "MBLT", "FURIOSA", "TTNPU", "neuron_cores"]

    /// Where Ray's own word names exactly one model of the catalogue. `A100`, `H100` and `V100` do not: they come in
    /// several memories or forms, and only the operator knows which.
    ///
    /// > Source: `ray/util/accelerators/accelerators.py` of Ray 2.60.
    static let known = [
        "T4": "t4", "L4": "l4", "L40S": "l40s", "A10G": "a10g", "A100-40G": "a100-40gb", "A100-80G": "a100-80gb",
        "H200": "h200-sxm", "B200": "b200-sxm", "B300": "b300", "GB200": "gb200", "GB300": "b300",
        "AMD-Instinct-MI100": "mi100", "AMD-Instinct-MI210": "mi210", "AMD-Instinct-MI300A": "mi300a",
        "AMD-Instinct-MI300X-OAM": "mi300x", "AMD-Instinct-MI325X-OAM": "mi325x",
        "AMD-Instinct-MI350X-OAM": "mi350x", "AMD-Instinct-MI355X-OAM": "mi355x", "Ascend910B4": "ascend-910b4",
        "MXC550": "metax-c550",
    ]

    /// The operator's table: a resource's name, with or without `accelerator_type:`, to a model of the catalogue.
    var aliases: [String: String] = [:]

    /// The cards of a node, a group for each family it has.
    func groups(_ node: RayNode) -> [RayNode.Cards] {
        Self.families.compactMap { family in
            let count = Int(clamping: Int64(min(node.resources[family] ?? 0, 1e9)))
            guard count > 0 else { return nil }
            let names = node.resources.keys.sorted()
            let type = names.first { $0.hasPrefix(Self.typePrefix) }
            // What the operator named goes before what Ray says, and that before a guess by family.
            let named = names.first { aliases[$0] != nil && $0 != family && (node.resources[$0] ?? 0) > 0 }
            let mark = named ?? type
            let word = mark.map { $0.hasPrefix(Self.typePrefix) ? String($0.dropFirst(Self.typePrefix.count)) : $0 }
            let model =
                mark.flatMap { aliases[$0] } ?? word.flatMap { aliases[$0] ?? Self.known[$0] } ?? aliases[family]
                ?? (word ?? family).lowercased()
            return RayNode.Cards(model: model, count: count, family: family, mark: mark)
        }
    }

    /// What nodes that live are called here, by their id. Nodes of one name, as several on one machine have, are told apart
    /// by the id.
    static func names(_ all: [RayNode]) -> [String: String] {
        let alive = all.filter(\.isAlive)
        let counts = Dictionary(alive.map { ($0.name, 1) }, uniquingKeysWith: +)
        return Dictionary(
            alive.map { ($0.id, counts[$0.name] == 1 ? $0.name : "\($0.name)#\($0.id.prefix(8))") },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The nodes in our words.
    func nodes(_ all: [RayNode], emulated: Bool) -> [Node] {
        let names = Self.names(all)
        return all.filter(\.isAlive).sorted { ($0.name, $0.id) < ($1.name, $1.id) }.map { node in
            Node(
                name: names[node.id] ?? node.name,
                cores: MilliCores(Int64(min(max(0, node.resources["CPU"] ?? 0), 1e9) * 1000)),
                memory: Bytes(Int64(min(max(0, node.resources["memory"] ?? 0), 1e18))),
                cards: groups(node).map { CardGroup(model: $0.model, count: $0.count, emulated: emulated) }
            )
        }
    }
}
