public import Core
import FoundationEssentials
import NIOCore
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Makes a branch of a dataset what a list of files says, by one commit: sends only what the repository lacks, changes
/// nothing when all is there.
///
/// It speaks to the point as clients of the Hub do: the tree of a revision, git-lfs for large files, one commit that
/// names the revision it was made against. Interrupted, it has committed nothing; what was sent stays for a day, and a
/// repetition sends the rest.
public struct RevisionUpload: Sendable {
    /// A file as it is to be.
    public struct File: Sendable {
        public enum Content: Sendable {
            /// In a file of this machine.
            case file(String)
            case bytes([UInt8])
        }

        /// In the revision.
        public var path: String
        public var content: Content
        public var digest: Digest
        public var size: Int

        public init(path: String, content: Content, digest: Digest, size: Int) {
            (self.path, self.content, self.digest, self.size) = (path, content, digest, size)
        }
    }

    /// What came of it.
    public struct Outcome: Sendable {
        /// Such as `datasets/demo/corpus`.
        public var repository: String
        public var revision: GitHash
        /// Whether there was anything to commit.
        public var isNew: Bool
        /// That were sent, and how many bytes they are; small ones went with the commit.
        public var filesSent = 0
        public var bytesSent = 0
        /// That are in the revision no more.
        public var filesDeleted = 0
    }

    public var dataset: RepositoryPath
    /// Made when it is not there, from `main`.
    public var branch: ReferenceName
    /// Who may see it, should it have to be made.
    public var visibility: Visibility?
    public var message: String
    public var files: [File]
    /// Whether a file that is in the revision and not in ``files`` is to go.
    public var owns: @Sendable (String) -> Bool
    /// A file that is no reason for a commit when it alone is different.
    public var negligible: String?
    /// The pipeline that the files are a release of: a branch with another's is left alone.
    public var pipeline: String

    /// - Parameter branch: Its name without `refs/heads/`.
    /// - Throws: ``Failure`` `invalid` for a name that no branch can have.
    public init(
        dataset: RepositoryPath,
        branch: String,
        message: String,
        files: [File],
        pipeline: String,
        owns: @escaping @Sendable (String) -> Bool
    ) throws(Failure) {
        guard let name = ReferenceName(.branch, branch), GitHash(branch) == nil else {
            throw Failure(.invalid, "'\(branch)' cannot be the name of a branch.")
        }
        (self.dataset, self.branch, self.message) = (dataset, name, message)
        (self.files, self.pipeline, self.owns) = (files, pipeline, owns)
    }

    /// Of one commit, as the point has it.
    private static let operationsMax = 25_000
    /// Larger files go by git-lfs, as outputs of jobs do.
    fileprivate static let regularBytesMax = 1 << 20
    /// Of one batch of git-lfs.
    private static let batchMax = 1000

    /// Throws where no point is known to send anything to: before what takes long.
    public static func requirePoint(url: String?) throws(Failure) {
        _ = try Credentials.find(url: url, environment: ClientContext.current.environment)
    }

    /// Sends it to the point that `login`, the environment or `url` names. The first Ctrl-C ends it in order.
    ///
    /// - Throws: ``Failure``; `CancellationError` after Ctrl-C.
    public func run(url: String?) async throws -> Outcome {
        let credentials = try Credentials.find(url: url, environment: ClientContext.current.environment)
        do {
            return try await cancelledByInterrupt {
                try await PointClient.with(credentials) { try await publish($0) }
            }
        } catch is CancellationError {
            terminal.printError("Interrupted. What was sent stays for a day: the same command sends the rest.")
            throw CancellationError()
        }
    }

