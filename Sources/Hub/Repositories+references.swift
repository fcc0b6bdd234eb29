public import Core
import Store
public import Wire

extension Repositories {
    /// Makes a branch or a tag.
    ///
    /// - Parameter start: The revision that it points at.
    /// - Throws: `.conflict` when there is one of that name.
    public func add(
        _ reference: ReferenceName,
        at start: RevisionAddress,
        message: String? = nil,
        _ caller: Principal?
    ) async throws {
        try await write(to: start.shelf, start.path, as: .write, caller) { tx, repository, now in
            if try tx.reference(reference, of: repository.id) != nil {
                throw Failure(.conflict, "Reference '\(reference.name)' exists already in '\(start.path)'.")
            }
            if reference.kind != .pullRequest, try tx.tag(reference.name, of: repository.id) != nil {
                throw Failure(
                    .conflict,
                    "'\(reference.name)' is a tag that was pushed to the registry for '\(start.path)'; use another name."
                )
            }
            let revision = try Self.requireRevision(start, of: repository, tx)
            try tx.append(
                .referenceSet(
                    .init(repository: repository.id, reference: reference, revision: revision.id, message: message)
                ),
                about: repository,
                caller,
                at: now
            )
        }
    }

    /// Removes a branch or a tag. The branch that a repository begins with stays.
    public func remove(
        _ reference: ReferenceName,
        of shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws {
        guard reference != .main else {
            throw Failure(.forbidden, "'main' is what the repository is known by; it cannot be removed.")
        }
        try await write(to: shelf, path, as: .write, caller) { tx, repository, now in
            guard try tx.reference(reference, of: repository.id) != nil else {
                if reference.kind == .tag, try tx.tag(reference.name, of: repository.id) != nil {
                    throw Failure(
                        .conflict,
                        "'\(reference.name)' was pushed to the registry; delete it there, as with 'oras manifest delete'."
                    )
                }
                throw Self.absent(RevisionAddress(shelf, path, reference.name))
            }
            try tx.append(
                .referenceRemoved(.init(repository: repository.id, reference: reference)),
                about: repository,
                caller,
                at: now
            )
        }
    }

    /// Makes a branch's files its only revision. The revisions before stay where other references lead to them.
    public func squash(
        _ branch: ReferenceName,
        of shelf: RepositoryShelf,
        _ path: RepositoryPath,
        message: String,
        _ caller: Principal?
    ) async throws -> Revision {
        let caller = try Self.signedIn(caller)
        return try await write(to: shelf, path, as: .administer, caller) { tx, repository, now in
            guard let id = try tx.reference(branch, of: repository.id),
                let head = try tx.revision(id, of: repository.id)
            else { throw Self.absent(RevisionAddress(shelf, path, branch.name)) }
            return try Self.append(
                head.tree,
                [],
                parent: nil,
                to: branch,
                message: message,
                in: repository,
                caller,
                tx,
                at: now
            )
        }
    }
}
