/// Somebody who may sign in.
public struct User: Hashable, Sendable, Codable {
    public var name: UserName
    /// May do everything everywhere; runs the point.
    public var isOperator: Bool

    public init(name: UserName, isOperator: Bool) {
        self.name = name
        self.isOperator = isOperator
    }
}

/// Who pays and who sees.
public struct Project: Hashable, Sendable, Codable {
    public var name: ProjectName
    public var title: String
    /// The project that it is part of: of whose share its own is a part, and whose quota holds for it too. `nil` at the top.
    public var parent: ProjectName?
    /// Its part in the fair share, against the weights of the projects beside it. 1 to 1000.
    public var weight: Int
    /// Of itself and all projects below it.
    public var quota: Quota
    /// A metered project runs only what its vouchers cover; any other may owe.
    public var metered: Bool

    public init(
        name: ProjectName,
        title: String = "",
        parent: ProjectName? = nil,
        weight: Int = 100,
        quota: Quota = Quota(),
        metered: Bool = false
    ) {
        self.name = name
        self.title = title
        self.parent = parent
        self.weight = weight
        self.quota = quota
        self.metered = metered
    }

    /// How many projects may stand above one another. Every placement looks at all levels above its project.
    public static let levelsMax = 8

    /// What addresses of the point begin with, and shelves in the registry. Files of a project with such a name could not
    /// be reached by clients of the Hub and of OCI, who write the project's name there.
    public static let reservedNames: Set<String> = [
        "algorithms", "api", "console", "datasets", "healthz", "images", "lfs", "metrics", "models", "readyz", "v1",
        "v2",
        "xet",
    ]
}

/// What a project and those below it may hold at one time over all centres; `nil` is no limit.
public struct Quota: Hashable, Sendable, Codable {
    public var cores: MilliCores?
    public var cards: Int?
    public var runs: Int?
    /// Of its repositories, each repository's bytes counted once.
    public var bytes: Bytes?

    public init(cores: MilliCores? = nil, cards: Int? = nil, runs: Int? = nil, bytes: Bytes? = nil) {
        self.cores = cores
        self.cards = cards
        self.runs = runs
        self.bytes = bytes
    }
}

/// What a member may do in a project. Each role includes those after it.
public enum Role: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    /// Members, tokens and settings of the project.
    case owner
    /// Submits and cancels.
    case member
    /// Reads.
    case viewer

    private var rank: Int {
        switch self {
        case .owner: 2
        case .member: 1
        case .viewer: 0
        }
    }

    public static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }
}

/// A person's place in a project.
public struct Membership: Hashable, Sendable, Codable {
    public var project: ProjectName
    public var user: UserName
    public var role: Role

    public init(project: ProjectName, user: UserName, role: Role) {
        self.project = project
        self.user = user
        self.role = role
    }
}

/// A credential of a user. Only the hash of its secret is kept.
public struct Token: Hashable, Sendable, Codable {
    /// What a token may be used for; the user's own rights limit it further.
    public enum Scope: String, Hashable, Sendable, Codable, CaseIterable {
        case read
        /// Submit, cancel and upload.
        case write
        /// Members, tokens and settings; for operators everything.
        case admin
    }

    public var id: TokenID
    public var user: UserName
    /// SHA-256 of the secret part.
    public var hash: Digest
    public var scopes: [Scope]
    /// Confined to one project when set.
    public var project: ProjectName?
    public var label: String
    public var createdAt: Instant
    public var expiresAt: Instant?
    public var revokedAt: Instant?

    public init(
        id: TokenID,
        user: UserName,
        hash: Digest,
        scopes: [Scope],
        project: ProjectName? = nil,
        label: String,
        createdAt: Instant,
        expiresAt: Instant? = nil,
        revokedAt: Instant? = nil
    ) {
        self.id = id
        self.user = user
        self.hash = hash
        self.scopes = scopes
        self.project = project
        self.label = label
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }
}
