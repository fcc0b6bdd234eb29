import Core
import Testing

@testable import Wire

@Suite struct PipelineDocumentTests {
    private static func read(_ yaml: String) throws -> PipelineDocument {
        try PipelineDocument.read(yaml: Array(yaml.utf8), file: "p.yaml")
    }

    private static func faults(_ yaml: String) -> [String] {
        do {
            _ = try read(yaml)
            return []
        } catch {
            let violations = (error as? Failure)?.violations ?? []
            return violations.map { "\($0.pointer) \($0.message)" }
        }
    }

    private static let least = "name: a\nsources: [{name: s, files: [x.jsonl]}]\noutput: {folder: out}\n"

    @Test("what a pipeline leaves out is what the documentation says")
    func defaults() throws {
        let pipeline = try Self.read(Self.least)
        #expect(pipeline.output.format == .jsonlZstd && pipeline.duplicates == nil && pipeline.rules == nil)
        #expect(pipeline.sources[0].fields == .init() && !pipeline.sources[0].isReference)
        let more = try Self.read(
            Self.least
                + "languages: {keep: [zh]}\npersonal: {}\nduplicates: {near: {}, lines: {}}\nkeywords: {packs: [a.tsv]}\n"
        )
        #expect(more.languages?.probabilityMin == 0.5 && more.personal?.action == .mask)
        #expect(more.duplicates?.exact == true && more.duplicates?.near?.jaccardMin == 0.8)
        #expect(more.duplicates?.lines?.countMin == 3 && more.duplicates?.lines?.bytesMin == 30)
        #expect(more.keywords?.action == .drop && more.keywords?.weightMin == 1)
    }

    @Test("everything that a pipeline can say is read, in any order of its keys")
    func everything() throws {
        let pipeline = try Self.read(
            """
            output: {format: parquet, folder: /out}
            duplicates: {exact: false, near: {jaccard_min: 0.7}, lines: {count_min: 5, bytes_min: 80}}
            personal: {action: report, types: {phone: drop, email: mask}}
            rules: {sets: [gopher-quality, gopher-repetition, c4, fineweb, chinese], thresholds: {c4/words: 3.5}}
            keywords: {packs: [a.tsv, b.tsv], action: report, weight_min: 2}
            languages: {keep: [zh, en], probability_min: 0.3}
            contamination: {against: [eval/*.jsonl], action: cut}
            tokenizer: tokenizer.json
            sources:
              - {name: one, files: ["a/*.warc.gz", b.wet], format: warc, dossier: d.yaml}
              - {name: two, files: [c], reference: true, format: jsonl, fields: {text: body, id: uid, url: link}}
              - {name: three, files: [data], repository: datasets/demo/corpus, revision: v1}
            name: all
            """
        )
        #expect(pipeline.name == "all" && pipeline.sources.map(\.name) == ["one", "two", "three"])
        #expect(pipeline.sources[2].repository == "datasets/demo/corpus" && pipeline.sources[2].revision == "v1")
        #expect(pipeline.sources[1].isReference && pipeline.sources[1].fields.text == "body")
        #expect(pipeline.sources[0].format == .warc && pipeline.sources[0].dossier == "d.yaml")
        #expect(pipeline.rules?.sets.count == 5 && pipeline.rules?.thresholds == ["c4/words": 3.5])
        #expect(pipeline.personal?.types == ["phone": .drop, "email": .mask])
        #expect(pipeline.output.format == .parquet && pipeline.tokenizer == "tokenizer.json")
        #expect(pipeline.contamination?.action == .cut && pipeline.duplicates?.exact == false)
        // It goes to JSON and back, since results are named by that.
        #expect(try JSON(encoding: pipeline).decode(PipelineDocument.self) == pipeline)
    }

