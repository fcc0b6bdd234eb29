public import Core
import Synchronization

// Crypto has a protocol named Digest too, so only the one type is imported.
import struct Crypto.SHA512

extension BlobStore {
    /// The SHA-512 of what has come of an upload so far, in hexadecimal, and how many bytes that is.
    ///
    /// A second pass over the file: hardly anybody names bytes so, and everybody else's uploads are to cost one hash.
    /// More may come meanwhile; compare the count with what ``finish(_:expected:)`` publishes.
    /// - Throws: ``Failure`` `notFound` for an upload that does not exist or has ended.
    public func sha512(of id: UploadID) async throws -> (hex: String, count: Int64) {
        let end = try await offset(of: id)
        let path = folder(of: id) + "/part"
        let walk = Mutex((hasher: SHA512(), offset: Int64(0)))
        while try await threads.run({
            do {
                return try walk.withLock { try Self.hash(path, to: end, &$0.hasher, &$0.offset) }
            } catch let error as SystemError where error.isAbsence {
                throw Failure(.notFound, "There is no such upload, or it has ended. Begin a new one.")
            }
        }) {
            try Task.checkCancellation()
        }
        return (walk.withLock { Self.hex($0.hasher.finalize()) }, end)
    }

    /// The SHA-512 of a few bytes, in hexadecimal.
    public static func sha512(_ bytes: some Sequence<UInt8>) -> String {
        var hasher = SHA512()
        hasher.update(data: Array(bytes))
        return hex(hasher.finalize())
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String { bytes.map(shard).joined() }

    /// One slice. Blocks.
    /// - Returns: Whether more is left.
    private static func hash(
        _ path: String,
        to end: Int64,
        _ hasher: inout SHA512,
        _ offset: inout Int64
    ) throws -> Bool {
        let file = try OpenFile(path, .read)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        let stop = min(end, offset + FileThreads.sliceBytes)
        while offset < stop {
            let wanted = Int(min(stop - offset, Int64(buffer.count)))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<wanted])
            guard try file.descriptor.read(into: piece, at: offset) == wanted else { throw SystemError.truncated(path) }
            hasher.update(bufferPointer: UnsafeRawBufferPointer(piece))
            offset += Int64(wanted)
        }
        return offset < end
    }
}
