import Core
import Crypto

extension Disk {
    static func sha256(_ bytes: Span<UInt8>) -> Core.Digest {
        bytes.withUnsafeBytes { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            return digest(hash)
        }
    }

    /// The digest and length of a file of any size.
    ///
    /// - Parameter progress: Told how many bytes more were read.
    static func sha256(file path: String, progress: (Int) -> Void = { _ in }) throws(Failure) -> (Core.Digest, Int) {
        let file = try InputFile(path)
        var hash = SHA256()
        var piece: [UInt8] = []
        var offset = 0
        while true {
            piece.removeAll(keepingCapacity: true)
            let got = try file.read(into: &piece, at: offset, countMax: 1 << 20)
            guard got > 0 else { return (digest(hash), offset) }
            piece.withUnsafeBytes { hash.update(bufferPointer: $0) }
            offset += got
            progress(got)
        }
    }

    private static func digest(_ hash: SHA256) -> Core.Digest {
        hash.finalize().withUnsafeBytes { hash in
            func word(_ index: Int) -> UInt64 {
                UInt64(bigEndian: hash.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
            }
            return Core.Digest(words: (word(0), word(1), word(2), word(3)))
        }
    }
}
