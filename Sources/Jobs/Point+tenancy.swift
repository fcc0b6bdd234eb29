public import Core
import Store
public import Wire

extension Point {
    public func whoami(_ caller: Principal) async throws -> WhoAmI {
        try await store.read { tx in
            let memberships = try tx.memberships(of: caller.user)
                .filter { caller.project == nil || $0.project == caller.project }
            return WhoAmI(
                user: caller.user,
                operator: caller.isOperator,
                scopes: caller.scopes.sorted { $0.rawValue < $1.rawValue },
                projects: memberships
            )
        }
    }

    // MARK: Users

    public func users(_ caller: Principal) async throws -> [User] {
        try Self.requireOperator(caller)
        return try await store.read { try $0.users() }
    }

    public func createUser(_ user: User, _ caller: Principal) async throws -> User {
        try Self.requireOperator(caller)
        return try await createUser(user, actor: Actor.user(caller))
    }

    func createUser(_ user: User, actor: String) async throws -> User {
        let now = now()
        return try await write { tx in
            guard try tx.user(user.name) == nil else {
                throw Failure(.conflict, "There is a user '\(user.name)' already. Choose another name.")
            }
            try tx.append(.userCreated(user), project: nil, subject: "user/\(user.name)", actor: actor, at: now)
            return user
        }
    }

    // MARK: Projects

    public func projects(_ caller: Principal) async throws -> [ProjectView] {
        try await store.read { tx in
            let names = try Self.visible(to: caller, tx)
            return try tx.projects().filter { names?.contains($0.name) ?? true }.map { try Self.view($0, caller, tx) }
        }
    }

    public func project(_ name: ProjectName, _ caller: Principal) async throws -> ProjectView {
        try await store.read { tx in try Self.view(Self.require(.viewer, in: name, caller, tx), caller, tx) }
    }

    public func createProject(_ project: Project, _ caller: Principal) async throws -> ProjectView {
        try Self.requireOperator(caller)
        try Self.check(project)
        guard !Project.reservedNames.contains(project.name.text) else {
            throw Failure(
                .invalid,
                "No project can be named '\(project.name)': addresses of the point begin with it. Choose another name."
            )
        }
        let now = now()
        return try await write { tx in
            guard try tx.project(project.name) == nil else {
                throw Failure(.conflict, "There is a project '\(project.name)' already. Choose another name.")
            }
            try Self.checkParent(of: project, tx)
            try tx.append(
                .projectCreated(project),
                project: project.name,
                subject: "project/\(project.name)",
                actor: Actor.user(caller),
                at: now
            )
            return try Self.view(project, caller, tx)
        }
    }

    /// Owners may change the title; its place, weight, quota and metering are the operator's.
    ///
    /// - Throws: `.invalid` with every fault; `.conflict` when the new place is below the project itself, or too deep.
    public func changeProject(
        _ name: ProjectName,
        _ patch: ProjectPatch,
        _ caller: Principal
    ) async throws -> ProjectView {
        let now = now()
        let view = try await write { tx in
            var project = try Self.require(.owner, in: name, caller, tx)
            if patch.place != nil || patch.weight != nil || patch.quota != nil || patch.metered != nil {
                try Self.requireOperator(caller)
            }
            project.title = patch.title ?? project.title
            if let place = patch.place { project.parent = place.parent }
            project.weight = patch.weight ?? project.weight
            project.quota = patch.quota ?? project.quota
            project.metered = patch.metered ?? project.metered
            try Self.check(project)
            if patch.place != nil { try Self.checkParent(of: project, tx) }
            try tx.append(
                .projectChanged(project),
                project: name,
                subject: "project/\(name)",
                actor: Actor.user(caller),
                at: now
            )
            return try Self.view(project, caller, tx)
        }
        placeBell.ring()
        return view
    }

