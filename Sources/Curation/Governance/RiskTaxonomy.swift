public import Core

/// The kinds of unlawful and harmful content, in groups, as a file of profiles names them.
public struct RiskTaxonomy: Hashable, Sendable {
    public struct Group: Hashable, Sendable {
        /// Such as `A.1`.
        public var id: String
        public var title: BilingualText
        /// Of how many risks there are.
        public var sure: Assurance
        /// Of their names.
        public var namesSure: Assurance
        public var source: String
        public var risks: [Risk]
    }

    public struct Risk: Hashable, Sendable {
        /// Such as `A.1.a`.
        public var id: String
        public var title: BilingualText
    }

    public var name: String
    public var version: Int
    public var groups: [Group]

    public var risks: [Risk] { groups.flatMap(\.risks) }

    /// The ids of a group's risks, or of a single risk; of all without one.
    ///
    /// - Returns: Nothing when there is no such group or risk.
    public func ids(within scope: String?) -> [String] {
        guard let scope else { return risks.map(\.id) }
        if let group = groups.first(where: { $0.id == scope }) { return group.risks.map(\.id) }
        return risks.filter { $0.id == scope }.map(\.id)
    }

    /// Reads a taxonomy.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let fields = reader.fields(json, at: "", known: ["taxonomy", "version", "groups"])
        let name = reader.name(fields, "taxonomy")
        let version = reader.count(fields, "version")
        var seen: Set<String> = []
        var groups: [Group] = []
        for (json, pointer) in reader.list(fields, "groups", isRequired: true, max: 100) {
            if let group = Self.group(json, at: pointer, &seen, &reader) { groups.append(group) }
        }
        var taxonomy: RiskTaxonomy?
        if let name, let version { taxonomy = RiskTaxonomy(name: name, version: version, groups: groups) }
        self = try reader.finish(taxonomy, "taxonomy")
    }

    private init(name: String, version: Int, groups: [Group]) {
        (self.name, self.version, self.groups) = (name, version, groups)
    }

    private static func group(
        _ json: JSON,
        at pointer: String,
        _ seen: inout Set<String>,
        _ reader: inout FieldReader
    ) -> Group? {
        let fields = reader.fields(json, at: pointer, known: ["id", "title", "sure", "names_sure", "source", "risks"])
        let id = reader.name(fields, "id")
        if let id, !seen.insert(id).inserted { reader.fault(fields.at("id"), "stands twice") }
        let title = reader.bilingual(fields, "title")
        let sure: Assurance? = reader.choice(fields, "sure")
        let namesSure: Assurance? = reader.choice(fields, "names_sure")
        let source = reader.text(fields, "source")
        var risks: [Risk] = []
        for (json, pointer) in reader.list(fields, "risks", isRequired: true) {
            let fields = reader.fields(json, at: pointer, known: ["id", "zh", "en"])
            let id = reader.name(fields, "id")
            let chinese = reader.text(fields, "zh")
            let english = reader.text(fields, "en")
            guard let id, let chinese, let english else { continue }
            if !seen.insert(id).inserted { reader.fault(fields.at("id"), "stands twice") }
            risks.append(Risk(id: id, title: BilingualText(chinese: chinese, english: english)))
        }
        guard let id, let title, let sure, let namesSure, let source else { return nil }
        return Group(id: id, title: title, sure: sure, namesSure: namesSure, source: source, risks: risks)
    }
}
