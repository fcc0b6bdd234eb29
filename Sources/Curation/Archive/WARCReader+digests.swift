extension WARCReader {
    /// Whether a digest of the record is that of what it holds, at the cost of SHA-1 over all of it.
    public enum DigestVerdict: Equatable, Sendable {
        case right
        case wrong
        /// The record has no digest, or one by another function than SHA-1.
        case unknown
    }

    /// Checks `WARC-Block-Digest`, or `WARC-Payload-Digest` when that is missing.
    ///
    /// The payload's digest is taken over the payload as it was sent, with its encodings, as most crawlers do.
    public borrowing func checkDigest() -> DigestVerdict {
        let (digest, content) =
            if !record.blockDigest.isEmpty {
                (record.blockDigest, record.block)
            } else {
                (record.payloadDigest, record.payload)
            }
        // In any case, and some writers leave the function's name out.
        let prefix = digest.count == 37 ? 5 : 0
        guard digest.count - prefix == 32 else { return .unknown }
        if prefix > 0, !Self.matches(bytes, digest.prefix(5), "sha1:") { return .unknown }
        let label = SHA1.label(bytes.span.extracting(content))
        for (index, position) in digest.dropFirst(prefix).enumerated() {
            let byte = bytes[position]
            let upper = byte &- 97 < 26 ? byte & 0xDF : byte
            if upper != label[5 + index] { return .wrong }
        }
        return .right
    }
}
