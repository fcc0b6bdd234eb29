import AsyncHTTPClient
import Blobs
import Core
import Entry
import FoundationEssentials
public import Hub
import Hummingbird
public import Jobs
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Protocols
import ServiceLifecycle
import Store
import Testing
import Wire

/// File threads of all tests.
let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 8)
    pool.start()
    return pool
}()

private let quiet: Logger = {
    var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    logger.logLevel = .critical
    return logger
}()

/// Who calls.
enum Who: String, CaseIterable, Sendable {
    case anonymous, foreigner, viewer, member, owner, `operator`
}

/// The real faces behind a real port, with one person of each role in the project `demo` and an owner of another one.
struct FaceScene: Sendable {
    let point: Point
    let repositories: Repositories
    let blobs: BlobStore
    let store: EventStore
    let users: Authenticator<Principal>
    let port: Int
    let tokens: [Who: String]

    var address: String { "http://127.0.0.1:\(port)" }

    /// Sends a request and waits for the whole answer.
    ///
    /// - Parameter path: Path and query, or a whole address.
    func call(
        _ method: String,
        _ path: String,
        as who: Who = .member,
        headers: [(String, String)] = [],
        body: [UInt8]? = nil,
        isStream: Bool = false
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: path.hasPrefix("/") ? address + path : path)
        request.method = HTTPMethod(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if request.headers["Authorization"].isEmpty, let token = tokens[who] {
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
        }
        if let body {
            request.body = isStream ? .stream([ByteBuffer(bytes: body)].async, length: .unknown) : .bytes(body)
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return Reply(status: Int(response.status.code), headers: response.headers, body: Array(buffer: bytes))
    }
}

extension Array where Element: Sendable {
    /// One after another.
    fileprivate var async: AsyncStream<Element> {
        AsyncStream { continuation in
            for element in self { continuation.yield(element) }
            continuation.finish()
        }
    }
}

/// An answer, read whole.
struct Reply: Sendable, CustomStringConvertible {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var description: String { "\(status) \(headers) \(text.prefix(600))" }

    subscript(header: String) -> String? { headers.first(name: header) }
    func json() throws -> JSON { try JSON(parsing: body) }

    /// The codes of an OCI error.
    var codes: [String] {
        ((try? json())?["errors"]?.arrayValue ?? []).compactMap { $0["code"]?.stringValue }
    }
}

/// Runs a test against a fresh point; everything is gone afterwards.
func withFaces(
    limits: FaceLimits = FaceLimits(perSecond: 10_000, burst: 20_000),
    hub: HubSettings = HubSettings(),
    _ test: (FaceScene) async throws -> Void
) async throws {
    let folder = "/tmp/onepoint-faces-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // A leftover folder in /tmp hurts nobody; a failing removal must not hide the test's own failure.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try await EventStore.open(.init(path: folder + "/point.db"))
    let blobs = try await BlobStore.open(root: folder + "/blobs", threads: pool)
    let clock: @Sendable () -> Instant = { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    let repositories = Repositories(
        store: store,
        blobs: blobs,
        seal: AddressSeal(key: Array(repeating: 7, count: 32)),
        now: clock,
        log: quiet
    )
    let point = Point(
        store: store,
        blobs: blobs,
        logs: try await LogStore.open(root: folder + "/blobs", threads: pool),
        revisions: repositories,
        now: clock,
        log: quiet
    )
    let now: MonotonicNow = { ContinuousClock.now }
    // Tests send many wrong tokens from one address; what that leads to is tested by itself.
    let failures = RateLimit(perSecond: 1000, burst: 10_000, now: now)
    let users = Authenticator<Principal>(failures: failures, now: now) { try await point.authenticate(bearer: $0) }
    let router = Router(context: AppContext.self)
    router.addEntryMiddleware(metrics: HTTPMetrics(), now: now)
    addProtocolRoutes(
        to: router,
        repositories: repositories,
        point: point,
        users: users,
        limits: limits,
        hub: hub,
        clock: clock,
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
        let scene = FaceScene(
            point: point,
            repositories: repositories,
            blobs: blobs,
            store: store,
            users: users,
            port: port,
            tokens: try await people(of: point)
        )
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

extension Repositories: RevisionSource {}

private func people(of point: Point) async throws -> [Who: String] {
    let demo: ProjectName = name("demo")
    let bootstrap = try #require(try await point.bootstrap(operator: name("root"), project: demo))
    let root = try await point.authenticate(bearer: bootstrap.secret)
    let other: ProjectName = name("other")
    _ = try await point.createProject(Project(name: other), root)
    var tokens: [Who: String] = [.operator: bootstrap.secret]
    let places: [(Who, String, ProjectName, Role)] = [
        (.foreigner, "frida", other, .owner), (.viewer, "vera", demo, .viewer), (.member, "mia", demo, .member),
        (.owner, "olga", demo, .owner),
    ]
    for (who, text, project, role) in places {
        let user: UserName = name(text)
        _ = try await point.createUser(User(name: user, isOperator: false), root)
        _ = try await point.setMember(Membership(project: project, user: user, role: role), root)
        let request = TokenRequest(user: user, scopes: Token.Scope.allCases, label: "test")
        tokens[who] = try await point.issueToken(request, root).secret
    }
    return tokens
}

func name<Tag>(_ text: String, as: Tag.Type = Tag.self) -> Name<Tag> {
    guard let name = Name<Tag>(text) else { preconditionFailure("\(text) is no name") }
    return name
}

/// Bytes that are the same for the same seed.
func content(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { withUnsafeBytes(of: random.next().littleEndian) { bytes.append(contentsOf: $0) } }
    bytes.removeLast(bytes.count - count)
    return bytes
}
