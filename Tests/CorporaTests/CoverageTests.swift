import Core
import Curation
import Foundation
import Testing

@testable import Corpora

/// What an audit tells of keyword packs and classifiers.
@Suite struct CoverageTests {
    private static let profiles = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../profiles").standardized.path

    @Test("a pack says when it was changed before its first word, or not at all")
    func changed() {
        func changed(_ text: String) -> Instant? { Audit.changed(Array(text.utf8)) }
        #expect(changed("# a\n\n# changed: 2026-11-29\nword") == Instant(rfc3339: "2026-11-29T00:00:00Z"))
        #expect(
            changed("word\n# changed: 2026-11-29") == nil && changed("") == nil && changed("# changed: soon\n") == nil
        )
    }

    @Test("the example pack is one, and the audit counts its words, their categories and its age in days")
    func example() async throws {
        let path = Self.profiles + "/keywords-advertising.tsv"
        let shop = try Workshop()
        try shop.write("in/a.jsonl", Made.record("a", "现在立 即*购买！") + "\n" + Made.record("b", "Nothing to see."))
        let file = try shop.pipeline(
            """
            name: keywords
            sources: [{name: a, files: [in/*]}]
            keywords: {packs: ["\(path)"], weight_min: 3}
            output: {folder: out, format: jsonl}

            """
        )
        let record = try await shop.run(file)
        #expect(try shop.ids() == ["b"])
        var evidence = ProfileEvidence()
        let published = try #require(Instant(rfc3339: "2026-12-05T10:00:00Z"))
        try Audit.coverage(file, record, published: published, nil, &evidence)
        guard case .number(let words)? = evidence[.keywords], case .number(let days)? = evidence[.keywordsAgeDays],
            case .counts(let counts)? = evidence[.keywordsPerRisk]
        else {
            Issue.record("the audit shows nothing of the pack")
            return
        }
        #expect(words == 27 && days == 6)
        #expect(counts.map(\.name) == ["advertising", "contact", "frame"])
        #expect(evidence[.classifierRisks] == nil, "without a taxonomy nobody knows what a label stands for")
    }
}
