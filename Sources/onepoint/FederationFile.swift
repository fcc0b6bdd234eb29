import Core
import Replay

/// The file of `--federation`: centres, and how many nodes of which make they have.
extension Federation {
    /// - Throws: `Failure` with every fault and its line.
    static func load(_ path: String) throws -> Federation {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return try ServerConfiguration.load(path) { json in read(json, folder: folder) }
    }

    /// - Parameter folder: Lists of nodes are looked for in it.
    static func read(_ json: JSON, folder: String) -> (Federation, [Violation]) {
        var federation = Federation(centres: [])
        var reader = Fields(json, pointer: "")
        let items = reader.list("centres", countMax: 1000) ?? []
        if items.isEmpty { reader.fault("/centres", "must name one centre at least") }
        for (index, item) in items.enumerated() {
            var fields = Fields(item, pointer: "/centres/\(index)")
            let name = fields.string("name")
            if name.flatMap({ CentreName($0) }) == nil { fields.fault("/name", CentreName.rule) }
            let tier = fields.string("tier") ?? "hub"
            if Tier(rawValue: tier) == nil { fields.fault("/tier", "must be hub, region, edge or device") }
            var centre = Centre(name: name ?? "", tier: tier, nodes: [])
            centre.coreHour = fields.number("core_hour", in: 0...1_000_000) ?? 0
            centre.cardHour = fields.number("card_hour", in: 0...1_000_000) ?? 0
            let groups = fields.list("nodes", countMax: 10_000) ?? []
            for (number, group) in groups.enumerated() {
                var fields = Fields(group, pointer: "/centres/\(index)/nodes/\(number)")
                centre.nodes += nodes(&fields, folder: folder)
                reader.violations += fields.finish()
            }
            if centre.nodes.isEmpty { fields.fault("/nodes", "must name one group of nodes at least") }
            federation.centres.append(centre)
            reader.violations += fields.finish()
        }
        if federation.centres.reduce(0, { $0 + $1.nodes.count }) > nodesMax {
            reader.fault("/centres", "have more than \(nodesMax) nodes together")
        }
        return (federation, reader.finish())
    }

    private static func nodes(_ fields: inout Fields, folder: String) -> [Node] {
        if let list = fields.string("list") {
            do {
                return try nodes(of: list.hasPrefix("/") || folder.isEmpty ? list : "\(folder)/\(list)")
            } catch {
                fields.fault("/list", "\(error)")
                return []
            }
        }
        var node = Node(milliCores: 0, memoryMiB: 0)
        let count = fields.integer("count", in: 1...Int64(nodesMax)) ?? 1
        if let cores = fields.number("cores", in: 0.001...2_000_000) { node.milliCores = Int((cores * 1000).rounded()) }
        node.memoryMiB = Int(Int32.max)
        if let text = fields.string("memory") {
            if let memory = Bytes(text) {
                node.memoryMiB = Int(memory.count >> 20)
            } else {
                fields.fault("/memory", "must be an amount such as 512GiB")
            }
        }
        node.cards = Int(fields.integer("cards", in: 0...64) ?? 0)
        node.model = fields.string("model") ?? ""
        if node.milliCores == 0, node.cards == 0 { fields.fault("/cores", "is needed where there are no cards") }
        return Array(repeating: node, count: Int(count))
    }
}