    private func publish(_ client: PointClient) async throws -> Outcome {
        let target = try await target(client)
        var there: [String: RevisionTree.File] = [:]
        if let base = target.base {
            there = try await RevisionTree.read(client, .datasets, dataset, base.text).files
        }
        let changed = files.filter { !$0.isSame(as: there[$0.path]?.entry) }
        let wanted = Set(files.map(\.path))
        let gone = there.keys.filter { !wanted.contains($0) && owns($0) }.sorted()
        var outcome = Outcome(repository: "datasets/\(dataset)", revision: target.base ?? Self.none, isNew: false)
        let isUnchanged = gone.isEmpty && changed.allSatisfy { $0.path == negligible }
        if isUnchanged, target.base != nil, target.isBranch { return outcome }
        guard changed.count + gone.count < Self.operationsMax else {
            throw Failure(
                .tooLarge,
                "\(changed.count + gone.count) files have changed; one commit takes \(Self.operationsMax)."
            )
        }
        let large = changed.filter(\.isLarge)
        (outcome.filesSent, outcome.bytesSent) = try await send(large, client)
        if !target.isBranch { try await makeBranch(client) }
        outcome.revision = try await commit(changed, gone, onto: target.base, client)
        outcome.isNew = true
        outcome.filesDeleted = gone.count
        return outcome
    }

    /// No revision.
    private static let none: GitHash = {
        guard let none = GitHash(String(repeating: "0", count: 40)) else { preconditionFailure("40 digits") }
        return none
    }()

    // MARK: what is there

    private struct Target {
        /// What the commit builds on; `nil` when there is nothing yet.
        var base: GitHash?
        /// Whether the branch is there.
        var isBranch: Bool
    }

    /// Finds the repository or makes it, and looks whether it is one to publish to.
    private func target(_ client: PointClient) async throws -> Target {
        let address = "datasets/\(dataset)"
        let id: RepositoryID
        do {
            id = try await RepoCommand.find(address, client)
        } catch let failure as Failure where failure.code == .notFound {
            try await client.send(
                .post,
                "/api/repos/create",
                json: .members(
                    ("type", "dataset".json),
                    ("name", "\(dataset)".json),
                    ("visibility", (visibility ?? .private).rawValue.json)
                )
            )
            return try await look(at: RepoCommand.find(address, client), client)
        }
        return try await look(at: id, client)
    }

    private func look(at id: RepositoryID, _ client: PointClient) async throws -> Target {
        let answer = try await client.get(RepoCommand.path(id))
        let detail: RepositoryDetail = try WireJSON.decode(from: answer)
        if let visibility, visibility != detail.summary.visibility {
            throw Failure(
                .conflict,
                "datasets/\(dataset) is \(detail.summary.visibility.rawValue), not \(visibility.rawValue)."
                    + " 'onepoint repo set' changes who sees it."
            )
        }
        let head = detail.references.first { $0.name == branch }?.revision
        let base = head ?? detail.summary.revision
        guard let base else { return Target(base: nil, isBranch: branch == .main) }
        let lineage: LineageView = try WireJSON.decode(
            from: try await client.get(RepoCommand.path(id) + "/lineage", [("revision", base.text)])
        )
        if let release = lineage.release?.lineage, release.pipeline.name != pipeline {
            throw Failure(
                .conflict,
                "datasets/\(dataset) has a release of the pipeline '\(printable(release.pipeline.name))'. Publish"
                    + " '\(pipeline)' to a repository of its own."
            )
        }
        return Target(base: base, isBranch: head != nil || branch == .main)
    }

    private var base: String { "/api/datasets/\(dataset)" }

    private static let unreadable = Failure(
        .internal,
        "The point's answer cannot be read; is it of another version?"
    )

    // MARK: sending

