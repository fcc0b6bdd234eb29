import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore

extension OCIFace {
    func blob(_ digest: ContentDigest, of name: OCIName, _ call: OCICall) async throws -> Response {
        let blob = try await find(digest, of: name, call)
        var headers = Self.headers(digest)
        if let known = call.request.headers[.ifNoneMatch], known == headers[.eTag] {
            return Response(status: .notModified, headers: headers)
        }
        let size = blob.size.count
        var status = HTTPResponse.Status.ok
        var range = 0..<size
        switch ContentRange(header: call.request.headers[.range], size: size) {
        case .whole: break
        case .part(let part):
            (status, range) = (.partialContent, part)
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size)"
        case .unsatisfiable:
            throw OCIError(
                .sizeInvalid,
                status: 416,
                "The blob has \(size) bytes; ask for a range within them.",
                headers: [.contentRange: "bytes */\(size)"]
            )
        }
        let chunks = try await blob.chunks(range)
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(contentLength: range.count) { writer in
                for try await piece in chunks { try await writer.write(piece) }
                try await writer.finish(nil)
            }
        )
    }

    func blobHead(_ digest: ContentDigest, of name: OCIName, _ call: OCICall) async throws -> Response {
        let blob = try await find(digest, of: name, call)
        var headers = Self.headers(digest)
        headers[.contentLength] = "\(blob.size.count)"
        return Response(status: .ok, headers: headers)
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
            .contentType: "application/octet-stream", .contentDigest: "\(digest)", .eTag: "\"\(digest)\"",
            .acceptRanges: "bytes", .cacheControl: "private, max-age=31536000, immutable",
            .contentDisposition: "attachment",
        ]
    }
}

/// What a `Range` header asks for, as registries read it: of what RFC 9110, section 14.1.1, lets servers ignore, a range
/// that ends before it begins is refused.
enum ContentRange: Hashable {
    /// No range, another unit, several ranges, or no range at all.
    case whole
    case part(Range<Int64>)
    case unsatisfiable

    init(header: String?, size: Int64) {
        self = .whole
        guard let header, header.hasPrefix("bytes=") else { return }
        let bounds = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.filter { $0 != " " } }
        guard bounds.count == 2, bounds.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return
        }
        switch (Int64(bounds[0]), Int64(bounds[1])) {
        case (let first?, let last?):
            self = first <= last && first < size ? .part(first..<min(last, size - 1) + 1) : .unsatisfiable
        case (let first?, nil) where bounds[1].isEmpty: self = first < size ? .part(first..<size) : .unsatisfiable
        case (nil, let suffix?) where bounds[0].isEmpty:
            self = min(suffix, size) > 0 ? .part(size - min(suffix, size)..<size) : .unsatisfiable
        default: return
        }
    }
}
