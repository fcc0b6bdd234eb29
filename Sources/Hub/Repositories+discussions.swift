public import Core
import Store
public import Wire

/// Discussions and pull requests. Whoever has a repository's files may talk; who opened one, and who may write, may close
/// it and give it another title.
extension Repositories {
    private static let discussionsMax = 1000
    /// In one discussion.
    static let notesMax = 5000
    private static let titleBytesMax = 1000

    /// A discussion with everything that was said and done in it.
    public struct DiscussionDetail: Sendable {
        public var discussion: Discussion
        /// In their order. One of place 0 stands for the opening text.
        public var notes: [DiscussionNote]
        /// Files of a pull request that `main` has otherwise too, since both parted.
        public var conflicts: [String]
    }

    /// Opens a discussion, or a pull request that begins where `main` is and is a draft.
    public func open(
        _ title: String,
        _ text: String,
        isPullRequest: Bool,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> Discussion {
        let caller = try Self.signedIn(caller)
        try Self.requireScope(.write, caller)
        return try await write(to: shelf, path, as: isPullRequest ? .write : .read, caller) { tx, repository, now in
            let discussion = try Self.openDiscussion(
                title,
                text,
                as: isPullRequest ? .draft : nil,
                in: repository,
                caller,
                tx,
                at: now
            )
            if isPullRequest {
                let main = try Self.requireRevision(RevisionAddress(shelf, path), of: repository, tx)
                try tx.append(
                    .referenceSet(
                        .init(
                            repository: repository.id,
                            reference: try Self.pullRequest(discussion.number),
                            revision: main.id
                        )
                    ),
                    about: repository,
                    caller,
                    at: now
                )
            }
            return discussion
        }
    }

    /// - Parameter state: Of a pull request; `nil` for what is none.
    static func openDiscussion(
        _ title: String,
        _ text: String,
        as state: Discussion.State?,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> Discussion {
        try requireLength(title: title)
        try requireLength(text: text)
        let discussion = Discussion(
            number: (try tx.discussions(of: repository.id, limit: 1).first?.number ?? 0) + 1,
            title: title,
            text: text,
            author: caller.user,
            at: now,
            isPullRequest: state != nil,
            state: state ?? .open
        )
        try set(discussion, in: repository, caller, tx, at: now)
        return discussion
    }

    static func pullRequest(_ number: Int) throws -> ReferenceName {
        guard let name = ReferenceName(.pullRequest, "\(number)") else {
            throw Failure(.invalid, "A pull request has a number.")
        }
        return name
    }

    public func discussion(
        _ number: Int,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> DiscussionDetail {
        try await read(shelf, path, as: .see, caller) { tx, repository in
            let discussion = try Self.requireDiscussion(number, in: repository, tx)
            let isOpen = discussion.isPullRequest && (discussion.state == .open || discussion.state == .draft)
            return DiscussionDetail(
                discussion: discussion,
                notes: try tx.notes(of: number, of: repository.id, limit: Self.notesMax + 1),
                conflicts: isOpen ? try Self.plan(number, in: repository, tx).changes.conflicts : []
            )
        }
    }

    /// The newest first, at most 1,000.
    public func discussions(
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> [Discussion] {
        try await read(shelf, path, as: .see, caller) { tx, repository in
            try tx.discussions(of: repository.id, limit: Self.discussionsMax)
        }
    }

    // MARK: Talking

    /// Says something.
    public func comment(
        _ text: String,
        on number: Int,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> DiscussionNote {
        try await discussing(number, in: shelf, path, caller) { discussion, repository, caller, tx, now in
            try Self.note(.comment, text, on: discussion, in: repository, caller, tx, at: now)
        }
    }

    /// Changes what the caller said, or takes a comment back, which whoever may write can do with everybody's.
    ///
    /// - Parameters:
    ///   - place: Of the comment; 0 is the text that the discussion was opened with.
    ///   - text: The new text; `nil` takes the comment back for good.
    public func change(
        comment place: Int,
        of number: Int,
        to text: String?,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> DiscussionNote {
        try await discussing(number, in: shelf, path, caller) { discussion, repository, caller, tx, now in
            let known = try tx.note(place, of: number, of: repository.id) ?? (place == 0 ? discussion.opening : nil)
            guard var note = known, note.kind == .comment else {
                throw Failure(.notFound, "Discussion \(number) has no such comment.", note: Self.entryNote)
            }
            if note.author != caller.user {
                guard text == nil else {
                    throw Failure(.forbidden, "Only \(note.author) may change what \(note.author) said.")
                }
                try Self.require(.write, on: repository, caller, tx)
            }
            guard !note.isHidden else { throw Failure(.conflict, "This comment was taken back.") }
            try Self.requireLength(text: text ?? "")
            (note.text, note.editedAt, note.isHidden) = (text ?? "", now, text == nil)
            try Self.append(note, on: discussion, in: repository, caller, tx, at: now)
            return note
        }
    }

    /// Gives a discussion another title.
    public func rename(
        _ number: Int,
        to title: String,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> DiscussionNote {
        try Self.requireLength(title: title)
        return try await discussing(number, in: shelf, path, caller) { discussion, repository, caller, tx, now in
            var discussion = discussion
            try Self.requireSay(in: discussion, of: repository, caller, tx)
            let note = try Self.note(
                .title,
                title,
                detail: discussion.title,
                on: discussion,
                in: repository,
                caller,
                tx,
                at: now
            )
            discussion.title = title
            try Self.set(discussion, in: repository, caller, tx, at: now)
            return note
        }
    }

    /// Closes a discussion or opens it again; a draft that is opened is ready to be merged.
    ///
    /// - Parameter comment: Said before.
    public func setOpen(
        _ isOpen: Bool,
        _ number: Int,
        comment: String?,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> DiscussionNote {
        try await discussing(number, in: shelf, path, caller) { discussion, repository, caller, tx, now in
            var discussion = discussion
            try Self.requireSay(in: discussion, of: repository, caller, tx)
            guard discussion.state != .merged else {
                throw Failure(.conflict, "Pull request \(number) was merged; that is for good.")
            }
            if let comment {
                _ = try Self.note(.comment, comment, on: discussion, in: repository, caller, tx, at: now)
            }
            discussion.state = isOpen ? .open : .closed
            try Self.set(discussion, in: repository, caller, tx, at: now)
            let state = discussion.state.rawValue
            return try Self.note(.state, state, on: discussion, in: repository, caller, tx, at: now)
        }
    }

    // MARK: Merging

    /// What a commit to `main` is made of that merges a pull request.
    struct Merging: Sendable {
        var number: Int
        /// Where the pull request stood when the commit was worked out.
        var head: GitHash
        /// Said before.
        var comment: String?
    }

    /// Brings what a pull request changed into `main`, as one commit of the caller's; by whole files.
    ///
    /// - Throws: `.conflict` for a pull request that is not open, and when `main` has since changed one of its files to
    ///   something else; nothing has happened then.
    public func merge(
        _ number: Int,
        comment: String?,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> CommitOutcome {
        for _ in 0..<Self.triesMax {
            let request = try await read(shelf, path, as: .write, caller) { tx, repository in
                let discussion = try Self.requireDiscussion(number, in: repository, tx)
                try Self.requireMergeable(discussion)
                let plan = try Self.plan(number, in: repository, tx)
                guard plan.changes.conflicts.isEmpty else { throw Self.conflict(number, plan.changes.conflicts) }
                var message = "\(discussion.title) (#\(number))"
                if let caller, discussion.author != caller.user {
                    message += "\n\nCo-authored-by: \(discussion.author) <\(discussion.author)@onepoint>"
                }
                var request = CommitRequest(
                    reference: .main,
                    message: message,
                    parent: plan.main.id,
                    operations: plan.changes.operations
                )
                request.merging = Merging(number: number, head: plan.head.id, comment: comment)
                return request
            }
            do {
                return try await commit(request, to: shelf, path, caller)
            } catch let failure as Failure where failure.code == .preconditionFailed {
                // One of the two has moved meanwhile.
                continue
            }
        }
        throw Failure(
            .conflict,
            "Others commit to '\(path)' faster than this can follow; try again.",
            retryAfter: .seconds(1)
        )
    }

    private static func plan(
        _ number: Int,
        in repository: Repository,
        _ tx: ReadTransaction
    ) throws -> (main: Revision, head: Revision, changes: TreeMerge) {
        let address = RevisionAddress(repository.kind.shelf, repository.path)
        let main = try requireRevision(address, of: repository, tx)
        guard let id = try tx.reference(pullRequest(number), of: repository.id),
            let head = try tx.revision(id, of: repository.id)
        else {
            throw absent(RevisionAddress(repository.kind.shelf, repository.path, "refs/pr/\(number)"))
        }
        let base = try tx.commonRevision(main.id, head.id, of: repository.id).flatMap {
            try tx.revision($0, of: repository.id)
        }
        let changes = try TreeMerge(base: base?.tree, ours: main.tree, theirs: head.tree) { try tx.entries(of: $0) }
        return (main, head, changes)
    }

    private static func requireMergeable(_ discussion: Discussion) throws {
        let what = "\(discussion.number)"
        guard discussion.isPullRequest else { throw Failure(.conflict, "Discussion \(what) is no pull request.") }
        switch discussion.state {
        case .open: break
        case .draft: throw Failure(.conflict, "Pull request \(what) is a draft; set its status to open first.")
        case .closed: throw Failure(.conflict, "Pull request \(what) is closed; set its status to open first.")
        case .merged: throw Failure(.conflict, "Pull request \(what) was merged already.")
        }
    }

    private static let namedConflictsMax = 5

    private static func conflict(_ number: Int, _ paths: [String]) -> Failure {
        let names = paths.prefix(namedConflictsMax).map { "'\($0)'" }.joined(separator: ", ")
        let more = paths.count > namedConflictsMax ? " and more" : ""
        return Failure(
            .conflict,
            "Pull request \(number) has conflicts with 'main' in \(names)\(more). Commit what these are to be to"
                + " 'refs/pr/\(number)' as they are in 'main', or open a new one."
        )
    }

    /// Settles a pull request in the transaction of its commit.
    ///
    /// - Throws: `.preconditionFailed` when it has moved since that was worked out.
    static func settle(
        _ merging: Merging,
        as revision: Revision,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws {
        var discussion = try requireDiscussion(merging.number, in: repository, tx)
        try requireMergeable(discussion)
        guard try tx.reference(pullRequest(merging.number), of: repository.id) == merging.head else {
            throw Failure(.preconditionFailed, "Pull request \(merging.number) got another commit meanwhile.")
        }
        if let comment = merging.comment {
            _ = try note(.comment, comment, on: discussion, in: repository, caller, tx, at: now)
        }
        (discussion.state, discussion.mergeCommit) = (.merged, revision.id)
        try set(discussion, in: repository, caller, tx, at: now)
        let state = discussion.state.rawValue
        _ = try note(.state, state, on: discussion, in: repository, caller, tx, at: now)
    }

    /// Notes a commit to a pull request in it.
    static func note(
        _ revision: Revision,
        on reference: ReferenceName,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws {
        guard let number = Int(reference.name), let discussion = try tx.discussion(number, of: repository.id) else {
            return
        }
        guard discussion.state != .merged else {
            throw Failure(.conflict, "Pull request \(number) was merged; open a new one.")
        }
        _ = try note(
            .commit,
            revision.title,
            detail: revision.id.text,
            on: discussion,
            in: repository,
            caller,
            tx,
            at: now
        )
    }

    // MARK: Writing down

    /// Does something in a discussion for who is signed in and may read the repository's files.
    private func discussing<Value: Sendable>(
        _ number: Int,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?,
        _ body: @escaping @Sendable (Discussion, Repository, Principal, WriteTransaction, Instant) throws -> Value
    ) async throws -> Value {
        let caller = try Self.signedIn(caller)
        try Self.requireScope(.write, caller)
        return try await write(to: shelf, path, as: .read, caller) { tx, repository, now in
            try body(try Self.requireDiscussion(number, in: repository, tx), repository, caller, tx, now)
        }
    }

    private static func requireDiscussion(
        _ number: Int,
        in repository: Repository,
        _ tx: ReadTransaction
    ) throws -> Discussion {
        guard let discussion = try tx.discussion(number, of: repository.id) else {
            throw Failure(.notFound, "'\(repository.path)' has no discussion \(number).", note: entryNote)
        }
        return discussion
    }

    private static func requireSay(
        in discussion: Discussion,
        of repository: Repository,
        _ caller: Principal,
        _ tx: ReadTransaction
    ) throws {
        if discussion.author != caller.user { try require(.write, on: repository, caller, tx) }
    }

    private static func requireLength(title: String) throws {
        guard (1...titleBytesMax).contains(title.utf8.count) else {
            throw Failure(.invalid, "A title has 1 to \(titleBytesMax) bytes.")
        }
    }

    private static func requireLength(text: String) throws {
        guard text.utf8.count <= messageBytesMax else {
            throw Failure(.tooLarge, "A text may have \(messageBytesMax) bytes.")
        }
    }

    private static func set(
        _ discussion: Discussion,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws {
        let set = Event.DiscussionSet(repository: repository.id, discussion: discussion)
        try tx.append(.discussionSet(set), about: repository, caller, at: now)
    }

    /// At the end of a discussion.
    private static func note(
        _ kind: DiscussionNote.Kind,
        _ text: String,
        detail: String? = nil,
        on discussion: Discussion,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> DiscussionNote {
        try requireLength(text: text)
        let place = try tx.lastPlace(of: discussion.number, of: repository.id) + 1
        guard place <= notesMax else {
            throw Failure(.conflict, "Discussion \(discussion.number) has come to \(notesMax) entries; open a new one.")
        }
        let note = DiscussionNote(
            place: place,
            kind: kind,
            author: caller.user,
            at: now,
            text: text,
            detail: detail
        )
        try append(note, on: discussion, in: repository, caller, tx, at: now)
        return note
    }

    private static func append(
        _ note: DiscussionNote,
        on discussion: Discussion,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws {
        let noted = Event.DiscussionNoted(repository: repository.id, number: discussion.number, note: note)
        try tx.append(.discussionNoted(noted), about: repository, caller, at: now)
    }
}

extension Discussion {
    /// The text that it was opened with, as nobody has changed it yet.
    public var opening: DiscussionNote { DiscussionNote(place: 0, kind: .comment, author: author, at: at, text: text) }
}
