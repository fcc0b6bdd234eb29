import Foundation
import Testing

@Suite struct DocumentTests {
    static let repository = Repository.here

    struct Link {
        let document: String
        let target: String
        let anchor: String?
        /// Relative to the root; `nil` for the document itself.
        var path: String? {
            if target.isEmpty { return document }
            let folder = document.split(separator: "/").dropLast().map(String.init)
            var parts = folder
            for part in target.split(separator: "/") {
                if part == ".." {
                    if parts.popLast() == nil { return nil }
                } else if part != "." {
                    parts.append(String(part))
                }
            }
            return parts.joined(separator: "/")
        }
    }

    static func links(of document: String) throws -> [Link] {
        var isCode = false
        var found: [Link] = []
        for line in try repository.text(document).split(separator: "\n") {
            if line.drop(while: { $0 == " " }).hasPrefix("```") { isCode.toggle() }
            if isCode { continue }
            for match in line.matches(of: /\]\(([^)\s]+)\)/) {
                let parts = match.output.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let target = String(parts[0])
                guard !target.contains("://"), !target.hasPrefix("mailto:") else { continue }
                found.append(Link(document: document, target: target, anchor: parts.count > 1 ? String(parts[1]) : nil))
            }
        }
        return found
    }

    /// The anchors that a Markdown document offers: its headings in lower case, without punctuation, hyphenated.
    static func anchors(of document: String) throws -> Set<String> {
        let headings = try repository.text(document).split(separator: "\n").filter { $0.hasPrefix("#") }
        return Set(
            headings.map { heading in
                heading.drop { $0 == "#" || $0 == " " }.lowercased().filter {
                    $0.isLetter || $0.isNumber || $0 == " " || $0 == "-"
                }
                .replacingOccurrences(of: " ", with: "-")
            }
        )
    }

    @Test("every link between documents leads to a file, and its anchor to a heading")
    func links() throws {
        for document in Self.repository.documents {
            for link in try Self.links(of: document) {
                guard let path = link.path, Self.repository.exists(path) else {
                    Issue.record("\(document) links to \(link.target), which is not there")
                    continue
                }
                if let anchor = link.anchor, path.hasSuffix(".md") {
                    #expect(try Self.anchors(of: path).contains(anchor), "\(document) links to \(path)#\(anchor)")
                }
            }
        }
    }

    @Test("every document can be reached from README.md")
    func reachable() throws {
        var reached: Set<String> = []
        var frontier = ["README.md"]
        while let document = frontier.popLast() {
            guard reached.insert(document).inserted, Self.repository.exists(document) else { continue }
            frontier += try Self.links(of: document).compactMap(\.path).filter { $0.hasSuffix(".md") }
            // A link to a folder is a link to what stands in it.
            for folder in try Self.links(of: document).compactMap(\.path) where !folder.hasSuffix(".md") {
                frontier += Self.repository.files(in: folder, endings: [".md"]).filter {
                    $0.split(separator: "/").count == folder.split(separator: "/").count + 1
                }
            }
        }
        for document in Self.repository.documents {
            #expect(reached.contains(document), "nothing leads to \(document)")
        }
    }

    @Test("README.md names the two commands, and both are there to be run")
    func readme() throws {
        let text = try Self.repository.text("README.md")
        for script in ["scripts/run", "scripts/test"] {
            #expect(text.contains(script))
            #expect(FileManager.default.isExecutableFile(atPath: "\(Self.repository.root)/\(script)"), "\(script)")
        }
    }

    @Test("decisions are numbered without gaps and each says what it was, why, and how it could prove wrong")
    func decisions() throws {
        let paths = Self.repository.files(in: "docs/decisions", endings: [".md"])
        #expect(!paths.isEmpty)
        for (index, path) in paths.enumerated() {
            let number = String(repeating: "0", count: 4 - String(index + 1).count) + String(index + 1)
            #expect(path.hasPrefix("docs/decisions/\(number)-"), "\(path) should be number \(number)")
            let text = try Self.repository.text(path)
            for part in ["## Context", "## Options", "## Decision", "## Consequences", "## How we would notice"] {
                #expect(text.contains("\n\(part)"), "\(path) lacks '\(part)'")
            }
        }
    }

    @Test("every metric of the sources has a row in docs/reference/metrics.md, and every row a metric")
    func metrics() throws {
        var inSources: Set<String> = []
        for path in Self.repository.files(in: "Sources", endings: [".swift"]) {
            let text = try Self.repository.text(path)
            // A family is named in quotes, or after `# TYPE`, and every counter, gauge and histogram has a help text.
            for match in text.matches(of: /family\(\s*"(onepoint_[a-z0-9_]+)"/) {
                inSources.insert(String(match.output.1))
            }
            for match in text.matches(of: /# TYPE (onepoint_[a-z0-9_]+)/) { inSources.insert(String(match.output.1)) }
            for match in text.matches(of: /\("(onepoint_[a-z0-9_]+)", "/) { inSources.insert(String(match.output.1)) }
        }
        let rows = try Self.repository.text("docs/reference/metrics.md").matches(of: /\|\s*`(onepoint_[a-z0-9_]+)`/)
        #expect(Set(rows.map { String($0.output.1) }) == inSources)
    }

    @Test(
        "every key that the server's configuration reads has a row in docs/reference/configuration.md, and every row a key"
    )
    func configuration() throws {
        let paths = [
            "Sources/onepoint/ServerConfiguration.swift", "Sources/onepoint/ServerConfiguration+bucket.swift",
            "Sources/onepoint/ServerConfiguration+clusters.swift",
        ]
        let sources = try paths.map { try Self.repository.text($0) }.joined()
        let keys =
            (sources.matches(
                of: /(?:reader|fields)\.(?:string|strings|integer|integers|number|list|flag|object)\("([a-z_]+)"/
            ) + sources.matches(of: /section\("([a-z_]+)"/)).map { String($0.output.1) }
        #expect(!keys.isEmpty)
        let document = try Self.repository.text("docs/reference/configuration.md")
        let rows = document.matches(of: /\n\|\s*`(?:(?:centres|links)\[\]\.)?(?:[a-z]+\.)*([a-z_]+)`\s*\|/).map {
            String($0.output.1)
        }
        #expect(Set(rows) == Set(keys))
    }
}
