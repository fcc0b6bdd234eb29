import Blobs
import Core
import Crypto
import Engines
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing
import Wire

@testable import Agent

/// File threads of all tests.
let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 4)
    pool.start()
    return pool
}()

func digest(of bytes: some Sequence<UInt8>) -> Core.Digest {
    guard let digest = Core.Digest(bytes: Array(SHA256.hash(data: Array(bytes)))) else {
        preconditionFailure("SHA-256 makes 32 bytes")
    }
    return digest
}

/// SplitMix64. Source: https://prng.di.unimi.it/splitmix64.c
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    /// The seed from the environment, or a new one, printed so that a failure can be repeated.
    static func seed(_ test: String) -> UInt64 {
        let given = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0 ... .max)
        print("\(test): ONEPOINT_TEST_SEED=\(seed)")
        return seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Kills the agent at its n-th call to the outside: before the call is made, or after, when its answer is lost.
final class Fuse: Sendable {
    private struct State {
        var calls = 0
        var at: Int?
        var isBlown = false
    }

    private let state = Mutex(State())
    let blown = Bell()

    /// Two places for each call: before and after.
    func set(at place: Int?) { state.withLock { $0 = State(at: place) } }

    var isBlown: Bool { state.withLock { $0.isBlown } }

    /// Throws once the fuse has blown: nothing that the dead agent does reaches anybody.
    func pass() throws {
        let blowsNow = try state.withLock { state in
            if state.isBlown { throw CancellationError() }
            state.calls += 1
            state.isBlown = state.calls == state.at
            return state.isBlown
        }
        if blowsNow {
            blown.ring()
            throw CancellationError()
        }
    }
}

/// A point in memory that keeps to the rules of the real one, and loses, delays and repeats calls as its test likes.
final class StubPoint: PointLink, BlobLink {
    struct Entry {
        var order: LeaseOrder
        var accepted = false
        var stop: StopReason?
        var end: RunObservation?
        var isGivenUp = false
        /// What it said last that it waits for.
        var waiting: String?
        var isTerminal: Bool { end != nil || isGivenUp }
        var logs: [Int: [UInt8]] = [:]
        var sealed: Set<Int> = []
    }

    struct State {
        var runs: [RunKey: Entry] = [:]
        var blobs: [Core.Digest: [UInt8]] = [:]
        /// What the runs' project may read.
        var granted: Set<Core.Digest> = []
        var uploads: [UploadID: (digest: Core.Digest, bytes: [UInt8])] = [:]
        var uploadsBegun = 0
        /// Bytes that came, also those of appends that were refused.
        var uploadedBytes = 0
        /// Pieces that uploads may still bring before the point is out of reach of them.
        var uploadPiecesLeft = Int.max
        /// Then they stand still instead.
        var stallsUploads = false
        /// Of every download, where it began.
        var downloads: [Core.Digest: [Int64]] = [:]
        /// Breaks every download off after so many bytes of it.
        var downloadBytesMax = Int.max
        /// Breaks every download off before its next piece.
        var breaksDownloads = false
        /// Called before every piece of a download.
        var beforePiece: (@Sendable () -> Void)?
        /// Pieces that downloads may still hand out before they stand still.
        var downloadPiecesLeft = Int.max
        /// Handed out instead of a blob's bytes.
        var damaged: [UInt8]?
        var exchanges = 0
        /// Of every exchange.
        var strays: [[RunKey]?] = []
        /// Bytes of logs that were sent although they were here.
        var logBytesRepeated = 0
        var isDown = false
        /// Every so manyth call is lost before or after its work, in thousandths.
        var loss = 0
        var generator = SeededGenerator(1)
        var capacity: CentreCapacity?
        /// All that was said of what others hold.
        var others: [[NodeUse]] = []
        /// Where runs were said to stand.
        var nodes: [RunKey: [NodeShare]] = [:]
        var faults: [String] = []
        /// Makes downloads for this run fail as the point does for a run that it has given up.
        var refusesDownloads: RunKey?
    }

    private let state = Mutex(State())
    let bell = Bell()
    let fuse = Fuse()

    func with<T: Sendable>(_ body: (inout State) throws -> T) rethrows -> T {
        defer { bell.ring() }
        return try state.withLock { try body(&$0) }
    }

    func entry(_ run: RunKey) -> Entry? { state.withLock { $0.runs[run] } }

    private static let unreachable = Failure(.unavailable, "The point cannot be reached.")
    private static let notLive = Failure(.notFound, "There is no live run of that name.")

