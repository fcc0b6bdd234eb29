/// One record of a web archive. Its ranges are positions in ``WARCReader/bytes``; an empty range is a field that the
/// record does not have.
///
/// > Source: "The WARC Format 1.1", https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
public struct WARCRecord: Equatable, Sendable {
    /// The kinds of records that hold documents or tell of the archive. The other kinds are passed over.
    public enum Kind: Equatable, Sendable {
        case warcinfo
        case response
        case resource
        case conversion
    }

    public var kind = Kind.warcinfo
    /// Where the record begins in the file: at its gzip member, or at its first byte in a file that is not compressed.
    public var offset = 0

    public var targetURI = 0..<0
    public var date = 0..<0
    public var id = 0..<0
    public var payloadDigest = 0..<0
    public var blockDigest = 0..<0
    /// `WARC-Identified-Content-Language`, which the extracted texts of Common Crawl have.
    public var language = 0..<0
    /// Why the crawler cut the record short (`WARC-Truncated`).
    public var truncated = 0..<0

    /// The status of the HTTP response, or 0 when the record holds none.
    public var status = 0
    /// The value of `Content-Type`: of the HTTP response when there is one, and else of the record.
    public var contentType = 0..<0
    /// What `contentType` says of the charset, without quotation marks.
    public var charset = 0..<0

    /// The record's header, from its version line up to the empty line's end.
    public var head = 0..<0
    /// The whole block, `Content-Length` bytes.
    public var block = 0..<0
    /// The block without the head of an HTTP response, as it was sent; ``WARCReader/withBody(_:)`` undoes its encodings.
    public var payload = 0..<0
    /// Whether the encodings of the payload could be undone only in part. The body ends early then.
    public var isBodyPartial = false
}
