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
            let blob = try await point.blob(digest, from: 0, count: size.count, principal)
            // Always a download and never a page of ours, whatever the bytes say.
            return Response(
                status: .ok,
                headers: [
                    .contentType: "application/octet-stream", .cacheControl: "private, no-store",
                    .contentDisposition: "attachment; filename*=UTF-8''\(name.percentEncoded)",
                    .eTag: "\"\(digest)\"",
                ],
                body: Self.body(of: blob, byteCount: size.count)
            )
        }
    }

    /// Bytes as they come, with their length announced.
    private static func body<Chunks: AsyncSequence & Sendable>(of chunks: Chunks, byteCount: Int64) -> ResponseBody
    where Chunks.Element == ByteBuffer {
        ResponseBody(contentLength: Int(byteCount)) { writer in
            for try await buffer in chunks { try await writer.write(buffer) }
            try await writer.finish(nil)
        }
    }
}
