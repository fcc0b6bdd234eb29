public import Core

/// What a centre schedules with already, seen through one narrow door.
///
/// Every call is keyed by the run's name, and a repeat finds the first: callers may crash between any two lines and
/// simply call again. A driver never guesses: what it cannot know is ``EngineError/unreachable(_:)``, never an end.
public protocol Engine: Sendable {
    var kind: EngineKind { get }

    /// What the engine offers now. Cheap enough for every few seconds.
    func capacity() async throws(EngineError) -> CentreCapacity

    /// Looks at what the engine needs here, taking up to a minute; may run something small.
    func check() async -> [EngineCheck]

    /// Creates the run held: nothing of the user's starts before ``release(_:)``.
    ///
    /// - Returns: The engine's own name for it. The same for a repeat.
    func submit(_ order: EngineOrder) async throws(EngineError) -> String

    /// Lets a held run start. Harmless when it has started or ended.
    func release(_ run: RunKey) async throws(EngineError)

    /// Every run of ours that the engine knows, in one call.
    func list() async throws(EngineError) -> [EngineRun]

    /// Asks for the end of a run: a polite signal, then after `grace` a hard one. Harmless when it has ended, and
    /// enough to end a run that is still held. The end is seen in ``list()``.
    func cancel(_ run: RunKey, grace: Duration) async throws(EngineError)

    /// Takes back a run that has not started, so that it never does. What has started goes on, and so does what the engine
    /// starts at this very moment: one of the two comes first.
    ///
    /// - Returns: Whether it was taken back. Its end is seen in ``list()`` then.
    func withdraw(_ run: RunKey) async throws(EngineError) -> Bool

    /// Up to `countMax` bytes of what task `task` printed, from `offset`; empty at the end.
    func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8]

    /// Forgets an ended run and removes what it left on disk. Harmless when unknown.
    func forget(_ run: RunKey) async throws(EngineError)
}

/// What an engine is told to run.
public struct EngineOrder: Sendable, Hashable, Codable {
    public var run: RunKey
    /// Argument vector; `{algorithm}` stands for `algorithmFolder`.
    public var command: [String]
    /// Added to the environment that the engine makes.
    public var environment: [String: String]
    public var tasks: Int
    /// Per task.
    public var resources: TaskResources
    public var nodes: [NodeShare]
    public var timeLimitSeconds: Int
    public var isolation: Isolation
    /// Absolute folder of the algorithm's files, read-only to the run.
    public var algorithmFolder: String?
    /// Path inside `algorithmFolder` of a pip requirements file that the environment must satisfy.
    public var requirements: String?
    /// Absolute folder with the staged inputs, read-only to the run.
    public var inputsFolder: String
    /// Absolute folder that the run writes its outputs into.
    public var outputsFolder: String
    /// The job's parameters as JSON text.
    public var parameters: String

    public init(
        run: RunKey,
        command: [String],
        environment: [String: String],
        tasks: Int,
        resources: TaskResources,
        nodes: [NodeShare],
        timeLimitSeconds: Int,
        isolation: Isolation,
        algorithmFolder: String?,
        requirements: String?,
        inputsFolder: String,
        outputsFolder: String,
        parameters: String
    ) {
        self.run = run
        self.command = command
        self.environment = environment
        self.tasks = tasks
        self.resources = resources
        self.nodes = nodes
        self.timeLimitSeconds = timeLimitSeconds
        self.isolation = isolation
        self.algorithmFolder = algorithmFolder
        self.requirements = requirements
        self.inputsFolder = inputsFolder
        self.outputsFolder = outputsFolder
        self.parameters = parameters
    }
}

/// One run as the engine sees it.
public struct EngineRun: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        /// Created, not released.
        case held
        /// Released, waiting for the engine; in the engine's words.
        case pending(String?)
        case running(startedAt: Instant)
        case ended(RunOutcome, startedAt: Instant?, endedAt: Instant)
    }

    public var run: RunKey
    public var engineJob: String
    public var state: State
    /// Where its tasks run, where the engine chooses the nodes and tells; without their cards.
    public var nodes: [NodeShare]?

    public init(run: RunKey, engineJob: String, state: State, nodes: [NodeShare]? = nil) {
        self.run = run
        self.engineJob = engineJob
        self.state = state
        self.nodes = nodes
    }
}

/// What can go wrong between us and an engine.
public enum EngineError: Error, Sendable, Hashable {
    /// Nobody answered, or the answer proves nothing: the state of things is unknown.
    case unreachable(String)
    /// The engine will not take this run, and a repeat will not change that.
    case refused(String)
    /// The engine knows no such run.
    case unknownRun(RunKey)
}

/// An engine that others may use too, and that tells what they hold.
public protocol SharedEngine: Engine {
    /// What is in use and not by runs of ours, by node; nodes of which nothing is are left out. Cheap enough for every few
    /// seconds after ``Engine/capacity()``.
    func others() async throws(EngineError) -> [NodeUse]
}

/// An engine that rings when something about its runs may have changed, so that nobody need look often.
public protocol ChangeNotifying: Engine {
    /// One consumer; the newest ring is kept.
    var changes: AsyncStream<Void> { get }
}
