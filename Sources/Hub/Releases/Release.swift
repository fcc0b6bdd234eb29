public import Core
import Curation
import NIOCore
import Store
public import Wire

/// A revision of a data set that says how it was made: a release of training data.
///
/// What it says lies in its folder `governance`, as files that whoever may write to the repository uploaded. Nothing in
/// them is trusted: each has a limit that is looked at before a byte is read.
public struct Release: Sendable, Hashable {
    public let repository: Repository
    public let revision: Revision

    /// What makes a revision a release.
    public static let recordPath = "governance/run.json"
    static let itemsPath = "governance/items.json"
    static let blocksPath = "governance/blocks.jsonl"
    static let pipelinePath = "governance/pipeline.yaml"
    static let sourcesFolder = "governance/sources"
    static let samplesFolder = "governance/samples"
    static let decisionsFolder = "governance/decisions"
    static let takenFolder = "governance/taken"
    static let packFolder = "governance/pack"

    /// Of a file that is read as a whole.
    public static let fileBytesMax = 8 << 20
    static let dossierBytesMax = 1 << 20
    /// Files of an audit pack, parts of a release, samples of one.
    static let packFilesMax = 5000
    static let partsMax = 50_000
    static let samplesMax = 100
}

extension Repositories {
    /// A revision of a repository, if it is a release and the caller may read its files.
    ///
    /// - Parameter revision: A branch, a tag or a commit.
    public func release(
        _ id: RepositoryID,
        at revision: String,
        _ caller: Principal?
    ) async throws -> Release {
        try await store.read { tx in
            let repository = try Self.find(id, for: .read, caller, tx)
            guard let found = try Self.resolve(revision, of: id, tx) else {
                throw Self.absent(RevisionAddress(repository.kind.shelf, repository.path, revision))
            }
            guard try Self.isRelease(found, tx) else {
                throw Failure(
                    .notFound,
                    "Revision '\(revision.prefix(100))' of '\(repository.path)' is no release of training data: it has no "
                        + "\(Release.recordPath).",
                    note: Self.entryNote
                )
            }
            return Release(repository: repository, revision: found)
        }
    }

    static func isRelease(_ revision: Revision, _ tx: ReadTransaction) throws -> Bool {
        try tx.entry(at: Release.recordPath.split(separator: "/"), from: revision.tree)?.digest != nil
    }

    /// Whether a revision of a repository is a release; the caller's right to see it was checked before.
    public func isRelease(_ revision: Revision) async throws -> Bool {
        try await store.read { try Self.isRelease(revision, $0) }
    }

    /// A file of a release; `nil` when it is not there.
    func file(_ path: String, of release: Release) async throws -> TreeEntry? {
        try await store.read { tx in
            let entry = try tx.entry(at: path.split(separator: "/"), from: release.revision.tree)
            return entry?.digest == nil ? nil : entry
        }
    }

    /// The entries of a folder of a release by name, after one of them.
    func entries(
        of folder: String,
        in release: Release,
        after name: String = "",
        limit: Int
    ) async throws -> [TreeEntry] {
        try await store.read { tx in
            guard let entry = try tx.entry(at: folder.split(separator: "/"), from: release.revision.tree),
                entry.kind == .folder
            else { return [] }
            return try tx.entries(of: entry.oid, after: name, limit: limit)
        }
    }

    /// A whole file of a release.
    ///
    /// - Throws: `.tooLarge` when it is longer than that.
    func content(
        of entry: TreeEntry,
        in release: Release,
        bytesMax: Int = Release.fileBytesMax
    ) async throws -> [UInt8] {
        guard entry.size.count <= Int64(bytesMax), bytesMax <= Release.fileBytesMax else {
            throw Failure(
                .tooLarge,
                "\(entry.name) has \(entry.size.description); up to \(Bytes(Int64(bytesMax)).description) is read here."
            )
        }
        guard let digest = entry.digest else { throw Failure(.notFound, "\(entry.name) is no file.") }
        let buffer = try await content(of: digest, countMax: bytesMax, in: release.repository)
        return Array(buffer.readableBytesView)
    }

    /// What a release says of its run, or why that cannot be told.
    func record(of release: Release) async throws -> Result<RunRecord, Failure> {
        guard let entry = try await file(Release.recordPath, of: release), let digest = entry.digest else {
            return .failure(Failure(.notFound, "There is no \(Release.recordPath)."))
        }
        return try await readings.records.value(digest, weight: entry.size.count) {
            do {
                return .success(try RunRecord(untrusted: try await content(of: entry, in: release)))
            } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
                return .failure(failure)
            }
        }
    }
}
