public import Core
import Store
public import Wire

/// What somebody wants to do with a repository. Each right includes those before it.
public enum RepositoryRight: Hashable, Sendable, Comparable {
    /// Know of it: its name, its card, its list of files.
    case see
    /// Have its bytes.
    case read
    /// Put something into it, or take something away.
    case write
    /// Rename it, remove it, say who may see it.
    case administer
}

extension Repositories {
    /// The repository of that name, if the caller has that right on it.
    public func repository(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        for right: RepositoryRight,
        _ caller: Principal?
    ) async throws -> Repository {
        try await store.read { try Self.find(shelf, path, for: right, caller, $0) }
    }

    /// Reads in one view of everything, with the repository of that name, if the caller has that right on it.
    func read<Result: Sendable>(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        as right: RepositoryRight,
        _ caller: Principal?,
        _ body: @escaping @Sendable (ReadTransaction, Repository) throws -> Result
    ) async throws -> Result {
        try await store.read { tx in try body(tx, Self.find(shelf, path, for: right, caller, tx)) }
    }

    /// Writes in one transaction, in which the caller's right is checked.
    @discardableResult
    func write<Result: Sendable>(
        to shelf: RepositoryShelf,
        _ path: RepositoryPath,
        as right: RepositoryRight,
        _ caller: Principal?,
        _ body: @escaping @Sendable (WriteTransaction, Repository, Instant) throws -> Result
    ) async throws -> Result {
        let now = now()
        return try await write { tx in try body(tx, Self.find(shelf, path, for: right, caller, tx), now) }
    }

    static func find(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        for right: RepositoryRight,
        _ caller: Principal?,
        _ tx: ReadTransaction
    ) throws -> Repository {
        guard let repository = try tx.repository(shelf, path) else { throw unknown(path) }
        try require(right, on: repository, caller, tx)
        return repository
    }

    static func unknown(_ path: RepositoryPath) -> Failure {
        Failure(.notFound, "There is no repository '\(path)' that you can see.")
    }

    /// Throws unless the caller has that right.
    static func require(
        _ right: RepositoryRight,
        on repository: Repository,
        _ caller: Principal?,
        _ tx: ReadTransaction
    ) throws {
        let project = repository.path.project
        let role = try role(of: caller, in: project, tx)
        guard try isVisible(repository, to: caller, role) else { throw unknown(repository.path) }
        switch right {
        case .see: break
        case .read: try requireFiles(of: repository, caller, role, tx)
        case .write:
            let caller = try signedIn(caller)
            try requireScope(.write, caller)
            guard let role, role >= .member else {
                throw Failure(
                    .forbidden,
                    "Only members of project '\(project)' may change '\(repository.path)'; ask one of its owners."
                )
            }
        case .administer:
            let caller = try signedIn(caller)
            try requireScope(.write, caller)
            guard let role, role == .owner || (role >= .member && repository.creator == caller.user) else {
                throw Failure(
                    .forbidden,
                    "Only owners of project '\(project)' and who made '\(repository.path)' may do this."
                )
            }
        }
    }

    /// The caller's role in a project, if they have one there. An operator is an owner everywhere.
    static func role(of caller: Principal?, in project: ProjectName, _ tx: ReadTransaction) throws -> Role? {
        guard let caller, caller.project == nil || caller.project == project else { return nil }
        return caller.isOperator ? .owner : try tx.role(of: caller.user, in: project)
    }

    static func isVisible(_ repository: Repository, to caller: Principal?, _ role: Role?) throws -> Bool {
        if let caller { try requireScope(.read, caller) }
        return switch repository.visibility {
        case .public: true
        case .internal: caller != nil
        case .private: role != nil
        }
    }

    private static func requireFiles(
        of repository: Repository,
        _ caller: Principal?,
        _ role: Role?,
        _ tx: ReadTransaction
    ) throws {
        guard repository.gating != .none, role == nil else { return }
        let caller = try signedIn(caller)
        switch try tx.access(of: caller.user, to: repository.id) {
        case .accepted: break
        case .pending: throw gated(repository, "Your request for it has not been answered yet.")
        case .rejected: throw gated(repository, "Your request for it was turned down.")
        case nil: throw gated(repository, "Ask for access on its page first.")
        }
    }

    /// Told apart from other refusals by its note, because the Hub's clients want a word of its own for it.
    public static let gatedNote = "gated"

    private static func gated(_ repository: Repository, _ what: String) -> Failure {
        Failure(.forbidden, "Access to '\(repository.path)' is granted by its project. \(what)", note: gatedNote)
    }

    static func signedIn(_ caller: Principal?) throws -> Principal {
        guard let caller else {
            throw Failure(.unauthenticated, "This needs credentials: sign in with a token of yours.")
        }
        return caller
    }

    static func requireScope(_ scope: Token.Scope, _ caller: Principal) throws {
        guard caller.scopes.contains(scope) else {
            throw Failure(.forbidden, "Your token is not good for '\(scope.rawValue)'; use one that is.")
        }
    }
}
