public import Core
import HTTPTypes
import Wire

extension APIRoutes {
    /// The OpenAPI 3.1 document of every route, made from the same table that registers them.
    public static func openAPI(version: String) -> JSON {
        var paths: [(key: String, value: JSON)] = []
        for template in endpoints.map(\.template).uniqued() {
            let operations = endpoints.filter { $0.template == template }.map {
                ($0.method.rawValue.lowercased(), operation($0))
            }
            paths.append((template, .object(pathParameters(template) + operations)))
        }
        return .object([
            ("openapi", .string("3.1.0")),
            (
                "info",
                .object([
                    ("title", .string("Onepoint")), ("version", .string(version)),
                    (
                        "description",
                        .string(
                            "Schedules jobs over federated computing centres. Errors are problems (RFC 9457); lists go "
                                + "on where `next` says; times are RFC 3339 in UTC; counts and money are integers."
                        )
                    ),
                ])
            ),
            ("paths", .object(paths)),
            ("components", .object([("schemas", .object(schemas())), ("securitySchemes", securitySchemes)])),
        ])
    }

    private static let securitySchemes: JSON = .object([
        (
            "token",
            .object([
                ("type", .string("http")), ("scheme", .string("bearer")),
                ("description", .string("A user's token. Each operation needs the scope in `x-scope`.")),
            ])
        ),
        (
            "session",
            .object([
                ("type", .string("apiKey")), ("in", .string("cookie")), ("name", .string("onepoint_session")),
                ("description", .string("The console's session; for reading only.")),
            ])
        ),
        (
            "agent",
            .object([
                ("type", .string("http")), ("scheme", .string("bearer")),
                ("description", .string("An agent's key, from joining.")),
            ])
        ),
    ])

    private static func pathParameters(_ template: String) -> [(key: String, value: JSON)] {
        let names = template.split(separator: "/").filter { $0.hasPrefix("{") }.map {
            String($0.dropFirst().dropLast())
        }
        guard !names.isEmpty else { return [] }
        let parameters = names.map { name in
            JSON.object([
                ("name", .string(name)), ("in", .string("path")), ("required", .bool(true)),
                ("schema", pathSchema(name).json),
            ])
        }
        return [("parameters", .array(parameters))]
    }

    private static func pathSchema(_ name: String) -> Schema {
        switch name {
        case "project", "centre", "user", "reservation", "simulation": .name
        case "digest": .digest
        case "job": .identifier("job")
        case "array": .identifier("arr")
        case "workflow": .identifier("wf")
        case "token": .identifier("tok")
        case "upload": .identifier("up")
        case "task": .integer("From 0.")
        default: .string
        }
    }

    private static func operation(_ endpoint: Endpoint) -> JSON {
        var members: [(key: String, value: JSON)] = [
            ("operationId", .string(operationID(endpoint))), ("summary", .string(endpoint.summary)),
            ("x-access", .string(endpoint.access.rawValue)),
        ]
        if let scope = endpoint.scope { members.append(("x-scope", .string(scope.rawValue))) }
        if !endpoint.parameters.isEmpty { members.append(("parameters", .array(endpoint.parameters.map(parameter)))) }
        switch endpoint.body {
        case .none: break
        case .json(let schema, let required):
            members.append(("requestBody", body("application/json", schema, isRequired: required)))
        case .bytes: members.append(("requestBody", body("application/octet-stream", .string, isRequired: false)))
        }
        members.append(("responses", responses(endpoint)))
        members.append(("security", security(endpoint)))
        return .object(members)
    }

    /// `get_v1_jobs_job_why`.
    private static func operationID(_ endpoint: Endpoint) -> String {
        let words = endpoint.template.split { "/{}.".contains($0) }.map { String($0).replacing("-", with: "_") }
        return ([endpoint.method.rawValue.lowercased()] + words).joined(separator: "_")
    }

    private static func parameter(_ parameter: ParameterDescription) -> JSON {
        .object([
            ("name", .string(parameter.name)), ("in", .string(parameter.place.rawValue)),
            ("required", .bool(parameter.isRequired)), ("description", .string(parameter.text)),
            ("schema", parameter.schema.json),
        ])
    }

    private static func body(_ type: String, _ schema: Schema, isRequired: Bool) -> JSON {
        .object([
            ("required", .bool(isRequired)), ("content", .object([(type, .object([("schema", schema.json)]))])),
        ])
    }

    private static func responses(_ endpoint: Endpoint) -> JSON {
        var good: [(key: String, value: JSON)] = [("description", .string(endpoint.answer.text))]
        if endpoint.method != .head, !endpoint.answer.content.isEmpty {
            let content = endpoint.answer.content.map { ($0.type, JSON.object([("schema", $0.schema.json)])) }
            good.append(("content", .object(content)))
        }
        let problem: JSON = .object([
            ("description", .string("What went wrong, as a problem.")),
            (
                "content",
                .object([(Problem.mediaType, .object([("schema", Schema.component("Problem").json)]))])
            ),
        ])
        return .object([("\(endpoint.answer.status)", .object(good)), ("default", problem)])
    }

