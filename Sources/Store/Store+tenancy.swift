public import Core

extension ReadTransaction {
    public func user(_ name: UserName) throws -> User? {
        try connection.first("SELECT name, is_operator FROM member WHERE name = ?", name, read: Self.user)
    }

    /// All users by name.
    public func users() throws -> [User] {
        try connection.all("SELECT name, is_operator FROM member ORDER BY name", read: Self.user)
    }

    public func project(_ name: ProjectName) throws -> Project? {
        try connection.first("\(Self.projectQuery) WHERE name = ?", name, read: Self.project)
    }

    /// The projects that a user is a member of, or all of them; by name.
    public func projects(of user: UserName? = nil) throws -> [Project] {
        guard let user else { return try connection.all("\(Self.projectQuery) ORDER BY name", read: Self.project) }
        return try connection.all(
            "\(Self.projectQuery) WHERE name IN (SELECT project FROM membership WHERE member = ?) ORDER BY name",
            user,
            read: Self.project
        )
    }

    /// A project's members by name.
    public func members(of project: ProjectName) throws -> [Membership] {
        try connection.all(
            "SELECT project, member, role FROM membership WHERE project = ? ORDER BY member",
            project,
            read: Self.membership
        )
    }

    /// A user's memberships by project.
    public func memberships(of user: UserName) throws -> [Membership] {
        try connection.all(
            "SELECT project, member, role FROM membership WHERE member = ? ORDER BY project",
            user,
            read: Self.membership
        )
    }

    /// What a user may do in a project; `nil` for somebody who is no member.
    public func role(of user: UserName, in project: ProjectName) throws -> Role? {
        try connection.first("SELECT role FROM membership WHERE project = ? AND member = ?", project, user) {
            try $0.choice(0)
        }
    }

    /// A token, also when it has expired or was revoked.
    public func token(_ id: TokenID) throws -> Token? {
        try connection.first("\(Self.tokenQuery) WHERE id = ?", id, read: Self.token)
    }

    /// A user's tokens, or everybody's; oldest first, with the expired and the revoked.
    public func tokens(of user: UserName? = nil) throws -> [Token] {
        guard let user else { return try connection.all("\(Self.tokenQuery) ORDER BY id", read: Self.token) }
        return try connection.all("\(Self.tokenQuery) WHERE member = ? ORDER BY id", user, read: Self.token)
    }

    /// The tokens that are confined to a project; oldest first.
    public func tokens(confinedTo project: ProjectName) throws -> [Token] {
        try connection.all("\(Self.tokenQuery) WHERE project = ? ORDER BY id", project, read: Self.token)
    }

    /// What a client's key stood for when it was first used.
    public func idempotency(project: ProjectName, user: UserName, key: String) throws -> IdempotencyRecord? {
        try connection.first(
            "SELECT request, resource, at FROM idempotency WHERE project = ? AND member = ? AND client_key = ?",
            project,
            user,
            key
        ) { IdempotencyRecord(request: try $0.value(0), resource: $0.text(1), at: $0.instant(2)) }
    }

    private static func user(_ row: borrowing Row) throws -> User {
        User(name: try row.value(0), isOperator: row.bool(1))
    }

    private static let projectQuery =
        "SELECT name, title, weight, quota_cores, quota_cards, quota_runs, metered, quota_bytes, parent FROM project"

    private static func project(_ row: borrowing Row) throws -> Project {
        Project(
            name: try row.value(0),
            title: row.text(1),
            parent: try row.optional(8),
            weight: row.int(2),
            quota: Quota(
                cores: row.optionalInteger(3).map { MilliCores($0) },
                cards: row.optionalInt(4),
                runs: row.optionalInt(5),
                bytes: row.optionalInteger(7).map { Bytes($0) }
            ),
            metered: row.bool(6)
        )
    }

    private static func membership(_ row: borrowing Row) throws -> Membership {
        Membership(project: try row.value(0), user: try row.value(1), role: try row.choice(2))
    }

    private static let tokenQuery =
        "SELECT id, member, hash, scopes, project, label, created_at, expires_at, revoked_at FROM token"

    private static func token(_ row: borrowing Row) throws -> Token {
        Token(
            id: try row.value(0),
            user: try row.value(1),
            hash: try row.value(2),
            scopes: try row.json(3),
            project: try row.optional(4),
            label: row.text(5),
            createdAt: row.instant(6),
            expiresAt: row.optionalInstant(7),
            revokedAt: row.optionalInstant(8)
        )
    }
}

extension WriteTransaction {
    func apply(_ user: User) throws {
        try connection.run("INSERT INTO member (name, is_operator) VALUES (?, ?)", user.name, user.isOperator)
    }

    func apply(created project: Project) throws {
        try connection.run(
            """
            INSERT INTO project
                (name, title, parent, weight, quota_cores, quota_cards, quota_runs, quota_bytes, metered)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            project.name,
            project.title,
            project.parent,
            project.weight,
            project.quota.cores,
            project.quota.cards,
            project.quota.runs,
            project.quota.bytes,
            project.metered
        )
    }

    func apply(changed project: Project) throws {
        try change(
            "project \(project.name)",
            """
            UPDATE project SET title = ?, parent = ?, weight = ?, quota_cores = ?, quota_cards = ?, quota_runs = ?,
                quota_bytes = ?, metered = ?
            WHERE name = ?
            """,
            project.title,
            project.parent,
            project.weight,
            project.quota.cores,
            project.quota.cards,
            project.quota.runs,
            project.quota.bytes,
            project.metered,
            project.name
        )
    }

    func apply(_ membership: Membership) throws {
        try connection.run(
            """
            INSERT INTO membership (project, member, role) VALUES (?, ?, ?)
            ON CONFLICT (project, member) DO UPDATE SET role = excluded.role
            """,
            membership.project,
            membership.user,
            membership.role
        )
    }

    func apply(_ removed: Event.MemberRemoved) throws {
        try change(
            "member \(removed.user) in project \(removed.project)",
            "DELETE FROM membership WHERE project = ? AND member = ?",
            removed.project,
            removed.user
        )
    }

    func apply(_ token: Token) throws {
        try connection.run(
            """
            INSERT INTO token (id, member, hash, scopes, project, label, created_at, expires_at, revoked_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            token.id,
            token.user,
            token.hash,
            try StoredJSON.encode(token.scopes),
            token.project,
            token.label,
            token.createdAt,
            token.expiresAt,
            token.revokedAt
        )
    }

    func apply(_ revoked: Event.TokenRevoked, _ at: Instant) throws {
        // The first revocation counts.
        try change(
            "token \(revoked.token)",
            "UPDATE token SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?",
            at,
            revoked.token
        )
    }

    /// Keeps what a client's key stands for; a second use is a conflict by the primary key.
    func keep(
        _ idempotency: Event.Idempotency?,
        _ project: ProjectName,
        _ user: UserName,
        _ resource: String,
        _ at: Instant
    ) throws {
        guard let idempotency else { return }
        try connection.run(
            """
            INSERT INTO idempotency (project, member, client_key, request, resource, at) VALUES (?, ?, ?, ?, ?, ?)
            """,
            project,
            user,
            idempotency.key,
            idempotency.request,
            resource,
            at
        )
    }
}
