public import Blobs
public import Core
public import NIOCore
import Store
import Synchronization
public import Wire

/// Bytes of a blob, streamed with back-pressure.
public typealias BlobBody = BlobChunks

extension Point {
    /// Of these digests, those that the project cannot read yet. That others have them is not told.
    public func missingBlobs(
        _ digests: [Digest],
        project: ProjectName,
        _ caller: Principal
    ) async throws -> [Digest] {
        try await store.read { tx in
            _ = try Self.require(.member, in: project, caller, tx)
            return try Self.missing(digests, project: project, tx)
        }
    }

    private static func missing(
        _ digests: [Digest],
        project: ProjectName,
        _ tx: ReadTransaction
    ) throws -> [Digest] {
        guard digests.count <= DigestList.countMax else {
            throw Failure(.tooLarge, "Ask for at most \(DigestList.countMax) digests at a time.")
        }
        return try digests.filter { try tx.blobGrant(project: project, digest: $0) == nil }
    }

    public func beginUpload(
        project: ProjectName,
        expected: Digest,
        size: Bytes,
        _ caller: Principal
    ) async throws -> UploadView {
        try await store.read { _ = try Self.require(.member, in: project, caller, $0) }
        // Anew each time: the same person may send the same bytes from two places at once.
        let owner = UploadOwner(project: project, holder: Actor.user(caller))
        let id = try await blobs.begin(expected: expected, size: size, owner: owner.text, now: now())
        return UploadView(upload: id, offset: 0)
    }

    public func upload(_ id: UploadID, _ caller: Principal) async throws -> UploadView {
        _ = try await owner(of: id, caller)
        return UploadView(upload: id, offset: try await blobs.offset(of: id))
    }

    public func appendUpload<Body: AsyncSequence & Sendable>(
        _ id: UploadID,
        offset: Int64,
        _ body: Body,
        _ caller: Principal
    ) async throws -> UploadView where Body.Element == ByteBuffer {
        _ = try await owner(of: id, caller)
        return try await append(id, offset, body)
    }

    /// Checks the digest, publishes the bytes, and lets the project read them.
    public func finishUpload(_ id: UploadID, _ caller: Principal) async throws -> BlobView {
        let owner = try await owner(of: id, caller)
        return try await finish(id, owner)
    }

    public func abortUpload(_ id: UploadID, _ caller: Principal) async throws {
        _ = try await owner(of: id, caller)
        try await blobs.abort(id)
    }

    // MARK: Reading

    /// `.notFound` unless one of the caller's projects may read it: knowing a digest gives no right to its bytes.
    public func blobSize(_ digest: Digest, _ caller: Principal) async throws -> Bytes {
        let unknown = Failure(.notFound, "There are no bytes \(digest) that you can read.")
        return try await store.read { tx in
            guard let projects = try Self.visible(to: caller, tx) else {
                guard let project = try tx.projects(granted: digest).first,
                    let size = try tx.blobGrant(project: project, digest: digest)
                else { throw unknown }
                return size
            }
            for project in projects {
                if let size = try tx.blobGrant(project: project, digest: digest) { return size }
            }
            throw unknown
        }
    }

    public func blob(
        _ digest: Digest,
        from offset: Int64,
        count: Int64,
        _ caller: Principal
    ) async throws -> BlobBody {
        _ = try await blobSize(digest, caller)
        return try await body(digest, offset, count)
    }

    public func tree(_ digest: Digest, _ caller: Principal) async throws -> TreeManifest {
        _ = try await blobSize(digest, caller)
        return try await treeManifest(digest)
    }

    func treeManifest(_ digest: Digest) async throws -> TreeManifest {
        try await blobs.manifest(of: digest)
    }

    // MARK: Agents

    public func agentBlobSize(_ digest: Digest, for run: RunKey, _ agent: AgentPrincipal) async throws -> Bytes {
        try await requireNamed(digest, by: run, agent)
        guard let size = try await blobs.size(of: digest) else {
            throw Failure(.notFound, "The store has no bytes \(digest).")
        }
        return size
    }

    public func agentBlob(
        _ digest: Digest,
        for run: RunKey,
        from offset: Int64,
        count: Int64,
        _ agent: AgentPrincipal
    ) async throws -> BlobBody {
        try await requireNamed(digest, by: run, agent)
        return try await body(digest, offset, count)
    }

    /// An agent reads on behalf of a live run, what the run's project may read.
    private func requireNamed(_ digest: Digest, by key: RunKey, _ agent: AgentPrincipal) async throws {
        let project = try await project(of: key, agent)
        guard try await store.read({ try $0.blobGrant(project: project, digest: digest) }) != nil else {
            throw Failure(.notFound, "There are no bytes \(digest) for run \(key).")
        }
    }

    private func project(of key: RunKey, _ agent: AgentPrincipal) async throws -> ProjectName {
        guard let run = try await store.read({ try $0.run(key) }), run.centre == agent.centre, !run.state.isTerminal
        else { throw Failure(.notFound, "There is no live run \(key) at centre '\(agent.centre)'.") }
        return run.project
    }

