import Core
import Replay
import Scheduling

/// The file of `--federation`: centres, how many nodes of which make they have, and projects.
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
        let every = federation.centres.lazy.flatMap(\.nodes)
        if every.contains(where: { $0.power != nil }), every.contains(where: { $0.power == nil }) {
            reader.fault("/centres", "name the watts of some nodes only: energy can be told of all or of none")
        }
        for (index, item) in (reader.list("projects", countMax: projectsMax) ?? []).enumerated() {
            var fields = Fields(item, pointer: "/projects/\(index)")
            federation.projects.append(project(&fields, among: federation.projects))
            reader.violations += fields.finish()
        }
        for (index, item) in (reader.list("reservations", countMax: reservationsMax) ?? []).enumerated() {
            var fields = Fields(item, pointer: "/reservations/\(index)")
            if let made = reservation(&fields, in: federation) { federation.reservations.append(made) }
            reader.violations += fields.finish()
        }
        // What comes after a fault may only follow from it.
        if reader.violations.isEmpty, federation.comparesReservations {
            do {
                try federation.checkReservations()
            } catch {
                reader.fault("/reservations/\(error.index)\(error.pointer)", error.what)
            }
        }
        if let text = reader.string("job_input") {
            federation.inputBytesPerJob = Bytes(text)?.count
            if federation.inputBytesPerJob == nil { reader.fault("/job_input", "must be an amount such as 20GiB") }
        }
        return (federation, reader.finish())
    }

    private static let projectsMax = 100_000
    /// As many as a point keeps in all.
    private static let reservationsMax = 1000

    /// - Returns: `nil` when it names no centre.
    private static func reservation(_ fields: inout Fields, in federation: Federation) -> Reservation? {
        let name = fields.string("name") ?? ""
        if name.isEmpty { fields.fault("/name", "is needed: what it is told by") }
        if federation.reservations.contains(where: { $0.name == name }) { fields.fault("/name", "is there already") }
        let project = fields.string("project")
        let isMaintenance = fields.flag("maintenance") ?? false
        if (project != nil) == isMaintenance {
            fields.fault("/project", "needs either the project that it is for or maintenance: true")
        }
        if project == "" { fields.fault("/project", "must be the name that the trace or the list of projects has") }
        let known = fields.string("centre")
        let centre = federation.centres.firstIndex { $0.name == known }
        if centre == nil {
            fields.fault("/centre", "must be one of \(federation.centres.map(\.name).joined(separator: ", "))")
        }
        let nodes = fields.integer("nodes", in: 1...Int64(nodesMax))
        let model = fields.string("model")
        if model != nil, nodes == nil { fields.fault("/model", "has a meaning only with nodes") }
        if let model, let centre, !federation.centres[centre].nodes.contains(where: { $0.model == model }) {
            fields.fault("/model", "no node of that centre has such cards")
        }
        let hours = 0...Double(secondsMax / 3600)
        let after = fields.number("after_hours", in: hours)
        let at = fields.integer("at_seconds", in: -secondsMax...secondsMax)
        if (after == nil) == (at == nil) {
            fields.fault("", "needs either after_hours, from the first submission, or at_seconds, of the trace's time")
        }
        let length = fields.number("hours", in: hours)
        if length == nil { fields.fault("/hours", "is needed: how long it lasts") }
        let seconds = ((length ?? 0) * 3600).rounded()
        if length != nil, seconds < 1 { fields.fault("/hours", "must be a second at least") }
        guard let centre else { return nil }
        return Reservation(
            name: name,
            project: project,
            centre: centre,
            nodes: nodes.map { Int($0) },
            model: model,
            start: at.map { .at($0) } ?? .after(Int64(((after ?? 0) * 3600).rounded())),
            seconds: Int64(seconds)
        )
    }

    /// More than any trace is long: 1,000 years.
    private static let secondsMax: Int64 = 31_557_600_000

    private static func project(_ fields: inout Fields, among known: [Project]) -> Project {
        var project = Project(name: fields.string("name") ?? "")
        if project.name.isEmpty { fields.fault("/name", "is needed: the one that the trace has") }
        if known.contains(where: { $0.name == project.name }) { fields.fault("/name", "is there already") }
        project.weight = Int(fields.integer("weight", in: 1...1_000_000) ?? 100)
        if let parent = fields.string("parent") {
            project.parent = known.firstIndex { $0.name == parent }
            if project.parent == nil { fields.fault("/parent", "must be a project that stands before this one") }
        }
        guard let json = fields.object("limits") else { return project }
        var limits = Fields(json, pointer: "\(fields.pointer)/limits")
        if let cores = limits.number("cores", in: 0...1e9) { project.limits.milliCores = Int((cores * 1000).rounded()) }
        if let cards = limits.number("cards", in: 0...1e9) { project.limits.cardMilli = Int((cards * 1000).rounded()) }
        if let runs = limits.integer("runs", in: 0...1_000_000_000) { project.limits.runs = Int(runs) }
        fields.violations += limits.finish()
        return project
    }

    /// What a node of a group draws; `nil` where the group does not say it.
    private static func power(_ fields: inout Fields) -> Power? {
        guard let json = fields.object("watts") else { return nil }
        var watts = Fields(json, pointer: "\(fields.pointer)/watts")
        func read(_ name: String) -> Double? { watts.number(name, in: 0...1_000_000) }
        let (idle, busy) = (read("idle"), read("busy"))
        let (cardIdle, cardBusy) = (read("card_idle"), read("card_busy"))
        if idle == nil || busy == nil { watts.fault("", "needs idle and busy, of a node without its cards") }
        if (cardIdle == nil) != (cardBusy == nil) { watts.fault("", "needs card_idle and card_busy together") }
        if let idle, let busy, busy < idle { watts.fault("/busy", "must not be less than idle") }
        if let cardIdle, let cardBusy, cardBusy < cardIdle {
            watts.fault("/card_busy", "must not be less than card_idle")
        }
        fields.violations += watts.finish()
        return Power(idle: idle ?? 0, busy: busy ?? 0, cardIdle: cardIdle ?? 0, cardBusy: cardBusy ?? 0)
    }

    private static func nodes(_ fields: inout Fields, folder: String) -> [Node] {
        let power = power(&fields)
        if let list = fields.string("list") {
            do {
                var nodes = try nodes(of: list.hasPrefix("/") || folder.isEmpty ? list : "\(folder)/\(list)")
                for index in nodes.indices { nodes[index].power = power }
                return nodes
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
        node.power = power
        if node.milliCores == 0, node.cards == 0 { fields.fault("/cores", "is needed where there are no cards") }
        return Array(repeating: node, count: Int(count))
    }
}
