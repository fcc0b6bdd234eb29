import Core
import Crypto

/// A running SHA-256. The only place that imports `Crypto`, whose `Digest` would hide ours.
struct Hash: Sendable {
    private var hash = SHA256()

    mutating func take(_ bytes: [UInt8]) { hash.update(data: bytes) }

    /// Of everything taken so far; more may follow.
    var digest: Core.Digest {
        guard let digest = Core.Digest(bytes: Array(hash.finalize())) else {
            preconditionFailure("a SHA-256 has 32 bytes")
        }
        return digest
    }
}

/// The SHA-256 of some bytes.
func digest(of bytes: [UInt8]) -> Core.Digest {
    var hash = Hash()
    hash.take(bytes)
    return hash.digest
}

/// What git calls a file with these bytes (git-hash-object(1)), 40 hexadecimal digits. It names; what proves is SHA-256.
func gitName(ofFile bytes: [UInt8]) -> String {
    var hash = Insecure.SHA1()
    hash.update(data: Array("blob \(bytes.count)\0".utf8))
    hash.update(data: bytes)
    return hash.finalize().reduce(into: "") { text, byte in
        if byte < 16 { text += "0" }
        text += String(byte, radix: 16)
    }
}
