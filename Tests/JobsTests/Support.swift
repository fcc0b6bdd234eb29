import Blobs
import Core
import Crypto
import Glibc
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization
import Testing
import Wire

@testable import Jobs

/// File threads of all tests.
let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 4)
    pool.start()
    return pool
}()

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

/// A clock that only tests move.
final class ManualClock: Sendable {
    private let value = Mutex(Instant(milliseconds: 1_790_000_000_000))

    var now: Instant { value.withLock { $0 } }
    func advance(_ duration: Duration) { value.withLock { $0 = $0 + duration } }
}

extension Name {
    static func named(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("'\(text)' is no name") }
        return name
    }
}

/// Bytes as a stream of one piece.
func stream(_ text: String) -> AsyncStream<ByteBuffer> {
    AsyncStream { continuation in
        continuation.yield(ByteBuffer(string: text))
        continuation.finish()
    }
}

func digest(of text: String) -> Core.Digest {
    guard let digest = Core.Digest(bytes: Array(SHA256.hash(data: Array(text.utf8)))) else {
        preconditionFailure("SHA-256 makes 32 bytes")
    }
    return digest
}

/// A point on real stores in a folder of its own, a clock that stands still, and people who use it.
final class Bench: Sendable {
    let path: String
    let clock: ManualClock
    private let held: Mutex<Point>
    let root = Principal(
        user: .named("root"),
        isOperator: true,
        scopes: Set(Token.Scope.allCases),
        project: nil
    )
    let alice = Bench.person("alice")
    let bob = Bench.person("bob")
    let eve = Bench.person("eve")
    let brain = ProjectName.named("brain")

    static func person(_ name: String) -> Principal {
        Principal(user: .named(name), isOperator: false, scopes: Set(Token.Scope.allCases), project: nil)
    }

    var point: Point { held.withLock { $0 } }

    private init(path: String, _ clock: ManualClock, _ point: Point) {
        (self.path, self.clock) = (path, clock)
        held = Mutex(point)
    }

    deinit {
        var child = pid_t()
        let empty: [UnsafeMutablePointer<CChar>?] = [nil]
        let words: [UnsafeMutablePointer<CChar>?] =
            ["/bin/rm", "-rf", path].map { (word: String) in strdup(word) } + empty
        if posix_spawn(&child, "/bin/rm", nil, nil, words, empty) == 0 { waitpid(child, nil, 0) }
        for word in words { free(word) }
    }

    /// Root is the operator; project `brain` has alice (owner), bob (viewer); eve is in `other`.
    static func make(_ change: (inout Point.Settings) -> Void = { _ in }) async throws -> Bench {
        var template = Array("/tmp/onepoint-jobs-XXXXXX".utf8CString)
        let path = template.withUnsafeMutableBufferPointer {
            mkdtemp($0.baseAddress!).map { String(cString: $0) } ?? ""
        }
        var settings = Point.Settings()
        change(&settings)
        let clock = ManualClock()
        let bench = Bench(path: path, clock, try await open(path, settings, clock))
        _ = try await bench.point.bootstrap(operator: bench.root.user, project: bench.brain)
        let other = Project(name: .named("other"))
        _ = try await bench.point.createProject(other, bench.root)
        for (person, project, role) in [
            (bench.alice, bench.brain, Role.owner), (bench.bob, bench.brain, .viewer), (bench.eve, other.name, .owner),
        ] {
            _ = try await bench.point.createUser(User(name: person.user, isOperator: false), bench.root)
            _ = try await bench.point.setMember(
                Membership(project: project, user: person.user, role: role),
                bench.root
            )
        }
        return bench
    }

    private static func open(
        _ path: String,
        _ settings: Point.Settings,
        _ clock: ManualClock
    ) async throws -> Point {
        Point(
            store: try await EventStore.open(.init(path: path + "/db", readers: 2)),
            blobs: try await BlobStore.open(root: path + "/blobs", threads: pool),
            logs: try await LogStore.open(root: path + "/blobs", threads: pool),
            settings: settings,
            now: { clock.now },
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Ends the point and begins it anew on the same folder.
    @discardableResult
    func reopen(_ settings: Point.Settings? = nil) async throws -> Point {
        try await point.close()
        let fresh = try await Self.open(path, settings ?? point.settings, clock)
        held.withLock { $0 = fresh }
        return fresh
    }

    // MARK: Words of tests

    func submit(
        _ document: String,
        project: String = "brain",
        key: String? = nil,
        as caller: Principal? = nil
    ) async throws -> SubmissionView {
        try await point.submit(
            JSON(parsing: document.utf8),
            project: .named(project),
            idempotencyKey: key,
            caller ?? alice
        )
    }

    /// Submits one job with these further members.
    func submitJob(
        _ name: String = "work",
        _ more: String = "",
        project: String = "brain",
        as caller: Principal? = nil
    ) async throws -> JobID {
        let rest = more.isEmpty ? "" : ", " + more
        return try #require(
            try await submit(
                #"{"name": "\#(name)", "command": ["true"]\#(rest)}"#,
                project: project,
                as: caller
            ).job
        )
    }

    /// A centre with an agent that the test speaks for.
    func centre(
        _ name: String = "hub-1",
        tier: Tier = .hub,
        cores: Int64 = 8000,
        cards: [CardGroup] = [],
        nodes: Int = 1,
        prices: PriceTable = PriceTable()
    ) async throws -> HandAgent {
        let join = try await point.createCentre(.named(name), tier: tier, prices: prices, root)
        return try await self.join(join.token, cores: cores, cards: cards, nodes: nodes)
    }

    func join(
        _ token: String,
        cores: Int64 = 8000,
        cards: [CardGroup] = [],
        nodes: Int = 1
    ) async throws -> HandAgent {
        let answer = try await point.join(JoinRequest(token: token))
        let made = (1...nodes).map {
            Node(name: "n\($0)", cores: MilliCores(cores), memory: .gibi(64), cards: cards)
        }
        let agent = HandAgent(
            bench: self,
            principal: AgentPrincipal(centre: answer.centre, agent: answer.agent),
            key: answer.key,
            capacity: CentreCapacity(engine: .fake, engineVersion: "1", nodes: made, isolates: false)
        )
        _ = try await agent.exchange()
        return agent
    }

    func state(_ job: JobID) async throws -> JobState { try await point.job(job, root).summary.state }

    func run(_ job: JobID, _ number: Int = 1) async throws -> Run {
        let run = try await point.store.read { try $0.run(RunKey(job: job, number: number)) }
        return try #require(run)
    }

    func balance(_ account: Account) async throws -> Int64 {
        try await point.store.read { try $0.balance(account).count }
    }

    /// Uploads a text and says its digest.
    func upload(_ text: String, project: ProjectName? = nil, as caller: Principal? = nil) async throws -> Core.Digest {
        let caller = caller ?? alice
        let size = Bytes(Int64(text.utf8.count))
        let view = try await point.beginUpload(
            project: project ?? brain,
            expected: digest(of: text),
            size: size,
            caller
        )
        _ = try await point.appendUpload(view.upload, offset: 0, stream(text), caller)
        return try await point.finishUpload(view.upload, caller).digest
    }
}

/// An agent played by hand: it holds what it was told to hold and says what it is told to say.
final class HandAgent: Sendable {
    let bench: Bench
    let principal: AgentPrincipal
    let key: String
    let seat: String
    private let reported: Mutex<CentreCapacity>
    private let state = Mutex<(holds: Set<RunKey>, strays: Set<RunKey>?, version: Int)>(([], [], 0))
    private let told = Mutex<[NodeUse]?>(nil)

