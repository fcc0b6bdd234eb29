import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension Console {
    /// Folders and files by content.
    func addArtifactRoutes(to routes: Pages) {
        page(routes, "/trees/:digest") { request, context, principal in
            let digest: Digest = try Self.parameter("digest", context)
            let name = Form(parsing: request.uri.query ?? "")["name"] ?? String(digest.hex.prefix(12))
            let tree = try await point.tree(digest, principal)
            return TreePage(name: name, digest: digest, tree: tree).render(frame(request, context))
        }
        get(routes, "/blobs/:digest") { request, context, principal in
            let digest: Digest = try Self.parameter("digest", context)
            let name = Form(parsing: request.uri.query ?? "")["name"] ?? digest.hex
            let size = try await point.blobSize(digest, principal)
            return try await Self.download(size, digest, named: name, request) {
                try await point.blob(digest, from: $0.lowerBound, count: Int64($0.count), principal)
            }
        }
    }

    /// Always a download and never a page of ours, whatever the bytes say.
    static func download<Body: AsyncSequence & Sendable>(
        _ size: Bytes,
        _ digest: Digest,
        named name: String,
        _ request: Request,
        body: (Range<Int64>) async throws -> Body
    ) async throws -> Response where Body.Element == ByteBuffer {
        try await Response.content(
            size: size,
            tag: "\"\(digest)\"",
            headers: [
                .contentType: "application/octet-stream", .cacheControl: "private, no-store",
                .contentDisposition: "attachment; filename*=UTF-8''\(name.percentEncoded)",
            ],
            for: request,
            body: body
        )
    }
}
