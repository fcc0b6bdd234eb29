public import Core

/// A verdict as it was given, and when.
public struct SampleVerdict: Hashable, Sendable {
    public var judged: Event.SampleJudged
    /// Of its event.
    public var sequence: Int64
    public var at: Instant

    public init(judged: Event.SampleJudged, sequence: Int64, at: Instant) {
        (self.judged, self.sequence, self.at) = (judged, sequence, at)
    }
}

extension ReadTransaction {
    /// The verdicts on a sample in the order in which they were given, after one of them.
    public func verdicts(
        of repository: RepositoryID,
        root: Digest,
        purpose: String,
        after sequence: Int64 = 0,
        limit: Int
    ) throws -> [SampleVerdict] {
        try connection.all(
            """
            \(Self.verdictQuery) WHERE repository = ? AND root = ? AND purpose = ? AND sequence > ?
            ORDER BY sequence LIMIT ?
            """,
            repository,
            root,
            purpose,
            sequence,
            limit,
            read: Self.verdict
        )
    }

    /// Those on one record.
    public func verdicts(
        of repository: RepositoryID,
        root: Digest,
        purpose: String,
        place: Int
    ) throws -> [SampleVerdict] {
        try connection.all(
            "\(Self.verdictQuery) WHERE repository = ? AND root = ? AND purpose = ? AND place = ? ORDER BY sequence",
            repository,
            root,
            purpose,
            place,
            read: Self.verdict
        )
    }

    private static let verdictQuery =
        """
        SELECT repository, root, purpose, place, step, sequence, item, shown, person, is_good, risks, note, revision, at
        FROM sample_verdict
        """

    private static func verdict(_ row: borrowing Row) throws -> SampleVerdict {
        SampleVerdict(
            judged: Event.SampleJudged(
                repository: try row.value(0),
                root: try row.value(1),
                purpose: row.text(2),
                place: row.int(3),
                item: try row.value(6),
                shown: try row.value(7),
                step: row.text(4),
                person: try row.value(8),
                isGood: row.bool(9),
                risks: try StoredJSON.decode([String].self, from: row.utf8(10)),
                note: row.optionalText(11),
                revision: try row.value(12)
            ),
            sequence: row.integer(5),
            at: row.instant(13)
        )
    }
}

extension WriteTransaction {
    func apply(_ judged: Event.SampleJudged, _ sequence: Int64, _ at: Instant) throws {
        try connection.run(
            """
            INSERT INTO sample_verdict (
                repository, root, purpose, place, step, sequence, item, shown, person, is_good, risks, note, revision, at
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            judged.repository,
            judged.root,
            judged.purpose,
            judged.place,
            judged.step,
            sequence,
            judged.item,
            judged.shown,
            judged.person,
            judged.isGood,
            try StoredJSON.encode(judged.risks),
            judged.note,
            judged.revision,
            at
        )
    }
}