    private static func security(_ endpoint: Endpoint) -> JSON {
        func need(_ scheme: String) -> JSON { .object([(scheme, .array([]))]) }
        return switch endpoint.access {
        case .public: .array([])
        case .agent: .array([need("agent")])
        case .user, .viewer, .member, .owner, .operator:
            .array(endpoint.method == .get ? [need("token"), need("session")] : [need("token")])
        }
    }

    private static func schemas() -> [(key: String, value: JSON)] {
        var schemas = WireSchema()
        for describe in describedTypes { describe(&schemas) }
        assert(schemas.unread.isEmpty, "fields are missing from the document: \(schemas.unread)")
        return (schemas.components + [("Problem", problemSchema), ("Document", documentSchema)])
            .sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.json) }
    }

    /// Every type that the table refers to.
    private static let describedTypes: [@Sendable (inout WireSchema) -> Void] = [
        { _ = $0.schema(of: WhoAmI.self) }, { _ = $0.schema(of: User.self) }, { _ = $0.schema(of: ProjectView.self) },
        { _ = $0.schema(of: TokenView.self) }, { _ = $0.schema(of: IssuedToken.self) },
        { _ = $0.schema(of: CentreView.self) }, { _ = $0.schema(of: JoinView.self) },
        { _ = $0.schema(of: Page<ReservationView>.self) },
        { _ = $0.schema(of: Page<SimulationSummary>.self) }, { _ = $0.schema(of: SimulationDetail.self) },
        { _ = $0.schema(of: CapacityView.self) }, { _ = $0.schema(of: OverviewView.self) },
        { _ = $0.schema(of: Accelerator.self) }, { _ = $0.schema(of: SubmissionView.self) },
        { _ = $0.schema(of: Page<JobView>.self) }, { _ = $0.schema(of: JobDetail.self) },
        { _ = $0.schema(of: WhyView.self) },
        { _ = $0.schema(of: EstimatesView.self) }, { _ = $0.schema(of: ForecastAccuracyView.self) },
        { _ = $0.schema(of: Page<WorkflowView>.self) },
        { _ = $0.schema(of: Page<EventView>.self) }, { _ = $0.schema(of: MissingBlobs.self) },
        { _ = $0.schema(of: UploadView.self) }, { _ = $0.schema(of: BlobView.self) },
        { _ = $0.schema(of: TreeManifest.self) }, { _ = $0.schema(of: BalanceView.self) },
        { _ = $0.schema(of: Page<RepositoryView>.self) }, { _ = $0.schema(of: RepositoryDetail.self) },
        { _ = $0.schema(of: RepositoryStats.self) }, { _ = $0.schema(of: CollectionView.self) },
        { _ = $0.schema(of: AccessRequestView.self) }, { _ = $0.schema(of: LineageView.self) },
        { _ = $0.schema(of: SampleView.self) }, { _ = $0.schema(of: Page<ReleaseView>.self) },
        { _ = $0.schema(of: Page<SampleItemView>.self) },
        { _ = $0.schema(of: SampleRecordView.self) }, { _ = $0.schema(of: Page<VerdictView>.self) },
        { _ = $0.schema(of: Page<LedgerEntryView>.self) }, { _ = $0.schema(of: Page<UsageView>.self) },
        { _ = $0.schema(of: JoinResponse.self) }, { _ = $0.schema(of: ExchangeRequest.self) },
        { _ = $0.schema(of: ExchangeResponse.self) }, { _ = $0.schema(of: LogPosition.self) },
        { _ = $0.schema(of: Membership.self) },
    ]

    private static let documentSchema = Schema(
        type: "object",
        [
            (
                "description",
                .string(
                    "A job or array as `docs/reference/job.schema.json` says, or a workflow as "
                        + "`docs/reference/workflow.schema.json` says (it has the key `workflow`). Unknown keys are faults."
                )
            )
        ]
    )

    private static let problemSchema = Schema.object(
        [
            "type": .string, "title": .string, "status": .integer("The HTTP status."), "detail": .string,
            "code": .choice(ProblemKind.all.map(\.code)), "instance": .string, "request_id": .string,
            "errors": .array(
                of: .object(["pointer": .string, "message": .string], required: ["pointer", "message"])
            ),
            "retry_after_ms": .integer("In milliseconds."),
        ],
        required: ["type", "title", "status", "detail", "code"]
    )
}

extension Sequence where Element: Hashable {
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