    init(bench: Bench, principal: AgentPrincipal, key: String, seat: String = "here", capacity: CentreCapacity) {
        (self.bench, self.principal, self.key) = (bench, principal, key)
        reported = Mutex(capacity)
        self.seat = seat
    }

    /// A process that got a copy of this one's folder.
    func copy() -> HandAgent {
        let copy = HandAgent(bench: bench, principal: principal, key: key, seat: "elsewhere", capacity: capacity)
        copy.holds = holds
        return copy
    }

    /// What it says next that its centre has.
    var capacity: CentreCapacity {
        get { reported.withLock { $0 } }
        set { reported.withLock { $0 = newValue } }
    }

    var holds: Set<RunKey> {
        get { state.withLock { $0.holds } }
        set { state.withLock { $0.holds = newValue } }
    }

    var strays: Set<RunKey>? {
        get { state.withLock { $0.strays } }
        set { state.withLock { $0.strays = newValue } }
    }

    /// What it says that others hold, once.
    func tell(_ others: [NodeUse]) async throws {
        told.withLock { $0 = others }
        try await exchange()
    }

    /// One exchange; leases are told of and not taken.
    @discardableResult
    func exchange(_ reports: [RunKey: RunObservation] = [:], wait: Int = 0) async throws -> ExchangeResponse {
        let (holds, strays, version) = state.withLock { state in
            state.version += 1
            return (state.holds, state.strays, state.version)
        }
        return try await bench.point.exchange(
            ExchangeRequest(
                agent: principal.agent,
                seat: seat,
                at: bench.clock.now,
                capacity: capacity,
                others: told.withLock { others in
                    defer { others = nil }
                    return others
                },
                reports: reports.map { .init(run: $0.key, version: version, observation: $0.value) },
                holds: Array(holds),
                strays: strays.map(Array.init),
                waitMilliseconds: wait
            ),
            principal
        )
    }

    /// Takes every lease on offer and says so; returns the orders.
    @discardableResult
    func accept() async throws -> [LeaseOrder] {
        let orders = try await exchange().leases
        holds.formUnion(orders.map(\.run))
        try await report(orders.map(\.run), RunObservation(phase: .submitting))
        return orders
    }

    @discardableResult
    func report(_ runs: [RunKey], _ observation: RunObservation) async throws -> ExchangeResponse {
        try await exchange(Dictionary(uniqueKeysWithValues: runs.map { ($0, observation) }))
    }

    /// Accepts and starts everything on offer.
    @discardableResult
    func start() async throws -> [RunKey] {
        let runs = try await accept().map(\.run)
        try await report(runs, .running(at: bench.clock.now))
        return runs
    }

    @discardableResult
    func end(
        _ run: RunKey,
        _ kind: RunOutcome.Kind = .succeeded,
        code: Int? = nil,
        artifacts: [Artifact] = []
    ) async throws -> ExchangeResponse {
        let response = try await exchange([
            run: RunObservation(
                phase: .ended,
                engineJob: "e-1",
                endedAt: bench.clock.now,
                outcome: RunOutcome(kind, code: code),
                artifacts: artifacts
            )
        ])
        return response
    }
}

extension RunObservation {
    static func running(at instant: Instant) -> RunObservation {
        RunObservation(phase: .running, engineJob: "e-1", startedAt: instant)
    }
}

/// Expects a failure of that code, and returns it.
@discardableResult
func expectFailure(
    _ code: Failure.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> some Any
) async -> Failure? {
    do {
        let value = try await body()
        Issue.record("expected \(code), got \(value)", sourceLocation: sourceLocation)
        return nil
    } catch let failure as Failure {
        #expect(failure.code == code, "\(failure.detail)", sourceLocation: sourceLocation)
        return failure
    } catch {
        Issue.record("expected \(code), got \(error)", sourceLocation: sourceLocation)
        return nil
    }
}
