import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Jobs
import NIOCore
import Wire

/// `hf jobs`: the scheduler as clients of the Hub drive theirs. A namespace is a project.
extension HubFace {
    /// Marks what is not there as a job, which clients tell from a repository by its address.
    static let jobNote = "hub job"
    static let noSchedules = Failure(
        .invalid,
        "Onepoint keeps no schedules of jobs yet: call 'hf jobs run' from a timer of yours."
    )
    static let noBuckets = Failure(
        .invalid,
        """
        There are no buckets here. What a job is to read goes into a repository: 'hf upload', then mount it with \
        '-v hf://datasets/PROJECT/NAME:/path'. So must a local script; 'hf jobs uv run' would put it into a bucket.
        """
    )
    private static let pageMax = 500

    /// Everything below `/api/jobs/`.
    func jobRoute(_ call: HubCall) async throws -> Response {
        let method = call.request.method == .head ? .get : call.request.method
        // Small, and read before it may be refused: then the connection can go on.
        let body = method == .get ? JSON.null : try await call.json()
        let caller = try call.caller.unwrapped()
        let names = Array(call.path.dropFirst(2))
        do {
            try Self.require(method == .get ? .read : .write, of: caller)
            if method == .get, names == ["hardware"] { return try await hardware(call, caller) }
            guard let namespace = names.first, names.count <= 3 else { throw Self.unknownRoute }
            let project = try await project(namespace, caller)
            guard names.count > 1 else {
                switch method {
                case .get: return try await list(call, project, caller)
                case .post: return try await run(try HubJobRequest(body), call, project, caller)
                default: throw Self.unknownRoute
                }
            }
            let detail = try await find(names[1], in: project, caller)
            switch (method, names.count > 2 ? names[2] : nil) {
            case (.get, nil): return call.answer(try await info(detail, caller))
            case (.get, "logs"): return try await logs(call, detail, caller)
            case (.post, "cancel"):
                _ = try await point.cancel(detail.summary.job, caller)
                return call.answer(try await info(try await point.job(detail.summary.job, caller), caller))
            case (.post, "duplicate"):
                guard let request = HubJobRequest(of: detail.spec) else {
                    throw Failure(.invalid, "Job \(names[1]) did not come by 'hf jobs': submit its file again.")
                }
                return try await run(request, call, project, caller)
            case (.get, "metrics"):
                throw Failure(.invalid, "What a job uses is told once it has ended: 'onepoint job \(names[1])'.")
            case (.put, "labels"):
                throw Failure(.invalid, "The labels of a job stay as they were when it was submitted.")
            case (.put, "expose"):
                throw Failure(.invalid, "Nobody outside can reach a job here, so it has no ports to expose.")
            default: throw Self.unknownRoute
            }
        } catch let failure as Failure where failure.code == .notFound && failure.note == nil {
            throw Failure(.notFound, failure.detail, note: Self.jobNote)
        } catch let failure as Failure where !failure.violations.isEmpty {
            // Clients show one text and no list.
            let faults = failure.violations.map { "\($0.pointer): \($0.message)" }
            throw Failure(failure.code, "\(failure.detail) \(faults.joined(separator: "; "))", note: failure.note)
        }
    }

    /// `/jobs/demo/job-…`, which clients print: the console's page.
    func jobPage(_ call: HubCall) throws -> Response {
        guard call.path.count == 3, call.path[0] == "jobs", let job = JobID(call.path[2]) else {
            throw Self.unknownRoute
        }
        return Response(status: .seeOther, headers: [.location: "/console/jobs/\(job)"])
    }

    /// The same rule as for our own API: a token of scope `admin` stands for every other.
    private static func require(_ scope: Token.Scope, of caller: Principal) throws {
        guard caller.scopes.contains(scope) || caller.scopes.contains(.admin) else {
            throw Failure(.forbidden, "This token lacks the scope '\(scope.rawValue)'.")
        }
    }

    /// The project that a namespace names. Clients that were told none give the user's own name; it then stands for the
    /// project that the token is confined to, or for the user's only one.
    private func project(_ namespace: String, _ caller: Principal) async throws -> ProjectName {
        guard let name = ProjectName(namespace) else {
            throw Failure(.notFound, "There is no project '\(namespace.prefix(80))' that you can see.")
        }
        guard namespace == caller.user.text else { return name }
        let own = try await repositories.projects(of: caller).map(\.project)
        if own.contains(name) { return name }
        if let project = caller.project { return project }
        if own.count == 1, let only = own.first { return only }
        throw Failure(
            .invalid,
            own.isEmpty
                ? "You are in no project yet, so there is no place for a job of yours."
                : "Say in which of your projects, with '--namespace': \(own.map(\.text).joined(separator: ", "))."
        )
    }

