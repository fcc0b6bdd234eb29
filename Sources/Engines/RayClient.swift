internal import Core

/// Ray's Jobs REST interface and state interface, as far as we use them.
///
/// > Source: Ray 2.60, `dashboard/modules/job/job_head.py` and `dashboard/modules/state/state_head.py`.
struct RayClient: Sendable {
    var http: EngineHTTP

    /// What `GET /api/version` says.
    struct Version: Hashable, Sendable {
        var ray: String
        /// Another one after the head was rebuilt: what the old one knew is gone.
        var session: String
    }

    /// The version of the Jobs REST interface that this driver speaks. Ray has had no other since 2.0.
    static let interface = "4"

    /// - Throws: ``EngineError/refused(_:)`` for an interface that is not ours.
    func version() async throws(EngineError) -> Version {
        let answer = try await http.call("GET", "/api/version")
        guard answer.status == 200 else { throw http.unexpected(answer, to: "GET /api/version") }
        let json = try http.json(answer, of: "GET /api/version")
        guard let interface = json["version"]?.stringValue, let ray = json["ray_version"]?.stringValue else {
            throw .unreachable(
                "What answers at \(http.base) is not Ray: its /api/version names no Ray version. Correct the address; "
                    + "it is that of the dashboard, such as http://head:8265."
            )
        }
        guard interface == Self.interface else {
            throw .refused(
                "Ray \(ray) at \(http.base) speaks version \(interface) of the Jobs interface; this driver speaks "
                    + "\(Self.interface), which Ray 2 does. Install a Ray 2, or a newer Onepoint."
            )
        }
        return Version(ray: ray, session: json["session_name"]?.stringValue ?? "")
    }

    /// Every job of ours, from one call.
    func jobs() async throws(EngineError) -> [RayJob] {
        let answer = try await http.call("GET", "/api/jobs/")
        guard answer.status == 200 else { throw http.unexpected(answer, to: "GET /api/jobs/") }
        guard let items = try http.json(answer, of: "GET /api/jobs/").arrayValue else {
            throw .unreachable("Ray at \(http.base) answered GET /api/jobs/ with something that is no list.")
        }
        return items.compactMap(RayJob.init)
    }

    /// One job; `nil` when Ray does not know it.
    func job(_ run: RunKey) async throws(EngineError) -> RayJob? {
        let path = "/api/jobs/\(run)"
        let answer = try await http.call("GET", path)
        // A proxy's 404 must not pass for Ray's word.
        if answer.status == 404, answer.excerpt.hasSuffix("does not exist") { return nil }
        guard answer.status == 200 else { throw http.unexpected(answer, to: "GET \(path)") }
        guard let job = RayJob(try http.json(answer, of: "GET \(path)")), job.run == run else {
            throw .unreachable("Ray at \(http.base) answered GET \(path) with something that is not that job.")
        }
        return job
    }

    enum Submission: Hashable, Sendable {
        case accepted
        /// Ray has a job of that name already. It says so with status 500 and a traceback.
        case exists
        /// It will not take it, whoever sends it and however often.
        case refused(String)
    }

    func submit(_ body: JSON) async throws(EngineError) -> Submission {
        let answer = try await http.call("POST", "/api/jobs/", json: body)
        switch answer.status {
        case 200:
            guard try http.json(answer, of: "POST /api/jobs/")["submission_id"] == body["submission_id"] else {
                throw .unreachable("Ray at \(http.base) answered POST /api/jobs/ without the job's name.")
            }
            return .accepted
        case 500 where String(decoding: answer.body, as: UTF8.self).contains("already exists"): return .exists
        case 400: return .refused(Self.lastLine(answer.body))
        default: throw http.unexpected(answer, to: "POST /api/jobs/")
        }
    }

    /// Asks for a stop. Ray answers before anything has happened, and a job that has not started stays as it is.
    func stop(_ run: RunKey) async throws(EngineError) {
        let answer = try await http.call("POST", "/api/jobs/\(run)/stop")
        guard answer.status == 200 || answer.status == 404 else {
            throw http.unexpected(answer, to: "POST /api/jobs/\(run)/stop")
        }
    }

