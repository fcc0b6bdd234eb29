import Core
import NIOCore

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

    static func digest(of bytes: [UInt8]) -> Digest {
        var hasher = BlobHasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }

    static func digest(of bytes: ByteBuffer) -> Digest {
        var hasher = BlobHasher()
        bytes.withUnsafeReadableBytes { hasher.update($0) }
        return hasher.finish()
    }
}
