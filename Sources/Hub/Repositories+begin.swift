public import Core
import NIOCore
import Store
public import Wire

extension Repositories {
    /// Makes a repository as clients of the Hub know them: with a first commit, so that every revision, branch and pull
    /// request has something to begin with.
    ///
    /// - Throws: `.conflict` when there is one of that name.
    public func begin(
        _ kind: RepositoryKind,
        _ path: RepositoryPath,
        visibility: Visibility,
        _ caller: Principal?
    ) async throws -> Repository {
        let caller = try Self.signedIn(caller)
        guard let name = FilePath(".gitattributes") else { preconditionFailure("a valid path") }
        let file = try await keep(ByteBuffer(string: GitAttributes.standard), at: name)
        let (id, now) = (makeID(RepositoryID.self), now())
        return try await write { tx in
            let repository = try Self.create(kind, path, visibility: visibility, id: id, caller, tx, at: now)
            try Self.grant(file.blob, in: repository, caller, tx, at: now)
            let tree = GitObject.tree([file.entry])
            _ = try Self.append(
                tree,
                [.init(tree: tree, base: nil, put: [file.entry], removed: [])],
                parent: nil,
                to: .main,
                message: "initial commit",
                in: repository,
                caller,
                tx,
                at: now
            )
            return repository
        }
    }
}
