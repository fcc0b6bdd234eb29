import Core
import Store
public import Wire

extension Point {
    /// Checks a user's token.
    ///
    /// - Throws: `.unauthenticated`, in the same words for every cause.
    public func authenticate(bearer: String) async throws -> Principal {
        guard let (id, hash): (TokenID, Digest) = Self.credentials(bearer, prefix: "op") else {
            throw Self.unknownToken
        }
        let now = now()
        return try await store.read { tx in
            guard let token = try tx.token(id), token.hash == hash, token.revokedAt == nil,
                token.expiresAt.map({ $0 > now }) ?? true, let user = try tx.user(token.user)
            else { throw Self.unknownToken }
            return Principal(
                user: user.name,
                isOperator: user.isOperator,
                scopes: Set(token.scopes),
                project: token.project
            )
        }
    }

    /// Checks an agent's key.
    public func authenticateAgent(bearer: String) async throws -> AgentPrincipal {
        guard let (id, hash): (AgentID, Digest) = Self.credentials(bearer, prefix: "oa") else {
            throw Self.unknownToken
        }
        guard let known = try await knownAgents()[id], known.keyHash == hash else { throw Self.unknownAgent }
        return AgentPrincipal(centre: known.centre, agent: id)
    }

    func knownAgents() async throws -> [AgentID: AgentCredential] {
        try await agents.value {
            try await store.read { tx in
                let known = try tx.centres().compactMap { centre -> (AgentID, AgentCredential)? in
                    guard let agent = centre.agent, let hash = centre.agentKeyHash else { return nil }
                    return (agent, AgentCredential(centre: centre.name, keyHash: hash, seat: centre.agentSeat))
                }
                return Dictionary(known) { first, _ in first }
            }
        }
    }

    static let unknownAgent = Failure(
        .unauthenticated,
        "This agent is not known here, or another has joined in its place. Join again with a fresh token."
    )

    /// Splits `op_<id>_<secret>` and hashes the secret.
    private static func credentials<Tag>(_ bearer: String, prefix: String) -> (ID<Tag>, Digest)? {
        guard bearer.utf8.count < 200 else { return nil }
        let parts = bearer.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == prefix, let id = ID<Tag>(base32: parts[1]) else { return nil }
        return (id, hash(secret: String(parts[2])))
    }

    static let unknownToken = Failure(
        .unauthenticated,
        "This token is not known, has expired or was revoked. Get a new one with `onepoint tokens create`."
    )

    // MARK: Rights

    static func requireOperator(_ caller: Principal) throws {
        guard caller.isOperator, caller.project == nil else {
            throw Failure(.forbidden, "Only an operator may do this.")
        }
    }

    /// The caller's role in a project that they may know of.
    ///
    /// - Throws: `.notFound` when they are no member, as if there were no such project; `.forbidden` when the role is
    ///   too low.
    static func require(
        _ role: Role,
        in name: ProjectName,
        _ caller: Principal,
        _ tx: ReadTransaction
    ) throws -> Project {
        let unknown = Failure(.notFound, "There is no project '\(name)' that you can see.")
        guard caller.project == nil || caller.project == name, let project = try tx.project(name) else { throw unknown }
        if caller.isOperator { return project }
        guard let own = try tx.role(of: caller.user, in: name) else { throw unknown }
        guard own >= role else {
            throw Failure(.forbidden, "You are \(own.rawValue) of project '\(name)'; this takes \(role.rawValue).")
        }
        return project
    }

    /// The projects that the caller sees; `nil` is all of them.
    static func visible(to caller: Principal, _ tx: ReadTransaction) throws -> [ProjectName]? {
        if let project = caller.project {
            if caller.isOperator { return [project] }
            return try tx.role(of: caller.user, in: project) == nil ? [] : [project]
        }
        return caller.isOperator ? nil : try tx.memberships(of: caller.user).map(\.project)
    }

    /// The same, narrowed to one project that was asked for.
    static func visible(
        to caller: Principal,
        asking project: ProjectName?,
        _ tx: ReadTransaction
    ) throws -> [ProjectName]? {
        guard let project else { return try visible(to: caller, tx) }
        _ = try require(.viewer, in: project, caller, tx)
        return [project]
    }
}

/// What an agent's key is held against.
struct AgentCredential: Sendable {
    var centre: CentreName
    var keyHash: Digest
    var seat: String?
}
