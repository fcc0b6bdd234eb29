import Blobs
public import Core
import Engines
import FoundationEssentials
import NIOCore
public import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#endif

/// Where an agent keeps what it must not forget.
package protocol AgentDisk: Sendable {
    /// What two processes cannot hold at once.
    var seat: String { get }
    /// Makes the record durable before it returns.
    func save(_ record: AgentRecord) async throws
    /// Makes all of them durable before it returns; after an error some may be.
    func save(_ records: [AgentRecord]) async throws
    /// Every record; those that cannot be read are kept aside and named.
    func load() async throws -> (records: [AgentRecord], unreadable: [String])
    /// Forgets a run and everything that was staged for it.
    func remove(_ run: RunKey) async throws
}

extension AgentDisk {
    package func save(_ records: [AgentRecord]) async throws { for record in records { try await save(record) } }
}

/// An agent's place on disk.
///
/// ```
/// identity.json        who we are: centre, agent id, key (mode 0600)
/// runs/<run>.json      one ``AgentRecord`` each
/// staging/<run>/       inputs and outputs of a run, removed with it
/// algorithms/<hex>/    algorithms' folders by content, read-only; evicted with the cache
/// cache/               blobs that were fetched once, the least recently used evicted
/// engine/              the local engine's own
/// ```
public struct AgentFolder: AgentDisk {
    public let root: String
    /// This folder on this boot of this machine: what tells us from a process that got a copy of our identity.
    package let seat: String
    let threads: NIOThreadPool

    /// - Throws: ``Failure`` `.storageExhausted` when the folders cannot be made.
    public init(root: String, threads: NIOThreadPool) throws {
        self.root = root
        self.threads = threads
        for folder in ["runs", "staging", "algorithms", "cache", "engine"] {
            try Self.makeFolder("\(root)/\(folder)")
        }
        var about = stat()
        guard stat(root, &about) == 0 else { throw Self.failure("stat", root) }
        seat = "\(Machine.boot()):\(about.st_dev):\(about.st_ino)"
    }

    public var enginePath: String { "\(root)/engine" }
    public var cachePath: String { "\(root)/cache" }
    func staging(_ run: RunKey) -> String { "\(root)/staging/\(run)" }
    func algorithm(_ tree: Digest) -> String { "\(root)/algorithms/\(tree.hex)" }
    private func recordPath(_ run: RunKey) -> String { "\(root)/runs/\(run).json" }

    /// Makes the record durable before it returns.
    package func save(_ record: AgentRecord) async throws {
        let bytes = try WireJSON.encode(record)
        let path = recordPath(record.key)
        try await threads.runIfActive { try Self.writeDurably(bytes, to: path) }
    }

    /// Makes all of them durable before it returns, many by one flush of the disk.
    package func save(_ records: [AgentRecord]) async throws {
        let texts = try records.map { (path: recordPath($0.key), bytes: [UInt8](try WireJSON.encode($0))) }
        let folder = "\(root)/runs"
        try await threads.runIfActive {
            let isMany = texts.count > 4
            for (path, bytes) in texts { try Self.write(bytes, to: path + ".tmp", durable: !isMany) }
            if isMany, let number = Machine.flushAll(folder) {
                errno = number
                throw Self.failure("flush", folder)
            }
            // A record has its name only when all of it is on disk.
            for (path, _) in texts {
                guard rename(path + ".tmp", path) == 0 else { throw Self.failure("publish", path) }
            }
            try Self.flush(folder)
        }
    }

