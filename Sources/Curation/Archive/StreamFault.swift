/// Why a compressed stream could not be read on. What was read before the fault has been delivered.
public struct StreamFault: Error, Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// The stream ends inside a member or frame.
        case truncated
        /// Bytes that the format does not allow.
        case damaged
        /// The bytes read are not those whose checksum or length the stream holds.
        case checksum
        /// Bytes after a whole member or frame that begin neither another one nor padding.
        case garbage
        /// A zstd frame wants more memory for its window than ``Unzstd/windowMaxBytes``. Compressed with `--long`,
        /// it must be compressed anew with a window of that size at most.
        case window
        /// The stream holds more than the caller's ``ExpansionCap`` allows.
        case expansion
    }

    public let kind: Kind
    /// The offset of the first compressed byte that was not read when the fault was seen, in bytes from the stream's begin.
    public let offset: Int

    public init(_ kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}
