import AsyncHTTPClient
public import Core
import FoundationEssentials
import NIOHTTP1
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Brings files of a repository's revision to this machine, each once: they are kept by their digests, and a revision is
/// a folder of hard links to them.
public struct RevisionDownload: Sendable {
    private let name: String
    private let shelf: RepositoryShelf
    private let path: RepositoryPath
    private let revision: String
    private let wants: @Sendable (String) -> Bool

    /// - Parameters:
    ///   - repository: Such as `datasets/demo/corpus`.
    ///   - revision: A branch, a tag or a commit.
    ///   - wants: Whether a file is wanted, by its path.
    public init(
        repository: String,
        revision: String,
        wants: @escaping @Sendable (String) -> Bool
    ) throws(Failure) {
        guard let (shelf, _, path) = RepositoryShelf.address(repository), shelf != .images else {
            throw Failure(.invalid, "'\(repository)' names no dataset and no model.")
        }
        (name, self.shelf, self.path, self.revision, self.wants) = (repository, shelf, path, revision, wants)
    }

    /// Fetches it from the point that `login`, the environment or `url` names. The first Ctrl-C ends it in order.
    ///
    /// - Returns: The commit, and the folder below `cache` that has its files.
    /// - Throws: ``Failure``; `CancellationError` after Ctrl-C.
    public func run(url: String?, into cache: String) async throws -> (revision: GitHash, folder: String) {
        let credentials = try Credentials.find(url: url, environment: ClientContext.current.environment)
        return try await cancelledByInterrupt {
            try await PointClient.with(credentials) { try await fetch($0, into: cache) }
        }
    }

    private func fetch(_ client: PointClient, into cache: String) async throws -> (revision: GitHash, folder: String) {
        let tree = try await RevisionTree.read(client, shelf, path, revision)
        let wanted = tree.files.filter { wants($0.key) }
        guard !wanted.isEmpty else {
            throw Failure(.notFound, "No file of \(name) at \(revision) is one that is asked for.")
        }
        guard wanted.keys.allSatisfy({ TreeManifest.isSafe(path: $0) }) else {
            throw Failure(.invalid, "\(name) at \(revision) has names that no folder can have.")
        }
        let folder = "\(cache)/\(shelf.rawValue)/\(path)/\(tree.revision)"
        let objects = cache + "/objects"
        try await NIOThreadPool.singleton.runIfActive { try makeFolder(objects) }
        var missing: [String: RevisionTree.File] = [:]
        for file in wanted.values where access("\(objects)/\(file.name)", F_OK) != 0 { missing[file.name] = file }
        if !missing.isEmpty { try await fetch(Array(missing.values), tree.revision, client, into: objects) }
        try await NIOThreadPool.singleton.runIfActive {
            for (path, file) in wanted { try place("\(objects)/\(file.name)", at: path, in: folder) }
        }
        return (tree.revision, folder)
    }

    private func fetch(
        _ files: [RevisionTree.File],
        _ revision: GitHash,
        _ client: PointClient,
        into objects: String
    ) async throws {
        let bytes = files.reduce(0) { $0 + $1.size }
        let progress = Progress("fetching \(name)", blobs: files.count, bytes: bytes)
        let downloader = Downloader(client: client)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                var rest = files[...]
                func start() {
                    guard let file = rest.popFirst() else { return }
                    group.addTask {
                        try await fetch(file, revision, downloader, to: "\(objects)/\(file.name)", progress)
                        await progress.finishedBlob()
                    }
                }
                for _ in 0..<Downloader.concurrency { start() }
                while try await group.next() != nil { start() }
            }
        } catch {
            await progress.breakOff()
            throw error
        }
        await progress.end()
    }

    private func fetch(
        _ file: RevisionTree.File,
        _ revision: GitHash,
        _ downloader: Downloader,
        to place: String,
        _ progress: Progress
    ) async throws {
        let names = file.path.split(separator: "/").map { String($0).percentEncoded }.joined(separator: "/")
        let address = "/\(shelf == .datasets ? "datasets/" : "")\(path)/resolve/\(revision)/\(names)"
        if case .large(let digest) = file.entry {
            return try await downloader.fetch(digest, from: address, to: place, isExecutable: false, progress)
        }
        let bytes = [UInt8](try await downloader.client.get(address))
        guard case .regular(let oid) = file.entry, gitName(ofFile: bytes) == oid else {
            throw Failure(.digestMismatch, "\(printable(file.path)) is not what its revision says. Try again.")
        }
        await progress.add(Int64(bytes.count))
        try await NIOThreadPool.singleton.runIfActive { try keep(bytes, at: place) }
    }

    /// Beside its place first, so that a broken write is never taken for a whole file. Blocks.
    private func keep(_ bytes: [UInt8], at place: String) throws(Failure) {
        let draft = "\(place).\(getpid()).draft"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw unwritable(draft) }
        defer { close(file) }
        do throws(Failure) {
            try writePiece(file, draft, bytes, at: 0)
            guard fsync(file) == 0, rename(draft, place) == 0 else { throw unwritable(place) }
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Blocks.
    private func place(_ object: String, at path: String, in folder: String) throws(Failure) {
        let place = "\(folder)/\(path)"
        if let slash = place.lastIndex(of: "/") { try makeFolder(String(place[..<slash])) }
        guard link(object, place) == 0 || errno == EEXIST else { throw unwritable(place) }
    }
}

/// The files of a revision, as the point lists them.
struct RevisionTree: Sendable {
    enum Entry: Sendable, Hashable {
        /// By what git calls it.
        case regular(String)
        case large(Digest)
    }

    struct File: Sendable, Hashable {
        var path: String
        var entry: Entry
        var size: Int64

        /// Of its bytes, for a cache.
        var name: String {
            switch entry {
            case .regular(let oid): "git-\(oid)"
            case .large(let digest): "sha256-\(digest.hex)"
            }
        }
    }

    var revision: GitHash
    /// By their paths.
    var files: [String: File]

    private static let pageMax = 1000

    /// - Parameter revision: A branch, a tag or a commit.
    static func read(
        _ client: PointClient,
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ revision: String
    ) async throws -> RevisionTree {
        var tree: RevisionTree?
        var cursor: String?
        let unreadable = Failure(.internal, "The point's answer cannot be read; is it of another version?")
        while true {
            // The pages after the first are of the commit that this one was of.
            let name = tree?.revision.text ?? revision
            let response = try await client.open(
                .get,
                "/api/\(shelf.rawValue)/\(path)/tree/\(name.percentEncoded)",
                [("recursive", "true"), ("limit", "\(pageMax)"), ("cursor", cursor)]
            )
            let commit = response.headers.first(name: "X-Repo-Commit").flatMap { GitHash($0) }
            guard let page = try JSON(parsing: try await client.collect(response)).arrayValue,
                let commit = tree?.revision ?? commit
            else { throw unreadable }
            var files = tree?.files ?? [:]
            for item in page where item["type"]?.stringValue == "file" {
                guard let path = item["path"]?.stringValue, let oid = item["oid"]?.stringValue else { continue }
                let large = item["lfs"]?["oid"]?.stringValue.flatMap { Digest(hex: $0) }
                files[path] = File(
                    path: path,
                    entry: large.map { .large($0) } ?? .regular(oid),
                    size: item["size"]?.integerValue ?? 0
                )
            }
            tree = RevisionTree(revision: commit, files: files)
            guard page.count == pageMax, let last = page.last?["path"]?.stringValue else { break }
            cursor = last
        }
        guard let tree else { throw unreadable }
        return tree
    }
}
