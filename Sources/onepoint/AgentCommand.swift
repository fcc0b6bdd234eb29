import Agent
import ArgumentParser
import Blobs
import Core
import Engines
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals
import Wire

/// `onepoint agent`: the centre side, on another machine.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Run a centre's agent. It connects outward only.",
        discussion: """
            The first start joins with a one-time token; later starts find who they are in the data folder. Where a Slurm \
            cluster answers its commands here, or a Ray cluster has its head, the agent schedules with it; elsewhere with \
            processes of this machine. Other clusters are named with --engine-config.

            Examples:
              onepoint agent check --join https://point.example
              onepoint agent --data /var/lib/onepoint --join https://point.example --token oj_…
              onepoint agent --data /var/lib/onepoint
            """,
        subcommands: [AgentRunCommand.self, AgentCheckCommand.self],
        defaultSubcommand: AgentRunCommand.self
    )
}

/// What the agent and its check are both told.
struct AgentOptions: ParsableArguments {
    @Option(help: "Folder for everything that the agent keeps.")
    var data = "./agent"

    @Option(help: "Address of the point to join.")
    var join: String?

    @Option(help: "What to schedule with: auto, local or slurm.")
    var engine = EngineChoice.auto

    @Option(help: "Cores to offer; the machine's own when absent.")
    var cores: Double?

    @Option(help: "Memory to offer, such as 8GiB; the machine's own when absent.")
    var memory: String?

    @Option(help: "What the cache of inputs may hold, such as 200GiB; a fifth of the file system when absent.")
    var cacheMax: String?

    @Option(help: "For trials: a catalogue model and a count, such as h100-sxm5=8. Shown as emulated everywhere.")
    var emulate: [String] = []

    @Option(
        help: "YAML file with a section `slurm`, `ray` or `kubernetes`: the centre's cluster."
    )
    var engineConfig: String?

    /// Where it stands what this folder schedules with, in the form of `--engine-config`.
    private func chosen() throws -> String { "\(try absolute(data))/engine.yaml" }

    /// Whoever says what this machine offers means this machine.
    private var isThisMachine: Bool { engine == .local || cores != nil || memory != nil || !emulate.isEmpty }

    /// The cluster to schedule with; `nil` for processes of this machine.
    ///
    /// What was chosen once stays, since runs of one engine mean nothing to another; whoever names one decides anew.
    private func cluster() async throws -> ServerConfiguration.Cluster? {
        if let engineConfig { return try ServerConfiguration.loadCluster(engineConfig) }
        if isThisMachine { return nil }
        let chosen = try chosen()
        if engine == .auto, FileManager.default.fileExists(atPath: chosen) {
            return try ServerConfiguration.loadCluster(chosen)
        }
        if engine == .slurm { return .slurm(SlurmEngine.Configuration()) }
        if await SlurmEngine.isHere() { return .slurm(SlurmEngine.Configuration()) }
        // Where Ray's own tools would look for its token.
        var ray = ServerConfiguration.RayCluster()
        ray.address = RayEngine.addressHere
        ray.tokenFile = getenv("RAY_AUTH_TOKEN_PATH").map { String(cString: $0) }
        return await RayEngine.isHere(tokenFile: ray.tokenFile) ? .ray(ray) : nil
    }

    /// Writes down what the agent schedules with, so that later starts need not say it.
    func keep(_ cluster: ServerConfiguration.Cluster?) throws {
        let text: Data
        if let engineConfig, let bytes = FileManager.default.contents(atPath: engineConfig) {
            text = bytes
        } else if engine == .auto, !isThisMachine, FileManager.default.fileExists(atPath: try chosen()) {
            return
        } else {
            text = Data(Self.text(of: cluster).utf8)
        }
        guard FileManager.default.createFile(atPath: try chosen(), contents: text) else {
            throw Failure(.storageExhausted, "The file \(try chosen()) cannot be written.")
        }
    }

    /// What was found here, as a file of `--engine-config` says it.
    private static func text(of cluster: ServerConfiguration.Cluster?) -> String {
        switch cluster {
        case .slurm?: "slurm: {}\n"
        case .ray(let ray)?:
            "ray:\n  address: \(ray.address)\n"
                + (ray.tokenFile.map { "  token_file: \(JSON.string($0).text)\n" } ?? "")
        case .kubernetes?, nil: "# processes of this machine\n"
        }
    }

