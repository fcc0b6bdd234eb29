/// How bytes became text.
public struct Decoding: Sendable, Equatable {
    /// The encoding's name as the Encoding Standard has it, in small letters: `gb18030`, `utf-8`; and `utf-32le`,
    /// `utf-32be`, which the standard leaves out.
    public var encoding: String
    public var evidence: Evidence
    /// What the page or its header called the encoding, where that was overruled by the bytes.
    public var overruled: String?
    /// How many U+FFFD stand for bytes that were no characters of the encoding.
    public var replacements: Int

    /// What told the encoding, from the surest down.
    public enum Evidence: UInt8, Sendable {
        case byteOrderMark
        /// The `charset` handed in, as of `Content-Type`.
        case header
        /// The page's own `meta` element or XML declaration.
        case meta
        /// The bytes are valid UTF-8, or plainly UTF-16 or UTF-32.
        case validity
        /// The characters that would be frequent are.
        case statistics
        /// Nothing told it.
        case none
    }
}
