import Blobs
package import Core
package import Engines
import FoundationEssentials
import NIOCore
import NIOPosix
import Synchronization
package import Wire

#if canImport(Glibc)
    import Glibc
#endif

/// Brings a run's bytes to the centre and takes what it left away again.
package protocol CentreStaging: Sendable {
    /// Makes everything ready that a run needs. May be repeated after a crash.
    func stage(_ order: LeaseOrder) async throws -> EngineOrder
    /// Stores what a run left under the names that it declared, here and at the point.
    func collect(_ order: LeaseOrder) async throws -> StagedOutputs
    /// Ends what is under way, so that nothing moves any more once the agent has stopped.
    func stop() async
}

/// What a run left of what it had promised.
package enum StagedOutputs: Sendable {
    case complete([Artifact])
    /// Nothing stands where a declared output should be.
    case missing(String)
    /// An output that cannot be kept, and why.
    case unusable(String)
}

/// Brings a run's bytes to the centre and takes what it left away again, by digest.
///
/// Each blob is fetched once per centre however many runs want it, and verified before anybody sees it. What came of it
/// before a connection broke or the agent was killed is kept, and gone on with.
actor Staging: CentreStaging {
    private let folder: AgentFolder
    private let cache: BlobStore
    private let link: any PointLink
    private let now: @Sendable () -> Instant
    /// Fetches under way; whoever wants the same blob waits for the first.
    private var underWay: [Work: Task<Void, any Error>] = [:]

    private enum Work: Hashable {
        case blob(Digest)
        case algorithm(Digest)
    }

    /// Bytes of one piece of an upload.
    private static let pieceBytesMax = 1 << 20

    init(folder: AgentFolder, cache: BlobStore, link: any PointLink, now: @escaping @Sendable () -> Instant) {
        self.folder = folder
        self.cache = cache
        self.link = link
        self.now = now
    }

    // MARK: In

    /// Makes everything ready that a run needs. May be repeated after a crash: what is in its place is left alone.
    func stage(_ order: LeaseOrder) async throws -> EngineOrder {
        let root = folder.staging(order.run)
        let (inputs, outputs) = ("\(root)/inputs", "\(root)/outputs")
        try await folder.threads.runIfActive {
            try AgentFolder.makeFolder(inputs)
            try AgentFolder.makeFolder(outputs)
            for input in order.inputs {
                guard TreeManifest.isSafe(path: input.path) else {
                    throw Failure(.invalid, "The input path '\(input.path)' leaves its folder.")
                }
                if let slash = input.path.lastIndex(of: "/") {
                    try AgentFolder.makeFolder("\(inputs)/\(input.path[..<slash])")
                }
            }
        }
        for input in order.inputs {
            try await fetch(input.digest, input.kind, for: order.run)
            try await place(input.digest, input.kind, at: "\(inputs)/\(input.path)")
        }
        var algorithmFolder: String?
        if let algorithm = order.spec.algorithm {
            algorithmFolder = folder.algorithm(algorithm.tree)
            try await placeAlgorithm(algorithm.tree, for: order.run)
        }
        return EngineOrder(order, algorithmFolder: algorithmFolder, inputs: inputs, outputs: outputs)
    }

    private func place(_ digest: Digest, _ kind: ArtifactKind, at path: String) async throws {
        do {
            try await cache.materialise(digest, kind: kind, at: path)
        } catch let failure as Failure where failure.code == .conflict {
            // Placing is atomic: what stands there is whole, from before a restart.
        }
    }

    /// An algorithm's folder is shared by all its runs here, read-only to them.
    private func placeAlgorithm(_ tree: Digest, for run: RunKey) async throws {
        let path = folder.algorithm(tree)
        try await once(.algorithm(tree)) {
            try await self.fetch(tree, .tree, for: run)
            try await self.place(tree, .tree, at: path)
        }
    }

    private func fetch(_ digest: Digest, _ kind: ArtifactKind, for run: RunKey) async throws {
        try await fetch(digest, for: run)
        guard kind == .tree else { return }
        for file in try await cache.manifest(of: digest).files { try await fetch(file.digest, for: run) }
    }

    private func fetch(_ digest: Digest, for run: RunKey) async throws {
        try await once(.blob(digest)) { try await self.download(digest, for: run) }
    }

    /// Goes on where an earlier try broke off, in this life of the agent or a former one.
    private func download(_ digest: Digest, for run: RunKey) async throws {
        guard try await cache.size(of: digest) == nil else { return }
        let upload = try await upload(of: digest)
        let kept = try await cache.offset(of: upload)
        let position = Position(kept)
        try await link.download(digest, for: run, from: kept) { [cache] piece in
            position.offset = try await cache.append(upload, offset: position.offset, piece)
        }
        do {
            _ = try await cache.finish(upload, expected: digest)
        } catch let failure as Failure where failure.code == .digestMismatch && kept > 0 {
            // What was kept is never flushed, so that a machine that crashed may have damaged it. It is gone now.
            try await download(digest, for: run)
        }
    }

    /// What there is of a blob that is on its way.
    private func upload(of digest: Digest) async throws -> UploadID {
        let owner = "\(digest)"
        for upload in cache.openUploads where (try? await cache.owner(of: upload)) == owner { return upload }
        return try await cache.begin(expected: digest, owner: owner, now: now())
    }

    /// Runs `body` unless the same work is under way already; then waits for that.
    ///
    /// The task is awaited here by whoever came first, and goes on for the others if that one is cancelled. `stop`
    /// cancels it.
    private func once(
        _ work: Work,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        while let running = underWay[work] {
            // Its failure may have to do with the run that it was for; then this one tries for itself.
            if case .success = await running.result { return }
            try Task.checkCancellation()
            if underWay[work] == running { underWay[work] = nil }
        }
        let task = Task { try await body() }
        underWay[work] = task
        defer { if underWay[work] == task { underWay[work] = nil } }
        try await task.value
    }

    func stop() async {
        let tasks = Array(underWay.values)
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
    }

    // MARK: Out

    /// Stores what a run left under the names that it declared, here and at the point.
    func collect(_ order: LeaseOrder) async throws -> StagedOutputs {
        let outputs = "\(folder.staging(order.run))/outputs"
        var artifacts: [Artifact] = []
        var blobs: [Digest: Bytes] = [:]
        for name in order.spec.outputs {
            let path = "\(outputs)/\(name)"
            do {
                switch try await kind(at: path) {
                case nil: return .missing(name)
                case .file:
                    let blob = try await cache.put(file: path)
                    blobs[blob.digest] = blob.size
                    artifacts.append(Artifact(name: name, kind: .file, digest: blob.digest, size: blob.size))
                case .tree:
                    let (artifact, manifest) = try await cache.packTree(path, name: name)
                    for file in manifest.files { blobs[file.digest] = file.size }
                    blobs[artifact.digest] = try await cache.size(of: artifact.digest) ?? 0
                    artifacts.append(artifact)
                }
            } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
                return .unusable("the output '\(name)' cannot be kept: \(failure.detail)")
            }
        }
        let digests = blobs.keys.sorted()
        for start in stride(from: 0, to: digests.count, by: DigestList.countMax) {
            let some = Array(digests[start..<min(start + DigestList.countMax, digests.count)])
            let missing: [Digest]
            do {
                missing = try await link.missing(some, for: order.run)
            } catch let failure as Failure where !failure.isWorthARepeat {
                return .unusable("the point does not take its outputs: \(failure.detail)")
            }
            for digest in missing {
                do {
                    try await upload(digest, blobs[digest] ?? 0, for: order.run)
                } catch let failure as Failure where !failure.isWorthARepeat {
                    return .unusable("the point does not take \(digest): \(failure.detail)")
                }
            }
        }
        return .complete(artifacts)
    }

    private func kind(at path: String) async throws -> ArtifactKind? {
        try await folder.threads.runIfActive {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            return status.st_mode & S_IFMT == S_IFDIR ? .tree : .file
        }
    }

    private func upload(_ digest: Digest, _ size: Bytes, for run: RunKey) async throws {
        let reader = try await cache.open(digest)
        var view = try await link.beginUpload(for: run, expected: digest, size: size)
        while view.offset < size.count {
            let bytes = try await reader.read(offset: view.offset, countMax: Self.pieceBytesMax)
            guard bytes.readableBytes > 0 else {
                throw Failure(.internal, "The cached copy of \(digest) is shorter than it should be.")
            }
            view = try await link.append(bytes, to: view.upload, at: view.offset)
        }
        _ = try await link.finish(view.upload)
    }
}

