/// What a repository holds.
public enum RepositoryKind: String, Hashable, Sendable, Codable, CaseIterable {
    case model
    case dataset
    /// A runnable recipe. To foreign clients of the Hub it is a model.
    case algorithm
    /// Anything else that an OCI client pushes: container images above all.
    case image

    /// Kinds in one shelf share their names.
    public var shelf: RepositoryShelf {
        switch self {
        case .model, .algorithm: .models
        case .dataset: .datasets
        case .image: .images
        }
    }
}

/// Where repositories stand by name; what foreign clients know as a repository's type.
public enum RepositoryShelf: String, Hashable, Sendable, Codable, CaseIterable {
    case models, datasets, images

    /// The kind of a repository that is made here without saying which.
    public var kind: RepositoryKind {
        switch self {
        case .models: .model
        case .datasets: .dataset
        case .images: .image
        }
    }
}

/// Who may see a repository.
public enum Visibility: String, Hashable, Sendable, Codable, CaseIterable {
    /// The members of its project.
    case `private`
    /// Everybody who is signed in.
    case `internal`
    /// Everybody, without credentials too.
    case `public`
}

/// Whether whoever sees a repository has to ask for its files.
public enum Gating: String, Hashable, Sendable, Codable, CaseIterable {
    case none
    /// Whoever asks has them.
    case auto
    /// Somebody of the project decides.
    case manual
}

/// The name of a repository inside its project: what clients of the Hub and of OCI registries can both write.
///
/// 1 to 128 characters of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`; begins and ends with a letter or digit and has no two
/// dots in a row. An image's name may have several such components, separated by `/`. Two names that differ only in case
/// are one.
public struct RepositoryName: Hashable, Sendable, Comparable, LosslessStringConvertible {
    public let text: String

    public init?(_ text: String) {
        guard (1...128).contains(text.utf8.count), !text.contains("..") else { return nil }
        let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for component in components {
            guard let first = component.first, let last = component.last, Self.isLetterOrDigit(first),
                Self.isLetterOrDigit(last), component.allSatisfy(Self.isAllowed)
            else { return nil }
        }
        self.text = text
    }

    public var description: String { text }
    /// Whether it has more than one component.
    public var isNested: Bool { text.utf8.contains(UInt8(ascii: "/")) }
    /// What it is compared by.
    public var folded: String { text.lowercased() }

    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    /// What to tell a person whose text is not a name.
    public static let rule =
        "use 1 to 128 characters of A-Z, a-z, 0-9, '.', '_' and '-', beginning and ending with a letter or digit"

    fileprivate static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
    }
}

extension RepositoryName: TextCoded {
    public static var misread: String { rule }
}

/// A repository's address: `demo/resnet`.
public struct RepositoryPath: Hashable, Sendable, Codable, LosslessStringConvertible {
    public var project: ProjectName
    public var name: RepositoryName

    public init(project: ProjectName, name: RepositoryName) { (self.project, self.name) = (project, name) }

    public init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/"), let project = ProjectName(String(text[..<slash])),
            let name = RepositoryName(String(text[text.index(after: slash)...]))
        else { return nil }
        self.init(project: project, name: name)
    }

    public var description: String { "\(project)/\(name)" }
}

/// One repository.
public struct Repository: Hashable, Sendable, Codable {
    /// Stays when it is renamed.
    public var id: RepositoryID
    public var kind: RepositoryKind
    public var path: RepositoryPath
    public var visibility: Visibility
    public var gating: Gating
    public var creator: UserName
    public var createdAt: Instant
    /// The last commit, manifest or change of its settings.
    public var updatedAt: Instant

    public init(
        id: RepositoryID,
        kind: RepositoryKind,
        path: RepositoryPath,
        visibility: Visibility,
        gating: Gating = .none,
        creator: UserName,
        createdAt: Instant,
        updatedAt: Instant
    ) {
        (self.id, self.kind, self.path) = (id, kind, path)
        (self.visibility, self.gating, self.creator) = (visibility, gating, creator)
        (self.createdAt, self.updatedAt) = (createdAt, updatedAt)
    }
}

/// In which order repositories are listed.
public enum RepositoryOrder: Sendable {
    /// Those that changed last first.
    case lastChanged
    case newest
    /// Those that were downloaded most since a day, of which that day is not counted.
    case mostDownloaded(since: Int64)
}

/// A SHA-1 as git names its objects: 40 hexadecimal digits in lower case. It names; it proves nothing, and no bytes are
/// found by it outside the repository that they are in.
public struct GitHash: Hashable, Sendable, Comparable, LosslessStringConvertible {
    public let text: String

    public init?(_ text: String) {
        guard text.utf8.count == 40,
            text.utf8.allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else { return nil }
        self.text = text
    }

