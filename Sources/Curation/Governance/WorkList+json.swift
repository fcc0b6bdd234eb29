public import Core

extension WorkList {
    /// The most items of one list.
    public static let itemsMax = 1_000_000

    /// Reads what ``json`` wrote. The steps of every item are taken again, so that no text can hold what
    /// ``apply(_:)`` would have refused.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let list = Self.read(json, at: "", &reader)
        self = try reader.finish(list, "work list")
    }

    static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> WorkList? {
        let fields = reader.fields(json, at: pointer, known: ["items"])
        var items: [Item] = []
        var steps: [(pointer: String, event: Event)] = []
        var seen: Set<Int> = []
        for (json, pointer) in reader.list(fields, "items", max: itemsMax) {
            let fields = reader.fields(
                json,
                at: pointer,
                known: ["place", "digest", "id"] + Step.allCases.map(\.rawValue)
            )
            let place = reader.count(fields, "place")
            let digest = reader.digest(fields, "digest")
            let id = reader.text(fields, "id")
            if let place, !seen.insert(place).inserted { reader.fault(fields.at("place"), "stands twice in the list") }
            guard let place, let digest, let id else { continue }
            items.append(Item(place: place, digest: digest, id: id))
            for step in Step.allCases {
                guard let json = reader.value(fields, step.rawValue, isRequired: false) else { continue }
                let pointer = fields.at(step.rawValue)
                guard let judgement = Judgement.read(json, at: pointer, &reader) else { continue }
                steps.append((pointer, Event(step, place: place, judgement: judgement)))
            }
        }
        var list = WorkList(items: items)
        for (pointer, event) in steps {
            do { try list.apply(event) } catch { reader.fault(pointer, "cannot be: \(error.sentence)") }
        }
        return list
    }

    /// Small and stable: items in order, each with its steps.
    public var json: JSON {
        .object([
            (
                "items",
                .array(
                    items.map { item in
                        var members: [(key: String, value: JSON?)] = [
                            ("place", .count(item.place)), ("digest", .digest(item.digest)), ("id", .string(item.id)),
                        ]
                        for (step, judgement) in item.state.steps { members.append((step.rawValue, judgement.json)) }
                        return .sorted(members)
                    }
                )
            )
        ])
    }
}

extension WorkList.State {
    /// What led here.
    public var steps: [(step: WorkList.Step, judgement: WorkList.Judgement)] {
        switch self {
        case .drawn: []
        case .judged(let first): [(.judge, first)]
        case .reviewed(let first, let second), .disputed(let first, let second): [(.judge, first), (.review, second)]
        case .adjudicated(let first, let second, let third):
            [(.judge, first), (.review, second), (.adjudicate, third)]
        }
    }
}

extension WorkList.Judgement {
    static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Self? {
        let fields = reader.fields(json, at: pointer, known: ["person", "good", "label", "risks", "at", "note"])
        return read(fields, &reader)
    }

    fileprivate static func read(_ fields: FieldReader.Fields, _ reader: inout FieldReader) -> Self? {
        let person = reader.text(fields, "person", bytesMax: 256)
        let isGood = reader.bool(fields, "good")
        let risks = reader.list(fields, "risks", max: 64).compactMap {
            reader.text($0.json, at: $0.pointer, bytesMax: 64)
        }
        let at = reader.instant(fields, "at")
        let label = reader.optionalText(fields, "label", bytesMax: 256)
        let note = reader.optionalText(fields, "note")
        guard let person, let isGood, let at else { return nil }
        return Self(person: person, isGood: isGood, label: label, risks: risks, at: at, note: note)
    }

    fileprivate var members: [(key: String, value: JSON?)] {
        [
            ("person", .string(person)), ("good", .bool(isGood)), ("label", .text(label)), ("risks", .texts(risks)),
            ("at", .time(at)),
            ("note", .text(note)),
        ]
    }

    var json: JSON { .sorted(members) }
}

extension WorkList.Event {
    /// Reads what ``json`` wrote, or what a form sent.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let keys = ["step", "place", "person", "good", "label", "risks", "at", "note"]
        let fields = reader.fields(json, at: "", known: keys)
        let step: WorkList.Step? = reader.choice(fields, "step")
        let place = reader.count(fields, "place")
        let judgement = WorkList.Judgement.read(fields, &reader)
        var event: WorkList.Event?
        if let step, let place, let judgement { event = WorkList.Event(step, place: place, judgement: judgement) }
        self = try reader.finish(event, "event")
    }

    public var json: JSON {
        .sorted([("step", .string(step.rawValue)), ("place", .count(place))] + judgement.members)
    }
}

extension WorkList.Tally {
    var json: JSON {
        .sorted([
            ("drawn", .count(drawn)), ("judged", .count(judged)), ("reviewed", .count(reviewed)),
            ("disputed", .count(disputed)), ("settled", .count(settled)), ("good", .count(good)), ("bad", .count(bad)),
            ("risks", risks.isEmpty ? nil : .sorted(risks.map { ($0.id, .count($0.count)) })),
        ])
    }
}
