import FoundationEssentials
import Testing

@testable import Console

/// Pages as they are, so that a change of markup is seen by whoever makes it. `UPDATE_GOLDEN=1` rewrites them.
@Suite struct GoldenTests {
    /// The pages held in both languages; the others are held in English.
    static let bilingual: Set<String> = [
        "overview", "job", "login", "governance", "judge", "projects", "centre", "simulation",
    ]

    @Test("pages are what they were", arguments: Gallery.pages(Sample.frame()).map(\.name))
    func golden(name: String) throws {
        for language in Language.allCases where language == .en || Self.bilingual.contains(name) {
            let pages = Gallery.pages(Sample.frame(language))
            let page = try #require(pages.first { $0.name == name })
            try Self.hold(page.html.text, "\(name).\(language.rawValue).html")
        }
    }

    static func hold(_ text: String, _ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
        let file = folder.appending(path: name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
            return
        }
        let held = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        guard held != text else { return }
        let pairs = zip(
            held.split(separator: "\n", omittingEmptySubsequences: false),
            text.split(separator: "\n", omittingEmptySubsequences: false)
        )
        let first = pairs.enumerated().first { $0.element.0 != $0.element.1 }
        Issue.record(
            """
            \(name) differs from line \((first?.offset ?? 0) + 1) on. UPDATE_GOLDEN=1 accepts it.
            was: \(first?.element.0 ?? "")
            is:  \(first?.element.1 ?? "")
            """
        )
    }
}
