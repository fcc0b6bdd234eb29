import Blobs
public import Core
public import NIOCore
import Store
public import Wire

/// What a commit is to do, and where.
public struct CommitRequest: Sendable {
    /// The branch or pull request that moves to the new revision.
    public var reference: ReferenceName
    /// A title, or a title, an empty line and more.
    public var message: String
    /// Where the caller believes the reference to stand; anything else is refused.
    public var parent: GitHash?
    public var operations: [FileOperation]
    /// The bytes that came with the commit itself. All others must be in the repository already.
    public var brought: [KeptFile]
    /// Whether to leave the reference where it is and open a pull request for it instead.
    public var opensPullRequest: Bool
    /// The pull request that the commit brings into `main`.
    var merging: Repositories.Merging?

    public init(
        reference: ReferenceName,
        message: String,
        parent: GitHash? = nil,
        operations: [FileOperation],
        brought: [KeptFile] = [],
        opensPullRequest: Bool = false
    ) {
        (self.reference, self.message, self.parent) = (reference, message, parent)
        (self.operations, self.brought) = (operations, brought)
        self.opensPullRequest = opensPullRequest
    }
}

/// A file whose bytes came with a commit and are on the disk.
public struct KeptFile: Sendable {
    public var path: FilePath
    public var entry: TreeEntry
    let blob: StoredBlob

    /// What puts it into the commit.
    public var operation: FileOperation { .put(path, entry) }
}

/// What came of a commit.
public struct CommitOutcome: Sendable {
    public var repository: Repository
    public var revision: Revision
    /// The number of the pull request that was opened.
    public var pullRequest: Int?
}

extension Repositories {
    /// Of one commit.
    public static let operationsMax = 25_000
    /// Of a file whose bytes come with the commit: what the Hub calls regular.
    public static let regularFileMax = Bytes(10 << 20)
    static let messageBytesMax = 64 << 10
    /// How often a commit that names no parent begins anew because others were faster.
    static let triesMax = 20

    /// Stores bytes that a commit will bring. Whether the caller may write was checked before.
    public func keep(_ bytes: ByteBuffer, at path: FilePath) async throws -> KeptFile {
        guard bytes.readableBytes <= Self.regularFileMax.count else {
            throw Failure(
                .tooLarge,
                "'\(path)' has more than \(Self.regularFileMax), the most that may come with a commit itself. Upload it"
                    + " as a large file first."
            )
        }
        let blob = try await blobs.put(bytes)
        let entry = TreeEntry(
            name: String(path.name),
            kind: .file,
            oid: GitObject.blob(bytes.readableBytesView),
            digest: blob.digest,
            size: blob.size
        )
        return KeptFile(path: path, entry: entry, blob: blob)
    }

