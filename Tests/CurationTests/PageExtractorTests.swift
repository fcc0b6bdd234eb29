import Core
import Curation
import Foundation
import Testing

@Suite struct PageExtractorTests {
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/HTML")

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name)))
    }

    @Test(
        "the main text is the article, without what stands around it",
        arguments: ["news-zh", "notice-zh", "forum-zh", "mp-zh", "qa-zh", "blog-en"]
    )
    func article(name: String) throws {
        var extractor = PageExtractor()
        var text: [UInt8] = []
        let page = try Self.bytes(name + ".html")
        let facts = extractor.extract(page.span, into: &text)
        let expected = String(decoding: try Self.bytes(name + ".txt"), as: UTF8.self)
        #expect(String(decoding: text, as: UTF8.self) + "\n" == expected)
        #expect(facts.origin == .article)
        #expect(facts.limit == nil)
    }

    @Test("a page's own statements are read") func facts() throws {
        func facts(_ name: String) throws -> PageFacts {
            var extractor = PageExtractor()
            var text: [UInt8] = []
            let page = try Self.bytes(name)
            return extractor.extract(page.span, into: &text)
        }
        let news = try facts("news-zh.html")
        #expect(news.title == "城南旧书店重新开门")
        #expect(news.language == "zh-cn")
        #expect(news.canonical == "https://news.example.cn/2026/0308/1.html")
        #expect(news.published == "2026-03-08T09:30:00+08:00")
        #expect(news.licence.isEmpty)
        let notice = try facts("notice-zh.html")
        #expect(notice.title == "关于调整公交线路的通告")
        #expect(notice.published == "2026-04-01 10:00")
        let blog = try facts("blog-en.html")
        #expect(blog.title == "Mending a wooden boat")
        #expect(blog.language == "en-gb")
        #expect(blog.licence == "https://creativecommons.org/licenses/by/4.0/")
    }

    @Test("text that a page states for machines stands in for text that its scripts would have made") func statement() {
        let body = String(repeating: "A sentence that is only in the script, \\u4f60\\u597d. ", count: 12)
        let page = """
            <script type="application/ld+json">{"@type":"NewsArticle","headline":"Title \\"quoted\\"",\
            "datePublished":"2026-01-02","articleBody":"\(body)","license":"https://example.org/licence"}</script>
            <div id="app"></div><p>Loading
            """
        var extractor = PageExtractor()
        var text: [UInt8] = []
        let facts = extractor.extract(Array(page.utf8).span, into: &text)
        #expect(facts.origin == .statement)
        #expect(facts.title == "Title \"quoted\"")
        #expect(facts.published == "2026-01-02")
        #expect(facts.licence == "https://example.org/licence")
        #expect(
            String(decoding: text, as: UTF8.self).hasPrefix("A sentence that is only in the script, 你好. A sentence")
        )
    }

    @Test("an extractor used again has nothing left of the page before") func reuse() throws {
        let pages = try ["news-zh.html", "blog-en.html", "forum-zh.html"].map(Self.bytes)
        var used = PageExtractor()
        for page in pages + pages.reversed() {
            var fresh = PageExtractor()
            var a: [UInt8] = []
            var b: [UInt8] = []
            let first = used.extract(page.span, into: &a)
            let second = fresh.extract(page.span, into: &b)
            #expect(a == b)
            #expect(first == second)
        }
    }

    @Test("a page beyond its budget gives what was found up to there and says why") func budgets() {
        var budget = PageBudget()
        budget.nodesMax = 2000
        var extractor = PageExtractor(budget: budget)
        var text: [UInt8] = []
        let rows = "<p>before<table>" + String(repeating: "<tr><td colspan=9007199254740991>x", count: 20_000)
        var facts = extractor.extract(Array(rows.utf8).span, into: &text)
        #expect(facts.limit == .nodes)
        #expect(facts.nodes <= 2001)
        #expect(text.starts(with: Array("before".utf8)))

        budget = PageBudget()
        budget.bytesMax = 40
        extractor.budget = budget
        text = []
        facts = extractor.extract(Array(("<p>" + String(repeating: "你好", count: 100)).utf8).span, into: &text)
        #expect(facts.limit == .bytes)
        #expect(text.count <= 40)

        extractor.budget = PageBudget()
        text = []
        let deep =
            String(repeating: "<div>", count: 30_000) + "deep" + String(repeating: "</div>", count: 30_000) + "end"
        facts = extractor.extract(Array(deep.utf8).span, into: &text)
        #expect(facts.flattened > 29_000)
        #expect(String(decoding: text, as: UTF8.self) == "deep\n\nend")

        budget = PageBudget()
        budget.stepsPerByte = 1
        extractor.budget = budget
        let searches =
            String(repeating: "<i>", count: 250) + String(repeating: "</b>x<p>", count: 5) + "<b>"
            + String(repeating: "<table></b>", count: 2000)
        facts = extractor.extract(Array(searches.utf8).span, into: &text)
        #expect(facts.limit == .steps || facts.nodes > 2000)
    }

    @Test("whatever a page holds, its text is valid UTF-8 and no trap is met") func mutations() throws {
        let seed = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap(UInt64.init) ?? 20_261_129
        var chance = SplitMix(seed: seed)
        let pages = try ["news-zh.html", "notice-zh.html", "forum-zh.html", "blog-en.html"].map(Self.bytes)
        let pieces: [[UInt8]] = [
            "<", "</", "<!--", "-->", "<script>", "</script>", "<table>", "<td", "&#x", "&", "\"", "'", ">", "<p>",
            "</p>",
            "<svg>", "<![CDATA[", "<title>", "<pre>", "<li>", "\u{0}", "<h1>", "<article class='related post'>", "</b>",
            "<a href=x>", "<template>", "<select>", "<plaintext>", "<textarea>", "{\"articleBody\":\"\\ud83d\\u",
            "style='display:none'",
        ].map { Array($0.utf8) }
        var extractor = PageExtractor()
        for round in 0..<120 {
            var page = pages[Int.random(in: 0..<pages.count, using: &chance)]
            for _ in 0..<Int.random(in: 1...12, using: &chance) where !page.isEmpty {
                let at = Int.random(in: 0..<page.count, using: &chance)
                switch Int.random(in: 0..<5, using: &chance) {
                case 0: page[at] = UInt8.random(in: 0...255, using: &chance)
                case 1: page.removeSubrange(at..<min(page.count, at + Int.random(in: 1...64, using: &chance)))
                case 2: page.removeSubrange(at...)
                case 3: page.insert(contentsOf: page[at..<min(page.count, at + 200)], at: at / 2)
                default: page.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &chance)], at: at)
                }
            }
            var clean: [UInt8] = []
            _ = Charset.decode(page.span, declared: nil, isHTML: true, into: &clean)
            var text: [UInt8] = []
            let facts = extractor.extract(clean.span, into: &text)
            let isValid = String(validating: text, as: UTF8.self) != nil
            #expect(isValid, "seed \(seed), round \(round)")
            #expect(facts.blocksKept <= facts.blocks && facts.blocks <= facts.nodes, "seed \(seed), round \(round)")
            // And not decoded first, too: the parser takes any bytes.
            _ = extractor.extract(page.span, into: &text)
        }
    }
}
