import Blobs
package import Core
package import Engines
import FoundationEssentials
import Logging
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
    /// - Parameter tell: Hears from time to time how far that is, in words for people.
    func stage(_ order: LeaseOrder, _ tell: @escaping @Sendable (String) async -> Void) async throws -> EngineOrder
    /// Stores what a run left under the names that it declared, here and at the point.
    func collect(_ order: LeaseOrder) async throws -> StagedOutputs
    /// Nothing of a run is needed any more.
    func release(_ run: RunKey) async
    /// Keeps what is stored for later runs within its limit, without what the live ones need.
    func trim(keeping orders: @Sendable () async -> [LeaseOrder]) async throws
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
    let folder: AgentFolder
    let cache: BlobStore
    private let link: any BlobLink
    /// `nil` for a share of the disk.
    let cacheMax: Bytes?
    let now: @Sendable () -> Instant
    private let elapsed: @Sendable () -> Duration
    let log: Logger
    /// Fetches under way; whoever wants the same blob waits for the first.
    private(set) var underWay: [Work: Task<Void, any Error>] = [:]
    /// Of each run that is being staged or collected, the blobs that must stay.
    private(set) var held: [RunKey: Set<Digest>] = [:]
    /// Runs that have let go during the trim under way, which may not know what they name: until it is over all stays.
    private var lapsed: Set<RunKey> = []
    var isTrimming = false {
        didSet {
            guard !isTrimming else { return }
            for run in lapsed { held[run] = nil }
            lapsed = []
        }
    }
    /// Of each run that was staged in this life of the agent, the algorithm's folder that must stay.
    private(set) var algorithms: [RunKey: Digest] = [:]
    /// What each run that is being staged waits for at this moment.
    private var arrivals: [RunKey: (arrival: Arrival, digest: Digest, progress: TransferProgress)] = [:]
    /// The one eviction under way.
    var eviction: Task<Void, any Error>?
    /// What the cache had when it was last looked through, and what has come since. `nil` before.
    var counted: Bytes?
    var grown: Bytes = 0

    /// An input as people know it, and who wants to hear of it.
    private struct Arrival {
        var name: String
        var tell: @Sendable (String) async -> Void
    }

    enum Work: Hashable {
        case blob(Digest)
        case algorithm(Digest)
    }

    /// Bytes of one piece of an upload.
    private static let pieceBytesMax = 1 << 20

    init(
        folder: AgentFolder,
        cache: BlobStore,
        link: any BlobLink,
        cacheMax: Bytes?,
        now: @escaping @Sendable () -> Instant,
        elapsed: @escaping @Sendable () -> Duration,
        log: Logger
    ) {
        (self.folder, self.cache, self.link, self.cacheMax) = (folder, cache, link, cacheMax)
        (self.now, self.elapsed, self.log) = (now, elapsed, log)
    }

    // MARK: In

    /// Makes everything ready that a run needs. May be repeated after a crash: what is in its place is left alone.
    func stage(_ order: LeaseOrder, _ tell: @escaping @Sendable (String) async -> Void) async throws -> EngineOrder {
        lapsed.remove(order.run)
        // What was placed is a copy.
        defer { letGo(order.run) }
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
            try await fetch(input.digest, input.kind, for: order.run, Arrival(name: input.path, tell: tell))
            try await place(input.digest, input.kind, at: "\(inputs)/\(input.path)")
        }
        var algorithmFolder: String?
        if let algorithm = order.spec.algorithm {
            algorithmFolder = folder.algorithm(algorithm.tree)
            try await placeAlgorithm(
                algorithm.tree,
                for: order.run,
                Arrival(name: "algorithm \(algorithm.name)", tell: tell)
            )
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
    private func placeAlgorithm(_ tree: Digest, for run: RunKey, _ arrival: Arrival) async throws {
        algorithms[run] = tree
        _ = await eviction?.result
        if try await folder.useAlgorithm(tree, at: now()) { return }
        try await once(.algorithm(tree)) {
            try await self.fetch(tree, .tree, for: run, arrival)
            try await self.place(tree, .tree, at: self.folder.algorithm(tree))
        }
    }

    private func fetch(_ digest: Digest, _ kind: ArtifactKind, for run: RunKey, _ arrival: Arrival) async throws {
        defer { arrivals[run] = nil }
        let progress = TransferProgress(arrival.name, at: elapsed())
        if kind == .file { arrivals[run] = (arrival, digest, progress) }
        if try await !hold([digest], for: run).isEmpty { try await fetch(digest, for: run) }
        guard kind == .tree else { return }
        let manifest = try await cache.manifest(of: digest)
        let sizes = Dictionary(manifest.files.map { ($0.digest, $0.size) }, uniquingKeysWith: +)
        let missing = Set(try await hold(Array(sizes.keys), for: run))
        let files = sizes.filter { missing.contains($0.key) }
        var folder = TransferProgress(
            arrival.name,
            total: manifest.size,
            settled: files.values.reduce(manifest.size, -),
            at: elapsed()
        )
        for (file, size) in files {
            arrivals[run] = (arrival, file, folder)
            try await fetch(file, for: run)
            folder = arrivals[run]?.progress ?? folder
            folder.settle(size)
        }
    }

    private func fetch(_ digest: Digest, for run: RunKey) async throws {
        try await once(.blob(digest)) { try await self.download(digest, for: run) }
    }

    /// Tells every run that waits for a blob how far it is.
    private func note(_ digest: Digest, at offset: Int64, received: Int64, of size: Bytes) async {
        for (run, waiting) in arrivals where waiting.digest == digest {
            let text = arrivals[run]?.progress
                .advance(to: Bytes(offset), received: Bytes(received), of: size, at: elapsed())
            if let text { await waiting.arrival.tell(text) }
        }
    }

    /// Notes that a run needs blobs: they are not evicted while it is staged or collected.
    /// - Returns: Those that are not here.
    private func hold(_ digests: [Digest], for run: RunKey) async throws -> [Digest] {
        held[run, default: []].formUnion(digests)
        // Of those that begin after this none is about what is held.
        _ = await eviction?.result
        return try await cache.use(digests, at: now())
    }

    /// Goes on where an earlier try broke off, in this life of the agent or a former one.
    private func download(_ digest: Digest, for run: RunKey) async throws {
        guard try await cache.size(of: digest) == nil else { return }
        let upload = try await upload(of: digest)
        let kept = try await cache.offset(of: upload)
        let position = Position(kept)
        try await link.download(digest, for: run, from: kept) { [cache, elapsed] piece, size in
            let offset = try await cache.append(upload, offset: position.offset, piece)
            guard let received = position.move(to: offset, at: elapsed()) else { return }
            await self.note(digest, at: offset, received: received, of: size)
        }
        let end = position.offset
        if let rest = position.move(to: end, at: nil) {
            await note(digest, at: end, received: rest, of: Bytes(end))
        }
        do {
            let blob = try await cache.finish(upload, expected: digest)
            grown = grown + blob.size
            _ = try await cache.use([digest], at: now())
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
        // What began after `stop` would have nobody to cancel it.
        try Task.checkCancellation()
        let task = Task { try await body() }
        underWay[work] = task
        defer { if underWay[work] == task { underWay[work] = nil } }
        try await task.value
    }

    private func letGo(_ run: RunKey) {
        if isTrimming { lapsed.insert(run) } else { held[run] = nil }
    }

    func release(_ run: RunKey) { algorithms[run] = nil }

    func stop() async {
        let tasks = Array(underWay.values)
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
    }

    // MARK: Out

    /// Stores what a run left under the names that it declared, here and at the point.
    func collect(_ order: LeaseOrder) async throws -> StagedOutputs {
        lapsed.remove(order.run)
        defer { letGo(order.run) }
        let outputs = "\(folder.staging(order.run))/outputs"
        var artifacts: [Artifact] = []
        var blobs: [Digest: Bytes] = [:]
        for name in order.spec.outputs {
            let path = "\(outputs)/\(name)"
            do {
                switch try await kind(at: path) {
                case nil: return .missing(name)
                case .file:
                    let blob = try await keep(for: order.run) {
                        let blob = try await cache.put(file: path)
                        return (blob, [blob.digest])
                    }
                    blobs[blob.digest] = blob.size
                    artifacts.append(Artifact(name: name, kind: .file, digest: blob.digest, size: blob.size))
                case .tree:
                    let (artifact, manifest) = try await keep(for: order.run) {
                        let tree = try await cache.packTree(path, name: name)
                        return (tree, tree.1.files.map(\.digest) + [tree.0.digest])
                    }
                    for file in manifest.files { blobs[file.digest] = file.size }
                    blobs[artifact.digest] = try await cache.size(of: artifact.digest) ?? 0
                    artifacts.append(artifact)
                }
            } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
                return .unusable("the output '\(name)' cannot be kept: \(failure.detail)")
            }
        }
        grown = blobs.values.reduce(grown, +)
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

    /// Stores something, anew when a part of it that was here already has been evicted before it could be held.
    private func keep<Value>(
        for run: RunKey,
        _ store: () async throws -> (Value, [Digest])
    ) async throws -> Value {
        while true {
            let (value, digests) = try await store()
            if try await hold(digests, for: run).isEmpty { return value }
        }
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
    private let state: Mutex<(offset: Int64, noted: Int64, notedAt: Duration?)>

    init(_ offset: Int64) { state = Mutex((offset, offset, nil)) }

    var offset: Int64 { state.withLock { $0.offset } }

    /// - Parameter now: `nil` at the end.
    /// - Returns: What has come since this last returned something: not for every small piece.
    func move(to offset: Int64, at now: Duration?) -> Int64? {
        state.withLock { state in
            state.offset = offset
            if let now, let notedAt = state.notedAt, now - notedAt < .milliseconds(250) { return nil }
            defer { (state.noted, state.notedAt) = (offset, now) }
            return offset - state.noted
        }
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
