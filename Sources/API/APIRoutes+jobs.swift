import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension APIRoutes {
    static let jobEndpoints: [Endpoint] = [
        Endpoint(
            .post,
            "/v1/jobs",
            .member,
            .write,
            "Submit a job, an array or a workflow",
            parameters: [
                .query("project", .name, "Default: the document's, else the caller's only project."),
                .header("Idempotency-Key", .string, "A repeat with the same key finds the first; 1 to 128 characters."),
            ],
            body: .json(WireSchema.documentReference),
            answer: .json(SubmissionView.self, status: 201, "Durably stored. 200 when it repeats an earlier request.")
        ) { call in
            let document = try await call.json(
                limitBytes: documentBytesMax,
                advice: "Upload large inputs as artifacts and name them by digest."
            )
            let made = try await call.point.submit(
                document,
                project: call.query("project"),
                idempotencyKey: call.idempotencyKey(),
                call.caller()
            )
            return made.response
        },
        Endpoint(
            .post,
            "/v1/estimates",
            .member,
            .read,
            "What a submission could expect, without making it",
            parameters: [.query("project", .name, "Default: the document's, else the caller's only project.")],
            body: .json(WireSchema.documentReference),
            answer: .json(EstimatesView.self)
        ) { call in
            let document = try await call.json(
                limitBytes: documentBytesMax,
                advice: "Upload large inputs as artifacts and name them by digest."
            )
            return try call.answer(
                try await call.point.estimate(document, project: call.query("project"), call.caller())
            )
        },
        Endpoint(
            .get,
            "/v1/estimates/accuracy",
            .user,
            .read,
            "How often forecasts of starts and run times came true",
            answer: .json(ForecastAccuracyView.self)
        ) { call in
            _ = try call.caller()
            return try call.answer(try await call.point.forecastAccuracy())
        },
        Endpoint(
            .get,
            "/v1/jobs",
            .user,
            .read,
            "List jobs, the newest first",
            parameters: [
                .query("project", .name, "Of this project."),
                .query("state", .string, "In any of these states, separated by commas."),
                .query("name", .string, "Whose name begins so."),
                .query("workflow", .string, "Of this workflow."), .query("array", .string, "Of this array."),
                .query("centre", .name, "Whose current run is there."),
            ] + paging,
            answer: .json(Page<JobView>.self)
        ) { call in
            let query = JobQuery(
                project: try call.query("project"),
                states: try call.states(),
                namePrefix: call.query("name"),
                workflow: try call.query("workflow"),
                array: try call.query("array"),
                centre: try call.query("centre"),
                cursor: call.query("cursor"),
                limit: try call.limit()
            )
            return try call.answer(try await call.point.jobs(query, call.caller()))
        },
        Endpoint(
            .get,
            "/v1/jobs/{job}",
            .viewer,
            .read,
            "One job with its runs and artifacts",
            answer: .json(JobDetail.self)
        ) { call in
            try call.answer(try await call.point.job(call.path("job"), call.caller()))
        },
        Endpoint(
            .get,
            "/v1/jobs/{job}/why",
            .viewer,
            .read,
            "Why it waits, or why it is where it is",
            answer: .json(WhyView.self)
        ) { call in
            try call.answer(try await call.point.why(call.path("job"), call.caller()))
        },
        Endpoint(
            .post,
            "/v1/jobs/{job}/cancel",
            .member,
            .write,
            "Ask a job to stop",
            answer: .json(JobView.self)
        ) { call in
            try call.answer(try await call.point.cancel(call.path("job"), call.caller()))
        },
        Endpoint(
            .get,
            "/v1/jobs/{job}/logs",
            .viewer,
            .read,
            "What one task printed, as bytes or as a live stream",
            parameters: [
                .query("run", .integer("From 1.", in: 1...1_000_000), "Which attempt; default: the latest."),
                .query("task", .integer("From 0.", in: 0...1_000_000), "Which task; default 0."),
                .query("offset", .integer("In bytes.", in: 0...(.max)), "Where to begin; default 0."),
                .query("limit", .integer("In bytes.", in: 1...1_048_576), "How much at most; default 64 KiB."),
                .query("follow", .boolean, "Stream server-sent events until the log is complete."),
                .header("Last-Event-ID", .string, "Where a stream goes on: the last event's id."),
            ],
            answer: AnswerDescription(
                status: 200,
                content: [("text/plain", .string), ("text/event-stream", .string)],
                text: """
                    Bytes with `Onepoint-Log-Offset` (where the next piece begins) and `Onepoint-Log-Complete`; or events \
                    `log` (`run`, `offset`, and `text` or `base64`) and `end`, whose ids are offsets.
                    """
            )
        ) { call in try await call.logs() },
        Endpoint(
            .post,
            "/v1/arrays/{array}/cancel",
            .member,
            .write,
            "Ask every job of an array to stop",
            answer: .json(schema: .object(["asked": .integer("How many jobs were asked.")], required: ["asked"]))
        ) { call in
            try call.answer(["asked": try await call.point.cancelArray(call.path("array"), call.caller())])
        },
    ]

    static let workflowEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/workflows",
            .user,
            .read,
            "List workflows, the newest first",
            parameters: [.query("project", .name, "Of this project.")] + paging,
            answer: .json(Page<WorkflowView>.self)
        ) { call in
            let page = try await call.point.workflows(
                project: call.query("project"),
                cursor: call.query("cursor"),
                limit: call.limit(),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .get,
            "/v1/workflows/{workflow}",
            .viewer,
            .read,
            "One workflow as a graph",
            answer: .json(WorkflowView.self)
        ) { call in
            try call.answer(try await call.point.workflow(call.path("workflow"), call.caller()))
        },
        Endpoint(
            .post,
            "/v1/workflows/{workflow}/cancel",
            .member,
            .write,
            "Ask every job of a workflow to stop",
            answer: .json(schema: .object(["asked": .integer("How many jobs were asked.")], required: ["asked"]))
        ) { call in
            try call.answer(["asked": try await call.point.cancelWorkflow(call.path("workflow"), call.caller())])
        },
    ]

    static let paging: [ParameterDescription] = [
        .query("cursor", .string, "`next` of the page before."),
        .query("limit", .integer("A count.", in: 1...500), "Items of a page; default 50."),
    ]
}

