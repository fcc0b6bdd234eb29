public import Core
import Glibc
public import Wire

/// A pipeline as it stands in a file, with the files that it names.
public struct PipelineFile: Sendable {
    public let document: PipelineDocument
    public let path: String
    /// Where relative paths begin.
    let folder: String
    /// By source, in the order in which documents are numbered.
    public private(set) var sources: [Source]
    /// Where everything of the run is written.
    public let outputFolder: String

    /// One source with its files.
    public struct Source: Sendable {
        public let name: String
        public let isReference: Bool
        public let fields: PipelineDocument.Fields
        public let files: [File]
        /// The revision that the files are of; `nil` when they are of this machine.
        public let revision: FetchedSource?

        public struct File: Sendable, Hashable {
            public let path: String
            public let format: Format
            public let bytes: Int
        }
    }

    /// What a file is and how it is packed.
    public struct Format: Sendable, Hashable {
        public var content: PipelineDocument.Format
        public var packing: Packing

        public enum Packing: Sendable, Hashable { case none, gzip, zstd }
    }

    /// Of the files of all sources, as they are on the disk.
    var byteCount: Int { sources.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.bytes } } }

    /// Files of all sources.
    static let filesMax = 1_000_000

    /// Reads a pipeline and finds its files.
    ///
    /// - Parameter output: Where to write instead of the folder that the file names; from where the process is.
    /// - Throws: ``Failure`` with every fault of the file; or naming the pattern that fits no file.
    public init(_ path: String, output: String? = nil) throws(Failure) {
        self.path = path
        let folder = Disk.folder(of: path)
        self.folder = folder
        document = try .read(yaml: Disk.read(path, bytesMax: YAMLDocument.bytesMax), file: path)
        outputFolder = output ?? Self.resolve(document.output.folder, from: folder)
        var sources: [Source] = []
        var violations: [Violation] = []
        var count = 0
        let fetched = try FetchedSource.all(of: document, in: outputFolder)
        for (index, source) in document.sources.enumerated() {
            var files: [Source.File] = []
            let revision = fetched[source.name]
            let root = revision?.folder ?? folder
            for (place, pattern) in source.files.enumerated() {
                let found = try Self.expand(Self.resolve(pattern, from: Self.literal(root)))
                if found.isEmpty {
                    violations.append(Violation("/sources/\(index)/files/\(place)", "no file fits '\(pattern)'"))
                }
                for path in found {
                    guard let format = Format(path: path, as: source.format) else {
                        violations.append(
                            Violation(
                                "/sources/\(index)/format",
                                "is missing: the ending of \(path) does not say what it is"
                            )
                        )
                        break
                    }
                    if format.packing == .zstd && format.content == .warc
                        || format.packing != .none && format.content == .parquet
                    {
                        violations.append(
                            Violation(
                                "/sources/\(index)/files/\(place)",
                                "\(path) is packed as a whole, which its format is not read from; unpack it"
                            )
                        )
                        break
                    }
                    files.append(.init(path: path, format: format, bytes: try InputFile(path).count))
                }
            }
            count += files.count
            guard count <= Self.filesMax else {
                throw Failure(.tooLarge, "\(path) names more than \(Self.filesMax) files.")
            }
            sources.append(
                Source(
                    name: source.name,
                    isReference: source.isReference,
                    fields: source.fields,
                    files: files,
                    revision: revision
                )
            )
        }
        violations += try Self.outputFaults(document, sources, output: outputFolder, folder: folder)
        guard violations.isEmpty else {
            throw Failure(.invalid, "\(path): sources lack files that can be read.", violations: violations)
        }
        self.sources = sources
    }

    /// The pipeline with that source alone; `nil` when it has none of that name.
    func with(source name: String) -> PipelineFile? {
        var alone = self
        alone.sources = sources.filter { $0.name == name }
        return alone.sources.isEmpty ? nil : alone
    }

    /// A path as a pattern that fits it alone.
    static func literal(_ path: String) -> String {
        path.reduce(into: "") { pattern, character in
            if "\\*?[".contains(character) { pattern.append("\\") }
            pattern.append(character)
        }
    }

    /// A file's path from the pipeline file's folder, or from the top of the revision that its source is of; as it is where
    /// the file lies elsewhere.
    func relative(_ path: String, in source: Source? = nil) -> String {
        let root = (source?.revision?.folder ?? folder) + "/"
        return path.utf8.starts(with: root.utf8)
            ? String(decoding: path.utf8.dropFirst(root.utf8.count), as: UTF8.self) : path
    }

    /// A path from the pipeline file's folder.
    func resolve(_ path: String) -> String { Self.resolve(path, from: folder) }

    /// The same for a pattern, in which the folder's own letters stand for themselves.
    func resolvePattern(_ pattern: String) -> String { Self.resolve(pattern, from: Self.literal(folder)) }

    static func resolve(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }

    /// The files that a pattern stands for: those that fit it, and all files below a folder that does. Sorted, so that
    /// documents have the same numbers on every machine. Symbolic links to folders are not followed.
    static func expand(_ pattern: String) throws(Failure) -> [String] {
        var paths: [String] = []
        for path in try matches(pattern) { try files(below: path, into: &paths) }
        return paths.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    /// What fits a pattern, files and folders, in no order.
    static func matches(_ pattern: String) throws(Failure) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        let status = glob(pattern, GLOB_NOSORT, nil, &result)
        if status == GLOB_NOMATCH { return [] }
        guard status == 0 else { throw Failure(.unavailable, "'\(pattern)' cannot be searched for.") }
        return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
    }

    private static func files(below path: String, into paths: inout [String]) throws(Failure) {
        guard Disk.isFolder(path) else {
            paths.append(path)
            return
        }
        for name in try Disk.names(in: path) {
            let inner = path + "/" + name
            var status = stat()
            guard lstat(inner, &status) == 0 else { throw Disk.failure("looked at", inner) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try files(below: inner, into: &paths)
            case S_IFREG: paths.append(inner)
            default: continue
            }
            guard paths.count <= filesMax else {
                throw Failure(.tooLarge, "\(path) has more than \(filesMax) files.")
            }
        }
    }
}

extension PipelineFile.Format {
    /// By the name's ending; `nil` when it says nothing and nobody else does.
    init?(path: String, as content: PipelineDocument.Format?) {
        var name = path.lowercased()[...]
        packing = .none
        for (ending, packing) in [(".gz", Packing.gzip), (".zst", .zstd)] where name.hasSuffix(ending) {
            self.packing = packing
            name = name.dropLast(ending.count)
        }
        let endings: [(String, PipelineDocument.Format)] = [
            (".jsonl", .jsonl), (".ndjson", .jsonl), (".json", .jsonl), (".warc", .warc), (".wet", .warc),
            (".parquet", .parquet), (".txt", .text), (".md", .text), (".html", .html), (".htm", .html),
        ]
        guard let found = content ?? endings.first(where: { name.hasSuffix($0.0) })?.1 else { return nil }
        self.content = found
    }
}