    static let cases: [(yaml: String, fault: String)] = [
        ("sources: [{name: s, files: [x]}]\noutput: {folder: o}", "/name is missing"),
        ("name: a\noutput: {folder: o}", "/sources is missing"),
        ("name: a\nsources: [{name: s, files: [x]}]", "/output is missing"),
        (least + "duplicate: {}", "/duplicate line 4: "),
        (least + "duplicates: {near: {jaccard_min: 0.2}}", "/duplicates/near/jaccard_min line 4: "),
        (least + "duplicates: {near: {jacard_min: 0.8}}", "/duplicates/near/jacard_min line 4: "),
        (least + "duplicates: {lines: {count_min: 1}}", "/duplicates/lines/count_min line 4: "),
        (least + "languages: {probability_min: 0.5}", "/languages/keep line 4: "),
        (least + "languages: {keep: []}", "/languages/keep line 4: "),
        (least + "languages: {keep: [zh], probability_min: 1.5}", "/languages/probability_min line 4: "),
        (least + "rules: {sets: [gopher]}", "/rules/sets/0 line 4: "),
        (least + "rules: {thresholds: {}}", "/rules/sets line 4: "),
        (least + "rules: {sets: [c4], thresholds: {c4/words: many}}", "/rules/thresholds/c4~1words line 4: "),
        (least + "personal: {action: hide}", "/personal/action line 4: "),
        (least + "personal: {types: {phone: hide}}", "/personal/types/phone line 4: "),
        (least + "keywords: {action: drop}", "/keywords/packs line 4: "),
        (least + "contamination: {action: drop}", "/contamination/against line 4: "),
        ("name: a\nsources: [{name: s, files: []}]\noutput: {folder: o}", "/sources/0/files line 2: "),
        ("name: a\nsources: [{name: s, files: [x], format: csv}]\noutput: {folder: o}", "/sources/0/format line 2: "),
        (
            "name: a\nsources: [{name: s, files: [x], fields: {body: b}}]\noutput: {folder: o}",
            "/sources/0/fields/body "
        ),
        ("name: a\nsources: [{name: s, files: [x]}, {name: s, files: [y]}]\noutput: {folder: o}", "/sources/1/name "),
        ("name: a\nsources: [{name: s, files: [x]}]\noutput: {folder: o, format: csv}", "/output/format line 3: "),
        ("name: a\nsources: [{name: s, files: [x]}]\noutput: {format: jsonl}", "/output/folder "),
        (
            "name: a\nsources: [{name: s, files: [x], revision: v1}]\noutput: {folder: o}",
            "/sources/0/revision line 2: "
        ),
        (
            "name: a\nsources: [{name: s, files: [x], repository: images/demo/x}]\noutput: {folder: o}",
            "/sources/0/repository line 2: "
        ),
        (
            "name: a\nsources: [{name: s, files: [../x], repository: datasets/demo/x}]\noutput: {folder: o}",
            "/sources/0/files/0 line 2: "
        ),
        ("[1, 2]", " "),
    ]

    @Test("a fault is told with its place and its line", arguments: cases)
    func fault(_ yaml: String, _ fault: String) {
        let faults = Self.faults(yaml)
        #expect(
            faults.count == 1
                && faults.contains { $0.hasPrefix(fault) || fault.contains("is missing") && $0.contains("is missing") },
            "\(faults)"
        )
    }

    @Test("all faults are told at once")
    func allFaults() {
        let faults = Self.faults(
            """
            name: Not A Name
            sources: [{files: [x], referenc: true}, {name: b, files: 7}]
            languages: {keep: zh}
            duplicates: {exact: maybe}
            output: 3
            """
        )
        #expect(faults.count >= 7, "\(faults)")
        for place in [
            "/name ", "/sources/0/name ", "/sources/0/referenc ", "/sources/1/files ", "/languages/keep ",
            "/duplicates/exact ", "/output ",
        ] {
            #expect(faults.contains { $0.hasPrefix(place) }, "\(place) in \(faults)")
        }
    }

    @Test("a release is read, and every fault of it told")
    func release() throws {
        let yaml = """
            name: demo
            version: 1.0.0
            description: {zh: 演示, en: A demonstration.}
            url: https://corpus.example/demo
            licence: CC-BY-4.0
            creator: Lab
            published: 2026-11-29
            languages: [zh]
            """
        let release = try ReleaseDocument.read(yaml: Array(yaml.utf8), file: "r.yaml")
        #expect(release.descriptionChinese == "演示" && release.published == Instant(rfc3339: "2026-11-29T00:00:00Z"))
        let failure = #expect(throws: Failure.self) {
            try ReleaseDocument.read(yaml: Array("name: x\npublished: yesterday\ncolour: red\n".utf8), file: "r.yaml")
        }
        let pointers = Set(failure?.violations.map(\.pointer) ?? [])
        #expect(
            pointers.isSuperset(of: [
                "/version", "/description", "/url", "/licence", "/creator", "/languages", "/published", "/colour",
            ])
        )
    }
}
