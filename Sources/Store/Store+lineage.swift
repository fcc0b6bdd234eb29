public import Core

extension ReadTransaction {
    /// Which jobs read a revision, and which wrote it; the latest first.
    public func lineage(of revision: GitHash, in repository: RepositoryID, limit: Int) throws -> [LineageEdge] {
        try connection.all(
            "\(Self.lineageQuery) WHERE repository = ? AND revision = ? ORDER BY job DESC, direction, name LIMIT ?",
            repository,
            revision,
            limit,
            read: Self.edge
        )
    }

    /// The revisions that a job reads and writes. An element of an array has its first one's inputs.
    public func lineage(of job: JobID) throws -> [LineageEdge] {
        let first = try connection.first(
            """
            SELECT f.id FROM job j JOIN job f ON f.array_id = j.array_id AND f.array_index = 0 WHERE j.id = ?
            """,
            job
        ) { try $0.value(0, as: JobID.self) }
        return try connection.all(
            """
            \(Self.lineageQuery) WHERE (job = ? AND direction = 'input') OR (job = ? AND direction = 'output')
            ORDER BY direction, name
            """,
            first ?? job,
            job,
            read: Self.edge
        )
    }

    /// Outputs that are to be committed, of the oldest jobs first.
    public func publicationsDue(limit: Int) throws -> [PublicationStatus] {
        try connection.all(
            "\(Self.publicationQuery) WHERE state = 'due' ORDER BY job, output LIMIT ?",
            limit,
            read: Self.publication
        )
    }

    public func publications(of job: JobID) throws -> [PublicationStatus] {
        try connection.all("\(Self.publicationQuery) WHERE job = ? ORDER BY output", job, read: Self.publication)
    }

    private static let lineageQuery = "SELECT direction, repository, revision, job, jobs, name, file FROM lineage"

    private static func edge(_ row: borrowing Row) throws -> LineageEdge {
        LineageEdge(
            direction: try row.choice(0),
            repository: try row.value(1),
            revision: try row.value(2),
            job: try row.value(3),
            count: row.int(4),
            name: row.text(5),
            file: row.optionalText(6)
        )
    }

    private static let publicationQuery =
        "SELECT job, output, state, repository, revision, detail FROM publication"

    private static func publication(_ row: borrowing Row) throws -> PublicationStatus {
        PublicationStatus(
            job: try row.value(0),
            output: row.text(1),
            state: try row.choice(2),
            repository: try row.optional(3),
            revision: try row.optional(4),
            detail: row.optionalText(5)
        )
    }
}

extension WriteTransaction {
    /// Notes which revisions the jobs of a submission read.
    func noteInputs(of submitted: Event.JobsSubmitted) throws {
        for input in submitted.spec.inputs {
            guard let origin = input.origin else { continue }
            try note(
                LineageEdge(
                    direction: .input,
                    repository: origin.repository,
                    revision: origin.revision,
                    job: submitted.first,
                    count: submitted.count,
                    name: input.name,
                    file: origin.file
                )
            )
        }
    }

    /// An output of a job that succeeded is to be committed.
    func publish(_ output: String, of job: JobID) throws {
        try connection.run("INSERT INTO publication (job, output, state) VALUES (?, ?, 'due')", job, output)
    }

    func apply(_ settled: Event.PublicationSettled) throws {
        let state: PublicationStatus.State = settled.detail == nil ? .done : .failed
        try change(
            "publication of \(settled.output) of \(settled.job)",
            "UPDATE publication SET state = ?, repository = ?, revision = ?, detail = ? WHERE job = ? AND output = ?",
            state.rawValue,
            settled.repository,
            settled.revision,
            settled.detail,
            settled.job,
            settled.output
        )
        guard state == .done, let repository = settled.repository, let revision = settled.revision else { return }
        try note(
            LineageEdge(
                direction: .output,
                repository: repository,
                revision: revision,
                job: settled.job,
                name: settled.output,
                file: settled.folder
            )
        )
    }

    private func note(_ edge: LineageEdge) throws {
        try connection.run(
            """
            INSERT INTO lineage (repository, revision, direction, job, name, file, jobs) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (repository, revision, direction, job, name) DO NOTHING
            """,
            edge.repository,
            edge.revision,
            edge.direction.rawValue,
            edge.job,
            edge.name,
            edge.file,
            edge.count
        )
    }
}
