public import Core
public import Entry
import HTTPTypes
public import Hub
public import Hummingbird
public import Jobs
import Logging
import NIOCore
public import Wire

/// The face that clients of the Hugging Face Hub, of git-lfs and of Xet know. See docs/protocols/hub.md for every route.
struct HubFace: Sendable {
    let repositories: Repositories
    /// Runs jobs.
    let point: Point
    let users: Authenticator<Principal>
    /// By user, and by address for requests without credentials.
    let requests: RateLimit
    let settings: HubSettings
    let clock: @Sendable () -> Instant
    let now: MonotonicNow
}

/// Sizes of the Hub face.
public struct HubSettings: Sendable {
    /// Larger files are uploaded in parts.
    public var multipartAbove: Bytes
    /// The least size of a part.
    public var partMin: Bytes
    /// Larger files are offered to clients of Xet, which refuse to load these in one piece. Smaller ones need no more
    /// than one request that goes on where it broke off.
    public var xetAbove: Bytes

    public init(
        multipartAbove: Bytes = .gibi(1),
        partMin: Bytes = Bytes(64 << 20),
        xetAbove: Bytes = Bytes(50_000_000_000)
    ) {
        (self.multipartAbove, self.partMin, self.xetAbove) = (multipartAbove, partMin, xetAbove)
    }
}

/// Adds the routes of the Hub, git-lfs and Xet.
public func addHubRoutes(
    to router: Router<AppContext>,
    repositories: Repositories,
    point: Point,
    users: Authenticator<Principal>,
    limits: FaceLimits,
    settings: HubSettings = HubSettings(),
    clock: @escaping @Sendable () -> Instant,
    now: @escaping MonotonicNow
) {
    let face = HubFace(
        repositories: repositories,
        point: point,
        users: users,
        requests: RateLimit(perSecond: limits.perSecond, burst: limits.burst, now: now),
        settings: settings,
        clock: clock,
        now: now
    )
    func on(
        _ methods: [HTTPRequest.Method],
        _ path: String,
        _ handle: @escaping @Sendable (HubFace, HubCall) async throws -> Response
    ) {
        for method in methods {
            router.on(RouterPath(path), method: method) { request, context in
                await face.answer(request, context, handle)
            }
        }
    }
    let reading: [HTTPRequest.Method] = [.get, .head]
    for shelf in ["models", "datasets"] {
        on(reading, "/api/\(shelf)") { try await $0.search($1) }
        on([.get, .head, .post, .put, .delete], "/api/\(shelf)/**") { try await $0.repositoryRoute($1) }
        on(reading, "/api/\(shelf)-tags-by-type") { try await $0.tagsByType($1) }
    }
    // Whatever comes first in these paths may be a project's name.
    for prefix in ["", "/datasets"] {
        for name in ["/{a}", "/{a}/{b}"] {
            on(reading, "\(prefix)\(name)/resolve/**") { try await $0.resolve($1) }
            on(reading, "\(prefix)\(name)/raw/**") { try await $0.resolve($1) }
            on([.post], "\(prefix)\(name)/info/lfs/objects/batch") { try await $0.batch($1) }
        }
    }
    // Where clients say that a job is to be looked at, '/jobs/demo/job-…'.
    on(reading, "/{a}/{b}/job-{id}") { try $0.jobPage($1) }
    on(reading, "/api/whoami-v2") { try await $0.whoAmI($1) }
    on([.post], "/api/repos/create") { try await $0.create($1) }
    on([.delete], "/api/repos/delete") { try await $0.delete($1) }
    on([.post], "/api/repos/move") { try await $0.move($1) }
    on([.post], "/api/validate-yaml") { try await $0.validateYAML($1) }
    on(reading, "/api/agent-harnesses") { $1.answer(.object([])) }
    on([.get, .head, .post, .put, .delete], "/api/jobs/**") { try await $0.jobRoute($1) }
    on([.get, .head, .post, .put, .delete], "/api/scheduled-jobs/**") { _, _ in throw HubFace.noSchedules }
    on([.get, .head, .post, .put, .delete], "/api/buckets/**") { _, _ in throw HubFace.noBuckets }
    for name in ["default", "default-merkledb"] {
        on([.post], "/xet/v1/xorbs/\(name)/{hash}") { try await $0.putXorb($1) }
        on(reading, "/xet/v1/chunks/\(name)/{hash}") { try await $0.chunk($1) }
        // Xorbs are not uploaded to anywhere else.
        on([.post], "/xet/v1/xorb-grants/\(name)/{hash}") { _, _ in throw HubFace.unknownRoute }
    }
    for version in ["v1", "v2"] {
        on(reading, "/xet/\(version)/reconstructions/{hash}") { try await $0.reconstruction($1) }
    }
    on(reading, "/xet/xorbs/{id}/{oid}/{n}") { try await $0.xorb($1) }
    on([.post], "/xet/v1/shards") { try await $0.putShard($1) }
    on([.post], "/xet/v2/shards") { try await $0.streamShard($1) }
    on([.put], "/lfs/{id}/{oid}") { try await $0.put($1) }
    on(reading, "/lfs/{id}/{oid}") { try await $0.get($1) }
    on([.put], "/lfs/{id}/{oid}/parts/{n}") { try await $0.putPart($1) }
    on([.post], "/lfs/{id}/{oid}/complete") { try await $0.complete($1) }
    on([.post], "/lfs/{id}/{oid}/verify") { try await $0.verify($1) }
}

