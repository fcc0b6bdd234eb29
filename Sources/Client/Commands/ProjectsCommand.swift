import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct ProjectsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projects",
        abstract: "List, create and change projects, their members and vouchers.",
        subcommands: [
            List.self, Show.self, Create.self, Set.self, Members.self, AddMember.self, RemoveMember.self, Grant.self,
        ],
        defaultSubcommand: List.self
    )

    static func path(_ name: String) -> String { "/v1/projects/\(name.percentEncoded)" }

    /// A line for each, below the project that it is part of.
    static func table(_ projects: [ProjectView]) -> Table {
        var table = Table([
            .init("PROJECT", shrinks: true), .init("TITLE", shrinks: true), .init("ROLE"), .init("WEIGHT", .right),
            .init("BALANCE", .right), .init("RESERVED", .right), .init("METERED"), .init("RUNS", .right),
            .init("JOBS", shrinks: true),
        ])
        for (level, view) in projects.asTree {
            table.add(
                Table.Cell(String(repeating: "  ", count: level) + view.project.name.text),
                Table.Cell(view.project.title),
                Table.Cell(view.role.map(\.rawValue)),
                Table.Cell(view.project.weight),
                Table.Cell(view.balance.description, view.balance < 0 ? .bad : nil),
                Table.Cell(view.reserved),
                Table.Cell(view.project.metered ? "yes" : "no"),
                Table.Cell(view.runs),
                Table.Cell(spoken(states: view.jobs))
            )
        }
        return table
    }

    /// Settings that `create` and `set` have in common.
    struct Settings: ParsableArguments {
        @Option(name: .long, help: "For people.") var title: String?
        @Option(name: .long, help: "The project that it is part of.") var parent: String?
        @Flag(name: .long, help: "It is part of no other project.") var noParent = false
        @Option(name: .long, help: "Its part in the share of what it is part of, 1 to 1000.") var weight: Int?
        @Option(name: .long, help: "Cores it may hold at one time.") var quotaCores: Double?
        @Option(name: .long, help: "Cards it may hold at one time.") var quotaCards: Int?
        @Option(name: .long, help: "Runs it may have at one time.") var quotaRuns: Int?
        @Option(name: .long, help: "What its repositories may hold, such as 2TiB.") var quotaBytes: String?
        @Flag(name: .long, help: "No limits on what it may hold.") var noQuota = false
        @Flag(inversion: .prefixedNo, help: "Whether it runs only what its vouchers cover.") var metered: Bool?

        func validate() throws {
            if noParent, parent != nil { throw ValidationError("--parent and --no-parent exclude one another.") }
            if let quotaBytes, Bytes(quotaBytes) == nil {
                throw ValidationError("--quota-bytes: write a size such as 512GiB or 2TiB.")
            }
        }

        /// The quota as it shall be, given how it is; `nil` when it stays.
        func quota(over present: Quota?) -> JSON? {
            if noQuota { return .object([]) }
            guard quotaCores != nil || quotaCards != nil || quotaRuns != nil || quotaBytes != nil else { return nil }
            let cores = quotaCores.map { Int64(($0 * 1000).rounded()) } ?? present?.cores?.count
            return .members(
                ("cores", cores.map { .integer($0) }),
                ("cards", (quotaCards ?? present?.cards)?.json),
                ("runs", (quotaRuns ?? present?.runs)?.json),
                ("bytes", (quotaBytes.flatMap { Bytes($0) } ?? present?.bytes).map { .integer($0.count) })
            )
        }

        func json(over present: Quota?, name: String? = nil) -> JSON {
            .members(
                ("name", name?.json),
                ("title", title?.json),
                ("parent", (noParent ? "" : parent)?.json),
                ("weight", weight?.json),
                ("quota", quota(over: present)),
                ("metered", metered.map { .bool($0) })
            )
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the projects that you see.")
        @OptionGroup var point: PointOptions

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get("/v1/projects"), as: [ProjectView].self) {
                    terminal.print(table($0))
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a project.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The project's name.") var name: String

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get(path(name)), as: ProjectView.self) { view in
                    terminal.print(table([view]))
                    let quota = view.project.quota
                    func limit(_ text: String?) -> String { text ?? "any" }
                    terminal.print("")
                    if let parent = view.project.parent { terminal.print("part of \(parent)") }
                    terminal.print(
                        "holds \(spoken(view.cores)) of \(limit(quota.cores.map(\.description))) cores, \(view.cards) of "
                            + "\(limit(quota.cards.map(String.init))) cards, \(view.runs) of "
                            + "\(limit(quota.runs.map(String.init))) runs, \(view.stored) of "
                            + "\(limit(quota.bytes?.description)) in repositories"
                    )
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a project.")
        @OptionGroup var point: PointOptions
        @OptionGroup var settings: Settings
        @Argument(help: "The project's name.") var name: String

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(.post, "/v1/projects", json: settings.json(over: nil, name: name))
                try point.show(answer, as: ProjectView.self) { terminal.print(table([$0])) }
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a project's settings; what is not given stays."
        )
        @OptionGroup var point: PointOptions
        @OptionGroup var settings: Settings
        @Argument(help: "The project's name.") var name: String

        func run() async throws {
            try await point.with { client in
                let present: ProjectView = try WireJSON.decode(from: try await client.get(path(name)))
                let json = settings.json(over: present.project.quota)
                let answer = try await client.send(.patch, path(name), json: json)
                try point.show(answer, as: ProjectView.self) { terminal.print(table([$0])) }
            }
        }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List a project's members.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The project's name.") var name: String

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get(path(name) + "/members"), as: [Membership].self) { members in
                    var table = Table([.init("USER", shrinks: true), .init("ROLE")])
                    for member in members { table.add(Table.Cell(member.user), Table.Cell(member.role.rawValue)) }
                    terminal.print(table)
                }
            }
        }
    }

    struct AddMember: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give somebody a role in a project.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The project's name.") var name: String
        @Argument(help: "The user's name.") var user: String
        @Option(name: .long, help: "owner, member or viewer.", completion: .list(Role.allCases.map(\.rawValue)))
        var role = Role.member.rawValue

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(
                    .put,
                    path(name) + "/members/\(user.percentEncoded)",
                    json: .members(("role", role.json))
                )
                try point.show(answer, as: Membership.self) {
                    terminal.print("\($0.user) is \($0.role) of \($0.project)")
                }
            }
        }
    }

    struct RemoveMember: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take somebody's role in a project away.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The project's name.") var name: String
        @Argument(help: "The user's name.") var user: String

        func run() async throws {
            try await point.with { client in
                try await client.send(.delete, path(name) + "/members/\(user.percentEncoded)")
                if !point.json { terminal.print("\(user) is no member of \(name)") }
            }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Grant a project a voucher, in credits.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The project's name.") var name: String
        @Argument(help: "How many credits, with at most six decimals.") var amount: String
        @Option(name: .long, help: "What it is for.") var note = ""

        func run() async throws {
            guard let micro = credits(amount), micro > 0 else {
                throw Failure(
                    .invalid,
                    "'\(amount)' is no amount of credits; write a number above 0 such as 100 or 2.5."
                )
            }
            try await point.with { client in
                let answer = try await client.send(
                    .post,
                    path(name) + "/vouchers",
                    json: .members(("amount", .integer(micro.count)), ("note", note.isEmpty ? nil : note.json))
                )
                try point.show(answer, as: ProjectView.self) { terminal.print(table([$0])) }
            }
        }
    }
}