    /// What to schedule with and what to offer of it.
    func entry(_ centre: CentreName) async throws -> ServerConfiguration.CentreEntry {
        var entry = ServerConfiguration.CentreEntry(name: centre, tier: .hub)
        entry.cores = cores.map { MilliCores(Int64(($0 * 1000).rounded())) }
        if let memory {
            guard let bytes = Bytes(memory) else { throw ValidationError("--memory takes an amount such as 8GiB.") }
            entry.memory = bytes
        }
        if let cacheMax {
            guard let bytes = Bytes(cacheMax) else {
                throw ValidationError("--cache-max takes an amount such as 200GiB.")
            }
            entry.cacheMax = bytes
        }
        entry.cluster = try await cluster()
        for item in emulate {
            let parts = item.split(separator: "=")
            guard parts.count == 2, let count = Int(parts[1]), count > 0, Accelerator.named(String(parts[0])) != nil
            else {
                throw ValidationError("--emulate takes a model of the catalogue and a count, such as h100-sxm5=8.")
            }
            entry.emulatedCards[String(parts[0])] = count
        }
        return entry
    }
}

/// `onepoint agent run`, which is what `onepoint agent` means.
struct AgentRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the agent until it is stopped; `agent` alone means this."
    )

    @OptionGroup var options: AgentOptions

    @Option(help: "One-time token from `onepoint centres join`.")
    var token: String?

    @Option(help: "How much to log.")
    var logLevel: LogLevel = .notice

    func run() async throws {
        let log = makeLogger(logLevel.level)
        let assembly = try Assembly(data: try absolute(options.data), log: log)
        let folder = try AgentFolder(root: assembly.data, threads: assembly.threads)
        let lock = try Self.lock("\(assembly.data)/lock")
        defer { close(lock) }
        let identity = try await identity(folder)
        let entry = try await options.entry(identity.centre)
        let engine = try await entry.engine(root: folder.enginePath, log: log)
        try options.keep(entry.cluster)
        let cache = try await BlobStore.open(root: folder.cachePath, threads: assembly.threads)
        let agent = Agent(
            identity: identity,
            folder: folder,
            engine: engine,
            link: HTTPPointLink(point: identity.point, key: identity.key),
            cache: cache,
            cacheMax: entry.cacheMax,
            now: Assembly.now,
            log: log
        )
        log.notice(
            "agent started",
            metadata: [
                "centre": "\(identity.centre)", "point": "\(identity.point)", "engine": "\(engine.kind.rawValue)",
            ]
        )
        let group = ServiceGroup(
            configuration: .init(services: [agent], gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        )
        try await group.run()
    }

    /// Two agents on one folder would take each other's records away. The kernel releases it with the process.
    private static func lock(_ path: String) throws -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(.storageExhausted, "The file \(path) cannot be made.") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw Failure(
                .unavailable,
                "Another agent works in this folder (\(path)); stop it first, or choose another with --data."
            )
        }
        return file
    }

    private func identity(_ folder: AgentFolder) async throws -> AgentIdentity {
        if let known = try await folder.identity() {
            // A unit file names its token at every start, long after it was spent.
            guard let join = options.join, let token else { return known }
            let link = HTTPPointLink(point: known.point, key: known.key)
            if join == known.point, (try? await link.isKnown()) ?? true { return known }
            return try await self.join(join, token, folder)
        }
        guard let join = options.join, let token else {
            throw ValidationError(
                "This folder has joined nowhere yet: give --join URL and --token, as `onepoint centres join` prints them."
            )
        }
        return try await self.join(join, token, folder)
    }

    private func join(_ point: String, _ token: String, _ folder: AgentFolder) async throws -> AgentIdentity {
        let answer = try await HTTPPointLink(point: point, key: "").join(JoinRequest(token: token))
        let identity = AgentIdentity(point: point, centre: answer.centre, agent: answer.agent, key: answer.key)
        try await folder.save(identity)
        return identity
    }
}

enum EngineChoice: String, CaseIterable, ExpressibleByArgument {
    case auto, local, slurm
}