    private static func check(_ project: Project) throws {
        var violations: [Violation] = []
        if !(1...1000).contains(project.weight) { violations.append(Violation("/weight", "must be 1 to 1000")) }
        if project.title.utf8.count > 200 { violations.append(Violation("/title", "must be at most 200 bytes")) }
        for (name, value) in [
            ("cores", project.quota.cores?.count), ("cards", project.quota.cards.map(Int64.init)),
            ("runs", project.quota.runs.map(Int64.init)), ("bytes", project.quota.bytes?.count),
        ] where value.map({ $0 < 0 }) ?? false {
            violations.append(Violation("/quota/\(name)", "must not be negative"))
        }
        guard violations.isEmpty else {
            throw Failure(.invalid, "The project's settings are not valid.", violations: violations)
        }
    }

    /// Projects are a tree of at most ``Project/levelsMax`` levels.
    private static func checkParent(of project: Project, _ tx: ReadTransaction) throws {
        guard let parent = project.parent else { return }
        func refused(_ code: Failure.Code, _ detail: String, _ violation: String) -> Failure {
            Failure(code, detail, violations: [Violation("/parent", violation)])
        }
        let above = try tx.projectWithParents(parent).map(\.name)
        if above.contains(project.name) || parent == project.name {
            throw refused(
                .conflict,
                "'\(project.name)' cannot become part of '\(parent)', which is \(parent == project.name ? "itself" : "part of it")."
                    + " Move '\(parent)' elsewhere first, or choose another project.",
                "must not be the project itself or below it"
            )
        }
        guard !above.isEmpty else {
            throw refused(
                .invalid,
                "There is no project '\(parent)' for '\(project.name)' to be part of. Create it first, or choose another.",
                "there is no such project"
            )
        }
        let levels = try above.count + tx.projectLevels(of: project.name)
        guard levels <= Project.levelsMax else {
            throw refused(
                .conflict,
                "Below '\(parent)' the projects would be \(levels) levels deep, and \(Project.levelsMax) are the most. "
                    + "Choose a project further up.",
                "must leave at most \(Project.levelsMax) levels"
            )
        }
    }

    static func view(_ project: Project, _ caller: Principal, _ tx: ReadTransaction) throws -> ProjectView {
        let held = try tx.projectUsage(within: project.name)
        return ProjectView(
            project: project,
            balance: try tx.balance(.project(project.name)),
            reserved: try tx.balance(.reserved(project.name)),
            runs: held.runs,
            cores: held.cores.cores,
            cards: held.cards,
            stored: try tx.storage(within: project.name),
            role: try tx.role(of: caller.user, in: project.name),
            jobs: try tx.jobCounts([project.name])[project.name]?.byName ?? [:]
        )
    }

    // MARK: Members

    public func members(of project: ProjectName, _ caller: Principal) async throws -> [Membership] {
        try await store.read { tx in
            _ = try Self.require(.viewer, in: project, caller, tx)
            return try tx.members(of: project)
        }
    }

    public func setMember(_ membership: Membership, _ caller: Principal) async throws -> Membership {
        let now = now()
        return try await write { tx in
            _ = try Self.require(.owner, in: membership.project, caller, tx)
            guard try tx.user(membership.user) != nil else {
                throw Failure(.notFound, "There is no user '\(membership.user)'. An operator can make one.")
            }
            try tx.append(
                .memberSet(membership),
                project: membership.project,
                subject: "project/\(membership.project)",
                actor: Actor.user(caller),
                at: now
            )
            return membership
        }
    }

    public func removeMember(_ user: UserName, of project: ProjectName, _ caller: Principal) async throws {
        let now = now()
        try await write { tx in
            _ = try Self.require(.owner, in: project, caller, tx)
            guard try tx.role(of: user, in: project) != nil else {
                throw Failure(.notFound, "'\(user)' is no member of project '\(project)'.")
            }
            try tx.append(
                .memberRemoved(.init(project: project, user: user)),
                project: project,
                subject: "project/\(project)",
                actor: Actor.user(caller),
                at: now
            )
        }
    }

