internal import Core
internal import Synchronization

/// Slurm by its REST service, slurmrestd, with a JSON Web Token.
///
/// > Source: Slurm REST API, https://slurm.schedmd.com/rest.html, and `docs/protocols/slurm.md` for what was seen.
final class SlurmREST: SlurmAccess {
    private let http: EngineHTTP
    private let dialect = Mutex<SlurmDialect?>(nil)
    private let last = Mutex<(list: LastList?, changes: Int)>((nil, 0))

    /// What the controller said of all jobs.
    private struct LastList {
        var jobs: [SlurmJob]
        /// Asked for just before: as long as they are the same, the list was not overtaken.
        var states: [String: [String]]
        var at: ContinuousClock.Instant
        /// How many changes of ours had begun or ended by then.
        var changes: Int
    }

    /// Beyond it a list is no answer any more, for reasons change without a state.
    private static let listAgeMax = Duration.seconds(60)
    /// More are not asked for by their numbers, since an address has no room for them.
    private static let numbersMax = 200

    init(_ service: SlurmEngine.Configuration.Service) {
        let socket = service.address.hasPrefix("unix:") ? String(service.address.dropFirst(5)) : nil
        var address = socket.map { "http+unix://\($0.percentEncoded)" } ?? service.address
        while address.hasSuffix("/") { address.removeLast() }
        http = EngineHTTP(
            name: "slurmrestd",
            base: address,
            token: .file(service.tokenFile),
            // The older generation takes no `Authorization`.
            tokenHeader: ("X-SLURM-USER-TOKEN", ""),
            headers: [("X-SLURM-USER-NAME", service.user)],
            // A frozen controller is answered for after 10 to 18 s.
            timeout: .seconds(60)
        )
    }

    /// States, and then perhaps the list.
    var callsOfReading: Int { dialect.withLock { $0?.tellsStates } == true ? 2 : 1 }

    func version() async throws(EngineError) -> String {
        // `/ping` says 200 to a wrong token as well.
        let json = try await get("/diag/")
        return SlurmDialect.release(json) ?? "of unknown version"
    }

    func jobs() async throws(EngineError) -> [SlurmJob] {
        try list(try await get("/jobs/"), "jobs").compactMap { SlurmDialect.job($0) }
    }

    func jobs(among numbers: Set<String>) async throws(EngineError) -> [SlurmJob] {
        guard try await negotiated().tellsStates else { return try await jobs() }
        let (list, changes) = last.withLock { ($0.list, $0.changes) }
        let known = Set((list?.jobs ?? []).map(\.number))
        // Asked for even if it must be listed anew: the next time they tell whether that must be again.
        let states = known.isEmpty ? nil : try await states(of: known)
        if let list, list.changes == changes, list.states == states, numbers.isSubset(of: known),
            ContinuousClock.now - list.at < Self.listAgeMax
        {
            return list.jobs
        }
        let jobs = try await jobs()
        last.withLock {
            $0.list = LastList(jobs: jobs, states: states ?? [:], at: .now, changes: changes)
        }
        return jobs
    }

    /// - Returns: `nil` when the service does not tell, for whatever reason: the list will.
    private func states(of numbers: Set<String>) async throws(EngineError) -> [String: [String]]? {
        let named = numbers.count > Self.numbersMax ? [] : numbers.sorted().map { "job_id=\($0)" }
        let path = "/jobs/state/" + (named.isEmpty ? "" : "?" + named.joined(separator: "&"))
        do throws(EngineError) {
            return SlurmDialect.states(try await get(path), of: numbers)
        } catch {
            return nil
        }
    }

    /// Does what may change jobs: lists from before it, or from beside it, are not for use after it.
    private func changing<Value>(
        _ change: () async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        last.withLock { $0.changes += 1 }
        defer { last.withLock { $0.changes += 1 } }
        return try await change()
    }

