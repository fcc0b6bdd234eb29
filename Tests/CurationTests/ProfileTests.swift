import Core
import Curation
import Testing

@Suite struct ProfileTests {
    static let names = [
        "gbt-45654-2025", "gbt-45652-2025", "gbt-45674-2025", "tc260-003-2024", "interim-measures-2023",
        "data-provenance-initiative",
    ]

    static func taxonomy() throws -> RiskTaxonomy { try RiskTaxonomy(Governance.profile("tc260-003-2024-risks")) }

    @Test("every profile of the project is read without a fault", arguments: names)
    func files(_ name: String) throws {
        let profile = try Profile(Governance.profile(name))
        #expect(profile.name == name && !profile.checks.isEmpty)
        let taxonomy = try Self.taxonomy()
        #expect(profile.taxonomy == nil || profile.taxonomy == taxonomy.name)
        for check in profile.checks {
            #expect(check.within == nil || !taxonomy.ids(within: check.within).isEmpty, "\(check.id)")
        }
    }

    @Test("the taxonomy has 31 risks: 8, 9, 5, 7 and 2")
    func risks() throws {
        let taxonomy = try Self.taxonomy()
        #expect(taxonomy.groups.map(\.id) == ["A.1", "A.2", "A.3", "A.4", "A.5"])
        #expect(taxonomy.groups.map(\.risks.count) == [8, 9, 5, 7, 2])
        #expect(Set(taxonomy.risks.map(\.title.chinese)).count == 31)
        #expect(taxonomy.ids(within: "A.5") == ["A.5.a", "A.5.b"])
        #expect(taxonomy.ids(within: "A.1.c") == ["A.1.c"])
        #expect(taxonomy.ids(within: "B") == [])
    }

