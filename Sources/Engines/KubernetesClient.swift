internal import Core
internal import NIOSSL

/// The API server, as far as we use it.
struct KubernetesClient: Sendable {
    var http: EngineHTTP
    var namespace: String
    /// Picks our objects out of the namespace.
    var selector: String
    let budget: CallBudget

    /// - Parameter callsPerMinute: The most calls in a minute, all together. A watch is one call, however long.
    init(_ access: KubernetesAccess, selector: String, callsPerMinute: Int = 60_000) throws(EngineError) {
        http = EngineHTTP(name: "Kubernetes", base: access.server, tls: try Self.tls(access))
        switch access.credential {
        case .none, .certificate: break
        case .token(let text): http.token = .text(text)
        case .tokenFile(let path): http.token = .file(path)
        }
        namespace = access.namespace
        self.selector = selector
        budget = CallBudget(perMinute: callsPerMinute)
    }

    private static func tls(_ access: KubernetesAccess) throws(EngineError) -> TLSConfiguration? {
        guard access.server.hasPrefix("https://") else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            if let authority = access.authority {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
            }
            if case .certificate(let chain, let key) = access.credential {
                tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            }
        } catch {
            throw .refused(
                "A certificate or key for Kubernetes at \(access.server) cannot be read: \(error). It must be PEM."
            )
        }
        return tls
    }

    /// What `GET /version` says.
    func version() async throws(EngineError) -> (text: String, minor: Int) {
        let json = try await get("/version")
        guard let json, let text = json["gitVersion"]?.stringValue, json["major"]?.stringValue == "1",
            let minor = json["minor"]?.stringValue.flatMap({ Int($0.prefix { $0.isNumber }) })
        else {
            throw .unreachable(
                "What answers at \(http.base) is not Kubernetes 1.x: its /version names no such version."
            )
        }
        guard minor >= Self.minorMin else {
            throw .refused(
                "Kubernetes \(text) at \(http.base) is too old: this driver needs 1.\(Self.minorMin) or newer."
            )
        }
        return (text, minor)
    }

    /// The oldest version that the driver is written for.
    static let minorMin = 20

    var jobsPath: String { "/apis/batch/v1/namespaces/\(namespace.percentEncoded)/jobs" }
    enum Creation: Hashable, Sendable {
        /// The Job, when the answer is one.
        case created(KubernetesJob?)
        /// There is one of that name.
        case exists
        case refused(String)
    }

    func create(_ job: JSON) async throws(EngineError) -> Creation { try await post(job, to: jobsPath) }

    func create(service: JSON) async throws(EngineError) -> Creation {
        try await post(service, to: "/api/v1/namespaces/\(namespace.percentEncoded)/services")
    }

    private func post(_ object: JSON, to path: String) async throws(EngineError) -> Creation {
        let answer = try await call("POST", path, json: object)
        switch answer.status {
        case 200, 201, 202: return .created(KubernetesJob(try http.json(answer, of: "POST \(path)")))
        case 409 where status(answer)?.reason == "AlreadyExists": return .exists
        case 400, 422:
            // A proxy may answer so too; only the API server's own word is final.
            guard let status = status(answer) else { throw fault(answer, "POST \(path)") }
            return .refused(status.message)
        default: throw fault(answer, "POST \(path)")
        }
    }

    /// One Job; `nil` when there is none of that name.
    func job(_ run: RunKey) async throws(EngineError) -> KubernetesJob? {
        let path = "\(jobsPath)/\(run)"
        let answer = try await call("GET", path)
        if answer.status == 404, status(answer)?.reason == "NotFound" { return nil }
        guard answer.status == 200 else { throw fault(answer, "GET \(path)") }
        return try job(run, in: answer, of: "GET \(path)")
    }

    private func job(_ run: RunKey, in answer: EngineHTTP.Answer, of what: String) throws(EngineError) -> KubernetesJob
    {
        guard let job = KubernetesJob(try http.json(answer, of: what)), job.run == run else {
            throw .unreachable("Kubernetes at \(http.base) answered \(what) with something that is not that Job.")
        }
        return job
    }

    /// Changes a Job by a merge patch.
    ///
    /// - Returns: What it is now; `nil` when there is none under the uid that the patch names.
    func patch(_ run: RunKey, _ patch: JSON) async throws(EngineError) -> KubernetesJob? {
        let path = "\(jobsPath)/\(run)"
        let answer = try await call(
            "PATCH",
            path,
            json: patch,
            contentType: "application/merge-patch+json"
        )
        switch answer.status {
        case 200: return try job(run, in: answer, of: "PATCH \(path)")
        case 404 where status(answer)?.reason == "NotFound": return nil
        case 409 where status(answer) != nil: return nil
        default: throw fault(answer, "PATCH \(path)")
        }
    }

    /// Deletes a Job with its pods, if it still has that uid. Harmless when it is gone.
    ///
    /// - Returns: Whether there was one under that uid.
    @discardableResult
    func delete(_ run: RunKey, uid: String) async throws(EngineError) -> Bool {
        let path = "\(jobsPath)/\(run)"
        let options = JSON.object([
            ("apiVersion", .string("v1")), ("kind", .string("DeleteOptions")),
            ("propagationPolicy", .string("Foreground")), ("preconditions", .object([("uid", .string(uid))])),
        ])
        let answer = try await call("DELETE", path, json: options)
        switch answer.status {
        case 200, 202: return true
        // Gone, or another one under its name, which is not ours to delete.
        case 404 where status(answer)?.reason == "NotFound": return false
        case 409 where status(answer)?.reason == "Conflict": return false
        default: throw fault(answer, "DELETE \(path)")
        }
    }

    // MARK: Answers

    func call(
        _ method: String,
        _ path: String,
        json: JSON? = nil,
        contentType: String = "application/json"
    ) async throws(EngineError) -> EngineHTTP.Answer {
        await budget.take()
        return try await http.call(method, path, json: json, contentType: contentType)
    }

    /// A GET that succeeds, or is one of the statuses that the caller knows what to do with: then `nil`.
    func get(_ path: String, expecting others: Set<Int> = []) async throws(EngineError) -> JSON? {
        let answer = try await call("GET", path)
        if others.contains(answer.status) { return nil }
        guard answer.status == 200 else { throw fault(answer, "GET \(path)") }
        return try http.json(answer, of: "GET \(path)")
    }

    /// The API server's own error object; `nil` when the answer is somebody else's.
    func status(_ answer: EngineHTTP.Answer) -> (reason: String, message: String)? {
        guard let json = try? JSON(parsing: answer.body), json["kind"]?.stringValue == "Status" else { return nil }
        return (json["reason"]?.stringValue ?? "", json["message"]?.stringValue ?? "")
    }

    func fault(_ answer: EngineHTTP.Answer, _ what: String) -> EngineError {
        if answer.status == 403, let status = status(answer) {
            return .unreachable(
                "Kubernetes at \(http.base) does not allow \(what): \(status.message). Bind the agent's account to the "
                    + "rights that docs/protocols/kubernetes.md lists."
            )
        }
        return http.unexpected(answer, to: what)
    }
}