/// How far a download has come. Used by one task at a time.
private final class Position: Sendable {
    private let value: Atomic<Int64>

    init(_ offset: Int64) { value = Atomic(offset) }

    var offset: Int64 {
        get { value.load(ordering: .relaxed) }
        set { value.store(newValue, ordering: .relaxed) }
    }
}

extension EngineOrder {
    /// What the engine is told of a lease once everything stands in its place.
    package init(_ order: LeaseOrder, algorithmFolder: String?, inputs: String, outputs: String) {
        var environment = order.spec.environment
        if let index = order.arrayIndex, let count = order.arrayCount {
            environment["ONEPOINT_ARRAY_INDEX"] = "\(index)"
            environment["ONEPOINT_ARRAY_COUNT"] = "\(count)"
        }
        self.init(
            run: order.run,
            command: order.spec.command,
            environment: environment,
            tasks: order.spec.tasks,
            resources: order.spec.resources,
            nodes: order.nodes,
            timeLimitSeconds: order.spec.timeLimitSeconds,
            isolation: order.spec.isolation,
            algorithmFolder: algorithmFolder,
            requirements: order.spec.algorithm?.requirements,
            inputsFolder: inputs,
            outputsFolder: outputs,
            parameters: JSON.object(order.spec.parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }).text
        )
    }
}
