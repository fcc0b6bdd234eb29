import AsyncHTTPClient
import Core
import NIOCore
import NIOHTTP1
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Brings artifacts to this machine: verified by digest, resumed where a broken connection left off, and never written
/// through a link or outside the folder asked for.
struct Downloader: Sendable {
    let client: PointClient

    static let concurrency = 4
    static let attemptsMax = 6

    /// Puts an artifact at a path: a file there, or a folder with the tree's files in it.
    func get(_ artifact: Artifact, to path: String) async throws {
        switch artifact.kind {
        case .file:
            let progress = Progress("downloading \(artifact.name)", blobs: 1, bytes: artifact.size.count)
            try await fetch(artifact.digest, to: path, isExecutable: false, progress)
            await progress.end()
        case .tree:
            let bytes = try await client.get("/v1/trees/\(artifact.digest)")
            let canonical = try WireJSON.decode(TreeManifest.self, from: bytes).canonical
            // Read again from the text that was hashed: this checks every path.
            let manifest = try TreeManifest(canonical: canonical)
            guard digest(of: canonical) == artifact.digest else {
                throw Failure(
                    .digestMismatch,
                    "The point's list of files is not the one that \(artifact.digest) names."
                )
            }
            try await materialise(manifest, named: artifact.name, in: path)
        }
    }

    private func materialise(_ manifest: TreeManifest, named name: String, in folder: String) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try makeFolder(folder)
            // Folders first, each part by itself, so that no link among them can lead outside.
            var made: Set<Substring> = []
            for file in manifest.files {
                var end = file.path.startIndex
                while let slash = file.path[end...].firstIndex(of: "/") {
                    let part = file.path[..<slash]
                    if made.insert(part).inserted { try makeFolder(folder + "/" + part, followsLinks: false) }
                    end = file.path.index(after: slash)
                }
            }
        }
        let progress = Progress("downloading \(name)", blobs: manifest.files.count, bytes: manifest.size.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = manifest.files[...]
            for _ in 0..<Self.concurrency {
                if let next = rest.popFirst() { start(next) }
            }
            while try await group.next() != nil {
                if let next = rest.popFirst() { start(next) }
            }
            func start(_ file: TreeManifest.File) {
                group.addTask {
                    try await fetch(file.digest, to: folder + "/" + file.path, isExecutable: file.executable, progress)
                    await progress.finishedBlob()
                }
            }
        }
        await progress.end()
    }

    /// Fetches one blob to a file beside its place and moves it there once its digest is right.
    ///
    /// - Parameter address: Where the point has it; by its digest when that is `nil`.
    func fetch(
        _ wanted: Digest,
        from address: String? = nil,
        to path: String,
        isExecutable: Bool,
        _ progress: Progress
    ) async throws {
        let part = path + ".part"
        var failures = 0
        while true {
            do {
                let found = try await append(wanted, from: address ?? "/v1/blobs/\(wanted)", to: part, progress)
                guard found == wanted else {
                    unlink(part)
                    throw Failure(
                        .digestMismatch,
                        "\(printable(path)) does not match \(wanted); what came was thrown away."
                    )
                }
                break
            } catch let failure as Failure where failure.code == .unavailable && failures < Self.attemptsMax {
                failures += 1
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
            } catch let failure as Failure where failure.code == .rangeNotSatisfiable {
                // Longer than the blob: it was somebody else's.
                unlink(part)
                failures += 1
                guard failures < Self.attemptsMax else { throw failure }
            }
        }
        try await NIOThreadPool.singleton.runIfActive {
            guard chmod(part, isExecutable ? 0o755 : 0o644) == 0, rename(part, path) == 0 else {
                throw unwritable(path)
            }
        }
    }

    /// Goes on where the part ends; the digest of the whole.
    private func append(
        _ wanted: Digest,
        from address: String,
        to part: String,
        _ progress: Progress
    ) async throws -> Digest {
        let file = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw unwritable(part) }
        defer { close(file) }
        var (hash, offset) = try await NIOThreadPool.singleton.runIfActive { () -> (Hash, Int64) in
            var hash = Hash()
            var offset: Int64 = 0
            while true {
                let piece = try readPiece(file, part, from: offset, countMax: 1 << 20)
                if piece.isEmpty { return (hash, offset) }
                hash.take(piece)
                offset += Int64(piece.count)
            }
        }
        if offset > 0, hash.digest == wanted { return wanted }
        let range = offset > 0 ? [("Range", "bytes=\(offset)-")] : []
        let response = try await client.open(.get, address, headers: range, secondsMax: 86_400)
        if offset > 0, response.status.code != 206 {
            (hash, offset) = (Hash(), 0)
            guard ftruncate(file, 0) == 0 else { throw unwritable(part) }
        }
        do {
            for try await buffer in response.body {
                let bytes = Array(buffer.readableBytesView)
                hash.take(bytes)
                let at = offset
                try await NIOThreadPool.singleton.runIfActive { try writePiece(file, part, bytes, at: at) }
                offset += Int64(bytes.count)
                await progress.add(Int64(bytes.count))
            }
        } catch {
            throw client.unreachable(error)
        }
        return hash.digest
    }
}

/// Makes a folder that may be there already. Blocks.
func makeFolder(_ path: String, followsLinks: Bool = true) throws(Failure) {
    if mkdir(path, 0o755) == 0 { return }
    guard errno == EEXIST || errno == ENOENT else { throw unwritable(path) }
    if errno == ENOENT, followsLinks, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o755) == 0 else { throw unwritable(path) }
        return
    }
    var status = stat()
    let isThere = followsLinks ? stat(path, &status) == 0 : lstat(path, &status) == 0
    guard isThere, status.st_mode & S_IFMT == S_IFDIR else {
        throw Failure(.conflict, "\(printable(path)) is in the way: it is no folder of its own. Choose another place.")
    }
}

/// Writes all of the bytes. Blocks.
func writePiece(_ file: Int32, _ path: String, _ bytes: [UInt8], at offset: Int64) throws(Failure) {
    var done = 0
    while done < bytes.count {
        let count = bytes.withUnsafeBytes {
            pwrite(file, $0.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + done)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw unwritable(path) }
        done += count
    }
}
