import Core
import NIOCore
import Synchronization

/// Bytes on their way into the store: a file in the uploads folder and the hash of what is in it.
///
/// The hash runs along with the bytes. After a restart it is behind the file and catches up once, a slice at a
/// time, when the first bytes follow. All methods block: file threads only.
final class PartFile: Sendable {
    let path: String
    private let state: Mutex<State>

    private struct State {
        /// Bytes safely received. The file may be longer for a moment after a failed write.
        var end: Int64
        var hashed: Int64 = 0
        var hasher = BlobHasher()
        /// Published or discarded.
        var isGone = false
    }

    enum Step<Value: Sendable>: Sendable {
        /// A slice of the file was hashed, more is left: call again.
        case behind
        case done(Value)
    }

    /// Makes a new, empty file.
    init(creating path: String) throws(SystemError) {
        _ = try Descriptor(path, .create(mode: 0o600))
        self.path = path
        state = Mutex(State(end: 0))
    }

    /// Goes on with the file that an earlier process left.
    init(resuming path: String) throws(SystemError) {
        let status = try Descriptor(path, .read).status()
        self.path = path
        state = Mutex(State(end: status.size))
    }

    var end: Int64 { state.withLock { $0.end } }

    /// Published or discarded.
    var isGone: Bool { state.withLock { $0.isGone } }

    private static let gone = Failure(.notFound, "This upload has ended. Begin a new one.")

    /// Appends at `offset`, or wherever the end is when that is `nil`.
    /// - Throws: ``Failure`` `preconditionFailed` when `offset` is not the end, `tooLarge` above `limit`.
    ///   Nothing is kept of a failed call.
    func append(_ buffers: [ByteBuffer], at offset: Int64?, limit: SizeLimit) throws -> Step<Int64> {
        try state.withLock { state in
            guard !state.isGone else { throw Self.gone }
            if let offset, offset != state.end {
                throw Failure(
                    .preconditionFailed,
                    "This upload stands at offset \(state.end), not \(offset). Go on from \(state.end)."
                )
            }
            let count = buffers.reduce(Int64(0)) { $0 + Int64($1.readableBytes) }
            try limit.check(state.end + count)
            let file = try Descriptor(path, .update)
            guard try catchUp(&state, file) else { return .behind }
            var hasher = state.hasher
            try write(to: file, &state) { file, position in
                for buffer in buffers {
                    try buffer.withUnsafeReadableBytes { bytes in
                        // So little at a time that what was written is still in the core's own cache when it is hashed.
                        for start in stride(from: 0, to: bytes.count, by: 1 << 18) {
                            let piece = UnsafeRawBufferPointer(rebasing: bytes[start...].prefix(1 << 18))
                            try file.write(piece, at: position)
                            hasher.update(piece)
                            position += Int64(piece.count)
                        }
                    }
                }
            }
            state.hasher = hasher
            state.hashed = state.end
            return .done(state.end)
        }
    }

    /// Appends bytes of `source` from `offset` on: at most `countMax` of them, and at most a slice.
    /// - Returns: How many. Fewer than either only where the source ends.
    func pull(
        from source: borrowing Descriptor,
        at offset: Int64,
        countMax: Int64 = FileThreads.sliceBytes,
        limit: SizeLimit
    ) throws -> Int64 {
        try state.withLock { state in
            guard !state.isGone else { throw Self.gone }
            precondition(state.hashed == state.end, "a file that is copied must be hashed from its beginning")
            let wanted = min(countMax, FileThreads.sliceBytes)
            let left = min(wanted, try source.status().size - offset)
            let file = try Descriptor(path, .update)
            // Small enough to stay in a core's own cache from the read to the hash.
            let buffer = UnsafeMutableRawBufferPointer.allocate(
                byteCount: Int(min(max(left + 1, 4096), 1 << 18)),
                alignment: 16
            )
            defer { buffer.deallocate() }
            var taken: Int64 = 0
            while taken < wanted {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(clamping: wanted - taken)))
                let count = try source.read(into: room, at: offset + taken)
                try limit.check(state.end + Int64(count))
                let bytes = UnsafeRawBufferPointer(rebasing: room[0..<count])
                try write(to: file, &state) { file, position in
                    try file.write(bytes, at: position)
                    position += Int64(count)
                }
                state.hasher.update(bytes)
                state.hashed = state.end
                taken += Int64(count)
                if count < room.count { break }
            }
            return taken
        }
    }

    /// Hashes what is left to hash, then hands the whole file over for its final name.
    ///
    /// - Parameter publish: Gets the open file and what it holds; called at most once. When it throws, the file is
    ///   discarded: after a failed flush nobody knows what is on the disk.
    func seal(
        check: (Int64) throws -> Void,
        publish: (borrowing Descriptor, StoredBlob) throws -> Void
    ) throws -> Step<StoredBlob> {
        try state.withLock { state in
            guard !state.isGone else { throw Self.gone }
            try check(state.end)
            let file = try Descriptor(path, .update)
            guard try catchUp(&state, file) else { return .behind }
            let blob = StoredBlob(digest: state.hasher.finish(), size: Bytes(state.end))
            state.isGone = true
            do {
                // A failed write may have left bytes behind the end that it could not take back.
                if try file.status().size != state.end { try file.truncate(to: state.end) }
                try publish(file, blob)
            } catch {
                _ = try? FileSystem.removeFile(path)
                throw error
            }
            return .done(blob)
        }
    }

    /// Removes the file unless it was published.
    /// - Parameter limit: Only if its last byte arrived before this time.
    /// - Returns: Whether the upload has ended, now or before.
    @discardableResult
    func discard(ifOlderThan limit: Instant? = nil) throws -> Bool {
        try state.withLock { state in
            guard !state.isGone else { return true }
            if let limit, let status = try FileSystem.status(path), status.modified >= limit { return false }
            state.isGone = true
            try FileSystem.removeFile(path)
            return true
        }
    }

    /// Advances `end` by what `body` wrote, or takes a part of it back.
    private func write(
        to file: borrowing Descriptor,
        _ state: inout State,
        _ body: (borrowing Descriptor, inout Int64) throws -> Void
    ) throws {
        var position = state.end
        do {
            try body(file, &position)
            state.end = position
        } catch {
            // Where this fails as well, the next write begins at the same offset and covers the remains.
            try? file.truncate(to: state.end)
            throw error
        }
    }

    /// - Returns: Whether the hash has reached the end.
    private func catchUp(_ state: inout State, _ file: borrowing Descriptor) throws(SystemError) -> Bool {
        if state.hashed == state.end { return true }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        let stop = min(state.end, state.hashed + FileThreads.sliceBytes)
        while state.hashed < stop {
            let wanted = Int(min(stop - state.hashed, Int64(buffer.count)))
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<wanted])
            guard try file.read(into: piece, at: state.hashed) == wanted else {
                throw SystemError.truncated(path)
            }
            state.hasher.update(UnsafeRawBufferPointer(piece))
            state.hashed += Int64(wanted)
        }
        return state.hashed == state.end
    }
}

/// How long a blob may become: what was announced for it, and what the store takes at all.
struct SizeLimit: Sendable {
    var announced: Bytes?
    var blobMax: Bytes

    func check(_ count: Int64) throws(Failure) {
        if let announced, count > announced.count {
            throw Failure(.tooLarge, "More bytes came than the \(announced.count) that were announced.")
        }
        guard count <= blobMax.count else {
            throw Failure(.tooLarge, "One file may have at most \(blobMax) here. Split it, or ask the operator.")
        }
    }
}
