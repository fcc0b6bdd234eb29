import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "List or create users.",
        subcommands: [List.self, Create.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List users.")
        @OptionGroup var point: PointOptions

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get("/v1/users"), as: [User].self) { users in
                    var table = Table([.init("USER", shrinks: true), .init("OPERATOR")])
                    for user in users { table.add(Table.Cell(user.name), Table.Cell(user.isOperator ? "yes" : "no")) }
                    terminal.print(table)
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a user.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The user's name.") var name: String
        @Flag(name: .customLong("operator"), help: "May do everything everywhere.") var isOperator = false

        func run() async throws {
            try await point.with { client in
                let json: JSON = .members(("name", name.json), ("is_operator", .bool(isOperator)))
                let answer = try await client.send(.post, "/v1/users", json: json)
                try point.show(answer, as: User.self) { terminal.print("\($0.name) added") }
            }
        }
    }
}

struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "List, create or revoke tokens.",
        subcommands: [List.self, Create.self, Revoke.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List your tokens; for operators everybody's.")
        @OptionGroup var point: PointOptions
        @Option(name: .long, help: "Whose. Operators only.") var user: String?

        func run() async throws {
            try await point.with { client in
                let answer = try await client.get("/v1/tokens", [("user", user)])
                try point.show(answer, as: [TokenView].self) { tokens in
                    var table = Table([
                        .init("TOKEN"), .init("USER", shrinks: true), .init("MAY"), .init("PROJECT", shrinks: true),
                        .init("LABEL", shrinks: true), .init("CREATED"), .init("EXPIRES"), .init("REVOKED"),
                    ])
                    for token in tokens {
                        table.add(
                            Table.Cell(token.token),
                            Table.Cell(token.user),
                            Table.Cell(token.scopes.map(\.rawValue).joined(separator: ", ")),
                            Table.Cell(token.project),
                            Table.Cell(token.label),
                            Table.Cell(spoken(token.createdAt)),
                            Table.Cell(token.expiresAt.map { spoken($0) }, absent: "never"),
                            Table.Cell(token.revokedAt.map { spoken($0) })
                        )
                    }
                    terminal.print(table)
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issue a token. Its secret is shown this once.",
            discussion: """
                Example:
                  onepoint tokens create --label ci --may read --may write --project demo --expires 90d
                """
        )
        @OptionGroup var point: PointOptions
        @Option(name: .long, help: "What it is for.") var label: String
        @Option(
            name: .long,
            help: "read, write or admin. Repeatable; default: read and write.",
            completion: .list(Token.Scope.allCases.map(\.rawValue))
        )
        var may: [String] = ["read", "write"]
        @Option(name: .long, help: "Confine it to one project.") var project: String?
        @Option(name: .long, help: "Whose. Operators only; default: yours.") var user: String?
        @Option(name: .long, help: "After how long it expires, such as 12h or 90d; default: never.") var expires:
            String?

        func run() async throws {
            let seconds = expires.flatMap { WireDuration.seconds($0) }
            if let expires, seconds == nil {
                throw Failure(.invalid, "--expires \(expires) is no time; write 12h, 90d and the like.")
            }
            try await point.with { client in
                let json: JSON = .members(
                    ("label", label.json),
                    ("scopes", .array(may.map(\.json))),
                    ("project", project?.json),
                    ("user", user?.json),
                    ("expires_in_seconds", seconds?.json)
                )
                let answer = try await client.send(.post, "/v1/tokens", json: json)
                try point.show(answer, as: IssuedToken.self) { issued in
                    let end = issued.token.expiresAt.map { "expires \(spoken($0))" } ?? "never expires"
                    terminal.printError("\(issued.token.token) for \(issued.token.user), \(end). This is shown once:")
                    terminal.print(issued.secret)
                }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke tokens.")
        @OptionGroup var point: PointOptions
        @Argument(help: "Ids: tok-….") var id: [String]

        func run() async throws {
            try await point.with { client in
                for id in id {
                    try await client.send(.delete, "/v1/tokens/\(id.percentEncoded)")
                    if !point.json { terminal.print("\(id) revoked") }
                }
            }
        }
    }
}
