import Core
import Crypto

extension Disk {
    static func sha256(_ bytes: Span<UInt8>) -> Core.Digest {
        let hash = bytes.withUnsafeBytes { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            return hash.finalize()
        }
        guard let digest = Core.Digest(bytes: Array(hash)) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
    }
}