    public func agentMissingBlobs(
        _ digests: [Digest],
        for run: RunKey,
        _ agent: AgentPrincipal
    ) async throws -> [Digest] {
        let project = try await project(of: run, agent)
        return try await store.read { try Self.missing(digests, project: project, $0) }
    }

    /// Goes on where an earlier try of the same agent stopped: its line broke, or one of us was killed.
    public func agentBeginUpload(
        for run: RunKey,
        expected: Digest,
        size: Bytes,
        _ agent: AgentPrincipal
    ) async throws -> UploadView {
        let owner = UploadOwner(project: try await project(of: run, agent), holder: Actor.agent(agent))
        let (id, offset) = try await blobs.resume(expected: expected, size: size, owner: owner.text, now: now())
        return UploadView(upload: id, offset: offset)
    }

    public func agentUpload(_ id: UploadID, _ agent: AgentPrincipal) async throws -> UploadView {
        _ = try await owner(of: id, holder: Actor.agent(agent))
        return UploadView(upload: id, offset: try await blobs.offset(of: id))
    }

    public func agentAppendUpload<Body: AsyncSequence & Sendable>(
        _ id: UploadID,
        offset: Int64,
        _ body: Body,
        _ agent: AgentPrincipal
    ) async throws -> UploadView where Body.Element == ByteBuffer {
        _ = try await owner(of: id, holder: Actor.agent(agent))
        return try await append(id, offset, body)
    }

    public func agentFinishUpload(_ id: UploadID, _ agent: AgentPrincipal) async throws -> BlobView {
        try await finish(id, owner(of: id, holder: Actor.agent(agent)))
    }

    /// Takes in a piece of a log. Repeats are harmless; the answer says where to go on.
    public func agentAppendLog(
        _ key: RunKey,
        task: Int,
        offset: Int64,
        _ bytes: [UInt8],
        complete: Bool,
        _ agent: AgentPrincipal
    ) async throws -> Int64 {
        guard let run = try await store.read({ try $0.run(key) }), run.centre == agent.centre,
            (0..<run.tasks).contains(task)
        else { throw Failure(.notFound, "There is no task \(task) of run \(key) at centre '\(agent.centre)'.") }
        // Nothing to add is a question: how far did an agent come that has been started anew?
        if bytes.isEmpty && !complete { return try await runLogs.size(key, task: task)?.count ?? 0 }
        let end = try await runLogs.append(key, task: task, offset: offset, ByteBuffer(bytes: bytes))
        if complete, end == offset + Int64(bytes.count) { try await runLogs.seal(key, task: task) }
        if !bytes.isEmpty || complete { logBell.ring() }
        return end
    }

    // MARK: Shared

    private func owner(of id: UploadID, holder: String) async throws -> UploadOwner {
        guard let owner = try await blobs.owner(of: id).flatMap({ UploadOwner($0) }), owner.holder == holder else {
            throw Failure(.notFound, "There is no upload \(id) of yours. It may have ended; begin anew.")
        }
        return owner
    }

    /// A user's own upload, as long as they may still write to its project.
    private func owner(of id: UploadID, _ caller: Principal) async throws -> UploadOwner {
        let owner = try await owner(of: id, holder: Actor.user(caller))
        try await store.read { _ = try Self.require(.member, in: owner.project, caller, $0) }
        return owner
    }

    private func append<Body: AsyncSequence & Sendable>(
        _ id: UploadID,
        _ offset: Int64,
        _ body: Body
    ) async throws -> UploadView where Body.Element == ByteBuffer {
        UploadView(upload: id, offset: try await blobs.append(id, offset: offset, stream: body))
    }

    private func finish(_ id: UploadID, _ owner: UploadOwner) async throws -> BlobView {
        let blob = try await blobs.finish(id)
        let now = now()
        try await write { tx in
            guard try tx.blobGrant(project: owner.project, digest: blob.digest) == nil else { return }
            try tx.append(
                .blobGranted(.init(project: owner.project, digest: blob.digest, size: blob.size)),
                project: owner.project,
                subject: "\(blob.digest)",
                actor: owner.holder,
                at: now
            )
        }
        return BlobView(digest: blob.digest, size: blob.size)
    }

    private func body(_ digest: Digest, _ offset: Int64, _ count: Int64) async throws -> BlobBody {
        let reader = try await blobs.open(digest)
        guard offset >= 0, count >= 0, offset + count <= reader.size.count else {
            throw Failure(.rangeNotSatisfiable, "These bytes are \(reader.size.count) long; the range lies outside.")
        }
        return try reader.chunks(offset..<offset + count)
    }
}

/// For whom an upload is, kept beside it so that it survives a restart.
private struct UploadOwner {
    let project: ProjectName
    /// Who began it, as events name them.
    let holder: String

    init(project: ProjectName, holder: String) {
        self.project = project
        self.holder = holder
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let project = ProjectName(String(parts[0])) else { return nil }
        self.init(project: project, holder: String(parts[1]))
    }

    var text: String { "\(project) \(holder)" }
}
