import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import Wire

/// Adds OCI Distribution 1.1 below `/v2`.
func addOCIRoutes(
    to router: Router<AppContext>,
    repositories: Repositories,
    users: Authenticator<Principal>,
    limits: FaceLimits,
    now: @escaping MonotonicNow
) {
    let face = OCIFace(
        repositories: repositories,
        users: users,
        requests: RateLimit(perSecond: limits.perSecond, burst: limits.burst, now: now)
    )
    // Names have any number of parts, which no template of the router's can say.
    for path in [RouterPath("/v2"), RouterPath("/v2/**")] {
        for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete] {
            router.on(path, method: method) { request, context in await face.answer(request, context) }
        }
    }
}

/// OCI Distribution 1.1. Holds no state: uploads are the blob store's, everything else is in the log.
struct OCIFace: Sendable {
    let repositories: Repositories
    let users: Authenticator<Principal>
    let requests: RateLimit

    /// A token that stands for no credentials. Rights are checked at every call, so nothing has to be signed.
    static let anonymousToken = "anonymous"

    /// Refusals have a shape of their own here.
    func answer(_ request: Request, _ context: AppContext) async -> Response {
        var address: OCIAddress?
        do {
            let found = try OCIAddress(path: request.uri.path)
            address = found
            context.coreContext.endpointPath.value = found.template
            let call = try await call(request, context, found)
            var response = try await handle(found, call)
            response.headers[.distributionVersion] = "registry/2.0"
            return response
        } catch {
            var response = refusal(error, address, request, context).response
            response.headers[.distributionVersion] = "registry/2.0"
            return request.method == .head ? response.createHeadResponse() : response
        }
    }

    private func handle(_ address: OCIAddress, _ call: OCICall) async throws -> Response {
        switch (address, call.request.method) {
        case (.ping, .get), (.ping, .head): return try ping(call)
        case (.token, .get): return try await token(call)
        case (.token, .post): return try await tokenByForm(call)
        case (.blob(let name, let digest), .get), (.blob(let name, let digest), .head):
            return try await blob(digest, of: name, call)
        case (.blob(let name, let digest), .delete): return try await removeBlob(digest, of: name, call)
        case (.manifest(let name, let reference), .get): return try await manifest(reference, of: name, call)
        case (.manifest(let name, let reference), .head):
            return try await manifest(reference, of: name, call).createHeadResponse()
        case (.manifest(let name, let reference), .put): return try await put(reference, of: name, call)
        case (.manifest(let name, let reference), .delete):
            return try await removeManifest(reference, of: name, call)
        case (.uploads(let name), .post): return try await beginUpload(to: name, call)
        case (.upload(let name, let id), .patch): return try await append(to: id, of: name, call)
        case (.upload(let name, let id), .put): return try await finish(id, of: name, call)
        case (.upload(let name, let id), .get): return try await status(of: id, of: name, call)
        case (.upload(let name, let id), .delete): return try await abort(id, of: name, call)
        case (.tags(let name), .get): return try await tags(of: name, call)
        case (.referrers(let name, let digest), .get): return try await referrers(to: digest, of: name, call)
        default:
            throw OCIError(.unsupported, status: 405, "\(address.template) has no \(call.request.method.rawValue).")
        }
    }

    /// Who asks, within the limits.
    private func call(_ request: Request, _ context: AppContext, _ address: OCIAddress) async throws -> OCICall {
        var context = context
        switch try FaceCredentials(header: request.headers[.authorization]) {
        case .token(let token) where token != Self.anonymousToken:
            // The token's endpoint looks at it itself.
            if address == .token { break }
            context.identify(as: try await users.identity(of: token, from: context.remoteAddress))
        case .none, .token: break
        }
        try requests.admit(context.principal?.user.text ?? context.remoteAddress)
        return OCICall(request: request, context: context)
    }

    // MARK: Refusals

    private func refusal(
        _ error: any Error,
        _ address: OCIAddress?,
        _ request: Request,
        _ context: AppContext
    ) -> OCIError {
        switch error {
        case let error as OCIError: return error
        case let error as MissingParts: return OCIError(error)
        default:
            let (failure, headers) = context.failure(of: error)
            var refused = refusal(failure, address, request)
            refused.headers.append(contentsOf: headers)
            return refused
        }
    }

