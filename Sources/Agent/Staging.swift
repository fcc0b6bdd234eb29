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
    /// Before anything else.
    /// - Parameter lives: Whose inputs and algorithms must stay, asked whenever something has to go.
    func open(keeping lives: @escaping @Sendable () async -> Lives) async
    /// Makes everything ready that a run needs. May be repeated after a crash.
    /// - Parameter tell: Hears from time to time how far that is, in words for people.
    func stage(_ order: LeaseOrder, _ tell: @escaping @Sendable (String) async -> Void) async throws -> EngineOrder
    /// Stores what a run left under the names that it declared, here and at the point. May be repeated after a failure
    /// or a crash.
    /// - Parameter tell: As for ``stage(_:_:)``.
    func collect(
        _ order: LeaseOrder,
        _ tell: @escaping @Sendable (String) async -> Void
    ) async throws -> StagedOutputs
    /// Nothing of a run is needed any more.
    func release(_ run: RunKey) async
    /// Keeps what is stored for later runs within its limit, without what the live ones need.
    func trim() async throws
    /// Ends what is under way, so that nothing moves any more once the agent has stopped.
    func stop() async
}

/// The runs of a centre that are not over.
package struct Lives: Sendable {
    package var orders: [LeaseOrder]
    /// Whether there are no others, which would need what was placed for them.
    package var areAll: Bool
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
/// Each blob is fetched once per centre however many runs want it, and verified before anybody sees it. What came of it,
/// or went, before a connection broke or somebody was killed is kept, and gone on with.
actor Staging: CentreStaging {
    let folder: AgentFolder
    let cache: BlobStore
    private let link: any BlobLink
    /// `nil` for a share of the disk.
    let cacheMax: Bytes?
    let now: @Sendable () -> Instant
    private let elapsed: @Sendable () -> Duration
    let log: Logger
    private(set) var lives: @Sendable () async -> Lives = { Lives(orders: [], areAll: false) }
    /// Transfers under way; whoever wants the same waits for the first.
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
    /// The look through the cache under way: one at a time.
    var trimming: Task<Void, any Error>?
    /// How often a run has let go of something.
    private(set) var releases = 0
    /// What that was when the last look could not make enough room. `nil` when it could.
    var releasesInVain: Int?
    /// Of each run that was staged in this life of the agent, the algorithm's folder that must stay.
    private(set) var algorithms: [RunKey: Digest] = [:]
    /// What each run that is being staged or collected waits for at this moment.
    private var waiting: [RunKey: (item: Item, works: Set<Work>, progress: TransferProgress)] = [:]
    /// Over a long line a small file mostly waits, so several go at once.
    private let turns = Turns(atOnceMax: Staging.transfersMax)
    /// Of each run whose outputs have not all arrived, what it left: it is here.
    private var left: [RunKey: [Output]] = [:]
    /// The one eviction under way.
    var eviction: Task<Void, any Error>?
    /// What the cache had when it was last looked through, and what has come since. `nil` before. Rather too much than
    /// too little: then it is looked through again.
    var counted: Bytes?
    var grown: Bytes = 0
    /// What is being brought, with its size when it is here.
    var coming: [Work: Bytes] = [:]

    /// An input or output as people know it, and who wants to hear of it.
    private struct Item {
        /// What is done with it, such as `staging model.bin`.
        var action: String
        var tell: @Sendable (String) async -> Void
    }

    /// What a run left, with the blobs that it is made of.
    private struct Output {
        var artifact: Artifact
        var blobs: [Digest: Bytes]
    }

    enum Work: Hashable {
        case blob(Digest)
        case algorithm(Digest)
        /// To the point, for a project.
        case upload(Digest, ProjectName)

        var digest: Digest {
            switch self {
            case .blob(let digest), .algorithm(let digest), .upload(let digest, _): digest
            }
        }
    }

    /// Transfers under way at one time.
    static let transfersMax = 16
    /// Of those, for the files of one folder.
    private static let transfersOfFolderMax = 8

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

    func open(keeping lives: @escaping @Sendable () async -> Lives) { self.lives = lives }

    // MARK: In

    /// Makes everything ready that a run needs. May be repeated after a crash: what is in its place is left alone.
    func stage(_ order: LeaseOrder, _ tell: @escaping @Sendable (String) async -> Void) async throws -> EngineOrder {
        lapsed.remove(order.run)
        // What was placed is a copy, or a name of its own of the same file.
        defer { letGo(order.run) }
        // What sees its inputs by a read-only mount alone, and nowhere runs without, cannot write through a link.
        let mode: BlobStore.Materialisation = order.spec.isolation == .required ? .hardLink : .copy
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
            try await fetch(input.digest, input.kind, for: order.run, Item(action: "staging \(input.path)", tell: tell))
            try await place(input.digest, input.kind, at: "\(inputs)/\(input.path)", mode)
        }
        var algorithmFolder: String?
        if let algorithm = order.spec.algorithm {
            algorithmFolder = folder.algorithm(algorithm.tree)
            try await placeAlgorithm(
                algorithm.tree,
                for: order.run,
                Item(action: "staging algorithm \(algorithm.name)", tell: tell)
            )
        }
        return EngineOrder(order, algorithmFolder: algorithmFolder, inputs: inputs, outputs: outputs)
    }

    private func place(
        _ digest: Digest,
        _ kind: ArtifactKind,
        at path: String,
        _ mode: BlobStore.Materialisation = .copy
    ) async throws {
        do {
            try await cache.materialise(digest, kind: kind, at: path, mode: mode)
        } catch let failure as Failure where failure.code == .conflict {
            // Placing is atomic: what stands there is whole, from before a restart.
        }
    }

    /// An algorithm's folder is shared by all its runs here, read-only to them.
    private func placeAlgorithm(_ tree: Digest, for run: RunKey, _ item: Item) async throws {
        algorithms[run] = tree
        _ = await eviction?.result
        if try await folder.useAlgorithm(tree, at: now()) { return }
        try await once(.algorithm(tree)) {
            try await self.fetch(tree, .tree, for: run, item)
            try await self.making(room: self.cache.manifest(of: tree).size, for: .algorithm(tree)) {
                try await self.place(tree, .tree, at: self.folder.algorithm(tree))
            }
        }
    }

    private func fetch(_ digest: Digest, _ kind: ArtifactKind, for run: RunKey, _ item: Item) async throws {
        defer { waiting[run] = nil }
        let progress = TransferProgress(item.action, at: elapsed())
        if kind == .file { waiting[run] = (item, [.blob(digest)], progress) }
        if try await !hold([digest], for: run).isEmpty { try await fetch(digest, for: run) }
        guard kind == .tree else { return }
        let manifest = try await cache.manifest(of: digest)
        let sizes = Dictionary(manifest.files.map { ($0.digest, $0.size) }, uniquingKeysWith: +)
        let missing = Set(try await hold(Array(sizes.keys), for: run))
        let files = sizes.filter { missing.contains($0.key) }
        let folder = TransferProgress(
            item.action,
            total: manifest.size,
            settled: files.values.reduce(manifest.size, -),
            at: elapsed()
        )
        waiting[run] = (item, Set(files.keys.map { .blob($0) }), folder)
        try await several(Array(files)) { file, size in
            try await self.fetch(file, for: run)
            await self.settle(file, size, for: run)
        }
    }

    private func fetch(_ digest: Digest, for run: RunKey) async throws {
        try await once(.blob(digest)) {
            try await self.turns { try await self.download(digest, for: run) }
        }
    }

    /// Brings or takes the files of a folder, several at a time. The first failure is thrown when those under way are done.
    private func several(
        _ files: [(key: Digest, value: Bytes)],
        _ transfer: @escaping @Sendable (Digest, Bytes) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (count, (file, size)) in files.enumerated() {
                if count >= Self.transfersOfFolderMax { try await group.next() }
                group.addTask { try await transfer(file, size) }
            }
            try await group.waitForAll()
        }
    }

    private func settle(_ file: Digest, _ size: Bytes, for run: RunKey) {
        waiting[run]?.progress.settle(file, size)
    }

    /// Tells every run that waits for a transfer how far it is.
    private func note(_ work: Work, at offset: Int64, received: Int64, of size: Bytes) async {
        for (run, its) in waiting where its.works.contains(work) {
            let text = waiting[run]?.progress
                .advance(work.digest, to: Bytes(offset), received: Bytes(received), of: size, at: elapsed())
            if let text { await its.item.tell(text) }
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
        let (upload, kept) = try await cache.resume(expected: digest, owner: "\(digest)", now: now())
        let position = Position(kept)
        defer {
            coming[.blob(digest)] = nil
            // Counted here too when it has broken off, or was counted before: rather too much than too little.
            grown = grown + Bytes(position.offset)
        }
        try await link.download(digest, for: run, from: kept) { [cache, elapsed] piece, size in
            if position.begins() { try await self.makeRoom(for: .blob(digest), size) }
            let offset = try await cache.append(upload, offset: position.offset, piece)
            guard let received = position.move(to: offset, at: elapsed()) else { return }
            await self.note(.blob(digest), at: offset, received: received, of: size)
        }
        let end = position.offset
        if let rest = position.move(to: end, at: nil) {
            await note(.blob(digest), at: end, received: rest, of: Bytes(end))
        }
        do {
            _ = try await cache.finish(upload, expected: digest)
            _ = try await cache.use([digest], at: now())
        } catch let failure as Failure where failure.code == .digestMismatch && kept > 0 {
            // What was kept is never flushed, so that a machine that crashed may have damaged it. It is gone now.
            try await download(digest, for: run)
        }
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
        releases += 1
        if isTrimming { lapsed.insert(run) } else { held[run] = nil }
    }

    func release(_ run: RunKey) {
        releases += 1
        algorithms[run] = nil
        left[run] = nil
    }

    func stop() async {
        let tasks = Array(underWay.values)
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
    }

    // MARK: Out

    /// Stores what a run left under the names that it declared, here and at the point.
    func collect(
        _ order: LeaseOrder,
        _ tell: @escaping @Sendable (String) async -> Void
    ) async throws -> StagedOutputs {
        let run = order.run
        lapsed.remove(run)
        defer {
            letGo(run)
            waiting[run] = nil
        }
        // A try after the first finds here what that one kept, unless it was evicted since.
        var outputs = left[run] ?? []
        if try await !hold(outputs.flatMap(\.blobs.keys), for: run).isEmpty { outputs = [] }
        if outputs.isEmpty {
            for name in order.spec.outputs {
                do {
                    guard let output = try await keep(name, of: run) else { return .missing(name) }
                    outputs.append(output)
                } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
                    return .unusable("the output '\(name)' cannot be kept: \(failure.detail)")
                }
            }
            grown = outputs.reduce(grown) { $1.blobs.values.reduce($0, +) }
            left[run] = outputs
        }
        for output in outputs {
            do {
                try await deliver(output, of: order, Item(action: "uploading \(output.artifact.name)", tell: tell))
            } catch let failure as Failure where !failure.isWorthARepeat {
                return .unusable("the point does not take the output '\(output.artifact.name)': \(failure.detail)")
            }
        }
        left[run] = nil
        return .complete(outputs.map(\.artifact))
    }

    /// Stores an output here; it is held for the run.
    /// - Returns: `nil` when nothing stands where it should be.
    private func keep(_ name: String, of run: RunKey) async throws -> Output? {
        let path = "\(folder.staging(run))/outputs/\(name)"
        switch try await kind(at: path) {
        case nil: return nil
        case .file:
            let blob = try await keep(for: run) {
                let blob = try await cache.put(file: path)
                return (blob, [blob.digest])
            }
            let artifact = Artifact(name: name, kind: .file, digest: blob.digest, size: blob.size)
            return Output(artifact: artifact, blobs: [blob.digest: blob.size])
        case .tree:
            let (artifact, manifest) = try await keep(for: run) {
                let tree = try await cache.packTree(path, name: name)
                return (tree, tree.1.files.map(\.digest) + [tree.0.digest])
            }
            var blobs = Dictionary(manifest.files.map { ($0.digest, $0.size) }) { first, _ in first }
            blobs[artifact.digest] = try await cache.size(of: artifact.digest) ?? 0
            return Output(artifact: artifact, blobs: blobs)
        }
    }

    /// Uploads what the point lacks of an output.
    private func deliver(_ output: Output, of order: LeaseOrder, _ item: Item) async throws {
        let digests = output.blobs.keys.sorted()
        var missing: Set<Digest> = []
        for start in stride(from: 0, to: digests.count, by: DigestList.countMax) {
            let some = Array(digests[start..<min(start + DigestList.countMax, digests.count)])
            missing.formUnion(try await link.missing(some, for: order.run))
        }
        let files = output.blobs.filter { missing.contains($0.key) }
        let total = output.blobs.values.reduce(0, +)
        let progress = TransferProgress(
            item.action,
            total: total,
            settled: files.values.reduce(total, -),
            at: elapsed()
        )
        waiting[order.run] = (item, Set(files.keys.map { .upload($0, order.project) }), progress)
        try await several(Array(files)) { digest, size in
            let work = Work.upload(digest, order.project)
            try await self.once(work) {
                try await self.turns { try await self.upload(digest, size, for: order.run, work) }
            }
            await self.settle(digest, size, for: order.run)
        }
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

    /// Goes on where an earlier try broke off, of this agent or one before, with this point or one before.
    private func upload(_ digest: Digest, _ size: Bytes, for run: RunKey, _ work: Work) async throws {
        let reader = try await cache.open(digest)
        var broken: (at: Int64, failure: Failure)?
        while true {
            let begun = try await link.beginUpload(for: run, expected: digest, size: size)
            // However often it breaks off: as long as it comes further there is no reason to wait.
            if let broken, begun.offset <= broken.at { throw broken.failure }
            broken = nil
            do {
                return try await upload(reader, to: begun, work)
            } catch let failure as Failure where failure.code == .digestMismatch && begun.offset > 0 {
                // What the point kept is never flushed, so that a machine that crashed may have damaged it. It is gone.
            } catch let failure as Failure where failure.code == .notFound {
                // Whether that is for good, the next try asks.
                throw Failure(.unavailable, "The point has no such upload any more.", note: failure.detail)
            } catch let failure as Failure where failure.isWorthARepeat {
                broken = (begun.offset, failure)
            } catch let failure as Failure where failure.code == .malformed {
                // It came too slowly, or not to its end: no fault of what was sent.
                broken = (begun.offset, Failure(.unavailable, failure.detail, note: failure.note))
            }
            try Task.checkCancellation()
        }
    }

    private func upload(_ reader: BlobReader, to begun: UploadView, _ work: Work) async throws {
        let size = reader.size
        if begun.offset < size.count {
            let position = Position(begun.offset)
            let rest = Departing(pieces: try reader.chunks(begun.offset..<size.count)) { [elapsed] offset in
                guard let sent = position.move(to: offset, at: elapsed()) else { return }
                await self.note(work, at: offset, received: sent, of: size)
            }
            _ = try await link.append(rest, count: size.count - begun.offset, to: begun.upload, at: begun.offset)
            if let sent = position.move(to: size.count, at: nil) {
                await note(work, at: size.count, received: sent, of: size)
            }
        }
        _ = try await link.finish(begun.upload)
    }
}

