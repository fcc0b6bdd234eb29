import Core
import Entry
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// What a `Range` header asks for (RFC 9110, section 14).
enum ByteRange: Hashable {
    /// No range, or one that servers are to ignore: another unit, several ranges, broken syntax.
    case whole
    case part(from: Int64, count: Int64)
    /// Lies outside the content.
    case unsatisfiable

    init(_ header: String?, size: Int64) {
        guard let header, header.hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let bounds = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " } }
        let isNumeric = bounds.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard bounds.count == 2, isNumeric else {
            self = .whole
            return
        }
        switch (Int64(bounds[0]), Int64(bounds[1])) {
        case (let first?, let last?) where first <= last:
            self = first < size ? .part(from: first, count: min(last, size - 1) - first + 1) : .unsatisfiable
        case (let first?, nil) where bounds[1].isEmpty:
            self = first < size ? .part(from: first, count: size - first) : .unsatisfiable
        case (nil, let suffix?) where bounds[0].isEmpty:
            let count = min(suffix, size)
            self = count > 0 ? .part(from: size - count, count: count) : .unsatisfiable
        default: self = .whole
        }
    }
}

extension Call {
    /// A blob or a part of it. Its digest is its `ETag`, and it never changes.
    func blob<Body: AsyncSequence & Sendable>(
        _ digest: Digest,
        size: () async throws -> Bytes,
        body: (Int64, Int64) async throws -> Body
    ) async throws -> Response where Body.Element == ByteBuffer {
        let size = try await size()
        let tag = "\"\(digest)\""
        if let known = request.headers[.ifNoneMatch], Self.matches(known, tag) {
            return Response(status: .notModified, headers: Self.headers(digest))
        }
        var header = request.headers[.range]
        if let condition = request.headers[.ifRange], condition != tag { header = nil }
        var headers = Self.headers(digest)
        switch ByteRange(header, size: size.count) {
        case .whole:
            return stream(.ok, headers, try await body(0, size.count), count: size.count)
        case .part(let from, let count):
            headers[.contentRange] = "bytes \(from)-\(from + count - 1)/\(size.count)"
            return stream(.partialContent, headers, try await body(from, count), count: count)
        case .unsatisfiable:
            throw FailureWithHeaders(
                Failure(.rangeNotSatisfiable, "The blob has \(size.count) bytes; ask for a range within them."),
                headers: [.contentRange: "bytes */\(size.count)", .acceptRanges: "bytes"]
            )
        }
    }

    func blobHead(_ digest: Digest, size: Bytes) -> Response {
        var headers = Self.headers(digest)
        headers[.contentLength] = "\(size.count)"
        return Response(status: .ok, headers: headers)
    }

    /// Bytes of jobs are never shown as a page of ours: `attachment` and `nosniff` keep browsers from running them.
    private static func headers(_ digest: Digest) -> HTTPFields {
        [
            .contentType: "application/octet-stream", .acceptRanges: "bytes", .eTag: "\"\(digest)\"",
            .cacheControl: "private, max-age=31536000, immutable",
            .contentDisposition: "attachment; filename=\"\(digest.hex)\"",
        ]
    }

    private func stream<Body: AsyncSequence & Sendable>(
        _ status: HTTPResponse.Status,
        _ headers: HTTPFields,
        _ body: Body,
        count: Int64
    ) -> Response where Body.Element == ByteBuffer {
        Response(
            status: status,
            headers: headers,
            body: ResponseBody(contentLength: Int(count)) { writer in
                for try await piece in body { try await writer.write(piece) }
                try await writer.finish(nil)
            }
        )
    }
}
