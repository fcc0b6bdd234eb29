import Core
import Curation
import Testing

@Suite struct AuditPackTests {
    /// Two sources, two files, a sample of three items with proofs, a profile.
    static func facts() throws -> AuditFacts {
        let time = Governance.time("2026-11-29T08:00:00Z")
        var release = AuditFacts.Release(
            name: "demo-corpus",
            version: "1.2.0",
            description: BilingualText(chinese: "演示语料", english: "A corpus for demonstration."),
            url: "https://point.example/datasets/demo/corpus",
            licence: "CC-BY-4.0",
            creator: AuditFacts.Party(name: "Example Lab", url: "https://lab.example"),
            published: time,
            languages: ["zh", "en"]
        )
        release.purposes = ["pre-training of language models"]
        release.countries = ["CN"]
        release.keywords = ["text"]
        var facts = AuditFacts(
            release: release,
            tool: "onepoint 0.1",
            pipeline: .object([("name", .string("demo"))]),
            dossiers: [
                try Dossier(Governance.json(DossierTests.full)), try Dossier(Governance.json(DossierTests.least)),
            ],
            outputs: (0..<2).map { index in
                AuditFacts.Output(
                    path: "data/part-\(index).jsonl",
                    digest: Governance.digest("part \(index)"),
                    bytes: 1000 + index,
                    records: 10,
                    format: .jsonl
                )
            }
        )
        facts.counts = [
            AuditFacts.Count(source: "news-2026", language: "zh", rule: nil, documents: 15, bytes: 1500),
            AuditFacts.Count(source: "news-2026", language: "zh", rule: "gopher.words", documents: 80, bytes: 8000),
            AuditFacts.Count(source: "a", language: "en", rule: nil, documents: 5, bytes: 501),
        ]
        facts.taxonomy = try ProfileTests.taxonomy()
        facts.risks = [AuditFacts.RiskCount(risk: "A.1.f", found: 7, removed: 7)]
        facts.privacy = [AuditFacts.Privacy(tool: "pii", parameters: "mask", result: "12 masked")]
        facts.fields = [
            AuditFacts.Field(name: "id", kind: .text, description: "Of the document."),
            AuditFacts.Field(name: "text", kind: .text, description: "In UTF-8."),
        ]
        facts.blocks = [
            AuditFacts.Block(
                source: "news-2026",
                input: Governance.digest("in"),
                configuration: Governance.digest("c"),
                outputs: [Governance.digest("part 0")],
                documents: 95,
                kept: 15
            )
        ]
        facts.admissions = [
            ("a", Admission(stage: .assessment, bad: Proportion(3, of: 500), limit: 0.05, confidence: 0.95))
        ]
        let items = (0..<20).map { Governance.digest("doc \($0)") }
        var tree = MerkleTree(hash: Governance.sha256)
        for item in items { tree.append(item) }
        facts.items = (tree.root, items.count)
        let draw = SampleDraw(root: tree.root, purpose: "spot-check", population: items.count, size: 3)
        let places = draw.places(hash: Governance.sha256)
        var prover = InclusionProver(indices: places, count: items.count, hash: Governance.sha256)
        for item in items { prover.append(item) }
        let check = SpotCheck(
            draw: draw,
            items: places.map { WorkList.Item(place: $0, digest: items[$0], id: "doc-\($0)") }
        )
        facts.samples = [
            AuditFacts.Sample(
                name: "people",
                check: check,
                proofs: prover.finish()?.proofs ?? [],
                rule: SpotCheck.Rule(itemsMin: 3, passMin: 0.96, confidence: 0.95)
            )
        ]
        var evidence = ProfileEvidence()
        evidence.add(dossiers: facts.dossiers)
        evidence.add(spotCheck: check)
        let profile = try Profile(Governance.profile("gbt-45654-2025"))
        facts.profiles = [(profile, profile.check(evidence, taxonomy: facts.taxonomy))]
        return facts
    }

