public import Core

/// What of a manifest counts for whoever keeps it: what it is, and what it is made of. Everything else in it is its
/// author's.
///
/// Reads image manifests and indexes of OCI and Docker, and anything of their shape. A JSON object of another shape is a
/// manifest that is made of nothing.
public struct ManifestDocument: Hashable, Sendable {
    /// One thing that a manifest is made of.
    public struct Part: Hashable, Sendable {
        public var digest: ContentDigest
        /// As the manifest says; `nil` in formats that do not.
        public var size: Bytes?
        /// A manifest itself.
        public var isManifest: Bool
    }

    /// A layer as a file: what an artifact is made of.
    public struct Layer: Hashable, Sendable {
        public var digest: ContentDigest
        public var size: Bytes
        public var mediaType: String
        /// Where the file belongs, by the first of ``ManifestDocument/pathKeys``.
        public var path: String?
        /// Whether its bytes are an archive of what its path names, or are compressed.
        public var isPacked: Bool
        /// Whether its bytes are to be had elsewhere. Its size is then the manifest's word.
        public var isForeign: Bool
    }

    public var mediaType: String
    /// Of the configuration.
    public var configType: String?
    public var artifactType: String?
    /// What it is attached to; need not exist.
    public var subject: ContentDigest?
    public var annotations: [String: String]
    /// Without the layers that are to be had elsewhere.
    public var parts: [Part]
    /// Of an image manifest or artifact manifest.
    public var layers: [Layer]

    /// The annotations that say where a layer's file belongs: ModelPack's, and the one that oras writes.
    public static let pathKeys = ["org.cncf.model.filepath", "org.opencontainers.image.title"]
    /// Of one manifest, in bytes. The specification asks for at least 4 MiB.
    public static let bytesMax = (4 << 20) + (512 << 10)
    /// Layers or manifests in one manifest.
    public static let partsMax = 20_000
    /// Annotations of one manifest.
    public static let annotationsMax = 10_000
    /// Of a media type or artifact type, in bytes (RFC 6838, section 4.2: 127 for each half).
    private static let mediaTypeBytesMax = 255

    public static let ociImage = "application/vnd.oci.image.manifest.v1+json"
    public static let ociIndex = "application/vnd.oci.image.index.v1+json"

    /// - Parameter contentType: As the client declared it; `nil` when it did not.
    /// - Throws: ``Failure`` `malformed` with a pointer to what is wrong.
    public init(parsing bytes: some Collection<UInt8>, contentType: String?) throws(Failure) {
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch {
            throw Failure(.malformed, "The manifest is not JSON: at byte \(error.offset) the text \(error.message).")
        }
        guard case .object = json else { throw Self.fault("", "must be an object") }
        let declared = contentType.flatMap(Self.base)
        let written = try Self.text("mediaType", in: json)
        if let declared, let written, declared != written, declared != "application/json" {
            throw Self.fault("/mediaType", "is '\(written)', but the request's Content-Type is '\(declared)'")
        }
        let isIndex = json["manifests"] != nil
        guard
            let mediaType = written ?? (declared == "application/json" ? nil : declared)
                ?? (isIndex ? Self.ociIndex : json["config"] == nil ? nil : Self.ociImage),
            Self.isMediaType(mediaType)
        else { throw Self.fault("/mediaType", "must be a media type, here or as the request's Content-Type") }
        self.mediaType = mediaType
        (parts, layers) = ([], [])
        if let config = json["config"], config != .null { try Self.read(config, "/config", into: &parts) }
        for key in ["layers", "blobs", "manifests"] {
            for (index, item) in try Self.list(key, in: json).enumerated() {
                let count = parts.count
                try Self.read(item, "/\(key)/\(index)", isManifest: key == "manifests", into: &parts)
                guard key != "manifests", let layer = Layer(item, isForeign: parts.count == count) else { continue }
                layers.append(layer)
            }
        }
        for (index, item) in try Self.list("fsLayers", in: json).enumerated() {
            guard let text = item["blobSum"]?.stringValue, let digest = ContentDigest(text) else {
                throw Self.fault("/fsLayers/\(index)/blobSum", ContentDigest.rule)
            }
            parts.append(Part(digest: digest, size: nil, isManifest: false))
        }
        guard parts.count <= Self.partsMax else {
            throw Self.fault("", "has \(parts.count) parts; at most \(Self.partsMax) are taken")
        }
        var attached: [Part] = []
        if let subject = json["subject"], subject != .null { try Self.read(subject, "/subject", into: &attached) }
        subject = attached.first?.digest
        annotations = try Self.annotations(in: json)
        let artifactType = try Self.text("artifactType", in: json)
        // "If the artifactType is empty or missing, the config's mediaType": Listing Referrers.
        configType = json["config"].flatMap { $0["mediaType"]?.stringValue }
        self.artifactType = artifactType.flatMap { $0.isEmpty ? nil : $0 } ?? configType
        if let type = self.artifactType, type.utf8.count > Self.mediaTypeBytesMax {
            throw Self.fault(
                "/artifactType",
                "has \(type.utf8.count) bytes; at most \(Self.mediaTypeBytesMax) are taken"
            )
        }
    }

