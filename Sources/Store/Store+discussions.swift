public import Core

extension ReadTransaction {
    public func discussion(_ number: Int, of repository: RepositoryID) throws -> Discussion? {
        try connection.first(
            "\(Self.discussionQuery) WHERE repository = ? AND number = ?",
            repository,
            number,
            read: Self.discussion
        )
    }

    /// The newest first.
    public func discussions(of repository: RepositoryID, limit: Int) throws -> [Discussion] {
        try connection.all(
            "\(Self.discussionQuery) WHERE repository = ? ORDER BY number DESC LIMIT ?",
            repository,
            limit,
            read: Self.discussion
        )
    }

    /// What was said and done in a discussion, in its order.
    public func notes(of number: Int, of repository: RepositoryID, limit: Int) throws -> [DiscussionNote] {
        try connection.all(
            "\(Self.noteQuery) WHERE repository = ? AND number = ? ORDER BY place LIMIT ?",
            repository,
            number,
            limit,
            read: Self.note
        )
    }

    public func note(_ place: Int, of number: Int, of repository: RepositoryID) throws -> DiscussionNote? {
        try connection.first(
            "\(Self.noteQuery) WHERE repository = ? AND number = ? AND place = ?",
            repository,
            number,
            place,
            read: Self.note
        )
    }

    /// Of the last thing that was said or done in a discussion; 0 when nothing was.
    public func lastPlace(of number: Int, of repository: RepositoryID) throws -> Int {
        try connection.first(
            "SELECT COALESCE(MAX(place), 0) FROM discussion_note WHERE repository = ? AND number = ?",
            repository,
            number
        ) { $0.int(0) } ?? 0
    }

    private static let discussionQuery =
        "SELECT number, title, body, author, at, is_pull_request, state, merge_commit FROM discussion"

    private static func discussion(_ row: borrowing Row) throws -> Discussion {
        Discussion(
            number: row.int(0),
            title: row.text(1),
            text: row.text(2),
            author: try row.value(3),
            at: row.instant(4),
            isPullRequest: row.bool(5),
            state: try row.choice(6),
            mergeCommit: try row.optional(7)
        )
    }

    private static let noteQuery =
        "SELECT place, kind, author, at, body, detail, edited_at, is_hidden FROM discussion_note"

    private static func note(_ row: borrowing Row) throws -> DiscussionNote {
        DiscussionNote(
            place: row.int(0),
            kind: try row.choice(1),
            author: try row.value(2),
            at: row.instant(3),
            text: row.text(4),
            detail: row.optionalText(5),
            editedAt: row.optionalInstant(6),
            isHidden: row.bool(7)
        )
    }
}

extension WriteTransaction {
    func apply(_ set: Event.DiscussionSet) throws {
        let discussion = set.discussion
        try connection.run(
            """
            INSERT INTO discussion (
                repository, number, title, body, author, at, is_pull_request, state, merge_commit
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository, number) DO UPDATE SET title = excluded.title, body = excluded.body,
                state = excluded.state, merge_commit = excluded.merge_commit
            """,
            set.repository,
            discussion.number,
            discussion.title,
            discussion.text,
            discussion.author,
            discussion.at,
            discussion.isPullRequest,
            discussion.state.rawValue,
            discussion.mergeCommit
        )
    }

    func apply(_ noted: Event.DiscussionNoted) throws {
        let note = noted.note
        try connection.run(
            """
            INSERT INTO discussion_note (
                repository, number, place, kind, author, at, body, detail, edited_at, is_hidden
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository, number, place) DO UPDATE SET body = excluded.body, detail = excluded.detail,
                edited_at = excluded.edited_at, is_hidden = excluded.is_hidden
            """,
            noted.repository,
            noted.number,
            note.place,
            note.kind.rawValue,
            note.author,
            note.at,
            note.text,
            note.detail,
            note.editedAt,
            note.isHidden
        )
    }
}