    /// Takes a job out of Ray's memory.
    ///
    /// - Returns: Whether it is gone; Ray refuses while it is pending or runs.
    func delete(_ run: RunKey) async throws(EngineError) -> Bool {
        let answer = try await http.call("DELETE", "/api/jobs/\(run)")
        switch answer.status {
        case 200, 404: return true
        case 500 where String(decoding: answer.body, as: UTF8.self).contains("non-terminal state"): return false
        default: throw http.unexpected(answer, to: "DELETE /api/jobs/\(run)")
        }
    }

    /// The most items that one call of the state interface asks for; more it refuses.
    static let itemsMax = 10_000

    func nodes() async throws(EngineError) -> [RayNode] {
        try await items("nodes", "").compactMap(RayNode.init)
    }

    /// The supervisors of our runs that hold something, of whatever centre.
    func supervisors() async throws(EngineError) -> [RayHolding] {
        try await items("actors", Self.filter("class_name", "JobSupervisor") + Self.filter("state", "ALIVE"))
            .compactMap { RayHolding(supervisor: $0) }
    }

    /// The bundles of all placement groups that hold something.
    func bundles() async throws(EngineError) -> [RayHolding] {
        try await items("placement_groups", Self.filter("state", "CREATED")).flatMap(RayHolding.bundles)
    }

    private static func filter(_ key: String, _ value: String) -> String {
        "&filter_keys=\(key)&filter_predicates=%3D&filter_values=\(value)"
    }

    private func items(_ kind: String, _ filters: String) async throws(EngineError) -> [JSON] {
        let path = "/api/v0/\(kind)?detail=True&limit=\(Self.itemsMax)\(filters)"
        let answer = try await http.call("GET", path)
        guard answer.status == 200 else { throw http.unexpected(answer, to: "GET \(path)") }
        guard let items = try http.json(answer, of: "GET \(path)")["data"]?["result"]?["result"]?.arrayValue else {
            throw .unreachable("Ray at \(http.base) answered GET \(path) with something that is no list of \(kind).")
        }
        return items
    }

    /// What each node has given out.
    ///
    /// - Returns: `nil` where nobody counts it.
    func usage() async throws(EngineError) -> RayCount? {
        let path = "/api/cluster_status"
        let answer = try await http.call("GET", path)
        guard answer.status == 200 else { throw http.unexpected(answer, to: "GET \(path)") }
        let status = try http.json(answer, of: "GET \(path)")["data"]?["clusterStatus"]
        guard case .object(let nodes)? = status?["loadMetricsReport"]?["usageByNode"],
            let taken = status?["time"]?.numberValue
        else { return nil }
        let used: [String: [String: Double]] = Dictionary(
            nodes.map { node, uses -> (String, [String: Double]) in
                guard case .object(let uses) = uses else { return (node, [:]) }
                let amounts = uses.compactMap { name, pair in pair.arrayValue?.first?.numberValue.map { (name, $0) } }
                return (node, Dictionary(amounts, uniquingKeysWith: { first, _ in first }))
            },
            uniquingKeysWith: { first, _ in first }
        )
        return RayCount(taken: taken, used: used)
    }

    /// A resource's name as `/api/cluster_status` has it: `neuron_cores` is `neuronCores` there.
    ///
    /// > Source: Ray 2.60, `to_camel_case` in `dashboard/utils.py`.
    static func spelled(_ resource: String) -> String {
        let words = resource.split(separator: "_", omittingEmptySubsequences: false)
        return words.dropFirst().reduce(words.first.map(String.init) ?? "") { $0 + $1.capitalizedFirst }
    }

    /// What a Python traceback ends with is its sentence.
    static func lastLine(_ body: [UInt8]) -> String {
        let text = String(decoding: body.suffix(4096), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }.map(String.init)
        let sentence = line ?? "it says nothing"
        return sentence.cut(to: 300)
    }
}

extension Substring {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