    private func find(_ text: String, in project: ProjectName, _ caller: Principal) async throws -> JobDetail {
        let unknown = Failure(.notFound, "There is no job '\(text.prefix(80))' in '\(project)' that you can see.")
        guard let id = JobID(text) else { throw unknown }
        do {
            let detail = try await point.job(id, caller)
            guard detail.summary.project == project else { throw unknown }
            return detail
        } catch let failure as Failure where failure.code == .notFound {
            throw unknown
        }
    }

    private func hardware(_ call: HubCall, _ caller: Principal) async throws -> Response {
        call.answer(.array(HubFlavor.all(of: try await point.centres(caller)).map(\.json)))
    }

    private func run(
        _ request: HubJobRequest,
        _ call: HubCall,
        _ project: ProjectName,
        _ caller: Principal
    ) async throws -> Response {
        let flavors = HubFlavor.all(of: try await point.centres(caller))
        guard let flavor = HubFlavor.named(request.flavor, among: flavors) else {
            throw Failure(
                .invalid,
                flavors.isEmpty
                    ? "No centre is connected now that takes work."
                    : "There is no flavor '\(request.flavor.prefix(80))' here now. There are: "
                        + flavors.map(\.name).joined(separator: ", ") + "."
            )
        }
        let made = try await point.submit(
            request.document(on: flavor),
            project: project,
            idempotencyKey: nil,
            caller
        )
        guard let job = made.job else { throw Failure(.internal, "The submission made no job.") }
        return call.answer(try await info(try await point.job(job, caller), caller))
    }

    // MARK: Telling

