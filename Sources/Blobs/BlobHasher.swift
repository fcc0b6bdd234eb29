import Core

// Crypto has a protocol named Digest too, so only the one type is imported, and only here.
import struct Crypto.SHA256

/// SHA-256 over pieces. A value: finishing a copy leaves the original usable.
struct BlobHasher {
    private var state = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { state.update(bufferPointer: bytes) }

    func finish() -> Digest {
        guard let digest = Digest(bytes: Array(state.finalize())) else {
            preconditionFailure("SHA-256 must be 32 bytes long")
        }
        return digest
    }
}
