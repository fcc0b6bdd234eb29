public import Core

extension ReadTransaction {
    /// What a job's successful run left; empty when it has not succeeded.
    public func artifacts(of job: JobID) throws -> [Artifact] {
        try connection.all(
            """
            SELECT a.name, a.kind, a.digest, a.size FROM job j
            JOIN artifact a ON a.job = j.id AND a.number = j.run_number
            WHERE j.id = ? AND j.state = 'succeeded' ORDER BY a.position
            """,
            job,
            read: Self.artifact
        )
    }

    /// What one run left, whether it counts or not.
    public func artifacts(of run: RunKey) throws -> [Artifact] {
        try connection.all(
            "SELECT name, kind, digest, size FROM artifact WHERE job = ? AND number = ? ORDER BY position",
            run.job,
            run.number,
            read: Self.artifact
        )
    }

    /// The output of that name of an array's successful elements, in the order of their index.
    public func artifacts(of array: ArrayID, output: String) throws -> [(index: Int, artifact: Artifact)] {
        try connection.all(
            """
            SELECT a.name, a.kind, a.digest, a.size, j.array_index FROM job j
            JOIN artifact a ON a.job = j.id AND a.number = j.run_number
            WHERE j.array_id = ? AND j.state = 'succeeded' AND a.name = ? ORDER BY j.sequence, j.id, a.position
            """,
            array,
            output
        ) { ($0.int(4), try Self.artifact($0)) }
    }

    /// What runs left, and where, those of the latest jobs first.
    public func latestArtifacts(limit: Int) throws -> [(digest: Digest, project: ProjectName, centre: CentreName)] {
        try connection.all(
            """
            SELECT a.digest, r.project, r.centre FROM artifact a JOIN run r ON r.job = a.job AND r.number = a.number
            ORDER BY a.job DESC LIMIT ?
            """,
            limit
        ) { (try $0.value(0), try $0.value(1), try $0.value(2)) }
    }

    /// The size that a project was granted a blob with; `nil` when it may not read it.
    public func blobGrant(project: ProjectName, digest: Digest) throws -> Bytes? {
        try connection.first(
            "SELECT size FROM blob_grant WHERE project = ? AND digest = ?",
            project,
            digest
        ) { Bytes($0.integer(0)) }
    }

    /// How many projects may read a blob.
    public func blobGrants(_ digest: Digest) throws -> Int {
        try connection.first("SELECT COUNT(*) FROM blob_grant WHERE digest = ?", digest) { $0.int(0) } ?? 0
    }

    /// The projects that may read a blob, by name.
    public func projects(granted digest: Digest) throws -> [ProjectName] {
        try connection.all("SELECT project FROM blob_grant WHERE digest = ? ORDER BY project", digest) {
            try $0.value(0)
        }
    }

    private static func artifact(_ row: borrowing Row) throws -> Artifact {
        Artifact(
            name: row.text(0),
            kind: try row.choice(1),
            digest: try row.value(2),
            size: Bytes(row.integer(3))
        )
    }
}

extension WriteTransaction {
    func apply(_ granted: Event.BlobGranted) throws {
        try grant(granted.digest, size: granted.size, to: granted.project)
    }

    /// The first size stays: it is the upload's, where a folder's artifact counts all its files.
    func grant(_ digest: Digest, size: Bytes, to project: ProjectName) throws {
        try connection.run(
            """
            INSERT INTO blob_grant (project, digest, size) VALUES (?, ?, ?) ON CONFLICT (project, digest) DO NOTHING
            """,
            project,
            digest,
            size
        )
    }

    func keep(_ artifacts: [Artifact], of run: RunKey, project: ProjectName) throws {
        for (position, artifact) in artifacts.enumerated() {
            try connection.run(
                """
                INSERT INTO artifact (job, number, position, name, kind, digest, size) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                run.job,
                run.number,
                position,
                artifact.name,
                artifact.kind.rawValue,
                artifact.digest,
                artifact.size
            )
            try grant(artifact.digest, size: artifact.size, to: project)
        }
    }
}
