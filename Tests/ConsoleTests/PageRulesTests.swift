import Testing

@testable import Console

/// What every page must be, whatever it shows.
@Suite struct PageRulesTests {
    private static var all: [(name: String, html: String)] {
        Language.allCases.flatMap { language in
            [true, false].flatMap { isOperator in
                Gallery.pages(Sample.frame(language, isOperator: isOperator))
                    .map { ("\($0.name).\(language.rawValue)", $0.html.text) }
            }
        }
    }

    @Test("a page has exactly one first heading")
    func headings() {
        for page in Self.all { #expect(page.html.occurrences(of: "<h1") == 1, "\(page.name)") }
    }

    @Test("a page has no script, style or handler of its own: the content policy forbids them")
    func nothingInline() {
        for page in Self.all {
            #expect(page.html.occurrences(of: "<script") == 1, "\(page.name)")
            #expect(page.html.occurrences(of: "<script src=\"script.js\" defer></script>") == 1, "\(page.name)")
            #expect(page.html.occurrences(of: "<style") == 0, "\(page.name)")
            for tag in Tag.all(in: page.html) {
                #expect(tag.attributes["style"] == nil, "\(page.name): \(tag)")
                #expect(!tag.attributes.keys.contains { $0.hasPrefix("on") }, "\(page.name): \(tag)")
                for name in ["href", "src", "action"] {
                    guard let target = tag.attributes[name] else { continue }
                    #expect(!target.lowercased().hasPrefix("javascript:"), "\(page.name): \(tag)")
                    #expect(!target.hasPrefix("http") && !target.hasPrefix("//"), "\(page.name): \(tag)")
                }
            }
        }
    }

    @Test("every field that a person fills in has a label")
    func labels() {
        for page in Self.all {
            let tags = Tag.all(in: page.html)
            let labelled = Set(tags.filter { $0.name == "label" }.compactMap { $0.attributes["for"] })
            for tag in tags where ["input", "select", "textarea"].contains(tag.name) && !tag.isClosing {
                if tag.attributes["type"] == "hidden" { continue }
                let id = tag.attributes["id"]
                let isLabelled =
                    id.map { labelled.contains($0) } ?? false || tag.attributes["aria-label"] != nil
                    || page.html.contains(
                        "<label class=\"check\"><input type=\"checkbox\" name=\"\(tag.attributes["name"] ?? "")\""
                    )
                #expect(isLabelled, "\(page.name): \(tag)")
            }
        }
    }

    @Test("identifiers are unique within a page")
    func identifiers() {
        for page in Self.all {
            let ids = Tag.all(in: page.html).compactMap { $0.attributes["id"] }
            #expect(ids.count == Set(ids).count, "\(page.name): \(ids.sorted())")
        }
    }

    @Test("elements are closed in the order in which they were opened")
    func nesting() {
        let void: Set<String> = ["meta", "link", "input", "br", "hr", "img"]
        for page in Self.all {
            var open: [String] = []
            for tag in Tag.all(in: page.html) where !void.contains(tag.name) && !tag.isSelfClosing {
                if tag.isClosing {
                    #expect(open.popLast() == tag.name, "\(page.name): </\(tag.name)> after \(open.suffix(3))")
                } else {
                    open.append(tag.name)
                }
            }
            #expect(open.isEmpty, "\(page.name): \(open)")
        }
    }

    @Test("every form that changes something carries the session's token")
    func formTokens() {
        for page in Self.all where !page.name.hasPrefix("login") {
            let posts = page.html.occurrences(of: "method=\"post\"")
            #expect(page.html.occurrences(of: "name=\"form_token\" value=\"form-token\"") == posts, "\(page.name)")
        }
    }

    @Test("a page says its language, and offers the other")
    func languages() {
        for page in Self.all {
            let isChinese = page.name.hasSuffix(".zh")
            #expect(page.html.contains(isChinese ? "<html lang=\"zh-Hans\">" : "<html lang=\"en\">"), "\(page.name)")
            #expect(page.html.contains(isChinese ? "to=en&amp;back=" : "to=zh&amp;back="), "\(page.name)")
        }
    }

    @Test("nothing but operators see what only they can do")
    func operators() throws {
        let viewer = Gallery.pages(Sample.frame(isOperator: false))
        for (page, text) in [
            ("centres", "Make a join token"), ("centre", "Drain"), ("project", "Grant a voucher"),
            ("simulation", "Delete"),
        ] {
            let html = try #require(viewer.first { $0.name == page }).html.text
            let isThere = html.contains(text)
            #expect(!isThere, "\(page) has \(text)")
        }
        var frame = Sample.frame()
        frame.viewer?.canWrite = false
        #expect(!JobPage.sample.render(frame).text.contains("Cancel job"))
        #expect(!JobsPage.sample.render(frame).text.contains("checkbox"))
    }
}

/// A start or end tag, read well enough for our own markup.
struct Tag: CustomStringConvertible {
    var name: String
    var attributes: [String: String]
    var isClosing: Bool
    var isSelfClosing: Bool
    var description: String { "<\(name) \(attributes.sorted { $0.key < $1.key })>" }

    static func all(in html: String) -> [Tag] {
        var tags: [Tag] = []
        var rest = Substring(html)
        while let start = rest.firstIndex(of: "<") {
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ">") else { break }
            var inner = rest[..<end]
            rest = rest[end...]
            if inner.hasPrefix("!") { continue }
            let isClosing = inner.hasPrefix("/")
            if isClosing { inner = inner.dropFirst() }
            let isSelfClosing = inner.hasSuffix("/")
            if isSelfClosing { inner = inner.dropLast() }
            let name = inner.prefix { !$0.isWhitespace }
            tags.append(
                Tag(
                    name: String(name),
                    attributes: Self.attributes(inner.dropFirst(name.count)),
                    isClosing: isClosing,
                    isSelfClosing: isSelfClosing
                )
            )
        }
        return tags
    }

    private static func attributes(_ text: Substring) -> [String: String] {
        var found: [String: String] = [:]
        var rest = text.drop(while: \.isWhitespace)
        while !rest.isEmpty {
            let name = rest.prefix { !$0.isWhitespace && $0 != "=" }
            if name.isEmpty { break }
            rest = rest.dropFirst(name.count)
            if rest.hasPrefix("=\"") {
                rest = rest.dropFirst(2)
                let value = rest.prefix { $0 != "\"" }
                rest = rest.dropFirst(value.count + 1)
                found[String(name)] = String(value)
            } else {
                found[String(name)] = ""
            }
            rest = rest.drop(while: \.isWhitespace)
        }
        return found
    }
}

extension String {
    func occurrences(of piece: String) -> Int { components(piece).count - 1 }

    private func components(_ piece: String) -> [Substring] {
        split(separator: piece, omittingEmptySubsequences: false)
    }
}
