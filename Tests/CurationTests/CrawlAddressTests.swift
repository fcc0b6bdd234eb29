import Core
import Testing

@testable import Curation

@Suite("crawl addresses")
struct CrawlAddressTests {
    /// > Source: RFC 3986, section 5.4, with `http:g` as browsers have it.
    @Test("references resolve as RFC 3986 lists them")
    func resolves() throws {
        let base = try #require(WebURL("http://a/b/c/d;p?q"))
        let cases = [
            ("g", "b/c/g"), ("./g", "b/c/g"), ("g/", "b/c/g/"), ("/g", "g"), ("?y", "b/c/d;p?y"), ("g?y", "b/c/g?y"),
            ("#s", "b/c/d;p?q"), ("g#s", "b/c/g"), (";x", "b/c/;x"), ("g;x=1/./y", "b/c/g;x=1/y"),
            ("", "b/c/d;p?q"), (".", "b/c/"), ("..", "b/"), ("../g", "b/g"), ("../..", ""), ("../../../g", "g"),
            ("/./g", "g"), ("/../g", "g"), ("g.", "b/c/g."), ("..g", "b/c/..g"), ("./../g", "b/g"),
            ("g/./h", "b/c/g/h"), ("g/../h", "b/c/h"), ("g?y/../x", "b/c/g?y/../x"), ("http:g", "b/c/g"),
        ]
        for (reference, expected) in cases {
            #expect(base.resolving(reference)?.text == "http://a/" + expected, "\(reference)")
        }
        #expect(base.resolving("//g")?.text == "http://g/")
        #expect(base.resolving("https:g")?.text == "https://g/")
        #expect(base.resolving("\\\\x\\y")?.text == "http://x/y")
    }

    @Test("spellings of one address become one address")
    func normalizes() {
        let cases = [
            (" HTTP://EXAMPLE.com:80/%7euser/a%2fb?x=%e4%bd%a0#top\n", "http://example.com/~user/a%2Fb?x=%E4%BD%A0"),
            ("https://example.com:443", "https://example.com/"),
            ("https://example.com:8443/a b", "https://example.com:8443/a%20b"),
            ("http://example.com./%2e%2E/你", "http://example.com/%E4%BD%A0"),
            ("http://例子.测试/a", "http://xn--fsqu00a.xn--0zwm56d/a"),
            ("http://Bücher。de/", "http://xn--bcher-kva.de/"),
            ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
            ("http://a/%zz%", "http://a/%zz%"), ("ht\ntp://a/\tb", "http://a/b"), ("http:///a/b", "http://a/b"),
        ]
        for (given, expected) in cases {
            let url = WebURL(given)
            #expect(url?.text == expected, "\(given)")
            #expect(url.flatMap { WebURL($0.text) } == url, "\(given) again")
        }
    }