    /// Sends those of the files that the repository has not.
    private func send(_ files: [File], _ client: PointClient) async throws -> (count: Int, bytes: Int) {
        var byDigest: [Digest: File] = [:]
        for file in files { byDigest[file.digest] = file }
        let all = byDigest.values.sorted { $0.path < $1.path }
        var missing: [Offer] = []
        for start in stride(from: 0, to: all.count, by: Self.batchMax) {
            missing += try await offers(for: all[start..<min(start + Self.batchMax, all.count)], client)
        }
        guard !missing.isEmpty else { return (0, 0) }
        let bytes = missing.reduce(0) { $0 + $1.file.size }
        let progress = Progress("sending", blobs: missing.count, bytes: Int64(bytes))
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                var rest = missing[...]
                func start() {
                    guard let offer = rest.popFirst() else { return }
                    group.addTask {
                        try await send(offer, progress, client)
                        await progress.finishedBlob()
                    }
                }
                for _ in 0..<Uploader.concurrency { start() }
                while try await group.next() != nil { start() }
            }
        } catch {
            await progress.breakOff()
            throw error
        }
        await progress.end()
        return (missing.count, bytes)
    }

    /// A file that is wanted, and where.
    private struct Offer: Sendable {
        var file: File
        /// On the point, signed for this file and caller.
        var target: String
    }

    /// One batch of git-lfs.
    private func offers(for files: ArraySlice<File>, _ client: PointClient) async throws -> [Offer] {
        let objects = files.map { file -> JSON in
            .members(("oid", file.digest.hex.json), ("size", file.size.json))
        }
        let batch: JSON = .members(
            ("operation", "upload".json),
            ("transfers", .array(["basic".json])),
            ("objects", .array(objects)),
            ("hash_algo", "sha256".json)
        )
        let path = "/datasets/\(dataset).git/info/lfs/objects/batch"
        let answer = try await Self.asOftenAsAllowed { try await client.send(.post, path, json: batch) }
        guard let answers = try JSON(parsing: answer)["objects"]?.arrayValue else { throw Self.unreadable }
        let byDigest = Dictionary(files.map { ($0.digest, $0) }) { first, _ in first }
        return try answers.compactMap { object in
            if let error = object["error"] {
                let code: Failure.Code = error["code"]?.integerValue == 507 ? .quotaExceeded : .invalid
                throw Failure(code, error["message"]?.stringValue ?? "The point refuses a file.")
            }
            guard let href = object["actions"]?["upload"]?["href"]?.stringValue else { return nil }
            guard let digest = object["oid"]?.stringValue.flatMap({ Digest(hex: $0) }), let file = byDigest[digest],
                let target = Self.target(of: href)
            else { throw Self.unreadable }
            return Offer(file: file, target: target)
        }
    }

    /// Path and query of an address. Whatever host it names: files go to the point that was asked, and to no other.
    private static func target(of href: String) -> String? {
        guard let scheme = href.firstRange(of: "://"), let slash = href[scheme.upperBound...].firstIndex(of: "/") else {
            return nil
        }
        return String(href[slash...])
    }

    private func send(_ offer: Offer, _ progress: Progress, _ client: PointClient) async throws {
        var failures = 0
        while true {
            let sent = Count()
            do {
                let pieces = FilePieces(content: offer.file.content, size: Int64(offer.file.size)) { count in
                    await sent.add(count)
                    await progress.add(count)
                }
                _ = try await client.send(.put, offer.target, stream: pieces, size: Int64(offer.file.size))
                return
            } catch let failure as Failure where Self.isPassing(failure.code) && failures < Uploader.attemptsMax {
                failures += 1
                await progress.add(-sent.value)
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
            }
        }
    }

    /// Many small files are many requests: waits where the point says that they come too fast.
    private static func asOftenAsAllowed<Value>(_ body: () async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            do {
                return try await body()
            } catch let failure as Failure where failure.code == .rateLimited && failures < Uploader.attemptsMax {
                failures += 1
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
            }
        }
    }

    private static func isPassing(_ code: Failure.Code) -> Bool { code == .unavailable || code == .rateLimited }

    // MARK: committing

    private func makeBranch(_ client: PointClient) async throws {
        do {
            try await client.send(.post, "\(base)/branch/\(branch.name.percentEncoded)", json: .object([]))
        } catch let failure as Failure where failure.code == .conflict {
            // Somebody else made it meanwhile. The commit finds out whether it stands where this one was made against.
        }
    }

    private func commit(
        _ changed: [File],
        _ gone: [String],
        onto parent: GitHash?,
        _ client: PointClient
    ) async throws -> GitHash {
        let (title, rest) = Self.split(message)
        var lines: [UInt8] = []
        func add(_ key: String, _ value: JSON) {
            JSON.members(("key", key.json), ("value", value)).write(to: &lines)
            lines.append(UInt8(ascii: "\n"))
        }
        add(
            "header",
            .members(("summary", title.json), ("description", rest?.json), ("parentCommit", parent?.text.json))
        )
        for path in gone { add("deletedFile", .members(("path", path.json))) }
        for file in changed {
            if file.isLarge {
                add(
                    "lfsFile",
                    .members(
                        ("path", file.path.json),
                        ("algo", "sha256".json),
                        ("oid", file.digest.hex.json),
                        ("size", file.size.json)
                    )
                )
            } else {
                let text = Data(try file.smallBytes()).base64EncodedString()
                add(
                    "file",
                    .members(("path", file.path.json), ("content", text.json), ("encoding", "base64".json))
                )
            }
        }
        let body = ByteBuffer(bytes: lines)
        let answer = try await Self.asOftenAsAllowed {
            try await client.send(
                .post,
                "\(base)/commit/\(branch.name.percentEncoded)",
                bytes: body,
                headers: [("Content-Type", "application/x-ndjson")]
            )
        }
        guard let revision = try JSON(parsing: answer)["commitOid"]?.stringValue.flatMap({ GitHash($0) }) else {
            throw Self.unreadable
        }
        return revision
    }

    /// A title and what comes after the empty line.
    private static func split(_ message: String) -> (String, String?) {
        guard let end = message.firstRange(of: "\n\n") else { return (message, nil) }
        return (String(message[..<end.lowerBound]), String(message[end.upperBound...]))
    }
}

