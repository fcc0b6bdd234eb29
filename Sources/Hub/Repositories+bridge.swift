import Blobs
import Core
import NIOCore
import Store
import Wire

/// The bridge: every revision of a model, dataset or algorithm is also an artifact of OCI, under the name of a branch or
/// tag that leads to it, or its own; and an artifact of files that was pushed is also a revision, under its tags.
extension Repositories {
    /// What a fact says about a revision: the digest of its manifest.
    private static let manifestFact = "oci-manifest"

    /// What a registry's tags have for the branch that a repository begins with, until a commit makes that.
    static let mainTags = ["main", "latest"]

    /// The revision that a pushed manifest is, made if it is not there.
    ///
    /// - Parameters:
    ///   - artifact: What its layers are.
    ///   - known: The manifest as it is here already.
    static func revision(
        of record: ManifestRecord,
        _ artifact: ArtifactRevision,
        _ known: ManifestRecord?,
        in repository: Repository,
        _ caller: Principal,
        _ tx: WriteTransaction,
        at now: Instant
    ) throws -> Revision {
        if let id = known?.revision, let revision = try tx.revision(id, of: repository.id) { return revision }
        // What was made of a revision here is that one, also under a tag of its own.
        if known != nil, let id = record.annotations[ModelPack.revisionKey].flatMap({ GitHash($0) }),
            let revision = try tx.revision(id, of: repository.id),
            try madeManifest(of: id, in: repository, tx) == record.digest
        {
            return revision
        }
        if let revision = try tx.revision(artifact.revision.id, of: repository.id) { return revision }
        let committed = Event.RevisionCommitted(
            repository: repository.id,
            revision: artifact.revision,
            folders: artifact.folders,
            reference: nil
        )
        try tx.append(.revisionCommitted(committed), about: repository, caller, at: now)
        return artifact.revision
    }

    static func madeManifest(
        of revision: GitHash,
        in repository: Repository,
        _ tx: ReadTransaction
    ) throws -> Digest? {
        let facts = try tx.facts(about: revision.text, in: repository.id)
        let fact = try facts.first { $0.kind == manifestFact }.map { try JSON(parsing: Array($0.value.utf8)) }
        return fact?.stringValue.flatMap { Digest($0) }
    }

    /// The manifest of a revision; `nil` when the text names none. The one that was pushed as it; else made when somebody
    /// first asks, and from then on a manifest like any other, which can be had by its digest and have attachments.
    ///
    /// The caller's right to read the repository was checked before.
    /// - Throws: `.tooLarge` for a revision of more files than a manifest may have layers.
    func manifest(
        ofRevision text: String,
        in repository: Repository,
        _ caller: Principal?
    ) async throws -> ManifestRecord? {
        enum Look { case none, known(ManifestRecord), fresh(ModelPack) }
        let look: Look = try await store.read { tx in
            guard let revision = try Self.resolve(text, of: repository.id, tx) else { return .none }
            if let pushed = try tx.manifest(ofRevision: revision.id, of: repository.id) { return .known(pushed) }
            if let digest = try Self.madeManifest(of: revision.id, in: repository, tx),
                let known = try tx.manifest(digest, of: repository.id)
            {
                return .known(known)
            }
            guard let files = try Self.files(below: revision.tree, max: ManifestDocument.partsMax - 1, tx) else {
                throw Self.tooManyFiles
            }
            return .fresh(ModelPack(revision, files))
        }
        switch look {
        case .none: return nil
        case .known(let record): return record
        case .fresh(let pack): return try await keep(pack, in: repository, caller)
        }
    }

    private func keep(_ pack: ModelPack, in repository: Repository, _ caller: Principal?) async throws -> ManifestRecord
    {
        let config = try await blobs.put(pack.config)
        let bytes = pack.manifest(config: config.digest)
        guard bytes.count <= ManifestDocument.bytesMax else { throw Self.tooManyFiles }
        let blob = try await blobs.put(bytes)
        let record = ManifestRecord(
            digest: blob.digest,
            size: blob.size,
            mediaType: ManifestDocument.ociImage,
            artifactType: ModelPack.artifactType
        )
        let now = now()
        try await write { tx in
            guard let repository = try tx.repository(repository.id) else { throw Self.unknown(repository.path) }
            guard try tx.manifest(record.digest, of: repository.id) == nil else { return }
            for part in [config, blob] { try Self.grant(part, in: repository, caller, tx, at: now) }
            let parts = Set(pack.files.map(\.digest) + [config.digest])
            // The files' bytes were granted with the revision; it may have been removed since.
            for part in parts where try tx.blobGrant(repository.id, part) == nil {
                throw Failure(.notFound, "This revision is no longer whole.")
            }
            let put = Event.ManifestPut(
                repository: repository.id,
                manifest: record,
                references: parts.sorted(),
                tags: []
            )
            try tx.append(.manifestPut(put), about: repository, caller, at: now)
            let fact = Event.FactNoted(
                repository: repository.id,
                subject: pack.revision.id.text,
                kind: Self.manifestFact,
                value: "\"\(record.digest)\"",
                tool: "onepoint"
            )
            try tx.append(.factNoted(fact), about: repository, caller, at: now)
        }
        return record
    }

    private static let tooManyFiles = Failure(
        .tooLarge,
        "This revision has more files than a manifest may have layers. Fetch it with a client of the Hub."
    )
}
