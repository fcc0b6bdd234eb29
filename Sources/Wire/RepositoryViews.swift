public import Core

/// One repository in a list.
public struct RepositoryView: Codable, Sendable, Hashable {
    public var repository: RepositoryID
    public var kind: RepositoryKind
    /// Project and name: `demo/resnet`.
    public var path: String
    public var visibility: Visibility
    public var gating: Gating
    public var creator: UserName
    public var createdAt: Instant
    public var updatedAt: Instant
    /// Where its branch `main` stands; absent while nothing was committed.
    public var revision: GitHash?
    // As its card says.
    public var task: String?
    public var library: String?
    public var licence: String?
    public var languages: [String]
    public var tags: [String]

    public init(
        _ repository: Repository,
        revision: GitHash?,
        task: String?,
        library: String?,
        licence: String?,
        languages: [String],
        tags: [String]
    ) {
        (self.repository, kind, path) = (repository.id, repository.kind, "\(repository.path)")
        (visibility, gating, creator) = (repository.visibility, repository.gating, repository.creator)
        (createdAt, updatedAt) = (repository.createdAt, repository.updatedAt)
        (self.revision, self.task, self.library) = (revision, task, library)
        (self.licence, self.languages, self.tags) = (licence, languages, tags)
    }
}

/// One repository, whole.
public struct RepositoryDetail: Codable, Sendable {
    public struct Reference: Codable, Sendable, Hashable {
        /// As in git: `heads/main`, `tags/v1`, `pr/1`.
        public var name: ReferenceName
        public var revision: GitHash

        public init(name: ReferenceName, revision: GitHash) { (self.name, self.revision) = (name, revision) }
    }

    public var summary: RepositoryView
    /// Of all bytes that may be had through it, each once.
    public var bytes: Bytes
    public var references: [Reference]
    /// Of its OCI manifests; at most 1,000.
    public var tags: [String]

    public init(summary: RepositoryView, bytes: Bytes, references: [Reference], tags: [String]) {
        (self.summary, self.bytes, self.references, self.tags) = (summary, bytes, references, tags)
    }
}

/// Somebody who asked for a gated repository's files.
public struct AccessRequestView: Codable, Sendable, Hashable {
    public var user: UserName
    public var state: AccessState
    public var at: Instant

    public init(user: UserName, state: AccessState, at: Instant) {
        (self.user, self.state, self.at) = (user, state, at)
    }
}

/// What the repository holds.
public struct RepositoryStats: Codable, Sendable, Hashable {
    public struct Share: Codable, Sendable, Hashable {
        public var project: ProjectName
        /// Each repository's bytes once.
        public var bytes: Bytes

        public init(project: ProjectName, bytes: Bytes) { (self.project, self.bytes) = (project, bytes) }
    }

    public var repositories: Int
    /// What its users have put into it: each repository's bytes once.
    public var logicalBytes: Bytes
    /// What that takes on the disk.
    public var storedBytes: Bytes
    /// What deduplication saves.
    public var savedBytes: Bytes
    /// The most first.
    public var projects: [Share]

    public init(repositories: Int, logical: Bytes, stored: Bytes, projects: [Share]) {
        (self.repositories, logicalBytes, storedBytes) = (repositories, logical, stored)
        (savedBytes, self.projects) = (logical - stored, projects)
    }
}

/// What a round of collection took away.
public struct CollectionView: Codable, Sendable, Hashable {
    public var revisions: Int
    /// Bytes that a repository had and nothing in it used.
    public var grants: Int
    /// Files that nobody had any more.
    public var blobs: Int
    public var bytes: Bytes

    public init(revisions: Int, grants: Int, blobs: Int, bytes: Bytes) {
        (self.revisions, self.grants, self.blobs, self.bytes) = (revisions, grants, blobs, bytes)
    }
}

/// That a job read from a revision or wrote one.
public struct LineageEdgeView: Codable, Sendable, Hashable {
    public var direction: LineageEdge.Direction
    public var repository: RepositoryID
    /// Its shelf, project and name now: `models/demo/resnet`; absent when it is gone or hidden.
    public var path: String?
    public var revision: GitHash
    /// For inputs of an array its first job.
    public var job: JobID
    /// How many jobs that are.
    public var jobs: Int
    public var jobName: String
    /// Of the input or output.
    public var name: String
    /// Of the file or folder; absent when it is all of the revision.
    public var file: String?

    public init(_ edge: LineageEdge, path: String?, jobName: String) {
        (direction, repository, self.path, revision) = (edge.direction, edge.repository, path, edge.revision)
        (job, jobs, self.jobName, name, file) = (edge.job, edge.count, jobName, edge.name, edge.file)
    }
}

/// Where something comes from and what became of it.
public struct LineageView: Codable, Sendable, Hashable {
    public var edges: [LineageEdgeView]
    /// Outputs that are still to be published, or could not be.
    public var publications: [PublicationView]
    /// What a release of training data was made of, when the revision is one.
    public var release: OriginView?
    /// Releases of training data that say they were made of the revision, the latest first; up to a hundred.
    public var releases: [ReleaseUseView]

    public init(
        edges: [LineageEdgeView],
        publications: [PublicationView],
        release: OriginView? = nil,
        releases: [ReleaseUseView] = []
    ) {
        (self.edges, self.publications) = (edges, publications)
        (self.release, self.releases) = (release, releases)
    }
}

/// A release of training data that says it was made of some revision.
public struct ReleaseUseView: Codable, Sendable, Hashable {
    public var repository: RepositoryID
    /// Such as `datasets/demo/web`.
    public var path: String
    public var revision: GitHash
    /// Who committed it, and when.
    public var author: UserName
    public var at: Instant

    public init(repository: RepositoryID, path: String, revision: GitHash, author: UserName, at: Instant) {
        (self.repository, self.path, self.revision) = (repository, path, revision)
        (self.author, self.at) = (author, at)
    }
}

/// What a revision says that it was made of. It is the word of whoever committed it; the digests are what it can be held
/// to.
public struct OriginView: Codable, Sendable, Hashable {
    /// Who committed it, and when.
    public var author: UserName
    public var at: Instant
    /// Without blocks and parts, and not more than some hundred of everything else. Files only for those who may have
    /// the repository's.
    public var lineage: ReleaseLineage
    /// Those of the repositories that it names which the caller sees, by their names.
    public var repositories: [String: RepositoryID]

    public init(
        author: UserName,
        at: Instant,
        lineage: ReleaseLineage,
        repositories: [String: RepositoryID]
    ) {
        (self.author, self.at, self.lineage, self.repositories) = (author, at, lineage, repositories)
    }
}

/// How it stands with an output that is to be published.
public struct PublicationView: Codable, Sendable, Hashable {
    public var output: String
    public var state: PublicationStatus.State
    /// Why it failed.
    public var detail: String?

    public init(_ status: PublicationStatus) {
        (output, state, detail) = (status.output, status.state, status.detail)
    }
}
