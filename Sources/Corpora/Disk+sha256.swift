import Core
import Crypto

extension Disk {
    static func sha256(_ bytes: Span<UInt8>) -> Core.Digest {
        let hash = bytes.withUnsafeBytes { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            return hash.finalize()
        }
        return hash.withUnsafeBytes { hash in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: hash.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
            }
            return Core.Digest(words: (word(0), word(1), word(2), word(3)))
        }
    }
}
