import Core
import Curation
import Foundation
import Testing

@testable import Corpora

/// From a source's sample to what an audit says of its admission.
@Suite struct AdmissionRunTests {
    private static let yaml = """
        name: admission
        sources:
          - {name: first, files: [in/first.jsonl], dossier: dossiers/first.yaml}
          - {name: second, files: [in/second.jsonl], dossier: dossiers/second.yaml}
        output: {folder: out, format: jsonl}

        """
    private static let profile = """
        profile: test
        version: 2
        standard: T
        title: {zh: 测试, en: Test}
        sampling: {confidence: 95, acceptable: 2, source: ours}
        checks:
        \(check("assessed", "assessed_bad"))
        \(check("verified", "verified_bad"))
        """

    private static func check(_ id: String, _ measure: String) -> String {
        """
          - id: \(id)
            clause: "1"
            title: {zh: 测试, en: Test}
            measure: \(measure)
            compare: at_most
            value: 5
            unit: percent
            sure: C
            source: ours
            remedy: {zh: 测试, en: Test}
        """
    }

    private static func dossier(_ records: String) -> String {
        """
        name: x
        title: Texts
        kind: open
        origin: a shelf
        region: foreign
        modalities: [text]
        licence: {}
        personal_data: {presence: none}
        records: [\(records)]

        """
    }

    private static func filled() throws -> Workshop {
        var chance = Chance(seed: 51)
        let shop = try Workshop()
        for name in ["first", "second"] {
            // Two that are no records with a text, which nobody has to judge.
            let lines = Made.corpus(name, 200, &chance) + ["{\"id\":\"none\"}", "broken"]
            try shop.write("in/\(name).jsonl", lines.joined(separator: "\n") + "\n")
            try shop.write("dossiers/\(name).yaml", dossier(""))
        }
        try shop.write("profile.yaml", profile)
        try shop.write(
            "release.yaml",
            """
            name: demo
            version: 1.0.0
            description: {zh: 演示, en: A demonstration.}
            url: https://corpus.example/demo
            licence: CC-BY-4.0
            creator: Example Lab
            published: 2026-11-29
            languages: [zh, en]

            """
        )
        return shop
    }

    private static func open(
        _ shop: Workshop,
        _ stage: Admission.Stage,
        _ source: String = "first",
        _ basis: Admission.Basis = .sample,
        size: Int? = nil
    ) throws -> (admission: AdmissionFile, isNew: Bool) {
        try AdmissionFile.open(
            PipelineFile(shop.path("pipeline.yaml")),
            source: source,
            stage: stage,
            basis: basis,
            profile: shop.path("profile.yaml"),
            size: size,
            runtime: SystemRuntime()
        )
    }

    /// Two people judge what was drawn, in the order of drawing.
    private static func judge(_ shop: Workshop, _ stage: Admission.Stage, _ places: [Int], bad: Set<Int> = []) throws {
        let purpose = AdmissionFile.purpose(stage, "first")
        var sample = try SampleFile.read(PipelineFile(shop.path("pipeline.yaml")), purpose: purpose)
        for place in places {
            for (step, person) in [(WorkList.Step.judge, "li"), (.review, "wang")] {
                let judgement = WorkList.Judgement(
                    person: person,
                    isGood: !bad.contains(place),
                    at: Instant(milliseconds: 1000)
                )
                try sample.apply(.init(step, place: place, judgement: judgement))
            }
        }
    }

    private static func audit(_ shop: Workshop) throws -> [String: CheckResult] {
        var options = Audit.Options(release: shop.path("release.yaml"), tool: "onepoint test")
        options.profiles = [shop.path("profile.yaml")]
        let audit = try Audit(PipelineFile(shop.path("pipeline.yaml")), options)
        _ = try audit.write(to: shop.path("pack"), key: nil)
        return Dictionary(audit.checks.map { ($0.result.check.id, $0.result) }) { first, _ in first }
    }

    @Test("a source is drawn by the profile's rule, judged by two, and its dossier proves the verdict to an audit")
    func whole() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        let (drawn, isNew) = try Self.open(shop, .assessment)
        #expect(isNew && drawn.admission.rule.limit == 0.05 && drawn.admission.check.draw.population == 200)
        let needed = try #require(Binomial.trialsNeeded(rate: 0.02, limit: 0.05, confidence: 0.95))
        #expect(drawn.admission.check.work.items.count == min(needed, 200))
        #expect(drawn.admission.check.isRedrawn(hash: ItemList.hash) && !drawn.verdict.isFinal)
        #expect(try drawn.publishEvidence() == nil)
        // It is drawn once: asked again, it is the same.
        #expect(try !Self.open(shop, .assessment, size: 5).isNew)
        let places = drawn.admission.check.work.items.map(\.place)
        try Self.judge(shop, .assessment, Array(places.dropLast()))
        #expect(try !Self.open(shop, .assessment).admission.verdict.isFinal, "one is open")
        try Self.judge(shop, .assessment, [places[places.count - 1]], bad: [places[places.count - 1]])
        let judged = try Self.open(shop, .assessment).admission
        #expect(judged.verdict.isFinal && judged.verdict.admission.outcome == .admitted)
        let evidence = try #require(try judged.publishEvidence())

