import API
import Blobs
import Core
import Crypto
import Entry
import FoundationEssentials
import Hub
import Hummingbird
import Jobs
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Store
import Synchronization
import Testing
import Wire

/// File threads and blocking clients of all tests.
let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 8)
    pool.start()
    return pool
}()

/// Who calls. The order is that of the columns of the table of roles.
enum Who: String, CaseIterable, Sendable {
    case anonymous, foreigner, viewer, member, owner, `operator`, agent
}

/// A real point over an empty folder.
func makeServices(in folder: String) async throws -> (point: Point, repositories: Repositories) {
    let store = try await EventStore.open(.init(path: folder + "/point.db"))
    let blobs = try await BlobStore.open(root: folder + "/blobs", threads: pool)
    let now: @Sendable () -> Instant = { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    let point = Point(
        store: store,
        blobs: blobs,
        logs: try await LogStore.open(root: folder + "/blobs", threads: pool),
        now: now,
        log: quiet
    )
    let seal = AddressSeal(key: [UInt8](repeating: 7, count: 32))
    return (point, Repositories(store: store, blobs: blobs, seal: seal, now: now, log: quiet))
}

private let quiet: Logger = {
    var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    logger.logLevel = .critical
    return logger
}()

/// A point behind a real port, with one person of each role in the project `demo` and an owner of another project.
struct Scene: Sendable {
    let point: Point
    let repositories: Repositories
    let port: Int
    let tokens: [Who: String]
    let `operator`: Principal
    let shutDown: @Sendable () async -> Void

    static let demo = name("demo", as: ProjectTag.self)

    static func name<Tag>(_ text: String, as: Tag.Type = Tag.self) -> Name<Tag> {
        guard let name = Name<Tag>(text) else { preconditionFailure("\(text) is no name") }
        return name
    }

    /// Sends a request on a connection of its own and waits for the whole answer.
    func call(
        _ method: String,
        _ path: String,
        as who: Who = .operator,
        headers: [String: String] = [:],
        body: [UInt8]? = nil
    ) async throws -> Answer {
        var headers = headers
        if headers["Authorization"] == nil, let token = tokens[who] { headers["Authorization"] = "Bearer \(token)" }
        headers["Host"] = "test"
        headers["Connection"] = "close"
        if let body { headers["Content-Length"] = "\(body.count)" }
        var request = "\(method) \(path) HTTP/1.1\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        let connection = try RawConnection(port: port)
        try await connection.send(Array((request + "\r\n").utf8) + (body ?? []))
        return try Answer(parsing: await connection.receiveAll())
    }

    func call(_ method: String, _ path: String, as who: Who = .operator, json: String) async throws -> Answer {
        try await call(method, path, as: who, body: Array(json.utf8))
    }
}

/// Runs a test against a fresh point; everything is gone afterwards.
func withScene(
    limits: RequestLimits = RequestLimits(),
    trustedProxies: Set<String> = [],
    _ test: (Scene) async throws -> Void
) async throws {
    let folder = "/tmp/onepoint-api-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // A leftover folder in /tmp hurts nobody; a failing removal must not hide the test's own failure.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (point, repositories) = try await makeServices(in: folder)
    let metrics = HTTPMetrics()
    let now: MonotonicNow = { ContinuousClock.now }
    // Tests send many wrong tokens from one address; what that leads to is tested by itself.
    let failures = RateLimit(perSecond: 1000, burst: 10_000, now: now)
    let users = Authenticator<Principal>(failures: failures, now: now) { try await point.authenticate(bearer: $0) }
    let agents = Authenticator<AgentPrincipal>(failures: failures, now: now) {
        try await point.authenticateAgent(bearer: $0)
    }
    let router = Router(context: AppContext.self)
    router.addEntryMiddleware(metrics: metrics, trustedProxies: trustedProxies, now: now)
    addAPIRoutes(
        to: router,
        point: point,
        repositories: repositories,
        users: users,
        agents: agents,
        metrics: metrics,
        limits: limits,
        version: "1.0.0",
        now: now
    )
    let (ports, found) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let app = Application(
        router: router,
        server: .onepoint(),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { found.yield($0.localAddress?.port ?? 0) },
        logger: quiet
    )
    let group = ServiceGroup(configuration: .init(services: [app], logger: quiet))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let port = try #require(await ports.first { _ in true })
        let (tokens, caller) = try await people(of: point)
        let scene = Scene(point: point, repositories: repositories, port: port, tokens: tokens, operator: caller) {
            await group.triggerGracefulShutdown()
        }
        do {
            try await test(scene)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

private func people(of point: Point) async throws -> ([Who: String], Principal) {
    let bootstrap = try #require(try await point.bootstrap(operator: Scene.name("root"), project: Scene.demo))
    let root = try await point.authenticate(bearer: bootstrap.secret)
    let other: ProjectName = Scene.name("other")
    _ = try await point.createProject(Project(name: other), root)
    var tokens: [Who: String] = [.operator: bootstrap.secret]
    let places: [(Who, String, ProjectName, Role)] = [
        (.foreigner, "frida", other, .owner), (.viewer, "vera", Scene.demo, .viewer),
        (.member, "mia", Scene.demo, .member), (.owner, "olga", Scene.demo, .owner),
    ]
    for (who, name, project, role) in places {
        let user: UserName = Scene.name(name)
        _ = try await point.createUser(User(name: user, isOperator: false), root)
        _ = try await point.setMember(Membership(project: project, user: user, role: role), root)
        let request = TokenRequest(user: user, scopes: Token.Scope.allCases, label: "test")
        tokens[who] = try await point.issueToken(request, root).secret
    }
    let centre: CentreName = Scene.name("hub-1")
    let join = try await point.createCentre(centre, tier: .hub, prices: nil, root)
    tokens[.agent] = try await point.join(JoinRequest(token: join.token)).key
    return (tokens, root)
}

func sha256(_ bytes: [UInt8]) -> Core.Digest {
    guard let digest = Core.Digest(bytes: Array(SHA256.hash(data: bytes))) else {
        preconditionFailure("SHA-256 makes 32 bytes")
    }
    return digest
}

/// A golden file of the repository; `UPDATE_GOLDEN=1` rewrites it.
func expectGolden(_ path: String, _ text: String) throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let file = "/\(root)/\(path)"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        let folder = String(file.prefix(upTo: file.lastIndex(of: "/") ?? file.endIndex))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file))
    }
    let golden = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
    #expect(golden == text, "\(path) differs; UPDATE_GOLDEN=1 rewrites it")
}
