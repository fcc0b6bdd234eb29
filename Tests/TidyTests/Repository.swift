import Foundation

/// The repository that these tests were compiled in, as files.
struct Repository {
    let root: String

    /// Found from this very file, through whatever links the build went.
    static let here: Repository = {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath()
        return Repository(
            root: file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        )
    }()

    func text(_ path: String) throws -> String {
        try String(contentsOf: URL(filePath: "\(root)/\(path)"), encoding: .utf8)
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(path)") }

    /// Every file below a folder, relative to the root, in order; without hidden ones. A path that is a file is itself.
    func files(in folder: String, endings: [String]) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: "\(root)/\(folder)", isDirectory: &isFolder) else { return [] }
        guard isFolder.boolValue else { return [folder] }
        let names = FileManager.default.enumerator(atPath: "\(root)/\(folder)")?.compactMap { $0 as? String } ?? []
        return names.sorted().map { "\(folder)/\($0)" }.filter { path in
            !path.split(separator: "/").contains { $0.hasPrefix(".") } && endings.contains { path.hasSuffix($0) }
        }
    }

    /// Everything that people write here, as opposed to what is built or downloaded.
    var written: [String] {
        ["Sources", "Tests", "Benchmarks", "docs", "scripts", "config", "workflows", "algorithms", "Package.swift"]
            .flatMap { files(in: $0, endings: [""]) } + documents.filter { !$0.contains("/") }
    }

    /// The Markdown files of the root and of the folders above.
    var documents: [String] {
        let top = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return top.filter { $0.hasSuffix(".md") }.sorted()
            + ["docs", "algorithms"].flatMap { files(in: $0, endings: [".md"]) }
    }
}

/// One line of a file.
struct Line: CustomStringConvertible {
    let path: String
    let number: Int
    let text: Substring

    var description: String { "\(path):\(number): \(text.drop { $0 == " " })" }

    /// Lines of a Swift file outside of comments and of multi-line strings.
    static func ofCode(_ path: String, in repository: Repository) throws -> [Line] {
        var isInString = false
        var lines: [Line] = []
        for (index, text) in try repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let delimiters = text.components(separatedBy: "\"\"\"").count - 1
            let wasInString = isInString
            if delimiters % 2 == 1 { isInString.toggle() }
            if wasInString || text.drop(while: { $0 == " " }).hasPrefix("//") { continue }
            lines.append(Line(path: path, number: index + 1, text: Self.withoutStrings(text)))
        }
        return lines
    }

    /// The line without what stands between double quotes: a word in a sentence is no call.
    private static func withoutStrings(_ text: Substring) -> Substring {
        var out = ""
        var isInString = false
        var isEscaped = false
        for character in text {
            if character == "\"" && !isEscaped { isInString.toggle() }
            isEscaped = character == "\\" && !isEscaped
            if !isInString { out.append(character) }
        }
        return Substring(out)
    }
}