    public func grantVoucher(
        _ amount: MicroCredits,
        to project: ProjectName,
        note: String,
        _ caller: Principal
    ) async throws -> ProjectView {
        try Self.requireOperator(caller)
        guard amount.count > 0, amount.count <= 1_000_000_000_000_000 else {
            throw Failure(
                .invalid,
                "A voucher is worth more than nothing and at most a thousand million credits.",
                violations: [Violation("/amount", "must be 1 to 10¹⁵ millionths of a credit")]
            )
        }
        let now = now()
        let view = try await write { tx in
            let found = try Self.require(.viewer, in: project, caller, tx)
            try tx.append(
                .voucherGranted(.init(project: project, amount: amount, note: String(note.prefix(500)))),
                project: project,
                subject: "project/\(project)",
                actor: Actor.user(caller),
                at: now
            )
            return try Self.view(found, caller, tx)
        }
        placeBell.ring()
        return view
    }

    // MARK: Tokens

    public func tokens(of user: UserName?, _ caller: Principal) async throws -> [TokenView] {
        if let user, user != caller.user { try Self.requireOperator(caller) }
        let owner = user ?? (caller.isOperator && caller.project == nil ? nil : caller.user)
        return try await store.read { tx in
            try tx.tokens(of: owner)
                .filter { caller.project == nil || $0.project == caller.project }.map { TokenView($0) }
        }
    }

    /// A token can make only tokens that can do no more than itself.
    public func issueToken(_ request: TokenRequest, _ caller: Principal) async throws -> IssuedToken {
        if let user = request.user, user != caller.user { try Self.requireOperator(caller) }
        var violations: [Violation] = []
        if request.scopes.isEmpty { violations.append(Violation("/scopes", "must name at least one scope")) }
        for scope in Set(request.scopes).subtracting(caller.scopes).sorted(by: { $0.rawValue < $1.rawValue }) {
            violations.append(Violation("/scopes", "your own token lacks '\(scope.rawValue)'"))
        }
        if let own = caller.project, request.project != own {
            violations.append(Violation("/project", "your own token is confined to '\(own)', so this one must be too"))
        }
        if request.label.utf8.count > 100 { violations.append(Violation("/label", "must be at most 100 bytes")) }
        if let seconds = request.expiresInSeconds, !(1...315_360_000).contains(seconds) {
            violations.append(Violation("/expires_in_seconds", "must be 1 second to 10 years"))
        }
        guard violations.isEmpty else {
            throw Failure(.invalid, "The token cannot be made as asked.", violations: violations)
        }
        if let project = request.project {
            try await store.read { _ = try Self.require(.viewer, in: project, caller, $0) }
        }
        return try await issueToken(
            user: request.user ?? caller.user,
            scopes: request.scopes,
            project: request.project,
            label: request.label,
            lifetime: request.expiresInSeconds.map { .seconds($0) },
            actor: Actor.user(caller)
        )
    }

    /// A short-lived token with the caller's own rights, for the console's cookie.
    public func openSession(_ caller: Principal) async throws -> IssuedToken {
        try await issueToken(
            user: caller.user,
            scopes: Array(caller.scopes),
            project: caller.project,
            label: "console session",
            lifetime: settings.sessionLifetime,
            actor: Actor.user(caller)
        )
    }

    func issueToken(
        user: UserName,
        scopes: [Token.Scope],
        project: ProjectName?,
        label: String,
        lifetime: Duration?,
        actor: String
    ) async throws -> IssuedToken {
        let now = now()
        let (token, secret) = makeToken(
            user: user,
            scopes: scopes,
            project: project,
            label: label,
            lifetime: lifetime,
            at: now
        )
        try await write { tx in
            guard try tx.user(user) != nil else { throw Failure(.notFound, "There is no user '\(user)'.") }
            if let project, try tx.project(project) == nil {
                throw Failure(.notFound, "There is no project '\(project)'.")
            }
            try tx.append(.tokenIssued(token), project: nil, subject: "token/\(token.id)", actor: actor, at: now)
        }
        return IssuedToken(token: TokenView(token), secret: secret)
    }

