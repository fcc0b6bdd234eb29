public import Core

extension Profile {
    private static let keys = [
        "profile", "version", "standard", "title", "published", "in_force", "note", "taxonomy", "sampling", "checks",
    ]
    private static let checkKeys = [
        "id", "clause", "title", "measure", "compare", "value", "unit", "confidence", "within", "sure", "source",
        "remedy",
    ]

    /// Reads a profile.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let fields = reader.fields(json, at: "", known: Self.keys)
        let name = reader.name(fields, "profile")
        let version = reader.count(fields, "version")
        let standard = reader.text(fields, "standard", bytesMax: 256)
        let title = reader.bilingual(fields, "title")
        let published = reader.day(fields, "published")
        let inForce = reader.day(fields, "in_force")
        let note = reader.bilingual(fields, "note", isRequired: false)
        let taxonomy = fields.has("taxonomy") ? reader.name(fields, "taxonomy") : nil
        let sampling = Self.sampling(
            reader.value(fields, "sampling", isRequired: false),
            at: fields.at("sampling"),
            &reader
        )
        var checks: [Check] = []
        var seen: Set<String> = []
        for (json, pointer) in reader.list(fields, "checks", isRequired: true) {
            guard let check = Self.check(json, at: pointer, &reader) else { continue }
            if !seen.insert(check.id).inserted { reader.fault(pointer + "/id", "stands twice") }
            if check.within != nil, taxonomy == nil {
                reader.fault(pointer + "/within", "needs the taxonomy that it is of")
            }
            checks.append(check)
        }
        var profile: Profile?
        if let name, let version, let standard, let title {
            profile = Profile(
                name: name,
                version: version,
                standard: standard,
                title: title,
                published: published,
                inForce: inForce,
                note: note,
                taxonomy: taxonomy,
                sampling: sampling,
                checks: checks
            )
        }
        self = try reader.finish(profile, "profile")
    }

    private static func sampling(_ json: JSON?, at pointer: String, _ reader: inout FieldReader) -> Sampling? {
        guard let json else { return nil }
        let fields = reader.fields(json, at: pointer, known: ["confidence", "acceptable", "source"])
        let confidence = reader.number(fields, "confidence")
        let acceptable = reader.number(fields, "acceptable")
        let source = reader.text(fields, "source")
        if let confidence, !(confidence > 50 && confidence < 100) {
            reader.fault(fields.at("confidence"), "must be a percentage above 50 and below 100")
        }
        if let acceptable, !(acceptable > 0 && acceptable < 100) {
            reader.fault(fields.at("acceptable"), "must be a percentage above 0 and below 100")
        }
        guard let confidence, let acceptable, let source else { return nil }
        return Sampling(confidence: confidence / 100, acceptable: acceptable / 100, source: source)
    }

    private static func check(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Check? {
        let fields = reader.fields(json, at: pointer, known: checkKeys)
        let id = reader.name(fields, "id")
        let clause = reader.text(fields, "clause", bytesMax: 128)
        let title = reader.bilingual(fields, "title")
        let measure: Measure? = reader.choice(fields, "measure")
        let comparison: Comparison? = reader.choice(fields, "compare")
        let isStatement = comparison == .holds
        let value = reader.number(fields, "value", isRequired: comparison != nil && !isStatement)
        let unit: Unit? = reader.choice(fields, "unit", isRequired: comparison != nil && !isStatement)
        if isStatement {
            for key in ["value", "unit", "confidence", "within"] where fields.has(key) {
                reader.fault(fields.at(key), "makes no sense of a statement that holds or does not")
            }
        }
        if let value, !(value >= 0 && value <= (unit == .percent ? 100 : 1e12)) {
            reader.fault(fields.at("value"), unit == .percent ? "must be from 0 to 100" : "must be from 0 to 10^12")
        }
        let confidence = reader.number(fields, "confidence", isRequired: false)
        if let confidence, !(confidence > 50 && confidence < 100) {
            reader.fault(fields.at("confidence"), "must be a percentage above 50 and below 100")
        }
        if fields.has("confidence"), comparison != .below || unit != .percent {
            reader.fault(fields.at("confidence"), "is for percentages that something has to be below")
        }
        let within = reader.optionalText(fields, "within", bytesMax: 64)
        let sure: Assurance? = reader.choice(fields, "sure")
        let source = reader.text(fields, "source")
        let remedy = reader.bilingual(fields, "remedy")
        guard let id, let clause, let title, let measure, let comparison, let sure, let source, let remedy else {
            return nil
        }
        return Check(
            id: id,
            clause: clause,
            title: title,
            measure: measure,
            comparison: comparison,
            value: value ?? 0,
            unit: unit ?? .count,
            confidence: confidence.map { $0 / 100 },
            within: within,
            sure: sure,
            source: source,
            remedy: remedy
        )
    }
}

extension FieldReader {
    /// A day as standards have it, without a time or zone.
    fileprivate mutating func day(_ fields: Fields, _ key: String) -> String? {
        guard let text = optionalText(fields, key, bytesMax: 10) else { return nil }
        guard text.utf8.count == 10, Instant(rfc3339: text + "T00:00:00Z") != nil else {
            fault(fields.at(key), "must be a day such as 2025-11-01")
            return nil
        }
        return text
    }
}
