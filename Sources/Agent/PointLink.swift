public import Core
public import NIOCore
public import Wire

/// The way from an agent to the point: over HTTPS from another machine, by direct calls within one process.
///
/// Every call may be repeated. Errors are ``Failure``: `.unavailable` and `.rateLimited` are worth a repeat.
public protocol PointLink: Sendable {
    func exchange(_ request: ExchangeRequest) async throws -> ExchangeResponse

    /// - Returns: Where the log now ends; go on from there.
    func appendLog(
        _ run: RunKey,
        task: Int,
        offset: Int64,
        _ bytes: [UInt8],
        complete: Bool
    ) async throws -> Int64
}

/// The way of inputs and outputs between a centre and the point. Calls and errors are as those of ``PointLink``.
public protocol BlobLink: Sendable {
    /// Hands the bytes of a blob, from `offset`, to `body` piece by piece, each with the size of the whole blob; none
    /// when it ends there or before.
    func download(
        _ digest: Digest,
        for run: RunKey,
        from offset: Int64,
        _ body: @Sendable (ByteBuffer, Bytes) async throws -> Void
    ) async throws

    /// Of these digests, those that the point does not have for this run's project.
    func missing(_ digests: [Digest], for run: RunKey) async throws -> [Digest]
    /// Begins an upload, or goes on with what the point has of these bytes from an earlier try.
    func beginUpload(for run: RunKey, expected: Digest, size: Bytes) async throws -> UploadView
    /// Appends bytes as one stream, read no faster than the way takes them.
    ///
    /// What arrives before a failure is kept: ``beginUpload(for:expected:size:)`` says how much that is.
    /// - Parameter count: How many bytes `stream` brings.
    func append<Stream: AsyncSequence & Sendable>(
        _ stream: Stream,
        count: Int64,
        to upload: UploadID,
        at offset: Int64
    ) async throws -> UploadView where Stream.Element == ByteBuffer
    func finish(_ upload: UploadID) async throws -> BlobView
}