        try await shop.run(file)
        #expect(try Self.audit(shop)["assessed"]?.outcome == .notShown, "no dossier names it")
        try shop.write(
            "dossiers/first.yaml",
            Self.dossier("{kind: assessment, title: a, digest: \"\(evidence.digest)\"}")
        )
        var checks = try Self.audit(shop)
        #expect(checks["assessed"]?.outcome == .notShown, "the second source was not assessed")
        #expect(checks["assessed"]?.found.hasPrefix("first: 1/") == true)
        #expect(try shop.text("pack/admissions.json").contains("\"admitted\""))
        // One source alone is shown.
        let alone = Self.yaml.split(separator: "\n").filter { !$0.contains("second") }.joined(separator: "\n") + "\n"
        try await shop.run(try shop.pipeline(alone))
        checks = try Self.audit(shop)
        #expect(checks["assessed"]?.outcome == .met && checks["verified"]?.outcome == .notShown)
        // Evidence that was changed afterwards proves nothing.
        let text = try shop.text("out/admissions/assessment/first.evidence.json")
        try shop.write("out/admissions/assessment/first.evidence.json", text.replacing("wang", with: "zhao"))
        let failure = await failure { _ = try Self.audit(shop) }
        #expect(failure?.code == .conflict && failure?.detail.contains("digest") == true)
    }

    @Test("what was verified is what is in the release, or the audit says so")
    func verification() async throws {
        let shop = try Self.filled()
        let yaml = Self.yaml.split(separator: "\n").filter { !$0.contains("second") }.joined(separator: "\n") + "\n"
        let file = try shop.pipeline(yaml)
        try await shop.run(file, limits: BlockLimits())
        let drawn = try Self.open(shop, .verification, size: 150).admission
        let places = drawn.admission.check.work.items.map(\.place)
        try Self.judge(shop, .verification, places, bad: Set(places.prefix(40)))
        let judged = try Self.open(shop, .verification).admission
        #expect(judged.verdict.admission.outcome == .refused)
        let evidence = try #require(try judged.publishEvidence())
        try shop.write(
            "dossiers/first.yaml",
            Self.dossier("{kind: verification, title: a, digest: \"\(evidence.digest)\"}")
        )
        #expect(try Self.audit(shop)["verified"]?.outcome == .notMet)
        try shop.write("in/first.jsonl", try shop.text("in/first.jsonl") + Made.record("new", "A new one.") + "\n")
        try await shop.run(try shop.pipeline(yaml), limits: BlockLimits())
        let failure = await failure { _ = try Self.audit(shop) }
        #expect(failure?.code == .conflict && failure?.detail.contains("changed since it was verified") == true)
    }

    @Test("judged until enough is known, in the order of drawing and whatever was judged out of it")
    func sequential() async throws {
        let shop = try Self.filled()
        _ = try shop.pipeline(Self.yaml)
        let drawn = try Self.open(shop, .assessment, "first", .sequential).admission
        let order = drawn.admission.check.draw.places(hash: ItemList.hash)
        #expect(order.count == 200)
        let fewest = try #require(SequentialTest(acceptable: 0.02, limit: 0.05, confidence: 0.95)).acceptanceMin
        // All but the first, which are as good as none.
        try Self.judge(shop, .assessment, Array(order[1..<fewest]))
        var verdict = try Self.open(shop, .assessment).admission.verdict
        #expect(!verdict.isFinal && verdict.admission.bad.total == 0)
        try Self.judge(shop, .assessment, [order[0]])
        verdict = try Self.open(shop, .assessment).admission.verdict
        #expect(verdict.isFinal && verdict.admission.outcome == .admitted && verdict.admission.basis == .sequential)
        #expect(verdict.admission.bad.total == fewest)
        // What is judged after the decision changes nothing.
        try Self.judge(shop, .assessment, [order[fewest]], bad: [order[fewest]])
        #expect(try Self.open(shop, .assessment).admission.verdict.admission == verdict.admission)
    }

    @Test("a source that is not there, a profile without a rule and an empty source are told of")
    func faults() async throws {
        let shop = try Self.filled()
        _ = try shop.pipeline(Self.yaml)
        let unknown = await failure { _ = try Self.open(shop, .assessment, "third") }
        #expect(unknown?.code == .notFound && unknown?.detail.contains("first, second") == true)
        try shop.write("in/second.jsonl", "{}\n")
        #expect(await failure { _ = try Self.open(shop, .assessment, "second") }?.detail.contains("no record") == true)
        try shop.write(
            "profile.yaml",
            Self.profile.split(separator: "\n").filter { !$0.contains("sampling") }.joined(separator: "\n")
        )
        #expect(await failure { _ = try Self.open(shop, .assessment) }?.detail.contains("does not say") == true)
    }
}
