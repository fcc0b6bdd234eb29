public import Core
import Wire

/// What a repository says about itself: the YAML head of its `README.md`.
public struct Card: Hashable, Sendable {
    /// An object.
    public var metadata: JSON

    public init(metadata: JSON) { self.metadata = metadata }

    /// The most of a README that is looked at.
    public static let bytesMax = 256 << 10

    /// Reads a README; `nil` when it has no head.
    ///
    /// - Throws: ``YAMLError`` for a head that is none.
    public init?(readme bytes: some Collection<UInt8>) throws {
        guard let head = Self.head(of: Array(bytes)) else { return nil }
        let document = try YAMLDocument.parse(utf8: head, bytesMax: Self.bytesMax)
        guard case .object = document.json else { return nil }
        metadata = document.json
    }

    /// What is between a first line `---` and the next one.
    private static func head(of bytes: [UInt8]) -> [UInt8]? {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let mark = Array("---".utf8)
        func isMark(_ line: ArraySlice<UInt8>) -> Bool {
            line.elementsEqual(mark) || (line.last == 13 && line.dropLast().elementsEqual(mark))
        }
        guard let first = lines.first, isMark(first), let end = lines.dropFirst().firstIndex(where: isMark) else {
            return nil
        }
        return Array(lines[1..<end].joined(separator: [UInt8(ascii: "\n")]))
    }

    public var library: String? { metadata["library_name"]?.stringValue }
    public var task: String? { metadata["pipeline_tag"]?.stringValue }
    public var licence: String? { metadata["license"]?.stringValue }
    public var languages: [String] { texts("language") }

    /// What a search can ask for.
    public func tags(on shelf: RepositoryShelf) -> [String] {
        var tags = texts("tags")
        tags += [library, task].compactMap { $0 }
        tags += texts("license").map { "license:\($0)" }
        tags += texts("language").map { shelf == .datasets ? "language:\($0)" : $0 }
        tags += texts("datasets").map { "dataset:\($0)" }
        tags += texts("base_model").map { "base_model:\($0)" }
        for key in ["task_categories", "task_ids", "size_categories", "modality", "source_datasets"] {
            tags += texts(key).map { "\(key):\($0)" }
        }
        var seen: Set<String> = []
        return tags.filter { seen.insert($0).inserted }
    }

    /// A text, or a list of texts.
    private func texts(_ key: String) -> [String] {
        switch metadata[key] {
        case .string(let text)?: [text]
        case .array(let items)?: items.compactMap(\.stringValue)
        default: []
        }
    }
}
