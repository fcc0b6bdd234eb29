internal import CSupervise
public import Core
internal import Glibc
public import Logging
internal import NIOPosix
internal import Synchronization

/// Runs processes of this machine, each run under a supervisor of its own that outlives us.
///
/// All truth is in files below one folder, so that the process that hosts the engine may be killed at any point and a
/// new engine on the same folder goes on. Several engines may even share the folder at once.
public final class LocalEngine: ChangeNotifying {
    public struct Configuration: Sendable {
        /// Absolute folder of the engine's own; made when it is not there.
        public var root: String
        /// Absolute path of the program that is called as `<executable> supervise <folder>`, and does nothing then
        /// but return `onepoint_supervise(folder)` of `CSupervise`.
        public var executable: String
        /// What the centre calls this machine.
        public var nodeName: String
        /// What may be offered; `nil` for all that is there.
        public var cores: MilliCores?
        public var memory: Bytes?
        /// Cards that do not exist, for trials.
        public var emulatedCards: [CardGroup]
        /// Whether the vendors' tools are asked for real cards.
        public var detectsCards: Bool
        /// The Python that environments are made with; `nil` for the system's or the first in PATH.
        public var python: String?
        /// Whether to sandbox where that works.
        public var sandboxes: Bool
        /// From the polite signal to the hard one at a time limit. A failed gang gets at most 5 s of it.
        public var stopGrace: Duration

        public init(
            root: String,
            executable: String,
            nodeName: String,
            cores: MilliCores? = nil,
            memory: Bytes? = nil,
            emulatedCards: [CardGroup] = [],
            detectsCards: Bool = true,
            python: String? = nil,
            sandboxes: Bool = true,
            stopGrace: Duration = .seconds(10)
        ) {
            self.root = root
            self.executable = executable
            self.nodeName = nodeName
            self.cores = cores
            self.memory = memory
            self.emulatedCards = emulatedCards
            self.detectsCards = detectsCards
            self.python = python
            self.sandboxes = sandboxes
            self.stopGrace = stopGrace
        }
    }

    let configuration: Configuration
    let node: Node
    let cards: [PhysicalCard]
    let sandbox: Sandbox?
    let log: Logger
    let state = Mutex(State())
    private let watch: ChangeWatch
    private let boot: String

    /// What need not be read from disk again. Losing it costs time only.
    struct State {
        var ended: [RunKey: EngineRun.State] = [:]
        var claims: [RunKey: RunFolder.Claim] = [:]
        var started: [RunKey: Instant] = [:]
        /// Released runs whose start is under way in this process, so that a look does not start them again.
        var starting: Set<RunKey> = []
        var interpreter: Interpreter??
        var measured: NodeMeasurement?
    }

    /// Opens or makes the engine's folder, and finds out what the machine has and whether it can sandbox.
    ///
    /// - Throws: ``EngineError/unreachable(_:)`` when the folder cannot be made or written.
    public init(_ configuration: Configuration, log: Logger) async throws(EngineError) {
        guard configuration.root.hasPrefix("/"), configuration.executable.hasPrefix("/") else {
            throw .refused("The folder and the executable of a local engine must be absolute paths.")
        }
        let configuration = configuration
        let found = try await blocking { () throws(EngineError) -> (Node, [PhysicalCard], Sandbox?) in
            do throws(Disk.Fault) {
                for folder in ["runs", "fences", "events", "environments"] {
                    try Disk.makeFolder("\(configuration.root)/\(folder)")
                }
                try Disk.touch("\(configuration.root)/events/changed")
            } catch {
                throw .unreachable("The folder \(configuration.root) cannot be made: \(error.sentence).")
            }
            for name in Disk.names(in: "\(configuration.root)/runs", hidden: true) ?? [] where name.hasPrefix(".gone-")
            {
                Disk.remove("\(configuration.root)/runs/\(name)")
            }
            let cards = PhysicalCard.all(
                detected: configuration.detectsCards ? CardDetection.detect() : [],
                emulated: configuration.emulatedCards
            )
            let node = Node(
                name: configuration.nodeName,
                cores: configuration.cores ?? Machine.cores(),
                memory: configuration.memory ?? Machine.memory(),
                cards: PhysicalCard.groups(cards)
            )
            return (node, cards, configuration.sandboxes ? Sandbox.probe() : nil)
        }
        self.configuration = configuration
        self.log = log
        (node, cards, sandbox) = found
        boot = Machine.boot()
        state.withLock { $0.measured = Self.rememberedMeasurement(root: configuration.root) }
        watch = ChangeWatch(folder: "\(configuration.root)/events")
        log.info(
            "local engine open",
            metadata: [
                "node": "\(node.name)", "cores": "\(node.cores)", "memory": "\(node.memory)",
                "cards": "\(cards.count)", "sandbox": "\(sandbox != nil)",
            ]
        )
    }

