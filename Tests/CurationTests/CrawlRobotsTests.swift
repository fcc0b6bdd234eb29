import Testing

@testable import Curation

@Suite("robots.txt")
struct CrawlRobotsTests {
    private func rules(_ text: String, _ product: String = "OnepointTest") -> RobotsRules {
        RobotsRules(Array(text.utf8).span, product: product)
    }

    private func allows(_ text: String, _ target: String) throws -> Bool {
        rules(text).verdict(try #require(WebURL("http://h" + target))).isAllowed
    }

    @Test("the group that names us counts, all of its parts together, and only without one the group of all")
    func groups() throws {
        let text = """
            User-agent: *
            Disallow: /

            user-agent: ONEPOINTTEST/2.0
            User-Agent : other
            Disallow: /a
            Sitemap: http://h/map.xml
            Nonsense
            Disallow: /b

            User-agent: third
            Disallow: /c
            User-agent: onepointtest
            Disallow: /d
            """
        for (target, expected) in [("/", true), ("/a", false), ("/b", false), ("/c", true), ("/d", false)] {
            #expect(try allows(text, target) == expected, "\(target)")
        }
        let url = try #require(WebURL("http://h/x"))
        #expect(!rules(text, "somebody").verdict(url).isAllowed)
        #expect(rules(text, "OnepointTes").verdict(url).line == 2)
        #expect(rules(text).sitemaps == ["http://h/map.xml"])
        #expect(rules("Disallow: /\nUser-agent: x\nDisallow: /").verdict(url).isAllowed)
    }

    /// > Source: RFC 9309, sections 2.2.2, 2.2.3 and 5.2, and the tables of Google's description of the same rules.
    @Test(
        "patterns match as the standard has it",
        arguments: [
            ("/fish", "/fish", true), ("/fish", "/fish.html", true), ("/fish", "/Fish.asp", false),
            ("/fish", "/catfish", false), ("/fish*", "/fishheads/yummy.html", true), ("/fish/", "/fish", false),
            ("/*.php", "/filename.php?parameters", true), ("/*.php", "/windows.PHP", false),
            ("/*.php$", "/folder/filename.php", true), ("/*.php$", "/filename.php/", false),
            ("/*.php$", "/filename.php5", false), ("/fish*.php", "/fishheads/catfish.php?x", true),
            ("/fish*.php", "/Fish.PHP", false), ("/foo/bar?baz=quz", "/foo/bar?baz=quz", true),
            ("/foo/bar/ツ", "/foo/bar/%E3%83%84", true), ("/foo/bar/%E3%83%84", "/foo/bar/ツ", true),
            ("/foo/bar/%62%61%7A", "/foo/bar/baz", true), ("/a%3cd", "/a%3Cd", true), ("/a%2fb", "/a/b", false),
            ("/file-%2A.html", "/file-*.html", true), ("/file-%2A.html", "/file-x.html", false),
            ("/path/foo-%24", "/path/foo-$", true), ("/a$b", "/a$b", true), ("/$", "/", true), ("/$", "/a", false),
            ("*", "/x", true), ("*a*a*a$", "/aaaa", true), ("/*/a*b$", "/x/aab", true), ("/a*b*c$", "/abcb", false),
            ("/a**b", "/axxb", true), ("/ab*ba$", "/aba", false), ("no-slash", "/no-slash", false),
        ]
    )
    func patterns(_ pattern: String, _ target: String, _ matches: Bool) throws {
        #expect(try allows("User-agent: *\nDisallow: \(pattern)", target) == !matches)
    }

    @Test("the longest pattern decides, allow at equal length, whatever the order")
    func precedence() throws {
        #expect(try allows("user-agent: *\ndisallow: /page\nallow: /page", "/page"))
        #expect(try allows("user-agent: *\nallow: /example/page/\ndisallow: /example/page/x.gif", "/example/page/y"))
        #expect(
            try !allows("user-agent: *\nallow: /example/page/\ndisallow: /example/page/x.gif", "/example/page/x.gif")
        )
        #expect(try !allows("user-agent: *\nallow: /$\ndisallow: /", "/page.htm"))
        #expect(try allows("user-agent: *\nallow: /$\ndisallow: /", "/"))
        #expect(try !allows("user-agent: *\nallow: /page\ndisallow: /*.htm", "/page.htm"))
        #expect(try allows("user-agent: *\ndisallow: /", "/robots.txt"))
        #expect(try allows("user-agent: *\ndisallow:\n", "/a"))
    }