    /// The newest first, a page at a time: a page may hold fewer than fit on it, when filters leave some out.
    private func list(_ call: HubCall, _ project: ProjectName, _ caller: Principal) async throws -> Response {
        let stages = Set(call.all("stage").map { $0.uppercased() })
        let labels = try call.all("label").map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Failure(.invalid, "A label is looked for as 'key=value'.") }
            return (key: String(parts[0]), value: String(parts[1]))
        }
        let states = Set(stages.flatMap { HubStage(rawValue: $0)?.states ?? [] })
        guard stages.isEmpty || !states.isEmpty else { return call.answer(.array([])) }
        let query = JobQuery(
            project: project,
            states: states,
            cursor: call.query("cursor"),
            limit: min(max(call.query("limit").flatMap { Int($0) } ?? Self.pageMax, 1), Self.pageMax)
        )
        let page = try await point.specifiedJobs(query, caller)
        let items = page.items.compactMap { job -> JSON? in
            let stage = HubStage(job.summary)
            guard stages.isEmpty || stages.contains(stage.rawValue) else { return nil }
            let request = HubJobRequest(of: job.spec)
            let given = request?.labels ?? [(key: "name", value: job.spec.name)]
            guard labels.allSatisfy({ label in given.contains { $0 == label } }) else { return nil }
            return Self.info(job.summary, job.spec, request, message: job.summary.detail, at: clock())
        }
        let link = page.next.map { call.pageLink(cursor: $0) }
        return call.answer(.array(items), headers: link.map { [.link: $0] } ?? [:])
    }

    /// With why it is where it is: the reason for which it waits, or what it failed of.
    private func info(_ detail: JobDetail, _ caller: Principal) async throws -> JSON {
        let summary = detail.summary
        let message =
            summary.state.isTerminal ? summary.detail : try await point.why(summary.job, caller).headline
        return Self.info(summary, detail.spec, HubJobRequest(of: detail.spec), message: message, at: clock())
    }

    private static func info(
        _ job: JobView,
        _ spec: JobSpec,
        _ request: HubJobRequest?,
        message: String?,
        at now: Instant
    ) -> JSON {
        func seconds(_ from: Instant?, _ to: Instant?) -> JSON {
            guard let from, let to else { return .null }
            return .integer(max(0, (to - from).milliseconds / 1000))
        }
        let end = job.endedAt ?? now
        let labels = request?.labels ?? [(key: "name", value: spec.name)]
        let volumes = request?.volumes.map { volume in
            // What it runs on, whatever the name of the revision means by now.
            let pinned = spec.inputs.first { $0.name == volume.inputName }?.origin?.revision.text
            return JSON.members([
                "type": .string(volume.type), "source": .string("\(volume.source)"),
                "mountPath": .string(volume.mountPath),
                "revision": (pinned ?? volume.revision).map { .string($0) }, "readOnly": true,
                "path": volume.path.map { .string($0) },
            ])
        }
        return .members([
            "id": .string("\(job.job)"), "createdAt": .string(job.submittedAt.rfc3339),
            "startedAt": job.startedAt.map { .string($0.rfc3339) } ?? .null,
            "finishedAt": job.endedAt.map { .string($0.rfc3339) } ?? .null,
            "dockerImage": request.map { .string($0.image) } ?? .null, "spaceId": .null,
            "command": .list(request?.command ?? spec.command), "arguments": .list(request?.arguments ?? []),
            "environment": spec.sortedEnvironment, "secrets": .object([]),
            "flavor": request.map { .string($0.flavor) } ?? .null,
            "labels": .object(labels.map { (key: $0.key, value: .string($0.value)) }),
            "volumes": .array(volumes ?? []), "timeoutSeconds": .integer(Int64(job.timeLimitSeconds)),
            "retry": .integer(Int64(spec.retries.limit)),
            "status": .members([
                "stage": .string(HubStage(job).rawValue), "message": message.map { .string($0) } ?? .null,
            ]),
            "durations": .members([
                "schedulingSecs": seconds(job.submittedAt, job.startedAt),
                "runningSecs": seconds(job.startedAt, job.startedAt.map { max($0, end) }),
                "totalSecs": seconds(job.submittedAt, end),
            ]),
            "owner": .members([
                "id": .string(job.project.text), "name": .string(job.project.text), "type": "org",
            ]),
            "initiator": .members([
                "type": "user", "id": .string(job.user.text), "name": .string(job.user.text),
            ]),
        ])
    }

    // MARK: Logs

    /// A live stream of what the job prints, from its first attempt on, or from its last lines with `tail`. It ends when
    /// the job has ended.
    private func logs(_ call: HubCall, _ detail: JobDetail, _ caller: Principal) async throws -> Response {
        let log = HubJobLog(point: point, job: detail.summary.job, caller: caller, clock: clock)
        var start = HubJobLog.Position()
        if let count = call.query("tail").flatMap({ Int($0) }) { start = try await log.tail(of: detail, lines: count) }
        let first = start
        return try await .events(for: call.request, in: call.context, from: first) { position, wait in
            guard wait > .zero else { return try await log.look(at: position) }
            do {
                let deadline = now() + wait
                var position = position
                // Nothing is sent before there is something, or the whole time is over: clients that do not follow take
                // a silence of some seconds for the end.
                while true {
                    try await log.wait(at: position, atMost: deadline - now())
                    // Who lost the right to look meanwhile does not see the rest.
                    _ = try await identity(call.request, call.context).unwrapped()
                    let batch = try await log.look(at: position)
                    if batch.isLast || !batch.events.isEmpty || now() >= deadline { return batch }
                    position = batch.next
                    try Task.checkCancellation()
                }
            } catch let failure as Failure where failure.code != .internal {
                // Clients look at the job next, and are told there.
                return EventBatch(events: [], next: position, isLast: true)
            }
        }
    }
}

/// The Hub's word for where a job is.
enum HubStage: String, Sendable {
    case scheduling = "SCHEDULING"
    case running = "RUNNING"
    case completed = "COMPLETED"
    case canceled = "CANCELED"
    case error = "ERROR"

    init(_ job: JobView) {
        switch job.state {
        case .queued: self = .scheduling
        case .active:
            switch job.runState {
            case .leased, .submitting, .pending, nil: self = .scheduling
            case .running, .succeeded, .failed, .cancelled, .preempted, .lost: self = .running
            }
        case .succeeded: self = .completed
        case .failed: self = .error
        case .cancelled: self = .canceled
        }
    }

    /// The states that it may stand for.
    var states: Set<JobState> {
        switch self {
        case .scheduling: [.queued, .active]
        case .running: [.active]
        case .completed: [.succeeded]
        case .canceled: [.cancelled]
        case .error: [.failed]
        }
    }
}
