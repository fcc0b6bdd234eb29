public import Blobs
public import Core
import Crypto
public import Logging
import Scheduling
public import Store
import Synchronization
import Wire

/// The point: every service behind one door.
///
/// Each method checks the caller's rights itself, so that no entry can forget to, and throws ``Failure``. What a caller
/// may not know of is `.notFound`; a missing right on something visible is `.forbidden`.
public final class Point: Sendable {
    /// How the point treats time and numbers that an operator may want otherwise.
    public struct Settings: Sendable {
        /// A centre unheard of for this long is silent, and its runs are unseen.
        public var silenceAfter: Duration = .seconds(30)
        /// Between two looks at silence and at timers, when nothing rings.
        public var tick: Duration = .seconds(1)
        /// Between two cycles of a reconciler at least, however often it is rung.
        public var cyclePauseMin: Duration = .milliseconds(1)
        /// How long a join token lasts.
        public var joinTokenLifetime: Duration = .seconds(24 * 3600)
        /// Uploads whose last byte came longer ago are dropped.
        public var uploadLifetime: Duration = .seconds(7 * 24 * 3600)
        public var sessionLifetime: Duration = .seconds(12 * 3600)
        /// Waiting jobs of one project that a placement cycle looks at.
        public var queueWindow = 1000
        /// How bytes come from here to centres, where that is known.
        public var links: [CentreName: Link] = [:]
        /// With so many runs and waiting jobs in mind, a question is still answered as of this very moment. With more it
        /// is answered as of the latest cycle, and what was foretold first is not foretold anew.
        public var exactAnswersMax = 5000

        public init() {}
    }

    let store: EventStore
    let blobs: BlobStore
    let runLogs: LogStore
    /// The repository, where there is one.
    let revisions: (any RevisionSource)?
    let settings: Settings
    let now: @Sendable () -> Instant
    let runtime: any Runtime
    let log: Logger
    private let random: Mutex<any RandomNumberGenerator & Sendable>

    /// Rings when the queue, a centre or a project changed, so that placing may find something new.
    let placeBell = Bell()
    /// Rings after every commit that appended events, whoever made it.
    let eventBell: Bell
    /// Rings when a log grew or a run ended.
    let logBell = Bell()
    /// Rings when an agent may have something new to be told.
    let orderBell = Bell()
    let sight: Sight
    let shared = SharedCentres()
    /// What the latest placement cycle said of the jobs that it left waiting.
    let waiting = Mutex<WaitingReasons>(WaitingReasons())
    /// Where runs were preempted to make room, until the job they made room for is placed.
    let claims = Mutex<[JobID: CentreName]>([:])
    /// Where jobs go whose runs are moved, until they are placed again.
    let moves = Mutex<[JobID: Snapshot.Move]>([:])
    /// Until when nothing becomes due at a silent centre, so that silence of days does not cost a look at every run.
    let quiet = Mutex<[CentreName: Quiet]>([:])
    let live = Mutex(LiveRuns())
    /// What placing looks at, kept up to date from the log.
    let living: Mutex<LiveState>
    /// What plans have found out about centres.
    let terrain = Mutex(Terrain())
    /// The latest decision about everything that waits.
    let latest = Mutex<LatestDecision?>(nil)
    /// Of which revision, and when, other nodes were looked for the last time; `nil` while no reservation lacks any.
    let searched = Mutex<(revision: UInt64, at: Instant)?>(nil)
    let usageMemory = UsageMemory()
    let runTimes = RunTimes()
    let foresight = Foresight()
    let whereabouts = Whereabouts()
    let feasibilityCentres = Remembered<[Snapshot.Centre]>()
    /// Who may speak as a centre's agent.
    let agents = Remembered<[AgentID: AgentCredential]>()
    let planning: Workbench
    /// Apart from planning, so that many who ask why do not hold it up; and one at a time, so that they hold up nobody.
    let explaining: Workbench
    let counters = Counters()

    /// - Parameter eventBell: Of all who write into this log.
    public init(
        store: EventStore,
        blobs: BlobStore,
        logs: LogStore,
        revisions: (any RevisionSource)? = nil,
        eventBell: Bell = Bell(),
        settings: Settings = Settings(),
        now: @escaping @Sendable () -> Instant,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        runtime: any Runtime = SystemRuntime(),
        log: Logger
    ) {
        self.store = store
        self.blobs = blobs
        runLogs = logs
        self.revisions = revisions
        self.eventBell = eventBell
        self.settings = settings
        self.now = now
        self.random = Mutex(random)
        self.runtime = runtime
        planning = Workbench("onepoint.jobs.plan", runtime)
        explaining = Workbench("onepoint.jobs.explain", runtime)
        self.log = log
        living = Mutex(LiveState(window: settings.queueWindow))
        sight = Sight(startedAt: now())
    }

    /// A new identifier.
    func makeID<Tag>(_: ID<Tag>.Type = ID<Tag>.self) -> ID<Tag> {
        random.withLock { ID(now: now(), using: &$0) }
    }

    /// 256 random bits as text, and the hash that is kept of them.
    func makeSecret() -> (text: String, hash: Core.Digest) {
        let words = random.withLock { generator in (0..<4).map { _ in generator.next() } }
        let text = JobID(high: words[0], low: words[1]).base32 + JobID(high: words[2], low: words[3]).base32
        return (text, Self.hash(secret: text))
    }

    static func hash(secret: String) -> Core.Digest { sha256(secret.utf8) }

    static func sha256(_ bytes: some Sequence<UInt8>) -> Core.Digest {
        guard let digest = Core.Digest(bytes: Array(SHA256.hash(data: Array(bytes)))) else {
            preconditionFailure("SHA-256 makes 32 bytes")
        }
        return digest
    }

    /// Writes in one transaction and wakes whoever waits for events.
    func write<Result: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Result
    ) async throws -> Result {
        let result = try await store.write(body)
        eventBell.ring()
        return result
    }
}

/// Who causes an event, as the log names them.
enum Actor {
    static func user(_ caller: Principal) -> String { "user/\(caller.user)" }
    static func agent(_ agent: AgentPrincipal) -> String { "agent/\(agent.centre)" }
    static let point = "point"
}