    private static func json(_ pack: AuditPack, _ path: String) throws -> JSON {
        try JSON(parsing: #require(pack.files.first { $0.path == path }).bytes)
    }

    @Test("a pack has every file once, named by its manifest, and is the same bytes twice")
    func pack() throws {
        let pack = try AuditPack(Self.facts(), hash: Governance.sha256)
        let paths = [
            "admissions.json", "checks/1.json", "croissant.json", "funnel.json", "index.html", "licences.json",
            "lineage.json", "pipeline.json", "provenance.json", "risks.json", "samples/1.json", "sources/a.json",
            "sources/news-2026.json", "manifest.json",
        ]
        #expect(pack.files.map(\.path) == paths)
        let again = try AuditPack(Self.facts(), hash: Governance.sha256)
        #expect(again.files.map(\.bytes) == pack.files.map(\.bytes) && again.root == pack.root)
        let manifest = try JSON(parsing: pack.manifest)
        #expect(AuditPack.faults(of: pack.files.dropLast(), manifest: manifest, hash: Governance.sha256).isEmpty)
    }

    @Test("an auditor sees what was changed, taken away or added")
    func tampering() throws {
        let pack = try AuditPack(Self.facts(), hash: Governance.sha256)
        let manifest = try JSON(parsing: pack.manifest)
        let others = Array(try AuditPack(Self.facts(), hash: Governance.sha256).files.dropLast())
        func faults(_ files: [AuditPack.File], _ manifest: JSON) -> [String] {
            AuditPack.faults(of: files, manifest: manifest, hash: Governance.sha256).map(\.message)
        }
        #expect(faults(Array(others.dropFirst()), manifest) == ["admissions.json is missing"])
        var facts = try Self.facts()
        facts.tool = "another"
        let another = try AuditPack(facts, hash: Governance.sha256)
        #expect(faults(Array(another.files.dropLast()), manifest) == ["index.html was changed"])
        #expect(faults(others + [pack.files[13]], manifest) == ["manifest.json is not in the manifest"])
        let text = String(decoding: pack.manifest, as: UTF8.self).replacing("risks.json", with: "tasks.json")
        let forged = faults(others, try Governance.json(text))
        #expect(
            forged == ["tasks.json is missing", "risks.json is not in the manifest", "is not the root of these files"]
        )
        #expect(faults([], .null) == ["is no manifest of an audit pack"])
    }

    @Test("the auditor of a sample needs nothing but the pack and the items")
    func samples() throws {
        let pack = try AuditPack(Self.facts(), hash: Governance.sha256)
        let json = try Self.json(pack, "samples/1.json")
        #expect(json["verdict"]?["outcome"]?.stringValue == "open" && json["proofs"]?.arrayValue?.count == 3)
        let root = try #require(Self.json(pack, "lineage.json")["items"]?["root"]?.stringValue.flatMap(Digest.init))
        func faults(_ json: JSON, _ root: Digest) -> [String] {
            AuditPack.faults(ofSample: json, root: root, hash: Governance.sha256).map(\.pointer)
        }
        #expect(faults(json, root) == [])
        let other = faults(json, Governance.digest("other"))
        #expect(other == ["/check/draw/root", "/proofs/0", "/proofs/1", "/proofs/2"])
        let purpose = try Governance.json(json.text.replacing("\"spot-check\"", with: "\"chosen\""))
        #expect(faults(purpose, root) == ["/check/work/items"])
        let item = try #require(json["check"]?["work"]?["items"]?.arrayValue?.first?["digest"]?.stringValue)
        let swapped = try Governance.json(json.text.replacing(item, with: Governance.digest("swapped").description))
        #expect(faults(swapped, root) == ["/proofs/0"])
        #expect(faults(.null, root) == ["/check"])
    }

