import Blobs
public import Core
public import NIOCore
import Store
public import Wire

/// What a client names a manifest by.
public enum ManifestReference: Hashable, Sendable, LosslessStringConvertible {
    case digest(ContentDigest)
    case tag(String)

    /// - Parameter text: Whatever has a colon is a digest; a tag has 1 to 128 letters, digits and `._-`, and begins with
    ///   none of `.-`.
    public init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let digest = ContentDigest(text) else { return nil }
            self = .digest(digest)
        } else {
            guard (1...128).contains(text.utf8.count), text.utf8.first.map({ !".-".utf8.contains($0) }) == true,
                text.utf8.allSatisfy(Self.isAllowed)
            else { return nil }
            self = .tag(text)
        }
    }

    public var description: String {
        switch self {
        case .digest(let digest): digest.description
        case .tag(let tag): tag
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Bytes of a repository that were found, and are leased for whoever asked.
public struct HeldBytes: Sendable {
    let blob: StoredBlob
    let store: BlobStore

    /// How many.
    public var size: Bytes { blob.size }

    /// A part of them in pieces, each read when it is asked for.
    public func chunks(_ range: Range<Int64>) async throws -> some AsyncSequence<ByteBuffer, any Error> & Sendable {
        try await store.open(blob.digest).chunks(range)
    }

    /// All of them, in memory. Only for what is known to be small.
    public func whole() async throws -> ByteBuffer {
        try await store.open(blob.digest).read(offset: 0, countMax: Int(blob.size.count))
    }
}

/// What came of a manifest that was put.
public struct ManifestOutcome: Sendable {
    public var repository: Repository
    public var record: ManifestRecord
    /// What it is to clients of the Hub; `nil` when they do not see it.
    public var revision: Revision?
    /// Why they do not, although it has files.
    public var remark: String?
}

/// A manifest was refused because the repository lacks something that it is made of.
public struct MissingParts: Error, Hashable, Sendable {
    /// At most ``Repositories/missingPartsMax`` of them, as the manifest writes them.
    public let digests: [ContentDigest]
}

/// Manifests and tags of a repository.
extension Repositories {
    /// Named in one refusal.
    public static let missingPartsMax = 20
    /// Annotations beyond this are kept in the manifest's bytes alone, unless it is attached to another.
    private static let keptAnnotationsMax = 64 << 10
    /// Annotations of a manifest that is attached to another: lists of attachments carry them.
    private static let listedAnnotationsMax = 256 << 10

    /// Bytes of a repository that the caller may read; `nil` when they are not there. Leases them.
    public func blob(
        _ digest: ContentDigest,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> HeldBytes? {
        let found: StoredBlob? = try await read(shelf, path, as: .read, caller) { tx, repository in
            guard let digest = try Self.plain(digest, tx), let size = try tx.blobGrant(repository.id, digest) else {
                return nil
            }
            return StoredBlob(digest: digest, size: size)
        }
        guard let found, try await blobs.lease([found.digest], at: now())[0] != nil else { return nil }
        return HeldBytes(blob: found, store: blobs)
    }

    /// A manifest that the caller may read; `nil` when it is not there. Its bytes are leased.
    ///
    /// On the Hub's shelves what is no tag may be a branch, a tag or a commit of the Hub's.
    public func manifest(
        _ reference: ManifestReference,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> (record: ManifestRecord, bytes: HeldBytes)? {
        var (repository, found) = try await read(shelf, path, as: .read, caller) { tx, repository in
            return (repository, try Self.manifest(reference, of: repository, tx))
        }
        if found == nil, repository.kind != .image, case .tag(let text) = reference {
            found = try await manifest(ofRevision: text, in: repository, caller)
        }
        guard let found, try await blobs.lease([found.digest], at: now())[0] != nil else { return nil }
        let blob = StoredBlob(digest: found.digest, size: found.size)
        return (found, HeldBytes(blob: blob, store: blobs))
    }

    private static func manifest(
        _ reference: ManifestReference,
        of repository: Repository,
        _ tx: ReadTransaction
    ) throws -> ManifestRecord? {
        let digest =
            switch reference {
            case .digest(let digest): try plain(digest, tx)
            case .tag(let tag): try tx.tag(tag, of: repository.id)
            }
        return try digest.flatMap { try tx.manifest($0, of: repository.id) }
    }

    /// Puts a manifest into a repository and points tags at it. The first one may make the repository, as
    /// ``target(_:_:_:)`` does.
    ///
    /// Everything that it is made of must be in the repository already: layers by their grants, manifests as manifests,
    /// with the sizes that it says. What it is attached to need not be. On the Hub's shelves an artifact of files is a
    /// revision too, which its tags lead to; see ``ArtifactRevision``.
    /// - Parameters:
    ///   - digest: What the client calls it, checked against its bytes; `nil` when it only gave a tag.
    /// - Throws: ``MissingParts``; `.malformed`, `.digestMismatch`.
    public func put(
        manifest bytes: ByteBuffer,
        contentType: String?,
        as digest: ContentDigest?,
        tags: [String],
        in kind: RepositoryKind,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> ManifestOutcome {
        let caller = try Self.signedIn(caller)
        let document = try ManifestDocument(parsing: bytes.readableBytesView, contentType: contentType)
        if case .sha512(let hex)? = digest, BlobStore.sha512(bytes.readableBytesView) != hex {
            throw Failure(
                .digestMismatch,
                "The manifest's bytes are not \(digest.map { "\($0)" } ?? "what they should be")."
            )
        }
        var expected: Digest?
        if case .sha256(let plain)? = digest { expected = plain }
        let listed = try Self.listedAnnotations(of: document)
        let parts = try await leasedParts(of: document)
        let blob = try await blobs.put(bytes, expected: expected)
        let record = ManifestRecord(
            digest: blob.digest,
            size: blob.size,
            mediaType: document.mediaType,
            artifactType: document.artifactType,
            subject: document.subject.map { "\($0)" },
            annotations: listed
        )
        var aliases: [String] = []
        if case .sha512? = digest { aliases = digest.map { ["\($0)"] } ?? [] }
        let (names, now, id) = (aliases, now(), makeID(RepositoryID.self))
        let reading =
            kind == .image ? .other : ArtifactRevision.read(document, blob.digest, parts: parts, now: now)
        return try await write { tx in
            // What is refused below undoes the making of the repository too.
            let repository =
                try Self.known(kind, path, caller, tx)
                ?? Self.create(kind, path, visibility: .private, id: id, caller, tx, at: now)
            for tag in tags where try Self.committed(tag, of: repository.id, tx) != nil {
                throw Failure(.conflict, "'\(tag)' leads to a revision of '\(repository.path)'; use another tag.")
            }
            try Self.requireParts(document, parts, in: repository, tx)
            try Self.grant(blob, aliases: names, in: repository, caller, tx, at: now)
            let known = try tx.manifest(record.digest, of: repository.id)
            var outcome = ManifestOutcome(repository: repository, record: record)
            switch reading {
            case .revision(let artifact):
                outcome.revision = try Self.revision(of: record, artifact, known, in: repository, caller, tx, at: now)
                outcome.record.revision = outcome.revision?.id
            case .refused(let why): outcome.remark = why
            case .other: break
            }
            let moved = try tags.filter { try tx.tag($0, of: repository.id) != record.digest }
            let isKnown = known?.mediaType == record.mediaType && known?.revision == outcome.record.revision
            guard !isKnown || !moved.isEmpty else { return outcome }
            let put = Event.ManifestPut(
                repository: repository.id,
                manifest: outcome.record,
                references: Set(parts.values).sorted(),
                tags: moved
            )
            try tx.append(.manifestPut(put), about: repository, caller, at: now)
            return outcome
        }
    }

    private static func listedAnnotations(of document: ManifestDocument) throws -> [String: String] {
        let bytes = document.annotations.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if document.subject == nil { return bytes <= keptAnnotationsMax ? document.annotations : [:] }
        guard bytes <= listedAnnotationsMax else {
            throw Failure(
                .tooLarge,
                "A manifest with a subject may have \(Bytes(Int64(listedAnnotationsMax))) of annotations, because lists"
                    + " of attachments carry them. Put the rest into a layer."
            )
        }
        return document.annotations
    }

    /// Leases what a manifest is made of, as far as it is here. That all of it is in the repository is checked in the
    /// transaction that writes the manifest.
    private func leasedParts(of document: ManifestDocument) async throws -> [ContentDigest: Digest] {
        let names = Set(document.parts.map(\.digest))
        let known = try await store.read { tx in
            try names.reduce(into: [ContentDigest: Digest]()) { $0[$1] = try Self.plain($1, tx) }
        }
        let pairs = Array(known)
        let sizes = try await blobs.lease(pairs.map(\.value), at: now())
        return Dictionary(uniqueKeysWithValues: zip(pairs, sizes).filter { $0.1 != nil }.map { ($0.0.key, $0.0.value) })
    }

    private static func requireParts(
        _ document: ManifestDocument,
        _ parts: [ContentDigest: Digest],
        in repository: Repository,
        _ tx: ReadTransaction
    ) throws {
        var missing: [ContentDigest] = []
        for part in document.parts where missing.count < missingPartsMax {
            guard let digest = parts[part.digest], let size = try tx.blobGrant(repository.id, digest),
                try !part.isManifest || tx.manifest(digest, of: repository.id) != nil
            else {
                missing.append(part.digest)
                continue
            }
            if let said = part.size, said != size {
                throw Failure(
                    .malformed,
                    "The manifest says that \(part.digest) has \(said.count) bytes; it has \(size.count)."
                )
            }
        }
        guard missing.isEmpty else { throw MissingParts(digests: missing) }
    }

    /// The tags of a repository in the order of their bytes, after one of them.
    public func tags(
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        after: String,
        limit: Int,
        _ caller: Principal?
    ) async throws -> [String] {
        try await read(shelf, path, as: .read, caller) { tx, repository in
            return try tx.tags(of: repository.id, after: after, limit: limit)
        }
    }

    /// What is attached to a manifest, whether that is there or not, in the order of the digests.
    public func referrers(
        to subject: ContentDigest,
        artifactType: String?,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        after: Digest?,
        limit: Int,
        _ caller: Principal?
    ) async throws -> [ManifestRecord] {
        try await read(shelf, path, as: .read, caller) { tx, repository in
            return try tx.referrers(
                to: "\(subject)",
                of: repository.id,
                artifactType: artifactType,
                after: after,
                limit: limit
            )
        }
    }

    /// Removes a tag, or a manifest with all tags that point at it, and the revision that it is unless something of the
    /// Hub's leads to that.
    ///
    /// - Returns: Whether it was there.
    /// - Throws: `.conflict` for a manifest that an index of the repository is made of.
    public func removeManifest(
        _ reference: ManifestReference,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> Bool {
        return try await write(to: shelf, path, as: .write, caller) { tx, repository, now in
            guard let manifest = try Self.manifest(reference, of: repository, tx) else { return false }
            if case .tag(let tag) = reference {
                let removed = Event.TagRemoved(repository: repository.id, tag: tag)
                try tx.append(.tagRemoved(removed), about: repository, caller, at: now)
                return true
            }
            guard try !tx.isReferenced(manifest.digest, byManifestsOf: repository.id) else {
                throw Failure(.conflict, "\(reference) is part of an index; remove that first.")
            }
            let removed = Event.ManifestRemoved(repository: repository.id, digest: manifest.digest)
            try tx.append(.manifestRemoved(removed), about: repository, caller, at: now)
            if let revision = manifest.revision, try !tx.isReachable(revision, of: repository.id) {
                let dropped = Event.RevisionsDropped(repository: repository.id, revisions: [revision])
                try tx.append(.revisionsDropped(dropped), about: repository, caller, at: now)
            }
            // The same bytes may also be a file of a revision.
            if try !Self.isNeeded(manifest.digest, in: repository, tx) {
                let revoked = Event.RepositoryBlobsRevoked(repository: repository.id, digests: [manifest.digest])
                try tx.append(.repositoryBlobsRevoked(revoked), about: repository, caller, at: now)
            }
            return true
        }
    }

    /// Makes bytes unavailable through a repository.
    ///
    /// - Returns: Whether they were there.
    /// - Throws: `.conflict` when something in the repository is made of them.
    public func removeBlob(
        _ digest: ContentDigest,
        in shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ caller: Principal?
    ) async throws -> Bool {
        return try await write(to: shelf, path, as: .write, caller) { tx, repository, now in
            guard let plain = try Self.plain(digest, tx), try tx.blobGrant(repository.id, plain) != nil else {
                return false
            }
            guard try !Self.isNeeded(plain, in: repository, tx) else {
                throw Failure(.conflict, "\(digest) is part of something in '\(path)'; remove that first.")
            }
            let revoked = Event.RepositoryBlobsRevoked(repository: repository.id, digests: [plain])
            try tx.append(.repositoryBlobsRevoked(revoked), about: repository, caller, at: now)
            return true
        }
    }

    private static func isNeeded(_ digest: Digest, in repository: Repository, _ tx: ReadTransaction) throws -> Bool {
        if try tx.isReferenced(digest, byManifestsOf: repository.id) { return true }
        if try tx.manifest(digest, of: repository.id) != nil { return true }
        return try tx.isInRevisions(digest, of: repository.id)
    }
}
