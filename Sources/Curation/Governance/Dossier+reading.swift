public import Core

extension Dossier {
    private static let keys = [
        "name", "title", "kind", "origin", "region", "country", "languages", "modalities", "licence", "owner",
        "complaints", "records", "robots", "personal_data", "assessment", "collected",
    ]

    /// Reads a dossier.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let dossier = Self.read(json, at: "", &reader)
        self = try reader.finish(dossier, "dossier")
    }

    static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Dossier? {
        let fields = reader.fields(json, at: pointer, known: keys)
        let name = reader.name(fields, "name")
        let title = reader.text(fields, "title")
        let kind: Kind? = reader.choice(fields, "kind")
        let origin = reader.text(fields, "origin")
        let region: Region? = reader.choice(fields, "region")
        let country = reader.optionalText(fields, "country", bytesMax: 2)
        if let country, !isCountry(country) {
            reader.fault(fields.at("country"), "must be two letters of ISO 3166-1, such as CN")
        }
        var languages: [String] = []
        for (json, pointer) in reader.list(fields, "languages", max: 200) {
            guard let tag = reader.text(json, at: pointer, bytesMax: 35) else { continue }
            if isLanguage(tag) {
                languages.append(tag)
            } else {
                reader.fault(pointer, "must be a language tag of BCP 47, such as zh")
            }
        }
        var modalities: [Modality] = []
        for (json, pointer) in reader.list(fields, "modalities", isRequired: true, max: Modality.allCases.count) {
            if let modality: Modality = reader.choice(json, at: pointer) { modalities.append(modality) }
        }
        if case .array([])? = json["modalities"] { reader.fault(fields.at("modalities"), "must have an item") }
        let licence = Licence.read(reader.value(fields, "licence", isRequired: true), at: fields.at("licence"), &reader)
        let personal = reader.value(fields, "personal_data", isRequired: true)
        let personalData = PersonalData.read(personal, at: fields.at("personal_data"), &reader)
        let owner = reader.optionalText(fields, "owner")
        let complaints = reader.optionalText(fields, "complaints")
        let records = reader.list(fields, "records", max: 10_000).compactMap {
            Record.read($0.json, at: $0.pointer, &reader)
        }
        let robots = reader.list(fields, "robots", max: 100_000).compactMap {
            Robots.read($0.json, at: $0.pointer, &reader)
        }
        let assessment = reader.value(fields, "assessment", isRequired: false).flatMap {
            Assessment.read($0, at: fields.at("assessment"), &reader)
        }
        let collected = reader.fields(
            reader.value(fields, "collected", isRequired: false),
            at: fields.at("collected"),
            known: ["from", "to"]
        )
        let from = reader.instant(collected, "from", isRequired: false)
        let to = reader.instant(collected, "to", isRequired: false)
        if let from, let to, to < from { reader.fault(collected.at("to"), "is before the beginning") }

        guard let name, let title, let kind, let origin, let region, let licence, let personalData else { return nil }
        var dossier = Dossier(
            name: name,
            title: title,
            kind: kind,
            origin: origin,
            region: region,
            languages: languages,
            modalities: modalities,
            licence: licence,
            personalData: personalData
        )
        (dossier.country, dossier.owner, dossier.complaints) = (country, owner, complaints)
        (dossier.records, dossier.robots, dossier.assessment) = (records, robots, assessment)
        (dossier.collectedFrom, dossier.collectedTo) = (from, to)
        return dossier
    }

    private static func isCountry(_ text: String) -> Bool {
        text.utf8.count == 2 && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    /// Letters, then parts of one to eight letters and digits: the shape of RFC 5646, without its registry.
    private static func isLanguage(_ tag: String) -> Bool {
        let parts = tag.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        guard let first = parts.first, (2...8).contains(first.count), first.allSatisfy(isLetter) else { return false }
        return parts.dropFirst().allSatisfy { part in
            (1...8).contains(part.count)
                && part.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
    }

    /// The dossier as it is read.
    public var json: JSON {
        .sorted([
            ("name", .string(name)), ("title", .string(title)), ("kind", .string(kind.rawValue)),
            ("origin", .string(origin)), ("region", .string(region.rawValue)), ("country", .text(country)),
            ("modalities", .texts(modalities.map(\.rawValue))),
            ("licence", licence.json), ("owner", .text(owner)), ("complaints", .text(complaints)),
            ("records", .array(records.map(\.json))), ("robots", .array(robots.map(\.json))),
            ("personal_data", personalData.json), ("assessment", assessment?.json),
            (
                "collected",
                collectedFrom == nil && collectedTo == nil
                    ? nil : .sorted([("from", .time(collectedFrom)), ("to", .time(collectedTo))])
            ),
            ("languages", .texts(languages)),
        ])
    }
}

extension Dossier.Licence {
    fileprivate static func read(_ json: JSON?, at pointer: String, _ reader: inout FieldReader) -> Self? {
        guard let json else { return nil }
        let fields = reader.fields(json, at: pointer, known: ["at_origin", "as_claimed"])
        return Self(
            atOrigin: reader.optionalText(fields, "at_origin"),
            asClaimed: reader.optionalText(fields, "as_claimed")
        )
    }

    var json: JSON { .sorted([("at_origin", .text(atOrigin)), ("as_claimed", .text(asClaimed))]) }
}

extension Dossier.Record {
    fileprivate static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Self? {
        let fields = reader.fields(json, at: pointer, known: ["kind", "title", "digest", "url", "date"])
        let kind: Kind? = reader.choice(fields, "kind")
        let title = reader.text(fields, "title")
        let digest = reader.digest(fields, "digest")
        let url = reader.optionalText(fields, "url")
        let date = reader.instant(fields, "date", isRequired: false)
        guard let kind, let title, let digest else { return nil }
        return Self(kind: kind, title: title, digest: digest, url: url, date: date)
    }

    var json: JSON {
        .sorted([
            ("kind", .string(kind.rawValue)), ("title", .string(title)), ("digest", .digest(digest)),
            ("url", .text(url)), ("date", .time(date)),
        ])
    }
}

extension Dossier.Robots {
    fileprivate static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Self? {
        let fields = reader.fields(json, at: pointer, known: ["host", "digest", "fetched_at", "verdict"])
        let host = reader.text(fields, "host", bytesMax: 255)
        let digest = reader.digest(fields, "digest", isRequired: false)
        let fetchedAt = reader.instant(fields, "fetched_at")
        let verdict: Verdict? = reader.choice(fields, "verdict")
        if digest == nil, verdict == .allowed || verdict == .forbidden, !fields.has("digest") {
            reader.fault(fields.at("digest"), "is missing: keep the copy that says so")
        }
        guard let host, let fetchedAt, let verdict else { return nil }
        return Self(host: host, digest: digest, fetchedAt: fetchedAt, verdict: verdict)
    }

    var json: JSON {
        .sorted([
            ("host", .string(host)), ("digest", .digest(digest)), ("fetched_at", .time(fetchedAt)),
            ("verdict", .string(verdict.rawValue)),
        ])
    }
}

extension Dossier.PersonalData {
    fileprivate static func read(_ json: JSON?, at pointer: String, _ reader: inout FieldReader) -> Self? {
        guard let json else { return nil }
        let fields = reader.fields(json, at: pointer, known: ["presence", "basis", "record", "separate_consent"])
        let presence: Presence? = reader.choice(fields, "presence")
        let basis: Basis? = reader.choice(fields, "basis", isRequired: false)
        let record = reader.digest(fields, "record", isRequired: false)
        let separate = reader.digest(fields, "separate_consent", isRequired: false)
        if presence == Presence.none {
            for key in ["basis", "record", "separate_consent"] where fields.has(key) {
                reader.fault(
                    fields.at(key),
                    "says by what right personal data is there, but presence says that none is"
                )
            }
        }
        if presence == .ordinary, fields.has("separate_consent") {
            reader.fault(fields.at("separate_consent"), "is for sensitive data; presence says that there is none")
        }
        return presence.map { Self(presence: $0, basis: basis, record: record, separateConsent: separate) }
    }

    var json: JSON {
        .sorted([
            ("presence", .string(presence.rawValue)), ("basis", .text(basis?.rawValue)), ("record", .digest(record)),
            ("separate_consent", .digest(separateConsent)),
        ])
    }
}

extension Dossier.Assessment {
    fileprivate static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Self? {
        let fields = reader.fields(json, at: pointer, known: ["assessor", "date", "note"])
        let assessor = reader.text(fields, "assessor", bytesMax: 256)
        let date = reader.instant(fields, "date")
        let note = reader.optionalText(fields, "note")
        guard let assessor, let date else { return nil }
        return Self(assessor: assessor, date: date, note: note)
    }

    var json: JSON {
        .sorted([("assessor", .string(assessor)), ("date", .time(date)), ("note", .text(note))])
    }
}
