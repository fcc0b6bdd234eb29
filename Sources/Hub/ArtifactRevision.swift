import Core
import Wire

/// A pushed artifact as a revision: each layer is a file.
///
/// A function of the manifest alone, so that the same artifact is the same revision wherever and by whomever it is
/// pushed. All files are large ones to git: what names a pointer, digest and size, stands in the manifest, and no layer
/// has to be read.
struct ArtifactRevision: Sendable {
    let revision: Revision
    /// A folder comes after those inside it.
    let folders: [Event.RevisionCommitted.Folder]

    /// Folders of one revision. A short path may have many names, and each folder is a row.
    static let foldersMax = 20_000

    /// What a manifest is to clients of the Hub.
    enum Reading: Sendable {
        case revision(ArtifactRevision)
        /// Nothing that has files: an image, an index, an attachment.
        case other
        /// Files, but none that can be served as they are.
        case refused(why: String)
    }

    /// - Parameters:
    ///   - digest: Of the manifest.
    ///   - parts: What the bytes of each layer are kept under.
    ///   - now: The revision's time, unless the manifest says when it was made.
    static func read(
        _ document: ManifestDocument,
        _ digest: Digest,
        parts: [ContentDigest: Digest],
        now: Instant
    ) -> Reading {
        guard document.hasFiles else { return .other }
        do throws(Refusal) {
            let (tree, folders) = try tree(of: document.layers, parts)
            let title = "Artifact \(digest)"
            let at = created(document.annotations) ?? now
            let id = GitObject.commit(tree: tree, parent: nil, author: author, at: at, message: title)
            let revision = Revision(
                id: id,
                tree: tree,
                parent: nil,
                title: title,
                message: title,
                author: author,
                at: at
            )
            return .revision(ArtifactRevision(revision: revision, folders: folders))
        } catch {
            return .refused(why: error.why)
        }
    }

    /// Of every such revision. Who pushed it is in the log; in the name of the revision it would make two of one.
    private static let author = {
        guard let name = UserName("oci") else { preconditionFailure("a valid name") }
        return name
    }()

    /// When the manifest says that it was made; nothing before 1970, which git does not know.
    private static func created(_ annotations: [String: String]) -> Instant? {
        annotations["org.opencontainers.image.created"].flatMap { Instant(rfc3339: $0) }
            .flatMap { $0.milliseconds < 0 ? nil : $0 }
    }

    private struct Refusal: Error {
        let why: String
    }

    private static func tree(
        of layers: [ManifestDocument.Layer],
        _ parts: [ContentDigest: Digest]
    ) throws(Refusal) -> (root: GitHash, folders: [Event.RevisionCommitted.Folder]) {
        var (files, folders): (Set<Substring>, Set<Substring>) = ([], [])
        var operations: [FileOperation] = []
        for (index, layer) in layers.enumerated() {
            let path = try path(of: layer, index)
            guard !layer.isForeign, let digest = parts[layer.digest] else {
                throw Refusal(why: "layer \(index), '\(path)', is to be had elsewhere")
            }
            guard files.insert(path.text[...]).inserted else { throw Refusal(why: "two layers are '\(path)'") }
            for end in path.text.indices where path.text[end] == "/" { folders.insert(path.text[..<end]) }
            guard folders.count <= foldersMax else { throw Refusal(why: "it has more than \(foldersMax) folders") }
            operations.append(.put(path, GitObject.largeFile(String(path.name), digest, layer.size)))
        }
        if let both = files.intersection(folders).min() { throw Refusal(why: "'\(both)' is a file and a folder") }
        do {
            let source = TreeEdit.Source(entries: { _ in [] }, entry: { _, _ in nil }, size: { _ in 0 })
            var edit = try TreeEdit(base: nil, source: source)
            for operation in operations { try edit.apply(operation) }
            return edit.finish()
        } catch {
            throw Refusal(why: (error as? Failure)?.detail ?? "\(error)")
        }
    }

    private static func path(of layer: ManifestDocument.Layer, _ index: Int) throws(Refusal) -> FilePath {
        guard let text = layer.path else {
            let keys = ManifestDocument.pathKeys.joined(separator: " or ")
            throw Refusal(why: "layer \(index) has no path: annotate it with \(keys)")
        }
        guard !layer.isPacked else {
            throw Refusal(why: "layer \(index), '\(text)', is packed: push files as they are, as raw layers")
        }
        guard let path = FilePath(text) else {
            throw Refusal(why: "layer \(index) cannot have the path '\(text)'. \(FilePath.rule)")
        }
        return path
    }
}
