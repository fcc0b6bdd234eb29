import ArgumentParser
import Core
import FoundationEssentials
import Wire

/// Repositories: what is in them goes in and out with the tools that people have (`hf`, git-lfs, skopeo, oras).
struct RepoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo",
        abstract: "List, create and change repositories of models, datasets, algorithms and images.",
        discussion: """
            A repository is named by its shelf, project and name: models/demo/resnet, datasets/demo/corpus, \
            algorithms/demo/train, images/demo/trainer. Its files come and go with the tools that you have: 'hf upload' and \
            'hf download' with HF_ENDPOINT, git-lfs, skopeo, podman, oras.

            Examples:
              onepoint repo list --shelf datasets
              onepoint repo create models/demo/resnet --visibility internal
              onepoint lineage models/demo/resnet
            """,
        subcommands: [
            List.self, Show.self, Create.self, Set.self, Delete.self, Requests.self, Grant.self, Reject.self,
            Stats.self,
            Collect.self,
        ],
        defaultSubcommand: List.self
    )

    static let addressHelp = ArgumentHelp("Such as models/demo/resnet, or its id.", valueName: "repository")

    /// The identifier of what somebody names.
    static func find(_ text: String, _ client: PointClient) async throws -> RepositoryID {
        if let id = RepositoryID(text) { return id }
        let (shelf, _, path) = try address(text)
        var cursor: String?
        repeat {
            let answer = try await client.get(
                "/v1/repositories",
                [
                    ("shelf", shelf.rawValue), ("project", path.project.text), ("search", "\(path)"), ("limit", "500"),
                    ("cursor", cursor),
                ]
            )
            let page: Page<RepositoryView> = try WireJSON.decode(from: answer)
            let wanted = "\(path)".lowercased()
            if let found = page.items.first(where: { $0.path.lowercased() == wanted }) { return found.repository }
            cursor = page.next
        } while cursor != nil
        throw Failure(.notFound, "There is no repository '\(text)' that you can see.")
    }

    static func address(_ text: String) throws -> (shelf: RepositoryShelf, kind: RepositoryKind, path: RepositoryPath) {
        guard let address = RepositoryShelf.address(text) else {
            throw ValidationError(
                "'\(text)' names no repository: write models/, datasets/, algorithms/ or images/, the project and a name."
            )
        }
        return address
    }

    static func path(_ id: RepositoryID) -> String { "/v1/repositories/\(id)" }

    static func table(_ repositories: [RepositoryView]) -> Table {
        var table = Table([
            .init("REPOSITORY", shrinks: true), .init("KIND"), .init("VISIBLE TO"), .init("LICENCE", shrinks: true),
            .init("TASK", shrinks: true), .init("CHANGED"),
        ])
        for view in repositories {
            table.add(
                Table.Cell(view.path),
                Table.Cell(view.kind.rawValue),
                Table.Cell(view.visibility.rawValue + (view.gating == .none ? "" : ", gated")),
                Table.Cell(view.licence),
                Table.Cell(view.task),
                Table.Cell(view.updatedAt)
            )
        }
        return table
    }

    static func show(_ detail: RepositoryDetail) {
        terminal.print(table([detail.summary]))
        terminal.print("")
        terminal.print("id          \(detail.summary.repository)")
        terminal.print("bytes       \(detail.bytes)")
        if !detail.summary.tags.isEmpty {
            terminal.print("tags        " + printable(detail.summary.tags.joined(separator: ", ")))
        }
        for reference in detail.references { terminal.print("\(reference.revision)  \(reference.name)") }
        for tag in detail.tags { terminal.print("OCI tag     " + printable(tag)) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the repositories that you see.")
        @OptionGroup var point: PointOptions
        @OptionGroup var page: PageOptions
        @Option(name: .long, help: "models (with algorithms), datasets or images.") var shelf = "models"
        @Option(name: .long, help: "Whose path has this in it.") var search: String?
        @Option(name: .long, help: "Of this project.") var project: String?
        @Option(name: .long, help: "With this tag, such as license:mit; may be repeated.") var tag: [String] = []

        func run() async throws {
            try await point.with { client in
                let (items, next) = try await point.pages(
                    client,
                    "/v1/repositories",
                    [
                        ("shelf", shelf), ("search", search), ("project", project),
                        ("tag", tag.isEmpty ? nil : tag.joined(separator: ",")),
                    ],
                    limit: page.limit,
                    cursor: page.cursor,
                    of: RepositoryView.self
                )
                if !point.json { terminal.print(table(items)) }
                point.hint(next)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a repository.")
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String

        func run() async throws {
            try await point.with { client in
                let answer = try await client.get(path(try await find(repository, client)))
                try point.show(answer, as: RepositoryDetail.self) { RepoCommand.show($0) }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a repository.")
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String
        @Option(name: .long, help: "private, internal (everybody signed in) or public.") var visibility = "private"

        func run() async throws {
            let (_, kind, path) = try address(repository)
            try await point.with { client in
                let json: JSON = .members(
                    ("kind", .string(kind.rawValue)),
                    ("path", .string("\(path)")),
                    ("visibility", .string(visibility))
                )
                let answer = try await client.send(.post, "/v1/repositories", json: json)
                try point.show(answer, as: RepositoryDetail.self) { RepoCommand.show($0) }
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change who may see a repository, or its name; what is not given stays."
        )
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String
        @Option(name: .long, help: "private, internal (everybody signed in) or public.") var visibility: String?
        @Option(name: .long, help: "none, auto (whoever asks) or manual (you decide).") var gating: String?
        @Option(name: .long, help: "model or algorithm, on the shelf of models.") var kind: String?
        @Option(name: .long, help: "A new project and name: demo/resnet-50.") var path: String?

        func run() async throws {
            try await point.with { client in
                let json: JSON = .members(
                    ("visibility", visibility.map { .string($0) }),
                    ("gating", gating.map { .string($0) }),
                    ("kind", kind.map { .string($0) }),
                    ("path", path.map { .string($0) })
                )
                let id = try await find(repository, client)
                let answer = try await client.send(.patch, RepoCommand.path(id), json: json)
                try point.show(answer, as: RepositoryDetail.self) { RepoCommand.show($0) }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a repository with everything in it.")
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String
        @Flag(name: .long, help: "You mean it.") var yes = false

        func validate() throws {
            guard yes else { throw ValidationError("All that is in it goes: say --yes.") }
        }

        func run() async throws {
            try await point.with { client in
                _ = try await client.send(.delete, path(try await find(repository, client)))
                if !point.json { terminal.print("\(printable(repository)) removed") }
            }
        }
    }

    struct Requests: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Who asked for a gated repository's files.")
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String
        @Option(name: .long, help: "pending, accepted or rejected.") var state = "pending"

        func run() async throws {
            try await point.with { client in
                let id = try await find(repository, client)
                let answer = try await client.get(path(id) + "/access", [("state", state)])
                try point.show(answer, as: [AccessRequestView].self) { requests in
                    var table = Table([.init("USER", shrinks: true), .init("STATE"), .init("SINCE")])
                    for request in requests {
                        table.add(Table.Cell(request.user), .state(request.state.rawValue), Table.Cell(request.at))
                    }
                    terminal.print(table)
                }
            }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a user have a gated repository's files.")
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String
        @Argument(help: "Who.") var user: String

        func run() async throws { try await answer(point, repository, user, .accepted) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Turn a user's request down, or take access away.")
        @OptionGroup var point: PointOptions
        @Argument(help: RepoCommand.addressHelp) var repository: String
        @Argument(help: "Who.") var user: String

        func run() async throws { try await answer(point, repository, user, .rejected) }
    }

    private static func answer(
        _ point: PointOptions,
        _ repository: String,
        _ user: String,
        _ state: AccessState
    ) async throws {
        try await point.with { client in
            let id = try await find(repository, client)
            let json: JSON = .members(("state", .string(state.rawValue)))
            _ = try await client.send(.put, path(id) + "/access/\(user.percentEncoded)", json: json)
            if !point.json { terminal.print("\(printable(user)): \(state.rawValue)") }
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What the repository holds, and what deduplication saves."
        )
        @OptionGroup var point: PointOptions

        func run() async throws {
            try await point.with { client in
                let answer = try await client.get("/v1/repositories/stats")
                try point.show(answer, as: RepositoryStats.self) { stats in
                    terminal.print(
                        "\(stats.repositories) repositories hold \(stats.logicalBytes), stored as \(stats.storedBytes): "
                            + "\(stats.savedBytes) saved"
                    )
                    guard !stats.projects.isEmpty else { return }
                    var table = Table([.init("PROJECT", shrinks: true), .init("BYTES", .right)])
                    for share in stats.projects { table.add(Table.Cell(share.project), Table.Cell(share.bytes)) }
                    terminal.print(table)
                }
            }
        }
    }

    struct Collect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove now what nothing refers to and nobody was told of in a day. Operators only.",
            discussion: "It goes on by itself every six hours; nobody's uploads are held up."
        )
        @OptionGroup var point: PointOptions

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(.post, "/v1/repositories/collect")
                try point.show(answer, as: CollectionView.self) { view in
                    terminal.print(
                        "\(view.blobs) files with \(view.bytes) removed; \(view.grants) unused uploads and "
                            + "\(view.revisions) old revisions let go"
                    )
                }
            }
        }
    }
}

struct LineageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lineage",
        abstract: "Which revisions a job read and wrote, or which jobs read and wrote a revision.",
        discussion: """
            Of a release of training data it also tells the sources and rules that it was made of, and of any revision \
            the releases that were made of it, as whoever committed them says.

            Examples:
              onepoint lineage job-01k…
              onepoint lineage models/demo/resnet
              onepoint lineage datasets/demo/corpus --revision v1 --json
            """
    )

    @OptionGroup var point: PointOptions
    @Argument(help: ArgumentHelp("A job's id, or a repository.", valueName: "job-or-repository")) var subject: String
    @Option(name: .long, help: "Of the repository: a branch, a tag or a commit.") var revision = "main"

    func run() async throws {
        try await point.with { client in
            let answer: Data
            if let job = JobID(subject) {
                answer = try await client.get("/v1/jobs/\(job)/lineage")
            } else {
                let id = try await RepoCommand.find(subject, client)
                answer = try await client.get(RepoCommand.path(id) + "/lineage", [("revision", revision)])
            }
            try point.show(answer, as: LineageView.self) { Self.show($0) }
        }
    }

    private static func show(_ view: LineageView) {
        var table = Table([
            .init("JOB", shrinks: true), .init(""), .init("REPOSITORY", shrinks: true), .init("REVISION"),
            .init("AS", shrinks: true), .init("PATH", shrinks: true),
        ])
        if let release = view.release {
            show(release)
            if !view.releases.isEmpty || !view.edges.isEmpty { terminal.print("") }
        }
        if !view.releases.isEmpty {
            show(view.releases)
            if !view.edges.isEmpty { terminal.print("") }
        }
        if view.edges.isEmpty, view.release != nil || !view.releases.isEmpty { return }
        for edge in view.edges {
            table.add(
                Table.Cell("\(edge.jobName) \(edge.job)" + (edge.jobs > 1 ? " and \(edge.jobs - 1) more" : "")),
                Table.Cell(edge.direction == .input ? "read" : "wrote"),
                Table.Cell(edge.path ?? "\(edge.repository)"),
                Table.Cell(String(edge.revision.text.prefix(12))),
                Table.Cell(edge.name),
                Table.Cell(edge.file, absent: "/")
            )
        }
        terminal.print(table)
        for publication in view.publications {
            let detail = publication.detail.map { ": \($0)" } ?? ""
            terminal.print(printable("\(publication.output) is \(publication.state.rawValue)" + detail))
        }
    }

    /// Releases of training data that say they were made of a revision.
    private static func show(_ releases: [ReleaseUseView]) {
        var table = Table([
            .init("RELEASE MADE OF IT", shrinks: true), .init("REVISION"), .init("BY"), .init("AT"),
        ])
        for release in releases {
            table.add(
                Table.Cell(release.path),
                Table.Cell(String(release.revision.text.prefix(12))),
                Table.Cell("\(release.author)"),
                Table.Cell(spoken(release.at))
            )
        }
        terminal.print(table)
    }

    /// What a release of training data says that it was made of.
    private static func show(_ release: OriginView) {
        let lineage = release.lineage
        let made = "made by pipeline \(lineage.pipeline.name) with \(lineage.tool)"
        terminal.print(printable("\(lineage.records) records, root \(lineage.root)"))
        terminal.print(printable("\(made), committed by \(release.author) at \(spoken(release.at))"))
        terminal.print("")
        var sources = Table([
            .init("SOURCE", shrinks: true), .init("KIND"), .init("LICENCE", shrinks: true), .init("DOCUMENTS", .right),
            .init("KEPT", .right), .init("FILES", .right), .init("FROM", shrinks: true),
        ])
        for source in lineage.sources {
            let commit = source.revision.map { "@\($0.prefix(12))" } ?? ""
            sources.add(
                Table.Cell(source.name),
                Table.Cell(source.isReference ? "compared with" : source.kind),
                Table.Cell(source.licenceAtOrigin ?? source.licenceAsClaimed),
                Table.Cell("\(source.documents)"),
                Table.Cell("\(source.kept)"),
                Table.Cell("\(source.files)"),
                Table.Cell(source.repository.map { $0 + commit } ?? "sha256:\(source.sha256.prefix(12))")
            )
        }
        terminal.print(sources)
        if let files = lineage.files, !files.isEmpty {
            terminal.print("")
            var table = Table([.init("FILE", shrinks: true), .init("SOURCE", shrinks: true), .init("SHA-256")])
            for file in files { table.add(Table.Cell(file.path), Table.Cell(file.source), Table.Cell(file.sha256)) }
            terminal.print(table)
        }
        if !lineage.rules.isEmpty {
            terminal.print("")
            var table = Table([.init("RULE", shrinks: true), .init("DROPPED", .right)])
            for rule in lineage.rules { table.add(Table.Cell(rule.name), Table.Cell("\(rule.documents)")) }
            terminal.print(table)
        }
    }
}