    /// A call: it may be lost on its way there or on its way back, and the agent may die beside it.
    private func call<T: Sendable>(_ work: (inout State) throws -> T) throws -> T {
        try fuse.pass()
        let (isLostThere, isLostBack, isTwice) = state.withLock { state in
            func isHit() -> Bool { Int.random(in: 0..<1000, using: &state.generator) < state.loss }
            return (isHit() || state.isDown, isHit(), isHit())
        }
        if isLostThere { throw Self.unreachable }
        if isTwice { _ = try? with(work) }
        let value = try with(work)
        if isLostBack { throw Self.unreachable }
        try fuse.pass()
        return value
    }

    func exchange(_ request: ExchangeRequest) async throws -> ExchangeResponse {
        let deadline = ContinuousClock.now + .milliseconds(request.waitMilliseconds)
        state.withLock {
            $0.exchanges += 1
            $0.strays.append(request.strays)
        }
        var request = request
        while true {
            let rings = bell.rings
            let asked = request
            let response = try call { try Self.answer(asked, &$0) }
            let saysSomething =
                !response.leases.isEmpty || !response.stops.isEmpty || !response.acknowledged.isEmpty
                || !response.settled.isEmpty
            let left = deadline - ContinuousClock.now
            if saysSomething || left <= .zero { return response }
            request.reports = []
            await bell.wait(beyond: rings + 1, atMost: left)
            try Task.checkCancellation()
        }
    }

    private static func answer(_ request: ExchangeRequest, _ state: inout State) throws -> ExchangeResponse {
        state.capacity = request.capacity ?? state.capacity
        if let others = request.others { state.others.append(others) }
        var response = ExchangeResponse(leases: [], stops: [], acknowledged: [], settled: [], at: request.at)
        for report in request.reports {
            guard var entry = state.runs[report.run] else { continue }
            response.acknowledged.append(.init(run: report.run, version: report.version))
            guard !entry.isTerminal else { continue }
            entry.accepted = true
            entry.waiting = report.observation.waiting
            if let nodes = report.observation.nodes { state.nodes[report.run] = nodes }
            if report.observation.phase == .ended {
                if report.observation.outcome == nil { state.faults.append("\(report.run) ended without an outcome") }
                entry.end = report.observation
            }
            state.runs[report.run] = entry
        }
        for (run, entry) in state.runs.sorted(by: { $0.key < $1.key }) {
            let isHeld = request.holds.contains(run)
            let isStray = request.strays?.contains(run) == true
            if isStray || !entry.isTerminal && !entry.accepted, !isHeld { response.leases.append(entry.order) }
            if let stop = entry.stop, isHeld || !entry.isTerminal, entry.end == nil {
                response.stops.append(.init(run: run, reason: stop, graceSeconds: 0))
            }
            if entry.isTerminal, isHeld || isStray { response.settled.append(run) }
        }
        return response
    }

    func download(
        _ digest: Core.Digest,
        for run: RunKey,
        from offset: Int64,
        _ body: @Sendable (ByteBuffer, Bytes) async throws -> Void
    ) async throws {
        let (bytes, bytesMax) = try call { state in
            guard state.runs[run]?.isTerminal == false, state.refusesDownloads != run, let bytes = state.blobs[digest]
            else { throw Self.notLive }
            state.downloads[digest, default: []].append(offset)
            return (state.damaged ?? bytes, state.downloadBytesMax)
        }
        let end = Int(offset) + min(bytes.count - Int(offset), bytesMax)
        for start in stride(from: Int(offset), to: end, by: 1 << 16) {
            if state.withLock({ $0.breaksDownloads }) { throw Self.unreachable }
            state.withLock { $0.beforePiece }?()
            try await body(ByteBuffer(bytes: bytes[start..<min(start + 1 << 16, end)]), Bytes(Int64(bytes.count)))
            try fuse.pass()
            while state.withLock({ $0.downloadPiecesLeft <= 0 }) {
                await bell.wait(beyond: bell.rings, atMost: .milliseconds(5))
                try Task.checkCancellation()
            }
            state.withLock { $0.downloadPiecesLeft -= 1 }
        }
        if end < bytes.count { throw Self.unreachable }
    }

    private static func requireLive(_ run: RunKey, _ state: State) throws {
        guard state.runs[run]?.isTerminal == false else { throw notLive }
    }

    func missing(_ digests: [Core.Digest], for run: RunKey) async throws -> [Core.Digest] {
        try call { state in
            try Self.requireLive(run, state)
            return digests.filter { !state.granted.contains($0) }
        }
    }

    func beginUpload(for run: RunKey, expected: Core.Digest, size: Bytes) async throws -> UploadView {
        try call { state in
            try Self.requireLive(run, state)
            if let open = state.uploads.first(where: { $0.value.digest == expected }) {
                return UploadView(upload: open.key, offset: Int64(open.value.bytes.count))
            }
            state.uploadsBegun += 1
            let id = UploadID(high: 1, low: UInt64(state.uploadsBegun))
            state.uploads[id] = (expected, [])
            return UploadView(upload: id, offset: 0)
        }
    }

