/// Writes records of a web archive (WARC/1.1), each as a gzip member of its own, with the digests of what they hold.
///
/// The writer appends to a buffer and touches no file. The same records give the same bytes: times and ids come from
/// the caller.
///
/// > Source: "The WARC Format 1.1", sections 4 to 6.
public struct WARCWriter: Sendable {
    public enum Kind: Equatable, Sendable {
        case warcinfo
        case request
        case response
        case resource
        case metadata
        case conversion

        fileprivate var word: StaticString {
            switch self {
            case .warcinfo: "warcinfo"
            case .request: "request"
            case .response: "response"
            case .resource: "resource"
            case .metadata: "metadata"
            case .conversion: "conversion"
            }
        }
    }

    /// What a record says of itself, beside the fields that follow from its block.
    public struct Head: Sendable {
        public var kind: Kind
        /// `urn:uuid:` and a UUID, without angle brackets; different for every record.
        public var id: String
        /// As ISO 8601 in UTC, such as `2026-01-31T12:00:00Z`.
        public var date: String
        /// The address, of all kinds but `warcinfo`.
        public var targetURI: String?
        /// The type of the block, such as `application/http; msgtype=response`.
        public var contentType: String
        /// Further fields, such as `WARC-IP-Address`, `WARC-Concurrent-To` or `WARC-Truncated`.
        public var fields: [(name: String, value: String)]

        public init(
            kind: Kind,
            id: String,
            date: String,
            targetURI: String? = nil,
            contentType: String,
            fields: [(name: String, value: String)] = []
        ) {
            self.kind = kind
            self.id = id
            self.date = date
            self.targetURI = targetURI
            self.contentType = contentType
            self.fields = fields
        }
    }

    private let level: Int
    private var plain: [UInt8] = []

    /// - Parameter level: Of ``Gzip/levels``.
    public init(level: Int = 6) {
        self.level = level
    }

    /// Appends one record.
    ///
    /// - Parameters:
    ///   - block: What the record holds; of requests and responses the whole message with its head.
    ///   - payloadOffset: Where the payload begins in the block: after the head of an HTTP message. Nothing when the
    ///     record is of a kind whose payload is not told from its block.
    public mutating func append(
        _ head: Head,
        block: Span<UInt8>,
        payloadOffset: Int? = nil,
        to output: inout [UInt8]
    ) {
        plain.removeAll(keepingCapacity: true)
        plain.append(contentsOf: "WARC/1.1\r\n".utf8)
        add("WARC-Type", head.kind.word.description.utf8)
        add("WARC-Record-ID", "<\(head.id)>".utf8)
        add("WARC-Date", head.date.utf8)
        if let targetURI = head.targetURI { add("WARC-Target-URI", targetURI.utf8) }
        for field in head.fields { add(field.name, field.value.utf8) }
        if let payloadOffset, payloadOffset >= 0, payloadOffset <= block.count {
            add("WARC-Payload-Digest", SHA1.label(block.extracting(payloadOffset...)))
        }
        add("WARC-Block-Digest", SHA1.label(block))
        add("Content-Type", head.contentType.utf8)
        add("Content-Length", String(block.count).utf8)
        plain.append(contentsOf: "\r\n".utf8)
        plain.reserveCapacity(plain.count + block.count + 4)
        block.withUnsafeBufferPointer { plain.append(contentsOf: $0) }
        plain.append(contentsOf: "\r\n\r\n".utf8)
        output.append(contentsOf: Gzip.compress(plain.span, level: level))
    }

    /// Adds one field. Line ends in a value become spaces, since they would begin a field that nobody has written.
    private mutating func add(_ name: String, _ value: some Sequence<UInt8>) {
        for byte in name.utf8 where byte > 32 && byte < 127 && byte != UInt8(ascii: ":") { plain.append(byte) }
        plain.append(contentsOf: ": ".utf8)
        for byte in value { plain.append(byte == 13 || byte == 10 || byte == 0 ? 32 : byte) }
        plain.append(contentsOf: "\r\n".utf8)
    }
}