    @Test("GB/T 45654 asks for 4,000 items at 96 %, 10 % at 98 %, and refuses sources above 5 %")
    func thresholds() throws {
        let profile = try Profile(Governance.profile("gbt-45654-2025"))
        #expect(profile.spotCheckRule == SpotCheck.Rule(itemsMin: 4000, passMin: 0.96, confidence: 0.95))
        for stage in Admission.Stage.allCases {
            let rule = try #require(profile.admissionRule(stage))
            #expect(rule.limit == 0.05 && rule.confidence == 0.95 && rule.acceptable == 0.02)
        }
        #expect(try Profile(Governance.profile("gbt-45652-2025")).spotCheckRule == nil)
        func asked(_ id: String) -> [String] {
            profile.check(ProfileEvidence()).filter { $0.check.id == id }.map(\.asked)
        }
        #expect(asked("technical-share") == ["≥ 10 %"] && asked("technical-pass") == ["≥ 98 %"])
        #expect(
            asked("keywords") == ["≥ 10000"] && asked("keywords-age") == ["≤ 7 d"] && asked("rights-summary") == ["✓"]
        )
    }

    @Test("without evidence nothing is met")
    func nothingShown() throws {
        for name in Self.names {
            let results = try Profile(Governance.profile(name)).check(ProfileEvidence(), taxonomy: Self.taxonomy())
            #expect(results.allSatisfy { $0.outcome == .notShown && $0.found.isEmpty })
            #expect(results.allSatisfy { $0.toDo?.english.hasSuffix($0.check.measure.rawValue) == true })
        }
    }

    private static func outcome(_ id: String, _ evidence: ProfileEvidence) throws -> CheckResult {
        let results = try Profile(Governance.profile("gbt-45654-2025")).check(evidence, taxonomy: taxonomy())
        return try #require(results.first { $0.check.id == id })
    }

    @Test("shares are compared exactly at the threshold")
    func shares() throws {
        var evidence = ProfileEvidence()
        evidence[.humanPass] = .proportion(Proportion(3840, of: 4000))
        let met = try Self.outcome("human-pass", evidence)
        #expect(met.outcome == .met && met.toDo == nil)
        evidence[.humanPass] = .proportion(Proportion(3839, of: 4000))
        let missed = try Self.outcome("human-pass", evidence)
        #expect(missed.outcome == .notMet && missed.found == "3839/4000 = 95.98 %" && missed.asked == "≥ 96 %")
        #expect(missed.toDo == missed.check.remedy)
        evidence[.humanPass] = .proportion(Proportion(0, of: 0))
        #expect(try Self.outcome("human-pass", evidence).outcome == .notShown)
        evidence[.humanPass] = .statement(true)
        #expect(try Self.outcome("human-pass", evidence).outcome == .notShown)
    }

    @Test("a risk without keywords counts as none, and is named")
    func perRisk() throws {
        var evidence = ProfileEvidence()
        let ids = try Self.taxonomy().ids(within: "A.1")
        evidence[.keywordsPerRisk] = .counts(ids.dropLast().map { ($0, 200) })
        let result = try Self.outcome("keywords-a1", evidence)
        #expect(result.outcome == .notMet && result.short == ["A.1.h"] && result.found == "7/8; A.1.h: 0")
        evidence[.keywordsPerRisk] = .counts(ids.map { ($0, 200) })
        #expect(try Self.outcome("keywords-a1", evidence).outcome == .met)
        let profile = try Profile(Governance.profile("gbt-45654-2025"))
        #expect(profile.check(evidence).allSatisfy { $0.outcome == .notShown })
    }

    @Test("the worst source is named; one that was not judged leaves the rest unshown")
    func perSource() throws {
        var evidence = ProfileEvidence()
        evidence.add(
            .verification,
            bad: [("a", Proportion(1, of: 100)), ("b", Proportion(9, of: 100)), ("c", Proportion(6, of: 100))]
        )
        let result = try Self.outcome("verified-rate", evidence)
        #expect(result.outcome == .notMet && result.short == ["b", "c"] && result.found == "b: 9/100 = 9 %")
        evidence.add(.verification, bad: [("a", Proportion(1, of: 100)), ("b", Proportion(0, of: 0))])
        #expect(try Self.outcome("verified-rate", evidence).outcome == .notShown)
        evidence.add(.verification, bad: [("a", Proportion(5, of: 100))])
        #expect(try Self.outcome("verified-rate", evidence).outcome == .met)
    }

    @Test("dossiers show what they have, and what they lack is not met")
    func dossiers() throws {
        let full = try Dossier(Governance.json(DossierTests.full))
        let least = try Dossier(Governance.json(DossierTests.least))
        var evidence = ProfileEvidence()
        evidence.add(dossiers: [full, least])
        let expected: [(String, CheckResult.Outcome)] = [
            ("assessed-before", .notMet), ("sources-per-cell", .notMet), ("domestic-and-foreign", .met),
            ("open-licence", .notMet), ("collection-record", .met), ("robots", .met), ("commercial-documents", .met),
            ("user-input", .met), ("owner", .notMet), ("personal-consent", .met), ("sensitive-consent", .met),
            ("human-items", .notShown),
        ]
        for (id, outcome) in expected { #expect(try Self.outcome(id, evidence).outcome == outcome, "\(id)") }
        var late = full
        late.collectedFrom = Governance.time("2026-01-01T00:00:00Z")
        evidence.add(dossiers: [late])
        #expect(try Self.outcome("assessed-before", evidence).outcome == .notMet)
    }

    @Test("spot checks and annotation batches are evidence")
    func work() throws {
        var evidence = ProfileEvidence()
        var check = SpotCheck(
            draw: SampleDraw(root: Governance.digest(""), purpose: "p", population: 9, size: 1),
            items: SpotCheckTests.items(1)
        )
        try check.apply(WorkList.Event(.judge, place: 0, judgement: SpotCheckTests.said("a", true)))
        try check.apply(WorkList.Event(.review, place: 0, judgement: SpotCheckTests.said("b", true)))
        evidence.add(spotCheck: check)
        #expect(try Self.outcome("human-items", evidence).found == "1")
        let batch = AnnotationBatch(
            name: "s",
            kind: .safety,
            rules: Governance.digest("r"),
            rulesCover: try Self.taxonomy().ids(within: nil),
            storage: "vault",
            people: [],
            work: check.work
        )
        evidence.add(batches: [batch])
        #expect(try Self.outcome("safety-rules", evidence).outcome == .met)
        #expect(try Self.outcome("safety-reviewed", evidence).outcome == .met)
        #expect(try Self.outcome("roles-apart", evidence).outcome == .notMet)
    }

    @Test("people state what no program can see, and every fault of it is told")
    func statements() throws {
        var evidence = ProfileEvidence()
        try evidence.add(
            statements: Governance.json(
                #"{"rights_summary": true, "keywords": 12000, "refused": {"count": 96, "total": 100}, "keywords_per_risk": {"A.1.a": 5}}"#
            )
        )
        #expect(try Self.outcome("rights-summary", evidence).outcome == .met)
        #expect(try Self.outcome("keywords", evidence).outcome == .met)
        #expect(try Self.outcome("refused", evidence).found == "96/100 = 96 %")
        let wrong =
            #"{"nonsense": 1, "refused": {"count": 3, "total": 2}, "keywords": "many", "test_bank_per_risk": {"A.1.a": -1}}"#
        let faults = Governance.faults { try evidence.add(statements: Governance.json(wrong)) }
        let places = ["/keywords", "/nonsense", "/refused/count", "/test_bank_per_risk/A.1.a"]
        #expect(faults.map { String($0.prefix { $0 != ":" }) }.sorted() == places)
    }

    @Test("every fault of a profile is told at once")
    func faults() throws {
        let text = #"""
            {"profile": "p", "version": 1, "standard": "S", "title": {"zh": "题", "en": "T"}, "in_force": "2025-13-01",
             "checks": [{"id": "x", "clause": "1", "title": {"zh": "题"}, "measure": "luck", "compare": "at_least",
                         "value": 101, "unit": "percent", "confidence": 40, "within": "A.1", "sure": "D", "source": "s",
                         "remedy": {"zh": "改", "en": "r"}},
                        {"id": "y", "clause": "1", "title": {"zh": "题", "en": "T"}, "measure": "keywords",
                         "compare": "holds", "value": 1, "sure": "A", "source": "s", "remedy": {"zh": "改", "en": "r"}}]}
            """#
        let faults = Governance.faults { _ = try Profile(Governance.json(text)) }
        let places = [
            "/checks/0/confidence", "/checks/0/confidence", "/checks/0/measure", "/checks/0/sure", "/checks/0/title/en",
            "/checks/0/value", "/checks/1/value", "/in_force",
        ]
        #expect(faults.map { String($0.prefix { $0 != ":" }) }.sorted() == places)
    }
}