    func append<Stream: AsyncSequence & Sendable>(
        _ stream: Stream,
        count: Int64,
        to upload: UploadID,
        at offset: Int64
    ) async throws -> UploadView where Stream.Element == ByteBuffer {
        var view = UploadView(upload: upload, offset: offset)
        for try await piece in stream { view = try await append(piece, to: upload, at: view.offset) }
        return view
    }

    private func append(_ bytes: ByteBuffer, to upload: UploadID, at offset: Int64) async throws -> UploadView {
        while state.withLock({ $0.stallsUploads && $0.uploadPiecesLeft <= 0 }) {
            await bell.wait(beyond: bell.rings, atMost: .milliseconds(5))
            try Task.checkCancellation()
        }
        return try call { state in
            guard var under = state.uploads[upload] else { throw Failure(.notFound, "There is no such upload.") }
            guard state.uploadPiecesLeft > 0 else { throw Self.unreachable }
            state.uploadPiecesLeft -= 1
            state.uploadedBytes += bytes.readableBytes
            guard Int64(under.bytes.count) == offset else {
                throw Failure(.preconditionFailed, "The upload stands at \(under.bytes.count), not at \(offset).")
            }
            under.bytes += bytes.readableBytesView
            state.uploads[upload] = under
            return UploadView(upload: upload, offset: Int64(under.bytes.count))
        }
    }

    func finish(_ upload: UploadID) async throws -> BlobView {
        try call { state in
            guard let under = state.uploads.removeValue(forKey: upload) else {
                throw Failure(.notFound, "There is no such upload.")
            }
            guard digest(of: under.bytes) == under.digest else {
                throw Failure(.digestMismatch, "The bytes that came are not \(under.digest).")
            }
            state.blobs[under.digest] = under.bytes
            state.granted.insert(under.digest)
            return BlobView(digest: under.digest, size: Bytes(Int64(under.bytes.count)))
        }
    }

    func appendLog(_ run: RunKey, task: Int, offset: Int64, _ bytes: [UInt8], complete: Bool) async throws -> Int64 {
        try call { state in
            guard var entry = state.runs[run] else { throw Self.notLive }
            var log = entry.logs[task] ?? []
            if bytes.isEmpty && !complete { return Int64(log.count) }
            guard offset <= Int64(log.count) else { return Int64(log.count) }
            let known = min(log.count - Int(offset), bytes.count)
            if Array(log[Int(offset)..<Int(offset) + known]) != Array(bytes[..<known]) {
                state.faults.append("the log of \(run) was sent twice, and not the same")
            }
            state.logBytesRepeated += known
            log += bytes[known...]
            entry.logs[task] = log
            let end = offset + Int64(bytes.count)
            if complete, end == Int64(log.count) { entry.sealed.insert(task) }
            state.runs[run] = entry
            return end
        }
    }
}

/// One centre's folder and engine, a point, and an agent between them that can be killed and started anew.
final class Site: Sendable {
    let path: String
    let point = StubPoint()
    let engine: WatchedEngine
    private let life = Mutex<Task<Void, any Error>?>(nil)

