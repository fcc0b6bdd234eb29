import Core
import NIOCore
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Brings blobs into a project: only those it lacks, in pieces, going on where a broken connection left off.
struct Uploader: Sendable {
    enum Content: Sendable {
        case file(String, size: Int64)
        case bytes([UInt8])

        var size: Int64 {
            switch self {
            case .file(_, let size): size
            case .bytes(let bytes): Int64(bytes.count)
            }
        }
    }

    let client: PointClient
    let project: String

    /// Bytes of one request.
    static let pieceBytesMax = 8 << 20
    /// Blobs under way at one time.
    static let concurrency = 4
    /// Broken connections in a row before it gives up.
    static let attemptsMax = 6

    /// Uploads a packaged folder, its files first, and returns the digest of its tree.
    func upload(_ package: FolderPackage, as what: String) async throws -> Digest {
        var contents = package.sources.mapValues { Content.file($0.path, size: $0.size) }
        let canonical = package.canonical
        let tree = digest(of: canonical)
        try await upload(contents, as: what)
        contents = [tree: .bytes(canonical)]
        try await upload(contents, as: nil)
        return tree
    }

    /// Uploads those of the blobs that the project cannot read yet.
    ///
    /// - Parameter what: What the progress speaks of; `nil` shows none.
    func upload(_ contents: [Digest: Content], as what: String?) async throws {
        let missing = try await missing(contents.keys.sorted())
        guard !missing.isEmpty else { return }
        let total = missing.reduce(0) { $0 + (contents[$1]?.size ?? 0) }
        let progress = what.map { Progress("uploading \($0)", blobs: missing.count, bytes: total) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = missing[...]
            for _ in 0..<Self.concurrency {
                if let next = rest.popFirst() { start(next) }
            }
            while try await group.next() != nil {
                if let next = rest.popFirst() { start(next) }
            }
            func start(_ digest: Digest) {
                guard let content = contents[digest] else { return }
                group.addTask {
                    try await upload(digest, content, progress)
                    await progress?.finishedBlob()
                }
            }
        }
        await progress?.end()
    }

    private func missing(_ digests: [Digest]) async throws -> [Digest] {
        var missing: [Digest] = []
        for start in stride(from: 0, to: digests.count, by: DigestList.countMax) {
            let batch = digests[start..<min(digests.count, start + DigestList.countMax)]
            let answer = try await client.send(
                .post,
                "/v1/blobs/missing",
                json: .object([
                    ("project", .string(project)), ("digests", .array(batch.map { .string($0.description) })),
                ])
            )
            missing += try WireJSON.decode(MissingBlobs.self, from: answer).missing
        }
        // The point names each at most once, but that is its word against our progress.
        return Array(Set(missing)).sorted()
    }

    private func upload(_ digest: Digest, _ content: Content, _ progress: Progress?) async throws {
        let begun = try await client.send(
            .post,
            "/v1/uploads",
            json: .object([
                ("project", .string(project)), ("digest", .string(digest.description)),
                ("size", .integer(content.size)),
            ])
        )
        var view = try WireJSON.decode(UploadView.self, from: begun)
        let path = "/v1/uploads/\(view.upload)"
        var failures = 0
        await progress?.add(view.offset)
        while view.offset < content.size {
            let before = view.offset
            do {
                let piece = try await read(content, from: view.offset)
                guard !piece.isEmpty else {
                    throw Failure(.invalid, "A file became shorter while it was uploaded. Try again.")
                }
                let answer = try await client.send(
                    .patch,
                    path,
                    bytes: ByteBuffer(bytes: piece),
                    headers: [("Upload-Offset", "\(view.offset)")]
                )
                view = try WireJSON.decode(UploadView.self, from: answer)
                failures = 0
            } catch let failure as Failure where Self.isResumable(failure.code) && failures < Self.attemptsMax {
                failures += 1
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
                view = (try? await look(path)) ?? view
            }
            await progress?.add(view.offset - before)
        }
        _ = try await client.send(.post, path + "/finish")
    }

    private func look(_ path: String) async throws -> UploadView {
        try WireJSON.decode(UploadView.self, from: try await client.get(path))
    }

    private static func isResumable(_ code: Failure.Code) -> Bool {
        code == .unavailable || code == .preconditionFailed || code == .rateLimited
    }

    private func read(_ content: Content, from offset: Int64) async throws -> [UInt8] {
        switch content {
        case .bytes(let bytes): return Array(bytes[Int(offset)...].prefix(Self.pieceBytesMax))
        case .file(let path, _):
            return try await NIOThreadPool.singleton.runIfActive {
                let file = open(path, O_RDONLY | O_CLOEXEC)
                guard file >= 0 else { throw unreadable(path) }
                defer { close(file) }
                return try readPiece(file, path, from: offset, countMax: Self.pieceBytesMax)
            }
        }
    }
}

/// 0.5 s, then twice as long each time, at most 10 s; or what the point asked for.
func backoff(_ failures: Int, _ asked: Duration?) -> Duration {
    let own = Duration.milliseconds(min(10_000, 500 << min(max(failures - 1, 0), 5)))
    return asked.map { min(max($0, own), .seconds(60)) } ?? own
}

/// How far a transfer is: one moving line on a terminal, a line at the beginning and the end elsewhere.
actor Progress {
    private let what: String
    private let blobs: Int
    private let bytes: Int64
    private var doneBlobs = 0
    private var doneBytes: Int64 = 0
    private var shownAt: ContinuousClock.Instant?
    private let begun = ContinuousClock.now
    private let terminal: Terminal

    init(_ what: String, blobs: Int, bytes: Int64) {
        (self.what, self.blobs, self.bytes) = (what, blobs, bytes)
        terminal = ClientContext.current.terminal
        if !terminal.isErrorInteractive {
            terminal.printError("\(what): \(blobs) \(blobs == 1 ? "file" : "files"), \(Bytes(bytes))")
        }
    }

    func add(_ count: Int64) {
        doneBytes += count
        show()
    }

    func finishedBlob() {
        doneBlobs += 1
        show()
    }

    /// Leaves no half line behind.
    func breakOff() {
        if terminal.isErrorInteractive { terminal.writeError("\r\u{1B}[K") }
    }

    func end() {
        guard terminal.isErrorInteractive else { return }
        terminal.writeError("\r\u{1B}[K\(what): \(blobs) \(blobs == 1 ? "file" : "files"), \(Bytes(bytes))\n")
    }

    private func show() {
        let now = ContinuousClock.now
        guard terminal.isErrorInteractive, shownAt.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
        shownAt = now
        terminal.writeError(
            "\r\u{1B}[K\(what): \(doneBlobs) of \(blobs), \(Bytes(doneBytes)) of \(Bytes(bytes))\(pace(now - begun))"
        )
    }

    /// How fast, and how long it will still take.
    private func pace(_ elapsed: Duration) -> String {
        let rate = Double(doneBytes) / max(elapsed.seconds, 0.001)
        guard rate >= 1, elapsed > .seconds(1) else { return "" }
        let left = Duration.seconds(Double(max(0, bytes - doneBytes)) / rate)
        return ", \(Bytes(Int64(rate)))/s, \(spoken(left)) left"
    }
}
