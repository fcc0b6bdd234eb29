internal import Core
internal import NIOSSL

/// The API server, as far as we use it.
struct KubernetesClient: Sendable {
    var http: EngineHTTP
    var namespace: String
    /// Picks our objects out of the namespace.
    var selector: String

    init(_ access: KubernetesAccess, selector: String) throws(EngineError) {
        http = EngineHTTP(name: "Kubernetes", base: access.server, tls: try Self.tls(access))
        switch access.credential {
        case .none, .certificate: break
        case .token(let text): http.token = .text(text)
        case .tokenFile(let path): http.token = .file(path)
        }
        namespace = access.namespace
        self.selector = selector
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
        guard let text = json["gitVersion"]?.stringValue, json["major"]?.stringValue == "1",
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

    private var jobsPath: String { "/apis/batch/v1/namespaces/\(namespace.percentEncoded)/jobs" }
    private var query: String { "?labelSelector=\(selector.percentEncoded)" }

    /// Every Job of ours, from one call. Read through to etcd: a cached list might not show the newest, and what is not
    /// in the list counts as gone.
    func jobs() async throws(EngineError) -> [KubernetesJob] {
        try items(await get(jobsPath + query), of: jobsPath).compactMap(KubernetesJob.init)
    }

    func pods() async throws(EngineError) -> [KubernetesPod] {
        let path = "/api/v1/namespaces/\(namespace.percentEncoded)/pods"
        return try items(await get(path + query), of: path).compactMap(KubernetesPod.init)
    }

    func nodes() async throws(EngineError) -> [KubernetesNode] {
        try items(await get("/api/v1/nodes"), of: "/api/v1/nodes").compactMap(KubernetesNode.init)
    }

    /// Kueue's workloads in the namespace, in the newest version of its interface that the cluster has.
    func workloads() async throws(EngineError) -> [KubernetesWorkload] {
        for version in ["v1beta2", "v1beta1"] {
            let path = "/apis/kueue.x-k8s.io/\(version)/namespaces/\(namespace.percentEncoded)/workloads"
            let answer = try await http.call("GET", path)
            if answer.status == 404 { continue }
            guard answer.status == 200 else { throw fault(answer, "GET \(path)") }
            return try items(http.json(answer, of: "GET \(path)"), of: path).compactMap(KubernetesWorkload.init)
        }
        throw .refused(
            "The centre's configuration names a Kueue queue, and Kubernetes at \(http.base) has no Kueue. Install it, or "
                + "take the queue out."
        )
    }

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
        let answer = try await http.call("POST", path, json: object)
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
        let answer = try await http.call("GET", path)
        if answer.status == 404, status(answer)?.reason == "NotFound" { return nil }
        guard answer.status == 200 else { throw fault(answer, "GET \(path)") }
        guard let job = KubernetesJob(try http.json(answer, of: "GET \(path)")), job.run == run else {
            throw .unreachable("Kubernetes at \(http.base) answered GET \(path) with something that is not that Job.")
        }
        return job
    }

    /// Changes a Job by a merge patch.
    ///
    /// - Returns: Whether it was there, under the uid that the patch names.
    func patch(_ run: RunKey, _ patch: JSON) async throws(EngineError) -> Bool {
        let path = "\(jobsPath)/\(run)"
        let answer = try await http.call(
            "PATCH",
            path,
            json: patch,
            contentType: "application/merge-patch+json"
        )
        switch answer.status {
        case 200: return true
        case 404 where status(answer)?.reason == "NotFound": return false
        case 409 where status(answer) != nil: return false
        default: throw fault(answer, "PATCH \(path)")
        }
    }

    /// Deletes a Job with its pods, if it still has that uid. Harmless when it is gone.
    func delete(_ run: RunKey, uid: String) async throws(EngineError) {
        let path = "\(jobsPath)/\(run)"
        let options = JSON.object([
            ("apiVersion", .string("v1")), ("kind", .string("DeleteOptions")),
            ("propagationPolicy", .string("Foreground")), ("preconditions", .object([("uid", .string(uid))])),
        ])
        let answer = try await http.call("DELETE", path, json: options)
        switch answer.status {
        case 200, 202: return
        // Gone, or another one under its name, which is not ours to delete.
        case 404 where status(answer)?.reason == "NotFound": return
        case 409 where status(answer)?.reason == "Conflict": return
        default: throw fault(answer, "DELETE \(path)")
        }
    }

    // MARK: Answers

    private func get(_ path: String) async throws(EngineError) -> JSON {
        let answer = try await http.call("GET", path)
        guard answer.status == 200 else { throw fault(answer, "GET \(path)") }
        return try http.json(answer, of: "GET \(path)")
    }

    private func items(_ json: JSON, of path: String) throws(EngineError) -> [JSON] {
        guard let items = json["items"]?.arrayValue else {
            // Go writes an empty list as null.
            if json["items"] == .null { return [] }
            throw .unreachable("Kubernetes at \(http.base) answered GET \(path) with something that is no list.")
        }
        return items
    }

    /// The API server's own error object; `nil` when the answer is somebody else's.
    private func status(_ answer: EngineHTTP.Answer) -> (reason: String, message: String)? {
        guard let json = try? JSON(parsing: answer.body), json["kind"]?.stringValue == "Status" else { return nil }
        return (json["reason"]?.stringValue ?? "", json["message"]?.stringValue ?? "")
    }

    private func fault(_ answer: EngineHTTP.Answer, _ what: String) -> EngineError {
        if answer.status == 403, let status = status(answer) {
            return .unreachable(
                "Kubernetes at \(http.base) does not allow \(what): \(status.message). Bind the agent's account to the "
                    + "rights that docs/protocols/kubernetes.md lists."
            )
        }
        return http.unexpected(answer, to: what)
    }
}