    @Test("the card has what Croissant requires, and the checker sees what is taken away")
    func croissant() throws {
        let card = try Self.json(AuditPack(Self.facts(), hash: Governance.sha256), "croissant.json")
        #expect(CroissantCheck.faults(of: card).isEmpty)
        #expect(card["license"]?.stringValue == "https://spdx.org/licenses/CC-BY-4.0.html")
        for (licence, address) in [("mit", "https://spdx.org/licenses/MIT.html"), ("House rules", "House rules")] {
            var facts = try Self.facts()
            facts.release.licence = licence
            let card = try Self.json(AuditPack(facts, hash: Governance.sha256), "croissant.json")
            #expect(card["license"]?.stringValue == address)
        }
        guard case .object(let members) = card else { return }
        for key in [
            "@context", "@type", "conformsTo", "name", "description", "url", "license", "creator", "distribution",
        ] {
            let faults = CroissantCheck.faults(of: .object(members.filter { $0.key != key })).map(\.pointer)
            #expect(faults.contains("/" + key))
        }
        #expect(CroissantCheck.faults(of: .null).map(\.pointer) == [""])
        let odd = try Governance.json(
            #"{"distribution": [1, {"@type": "cr:FileObject", "@id": "x", "sha256": "0"}], "recordSet": [{}]}"#
        )
        #expect(CroissantCheck.faults(of: odd).map(\.pointer).contains("/distribution/1/sha256"))
    }

    @Test("the licence ledger has shares and mismatches, the funnel sums by rule")
    func ledgers() throws {
        let pack = try AuditPack(Self.facts(), hash: Governance.sha256)
        let ledger = try Self.json(pack, "licences.json")
        let rows = try #require(ledger["sources"]?.arrayValue)
        #expect(rows.map { $0["comparison"]?.stringValue } == ["same", "unknown"])
        #expect(rows.map { $0["share_of_documents"]?.numberValue } == [0.75, 0.25])
        let rules = try #require(Self.json(pack, "funnel.json")["by_rule"]?.arrayValue)
        #expect(rules.map { $0["documents"]?.integerValue } == [20, 80])
    }

    @Test("names of strangers are text on the page, and it asks for nothing from elsewhere")
    func page() throws {
        var facts = try Self.facts()
        facts.dossiers[1].title = "<script>alert('1')</script>\u{202E}"
        facts.tool = "a\" onload=\"x"
        let pack = try AuditPack(facts, hash: Governance.sha256)
        let page = String(decoding: try #require(pack.files.first { $0.path == "index.html" }).bytes, as: UTF8.self)
        #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;<"))
        #expect(!page.contains("<script") && !page.contains("onload=\"x") && !page.contains("src="))
        #expect(page.contains("抽检") && page.contains("not shown / 未证明"))
    }

    @Test("facts that contradict themselves make no pack, and every fault is told")
    func faults() throws {
        var facts = try Self.facts()
        facts.release.version = "v1"
        facts.release.url = "javascript:alert(1)"
        facts.outputs[1].path = "../../etc/passwd"
        facts.dossiers[1].name = "../x"
        facts.counts.append(AuditFacts.Count(source: "nowhere", language: "zh", rule: nil, documents: -1, bytes: .min))
        facts.blocks[0].outputs = [Governance.digest("elsewhere")]
        facts.samples[0].proofs.removeLast()
        facts.release.licence = ""
        facts.fields.append(facts.fields[0])
        facts.risks.append(AuditFacts.RiskCount(risk: "Z.9", found: 1, removed: 1))
        let faults = Governance.faults { _ = try AuditPack(facts, hash: Governance.sha256) }
        let places = [
            "/admissions/0/source", "/blocks/0/outputs", "/counts/2/source", "/counts/3", "/counts/3/source",
            "/dossiers/1/name", "/fields/2/name", "/outputs/1/path", "/release/licence", "/release/url",
            "/release/version", "/risks/1/risk", "/samples/0/proofs",
        ]
        #expect(faults.map { String($0.prefix { $0 != ":" }) }.sorted() == places)
    }
}
