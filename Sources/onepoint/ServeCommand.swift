import API
import Agent
import ArgumentParser
import Blobs
import Console
import Core
import Engines
import Entry
import FoundationEssentials
import Glibc
import Hummingbird
import Jobs
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals
import Wire

/// `onepoint serve`: the point, and the centres that run inside its process.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the point: API, console, scheduler, and in-process centres.",
        discussion: """
            Everything is kept in one data folder: the database, blobs, logs, and a folder for each in-process centre. \
            The first start prints an operator's token once. A second start on the same folder finds everything again.

            Examples:
              onepoint serve --data ./data
              onepoint serve --data ./data --config config/tour.yaml --listen 127.0.0.1:7070
            """
    )

    @Option(help: "Folder for everything that is kept.")
    var data = "./data"

    @Option(help: "Configuration file (YAML): address, in-process centres, limits.")
    var config: String?

    @Option(help: "Address and port to listen on; goes before the configuration file.")
    var listen: String?

    @Option(help: "Write the first operator's token into this file (mode 0600) instead of printing it.")
    var tokenFile: String?

    @Option(help: "How much to log.")
    var logLevel: LogLevel = .notice

    func run() async throws {
        let log = makeLogger(logLevel.level)
        var configuration = try config.map { try ServerConfiguration.load($0) } ?? ServerConfiguration()
        if let listen { try configuration.listen(on: listen) }
        try await Self.checkFree(configuration.listenHost, configuration.listenPort)
        let data = try absolute(data)
        let assembly = try Assembly(data: data, log: log)
        var settings = Point.Settings()
        settings.silenceAfter = configuration.settings.silenceAfter
        settings.links = configuration.settings.links
        let (point, repositories) = try await assembly.open(
            settings: settings,
            bucket: configuration.settings.bucket
        )

        if let token = try await point.bootstrap(operator: Self.name("admin"), project: Self.name("demo")) {
            if let tokenFile {
                try Self.write(token.secret, to: tokenFile)
            } else {
                print("operator token, shown once: \(token.secret)")
            }
        }
        var services: [any Service] = [point, repositories]
        for entry in configuration.centres {
            services.append(try await agent(for: entry, point: point, assembly: assembly))
        }
        let application = httpServer(point, repositories, configuration, log)
        services.append(application)

        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: log
            )
        )
        try await group.run()
        try await point.close()
    }

    /// Before anything is made or said: a token that was shown by a start that then failed is easily lost.
    private static func checkFree(_ host: String, _ port: Int) async throws {
        do {
            let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
            try await channel.close()
        } catch {
            let reason =
                switch (error as? IOError)?.errnoCode {
                case EADDRINUSE: "another process listens there; stop it, or choose another address with --listen"
                case EACCES: "ports below 1024 are not for this user; choose another with --listen"
                case EADDRNOTAVAIL: "this machine has no such address"
                default: "\(error)"
                }
            throw Failure(.conflict, "Cannot listen on \(host):\(port): \(reason).")
        }
    }

    private static func name<Tag>(_ text: String) -> Name<Tag> {
        guard let name = Name<Tag>(text) else { preconditionFailure("'\(text)' is a valid name") }
        return name
    }

    private static func write(_ secret: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(.storageExhausted, "The token cannot be written to \(path).") }
        defer { close(file) }
        let bytes = Array((secret + "\n").utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw Failure(.storageExhausted, "The token cannot be written to \(path).")
        }
    }

    /// An in-process centre. Its identity is on its disk, like any agent's; when that is lost, it joins anew.
    private func agent(
        for entry: ServerConfiguration.CentreEntry,
        point: Point,
        assembly: Assembly
    ) async throws -> Agent {
        let root = "\(assembly.data)/centres/\(entry.name)"
        let folder = try AgentFolder(root: root, threads: assembly.threads)
        let known = try await folder.identity()
        let identity: AgentIdentity
        if let known, (try? await point.authenticateAgent(bearer: known.key)) != nil {
            identity = known
        } else {
            let token = try await point.inProcessJoin(entry.name, tier: entry.tier, prices: entry.prices)
            let joined = try await point.join(JoinRequest(token: token))
            identity = AgentIdentity(
                point: "in-process",
                centre: joined.centre,
                agent: joined.agent,
                key: joined.key
            )
            try await folder.save(identity)
        }
        let engine = try await entry.engine(root: folder.enginePath, log: assembly.log)
        let cache = try await BlobStore.open(root: folder.cachePath, threads: assembly.threads)
        return Agent(
            identity: identity,
            folder: folder,
            engine: engine,
            link: InProcessLink(
                point: point,
                agent: AgentPrincipal(centre: identity.centre, agent: identity.agent)
            ),
            cache: cache,
            cacheMax: entry.cacheMax,
            now: Assembly.now,
            log: assembly.log
        )
    }
}
