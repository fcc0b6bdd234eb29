public import Core
import Store
public import Wire

extension Repositories {
    /// The project that a caller who names none means: the one their token is confined to, or their only one.
    public func defaultProject(_ caller: Principal?) async throws -> ProjectName {
        let caller = try Self.signedIn(caller)
        if let project = caller.project { return project }
        let projects = try await store.read { try $0.memberships(of: caller.user).map(\.project) }
        guard projects.count == 1, let project = projects.first else {
            let names = projects.map(\.text).joined(separator: ", ")
            throw Failure(
                .invalid,
                projects.isEmpty
                    ? "You are in no project yet, so there is no place for a repository of yours."
                    : "Say in which of your projects: write its name before the repository's (\(names))."
            )
        }
        return project
    }

    /// Makes an empty repository.
    ///
    /// - Throws: `.conflict` when there is one of that name.
    public func create(
        _ kind: RepositoryKind,
        _ path: RepositoryPath,
        visibility: Visibility = .private,
        _ caller: Principal?
    ) async throws -> Repository {
        let caller = try Self.signedIn(caller)
        let (id, now) = (makeID(RepositoryID.self), now())
        return try await write { tx in
            try Self.create(kind, path, visibility: visibility, id: id, caller, tx, at: now)
        }
    }

    static func create(
        _ kind: RepositoryKind,
        _ path: RepositoryPath,
        visibility: Visibility,
        id: RepositoryID,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> Repository {
        try requirePlace(for: kind, at: path, caller, tx)
        let repository = Repository(
            id: id,
            kind: kind,
            path: path,
            visibility: visibility,
            creator: caller.user,
            createdAt: now,
            updatedAt: now
        )
        try tx.append(.repositoryCreated(.init(repository: repository)), about: repository, caller, at: now)
        return repository
    }

    /// Throws unless the caller may make a repository of that name, and there is none.
    static func requirePlace(
        for kind: RepositoryKind,
        at path: RepositoryPath,
        _ caller: Principal,
        _ tx: ReadTransaction
    ) throws {
        try requireScope(.write, caller)
        guard kind == .image || !path.name.isNested else {
            throw Failure(
                .invalid,
                "The name of a \(kind.rawValue) has one part after the project's: '\(path)' has more."
            )
        }
        try requireMember(of: path.project, caller, tx)
        if try tx.repository(kind.shelf, path) != nil {
            throw Failure(.conflict, "There is a repository '\(path)' already.")
        }
    }

    static func requireMember(of project: ProjectName, _ caller: Principal, _ tx: ReadTransaction) throws {
        guard let role = try role(of: caller, in: project, tx), try tx.project(project) != nil else {
            throw Failure(.notFound, "There is no project '\(project)' that you can see.")
        }
        guard role >= .member else {
            throw Failure(.forbidden, "You are \(role.rawValue) of project '\(project)'; this takes member.")
        }
    }

    /// Changes settings; what is `nil` stays.
    public func change(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        kind: RepositoryKind? = nil,
        visibility: Visibility? = nil,
        gating: Gating? = nil,
        _ caller: Principal?
    ) async throws -> Repository {
        if let kind, kind.shelf != shelf {
            throw Failure(.invalid, "A repository of \(shelf.rawValue) cannot become of kind \(kind.rawValue).")
        }
        return try await write(to: shelf, path, as: .administer, caller) { tx, repository, now in
            try tx.append(
                .repositoryChanged(
                    .init(repository: repository.id, kind: kind, visibility: visibility, gating: gating)
                ),
                about: repository,
                caller,
                at: now
            )
            return try tx.repository(repository.id) ?? repository
        }
    }

    /// Gives a repository another name, or another project.
    public func move(
        _ shelf: RepositoryShelf,
        from path: RepositoryPath,
        to target: RepositoryPath,
        _ caller: Principal?
    ) async throws -> Repository {
        return try await write(to: shelf, path, as: .administer, caller) { tx, repository, now in
            guard repository.kind == .image || !target.name.isNested else {
                throw Failure(
                    .invalid,
                    "'\(target)' has more parts than a \(repository.kind.rawValue)'s name may have."
                )
            }
            try Self.requireMember(of: target.project, Self.signedIn(caller), tx)
            if let other = try tx.repository(shelf, target), other.id != repository.id {
                throw Failure(.conflict, "There is a repository '\(target)' already.")
            }
            if target.project != repository.path.project {
                let source = repository.path.project
                try Self.requireRoom(for: try tx.bytes(of: repository.id), in: target.project, from: source, tx)
            }
            try tx.append(
                .repositoryChanged(.init(repository: repository.id, path: target)),
                about: repository,
                caller,
                at: now
            )
            return try tx.repository(repository.id) ?? repository
        }
    }

    /// Removes a repository with everything in it.
    public func remove(_ shelf: RepositoryShelf, _ path: RepositoryPath, _ caller: Principal?) async throws {
        try await write(to: shelf, path, as: .administer, caller) { tx, repository, now in
            try tx.append(.repositoryRemoved(.init(repository: repository.id)), about: repository, caller, at: now)
        }
    }

    // MARK: Gated repositories

    /// Asks for a gated repository's files.
    public func requestAccess(
        to shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> AccessState {
        let caller = try Self.signedIn(caller)
        return try await write(to: shelf, path, as: .see, caller) { tx, repository, now in
            guard repository.gating != .none else {
                throw Failure(.conflict, "'\(path)' is not gated: its files are there for whoever sees it.")
            }
            if let known = try tx.access(of: caller.user, to: repository.id) { return known }
            let state: AccessState = repository.gating == .auto ? .accepted : .pending
            try tx.append(
                .accessSet(.init(repository: repository.id, user: caller.user, state: state)),
                about: repository,
                caller,
                at: now
            )
            return state
        }
    }

    /// Who asked for a gated repository's files, the latest first.
    public func accessRequests(
        for shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ state: AccessState,
        _ caller: Principal?
    ) async throws -> [(user: UserName, at: Instant)] {
        try await read(shelf, path, as: .administer, caller) { tx, repository in
            return try tx.accessRequests(for: repository.id, state)
        }
    }

    /// Answers a request, or grants access unasked.
    public func setAccess(
        of user: UserName,
        to shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ state: AccessState,
        _ caller: Principal?
    ) async throws {
        try await write(to: shelf, path, as: .administer, caller) { tx, repository, now in
            guard try tx.user(user) != nil else { throw Failure(.notFound, "There is no user '\(user)'.") }
            try tx.append(
                .accessSet(.init(repository: repository.id, user: user, state: state)),
                about: repository,
                caller,
                at: now
            )
        }
    }
}
