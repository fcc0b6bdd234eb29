import Core
import Curation
import Testing

@testable import Corpora

/// Annotation batches from their file to their figures.
@Suite struct BatchRunTests {
    private static let digest = "\"sha256:\(String(repeating: "ab", count: 32))\""

    private static func shop(_ kind: String = "functional") throws -> Workshop {
        let shop = try Workshop()
        try fill(shop, kind)
        return shop
    }

    private static func fill(_ shop: Workshop, _ kind: String = "functional") throws {
        let people = [("li", "annotator"), ("wang", "reviewer"), ("zhao", "adjudicator")].map { id, role in
            "  - {id: \(id), role: \(role), training: \(digest), exam: \(digest), exam_passed: true}\n"
        }
        try shop.write(
            "batch.yaml",
            """
            name: questions
            kind: \(kind)
            rules: \(digest)
            storage: a/place
            people:
            \(people.joined())  - {id: sun, role: annotator}

            """
        )
        try shop.write("items.jsonl", (0..<20).map { Made.record("q\($0)", "Question \($0)?") }.joined(separator: "\n"))
    }

    private static func event(_ step: WorkList.Step, _ place: Int, _ person: String, _ label: String) -> WorkList.Event
    {
        .init(
            step,
            place: place,
            judgement: .init(person: person, isGood: true, label: label, at: .init(milliseconds: 1))
        )
    }

    @Test("records are labelled by those who may, reviewed as drawn, and the figures follow")
    func whole() async throws {
        let shop = try Self.shop()
        let path = shop.path("batch.yaml")
        #expect(await failure { _ = try BatchFile.read(path) }?.code == .notFound)
        var file = try BatchFile.begin(path, items: shop.path("items.jsonl"), reviews: 6)
        #expect(
            await failure { _ = try BatchFile.begin(path, items: shop.path("items.jsonl"), reviews: 9) }?.code
                == .conflict
        )
        #expect(file.pending(for: "li").count == 20 && file.pending(for: "wang").isEmpty)
        #expect(file.pending(for: "sun").isEmpty, "nobody trained or examined sun")
        let sun = await failure { try file.apply(Self.event(.judge, 0, "sun", "a")) }
        #expect(sun?.detail == WorkList.Refusal.notQualified.sentence)
        for place in 0..<20 { try file.apply(Self.event(.judge, place, "li", place % 2 == 0 ? "even" : "odd")) }
        let drawn = try #require(file.reviews).places(hash: ItemList.hash)
        #expect(Set(file.pending(for: "wang").map(\.item.place)) == Set(drawn) && drawn.count == 6)
        let other = try #require((0..<20).first { !drawn.contains($0) })
        #expect(
            await failure { try file.apply(Self.event(.review, other, "wang", "odd")) }?.detail.contains("no sample")
                == true
        )
        for place in drawn {
            // The reviewer disagrees on the first of them.
            let right = place % 2 == 0 ? "even" : "odd"
            try file.apply(Self.event(.review, place, "wang", place == drawn[0] ? "other" : right))
        }
        #expect(file.pending(for: "zhao").map(\.item.place) == [drawn[0]])
        #expect(file.done == 19)
        try file.apply(Self.event(.adjudicate, drawn[0], "zhao", "other"))
        // Fourteen were not drawn for review, and one person's word is all that they need.
        #expect(try BatchFile.read(path).done == 20)
        let batch = try BatchFile.read(path).batch
        #expect(batch.agreement.items == 6 && batch.agreement.agreed == 5)
        #expect(batch.corrected == Proportion(1, of: 6))
        let report = batch.report(confidence: 0.95)
        #expect(report["agreement"]?["krippendorff_alpha"] != nil && report["tally"]?["settled"] == .integer(6))
        var evidence = ProfileEvidence()
        evidence.add(batches: [batch])
        guard case .proportion(let sampled)? = evidence[.functionalSampled],
            case .proportion(let qualified)? = evidence[.annotatorsQualified]
        else {
            Issue.record("nothing is shown of annotation")
            return
        }
        #expect(sampled == Proportion(1, of: 1) && qualified == Proportion(3, of: 4))
    }

    @Test("a release's audit pack has the figures of the batches that it is given, and counts them")
    func audited() async throws {
        let shop = try ReleaseTests.filled()
        try Self.fill(shop)
        try await shop.run(try shop.pipeline(ReleaseTests.yaml))
        let path = shop.path("batch.yaml")
        var options = Audit.Options(release: shop.path("release.yaml"), tool: "onepoint test")
        options.batches = [path]
        let pipeline = try PipelineFile(shop.path("pipeline.yaml"))
        #expect(await failure { _ = try Audit(pipeline, options) }?.code == .notFound, "it has not begun")
        var file = try BatchFile.begin(path, items: shop.path("items.jsonl"), reviews: 6)
        for place in 0..<20 { try file.apply(Self.event(.judge, place, "li", "even")) }
        for place in try #require(file.reviews).places(hash: ItemList.hash) {
            try file.apply(Self.event(.review, place, "wang", "even"))
        }
        let pack = try Audit(pipeline, options).write(to: shop.path("pack"), key: nil)
        #expect(pack.files.contains("annotation/1.json"))
        let told = try JSON(parsing: shop.read("pack/annotation/1.json"))
        #expect(told["tally"]?["settled"] == .integer(6) && told["name"] == .string("questions"), "\(told.text)")
        let manifest = try JSON(parsing: shop.read("pack/manifest.json"))
        #expect(manifest["files"]?.arrayValue?.contains { $0["path"] == .string("annotation/1.json") } == true)
        // Without it nothing is said of annotation.
        options.batches = []
        let without = try Audit(pipeline, options).write(to: shop.path("bare"), key: nil)
        #expect(!without.files.contains { $0.hasPrefix("annotation/") })
    }

    @Test("safety data is reviewed whole, and work that nobody of the batch may have done is refused")
    func safety() async throws {
        let shop = try Self.shop("safety")
        let path = shop.path("batch.yaml")
        let sampled = await failure { _ = try BatchFile.begin(path, items: shop.path("items.jsonl"), reviews: 3) }
        #expect(sampled?.code == .invalid && !shop.exists("batch.work.json"))
        var file = try BatchFile.begin(path, items: shop.path("items.jsonl"), reviews: nil)
        for place in 0..<20 { try file.apply(Self.event(.judge, place, "li", "refuse")) }
        #expect(file.pending(for: "wang").count == 20)
        try shop.write("batch.work.json", try shop.text("batch.work.json").replacing("\"li\"", with: "\"sun\""))
        let faked = await failure { _ = try BatchFile.read(path) }
        #expect(faked?.code == .invalid && (faked?.violations.count ?? 0) == 20)
        try shop.write("empty.jsonl", "")
        try shop.remove("batch.work.json")
        #expect(
            await failure { _ = try BatchFile.begin(path, items: shop.path("empty.jsonl"), reviews: nil) }?.code
                == .invalid
        )
    }
}