    func past(_ names: [String]) async throws(EngineError) -> [SlurmJob]? {
        let dialect = try await negotiated()
        // The one form that all versions read.
        let since = (Machine.now() - .seconds(86_400 * SlurmEngine.pastDays)).description.prefix(10)
        let path =
            "\(dialect.pastPath)/jobs/?job_name=\(names.joined(separator: ",").percentEncoded)&start_time=\(since)"
        let answer = try await http.call("GET", path)
        // Without the plugin of accounting there is no such path.
        if answer.status == 404 { return nil }
        let json = try http.json(answer, of: "GET \(dialect.pastPath)/jobs/")
        // 22.05 says with an error and 200 that it has found nothing, and also that its database is away.
        let faults = SlurmDialect.faults(json).filter { $0.number != 9003 }
        if faults.contains(where: { $0.text.contains("accounting storage is disabled") }) { return nil }
        guard answer.status == 200, faults.allSatisfy({ $0.number == 0 && $0.text.isEmpty }) else {
            throw failure(json, answer.status, "GET \(dialect.pastPath)/jobs/")
        }
        return try list(json, "jobs").compactMap { SlurmDialect.pastJob($0) }.filter(\.hasEnded)
    }

    func nodes() async throws(EngineError) -> [SlurmNode] {
        try list(try await get("/nodes/"), "nodes").compactMap { SlurmDialect.node($0) }
    }

    private func list(_ json: JSON, _ key: String) throws(EngineError) -> [JSON] {
        guard let items = json[key]?.arrayValue else {
            throw .unreachable("slurmrestd at \(http.base) answered without '\(key)'; is it of another version?")
        }
        return items
    }

    func submit(_ submission: SlurmSubmission) async throws(EngineError) -> String {
        let dialect = try await negotiated()
        let body = dialect.body(submission, environment: Self.environment(OwnEnvironment.all))
        let (json, status) = try await changing { () throws(EngineError) in
            try await call("POST", "\(dialect.path)/job/submit", body)
        }
        // A job that is held is told with an error and its number; a body of a wrong type with success and none.
        if status == 200, let id = SlurmDialect.number(json["job_id"]), id > 0 { return "\(id)" }
        throw failure(json, status, "submit \(submission.name)")
    }

    /// The whole array, whichever elements are meant: 24.11 takes no other name here. 22.05 says of an array that it failed,
    /// without a number, when it did not.
    func release(_ number: String, elements: [Int]) async throws(EngineError) {
        let dialect = try await negotiated()
        let (json, status) = try await changing { () throws(EngineError) in
            try await call("POST", "\(dialect.path)/job/\(number)", dialect.release)
        }
        let faults = SlurmDialect.faults(json)
        guard Self.isGone(faults) || status == 200 && faults.allSatisfy({ $0.number == 0 }) else {
            throw failure(json, status, "release job \(number)")
        }
    }

    func cancel(_ number: String, elements: [Int]) async throws(EngineError) {
        let dialect = try await negotiated()
        let name = SlurmCommandLine.name(number, elements)
        let (json, status) = try await changing { () throws(EngineError) in
            if dialect.takesLists, elements.count > 1 {
                try await call(
                    "DELETE",
                    "\(dialect.path)/jobs/",
                    .object([("jobs", .array(elements.map { .string("\(number)_\($0)") }))])
                )
            } else {
                try await call(
                    "DELETE",
                    "\(dialect.path)/job/\(elements.count == 1 ? "\(number)_\(elements[0])" : name.percentEncoded)",
                    nil
                )
            }
        }
        let faults = SlurmDialect.faults(json)
        guard Self.isGone(faults) || status == 200 && faults.allSatisfy({ $0.number == 0 }) else {
            throw failure(json, status, "cancel job \(name)")
        }
    }

    /// Running, over, or forgotten.
    private static func isGone(_ faults: [(number: Int64, text: String)]) -> Bool {
        faults.contains { $0.number == invalidJobID || $0.text.contains("already finished") }
    }

    /// > Source: `slurm_errno.h`, ESLURM_INVALID_JOB_ID.
    private static let invalidJobID: Int64 = 2017

    private var tokenName: String { http.token.name ?? "the token" }

    // MARK: Calls