    /// Makes a new revision and moves a reference to it: all of it or nothing.
    ///
    /// A commit that changes nothing leaves the reference where it is, so that one that is sent again does no harm.
    /// - Throws: `.preconditionFailed` when the reference is not at the parent that the request names; `.invalid` for
    ///   operations that contradict each other and for bytes that are not in the repository; `.notFound` with the note
    ///   ``revisionNote`` for a branch that does not exist; `.tooLarge` above ``operationsMax`` operations.
    public func commit(
        _ request: CommitRequest,
        to shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> CommitOutcome {
        let caller = try Self.signedIn(caller)
        guard request.operations.count <= Self.operationsMax else {
            throw Failure(
                .tooLarge,
                "This commit has \(request.operations.count) operations; \(Self.operationsMax) are the most. Split it."
            )
        }
        guard request.message.utf8.count <= Self.messageBytesMax else {
            throw Failure(.tooLarge, "The message of a commit may have \(Self.messageBytesMax) bytes.")
        }
        for _ in 0..<Self.triesMax {
            let draft = try await store.read { tx in try Self.draft(request, shelf, path, caller, tx) }
            let digests = Array(draft.sizes.keys)
            for (digest, size) in zip(digests, try await blobs.lease(digests, at: now())) where size == nil {
                throw Self.missing(digest)
            }
            let now = now()
            let outcome: CommitOutcome? = try await write { tx in
                try Self.carryOut(draft, request, caller, tx, at: now)
            }
            if let outcome { return outcome }
        }
        throw Failure(
            .conflict,
            "Others commit to '\(path)' faster than this commit can follow; try again.",
            retryAfter: .seconds(1)
        )
    }

    /// Throws what a commit to this reference would be refused with, before anything is uploaded for it.
    public func requireCommit(
        to reference: ReferenceName,
        of shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws {
        try await read(shelf, path, as: .write, caller) { tx, repository in
            _ = try Self.head(of: reference, in: repository, tx)
        }
    }

    /// A commit as worked out on what was read; nothing is written yet.
    private struct Draft: Sendable {
        var repository: Repository
        var head: Revision?
        var root: GitHash
        var folders: [Event.RevisionCommitted.Folder]
        /// Of the bytes that the commit refers to.
        var sizes: [Digest: Bytes]
    }

    private static func draft(
        _ request: CommitRequest,
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal,
        _ tx: ReadTransaction
    ) throws -> Draft {
        let repository = try find(shelf, path, for: .write, caller, tx)
        let head = try head(of: request.reference, in: repository, tx)
        if let parent = request.parent, parent != head?.id {
            throw Failure(
                .preconditionFailed,
                "A commit has happened since: '\(request.reference.name)' is at \(head.map { "\($0.id)" } ?? "nothing"),"
                    + " not at \(parent). Look at it and try again."
            )
        }
        let source = TreeEdit.Source(
            entries: { try tx.entries(of: $0) },
            entry: { path, revision in
                guard let revision = try tx.revision(revision, of: repository.id) else { return nil }
                return try tx.entry(at: path.names, from: revision.tree)
            },
            size: { digest in
                guard let size = try tx.blobGrant(repository.id, digest) else { throw missing(digest) }
                return size
            }
        )
        var edit = try TreeEdit(base: head?.tree, source: source)
        for operation in request.operations { try edit.apply(operation) }
        let (root, folders) = edit.finish()
        return Draft(repository: repository, head: head, root: root, folders: folders, sizes: edit.sizes)
    }

    /// Where a reference stands; `nil` only for `main` of a repository without revisions. The first commit to `main` of a
    /// repository that an OCI client made builds on what was pushed.
    private static func head(
        of reference: ReferenceName,
        in repository: Repository,
        _ tx: ReadTransaction
    ) throws -> Revision? {
        if let id = try tx.reference(reference, of: repository.id) {
            return try tx.revision(id, of: repository.id)
        }
        if reference == .main { return try resolve(reference.name, of: repository.id, tx) }
        if reference.kind == .branch, try tx.tag(reference.name, of: repository.id) != nil {
            throw Failure(
                .conflict,
                "'\(reference.name)' is a tag that was pushed to the registry, and only a push moves it. Make a branch"
                    + " from it and commit to that."
            )
        }
        throw Failure(.notFound, "'\(repository.path)' has no branch '\(reference.name)'.", note: revisionNote)
    }

    /// - Returns: `nil` when the reference has moved since the draft was made.
    private static func carryOut(
        _ draft: Draft,
        _ request: CommitRequest,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> CommitOutcome? {
        guard let repository = try tx.repository(draft.repository.id) else { throw unknown(draft.repository.path) }
        try require(.write, on: repository, caller, tx)
        guard try head(of: request.reference, in: repository, tx)?.id == draft.head?.id else { return nil }
        for file in request.brought { try grant(file.blob, in: repository, caller, tx, at: now) }
        for digest in draft.sizes.keys where try tx.blobGrant(repository.id, digest) == nil {
            throw missing(digest)
        }
        if let head = draft.head, head.tree == draft.root, !request.opensPullRequest {
            if let merging = request.merging {
                try settle(merging, as: head, in: repository, caller, tx, at: now)
            }
            return CommitOutcome(repository: repository, revision: head, pullRequest: nil)
        }
        var reference = request.reference
        var number: Int?
        if request.opensPullRequest {
            let title = Self.title(of: request.message)
            let discussion = try openDiscussion(
                title.isEmpty ? "Update" : title,
                "",
                as: .open,
                in: repository,
                caller,
                tx,
                at: now
            )
            number = discussion.number
            reference = try pullRequest(discussion.number)
        }
        if reference == .main, try tx.tag(reference.name, of: repository.id) != nil {
            // The branch takes the tag's place: one name leads to one thing.
            let removed = Event.TagRemoved(repository: repository.id, tag: reference.name)
            try tx.append(.tagRemoved(removed), about: repository, caller, at: now)
        }
        let revision = try append(
            draft.root,
            draft.folders,
            parent: draft.head?.id,
            to: reference,
            message: request.message,
            in: repository,
            caller,
            tx,
            at: now
        )
        if reference.kind == .pullRequest {
            try note(revision, on: reference, in: repository, caller, tx, at: now)
        }
        if let merging = request.merging { try settle(merging, as: revision, in: repository, caller, tx, at: now) }
        return CommitOutcome(
            repository: try tx.repository(repository.id) ?? repository,
            revision: revision,
            pullRequest: number
        )
    }

    /// Appends a revision and moves a reference to it.
    static func append(
        _ tree: GitHash,
        _ folders: [Event.RevisionCommitted.Folder],
        parent: GitHash?,
        to reference: ReferenceName,
        message: String,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> Revision {
        let message = message.isEmpty ? "Update" : message
        let id = GitObject.commit(tree: tree, parent: parent, author: caller.user, at: now, message: message)
        if let known = try tx.revision(id, of: repository.id) {
            // The same was made in the same second, on another branch: it is one commit with two names.
            try tx.append(
                .referenceSet(.init(repository: repository.id, reference: reference, revision: id)),
                about: repository,
                caller,
                at: now
            )
            return known
        }
        let revision = Revision(
            id: id,
            tree: tree,
            parent: parent,
            title: title(of: message),
            message: message,
            author: caller.user,
            at: now
        )
        try tx.append(
            .revisionCommitted(
                .init(repository: repository.id, revision: revision, folders: folders, reference: reference)
            ),
            about: repository,
            caller,
            at: now
        )
        return revision
    }

    static func title(of message: String) -> String {
        String(message.prefix { $0 != "\n" })
    }

    static func missing(_ digest: Digest) -> Failure {
        Failure(
            .invalid,
            "The bytes \(digest) are not in this repository: upload them before the commit that names them."
        )
    }
}
