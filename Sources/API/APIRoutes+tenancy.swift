import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let tenancyEndpoints: [Endpoint] = [
        Endpoint(.get, "/v1/whoami", .user, .read, "Who the caller is", answer: .json(WhoAmI.self)) { call in
            try call.answer(try await call.point.whoami(call.caller()))
        },
        Endpoint(.get, "/v1/users", .operator, .read, "List users", answer: .json([User].self)) { call in
            try call.answer(try await call.point.users(call.caller()))
        },
        Endpoint(
            .post,
            "/v1/users",
            .operator,
            .admin,
            "Add a user",
            body: .json(.object(["name": .name, "is_operator": .boolean], required: ["name"])),
            answer: .json(User.self, status: 201)
        ) { call in
            let user = try await call.body { reader in
                let isOperator = reader.optionalBool("is_operator") ?? false
                return reader.name("name", as: UserName.self).map { User(name: $0, isOperator: isOperator) }
            }
            return try call.answer(
                try await call.point.createUser(user, call.caller()),
                status: .created,
                location: "/v1/users"
            )
        },
        Endpoint(
            .get,
            "/v1/projects",
            .user,
            .read,
            "List the projects that the caller sees",
            answer: .json([ProjectView].self)
        ) { call in
            try call.answer(try await call.point.projects(call.caller()))
        },
        Endpoint(
            .post,
            "/v1/projects",
            .operator,
            .admin,
            "Add a project",
            body: .json(.object(projectSchema.merging(["name": .name]) { $1 }, required: ["name"])),
            answer: .json(ProjectView.self, status: 201)
        ) { call in
            let project = try await call.body { reader -> Project? in
                let name = reader.name("name", as: ProjectName.self)
                let patch = projectPatch(&reader)
                return name.map {
                    Project(
                        name: $0,
                        title: patch.title ?? "",
                        parent: patch.place?.parent,
                        weight: patch.weight ?? 100,
                        quota: patch.quota ?? Quota(),
                        metered: patch.metered ?? false
                    )
                }
            }
            let view = try await call.point.createProject(project, call.caller())
            return try call.answer(view, status: .created, location: "/v1/projects/\(project.name)")
        },
        Endpoint(
            .get,
            "/v1/projects/{project}",
            .viewer,
            .read,
            "One project",
            answer: .json(ProjectView.self)
        ) { call in
            try call.answer(try await call.point.project(call.path("project"), call.caller()))
        },
        Endpoint(
            .patch,
            "/v1/projects/{project}",
            .operator,
            .admin,
            "Change a project's settings; what is absent stays",
            body: .json(.object(projectSchema)),
            answer: .json(ProjectView.self)
        ) { call in
            let name: ProjectName = try call.path("project")
            let patch = try await call.body { reader in projectPatch(&reader) }
            return try call.answer(try await call.point.changeProject(name, patch, call.caller()))
        },
        Endpoint(
            .get,
            "/v1/projects/{project}/members",
            .viewer,
            .read,
            "List a project's members",
            answer: .json([Membership].self)
        ) { call in
            try call.answer(try await call.point.members(of: call.path("project"), call.caller()))
        },
        Endpoint(
            .put,
            "/v1/projects/{project}/members/{user}",
            .owner,
            .admin,
            "Give somebody a role",
            body: .json(.object(["role": .choice(Role.self)], required: ["role"])),
            answer: .json(Membership.self)
        ) { call in
            let (project, user): (ProjectName, UserName) = (try call.path("project"), try call.path("user"))
            let role = try await call.body { reader in reader.choice("role", Role.self) }
            let membership = Membership(project: project, user: user, role: role)
            return try call.answer(try await call.point.setMember(membership, call.caller()))
        },
        Endpoint(
            .delete,
            "/v1/projects/{project}/members/{user}",
            .owner,
            .admin,
            "Take somebody's role away",
            answer: .empty
        ) { call in
            try await call.point.removeMember(call.path("user"), of: call.path("project"), call.caller())
            return call.noContent()
        },
        Endpoint(
            .post,
            "/v1/projects/{project}/vouchers",
            .operator,
            .admin,
            "Grant a voucher",
            body: .json(
                .object(
                    [
                        "amount": .integer("In millionths of a credit.", in: 1...1_000_000_000_000_000_000),
                        "note": .string,
                    ],
                    required: ["amount"]
                )
            ),
            answer: .json(ProjectView.self, status: 201)
        ) { call in
            let project: ProjectName = try call.path("project")
            let (amount, note) = try await call.body { reader -> (MicroCredits, String)? in
                let note = reader.optionalText("note") ?? ""
                return reader.integer("amount", in: 1...1_000_000_000_000_000_000).map { (MicroCredits($0), note) }
            }
            let view = try await call.point.grantVoucher(amount, to: project, note: note, call.caller())
            return try call.answer(view, status: .created, location: "/v1/projects/\(project)")
        },
        Endpoint(
            .get,
            "/v1/tokens",
            .user,
            .read,
            "List the caller's tokens; for operators anybody's",
            parameters: [.query("user", .name, "Whose. Operators only; default: for operators everybody's.")],
            answer: .json([TokenView].self)
        ) { call in
            try call.answer(try await call.point.tokens(of: call.query("user"), call.caller()))
        },
        Endpoint(
            .post,
            "/v1/tokens",
            .user,
            .admin,
            "Issue a token; its secret is shown this once",
            body: .json(
                .object(
                    [
                        "user": .name, "scopes": .array(of: .choice(Token.Scope.self)), "project": .name,
                        "label": .string, "expires_in_seconds": .integer("Absent: never.", in: 1...315_360_000),
                    ],
                    required: ["scopes", "label"]
                )
            ),
            answer: .json(IssuedToken.self, status: 201)
        ) { call in
            let request = try await call.body { reader -> TokenRequest? in
                let user = reader.optionalName("user", as: UserName.self)
                let project = reader.optionalName("project", as: ProjectName.self)
                let scopes = reader.choices("scopes", Token.Scope.self)
                let label = reader.optionalText("label", charactersMax: 100)
                if label == nil { _ = reader.required("label", "one line of at most 100 characters", \.stringValue) }
                let seconds = reader.optionalInteger("expires_in_seconds", in: 1...315_360_000)
                guard let scopes, let label else { return nil }
                return TokenRequest(
                    user: user,
                    scopes: scopes,
                    project: project,
                    label: label,
                    expiresInSeconds: seconds.map { Int($0) }
                )
            }
            let issued = try await call.point.issueToken(request, call.caller())
            return try call.answer(
                issued,
                status: .created,
                location: "/v1/tokens",
                headers: [.cacheControl: "no-store"]
            )
        },
        Endpoint(.delete, "/v1/tokens/{token}", .user, .admin, "Revoke a token", answer: .empty) { call in
            try await call.point.revokeToken(call.path("token"), call.caller())
            call.api.users.forgetAll()
            return call.noContent()
        },
    ]

    private static let projectSchema: [String: Schema] = [
        "title": .string, "parent": .string("The project that it is part of; empty for none."),
        "weight": .integer("Part in the share of what it is part of.", in: 1...1000), "metered": .boolean,
        "quota": .object([
            "cores": .integer("In thousandths of a core."), "cards": .integer("Cards at one time."),
            "runs": .integer("Runs at one time."), "bytes": .integer("In bytes, of its repositories."),
        ]),
    ]

    private static func projectPatch(_ reader: inout BodyReader) -> ProjectPatch {
        let count: ClosedRange<Int64> = 0...1_000_000_000
        return ProjectPatch(
            title: reader.optionalText("title"),
            place: reader.optional("parent", "the name of a project, or empty for none") {
                $0.stringValue.flatMap { ProjectPatch.Place($0) }
            },
            weight: reader.optionalInteger("weight", in: 1...1000).map { Int($0) },
            quota: reader.optionalObject("quota") { reader in
                Quota(
                    cores: reader.optionalInteger("cores", in: count).map { MilliCores($0) },
                    cards: reader.optionalInteger("cards", in: count).map { Int($0) },
                    runs: reader.optionalInteger("runs", in: count).map { Int($0) },
                    bytes: reader.optionalInteger("bytes", in: 0...(1 << 60)).map { Bytes($0) }
                )
            },
            metered: reader.optionalBool("metered")
        )
    }
}