    private func get(_ path: String) async throws(EngineError) -> JSON {
        let dialect = try await negotiated()
        let (json, status) = try await call("GET", dialect.path + path, nil)
        guard status == 200, SlurmDialect.faults(json).allSatisfy({ $0.number == 0 }) else {
            // A service that was exchanged for another version is asked anew what it speaks.
            if status == 404 { self.dialect.withLock { $0 = nil } }
            throw failure(json, status, "GET \(path)")
        }
        return json
    }

    private func call(_ method: String, _ path: String, _ body: JSON?) async throws(EngineError) -> (JSON, Int) {
        let answer = try await http.call(method, path, json: body)
        guard answer.status != 401 else { throw http.unexpected(answer, to: "\(method) \(path)") }
        return (try http.json(answer, of: "\(method) \(path)"), answer.status)
    }

    /// The newest version that both know.
    private func negotiated() async throws(EngineError) -> SlurmDialect {
        if let known = dialect.withLock({ $0 }) { return known }
        let answer = try await http.call("GET", "/openapi/v3")
        guard answer.status == 200 else { throw http.unexpected(answer, to: "GET /openapi/v3") }
        let document = try http.json(answer, of: "GET /openapi/v3")
        guard case .object(let paths)? = document["paths"] else {
            throw .unreachable("\(http.base) is no slurmrestd: its OpenAPI document has no paths. Correct the address.")
        }
        let found = SlurmDialect.known.first { dialect in paths.contains { $0.key.hasPrefix(dialect.path + "/") } }
        guard let found else {
            throw .unreachable(
                "slurmrestd at \(http.base) speaks none of the versions v0.0.36 to v0.0.42. Start it with one of them "
                    + "(-s openapi/v0.0.38, or -d v0.0.42), or use Slurm's commands."
            )
        }
        dialect.withLock { $0 = found }
        return found
    }

    /// A refusal only in the controller's own words: 500 and an error of -1 come alike from a controller that is down
    /// and for a token that is not good.
    private func failure(_ json: JSON, _ status: Int, _ what: String) -> EngineError {
        let faults = SlurmDialect.faults(json).filter { $0.number != 0 || !$0.text.isEmpty }
        let text = faults.map(\.text).joined(separator: "; ").prefix(400)
        if faults.contains(where: { SlurmRefusal.isMeant(by: $0.text) }) {
            return .refused("Slurm refuses it: \(text)")
        }
        if faults.contains(where: { $0.number == 5005 || $0.number == 1007 }) || status == 511 {
            return .unreachable(
                "slurmrestd at \(http.base) does not accept \(tokenName) (\(what)): \(text). Write a "
                    + "valid one there, as `scontrol token` makes it."
            )
        }
        return .unreachable(
            "slurmrestd at \(http.base) answered \(status) to \(what): \(text.isEmpty ? "no reason" : text). Its controller is "
                + "down, or \(tokenName) is wrong or expired."
        )
    }

    /// What a job's script finds; Slurm refuses a job without any.
    private static func environment(_ all: [String]) -> [(name: String, value: String)] {
        let kept = all.compactMap { text -> (name: String, value: String)? in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return parts.count == 2 && ["HOME", "PATH", "LANG"].contains(parts[0]) ? (parts[0], parts[1]) : nil
        }
        return kept.contains { $0.name == "PATH" } ? kept : kept + [("PATH", "/usr/local/bin:/usr/bin:/bin")]
    }
}

/// What only a controller that was reached says. Everything else proves nothing.
///
/// > Source: `slurm_errno.h` of Slurm 22.05, texts of `slurm_strerror`.
enum SlurmRefusal {
    private static let phrases = [
        "Invalid job id", "Requested node configuration is not available", "Invalid account", "invalid partition",
        "Invalid partition", "Invalid qos", "Requested time limit", "exceeds", "Job violates accounting",
        "Invalid generic resource", "Memory required by task", "Unable to allocate", "More processors requested",
        "Requested partition configuration", "Access/permission denied", "User's group not permitted",
        "CPU count per node can not be satisfied", "Node count specification invalid", "already finished",
    ]

    static func isMeant(by text: String) -> Bool { phrases.contains { text.contains($0) } }
}
