import Core
import Hub

/// A repository as OCI clients write it, and where it stands here.
///
/// `<project>/<name…>` is an image; `models/<project>/<name>`, `datasets/…` and `algorithms/…` are the repositories that
/// clients of the Hub see.
struct OCIName: Hashable, Sendable {
    /// As it was written.
    let text: String
    /// What a first push makes.
    let kind: RepositoryKind
    let path: RepositoryPath

    var shelf: RepositoryShelf { kind.shelf }

    init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 3, let kind = Self.shelves[String(parts[0])] {
            guard let path = RepositoryPath(parts[1...].joined(separator: "/")) else { return nil }
            (self.kind, self.path) = (kind, path)
        } else {
            guard let path = RepositoryPath(text) else { return nil }
            (kind, self.path) = (.image, path)
        }
        self.text = text
    }

    /// Clients keep names shorter than this, host included (OCI Distribution, "Pulling manifests").
    private static let bytesMax = 255
    private static let shelves: [String: RepositoryKind] = [
        "models": .model, "datasets": .dataset, "algorithms": .algorithm,
    ]
    static let rule =
        "a name is '<project>/<name>', or 'models/<project>/<name>' and likewise with 'datasets' and 'algorithms'"
}

/// What a path below `/v2` asks for.
enum OCIAddress: Hashable, Sendable {
    case ping
    case token
    case blob(OCIName, ContentDigest)
    case manifest(OCIName, ManifestReference)
    case uploads(OCIName)
    case upload(OCIName, UploadID)
    case tags(OCIName)
    case referrers(OCIName, ContentDigest)

    /// - Parameter path: As it came, escapes and all.
    init(path: String) throws(OCIError) {
        guard path.hasPrefix("/v2") else { throw Self.nowhere }
        var parts: [String] = []
        for part in path.dropFirst(3).split(separator: "/", omittingEmptySubsequences: false) {
            let text = part.percentDecoded
            guard !text.utf8.contains(UInt8(ascii: "/")), text != ".", text != ".." else { throw Self.nowhere }
            parts.append(text)
        }
        guard parts.first == "" || parts.isEmpty else { throw Self.nowhere }
        parts = Array(parts.dropFirst())
        switch parts {
        case [], [""]: self = .ping
        case ["token"]: self = .token
        default: self = try Self.inRepository(parts)
        }
    }

    /// Names may have any number of parts, so it is the end of a path that says what it is.
    private static func inRepository(_ parts: [String]) throws(OCIError) -> Self {
        let count = parts.count
        func name(_ length: Int) throws(OCIError) -> OCIName {
            guard let name = OCIName(parts.prefix(length).joined(separator: "/")) else {
                throw OCIError(.nameInvalid, status: 400, "This is no name of a repository: \(OCIName.rule).")
            }
            return name
        }
        func digest(_ text: String) throws(OCIError) -> ContentDigest {
            guard let digest = ContentDigest(text) else {
                throw OCIError(.digestInvalid, status: 400, "This is no digest: \(ContentDigest.rule).")
            }
            return digest
        }
        guard count >= 3 else { throw nowhere }
        switch (parts[count - 3], parts[count - 2], parts[count - 1]) {
        case ("blobs", "uploads", ""): return .uploads(try name(count - 3))
        case ("blobs", "uploads", let text):
            let name = try name(count - 3)
            guard let id = UploadID(text) else {
                throw OCIError(.blobUploadUnknown, status: 404, "There is no such upload, or it has ended.")
            }
            return .upload(name, id)
        case (_, "blobs", "uploads"): return .uploads(try name(count - 2))
        case (_, "blobs", let text): return .blob(try name(count - 2), try digest(text))
        case (_, "manifests", let text):
            let name = try name(count - 2)
            if text.utf8.contains(UInt8(ascii: ":")) { return .manifest(name, .digest(try digest(text))) }
            guard let reference = ManifestReference(text) else {
                throw OCIError(.manifestInvalid, status: 400, "This is no tag: use up to 128 of A-Z a-z 0-9 . _ and -.")
            }
            return .manifest(name, reference)
        case (_, "tags", "list"): return .tags(try name(count - 2))
        case (_, "referrers", let text): return .referrers(try name(count - 2), try digest(text))
        default: throw nowhere
        }
    }

    private static let nowhere = OCIError(.unsupported, status: 404, "There is nothing at this path.")

    var name: OCIName? {
        switch self {
        case .ping, .token: nil
        case .blob(let name, _), .manifest(let name, _), .uploads(let name), .upload(let name, _), .tags(let name),
            .referrers(let name, _):
            name
        }
    }

    /// For logs and metrics.
    var template: String {
        switch self {
        case .ping: "/v2/"
        case .token: "/v2/token"
        case .blob: "/v2/{name}/blobs/{digest}"
        case .manifest: "/v2/{name}/manifests/{reference}"
        case .uploads: "/v2/{name}/blobs/uploads/"
        case .upload: "/v2/{name}/blobs/uploads/{upload}"
        case .tags: "/v2/{name}/tags/list"
        case .referrers: "/v2/{name}/referrers/{digest}"
        }
    }
}