extension RevisionUpload.File {
    /// Whether it goes by git-lfs: what is data, what is packed, what is not small.
    fileprivate var isLarge: Bool {
        guard size > 0 else { return false }
        return size > RevisionUpload.regularBytesMax || path.hasPrefix("data/")
            || [".zst", ".gz", ".parquet"].contains { path.hasSuffix($0) }
    }

    fileprivate func isSame(as entry: RevisionTree.Entry?) -> Bool {
        switch (entry, content) {
        case (.large(let digest)?, _): digest == self.digest
        case (.regular(let oid)?, .bytes(let bytes)): oid == gitName(ofFile: bytes)
        // Parts are never kept so by us.
        case (.regular?, .file), (nil, _): false
        }
    }

    /// Of a file that goes with the commit.
    fileprivate func smallBytes() throws(Failure) -> [UInt8] {
        switch content {
        case .bytes(let bytes): return bytes
        case .file(let path):
            var bytes: [UInt8] = []
            _ = try readFile(path) { bytes += $0 }
            var hash = Hash()
            hash.take(bytes)
            guard hash.digest == digest else {
                throw Failure(.conflict, "\(path) has changed meanwhile. Begin again.")
            }
            return bytes
        }
    }
}

/// Bytes of one attempt, to take back from the progress when it fails.
private actor Count {
    private(set) var value: Int64 = 0
    func add(_ count: Int64) { value += count }
}

/// A file's bytes in pieces, read on threads that may block.
private struct FilePieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    typealias Failure = any Error

    let content: RevisionUpload.File.Content
    let size: Int64
    /// Told of every piece that is on its way.
    let sent: @Sendable (Int64) async -> Void

    private static let pieceBytes = 1 << 20

    struct AsyncIterator: AsyncIteratorProtocol {
        let pieces: FilePieces
        var offset: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            guard offset < pieces.size else { return nil }
            let piece = try await pieces.read(from: offset)
            guard !piece.isEmpty else {
                throw Core.Failure(.conflict, "A file became shorter while it was sent. Begin again.")
            }
            offset += Int64(piece.count)
            await pieces.sent(Int64(piece.count))
            return ByteBuffer(bytes: piece)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self) }

    private func read(from offset: Int64) async throws -> [UInt8] {
        let count = Int(Swift.min(size - offset, Int64(Self.pieceBytes)))
        switch content {
        case .bytes(let bytes): return Array(bytes[Int(offset)..<Int(offset) + count])
        case .file(let path):
            return try await NIOThreadPool.singleton.runIfActive {
                let file = open(path, O_RDONLY | O_CLOEXEC)
                guard file >= 0 else { throw unreadable(path) }
                defer { close(file) }
                return try readPiece(file, path, from: offset, countMax: count)
            }
        }
    }
}