/// One request to the Hub face.
struct HubCall: Sendable {
    let request: Request
    let context: AppContext
    let caller: Principal?
    /// The path as it was asked for, decoded after it was split: a name may have a slash in it.
    let path: [String]
    let query: Form

    init(_ request: Request, _ context: AppContext, _ caller: Principal?) {
        (self.request, self.context, self.caller) = (request, context, caller)
        path = request.uri.path.split(separator: "/").map(\.percentDecoded)
        query = Form(parsing: request.uri.query ?? "")
    }

    func query(_ name: String) -> String? { query.raw(name) }
    func all(_ name: String) -> [String] { query.all(name) }
    /// Clients write `true`, `True` and `1`.
    func flag(_ name: String) -> Bool { query(name).map { ["true", "1"].contains($0.lowercased()) } ?? false }

    var origin: String { request.origin }

    /// The body as JSON; an empty one is an empty object.
    func json(limitBytes: Int = 4 << 20) async throws -> JSON {
        let bytes = try await request.bytes(limitBytes: limitBytes, in: context)
        guard bytes.readableBytes > 0 else { return .object([]) }
        do { return try JSON(parsing: bytes.readableBytesView) } catch {
            throw Failure(.malformed, "The body is not JSON: \(error.message).")
        }
    }

    func answer(_ json: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// What clients take for "it is done".
    var done: Response { answer(.object([])) }
}

extension HubFace {
    /// Credentials and limits, then the handler; failures in the Hub's words.
    func answer(
        _ request: Request,
        _ context: AppContext,
        _ handle: (HubFace, HubCall) async throws -> Response
    ) async -> Response {
        do {
            let call = HubCall(request, context, try await caller(request, context))
            let response = try await handle(self, call)
            return request.method == .head ? Self.head(response) : response
        } catch {
            let response = failure(error, request, context)
            return request.method == .head ? Self.head(response) : response
        }
    }

    /// The same without its body, whose length stays told.
    private static func head(_ response: Response) -> Response {
        var response = response
        if response.headers[.contentLength] == nil, let length = response.body.contentLength {
            response.headers[.contentLength] = "\(length)"
        }
        return response.createHeadResponse()
    }

    private func caller(_ request: Request, _ context: AppContext) async throws -> Principal? {
        let caller = try await identity(request, context)
        try requests.admit(caller?.user.text ?? context.remoteAddress)
        return caller
    }

    /// Who a request comes from; `nil` for anonymous ones.
    func identity(_ request: Request, _ context: AppContext) async throws -> Principal? {
        let address = context.remoteAddress
        switch try FaceCredentials(header: request.headers[.authorization]) {
        case .token(let token):
            // What Xet clients were given is checked where it is used.
            if token.hasPrefix(XetToken.prefix) { return nil }
            return try await users.identity(of: token, from: address)
        case .none:
            guard request.method == .get || request.method == .head,
                let cookie = request.cookie(AuthenticationMiddleware.cookieName)
            else { return nil }
            return try? await users.identity(of: cookie, from: address)
        }
    }

    /// A failure as the Hub's clients read it: a code and a sentence in headers, the sentence in the body too.
    private func failure(_ error: any Error, _ request: Request, _ context: AppContext) -> Response {
        let (failure, extra) = context.failure(of: error)
        var headers = extra
        headers[.cacheControl] = "no-store"
        let problem = Problem(failure)
        // What is wrong with a request is 400 here: clients know no 422.
        let isWrong = [.invalid, .digestMismatch, .impossible].contains(failure.code)
        let status = isWrong ? 400 : problem.kind.status
        var message = failure.detail
        switch (failure.code, failure.note) {
        case (.notFound, Repositories.revisionNote): headers[.errorCode] = "RevisionNotFound"
        case (.notFound, Repositories.entryNote): headers[.errorCode] = "EntryNotFound"
        // Clients find out by the address that it is a job.
        case (.notFound, Self.jobNote): break
        case (.notFound, _): headers[.errorCode] = "RepoNotFound"
        case (.forbidden, Repositories.gatedNote): headers[.errorCode] = "GatedRepo"
        case (.unauthenticated, _) where request.headers[.authorization] != nil:
            message = "Invalid credentials in Authorization header"
        case (.unauthenticated, _):
            headers[.wwwAuthenticate] = "Basic realm=\"onepoint\""
        default: break
        }
        headers[.errorMessage] = message.headerSafe
        if let wait = problem.retryAfter {
            let seconds = max(1, Int(wait.seconds.rounded(.up)))
            headers[.retryAfter] = "\(seconds)"
            if failure.code == .rateLimited { headers[.rateLimit] = "\"api\";r=0;t=\(seconds)" }
        }
        headers[.contentType] = "application/json; charset=utf-8"
        var bytes: [UInt8] = []
        JSON.members(["error": .string(message), "message": .string(message)]).write(to: &bytes)
        return Response(
            status: .init(code: status),
            headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}

extension HTTPField.Name {
    static let errorCode = constant("X-Error-Code")
    static let errorMessage = constant("X-Error-Message")
    static let repositoryCommit = constant("X-Repo-Commit")
    static let linkedSize = constant("X-Linked-Size")
    static let linkedETag = constant("X-Linked-ETag")
    static let totalCount = constant("X-Total-Count")
    static let rateLimit = constant("RateLimit")
    static let xetHash = constant("X-Xet-Hash")
    static let xetRefreshRoute = constant("X-Xet-Refresh-Route")
    static let xetAccessToken = constant("X-Xet-Access-Token")
    static let xetTokenExpiration = constant("X-Xet-Token-Expiration")
    static let xetCasURL = constant("X-Xet-Cas-Url")
}