    init(
        output: String? = nil,
        files: Int = 0,
        program: @escaping @Sendable (EngineOrder) -> FakeEngine.Program = { _ in .init() }
    ) {
        var template = Array("/tmp/onepoint-agent-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } ?? "" }
        engine = WatchedEngine(FakeEngine(program: program), point, output: output, files: files)
    }

    deinit {
        var child = pid_t()
        let empty: [UnsafeMutablePointer<CChar>?] = [nil]
        let words: [UnsafeMutablePointer<CChar>?] =
            ["/bin/rm", "-rf", path].map { (word: String) in strdup(word) } + empty
        if posix_spawn(&child, "/bin/rm", nil, nil, words, empty) == 0 { waitpid(child, nil, 0) }
        for word in words { free(word) }
    }

    var fake: FakeEngine { engine.fake }

    static var pace: Agent.Pace {
        var pace = Agent.Pace()
        pace.exchangeWait = .milliseconds(100)
        pace.lookPeriod = .milliseconds(3)
        pace.absenceMin = .milliseconds(30)
        pace.capacityPeriod = .milliseconds(20)
        pace.trimPeriod = .milliseconds(3)
        pace.logPeriod = .milliseconds(3)
        pace.retryMin = .milliseconds(1)
        pace.retryMax = .milliseconds(5)
        return pace
    }

    @discardableResult
    func start(
        _ pace: Agent.Pace = Site.pace,
        cacheMax: Bytes? = nil,
        elapsed: @escaping @Sendable () -> Duration = { SystemRuntime().elapsed }
    ) async throws -> Agent {
        let folder = try AgentFolder(root: path, threads: pool)
        let cache = try await BlobStore.open(root: folder.cachePath, threads: pool)
        guard let centre = CentreName("hub-1") else { preconditionFailure("a valid name") }
        let now: @Sendable () -> Instant = { [fake] in fake.now }
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let agent = Agent(
            identity: AgentIdentity(point: "stub", centre: centre, agent: AgentID(high: 1, low: 1), key: ""),
            disk: folder,
            staging: Staging(
                folder: folder,
                cache: cache,
                link: point,
                cacheMax: cacheMax,
                now: now,
                elapsed: elapsed,
                log: log
            ),
            engine: engine,
            link: point,
            pace: pace,
            now: now,
            runtime: SystemRuntime(),
            log: log
        )
        // Ended by `kill`.
        let task = Task { try await agent.run() }
        life.withLock { $0 = task }
        return agent
    }

    /// Ends the agent wherever it is, and waits until nothing of it moves.
    func kill() async {
        let task = life.withLock { $0.take() }
        task?.cancel()
        _ = await task?.result
        point.fuse.set(at: nil)
    }

    /// Waits for a level, looking again whenever anything was said to the point.
    func wait(
        _ what: String,
        atMost limit: Duration = .seconds(240),
        sourceLocation: SourceLocation = #_sourceLocation,
        until isReached: () -> Bool
    ) async {
        let deadline = ContinuousClock.now + limit
        while !isReached() {
            guard ContinuousClock.now < deadline else {
                let seen = point.with { state in
                    state.runs.map { "\($0.key): \($0.value.end?.outcome?.kind.rawValue ?? "no end")" }
                }
                Issue.record("\(what): \(seen), calls \(fake.calls.suffix(10))", sourceLocation: sourceLocation)
                return
            }
            await point.bell.wait(beyond: point.bell.rings, atMost: .milliseconds(5))
        }
    }

    /// A lease that the point offers from now on.
    @discardableResult
    func lease(
        _ job: UInt64 = 1,
        number: Int = 1,
        inputs: [LeaseOrder.Input] = [],
        change: (inout JobSpec) -> Void = { _ in }
    ) -> RunKey {
        let run = RunKey(job: JobID(high: 1, low: job), number: number)
        var spec = JobSpec(name: "work", command: ["true"])
        change(&spec)
        guard let project = ProjectName("brain") else { preconditionFailure("a valid name") }
        let order = LeaseOrder(
            run: run,
            project: project,
            spec: spec,
            nodes: [NodeShare(node: "fake-1", tasks: spec.tasks)],
            arrayIndex: nil,
            arrayCount: nil,
            inputs: inputs
        )
        point.with { $0.runs[run] = .init(order: order) }
        return run
    }

    /// A lease that a former life of the agent has accepted.
    func accepted(_ run: RunKey) async throws {
        guard let order = point.entry(run)?.order else { preconditionFailure("lease the run first") }
        try await AgentFolder(root: path, threads: pool).save(AgentRecord(order: order))
    }

    /// Bytes that the point has and the project may read.
    func blob(_ text: String) -> Core.Digest {
        let digest = digest(of: text.utf8)
        point.with {
            $0.blobs[digest] = Array(text.utf8)
            $0.granted.insert(digest)
        }
        return digest
    }

    func outcome(_ run: RunKey) -> RunOutcome.Kind? { point.entry(run)?.end?.outcome?.kind }

    func hasCached(_ digest: Core.Digest) -> Bool {
        access("\(path)/cache/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)", F_OK) == 0
    }

    /// Bytes of blobs, of what is on its way and of algorithms; too few rather than too many while files move.
    var cachedBytes: Int {
        var sum = 0
        for folder in ["algorithms", "cache/blobs", "cache/uploads"].map({ "\(path)/\($0)" }) {
            for name in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] {
                var about = stat()
                let isCounted = !name.hasSuffix("/meta") && lstat("\(folder)/\(name)", &about) == 0
                if isCounted, about.st_mode & S_IFMT == S_IFREG { sum += Int(about.st_size) }
            }
        }
        return sum
    }

    /// Names in a folder below the root.
    func names(_ folder: String) -> [String] {
        guard let handle = opendir("\(path)/\(folder)") else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// Waits until nothing of any run is left on disk and at the engine.
    func waitForgotten(sourceLocation: SourceLocation = #_sourceLocation) async {
        await wait("everything is forgotten", sourceLocation: sourceLocation) {
            names("runs").isEmpty && names("staging").isEmpty
        }
        let faults = point.with { $0.faults }
        #expect(faults.isEmpty, sourceLocation: sourceLocation)
    }
}
