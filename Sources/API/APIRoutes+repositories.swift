import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let repositoryEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/repositories",
            .user,
            .read,
            "List the repositories that the caller sees, those that changed last first",
            parameters: [
                .query("shelf", .choice(RepositoryShelf.self), "Where they stand; models when it is left out."),
                .query("search", .string, "Whose path has this in it."),
                .query("project", .name, "Of this project."),
                .query("tag", .string, "With this tag, such as `license:mit`; several separated by commas."),
            ] + paging,
            answer: .json(Page<RepositoryView>.self)
        ) { call in
            var search = Repositories.Search()
            search.text = call.query("search")
            search.project = try call.query("project")
            search.tags = call.query("tag")?.split(separator: ",").map(String.init) ?? []
            search.limit = try call.limit()
            let page = try await call.api.repositories.list(
                try call.choice("shelf") ?? .models,
                search,
                cursor: call.query("cursor"),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .post,
            "/v1/repositories",
            .member,
            .write,
            "Make a repository",
            body: .json(
                .object(
                    [
                        "kind": .choice(RepositoryKind.self), "path": .string("Project and name: `demo/resnet`."),
                        "visibility": .choice(Visibility.self),
                    ],
                    required: ["kind", "path"]
                )
            ),
            answer: .json(RepositoryDetail.self, status: 201)
        ) { call in
            let (kind, path, visibility) = try await call.body {
                reader -> (RepositoryKind, RepositoryPath, Visibility)? in
                let kind = reader.choice("kind", RepositoryKind.self)
                let path = reader.required("path", "a project and a name such as demo/resnet") {
                    $0.stringValue.flatMap { RepositoryPath($0) }
                }
                let visibility = reader.optionalChoice("visibility", Visibility.self)
                guard let kind, let path else { return nil }
                return (kind, path, visibility ?? .private)
            }
            let caller = try call.caller()
            let made = try await call.api.repositories.create(kind, path, visibility: visibility, caller)
            return try call.answer(
                try await call.api.repositories.detail(made.id, caller),
                status: .created,
                location: "/v1/repositories/\(made.id)"
            )
        },
        Endpoint(
            .get,
            "/v1/repositories/stats",
            .user,
            .read,
            "What the repository holds, and what deduplication saves",
            answer: .json(RepositoryStats.self)
        ) { call in
            try call.answer(try await call.api.repositories.stats(call.caller()))
        },
        Endpoint(
            .post,
            "/v1/repositories/collect",
            .operator,
            .admin,
            "Remove now what nothing refers to and nobody was told of in a day",
            answer: .json(CollectionView.self)
        ) { call in
            try call.answer(try await call.api.repositories.collect(call.caller()))
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}",
            .user,
            .read,
            "One repository",
            answer: .json(RepositoryDetail.self)
        ) { call in
            try call.answer(try await call.api.repositories.detail(call.path("repository"), call.caller()))
        },
        Endpoint(
            .patch,
            "/v1/repositories/{repository}",
            .user,
            .write,
            "Change who may see a repository, or its name",
            body: .json(
                .object([
                    "kind": .choice(RepositoryKind.self), "path": .string("A new project and name."),
                    "visibility": .choice(Visibility.self), "gating": .choice(Gating.self),
                ])
            ),
            answer: .json(RepositoryDetail.self)
        ) { call in
            let patch = try await call.body { reader -> RepositoryPatch? in
                RepositoryPatch(
                    kind: reader.optionalChoice("kind", RepositoryKind.self),
                    path: reader.optional("path", "a project and a name such as demo/resnet") {
                        $0.stringValue.flatMap { RepositoryPath($0) }
                    },
                    visibility: reader.optionalChoice("visibility", Visibility.self),
                    gating: reader.optionalChoice("gating", Gating.self)
                )
            }
            let (id, caller): (RepositoryID, Principal) = (try call.path("repository"), try call.caller())
            var repository = try await call.api.repositories.repository(id, for: .administer, caller)
            let shelf = repository.kind.shelf
            if let path = patch.path {
                repository = try await call.api.repositories.move(shelf, from: repository.path, to: path, caller)
            }
            _ = try await call.api.repositories.change(
                shelf,
                repository.path,
                kind: patch.kind,
                visibility: patch.visibility,
                gating: patch.gating,
                caller
            )
            return try call.answer(try await call.api.repositories.detail(id, caller))
        },
        Endpoint(
            .delete,
            "/v1/repositories/{repository}",
            .user,
            .write,
            "Remove a repository with everything in it",
            answer: .empty
        ) { call in
            let caller = try call.caller()
            let repository = try await call.api.repositories.repository(
                call.path("repository"),
                for: .administer,
                caller
            )
            try await call.api.repositories.remove(repository.kind.shelf, repository.path, caller)
            return call.noContent()
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}/access",
            .user,
            .read,
            "Who asked for a gated repository's files",
            parameters: [.query("state", .choice(AccessState.self), "Only these; pending when it is left out.")],
            answer: .json([AccessRequestView].self)
        ) { call in
            let caller = try call.caller()
            let repository = try await call.api.repositories.repository(call.path("repository"), for: .see, caller)
            let state: AccessState = try call.choice("state") ?? .pending
            let requests = try await call.api.repositories.accessRequests(
                for: repository.kind.shelf,
                repository.path,
                state,
                caller
            )
            return try call.answer(requests.map { AccessRequestView(user: $0.user, state: state, at: $0.at) })
        },
        Endpoint(
            .put,
            "/v1/repositories/{repository}/access/{user}",
            .user,
            .write,
            "Answer who asked, or grant access unasked",
            body: .json(.object(["state": .choice(AccessState.self)], required: ["state"])),
            answer: .empty
        ) { call in
            let state = try await call.body { $0.choice("state", AccessState.self) }
            let caller = try call.caller()
            let repository = try await call.api.repositories.repository(call.path("repository"), for: .see, caller)
            try await call.api.repositories.setAccess(
                of: call.path("user"),
                to: repository.kind.shelf,
                repository.path,
                state,
                caller
            )
            return call.noContent()
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}/lineage",
            .user,
            .read,
            "Which jobs read a revision, and which wrote it",
            parameters: [.query("revision", .string, "A branch, a tag or a commit; main when it is left out.")],
            answer: .json(LineageView.self)
        ) { call in
            let view = try await call.api.repositories.lineage(
                of: call.path("repository"),
                at: call.query("revision") ?? "main",
                call.caller()
            )
            return try call.answer(view)
        },
        Endpoint(
            .get,
            "/v1/jobs/{job}/lineage",
            .viewer,
            .read,
            "Which revisions a job reads and writes",
            answer: .json(LineageView.self)
        ) { call in
            try call.answer(try await call.api.repositories.lineage(of: call.path("job"), call.caller()))
        },
    ]
}

/// New settings of a repository; what is absent stays.
private struct RepositoryPatch {
    var kind: RepositoryKind?
    var path: RepositoryPath?
    var visibility: Visibility?
    var gating: Gating?
}

extension Call {
    /// One word of a closed list.
    fileprivate func choice<Value: RawRepresentable<String> & CaseIterable>(_ name: String) throws(Failure) -> Value? {
        guard let text = query(name), !text.isEmpty else { return nil }
        guard let value = Value(rawValue: text) else {
            let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.malformed, "The query parameter '\(name)' must be one of \(words).")
        }
        return value
    }
}
