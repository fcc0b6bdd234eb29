/// What happens in the repository. Every one of them names the repository by its identifier, which outlives its name.
extension Event {
    public struct RepositoryCreated: Hashable, Sendable, Codable {
        public var repository: Repository
        public init(repository: Repository) { self.repository = repository }
    }

    /// New settings; what is absent stays.
    public struct RepositoryChanged: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var path: RepositoryPath?
        public var kind: RepositoryKind?
        public var visibility: Visibility?
        public var gating: Gating?
        public init(
            repository: RepositoryID,
            path: RepositoryPath? = nil,
            kind: RepositoryKind? = nil,
            visibility: Visibility? = nil,
            gating: Gating? = nil
        ) {
            (self.repository, self.path, self.kind) = (repository, path, kind)
            (self.visibility, self.gating) = (visibility, gating)
        }
    }

    /// With everything in it; bytes that nobody else has are collected later.
    public struct RepositoryRemoved: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public init(repository: RepositoryID) { self.repository = repository }
    }

    /// These bytes may be read through this repository, and named by what is put into it.
    public struct RepositoryBlobGranted: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var digest: Digest
        public var size: Bytes
        /// Other names of the same bytes that were verified, as `sha512:…` or `xet:…`.
        public var aliases: [String]?
        public init(repository: RepositoryID, digest: Digest, size: Bytes, aliases: [String]? = nil) {
            (self.repository, self.digest, self.size, self.aliases) = (repository, digest, size, aliases)
        }
    }

    public struct RepositoryBlobsRevoked: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var digests: [Digest]
        public init(repository: RepositoryID, digests: [Digest]) {
            (self.repository, self.digests) = (repository, digests)
        }
    }

    /// A revision, the folders that are new in it, and the reference that moves to it, if one does.
    public struct RevisionCommitted: Hashable, Sendable, Codable {
        /// A folder as the difference to another, so that a small commit to a large folder is a small event.
        public struct Folder: Hashable, Sendable, Codable {
            public var tree: GitHash
            /// The folder that it was; `nil` for a new one.
            public var base: GitHash?
            /// New entries, and those that replace one of the same name.
            public var put: [TreeEntry]
            public var removed: [String]
            public init(tree: GitHash, base: GitHash?, put: [TreeEntry], removed: [String]) {
                (self.tree, self.base, self.put, self.removed) = (tree, base, put, removed)
            }
        }

        public var repository: RepositoryID
        public var revision: Revision
        /// A folder comes after those inside it.
        public var folders: [Folder]
        /// `nil` for the revision that a manifest is: tags of the registry lead to it.
        public var reference: ReferenceName?
        public init(repository: RepositoryID, revision: Revision, folders: [Folder], reference: ReferenceName?) {
            (self.repository, self.revision) = (repository, revision)
            (self.folders, self.reference) = (folders, reference)
        }
    }

    public struct ReferenceSet: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var reference: ReferenceName
        public var revision: GitHash
        /// A tag's.
        public var message: String?
        public init(repository: RepositoryID, reference: ReferenceName, revision: GitHash, message: String? = nil) {
            (self.repository, self.reference) = (repository, reference)
            (self.revision, self.message) = (revision, message)
        }
    }

    public struct ReferenceRemoved: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var reference: ReferenceName
        public init(repository: RepositoryID, reference: ReferenceName) {
            (self.repository, self.reference) = (repository, reference)
        }
    }

    /// Revisions that no reference leads to any more.
    public struct RevisionsDropped: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var revisions: [GitHash]
        public init(repository: RepositoryID, revisions: [GitHash]) {
            (self.repository, self.revisions) = (repository, revisions)
        }
    }

    /// An OCI manifest, and the tags that point at it from now on.
    public struct ManifestPut: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var manifest: ManifestRecord
        /// The blobs and manifests that it is made of, which must be there.
        public var references: [Digest]
        public var tags: [String]
        public init(repository: RepositoryID, manifest: ManifestRecord, references: [Digest], tags: [String]) {
            (self.repository, self.manifest) = (repository, manifest)
            (self.references, self.tags) = (references, tags)
        }
    }

    /// With its tags.
    public struct ManifestRemoved: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var digest: Digest
        public init(repository: RepositoryID, digest: Digest) { (self.repository, self.digest) = (repository, digest) }
    }

    public struct TagRemoved: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var tag: String
        public init(repository: RepositoryID, tag: String) { (self.repository, self.tag) = (repository, tag) }
    }

    /// Somebody asked for a gated repository's files, or was answered.
    public struct AccessSet: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var user: UserName
        public var state: AccessState
        public init(repository: RepositoryID, user: UserName, state: AccessState) {
            (self.repository, self.user, self.state) = (repository, user, state)
        }
    }

    /// Something found out about a revision or about bytes. Facts are added, never changed: the newest of a kind counts.
    public struct FactNoted: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        /// A revision or a digest, as text.
        public var subject: String
        /// Such as `card`, `safetensors` or `licence`.
        public var kind: String
        /// JSON.
        public var value: String
        /// What found it, with its version.
        public var tool: String
        public init(repository: RepositoryID, subject: String, kind: String, value: String, tool: String) {
            (self.repository, self.subject, self.kind) = (repository, subject, kind)
            (self.value, self.tool) = (value, tool)
        }
    }

    /// An output of a job was committed, or cannot be.
    public struct PublicationSettled: Hashable, Sendable, Codable {
        public var job: JobID
        public var output: String
        public var repository: RepositoryID?
        public var revision: GitHash?
        /// Where in the revision; `nil` is its top.
        public var folder: String?
        /// Why it cannot be; `nil` when it was.
        public var detail: String?
        public init(
            job: JobID,
            output: String,
            repository: RepositoryID? = nil,
            revision: GitHash? = nil,
            folder: String? = nil,
            detail: String? = nil
        ) {
            (self.job, self.output, self.repository) = (job, output, repository)
            (self.revision, self.folder, self.detail) = (revision, folder, detail)
        }
    }

    /// Somebody judged a record that was drawn from a release of training data. Never changed or taken back.
    public struct SampleJudged: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        /// The Merkle root of the release's records, and what the sample was drawn for: together they name it.
        public var root: Digest
        public var purpose: String
        /// The record's place in the release, and the digest that the root knows it by.
        public var place: Int
        public var item: Digest
        /// Of the line that was shown: its place and the record as JSON.
        public var shown: Digest
        /// `judge`, `review` or `adjudicate`; each of them once for a record.
        public var step: String
        public var person: UserName
        public var isGood: Bool
        /// Which risks it is bad by; of good ones none.
        public var risks: [String]
        public var note: String?
        /// The revision that it was looked at in.
        public var revision: GitHash
        public init(
            repository: RepositoryID,
            root: Digest,
            purpose: String,
            place: Int,
            item: Digest,
            shown: Digest,
            step: String,
            person: UserName,
            isGood: Bool,
            risks: [String],
            note: String?,
            revision: GitHash
        ) {
            (self.repository, self.root, self.purpose, self.place) = (repository, root, purpose, place)
            (self.item, self.shown, self.step, self.person) = (item, shown, step, person)
            (self.isGood, self.risks, self.note, self.revision) = (isGood, risks, note, revision)
        }
    }

    /// A discussion or pull request, as it stands from now on.
    public struct DiscussionSet: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var discussion: Discussion
        public init(repository: RepositoryID, discussion: Discussion) {
            (self.repository, self.discussion) = (repository, discussion)
        }
    }

    /// Something was said or done in a discussion; what had this place in it before is replaced.
    public struct DiscussionNoted: Hashable, Sendable, Codable {
        public var repository: RepositoryID
        public var number: Int
        public var note: DiscussionNote
        public init(repository: RepositoryID, number: Int, note: DiscussionNote) {
            (self.repository, self.number, self.note) = (repository, number, note)
        }
    }

    /// A new repository with what the branches, tags and manifests of another one lead to. No byte is copied.
    public struct RepositoryDuplicated: Hashable, Sendable, Codable {
        public var repository: Repository
        public var source: RepositoryID
        public init(repository: Repository, source: RepositoryID) {
            (self.repository, self.source) = (repository, source)
        }
    }

    /// Downloads of a day that no such event has told yet.
    public struct DownloadsCounted: Hashable, Sendable, Codable {
        public struct Count: Hashable, Sendable, Codable {
            public var repository: RepositoryID
            public var downloads: Int64
            public init(repository: RepositoryID, downloads: Int64) {
                (self.repository, self.downloads) = (repository, downloads)
            }
        }

        /// Since 1970, of UTC.
        public var day: Int64
        public var counts: [Count]
        public init(day: Int64, counts: [Count]) { (self.day, self.counts) = (day, counts) }
    }
}