    public var description: String { text }
    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

extension GitHash: TextCoded {
    public static var misread: String { "not 40 hexadecimal digits" }
}

/// One name in a folder of a revision.
public struct TreeEntry: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case folder
        /// Its bytes are what git has of it.
        case file
        /// What git has of it is a pointer of git-lfs.
        case large
    }

    public var name: String
    public var kind: Kind
    /// Of the folder's tree, of the file's blob, or of the pointer's blob, as git would name it.
    public var oid: GitHash
    /// Of the file's bytes; `nil` for a folder.
    public var digest: Digest?
    /// Of the file's bytes; 0 for a folder.
    public var size: Bytes

    public init(name: String, kind: Kind, oid: GitHash, digest: Digest?, size: Bytes) {
        (self.name, self.kind, self.oid, self.digest, self.size) = (name, kind, oid, digest, size)
    }
}

/// One commit of a repository: what all its files were at a moment.
public struct Revision: Hashable, Sendable, Codable {
    /// As git would name the commit.
    public var id: GitHash
    /// Of the root folder.
    public var tree: GitHash
    /// The one before; `nil` for the first.
    public var parent: GitHash?
    /// The first line of the message.
    public var title: String
    public var message: String
    public var author: UserName
    public var at: Instant

    public init(
        id: GitHash,
        tree: GitHash,
        parent: GitHash?,
        title: String,
        message: String,
        author: UserName,
        at: Instant
    ) {
        (self.id, self.tree, self.parent, self.title) = (id, tree, parent, title)
        (self.message, self.author, self.at) = (message, author, at)
    }
}

/// Something in a repository that points at a revision. In text as in git: `heads/main`, `tags/v1`, `pr/1`.
public struct ReferenceName: Hashable, Sendable, Comparable, LosslessStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        case branch = "heads"
        case tag = "tags"
        case pullRequest = "pr"
    }

    public let kind: Kind
    /// Without its kind.
    public let name: String

    /// - Parameter name: Rules of git-check-ref-format(1), narrowed to ASCII letters, digits and `._-/+@`.
    public init?(_ kind: Kind, _ name: String) {
        guard (1...200).contains(name.utf8.count), !name.contains(".."), !name.contains("//"), !name.contains("@{"),
            name != "@", !name.hasSuffix("."), !name.hasSuffix("/"), !name.hasSuffix(".lock"),
            !name.split(separator: "/").contains(where: { $0.hasPrefix(".") || $0.hasSuffix(".lock") }),
            !name.hasPrefix("/"), !name.hasPrefix("-"),
            name.utf8.allSatisfy({ RepositoryName.isLetterOrDigit($0) || "._-/+@".utf8.contains($0) })
        else { return nil }
        (self.kind, self.name) = (kind, name)
    }

    /// The branch that a repository begins with.
    public static let main: ReferenceName = {
        guard let main = ReferenceName(.branch, "main") else { preconditionFailure("main is a valid name") }
        return main
    }()

    public init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/"), let kind = Kind(rawValue: String(text[..<slash])) else {
            return nil
        }
        self.init(kind, String(text[text.index(after: slash)...]))
    }

    public var description: String { "\(kind.rawValue)/\(name)" }
    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}

extension ReferenceName: TextCoded {
    public static var misread: String { "not the name of a reference" }
}

/// What a registry knows of a manifest without reading it again.
public struct ManifestRecord: Hashable, Sendable, Codable {
    /// Of its bytes.
    public var digest: Digest
    public var size: Bytes
    public var mediaType: String
    /// Also the configuration's media type, where the manifest names no type of its own (OCI Distribution 1.1,
    /// "Listing Referrers").
    public var artifactType: String?
    /// What it is an attachment to; need not exist. As written: any algorithm.
    public var subject: String?
    public var annotations: [String: String]
    /// The revision that its files are; `nil` when clients of the Hub do not see it.
    public var revision: GitHash?

    public init(
        digest: Digest,
        size: Bytes,
        mediaType: String,
        artifactType: String? = nil,
        subject: String? = nil,
        annotations: [String: String] = [:],
        revision: GitHash? = nil
    ) {
        (self.digest, self.size, self.mediaType) = (digest, size, mediaType)
        (self.artifactType, self.subject, self.annotations) = (artifactType, subject, annotations)
        self.revision = revision
    }
}

/// Where somebody's request for a gated repository's files stands.
public enum AccessState: String, Hashable, Sendable, Codable, CaseIterable {
    case pending, accepted, rejected
}

public enum RepositoryTag: IDTag {
    public static var prefix: StaticString { "repo" }
}
public typealias RepositoryID = ID<RepositoryTag>
