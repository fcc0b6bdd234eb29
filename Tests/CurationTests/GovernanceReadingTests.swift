import Core
import Curation
import Testing

/// What reads texts of strangers, all at once.
@Suite struct GovernanceReadingTests {
    private static func texts() throws -> [String] {
        let batch = AnnotationBatch(
            name: "b",
            kind: .functional,
            rules: Governance.digest("r"),
            rulesCover: ["A.1.a"],
            storage: "s",
            people: [AnnotationBatch.Person(id: "a", role: .annotator, training: nil, exam: nil, isExamPassed: true)],
            work: WorkList(items: SpotCheckTests.items(2))
        )
        let check = SpotCheck(
            draw: SampleDraw(root: Governance.digest(""), purpose: "p", population: 9, size: 2),
            items: SpotCheckTests.items(2)
        )
        let event = WorkList.Event(.judge, place: 3, judgement: SpotCheckTests.said("a", false, ["A.1.a"]))
        return [
            DossierTests.full, batch.json.text, check.json.text, event.json.text,
            try Governance.profile("gbt-45674-2025").text, try Governance.profile("tc260-003-2024-risks").text,
            #"{"keywords": 1, "refused": {"count": 1, "total": 2}, "rights_summary": true, "keywords_per_risk": {"A.1.a": 5}}"#,
        ]
    }

    /// - Returns: How many of the readers took it.
    private static func taken(_ json: JSON) -> Int {
        let readers: [(JSON) throws -> Void] = [
            { _ = try Dossier($0) }, { _ = try AnnotationBatch($0) }, { _ = try SpotCheck($0) },
            { _ = try WorkList($0) }, { _ = try WorkList.Event($0) }, { _ = try Profile($0) },
            { _ = try RiskTaxonomy($0) },
            {
                var evidence = ProfileEvidence()
                try evidence.add(statements: $0)
            },
            { json in _ = CroissantCheck.faults(of: json) },
            { json in _ = AuditPack.faults(of: [], manifest: json, hash: Governance.sha256) },
        ]
        return readers.count { read in
            do {
                try read(json)
                return true
            } catch { return false }
        }
    }

    @Test("each text is taken by its own reader") func whole() throws {
        for text in try Self.texts() { #expect(Self.taken(try Governance.json(text)) >= 3) }
    }

    @Test("whatever is changed in a text, it is read or refused")
    func mutations() throws {
        var chance = SplitMix(seed: Governance.seed("mutations"))
        let texts = try Self.texts().map { try Governance.json($0) }
        for _ in 0..<60 {
            for json in texts { _ = Self.taken(Self.mutated(json, &chance)) }
        }
    }

    /// Somewhere inside, another value, or one more, or one less.
    private static func mutated(_ json: JSON, _ chance: inout SplitMix) -> JSON {
        let odd: [JSON] = [
            .null, .bool(true), .integer(.min), .integer(.max), .integer(-1), .number(1e308), .number(0.5), .string(""),
            .string("\u{0}/~\u{202E}"), .array([]), .object([]), .object([("x", .null)]), .string("sha256:"),
            .array([JSON](repeating: .array([.null]), count: 40)),
        ]
        if Int.random(in: 0..<4, using: &chance) == 0 { return odd.randomElement(using: &chance) ?? .null }
        switch json {
        case .array(var items):
            guard let index = items.indices.randomElement(using: &chance) else { return .array(odd) }
            if Bool.random(using: &chance) {
                items[index] = mutated(items[index], &chance)
            } else {
                items.append(items[index])
            }
            return .array(items)
        case .object(var members):
            guard let index = members.indices.randomElement(using: &chance) else { return .object([("name", .null)]) }
            if Int.random(in: 0..<5, using: &chance) == 0 {
                members.remove(at: index)
            } else {
                members[index].value = mutated(members[index].value, &chance)
            }
            return .object(members)
        case .null, .bool, .integer, .number, .string: return odd.randomElement(using: &chance) ?? .null
        }
    }
}
