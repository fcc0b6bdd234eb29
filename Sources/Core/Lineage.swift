/// A file or folder of a repository as somebody names it.
public struct RepositorySource: Hashable, Sendable {
    public var shelf: RepositoryShelf
    public var path: RepositoryPath
    /// A branch, a tag, or the 40 digits of a commit.
    public var revision: String
    /// Of the file or folder; `nil` is all of it.
    public var file: String?

    public init(shelf: RepositoryShelf, path: RepositoryPath, revision: String, file: String? = nil) {
        (self.shelf, self.path, self.revision, self.file) = (shelf, path, revision, file)
    }
}

/// What a ``RepositorySource`` meant at one moment: it means the same for ever.
public struct RevisionPin: Hashable, Sendable, Codable {
    public var repository: RepositoryID
    /// Its name at that moment, such as `models/demo/resnet`: for people.
    public var name: String
    public var revision: GitHash
    /// Of the file or folder; `nil` is all of it.
    public var file: String?

    public init(repository: RepositoryID, name: String, revision: GitHash, file: String? = nil) {
        (self.repository, self.name, self.revision, self.file) = (repository, name, revision, file)
    }
}

/// An output that is to be committed to a repository once the job has succeeded.
public struct Publication: Hashable, Sendable, Codable {
    public var output: String
    /// Of the repository, should it have to be made.
    public var kind: RepositoryKind
    public var path: RepositoryPath
    /// Made when it is not there.
    public var branch: String
    /// In which folder it is put; `nil` is the top. Elements of an array get one each in it, named by their index.
    public var folder: String?
    /// Whether the folders at the top of the output take the place of those of their names, instead of being put into
    /// them. Files beside them stay.
    public var replace: Bool?

    public init(
        output: String,
        kind: RepositoryKind,
        path: RepositoryPath,
        branch: String,
        folder: String? = nil,
        replace: Bool? = nil
    ) {
        (self.output, self.kind, self.path) = (output, kind, path)
        (self.branch, self.folder, self.replace) = (branch, folder, replace)
    }
}

extension RepositoryShelf {
    /// Reads `models/demo/resnet`. Algorithms stand on the shelf of models.
    public static func address(_ text: String) -> (shelf: RepositoryShelf, kind: RepositoryKind, path: RepositoryPath)?
    {
        guard let slash = text.firstIndex(of: "/"), let path = RepositoryPath(String(text[text.index(after: slash)...]))
        else { return nil }
        let word = String(text[..<slash])
        if word == "algorithms" { return (.models, .algorithm, path) }
        return RepositoryShelf(rawValue: word).map { ($0, $0.kind, path) }
    }
}

/// That a job read from a revision or wrote one.
public struct LineageEdge: Hashable, Sendable {
    public enum Direction: String, Hashable, Sendable, Codable {
        case input, output
    }

    public var direction: Direction
    public var repository: RepositoryID
    public var revision: GitHash
    /// For inputs of an array its first job.
    public var job: JobID
    /// How many jobs that are, from `job` on.
    public var count: Int
    /// Of the input or output.
    public var name: String
    /// Of the file or folder; `nil` is all of the revision.
    public var file: String?

    public init(
        direction: Direction,
        repository: RepositoryID,
        revision: GitHash,
        job: JobID,
        count: Int = 1,
        name: String,
        file: String?
    ) {
        (self.direction, self.repository, self.revision) = (direction, repository, revision)
        (self.job, self.count, self.name, self.file) = (job, count, name, file)
    }
}

/// How it stands with an output that is to be committed.
public struct PublicationStatus: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, Codable {
        case due, done, failed
    }

    public var job: JobID
    public var output: String
    public var state: State
    public var repository: RepositoryID?
    public var revision: GitHash?
    /// Why it failed.
    public var detail: String?

    public init(
        job: JobID,
        output: String,
        state: State,
        repository: RepositoryID? = nil,
        revision: GitHash? = nil,
        detail: String? = nil
    ) {
        (self.job, self.output, self.state) = (job, output, state)
        (self.repository, self.revision, self.detail) = (repository, revision, detail)
    }
}