    @Test("line ends, byte order mark, comments and bytes that are no text do no harm")
    func bytes() throws {
        for end in ["\n", "\r", "\r\n"] {
            let text = "\u{FEFF}user-agent: * # all" + end + end + "disallow: /a # and b" + end + "Crawl-delay: 2.5"
            #expect(try !allows(text, "/a"))
            #expect(try allows(text, "/b"))
            #expect(rules(text).crawlDelay == .milliseconds(2500))
            #expect(rules(text).verdict(try #require(WebURL("http://h/a"))).line == 3)
        }
        let odd: [UInt8] = Array("user-agent: *\ndisallow: /\u{0}".utf8) + [0xFF, 0x0A] + Array("disallow: /b".utf8)
        #expect(!RobotsRules(odd.span, product: "x").verdict(try #require(WebURL("http://h/b"))).isAllowed)
        for bytes in [[], [0x0A], [0xEF, 0xBB], [0xFF]] as [[UInt8]] {
            #expect(RobotsRules(bytes.span, product: "x").rules.isEmpty)
        }
        for delay in ["-1", "nan", "x", "", "1e999"] {
            #expect(rules("user-agent: *\ncrawl-delay: \(delay)").crawlDelay == nil)
        }
        #expect(rules("user-agent: *\ncrawl-delay: 99999999").crawlDelay == RobotsRules.crawlDelayMax)
    }

    @Test("500 KiB are read, no half line counts, and hostile patterns take linear time")
    func limits() throws {
        var text = "user-agent: *\ndisallow: /first\n"
        text +=
            String(repeating: "#", count: RobotsRules.bytesMax - text.utf8.count - 6)
            + "\nallow: /first/inner\ndisallow: /"
        #expect(rules(text).isTruncated)
        #expect(try !allows(text, "/first/inner"))
        #expect(try allows(text, "/other"))
        let hostile = "disallow: /*" + String(repeating: "a", count: 1000) + "b\n"
        let stars = "disallow: " + String(repeating: "*a", count: 2000) + "$\n"
        let many = "user-agent: *\n" + String(repeating: hostile + stars, count: 100)
        #expect(try allows(many, "/" + String(repeating: "a", count: 1990)))
    }

    @Test("a status decides when there is no file")
    func statuses() throws {
        let url = try #require(WebURL("http://h/a"))
        for (status, isAllowed) in [(200, true), (404, true), (403, true), (429, false), (500, false), (503, false)] {
            guard case .rules(let rules) = RobotsAnswer(status: status, body: [UInt8]().span, product: "x") else {
                Issue.record("no rules for \(status)")
                continue
            }
            #expect(rules.verdict(url).isAllowed == isAllowed, "\(status)")
        }
    }

    @Test("sitemaps: XML with prefixes and damage, an index, a text, packed")
    func sitemaps() {
        let xml = """
            <?xml version="1.0"?><!-- <url><loc>no</loc></url> --><s:urlset xmlns:s="x" xmlns:image="y">
            <s:url><s:loc> http://h/1?a=1&amp;b=2 </s:loc><image:image><image:loc>http://h/i.png</image:loc></image:image>
            <s:lastmod>2026-01-31T10:00:00+08:00</s:lastmod></s:url>
            <s:url><s:loc><![CDATA[http://h/2?a&b]]></s:loc></s:url>
            <s:url><s:lastmod>2026</s:lastmod></s:url><s:url><s:loc>http://h/3</s:loc>
            <s:url><s:loc>http://h/4</s:loc></s:url></s:urlset>
            """
        let map = Sitemap(Array(xml.utf8).span)
        #expect(map.entries.map(\.location) == ["http://h/1?a=1&b=2", "http://h/2?a&b", "http://h/3", "http://h/4"])
        #expect(map.entries[0].lastModified == "2026-01-31T10:00:00+08:00")
        #expect(map.entries.allSatisfy { !$0.isSitemap } && !map.isTruncated)
        let index = Sitemap(Array("<sitemapindex><sitemap><loc>http://h/a.gz</loc></sitemap></sitemapindex>".utf8).span)
        #expect(index.entries == [.init(location: "http://h/a.gz", lastModified: nil, isSitemap: true)])
        #expect(Sitemap(Gzip.compress(Array(xml.utf8).span).span) == map)
        let text = "\u{FEFF}http://h/a\r\nnothing\n https://h/b \n"
        #expect(Sitemap(Array(text.utf8).span).entries.map(\.location) == ["http://h/a", "https://h/b"])
        let huge = String(repeating: "http://h/a\n", count: Sitemap.entriesMax + 5)
        let cut = Sitemap(Array(huge.utf8).span)
        #expect(cut.entries.count == Sitemap.entriesMax && cut.isTruncated)
        for end in stride(from: 0, to: xml.utf8.count, by: 7) { _ = Sitemap(Array(xml.utf8.prefix(end)).span) }
        #expect(Sitemap(Array("<url><loc>http://h/x".utf8).span).entries.isEmpty)
        #expect(Sitemap(Array(Gzip.compress(Array(xml.utf8).span).prefix(40)).span).isTruncated)
    }
}