    /// Adds what a descriptor points at, unless the bytes are to be had elsewhere.
    private static func read(
        _ json: JSON,
        _ pointer: String,
        isManifest: Bool = false,
        into parts: inout [Part]
    ) throws(Failure) {
        guard case .object = json else { throw fault(pointer, "must be an object") }
        guard let text = json["digest"]?.stringValue, let digest = ContentDigest(text) else {
            throw fault(pointer + "/digest", ContentDigest.rule)
        }
        guard let size = json["size"]?.integerValue, size >= 0 else {
            throw fault(pointer + "/size", "must be how many bytes it has")
        }
        let type = json["mediaType"]?.stringValue ?? ""
        let isForeign = type.contains(".nondistributable.") || type.contains(".rootfs.foreign.")
        if isForeign, let places = json["urls"]?.arrayValue, !places.isEmpty { return }
        parts.append(Part(digest: digest, size: Bytes(size), isManifest: isManifest))
    }

    private static func text(_ key: String, in json: JSON) throws(Failure) -> String? {
        guard let value = json[key], value != .null else { return nil }
        guard let text = value.stringValue else { throw fault("/" + key, "must be a string") }
        return text
    }

    private static func list(_ key: String, in json: JSON) throws(Failure) -> [JSON] {
        guard let value = json[key], value != .null else { return [] }
        guard let items = value.arrayValue else { throw fault("/" + key, "must be a list") }
        return items
    }

    private static func annotations(in json: JSON) throws(Failure) -> [String: String] {
        guard let value = json["annotations"], value != .null else { return [:] }
        guard case .object(let members) = value, members.count <= annotationsMax else {
            throw fault("/annotations", "must be an object of at most \(annotationsMax) strings")
        }
        var annotations: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.stringValue else { throw fault("/annotations", "must have strings as values") }
            annotations[key] = text
        }
        return annotations
    }

    /// Without parameters, in lower case.
    private static func base(_ contentType: String) -> String? {
        let base = contentType.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        return base.isEmpty ? nil : base
    }

    private static func isMediaType(_ text: String) -> Bool {
        text.utf8.count <= mediaTypeBytesMax && text.utf8.contains(UInt8(ascii: "/"))
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private static func fault(_ pointer: String, _ message: String) -> Failure {
        Failure(
            .malformed,
            "The manifest cannot be taken: \(pointer.isEmpty ? "it" : pointer) \(message).",
            violations: [Violation(pointer, message)]
        )
    }
}

extension ManifestDocument {
    /// Whether its layers are files and not parts of an image's file system, and it is no attachment to another manifest.
    var hasFiles: Bool {
        guard subject == nil, !parts.contains(where: \.isManifest), !layers.isEmpty else { return false }
        if let configType, Self.imageConfigTypes.contains(configType) { return false }
        // An artifact that is nothing but its annotations has this one in place of a layer.
        return layers.count > 1 || layers[0].mediaType != Self.emptyType || layers[0].path != nil
    }

    private static let imageConfigTypes: Set = [
        "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
    ]
    private static let emptyType = "application/vnd.oci.empty.v1+json"
}

extension ManifestDocument.Layer {
    /// `nil` for what is no descriptor.
    fileprivate init?(_ json: JSON, isForeign: Bool) {
        guard let digest = json["digest"]?.stringValue.flatMap({ ContentDigest($0) }),
            let size = json["size"]?.integerValue
        else { return nil }
        (self.digest, self.size, self.isForeign) = (digest, Bytes(size), isForeign)
        mediaType = json["mediaType"]?.stringValue ?? ""
        let annotations = json["annotations"]
        path = ManifestDocument.pathKeys.lazy.compactMap { annotations?[$0]?.stringValue }.first
        isPacked = annotations?[Self.unpackKey]?.stringValue == "true" || Self.isPacked(mediaType)
    }

    /// On a folder that oras packed.
    private static let unpackKey = "io.deis.oras.content.unpack"
    /// What oras calls a file of which it was not told what it is.
    private static let orasDefault = "application/vnd.oci.image.layer.v1.tar"

    private static func isPacked(_ mediaType: String) -> Bool {
        let type = mediaType.prefix { $0 != ";" }.lowercased()
        return type != orasDefault
            && ["+gzip", "+zstd", ".tar", "+tar", ".tar.gzip", ".tar.gz", ".tar.zstd"].contains { type.hasSuffix($0) }
    }
}
