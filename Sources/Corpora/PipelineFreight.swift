public import Core
public import Wire

/// What has to be where a pipeline runs: its file and every file that it names, each at its path from the pipeline's
/// folder, so that the copy does the same as the original.
///
/// Paths that lead out of that folder are refused: elsewhere they lead nowhere, and pages are named by their paths.
public struct PipelineFreight: Sendable {
    public let document: PipelineDocument
    /// The pipeline's own file among ``files``.
    public let pipeline: String
    /// In order of their paths.
    public let files: [File]
    /// Of the sources' files.
    public let sourceBytes: Int

    public struct File: Sendable, Hashable {
        /// From the pipeline's folder.
        public let path: String
        /// Where it lies on this machine.
        public let location: String
    }

    /// Finds everything that a pipeline names.
    ///
    /// - Throws: ``Failure`` with every fault and its JSON Pointer.
    public init(_ path: String) throws(Failure) {
        document = try .read(yaml: Disk.read(path, bytesMax: YAMLDocument.bytesMax), file: path)
        var finder = Finder(folder: Disk.folder(of: path))
        pipeline = String(path.split(separator: "/").last ?? "")
        finder.add(pipeline, at: path, "")
        var bytes = 0
        for (index, source) in document.sources.enumerated() {
            // Those of a revision are inputs of the jobs.
            for (place, pattern) in source.files.enumerated() where source.repository == nil {
                for file in try finder.find(pattern, "/sources/\(index)/files/\(place)") {
                    bytes += try InputFile(file).count
                }
            }
            if let dossier = source.dossier { try finder.findOne(dossier, "/sources/\(index)/dossier") }
        }
        for (index, classifier) in document.classifiers.enumerated() {
            try finder.findOne(classifier.model, "/classifiers/\(index)/model")
        }
        for (index, pack) in (document.keywords?.packs ?? []).enumerated() {
            try finder.findOne(pack, "/keywords/packs/\(index)")
        }
        for (index, pattern) in (document.contamination?.against ?? []).enumerated() {
            _ = try finder.find(pattern, "/contamination/against/\(index)")
        }
        if let tokenizer = document.tokenizer { try finder.findOne(tokenizer, "/tokenizer") }
        guard finder.violations.isEmpty else {
            throw Failure(.invalid, "\(path) cannot be sent as it is.", violations: finder.violations)
        }
        guard finder.files.count <= TreeManifest.filesMax else {
            throw Failure(
                .tooLarge,
                "\(path) names \(finder.files.count) files; at most \(TreeManifest.filesMax) travel together. Put them "
                    + "into a repository and name its revision, or pack them into fewer."
            )
        }
        files = finder.files.map { File(path: $0.key, location: $0.value) }.sorted {
            $0.path.utf8.lexicographicallyPrecedes($1.path.utf8)
        }
        sourceBytes = bytes
        if document.sources.allSatisfy({ $0.repository == nil }) {
            // What is wrong with a model or a word list is better heard now.
            _ = try Operators(PipelineFile(path))
        }
    }

    private struct Finder {
        let folder: String
        var files: [String: String] = [:]
        var violations: [Violation] = []

        mutating func add(_ path: String, at location: String, _ pointer: String) {
            guard TreeManifest.isSafe(path: path) else {
                violations.append(Violation(pointer, "'\(path)' is no name that every system can keep; rename it"))
                return
            }
            files[path] = location
        }

        /// The files that a pattern stands for.
        mutating func find(_ pattern: String, _ pointer: String) throws(Failure) -> [String] {
            guard let inside = inside(pattern, pointer) else { return [] }
            let found = try PipelineFile.expand(PipelineFile.literal(folder) + "/" + inside)
            if found.isEmpty { violations.append(Violation(pointer, "no file fits '\(pattern)'")) }
            for location in found {
                let path = location.utf8.dropFirst(folder.utf8.count + 1)
                add(String(decoding: inside == "." ? path.dropFirst(2) : path, as: UTF8.self), at: location, pointer)
            }
            return found
        }

        mutating func findOne(_ path: String, _ pointer: String) throws(Failure) {
            guard let inside = inside(path, pointer) else { return }
            let location = folder + "/" + inside
            if Disk.exists(location), !Disk.isFolder(location) {
                add(inside, at: location, pointer)
            } else {
                violations.append(Violation(pointer, "there is no file '\(path)'"))
            }
        }

        /// A path without what changes nothing; `nil` where it leads out.
        private mutating func inside(_ path: String, _ pointer: String) -> String? {
            let parts = path.split(separator: "/").filter { $0 != "." }
            guard !path.hasPrefix("/"), !parts.contains("..") else {
                violations.append(
                    Violation(
                        pointer,
                        "'\(path)' leads out of the pipeline's folder, which travels as a whole; put it there, or a link "
                            + "to it, or have the source be a repository's revision"
                    )
                )
                return nil
            }
            return parts.isEmpty ? "." : parts.joined(separator: "/")
        }
    }
}
