import Foundation
import Testing

@Suite struct SourceTests {
    static let repository = Repository.here

    /// Where a banned thing is right all the same, by the beginning of the path, and why.
    static let exceptions: [(what: String, path: String, reason: String)] = [
        ("print", "Sources/onepoint/", "answers of commands go to standard output"),
        ("print", "Sources/Client/", "answers of commands go to standard output"),
        ("sleep", "Tests/StoreTests/WriterTests.swift", "holds the writer's own thread, which cannot suspend"),
        ("sleep", "Tests/StoreTests/", "polls for a level with a limit"),
        ("sleep", "Tests/BlobsTests/Support.swift", "polls for a level with a limit"),
        ("sleep", "Tests/CorporaTests/Support.swift", "a clock of its own that does not wait"),
        ("sleep", "Tests/CorporaTests/CrawlSite.swift", "polls another process for a level with a limit"),
        ("sleep", "Tests/EndToEndTests/", "polls another process for a level with a limit"),
        ("sleep", "Tests/EnginesTests/", "polls real processes for a level with a limit"),
        ("length", "Sources/Core/Accelerator+catalogue.swift", "a table of data"),
        ("length", "Sources/Console/Language/Message.swift", "a table of messages, a line each"),
    ]

    static func isExcepted(_ what: String, _ path: String) -> Bool {
        exceptions.contains { $0.what == what && path.hasPrefix($0.path) }
    }

    static func expectNone(_ what: String, of pattern: some RegexComponent, in folder: String) throws {
        for path in repository.files(in: folder, endings: [".swift"]) where !isExcepted(what, path) {
            for line in try Line.ofCode(path, in: repository) where line.text.firstMatch(of: pattern) != nil {
                Issue.record("\(what): \(line)")
            }
        }
    }

    @Test("nothing in Sources is forced: no try!, no as!, no unimplemented end")
    func forced() throws {
        try Self.expectNone("forced try", of: /\btry!/, in: "Sources")
        try Self.expectNone("forced cast", of: /\bas!/, in: "Sources")
        try Self.expectNone("unfinished", of: /\bfatalError\(/, in: "Sources")
    }

    @Test("nothing in Sources prints except the commands, whose answers go to standard output")
    func printing() throws {
        try Self.expectNone("print", of: /(?:^|[^.\w])(?:debugPrint|print)\(/, in: "Sources")
    }

    @Test("tests wait for a level, not for a time")
    func sleeping() throws {
        try Self.expectNone("sleep", of: /\b(?:Task\.sleep|usleep|nanosleep|sleep)\(/, in: "Tests")
    }

    @Test("nothing is left for later without an issue")
    func leftovers() throws {
        let marks = ["TO" + "DO", "FIX" + "ME"]
        for path in Self.repository.written
        where path.hasSuffix(".swift") || path.hasSuffix(".c") || path.hasSuffix(".h") {
            for (index, line) in try Self.repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated()
            {
                #expect(!marks.contains { line.contains($0) }, "\(path):\(index + 1)")
            }
        }
    }

    @Test("no file is too long to read in one sitting")
    func length() throws {
        for path in Self.repository.written where path.hasSuffix(".swift") || path.hasSuffix(".c") {
            guard !Self.isExcepted("length", path) else { continue }
            let lines = try Self.repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 600, "\(path) has \(lines) lines")
        }
    }

    @Test("no unchecked Sendable without the name of what guards it beside it")
    func uncheckedSendable() throws {
        for path in Self.repository.files(in: "Sources", endings: [".swift"]) {
            let lines = try Self.repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                guard line.contains("@unchecked Sendable"), !line.drop(while: { $0 == " " }).hasPrefix("//") else {
                    continue
                }
                let before = lines[max(0, index - 6)..<index]
                let isExplained = before.contains { $0.contains("//") && $0.contains("@unchecked Sendable") }
                #expect(isExplained, "\(path):\(index + 1)")
            }
        }
    }

    @Test("no file names a folder of the machine that it was written on")
    func machinePaths() throws {
        // Put together here, so that this file does not hold what it looks for.
        let folders = ["main", "dev", "shared"].map { "/" + "work/" + $0 }
        let texts = [".swift", ".c", ".h", ".md", ".yaml", ".json", ".py", ".txt", "/run", "/test", ".sh"]
        for path in Self.repository.written where texts.contains(where: { path.hasSuffix($0) }) {
            // Samples of other encodings are no text of ours.
            guard let text = try? Self.repository.text(path) else {
                #expect(path.contains("/Fixtures/"), "\(path) is not UTF-8")
                continue
            }
            for folder in folders { #expect(!text.contains(folder), "\(path) names \(folder)") }
        }
    }
}