    /// Every record on disk. A record that cannot be read is kept aside with the ending `.unreadable` and named.
    package func load() async throws -> (records: [AgentRecord], unreadable: [String]) {
        let folder = "\(root)/runs"
        return try await threads.runIfActive {
            var records: [AgentRecord] = []
            var unreadable: [String] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let path = "\(folder)/\(name)"
                if name.hasSuffix(".tmp") {
                    unlink(path)
                } else if name.hasSuffix(".json") {
                    if let data = FileManager.default.contents(atPath: path),
                        let record = try? WireJSON.decode(AgentRecord.self, from: data)
                    {
                        records.append(record)
                    } else {
                        rename(path, path + ".unreadable")
                        unreadable.append(name)
                    }
                }
            }
            return (records, unreadable)
        }
    }

    /// Forgets a run and everything that was staged for it.
    package func remove(_ run: RunKey) async throws {
        let (path, staging) = (recordPath(run), staging(run))
        try await threads.runIfActive {
            if FileManager.default.fileExists(atPath: staging) { try FileManager.default.removeItem(atPath: staging) }
            if unlink(path) != 0, errno != ENOENT { throw Self.failure("remove", path) }
        }
    }

    /// Notes that an algorithm's folder is wanted now. It stands whole or not at all.
    /// - Returns: Whether it stands here.
    func useAlgorithm(_ tree: Digest, at now: Instant) async throws -> Bool {
        let path = algorithm(tree)
        return try await threads.runIfActive { try BlobStore.noteUse(of: path, at: now) }
    }

    /// Every algorithm's folder, with the bytes of its files and when it was last wanted.
    func algorithms() async throws -> [(tree: Digest, size: Bytes, usedAt: Instant)] {
        let root = "\(root)/algorithms"
        return try await threads.runIfActive {
            try FileManager.default.contentsOfDirectory(atPath: root).compactMap { name in
                let path = "\(root)/\(name)"
                // A removal that was cut short.
                if name.hasPrefix(Self.removedPrefix) { try FileManager.default.removeItem(atPath: path) }
                var about = stat()
                guard let tree = Digest(hex: name), lstat(path, &about) == 0 else { return nil }
                let usedAt = Instant(milliseconds: Int64(about.st_mtim.tv_sec) * 1000)
                var size: Bytes = 0
                for file in try FileManager.default.subpathsOfDirectory(atPath: path) {
                    if lstat("\(path)/\(file)", &about) == 0, about.st_mode & S_IFMT == S_IFREG {
                        size = size + Bytes(Int64(about.st_size))
                    }
                }
                return (tree, size, usedAt)
            }
        }
    }

    private static let removedPrefix = ".removed-"

    /// Removes an algorithm's folder. Under another name first: whatever stands in its place counts as whole.
    func removeAlgorithm(_ tree: Digest) async throws {
        let path = algorithm(tree)
        let removed = "\(root)/algorithms/\(Self.removedPrefix)\(tree.hex)"
        try await threads.runIfActive {
            guard rename(path, removed) == 0 else { throw Self.failure("rename", path) }
            try FileManager.default.removeItem(atPath: removed)
        }
    }

    /// Reads who we are; `nil` before joining.
    public func identity() async throws -> AgentIdentity? {
        let path = "\(root)/identity.json"
        return try await threads.runIfActive {
            guard let data = FileManager.default.contents(atPath: path) else { return nil }
            return try WireJSON.decode(AgentIdentity.self, from: data)
        }
    }

    public func save(_ identity: AgentIdentity) async throws {
        let bytes = try WireJSON.encode(identity)
        let path = "\(root)/identity.json"
        try await threads.runIfActive { try Self.writeDurably(bytes, to: path) }
    }

    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(
                .storageExhausted,
                "The folder \(path) cannot be made. Check that the disk is writable and has room.",
                note: "\(error)"
            )
        }
    }

    /// Temporary file, fsync, rename, fsync of the folder; mode 0600.
    private static func writeDurably(_ bytes: [UInt8], to path: String) throws {
        let temporary = path + ".tmp"
        try write(bytes, to: temporary, durable: true)
        guard rename(temporary, path) == 0 else { throw failure("publish", path) }
        try flush(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    private static func write(_ bytes: [UInt8], to path: String, durable: Bool) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("open", path) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, $0.count - written) }
            if count < 0 {
                if errno == EINTR { continue }
                let error = failure("write", path)
                close(file)
                unlink(path)
                throw error
            }
            written += count
        }
        let synced = !durable || fsync(file) == 0
        let closed = close(file) == 0
        guard synced, closed else { throw failure("write", path) }
    }

    private static func flush(_ path: String) throws {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("fsync", path) }
    }

    private static func failure(_ call: String, _ path: String) -> Failure {
        Failure(
            .storageExhausted,
            "The agent cannot write to its folder. Check that the disk is writable and has room.",
            note: "\(call) \(path): \(String(cString: strerror(errno)))"
        )
    }
}

/// Who an agent is, once it has joined.
public struct AgentIdentity: Codable, Sendable, Hashable {
    /// The point's address, or `in-process`.
    public var point: String
    public var centre: CentreName
    public var agent: AgentID
    /// The bearer token of its calls.
    public var key: String

    public init(point: String, centre: CentreName, agent: AgentID, key: String) {
        self.point = point
        self.centre = centre
        self.agent = agent
        self.key = key
    }
}
