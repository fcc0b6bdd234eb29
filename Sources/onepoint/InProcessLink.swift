import Agent
import Blobs
import Core
import Jobs
import NIOCore
import Wire

/// The way from an agent to a point in the same process: direct calls, with the rights of that agent and no more.
struct InProcessLink: PointLink, BlobLink {
    let point: Point
    let agent: AgentPrincipal

    func exchange(_ request: ExchangeRequest) async throws -> ExchangeResponse {
        try await point.exchange(request, agent)
    }

    func download(
        _ digest: Digest,
        for run: RunKey,
        from offset: Int64,
        _ body: @Sendable (ByteBuffer, Bytes) async throws -> Void
    ) async throws {
        let size = try await point.agentBlobSize(digest, for: run, agent)
        guard offset < size.count else { return }
        let bytes = try await point.agentBlob(
            digest,
            for: run,
            from: offset,
            count: size.count - offset,
            agent
        )
        for try await piece in bytes { try await body(piece, size) }
    }

    func missing(_ digests: [Digest], for run: RunKey) async throws -> [Digest] {
        try await point.agentMissingBlobs(digests, for: run, agent)
    }

    func beginUpload(for run: RunKey, expected: Digest, size: Bytes) async throws -> UploadView {
        try await point.agentBeginUpload(for: run, expected: expected, size: size, agent)
    }

    func append<Stream: AsyncSequence & Sendable>(
        _ stream: Stream,
        count: Int64,
        to upload: UploadID,
        at offset: Int64
    ) async throws -> UploadView where Stream.Element == ByteBuffer {
        try await point.agentAppendUpload(upload, offset: offset, stream, agent)
    }

    func finish(_ upload: UploadID) async throws -> BlobView {
        try await point.agentFinishUpload(upload, agent)
    }

    func appendLog(
        _ run: RunKey,
        task: Int,
        offset: Int64,
        _ bytes: [UInt8],
        complete: Bool
    ) async throws -> Int64 {
        try await point.agentAppendLog(run, task: task, offset: offset, bytes, complete: complete, agent)
    }
}
