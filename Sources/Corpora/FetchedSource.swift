public import Core
import Glibc
import Wire

/// A source that is a revision of a repository, and where its files are on this machine.
///
/// What a run fetched is noted in its output folder, so that everything after it looks at the same files without asking
/// anybody.
public struct FetchedSource: Sendable, Hashable, Codable {
    /// Of the source in the pipeline.
    public var name: String
    /// Such as `datasets/demo/corpus`, and the branch, tag or commit that the pipeline names.
    public var repository: String
    public var asked: String
    /// The commit; `nil` when somebody brought the files and nobody knows.
    public var revision: String?
    /// Where its top is; in the file from the output folder, if it is in there.
    public var folder: String

    /// What is to be fetched.
    public struct Request: Sendable {
        public let repository: String
        public let revision: String
        /// A folder for files by their digests and for revisions made of them.
        public let cache: String
        /// Whether a file of the revision is one of the source.
        public let wants: @Sendable (String) -> Bool
    }

    /// Fetches what a pipeline's sources are, and notes it.
    ///
    /// - Parameters:
    ///   - output: As in ``PipelineFile/init(_:output:)``.
    ///   - folders: By source, where somebody brought its files already, and of which commit they are, if that is known.
    ///   - bring: Brings a revision; returns its commit and the folder that has its files.
    /// - Throws: ``Failure`` for a pipeline with faults, for a folder of no such source, and whatever `bring` throws.
    public static func fetch(
        for path: String,
        output: String? = nil,
        folders: [String: (path: String, commit: GitHash?)],
        _ bring: (Request) async throws -> (revision: String, folder: String)
    ) async throws {
        let document = try PipelineDocument.read(
            yaml: Disk.read(path, bytesMax: YAMLDocument.bytesMax),
            file: path
        )
        let sources = document.sources.filter { $0.repository != nil }
        for name in folders.keys.sorted() where !sources.contains(where: { $0.name == name }) {
            throw Failure(.invalid, "\(path) has no source '\(name)' that is a revision of a repository.")
        }
        guard !sources.isEmpty else { return }
        let base = Disk.folder(of: path)
        let output = output ?? PipelineFile.resolve(document.output.folder, from: base)
        try Disk.makeFolder(output + "/work/blocks")
        let lock = try RunLock(output)
        defer { lock.release() }
        var fetched: [FetchedSource] = []
        for source in sources {
            guard let repository = source.repository else { continue }
            let asked = source.revision ?? ReferenceName.main.name
            var entry = FetchedSource(name: source.name, repository: repository, asked: asked, folder: "")
            if let folder = folders[source.name] {
                guard let path = realpath(folder.path, nil) else { throw Disk.failure("found", folder.path) }
                entry.folder = String(cString: path)
                free(path)
                // A commit means itself, whoever brought its files.
                entry.revision = (folder.commit ?? GitHash(asked))?.text
            } else {
                let patterns = source.files
                let request = Request(repository: repository, revision: asked, cache: output + "/work/repositories") {
                    Self.fits($0, oneOf: patterns)
                }
                let (revision, folder) = try await bring(request)
                entry.revision = revision
                entry.folder = folder.hasPrefix(output + "/") ? String(folder.dropFirst(output.count + 1)) : folder
            }
            fetched.append(entry)
        }
        try Disk.publish(json(fetched), at: Self.path(output))
    }

    private init(name: String, repository: String, asked: String, folder: String) {
        (self.name, self.repository, self.asked, self.folder) = (name, repository, asked, folder)
    }

    private static func path(_ output: String) -> String { output + "/work/repositories.json" }

    /// What the last run fetched, by the names of the sources.
    ///
    /// - Throws: ``Failure`` when a source of the pipeline is not among it.
    static func all(of document: PipelineDocument, in output: String) throws(Failure) -> [String: FetchedSource] {
        let sources = document.sources.filter { $0.repository != nil }
        guard !sources.isEmpty else { return [:] }
        let known = Disk.exists(path(output)) ? try readJSON([FetchedSource].self, path(output)) : []
        var fetched: [String: FetchedSource] = [:]
        for source in sources {
            let found = known.first {
                $0.name == source.name && $0.repository == source.repository
                    && $0.asked == source.revision ?? ReferenceName.main.name
            }
            guard var found else {
                throw Failure(
                    .notFound,
                    "The source '\(source.name)' is a repository's revision that is not here. 'onepoint data run' fetches it."
                )
            }
            found.folder = PipelineFile.resolve(found.folder, from: output)
            fetched[source.name] = found
        }
        return fetched
    }

    /// Whether a path is one that a pattern fits, or below a folder that one fits, as glob(7) has it.
    static func fits(_ path: String, oneOf patterns: [String]) -> Bool {
        var ends = path.indices.filter { path[$0] == "/" }
        ends.append(path.endIndex)
        return patterns.contains { pattern in
            ends.contains { fnmatch(pattern, String(path[..<$0]), FNM_PATHNAME | FNM_PERIOD) == 0 }
        }
    }
}
