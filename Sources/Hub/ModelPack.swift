import Core

/// A revision as an artifact of OCI, in the form that the CNCF's ModelPack specification gives it: a configuration, and
/// one raw layer for each file. The layers are the files' own bytes.
struct ModelPack {
    static let artifactType = "application/vnd.cncf.model.manifest.v1+json"
    /// The annotation that says which revision it is.
    static let revisionKey = "org.opencontainers.image.revision"
    static let configType = "application/vnd.cncf.model.config.v1+json"

    /// One file of a revision.
    struct File: Hashable, Sendable {
        var path: String
        var digest: Digest
        var size: Bytes
    }

    let config: [UInt8]
    let revision: Revision
    let files: [File]

    /// - Parameter files: Of the whole revision. The same revision always makes the same bytes.
    init(_ revision: Revision, _ files: [PlacedEntry]) {
        self.revision = revision
        self.files = files.compactMap { file in
            file.entry.digest.map { File(path: file.path, digest: $0, size: file.entry.size) }
        }.sorted { $0.path < $1.path }
        config = Self.bytes(
            .object([
                (
                    "descriptor",
                    .object([
                        ("createdAt", .string(revision.at.description)),
                        ("authors", .array([.string("\(revision.author)")])),
                        ("revision", .string(revision.id.text)),
                    ])
                ),
                (
                    "modelfs",
                    .object([
                        ("type", .string("layers")), ("diffIds", .array(self.files.map { .string("\($0.digest)") })),
                    ])
                ),
                ("config", .object([])),
            ])
        )
    }

    /// - Parameter config: Of ``config``.
    func manifest(config digest: Digest) -> [UInt8] {
        let layers = files.map { file in
            Self.descriptor(Self.mediaType(of: file.path), file.digest, file.size.count) + [
                (
                    "annotations",
                    // The first by ModelPack; by the second, clients that know nothing of it name their files.
                    .object([
                        ("org.cncf.model.filepath", .string(file.path)),
                        ("org.opencontainers.image.title", .string(file.path)),
                    ])
                )
            ]
        }
        return Self.bytes(
            .object([
                ("schemaVersion", .integer(2)), ("mediaType", .string(ManifestDocument.ociImage)),
                ("artifactType", .string(Self.artifactType)),
                ("config", .object(Self.descriptor(Self.configType, digest, Int64(config.count)))),
                ("layers", .array(layers.map { .object($0) })),
                (
                    "annotations",
                    .object([
                        ("org.opencontainers.image.created", .string(revision.at.description)),
                        (Self.revisionKey, .string(revision.id.text)),
                    ])
                ),
            ])
        )
    }

    private static func descriptor(_ type: String, _ digest: Digest, _ size: Int64) -> [(key: String, value: JSON)] {
        [("mediaType", .string(type)), ("digest", .string("\(digest)")), ("size", .integer(size))]
    }

    private static func bytes(_ json: JSON) -> [UInt8] {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        return bytes
    }

    /// What a file is, by its name.
    static func mediaType(of path: String) -> String {
        let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
        let ending = name.split(separator: ".").dropFirst().last.map(String.init) ?? ""
        let kind =
            switch ending {
            case "safetensors", "bin", "gguf", "ggml", "pt", "pth", "ckpt", "h5", "onnx", "msgpack", "npz", "pb",
                "tflite":
                "weight"
            case "md", "txt", "pdf", "rst", "html", "png", "jpg", "svg": "doc"
            case "py", "sh", "ipynb", "c", "cpp", "cu", "swift", "js", "ts": "code"
            case "parquet", "arrow", "csv", "jsonl", "tsv", "zst", "gz", "tar": "dataset"
            case "": name.hasPrefix("license") || name.hasPrefix("notice") ? "doc" : "weight.config"
            default: "weight.config"
            }
        return "application/vnd.cncf.model.\(kind).v1.raw"
    }
}
