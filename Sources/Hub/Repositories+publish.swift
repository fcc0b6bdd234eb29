import Blobs
import Core
import Logging
import NIOCore
import Store
import Wire

/// How jobs write into the repository: outputs that a job's document publishes are committed once it has succeeded.
///
/// A reconciler: what is due is in the database, and stays due until its end is written. A publication that is begun
/// twice, because the process was killed in between, commits the same files again, which changes nothing.
extension Repositories {
    private static let publicationsMax = 16
    /// A file of at most this size is kept as git would keep it; a larger one by a pointer.
    private static let regularMax = Bytes(1 << 20)
    /// Between two looks at least: every commit of anybody rings.
    private static let publishPause = Duration.milliseconds(200)
    private static let publishTick = Duration.seconds(5)

    func publishAgainAndAgain() async {
        await Reconciler(bell: bell, tick: Self.publishTick, pauseMin: Self.publishPause).run(on: runtime) { error in
            log.error("outputs cannot be published", metadata: ["error": "\(error)"])
        } _: {
            while try await publishDue() > 0 {}
        }
    }

    /// Settles some of what is due.
    /// - Returns: How many.
    func publishDue() async throws -> Int {
        let due = try await store.read { try $0.publicationsDue(limit: Self.publicationsMax) }
        for publication in due {
            try Task.checkCancellation()
            let settled: Event.PublicationSettled
            do {
                settled = try await publish(publication)
            } catch let failure as Failure where !failure.isPassing {
                settled = .init(job: publication.job, output: publication.output, detail: failure.detail)
            }
            let now = now()
            try await write { tx in
                guard let job = try tx.job(settled.job),
                    try tx.publications(of: job.id).contains(where: { $0.output == settled.output && $0.state == .due })
                else { return }
                try tx.append(
                    .publicationSettled(settled),
                    project: job.project,
                    subject: "\(job.id)",
                    actor: "point",
                    at: now
                )
            }
        }
        return due.count
    }

    private func publish(_ due: PublicationStatus) async throws -> Event.PublicationSettled {
        let (job, artifact, user) = try await store.read { tx in
            guard let job = try tx.job(due.job), let user = try tx.user(job.user) else {
                throw Failure(.notFound, "The job or its user is gone.")
            }
            return (job, try tx.artifacts(of: job.id).first { $0.name == due.output }, user)
        }
        guard let target = job.spec.publish?.first(where: { $0.output == due.output }) else {
            throw Failure(.invalid, "The job says no more where to publish '\(due.output)'.")
        }
        guard let artifact else { throw Failure(.notFound, "The job left no '\(due.output)'.") }
        // With the rights that its user has now, in the job's project.
        let caller = Principal(
            user: user.name,
            isOperator: user.isOperator,
            scopes: [.read, .write],
            project: job.project
        )
        let repository = try await repositoryToPublish(target, caller)
        var folder = target.folder
        if let index = job.arrayIndex { folder = (folder.map { $0 + "/" } ?? "") + "\(index)" }
        var operations: [FileOperation] = []
        let files = try await files(of: artifact)
        if target.replace == true {
            let tops = Set(files.compactMap { file in file.path.firstIndex(of: "/").map { file.path[..<$0] } })
            for top in tops.sorted() {
                if let path = FilePath((folder.map { $0 + "/" } ?? "") + top) { operations.append(.clearFolder(path)) }
            }
        }
        for file in files {
            guard let path = FilePath((folder.map { $0 + "/" } ?? "") + file.path) else {
                throw Failure(.invalid, "'\(file.path)' cannot be a path in a repository. \(FilePath.rule)")
            }
            let blob = StoredBlob(digest: file.digest, size: file.size)
            try await grant(blob, in: repository, caller)
            operations.append(.put(path, try await treeEntry(for: blob, at: path)))
        }
        guard let branch = ReferenceName(.branch, target.branch) else {
            throw Failure(.invalid, "'\(target.branch)' cannot be the name of a branch.")
        }
        let outcome = try await commit(
            CommitRequest(
                reference: branch,
                message: "Publish \(due.output) of \(job.spec.name)\n\nOutput of \(job.id).",
                operations: operations
            ),
            to: target.kind.shelf,
            repository.path,
            caller
        )
        return .init(
            job: job.id,
            output: due.output,
            repository: repository.id,
            revision: outcome.revision.id,
            folder: folder
        )
    }

    private func repositoryToPublish(_ target: Publication, _ caller: Principal) async throws -> Repository {
        do {
            return try await repository(target.kind.shelf, target.path, for: .write, caller)
        } catch let failure as Failure where failure.code == .notFound {
            do {
                return try await create(target.kind, target.path, caller)
            } catch let failure as Failure where failure.code == .conflict {
                // Another output of the same job's array was faster, or it is one that the caller may not see.
                return try await repository(target.kind.shelf, target.path, for: .write, caller)
            }
        }
    }

    private func files(of artifact: Artifact) async throws -> [TreeManifest.File] {
        switch artifact.kind {
        case .file:
            [.init(path: artifact.name, digest: artifact.digest, size: artifact.size, executable: false)]
        case .tree: try await blobs.manifest(of: artifact.digest).files
        }
    }

    private func treeEntry(for blob: StoredBlob, at path: FilePath) async throws -> TreeEntry {
        let name = String(path.name)
        guard blob.size.count <= Self.regularMax.count else { return GitObject.largeFile(name, blob.digest, blob.size) }
        let bytes = try await blobs.open(blob.digest).read(offset: 0, countMax: Int(blob.size.count))
        return TreeEntry(
            name: name,
            kind: .file,
            oid: GitObject.blob(bytes.readableBytesView),
            digest: blob.digest,
            size: blob.size
        )
    }
}

extension Failure {
    /// Whether the same may go well a little later.
    fileprivate var isPassing: Bool {
        switch code {
        case .internal, .unavailable, .storageExhausted, .rateLimited: true
        default: false
        }
    }
}
