/// What foreign clients may name bytes by: the algorithm and hexadecimal digits, `sha256:…` or `sha512:…` (OCI Image
/// Specification, "Digests"). In the blob store the bytes are under their SHA-256 alone; the other name is an alias.
public enum ContentDigest: Hashable, Sendable, LosslessStringConvertible {
    case sha256(Digest)
    /// 128 hexadecimal digits in lower case.
    case sha512(String)

    public init?(_ text: String) {
        if let digest = Digest(text) {
            self = .sha256(digest)
            return
        }
        guard text.utf8.count == 7 + 128, text.hasPrefix("sha512:"),
            text.utf8.dropFirst(7).allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else { return nil }
        self = .sha512(String(text.dropFirst(7)))
    }

    public var description: String {
        switch self {
        case .sha256(let digest): digest.description
        case .sha512(let hex): "sha512:" + hex
        }
    }

    /// What to tell whoever wrote something else.
    public static let rule = "a digest is 'sha256:' and 64, or 'sha512:' and 128 hexadecimal digits in lower case"
}
