public import Core
public import HTTPTypes
public import Hummingbird
public import NIOCore

/// What a `Range` header asks for (RFC 9110, section 14).
public enum ByteRange: Hashable, Sendable {
    /// No range, or one that servers are to ignore: another unit, several ranges, broken syntax.
    case whole
    case part(Range<Int64>)
    /// Lies outside the content, or ends before it begins: that one servers may ignore or refuse (section 14.2), and
    /// registries must refuse it.
    case unsatisfiable

    public init(_ header: String?, size: Int64) {
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

extension Response {
    /// Bytes that never change under their tag, or the part of them that a request asks for.
    ///
    /// Answers HEAD without touching the bytes, `If-None-Match` with 304, `Range` and `If-Range` with 206.
    /// - Parameters:
    ///   - tag: With its quotes; goes into `ETag`.
    ///   - body: Asked for the bytes of that range.
    /// - Throws: ``FailureWithHeaders`` of `rangeNotSatisfiable`.
    public static func content<Body: AsyncSequence & Sendable>(
        size: Bytes,
        tag: String,
        headers: HTTPFields,
        for request: Request,
        body: (Range<Int64>) async throws -> Body
    ) async throws -> Response where Body.Element == ByteBuffer {
        var headers = headers
        headers[.eTag] = tag
        headers[.acceptRanges] = "bytes"
        if let known = request.headers[.ifNoneMatch], matches(known, tag) {
            return Response(status: .notModified, headers: headers)
        }
        guard request.method != .head else {
            headers[.contentLength] = "\(size.count)"
            return Response(status: .ok, headers: headers)
        }
        var header = request.headers[.range]
        if let condition = request.headers[.ifRange], condition != tag { header = nil }
        var (status, range) = (HTTPResponse.Status.ok, 0..<size.count)
        switch ByteRange(header, size: size.count) {
        case .whole: break
        case .part(let part):
            (status, range) = (.partialContent, part)
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(size.count)"
        case .unsatisfiable:
            throw FailureWithHeaders(
                Failure(.rangeNotSatisfiable, "There are \(size.count) bytes; ask for a range within them."),
                headers: [.contentRange: "bytes */\(size.count)", .acceptRanges: "bytes"]
            )
        }
        let pieces = try await body(range)
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(contentLength: range.count) { writer in
                for try await piece in pieces { try await writer.write(piece) }
                try await writer.finish(nil)
            }
        )
    }

    /// Weak comparison (RFC 9110, section 8.8.3.2) of a tag with a list of tags or `*`.
    public static func matches(_ list: String, _ tag: String) -> Bool {
        func bare(_ tag: some StringProtocol) -> Substring {
            let text = Substring(tag).drop { $0 == " " }
            return text.hasPrefix("W/") ? text.dropFirst(2) : text
        }
        return list == "*" || list.split(separator: ",").contains { bare($0) == bare(tag) }
    }
}
