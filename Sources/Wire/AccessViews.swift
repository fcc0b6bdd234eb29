public import Core

/// A user's credentials, checked.
public struct Principal: Sendable, Hashable {
    public var user: UserName
    public var isOperator: Bool
    public var scopes: Set<Token.Scope>
    /// The only project that the token opens, when it is confined.
    public var project: ProjectName?

    public init(user: UserName, isOperator: Bool, scopes: Set<Token.Scope>, project: ProjectName?) {
        self.user = user
        self.isOperator = isOperator
        self.scopes = scopes
        self.project = project
    }
}

/// An agent's credentials, checked.
public struct AgentPrincipal: Sendable, Hashable {
    public var centre: CentreName
    public var agent: AgentID

    public init(centre: CentreName, agent: AgentID) {
        self.centre = centre
        self.agent = agent
    }
}

/// What a new token is to be.
public struct TokenRequest: Codable, Sendable, Hashable {
    /// `nil` is the caller; operators may name anybody.
    public var user: UserName?
    public var scopes: [Token.Scope]
    public var project: ProjectName?
    public var label: String
    /// `nil` never expires.
    public var expiresInSeconds: Int?

    public init(
        user: UserName? = nil,
        scopes: [Token.Scope],
        project: ProjectName? = nil,
        label: String,
        expiresInSeconds: Int? = nil
    ) {
        self.user = user
        self.scopes = scopes
        self.project = project
        self.label = label
        self.expiresInSeconds = expiresInSeconds
    }
}

/// New settings of a project; what is absent stays.
public struct ProjectPatch: Sendable, Hashable {
    /// Where a project shall stand.
    public enum Place: Sendable, Hashable {
        case top
        case below(ProjectName)

        public var parent: ProjectName? { if case .below(let name) = self { name } else { nil } }

        /// The name of the project that it shall be part of, or nothing for none; `nil` when it is neither.
        public init?(_ text: String) {
            if text.isEmpty {
                self = .top
            } else if let name = ProjectName(text) {
                self = .below(name)
            } else {
                return nil
            }
        }
    }

    public var title: String?
    public var place: Place?
    public var weight: Int?
    public var quota: Quota?
    public var metered: Bool?

    public init(
        title: String? = nil,
        place: Place? = nil,
        weight: Int? = nil,
        quota: Quota? = nil,
        metered: Bool? = nil
    ) {
        self.title = title
        self.place = place
        self.weight = weight
        self.quota = quota
        self.metered = metered
    }
}

/// Where an upload stands.
public struct UploadView: Codable, Sendable, Hashable {
    public var upload: UploadID
    /// Bytes safely received; go on from here.
    public var offset: Int64

    public init(upload: UploadID, offset: Int64) {
        self.upload = upload
        self.offset = offset
    }
}

/// Bytes that are in the store.
public struct BlobView: Codable, Sendable, Hashable {
    public var digest: Digest
    public var size: Bytes

    public init(digest: Digest, size: Bytes) {
        self.digest = digest
        self.size = size
    }
}

/// A piece of what one task of a run printed.
public struct LogChunk: Sendable, Hashable {
    public var bytes: [UInt8]
    /// Where this piece begins.
    public var offset: Int64
    /// Nothing will follow `offset + bytes.count`.
    public var isComplete: Bool

    public init(bytes: [UInt8], offset: Int64, isComplete: Bool) {
        self.bytes = bytes
        self.offset = offset
        self.isComplete = isComplete
    }
}
