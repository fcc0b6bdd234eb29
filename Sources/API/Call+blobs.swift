import Core
import Entry
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

extension Call {
    /// A blob or a part of it. Its digest is its `ETag`, and it never changes.
    func blob<Body: AsyncSequence & Sendable>(
        _ digest: Digest,
        size: () async throws -> Bytes,
        body: (Int64, Int64) async throws -> Body
    ) async throws -> Response where Body.Element == ByteBuffer {
        try await Response.content(
            size: try await size(),
            tag: Self.tag(digest),
            headers: Self.headers(digest),
            for: request
        ) { try await body($0.lowerBound, Int64($0.count)) }
    }

    func blobHead(_ digest: Digest, size: Bytes) -> Response {
        var headers = Self.headers(digest)
        headers[.eTag] = Self.tag(digest)
        headers[.acceptRanges] = "bytes"
        headers[.contentLength] = "\(size.count)"
        return Response(status: .ok, headers: headers)
    }

    private static func tag(_ digest: Digest) -> String { "\"\(digest)\"" }

    /// Bytes of jobs are never shown as a page of ours: `attachment` and `nosniff` keep browsers from running them.
    private static func headers(_ digest: Digest) -> HTTPFields {
        [
            .contentType: "application/octet-stream",
            .cacheControl: "private, max-age=31536000, immutable",
            .contentDisposition: "attachment; filename=\"\(digest.hex)\"",
        ]
    }
}
