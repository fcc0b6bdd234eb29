public import Core

/// A job as somebody submitted it: valid in itself, not yet compared with what the point knows.
public struct JobDraft: Sendable, Hashable {
    /// `nil` in a workflow (which has one for all its jobs) and where the caller's only project is meant.
    public var project: ProjectName?
    /// Complete but for an algorithm: then `command` is empty and `parameters` are as given, without defaults.
    ///
    /// `inputs` and `after` refer to jobs by id or, inside a workflow, by name.
    public var spec: JobSpec
    /// What to run instead of a command; the point resolves it.
    public var algorithm: AlgorithmDraft?
    /// Inputs by a repository's revision; the point resolves them into `spec.inputs`.
    public var sources: [String: RepositorySource] = [:]
    /// The folder of the algorithm, where a file on disk names one. Never set in what the point receives.
    public var algorithmPath: String?

    public init(
        project: ProjectName? = nil,
        spec: JobSpec,
        algorithm: AlgorithmDraft? = nil,
        algorithmPath: String? = nil
    ) {
        self.project = project
        self.spec = spec
        self.algorithm = algorithm
        self.algorithmPath = algorithmPath
    }
}

/// An algorithm by content, before its manifest has been read.
public struct AlgorithmDraft: Sendable, Hashable {
    public var name: String
    /// When given it must be the manifest's.
    public var version: String?
    public var tree: Digest

    public init(name: String, version: String?, tree: Digest) {
        self.name = name
        self.version = version
        self.tree = tree
    }
}

/// A graph of jobs as somebody submitted it: names are unique, references resolve, and there is no cycle.
public struct WorkflowDraft: Sendable, Hashable {
    public var name: String
    public var project: ProjectName?
    /// As written.
    public var jobs: [JobDraft]
    /// Indices into `jobs` such that every job comes after those it depends on; otherwise as written.
    public var order: [Int]

    public init(name: String, project: ProjectName?, jobs: [JobDraft], order: [Int]) {
        self.name = name
        self.project = project
        self.jobs = jobs
        self.order = order
    }
}

/// Where a document comes from, which decides what `algorithm` may be.
public enum DocumentOrigin: Sendable, Hashable {
    /// A request to the point: an algorithm is given by content.
    case request
    /// A file on a user's disk: an algorithm may also be the path of its folder.
    case file
}

/// What a submission describes.
public enum SubmissionDraft: Sendable, Hashable {
    case job(JobDraft)
    case workflow(WorkflowDraft)

    /// Reads a job, or a workflow when the document has the key `workflow` or `jobs`.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer, at most ``JobLimits/faultsMax``.
    /// - Complexity: Linear in the document; 6 to 13 µs for a job of 561 bytes in a release build, parsing not counted.
    public static func read(
        _ json: JSON,
        from origin: DocumentOrigin = .request
    ) throws(Failure) -> SubmissionDraft {
        if json["workflow"] != nil || json["jobs"] != nil {
            return .workflow(try WorkflowDocument.read(json, from: origin))
        }
        return .job(try JobDocument.read(json, from: origin))
    }
}

/// The document that describes one job or one array.
public enum JobDocument {
    /// Every key that a job document may have.
    public static let keys = [
        "name", "project", "algorithm", "command", "parameters", "environment", "tasks", "resources", "array",
        "placement", "priority", "preemptible", "grace_period", "retries", "on_centre_loss", "isolation", "inputs",
        "outputs", "publish", "after",
    ]
    static let memberKeys = keys.filter { $0 != "project" }
    static let resourceKeys = ["cores", "memory", "cards", "card", "time_limit"]
    static let placementKeys = ["tiers", "centres", "emulated"]
    static let retryKeys = ["limit", "on", "backoff"]
    static let algorithmKeys = ["name", "version", "tree"]
    static let inputKeys = ["digest", "kind", "job", "output", "repository", "revision", "path"]
    static let publicationKeys = ["repository", "branch", "path", "replace"]

    /// Reads a job.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public static func read(_ json: JSON, from origin: DocumentOrigin = .request) throws(Failure) -> JobDraft {
        var reader = DocumentReader()
        let draft = reader.job(json, at: "", origin: origin, isMember: false)
        try reader.finish("job")
        return draft
    }
}
