/// Something in an archive that could not be read. Reading goes on after it.
public struct WARCFault: Error, Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// The file or the gzip member ends inside a record.
        case truncated
        /// A gzip member holds bytes that DEFLATE does not allow. Its last records are lost.
        case damaged
        /// A gzip member does not match its checksum. Those of its records that had not been given are lost.
        case checksum
        /// Bytes that belong to no record.
        case garbage
        /// A record's header is longer than ``WARCLimits/headMaxBytes``, or its end could not be found.
        case head
        /// A record has no readable `Content-Length`.
        case noLength
        /// A record's `Content-Length` reaches into the next record.
        case length
        /// A record is larger than ``WARCLimits/recordMaxBytes``; so many bytes.
        case tooLarge(bytes: Int)
        /// A response in an encoding that cannot be undone here, such as Brotli.
        case encoding
        /// A response that is larger than ``WARCLimits/recordMaxBytes`` when its encodings are undone.
        case bodyTooLarge
    }

    public let kind: Kind
    /// Where the record or the bytes begin in the file; of compressed files, where the member begins.
    public let offset: Int

    public init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    /// Whether a whole record was set aside, which ``WARCReader/record`` describes.
    public var isOfRecord: Bool {
        switch kind {
        case .tooLarge, .encoding, .bodyTooLarge: true
        default: false
        }
    }
}