    private func makeToken(
        user: UserName,
        scopes: [Token.Scope],
        project: ProjectName?,
        label: String,
        lifetime: Duration?,
        at now: Instant
    ) -> (token: Token, secret: String) {
        let (secret, hash) = makeSecret()
        let token = Token(
            id: makeID(),
            user: user,
            hash: hash,
            scopes: Set(scopes).sorted { $0.rawValue < $1.rawValue },
            project: project,
            label: label,
            createdAt: now,
            expiresAt: lifetime.map { now + $0 }
        )
        return (token, "op_\(token.id.base32)_\(secret)")
    }

    public func revokeToken(_ id: TokenID, _ caller: Principal) async throws {
        let now = now()
        try await write { tx in
            guard let token = try tx.token(id), caller.isOperator || token.user == caller.user,
                caller.project == nil || caller.project == token.project
            else { throw Failure(.notFound, "There is no token \(id) of yours.") }
            guard token.revokedAt == nil else { return }
            try tx.append(
                .tokenRevoked(.init(token: id)),
                project: nil,
                subject: "token/\(id)",
                actor: Actor.user(caller),
                at: now
            )
        }
    }

    // MARK: First start

    /// Makes the first operator, project and token when there is no user yet.
    ///
    /// - Returns: The operator's token, to be shown once; `nil` when the point has users already.
    public func bootstrap(operator name: UserName, project: ProjectName) async throws -> IssuedToken? {
        let now = now()
        let (token, secret) = makeToken(
            user: name,
            scopes: Token.Scope.allCases,
            project: nil,
            label: "bootstrap",
            lifetime: nil,
            at: now
        )
        let isNew = try await write { tx in
            guard try tx.users().isEmpty else { return false }
            try tx.append(
                .userCreated(User(name: name, isOperator: true)),
                project: nil,
                subject: "user/\(name)",
                actor: Actor.point,
                at: now
            )
            try tx.append(
                .projectCreated(Project(name: project, title: "The first project")),
                project: project,
                subject: "project/\(project)",
                actor: Actor.point,
                at: now
            )
            try tx.append(
                .memberSet(Membership(project: project, user: name, role: .owner)),
                project: project,
                subject: "project/\(project)",
                actor: Actor.point,
                at: now
            )
            try tx.append(
                .tokenIssued(token),
                project: nil,
                subject: "token/\(token.id)",
                actor: Actor.point,
                at: now
            )
            return true
        }
        return isNew ? IssuedToken(token: TokenView(token), secret: secret) : nil
    }
}

extension Point {
    /// What the point's own process needs to run a centre: makes the centre if need be, and a token to join it.
    public func inProcessJoin(_ name: CentreName, tier: Tier, prices: PriceTable) async throws -> String {
        let exists = try await store.read { try $0.centre(name) }
        if exists?.state == .removed {
            throw Failure(.conflict, "The centre '\(name)' was removed; take it out of the configuration.")
        }
        if exists != nil { return try await issueJoin(actor: Actor.point, name) { _ in }.token }
        return try await createCentre(name, tier: tier, prices: prices, actor: Actor.point).token
    }

    /// For when every token is lost: on the point's own machine, with the data folder in hand.
    public func recoverOperator(_ name: UserName) async throws -> IssuedToken {
        let user = try await store.read { try $0.user(name) }
        guard let user, user.isOperator else {
            throw Failure(.notFound, "There is no operator '\(name)' here.")
        }
        return try await issueToken(
            user: name,
            scopes: Token.Scope.allCases,
            project: nil,
            label: "recovered",
            lifetime: nil,
            actor: Actor.point
        )
    }

    /// Carries out what was accepted, then gives the store back.
    public func close() async throws { try await store.close() }
}