    public var kind: EngineKind { .local }

    /// Wakes when a run has started or ended. A hint only: ``list()`` has the facts. For one reader.
    public var changes: AsyncStream<Void> { watch.changes }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        var node = node
        node.measured = state.withLock { $0.measured }
        let version = "Linux \(Machine.release())"
        return CentreCapacity(engine: .local, engineVersion: version, nodes: [node], isolates: sandbox != nil)
    }

    public func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        try await blocking { () throws(EngineError) in try self.write(order) }
        return order.run.description
    }

    public func release(_ run: RunKey) async throws(EngineError) {
        try await blocking { () throws(EngineError) in try self.start(run) }
    }

    public func list() async throws(EngineError) -> [EngineRun] {
        try await blocking { () throws(EngineError) in try self.look() }
    }

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        try await blocking { () throws(EngineError) in try self.end(run, grace: grace) }
    }

    public func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        try await blocking { () throws(EngineError) in try self.takeBack(run) }
    }

    /// The most that one call of ``logs(_:task:from:countMax:)`` returns.
    public static let logBytesMax = 4 << 20

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await blocking { () throws(EngineError) in
            let folder = self.folder(run)
            guard Disk.exists(folder.file("order")) else { throw .unknownRun(run) }
            let count = min(countMax, Self.logBytesMax)
            return Disk.bytes(of: folder.file("log.\(task)"), from: offset, countMax: count) ?? []
        }
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        try await blocking { () throws(EngineError) in
            let folder = self.folder(run)
            guard Disk.exists(folder.file("order")) else {
                Disk.remove(folder.path)
                return
            }
            guard case .ended = self.look(at: run) else {
                throw .refused("The run \(run) has not ended; cancel it first.")
            }
            // Out of sight in one step; what is left of a crash after that is removed by the next engine.
            let gone = "\(self.configuration.root)/runs/.gone-\(run)"
            Disk.remove(gone)
            do throws(Disk.Fault) { try Disk.move(folder.path, to: gone) } catch {
                throw .unreachable("The run's folder cannot be removed: \(error.sentence).")
            }
            self.state.withLock {
                $0.ended[run] = nil
                $0.claims[run] = nil
                $0.started[run] = nil
            }
            Disk.remove(gone)
        }
    }

    func folder(_ run: RunKey) -> RunFolder { RunFolder(path: "\(configuration.root)/runs/\(run)") }

    /// Whether the claim's process lives on this boot of the machine.
    func isAlive(_ claim: RunFolder.Claim) -> Bool { claim.isAlive(boot: boot) }
}

/// Runs blocking work on threads that may block.
func blocking<T: Sendable>(
    _ body: @escaping @Sendable () throws(EngineError) -> T
) async throws(EngineError) -> T {
    let result: Result<T, EngineError>
    do {
        result = try await NIOThreadPool.singleton.runIfActive { () -> Result<T, EngineError> in
            do throws(EngineError) { return .success(try body()) } catch { return .failure(error) }
        }
    } catch {
        throw .unreachable("This process is shutting down.")
    }
    return try result.get()
}
