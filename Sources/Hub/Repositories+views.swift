public import Core
import Store
public import Wire

/// The repository as our own API and console show it.
extension Repositories {
    public func list(
        _ shelf: RepositoryShelf,
        _ search: Search,
        cursor: String?,
        _ caller: Principal?
    ) async throws -> Page<RepositoryView> {
        var search = search
        if let cursor {
            guard let after = SearchPosition(cursor) else {
                throw Failure(.malformed, "This cursor was not made here. Begin again without one.")
            }
            search.after = after
        }
        let (found, next) = try await self.search(shelf, search, caller)
        return Page(items: found.map { Self.view($0.repository, $0.head, $0.facts.card) }, next: next.map { "\($0)" })
    }

    /// In one sentence for what is not there and for what is hidden, so that an identifier tells no name.
    static func find(
        _ id: RepositoryID,
        for right: RepositoryRight,
        _ caller: Principal?,
        _ tx: ReadTransaction
    ) throws -> Repository {
        guard let repository = try tx.repository(id) else {
            throw Failure(.notFound, "There is no repository \(id) that you can see.")
        }
        do {
            try require(right, on: repository, caller, tx)
        } catch let failure as Failure where failure.code == .notFound {
            throw Failure(.notFound, "There is no repository \(id) that you can see.")
        }
        return repository
    }

    public func detail(_ id: RepositoryID, _ caller: Principal?) async throws -> RepositoryDetail {
        let (repository, head, references, bytes, tags) = try await store.read { tx in
            let repository = try Self.find(id, for: .see, caller, tx)
            return (
                repository, try Self.resolve(ReferenceName.main.name, of: id, tx), try Self.references(of: id, tx),
                try tx.bytes(of: id), try tx.tags(of: id, limit: 1000)
            )
        }
        var card: Card?
        if let head { card = try await facts(about: head, of: repository).card }
        return RepositoryDetail(
            summary: Self.view(repository, head, card),
            bytes: bytes,
            references: references.map { .init(name: $0.name, revision: $0.revision) },
            tags: tags
        )
    }

    private static func view(_ repository: Repository, _ head: Revision?, _ card: Card?) -> RepositoryView {
        RepositoryView(
            repository,
            revision: head?.id,
            task: card?.task,
            library: card?.library,
            licence: card?.licence,
            languages: card?.languages ?? [],
            tags: card?.tags(on: repository.kind.shelf) ?? []
        )
    }

    /// What all repositories hold, and what the caller's projects have of it.
    public func stats(_ caller: Principal?) async throws -> RepositoryStats {
        let caller = try Self.signedIn(caller)
        try Self.requireScope(.read, caller)
        return try await store.read { tx in
            let totals = try tx.repositoryTotals()
            let shares = try tx.projects().filter { try Self.role(of: caller, in: $0.name, tx) != nil }.map {
                RepositoryStats.Share(project: $0.name, bytes: try tx.storage(of: $0.name))
            }
            return RepositoryStats(
                repositories: totals.repositories,
                logical: totals.logical,
                stored: totals.stored,
                projects: shares.filter { $0.bytes > 0 }.sorted { ($1.bytes, $0.project) < ($0.bytes, $1.project) }
            )
        }
    }

    /// A round of collection, at an operator's wish.
    public func collect(_ caller: Principal?) async throws -> CollectionView {
        let caller = try Self.signedIn(caller)
        guard caller.isOperator, caller.project == nil else {
            throw Failure(.forbidden, "Only an operator may do this.")
        }
        let collected = try await collect()
        return CollectionView(
            revisions: collected.revisions,
            grants: collected.grants,
            blobs: collected.blobs,
            bytes: collected.bytes
        )
    }

    // MARK: Lineage

    private static let edgesMax = 1000

    /// Which jobs read a revision and which wrote it, as far as the caller may see them; the latest first.
    ///
    /// - Parameter revision: A branch, a tag or a commit.
    public func lineage(of id: RepositoryID, at revision: String, _ caller: Principal?) async throws -> LineageView {
        let (repository, found, edges, releases) = try await store.read { tx in
            let repository = try Self.find(id, for: .see, caller, tx)
            guard let found = try Self.resolve(revision, of: id, tx) else {
                guard Self.reference(named: revision) == .main else {
                    throw Failure(.notFound, "There is no revision '\(revision)' of '\(repository.path)'.")
                }
                return (repository, Revision?.none, [LineageEdgeView](), [ReleaseUseView]())
            }
            let edges = try tx.lineage(of: found.id, in: id, limit: Self.edgesMax)
            let releases = try Self.releases(madeOf: found, in: id, caller, tx)
            return (repository, found, try edges.compactMap { try Self.view($0, caller, tx) }, releases)
        }
        guard let found else { return LineageView(edges: [], publications: []) }
        return LineageView(
            edges: edges,
            publications: [],
            release: try await release(found, of: repository, caller),
            releases: releases
        )
    }

    /// What a revision says that it was made of, as far as the caller may know.
    private func release(
        _ revision: Revision,
        of repository: Repository,
        _ caller: Principal?
    ) async throws -> OriginView? {
        guard repository.kind == .dataset, var lineage = try await facts(about: revision, of: repository).lineage else {
            return nil
        }
        let named = Set(lineage.sources.compactMap(\.repository))
        let (mayRead, repositories) = try await store.read { tx in
            var repositories: [String: RepositoryID] = [:]
            for name in named {
                guard let address = RepositoryShelf.address(name),
                    let found = try tx.repository(address.shelf, address.path),
                    try Self.isVisible(found, to: caller, Self.role(of: caller, in: found.path.project, tx))
                else { continue }
                repositories[name] = found.id
            }
            return (try Self.mayRead(repository, caller, tx), repositories)
        }
        if !mayRead { lineage.files = nil }
        return OriginView(author: revision.author, at: revision.at, lineage: lineage, repositories: repositories)
    }

    /// The revisions that a job reads and writes.
    public func lineage(of job: JobID, _ caller: Principal?) async throws -> LineageView {
        let caller = try Self.signedIn(caller)
        return try await store.read { tx in
            guard let found = try tx.job(job), try Self.role(of: caller, in: found.project, tx) != nil else {
                throw Failure(.notFound, "There is no job \(job) that you can see.")
            }
            return LineageView(
                edges: try tx.lineage(of: job).compactMap { try Self.view($0, caller, tx) },
                publications: try tx.publications(of: job).filter { $0.state != .done }.map(PublicationView.init)
            )
        }
    }

    /// `nil` for a job that the caller may not see.
    private static func view(
        _ edge: LineageEdge,
        _ caller: Principal?,
        _ tx: ReadTransaction
    ) throws -> LineageEdgeView? {
        guard let job = try tx.job(edge.job), try role(of: caller, in: job.project, tx) != nil else { return nil }
        var path: String?
        if let repository = try tx.repository(edge.repository),
            try isVisible(repository, to: caller, role(of: caller, in: repository.path.project, tx))
        {
            path = "\(repository.kind.shelf.rawValue)/\(repository.path)"
        }
        return LineageEdgeView(edge, path: path, jobName: job.spec.name)
    }
}