    private func refusal(_ failure: Failure, _ address: OCIAddress?, _ request: Request) -> OCIError {
        let invalid: OCIError.Code
        var absent = OCIError.Code.nameUnknown
        switch address {
        case .manifest: invalid = .manifestInvalid
        case .upload: (invalid, absent) = (.blobUploadInvalid, .blobUploadUnknown)
        case .uploads: invalid = .blobUploadInvalid
        case .blob, .referrers: invalid = .digestInvalid
        case .ping, .token, .tags, nil: invalid = .unsupported
        }
        var error = OCIError(failure, invalid: invalid, absent: absent)
        // Whoever shows no credentials is asked for some: "unknown" would end what a client does, and a refusal would
        // tell that there is something.
        let isAnonymous = (try? FaceCredentials(header: request.headers[.authorization])).map {
            $0 == .none || $0 == .token(Self.anonymousToken)
        }
        if isAnonymous == true, [.notFound, .forbidden, .unauthenticated].contains(failure.code), address != .token {
            error = OCIError(.unauthorized, status: 401, "This needs credentials, or rights that yours do not give.")
        }
        if error.status == 401 { error.headers[.wwwAuthenticate] = challenge(address, request) }
        return error
    }

    /// Where clients get a token, and what for (RFC 6750, section 3; the registries' own words for the scope).
    private func challenge(_ address: OCIAddress?, _ request: Request) -> String {
        var challenge = "Bearer realm=\"\(request.origin)/v2/token\",service=\"onepoint\""
        if let name = address?.name {
            let isReading = request.method == .get || request.method == .head
            challenge += ",scope=\"repository:\(name.text):\(isReading ? "pull" : "pull,push")\""
        }
        return challenge
    }

    // MARK: Credentials

    /// Tells clients whether to bring credentials: those with none are sent for a token, which may be the one for nobody.
    private func ping(_ call: OCICall) throws -> Response {
        if call.request.headers[.authorization] == nil {
            throw Failure(.unauthenticated, "This needs credentials, or a token for nobody.")
        }
        return call.json(.object([]))
    }

    /// Gives a caller's own token back. A token of ours names its user and cannot be narrowed; what it may do is looked
    /// up at every call.
    private func token(_ call: OCICall) async throws -> Response {
        switch try FaceCredentials(header: call.request.headers[.authorization]) {
        case .none: return tokenAnswer(Self.anonymousToken, call)
        case .token(let token): return try await tokenAnswer(checked(token, call), call)
        }
    }

    /// The same by OAuth 2 (RFC 6749, sections 4.3 and 6): the password, or what was given as a refresh token.
    private func tokenByForm(_ call: OCICall) async throws -> Response {
        let body = try await call.request.bytes(limitBytes: Self.formBytesMax, in: call.context)
        let form = Form(parsing: String(buffer: body))
        switch form.raw("grant_type") {
        case "password": return try await tokenAnswer(checked(form.raw("password") ?? "", call), call)
        case "refresh_token": return try await tokenAnswer(checked(form.raw("refresh_token") ?? "", call), call)
        default: throw OCIError(.unsupported, status: 400, "The grant_type must be 'password' or 'refresh_token'.")
        }
    }

    private static let formBytesMax = 16 << 10

    private func checked(_ token: String, _ call: OCICall) async throws -> String {
        if token != Self.anonymousToken { _ = try await users.identity(of: token, from: call.context.remoteAddress) }
        return token
    }

    private func tokenAnswer(_ token: String, _ call: OCICall) -> Response {
        call.json(
            .object([
                ("token", .string(token)), ("access_token", .string(token)),
                ("expires_in", .integer(Self.tokenLifetimeSeconds)),
            ])
        )
    }

    /// How long clients are to keep what the endpoint gave them. The token itself may live longer, or shorter.
    private static let tokenLifetimeSeconds: Int64 = 300
}

/// One request of an OCI client, with its caller known.
struct OCICall: Sendable {
    let request: Request
    let context: AppContext

    var caller: Principal? { context.principal }

    func query(_ key: Substring) -> String? { request.uri.queryParameters[key].map { String($0) } }
    func queries(_ key: Substring) -> [String] { request.uri.queryParameters[values: key].map { String($0) } }

    func json(_ json: JSON, _ headers: HTTPFields = [:], type: String = "application/json") -> Response {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        var headers = headers
        headers[.contentType] = type
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension HTTPField.Name {
    static let distributionVersion = constant("Docker-Distribution-API-Version")
    static let contentDigest = constant("Docker-Content-Digest")
    static let chunkMinLength = constant("OCI-Chunk-Min-Length")
    static let uploadUUID = constant("Docker-Upload-UUID")
    static let warning = constant("Warning")
    static let ociSubject = constant("OCI-Subject")
    static let ociTag = constant("OCI-Tag")
    static let filtersApplied = constant("OCI-Filters-Applied")
}
