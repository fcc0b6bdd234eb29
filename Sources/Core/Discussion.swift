/// Something to be talked about in a repository; a pull request when it has a reference of its own, `pr/<number>`.
public struct Discussion: Hashable, Sendable, Codable {
    public enum State: String, Hashable, Sendable, Codable {
        case draft, open, closed, merged
    }

    /// From 1 in each repository.
    public var number: Int
    public var title: String
    public var text: String
    public var author: UserName
    public var at: Instant
    public var isPullRequest: Bool
    public var state: State
    /// What a merged pull request became on `main`.
    public var mergeCommit: GitHash?

    public init(
        number: Int,
        title: String,
        text: String,
        author: UserName,
        at: Instant,
        isPullRequest: Bool,
        state: State,
        mergeCommit: GitHash? = nil
    ) {
        (self.number, self.title, self.text) = (number, title, text)
        (self.author, self.at, self.isPullRequest) = (author, at, isPullRequest)
        (self.state, self.mergeCommit) = (state, mergeCommit)
    }
}

/// One thing that was said or done in a discussion.
public struct DiscussionNote: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        case comment
        /// Its state changed.
        case state
        /// Its pull request got a commit.
        case commit
        /// It got another title.
        case title
    }

    /// From 1 in each discussion; 0 is the text that it was opened with.
    public var place: Int
    public var kind: Kind
    public var author: UserName
    public var at: Instant
    /// The comment; or the new state, the commit's title, the new title.
    public var text: String
    /// The commit, or the old title.
    public var detail: String?
    /// When a comment was last changed by its author.
    public var editedAt: Instant?
    /// A comment that was taken back. Its text is gone.
    public var isHidden: Bool

    public init(
        place: Int,
        kind: Kind,
        author: UserName,
        at: Instant,
        text: String,
        detail: String? = nil,
        editedAt: Instant? = nil,
        isHidden: Bool = false
    ) {
        (self.place, self.kind, self.author, self.at) = (place, kind, author, at)
        (self.text, self.detail, self.editedAt, self.isHidden) = (text, detail, editedAt, isHidden)
    }
}
