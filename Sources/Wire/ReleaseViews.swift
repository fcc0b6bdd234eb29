public import Core

/// A release of training data in a list: the newest revision of a data set that says how it was made.
public struct ReleaseView: Codable, Sendable, Hashable {
    public var repository: RepositoryID
    /// Project and name: `demo/corpus`.
    public var path: String
    public var revision: GitHash
    public var committedAt: Instant
    /// As its card says.
    public var licence: String?
    /// Documents that its run read, and records that it wrote; absent when its record cannot be read.
    public var read: Int?
    public var written: Int?
    public var finishedAt: Instant?
    public var samples: [SampleView]
    /// Whether it has an audit pack, and whether that is signed.
    public var hasPack: Bool
    public var isSigned: Bool
    /// Tags of the data set, at most 20.
    public var tags: [String]

    public init(
        repository: RepositoryID,
        path: String,
        revision: GitHash,
        committedAt: Instant,
        licence: String?,
        read: Int?,
        written: Int?,
        finishedAt: Instant?,
        samples: [SampleView],
        hasPack: Bool,
        isSigned: Bool,
        tags: [String]
    ) {
        (self.repository, self.path, self.revision, self.committedAt) = (repository, path, revision, committedAt)
        (self.licence, self.read, self.written, self.finishedAt) = (licence, read, written, finishedAt)
        (self.samples, self.hasPack, self.isSigned, self.tags) = (samples, hasPack, isSigned, tags)
    }
}

/// A sample of a release, and how far people are with it.
public struct SampleView: Codable, Sendable, Hashable {
    public var purpose: String
    /// The Merkle root of the release's records, from which it was drawn.
    public var root: Digest
    /// Records of the release.
    public var population: Int
    public var drawn: Int
    /// By at least one person, and by at least two.
    public var judged: Int
    public var reviewed: Int
    /// Where the two did not agree, settled or not.
    public var disputed: Int
    /// Nothing is left to do on these.
    public var settled: Int
    public var good: Int
    public var bad: Int

    public init(
        purpose: String,
        root: Digest,
        population: Int,
        drawn: Int,
        judged: Int,
        reviewed: Int,
        disputed: Int,
        settled: Int,
        good: Int,
        bad: Int
    ) {
        (self.purpose, self.root, self.population, self.drawn) = (purpose, root, population, drawn)
        (self.judged, self.reviewed, self.disputed) = (judged, reviewed, disputed)
        (self.settled, self.good, self.bad) = (settled, good, bad)
    }
}

/// A drawn record in a list.
public struct SampleItemView: Codable, Sendable, Hashable {
    public var place: Int
    public var item: Digest
    public var id: String
    /// `drawn`, `judged`, `disputed`, `reviewed` or `adjudicated`.
    public var state: String
    /// What the caller could do on it now: `judge`, `review` or `adjudicate`.
    public var awaits: String?

    public init(place: Int, item: Digest, id: String, state: String, awaits: String?) {
        (self.place, self.item, self.id, self.state, self.awaits) = (place, item, id, state, awaits)
    }
}

/// A drawn record with its text.
public struct SampleRecordView: Codable, Sendable {
    public var summary: SampleItemView
    /// As it stands in the release.
    public var record: JSON
    /// Of the line that was drawn.
    public var shown: Digest

    public init(summary: SampleItemView, record: JSON, shown: Digest) {
        (self.summary, self.record, self.shown) = (summary, record, shown)
    }
}

/// What somebody said of a drawn record.
public struct VerdictView: Codable, Sendable, Hashable {
    public var sequence: Int64
    public var place: Int
    /// `judge`, `review` or `adjudicate`.
    public var step: String
    public var person: UserName
    public var good: Bool
    public var risks: [String]
    public var note: String?
    public var at: Instant
    /// The record, as the release's root knows it.
    public var item: Digest
    /// The line that was shown: place and record as JSON.
    public var shown: Digest
    public var revision: GitHash

    public init(
        sequence: Int64,
        place: Int,
        step: String,
        person: UserName,
        good: Bool,
        risks: [String],
        note: String?,
        at: Instant,
        item: Digest,
        shown: Digest,
        revision: GitHash
    ) {
        (self.sequence, self.place, self.step, self.person) = (sequence, place, step, person)
        (self.good, self.risks, self.note, self.at) = (good, risks, note, at)
        (self.item, self.shown, self.revision) = (item, shown, revision)
    }
}