extension Call {
    /// The client's key for repeats.
    func idempotencyKey() throws(Failure) -> String? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...128).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(.malformed, "An Idempotency-Key has 1 to 128 visible ASCII characters; a UUID is fine.")
        }
        return key
    }

    fileprivate func states() throws(Failure) -> Set<JobState> {
        var states: Set<JobState> = []
        for part in (query("state") ?? "").split(separator: ",") {
            guard let state = JobState(rawValue: String(part)) else {
                let known = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.malformed, "'\(part.prefix(50))' is no state of a job; there are \(known).")
            }
            states.insert(state)
        }
        return states
    }
}

extension SubmissionView {
    /// Where to look at what was made.
    private var location: String {
        if let job { return "/v1/jobs/\(job)" }
        if let workflow { return "/v1/workflows/\(workflow)" }
        return array.map { "/v1/jobs?array=\($0)" } ?? "/v1/jobs"
    }

    /// Written by hand, because submissions are the hot path; the same bytes as `WireJSON` makes.
    var response: Response {
        var body = ByteBuffer()
        body.reserveCapacity(160)
        body.writeString("{")
        if let array { body.writeString("\"array\":\"\(array)\",") }
        body.writeString("\"count\":\(count),")
        if let job { body.writeString("\"job\":\"\(job)\",") }
        body.writeString("\"project\":\"\(project)\",\"replayed\":\(replayed)")
        if let workflow { body.writeString(",\"workflow\":\"\(workflow)\"") }
        body.writeString("}")
        return Response(
            status: replayed ? .ok : .created,
            headers: [.contentType: Call.jsonType, .location: location],
            body: .init(byteBuffer: body)
        )
    }
}
