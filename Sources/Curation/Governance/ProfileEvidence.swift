public import Core

/// What can be shown to a profile: for each ``Measure`` what was found, or nothing.
public struct ProfileEvidence: Sendable {
    public enum Value: Sendable {
        /// There is none of what the measure speaks of, and so nothing to be at fault.
        case nothing
        case statement(Bool)
        case number(Double)
        case proportion(Proportion)
        /// One for each source or other name.
        case proportions([(name: String, proportion: Proportion)])
        /// One for each risk, cell or other name.
        case counts([(name: String, count: Int)])
    }

    private var values: [Measure: Value] = [:]

    public init() {}

    public subscript(measure: Measure) -> Value? {
        get { values[measure] }
        set { values[measure] = newValue }
    }

    /// Of many, how many; nothing of none.
    private mutating func set<Item>(_ measure: Measure, of items: [Item], _ holds: (Item) -> Bool) {
        values[measure] = items.isEmpty ? .nothing : .proportion(Proportion(items.count(where: holds), of: items.count))
    }

    /// What the dossiers of all sources of a corpus show.
    public mutating func add(dossiers: [Dossier]) {
        // Without a source nothing is shown by sources: it would be a corpus from nowhere.
        guard !dossiers.isEmpty else { return }
        // Whether that came before the collection is shown only where both are dated.
        set(.sourcesAssessed, of: dossiers) { dossier in
            guard let assessment = dossier.assessment else { return false }
            return dossier.collectedFrom.map { assessment.date <= $0 } ?? true
        }
        var cells: [String: Int] = [:]
        for dossier in dossiers {
            for language in dossier.languages.isEmpty ? ["-"] : Self.unique(dossier.languages) {
                for modality in Self.unique(dossier.modalities.map(\.rawValue)) {
                    cells["\(language)/\(modality)", default: 0] += 1
                }
            }
        }
        values[.sourcesPerCell] = .counts(cells.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        values[.sourcesPerRegion] = .counts(
            Dossier.Region.allCases.map { region in (region.rawValue, dossiers.count { $0.region == region }) }
        )
        func of(_ kind: Dossier.Kind) -> [Dossier] { dossiers.filter { $0.kind == kind } }
        set(.openLicenceKept, of: of(.open)) { $0.has(.licence) }
        set(.licenceMatches, of: of(.open) + of(.commercial)) { $0.licence.comparison == .same }
        set(.collectionRecorded, of: of(.selfCollected)) { $0.has(.collection) }
        set(.robotsObeyed, of: of(.selfCollected)) { dossier in
            !dossier.robots.isEmpty && dossier.robots.allSatisfy { $0.verdict == .allowed || $0.verdict == .absent }
        }
        set(.commercialDocumented, of: of(.commercial)) { $0.has(.contract) && $0.has(.promise) && $0.has(.review) }
        let typed = of(.userInput)
        if typed.isEmpty {
            values[.userInputAuthorised] = .nothing
        } else if values[.userInputAuthorised] == nil, !typed.allSatisfy({ $0.has(.authorisation) }) {
            // One that has none is enough to fail; that all items have one, their counts must show.
            values[.userInputAuthorised] = .proportion(
                Proportion(typed.count { $0.has(.authorisation) }, of: typed.count)
            )
        }
        set(.lawfulSource, of: dossiers, Self.isLawful)
        set(.ownerNamed, of: dossiers) { $0.owner != nil }
        set(.rightsReviewed, of: dossiers) { $0.has(.rights) }
        set(.complaintChannel, of: dossiers) { $0.complaints != nil }
        set(.originNamed, of: dossiers) { $0.country != nil }
        let personal = dossiers.filter { $0.personalData.presence != .none }
        set(.personalBasis, of: personal) { $0.personalData.basis != nil && $0.personalData.record != nil }
        let sensitive = dossiers.filter { $0.personalData.presence == .sensitive }
        set(.separateConsent, of: sensitive) { $0.personalData.separateConsent != nil }
    }

    private static func isLawful(_ dossier: Dossier) -> Bool {
        switch dossier.kind {
        case .open: dossier.has(.licence)
        case .selfCollected: dossier.has(.collection)
        case .commercial: dossier.has(.contract)
        case .userInput: dossier.has(.authorisation)
        case .synthetic: dossier.has(.generation)
        }
    }

    /// What samples of sources showed, before or after they were collected.
    ///
    /// - Parameter bad: For each source, the bad items of those judged; none judged is nothing shown.
    public mutating func add(_ stage: Admission.Stage, bad: [(source: String, bad: Proportion)]) {
        values[stage == .assessment ? .assessedBad : .verifiedBad] = .proportions(bad.map { ($0.source, $0.bad) })
    }

    /// What people found in the corpus. Open items are not counted.
    public mutating func add(spotCheck: SpotCheck) {
        let tally = spotCheck.work.tally
        values[.humanItems] = .number(Double(tally.settled))
        values[.humanPass] = .proportion(Proportion(tally.good, of: tally.settled))
    }

    /// What annotation batches show. An empty list says that nothing was annotated.
    public mutating func add(batches: [AnnotationBatch]) {
        let people = batches.flatMap(\.people)
        set(.annotatorsQualified, of: people) { $0.isQualified }
        // Somebody must have done it.
        if people.isEmpty, !batches.isEmpty { values[.annotatorsQualified] = nil }
        set(.rolesApart, of: batches) { batch in
            let roles = Set(batch.people.map(\.role))
            return roles.contains(.annotator) && roles.contains(.reviewer) && batch.withSeveralRoles.isEmpty
        }
        // The state machine refuses them.
        values[.samePersonItems] = batches.isEmpty ? .nothing : .number(0)
        let (safety, functional) = (batches.filter { $0.kind == .safety }, batches.filter { $0.kind == .functional })
        guard !safety.isEmpty else {
            for measure in [Measure.safetyRulesPerRisk, .safetyReviewed, .safetyApart] { values[measure] = .nothing }
            set(.functionalSampled, of: functional) { $0.work.tally.reviewed > 0 }
            values[.rulesApart] = .nothing
            return
        }
        var rules: [String: Set<Digest>] = [:]
        for batch in safety { for risk in batch.rulesCover { rules[risk, default: []].insert(batch.rules) } }
        values[.safetyRulesPerRisk] = .counts(rules.sorted { $0.key < $1.key }.map { ($0.key, $0.value.count) })
        let tallies = safety.map(\.work.tally)
        let items = tallies.reduce(0) { $0 + $1.drawn }
        values[.safetyReviewed] = .proportion(Proportion(tallies.reduce(0) { $0 + $1.reviewed }, of: items))
        values[.safetyApart] = .statement(Set(safety.map(\.storage)).isDisjoint(with: functional.map(\.storage)))
        values[.rulesApart] = .statement(Set(safety.map(\.rules)).isDisjoint(with: functional.map(\.rules)))
        set(.functionalSampled, of: functional) { $0.work.tally.reviewed > 0 }
    }

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    /// A number without a fraction that says nothing.
    static func text(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
}

extension ProfileEvidence {
    /// Takes in what a person states in a file: a measure's name and `true`, `false`, a number, `{count, total}` or an
    /// object of counts by name. What is stated replaces what was gathered.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public mutating func add(statements json: JSON) throws(Failure) {
        var reader = FieldReader()
        let fields = reader.fields(json, at: "", known: Measure.allCases.map(\.rawValue))
        var stated = self
        for measure in Measure.allCases {
            guard let json = reader.value(fields, measure.rawValue, isRequired: false) else { continue }
            if let value = Self.read(json, at: fields.at(measure.rawValue), &reader) { stated.values[measure] = value }
        }
        self = try reader.finish(stated, "evidence")
    }

    private static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Value? {
        switch json {
        case .bool(let holds): return .statement(holds)
        case .integer(let number): return .number(Double(number))
        case .number(let number): return .number(number)
        case .object where json["count"] != nil && json["total"] != nil:
            let fields = reader.fields(json, at: pointer, known: ["count", "total"])
            guard let count = reader.count(fields, "count"), let total = reader.count(fields, "total") else {
                return nil
            }
            if count > total { reader.fault(fields.at("count"), "is above the total") }
            return .proportion(Proportion(count, of: total))
        case .object(let members):
            guard members.count <= 1000 else {
                reader.fault(pointer, "may have 1000 members; this has \(members.count)")
                return nil
            }
            let fields = reader.fields(json, at: pointer, known: members.map(\.key))
            return .counts(members.compactMap { member in reader.count(fields, member.key).map { (member.key, $0) } })
        case .null, .string, .array:
            reader.fault(pointer, "must be true or false, a number, {count, total}, or counts by name")
            return nil
        }
    }
}
