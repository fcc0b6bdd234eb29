import Core

extension AuditFacts {
    /// A record in the three groups of the Data Provenance Standards: source, provenance, use.
    ///
    /// A country that no dossier names is written as `ZZ`, the code of ISO 3166 for none that is known.
    /// > Source: Data & Trust Alliance, Data Provenance Standards 1.0.0, JSON schema.
    var provenance: JSON {
        let publisher = release.publisher ?? release.creator
        var countries: [String] = []
        for country in dossiers.map({ $0.country ?? "ZZ" }) where !countries.contains(country) {
            countries.append(country)
        }
        if countries.isEmpty { countries = ["ZZ"] }
        let source = JSON.sorted([
            ("version", .string("1.0.0")), ("title", .string(release.name)),
            ("id", .string("\(release.name)@\(release.version)")), ("location", .string(release.url)),
            ("issuer", .array([.sorted([("name", .string(publisher.name))])])),
            ("description", .string(release.description.english)),
        ])
        let begin = dossiers.compactMap(\.collectedFrom).min()
        let end = dossiers.compactMap { $0.collectedTo ?? $0.collectedFrom }.max()
        var owners: [String] = []
        for owner in dossiers.compactMap(\.owner) where !owners.contains(owner) { owners.append(owner) }
        var kinds: [Dossier.Kind] = []
        for kind in dossiers.map(\.kind) where !kinds.contains(kind) { kinds.append(kind) }
        var formats: [String] = []
        for modality in dossiers.flatMap(\.modalities).map(\.rawValue) where !formats.contains(modality) {
            formats.append(modality)
        }
        let provenance = JSON.sorted([
            ("source", .string("sources/")),
            ("origin", .array(owners.sorted().map { .sorted([("name", .string($0))]) })),
            ("origin-geography", .array(countries.sorted().map(Self.country))),
            ("date", .time(release.published)), ("previous-date", .time(release.previouslyPublished)),
            (
                "generation-period",
                begin == nil && end == nil ? nil : .sorted([("start", .time(begin)), ("end", .time(end))])
            ),
            (
                "generation-method",
                .array(
                    (kinds.isEmpty ? ["unknown"] : kinds.map(\.rawValue).sorted()).map {
                        .sorted([("code", .string($0)), ("description", .string("pipeline.json"))])
                    }
                )
            ),
            ("format", .texts(formats.sorted())),
        ])
        let personal = dossiers.filter { $0.personalData.presence != .none }
        var consents: [String] = []
        for digest in personal.flatMap({ [$0.personalData.record, $0.personalData.separateConsent] }).compactMap({ $0 })
        {
            if !consents.contains(digest.description) { consents.append(digest.description) }
        }
        let law = JSON.sorted([
            ("code", .string("PIPL")),
            ("description", .string("Personal Information Protection Law of the People's Republic of China")),
        ])
        let use = JSON.sorted([
            ("classification", .array([.sorted([("regulation", law), ("evaluated", .bool(!personal.isEmpty))])])),
            ("consents", .texts(consents)),
            (
                "privacy-indicators",
                .array(
                    privacy.map {
                        .sorted([
                            ("tool", .sorted([("code", .string($0.tool))])), ("parameters", .string($0.parameters)),
                            ("result", .string($0.result)),
                        ])
                    }
                )
            ),
            ("processing-included", .array(release.countries.map(Self.country))),
            ("storage-allowed", .array(release.countries.map(Self.country))),
            ("license", .string(Dossier.Licence.address(of: release.licence) ?? release.licence)),
            (
                "intended-purpose",
                .array(
                    release.purposes.map { .sorted([("code", .string("other")), ("description", .string($0))]) }
                )
            ),
            ("copyright", .texts(owners.sorted())),
        ])
        return .sorted([("source", source), ("provenance", provenance), ("use", use)])
    }

    private static func country(_ code: String) -> JSON { .sorted([("country", .string(code))]) }
}