    @Test(
        "what a crawler must not ask is no address",
        arguments: [
            "", "a", "/a", "mailto:a@b", "javascript:alert(1)", "ftp://a/", "data:,x", "http://", "http://user@a/",
            "http://user:pass@a/", "http://a:0/", "http://a:65536/", "http://a:8x/", "http://a b/", "http://127.1/",
            "http://0x7f000001/", "http://2130706433/", "http://1.2.3.256/", "http://a..b/", "http://[::1/",
            "http://[]/",
            "http://a%00b/", "http://" + String(repeating: "a", count: 64) + "/",
            "http://a/" + String(repeating: "a", count: 2040), "http://" + String(repeating: "你", count: 2000),
        ]
    )
    func refuses(_ text: String) { #expect(WebURL(text) == nil) }

    @Test("an address that was read is read again as itself, whatever the bytes")
    func isStable() {
        var random = DuplicateRandom.ofTests(1)
        let alphabet = Array("ab.:/?#%2eF[]@\\ \t&=你é*$'\"<>".utf8)
        for _ in 0..<4000 {
            let bytes =
                Array("http://h".utf8)
                + (0..<Int.random(in: 0...24, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }
            guard let url = WebURL(bytes[...], base: nil) else { continue }
            #expect(WebURL(url.text) == url)
            #expect(!url.path.contains("/../") && url.text.utf8.allSatisfy { $0 > 32 && $0 < 127 })
        }
    }

    @Test("a page's links: base, references, nofollow, and what the page asks of crawlers")
    func links() throws {
        var reader = LinkReader(product: "OnepointTest")
        let url = try #require(WebURL("http://a/dir/page"))
        let html = """
            <head><base href="/base/"><link rel="alternate canonical" href="own"><meta name=Robots content="NoIndex">
            <meta name="onepointtest" content="noarchive"></head>
            <body><a href="x?a=1&amp;b=2">1</a> <a href=x?a=1&b=2>again</a> <a rel="external NoFollow" href=y>2</a>
            <map><area href="//b/z"></map> <a href="mailto:q@b">3</a> <a href="http://b:99999/">4</a> <a>5</a>
            <!-- <a href="hidden">6</a> --> <script>"<a href='script'>7</a>"</script> <a href="#here">8</a>
            """
        let links = reader.read(Array(html.utf8).span, at: url)
        #expect(links.links.map(\.text) == ["http://a/base/x?a=1&b=2", "http://b/z", "http://a/base/"])
        #expect(links.canonical?.text == "http://a/dir/own")
        #expect(links.directives.isNoIndex && !links.directives.isNoFollow)
        let closed = reader.read(Array("<meta name=robots content=none><a href=x>".utf8).span, at: url)
        #expect(closed.links.isEmpty && closed.directives.isNoFollow)
        let many = String(repeating: "<a href=a><a href=b>", count: 20_000)
        #expect(reader.read(Array(many.utf8).span, at: url).links.count == 2)
    }

    @Test("a field's directives are for everybody or for the crawler that is named")
    func directives() {
        func read(_ text: String) -> RobotsDirectives {
            var directives = RobotsDirectives()
            directives.read(Array(text.utf8), product: "OnepointTest")
            return directives
        }
        #expect(read("noindex, nofollow").isNoFollow)
        #expect(!read("otherbot: noindex, nofollow").isNoFollow)
        #expect(read("otherbot: noindex, OnepointTest: none").isNoIndex)
        #expect(read("unavailable_after: 25 Jun 2010 15:00:00 PST, noindex").isNoIndex)
        #expect(read("") == RobotsDirectives())
    }

    @Test("addresses of this machine, of networks of one's own and of nobody are not public")
    func publicAddresses() {
        let cases: [([UInt8], Bool)] = [
            ([8, 8, 8, 8], true), ([127, 0, 0, 1], false), ([10, 1, 2, 3], false), ([172, 31, 0, 1], false),
            ([172, 32, 0, 1], true), ([192, 168, 0, 1], false), ([169, 254, 169, 254], false), ([0, 0, 0, 0], false),
            ([100, 64, 0, 1], false), ([100, 128, 0, 1], true), ([224, 0, 0, 1], false), ([255, 255, 255, 255], false),
            ([], false), ([1], false),
        ]
        for (bytes, isPublic) in cases { #expect(IPAddress.isPublic(bytes) == isPublic, "\(bytes)") }
        for (bytes, isPublic) in cases where bytes.count == 4 {
            let zeros = [UInt8](repeating: 0, count: 10)
            #expect(IPAddress.isPublic(zeros + [0xFF, 0xFF] + bytes) == isPublic)
            #expect(IPAddress.isPublic([0, 0x64, 0xFF, 0x9B] + zeros.dropLast(2) + bytes) == isPublic)
            #expect(IPAddress.isPublic([0x20, 0x02] + bytes + zeros) == isPublic)
            #expect(!IPAddress.isPublic(zeros + [0, 0] + bytes))
        }
        let rest = [UInt8](repeating: 1, count: 14)
        for (first, second, isPublic) in [(0x24, 0x08, true), (0xFE, 0x80, false), (0xFC, 0, false), (0xFF, 2, false)] {
            #expect(IPAddress.isPublic([UInt8(first), UInt8(second)] + rest) == isPublic)
        }
    }

    @Test("a server says how long to wait in seconds or as a date")
    func retryAfter() throws {
        let now = try #require(Instant(rfc3339: "2026-01-31T10:00:00Z"))
        #expect(RetryAfter.duration(" 120 ", at: now) == .seconds(120))
        #expect(RetryAfter.duration("Sat, 31 Jan 2026 10:01:30 GMT", at: now) == .seconds(90))
        for text in ["", "-1", "soon", "Sat, 31 Jan 2026 09:00:00 GMT", "99999999999", "Sat, 31 Xyz 2026 10:01:30 GMT"]
        {
            #expect(RetryAfter.duration(text, at: now) == nil, "\(text)")
        }
    }
}
