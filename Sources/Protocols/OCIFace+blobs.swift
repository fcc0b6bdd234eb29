import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore

extension OCIFace {
    /// GET and HEAD.
    func blob(_ digest: ContentDigest, of name: OCIName, _ call: OCICall) async throws -> Response {
        let blob = try await find(digest, of: name, call)
        return try await Response.content(
            size: blob.size,
            tag: "\"\(digest)\"",
            headers: Self.headers(digest),
            for: call.request
        ) { try await blob.chunks($0) }
    }

    func removeBlob(_ digest: ContentDigest, of name: OCIName, _ call: OCICall) async throws -> Response {
        guard try await repositories.removeBlob(digest, in: name.shelf, name.path, call.caller) else {
            throw Self.unknown(digest)
        }
        return Response(status: .accepted)
    }

    private func find(_ digest: ContentDigest, of name: OCIName, _ call: OCICall) async throws -> HeldBytes {
        guard let blob = try await repositories.blob(digest, in: name.shelf, name.path, call.caller) else {
            throw Self.unknown(digest)
        }
        return blob
    }

    private static func unknown(_ digest: ContentDigest) -> OCIError {
        OCIError(
            .blobUnknown,
            status: 404,
            "This repository has no such blob.",
            detail: .object([("digest", .string("\(digest)"))])
        )
    }

    /// Bytes of others are never shown as a page of ours.
    private static func headers(_ digest: ContentDigest) -> HTTPFields {
        [
            .contentType: "application/octet-stream", .contentDigest: "\(digest)",
            .cacheControl: "private, max-age=31536000, immutable",
            .contentDisposition: "attachment",
        ]
    }
}