/// The rest of a blob on its way out. Whoever asks for the next piece has taken those before.
private struct Departing: AsyncSequence, Sendable {
    let pieces: BlobChunks
    /// Hears up to where the blob has been taken.
    let taken: @Sendable (Int64) async -> Void

    struct AsyncIterator: AsyncIteratorProtocol {
        var pieces: BlobChunks.AsyncIterator
        var offset: Int64
        let taken: @Sendable (Int64) async -> Void

        mutating func next() async throws -> ByteBuffer? {
            await taken(offset)
            let piece = try await pieces.next()
            offset += Int64(piece?.readableBytes ?? 0)
            return piece
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: pieces.makeAsyncIterator(), offset: pieces.range.lowerBound, taken: taken)
    }
}

/// How far a transfer has come. Used by one task at a time.
private final class Position: Sendable {
    private let state: Mutex<(offset: Int64, noted: Int64, notedAt: Duration?, hasBegun: Bool)>

    init(_ offset: Int64) { state = Mutex((offset, offset, nil, false)) }

    /// - Returns: Whether it is called for the first time.
    func begins() -> Bool {
        state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
    }

    var offset: Int64 { state.withLock { $0.offset } }

    /// - Parameter now: `nil` at the end.
    /// - Returns: What has arrived since this last returned something: not for every small piece.
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
