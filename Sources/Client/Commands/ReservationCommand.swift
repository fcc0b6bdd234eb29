import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct ReservationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reservation",
        abstract: "Keep room at a centre in advance: for a project's jobs, or for maintenance.",
        discussion: """
            No other job is started that might last into it. The project's own jobs use it by themselves, nothing has to \
            be said in them. Only operators make and cancel reservations.
            """,
        subcommands: [List.self, Show.self, Create.self, Cancel.self],
        defaultSubcommand: List.self
    )

    private static let path = "/v1/reservations"

    static func path(_ name: String) -> String { "\(path)/\(name.percentEncoded)" }

    /// `all of it`, `4 nodes`, `16 cards on 2 nodes`, `64 cores on 3 nodes`.
    static func room(_ view: ReservationView) -> String {
        guard !view.wholeCentre else { return "all of it" }
        let nodes = view.nodes.count == 1 ? "1 node" : "\(view.nodes.count) nodes"
        let cards = view.nodes.reduce(0) { $0 + ($1.cards ?? 0) }
        if cards > 0 { return "\(cards) card\(cards == 1 ? "" : "s") on \(nodes)" }
        let cores = view.nodes.reduce(MilliCores(0)) { $0 + ($1.cores ?? 0) }
        return cores > 0 ? "\(cores) core\(cores == 1000 ? "" : "s") on \(nodes)" : nodes
    }

    static func table(_ reservations: [ReservationView]) -> Table {
        var table = Table([
            .init("RESERVATION", shrinks: true), .init("CENTRE", shrinks: true), .init("FOR", shrinks: true),
            .init("STATE"), .init("FROM"), .init("UNTIL"), .init("ROOM", shrinks: true),
        ])
        for view in reservations {
            let purpose = view.purpose == .maintenance ? "maintenance" : view.project?.text ?? "another project"
            table.add(
                Table.Cell(view.name),
                Table.Cell(view.centre),
                Table.Cell(purpose),
                Table.Cell.state(view.state.rawValue),
                Table.Cell(spoken(view.startsAt)),
                Table.Cell(spoken(view.endsAt)),
                Table.Cell(room(view))
            )
        }
        return table
    }

    private static func warn(_ view: ReservationView) {
        if !view.missing.isEmpty {
            let names = view.missing.prefix(8).map { printable($0) }.joined(separator: ", ")
            let more = view.missing.count > 8 ? " and \(view.missing.count - 8) more" : ""
            terminal.printError(
                "warning: \(view.missing.count) of its nodes \(view.missing.count == 1 ? "is" : "are") down or gone, and "
                    + "no other of that kind can be had: \(names)\(more)."
            )
        }
        guard let lacking = view.lacking else { return }
        let runs = lacking.runs == 1 ? "1 run" : "\(lacking.runs) runs"
        let nodes = lacking.nodes == 1 ? "1 node" : "\(lacking.nodes) nodes"
        terminal.printError(
            "warning: \(runs) may last into it: \(nodes) may not be free before \(spoken(lacking.until))."
        )
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List reservations by their start.")
        @OptionGroup var point: PointOptions
        @OptionGroup var page: PageOptions
        @Option(name: .long, help: "At this centre.") var centre: String?
        @Option(name: .long, help: "For this project.") var project: String?
        @Flag(name: .long, help: "Also those that are over.") var past = false

        func run() async throws {
            try await point.with { client in
                let query: [(String, String?)] = [
                    ("centre", centre), ("project", project), ("past", past ? "true" : nil),
                ]
                let (found, next) = try await point.pages(
                    client,
                    path,
                    query,
                    limit: page.limit,
                    cursor: page.cursor,
                    of: ReservationView.self
                )
                if !point.json { terminal.print(table(found)) }
                point.hint(next)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a reservation, and what it keeps where.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The reservation's name.") var name: String

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get(path(name)), as: ReservationView.self) { view in
                    terminal.print(table([view]))
                    if let note = view.note { terminal.print("\n\(printable(note))") }
                    if !view.nodes.isEmpty {
                        terminal.print("")
                        var nodes = Table([
                            .init("NODE", shrinks: true), .init("CORES", .right), .init("MEMORY", .right),
                            .init("CARDS", .right), .init("MODEL", shrinks: true), .init("INSTEAD OF", shrinks: true),
                        ])
                        for part in view.nodes {
                            nodes.add(
                                Table.Cell(part.node),
                                Table.Cell(part.whole ? "all" : part.cores.map(\.description)),
                                Table.Cell(part.whole ? "all" : part.memory.map(\.description)),
                                Table.Cell(part.whole ? "all" : part.cards.map(String.init)),
                                Table.Cell(part.card),
                                Table.Cell(part.insteadOf)
                            )
                        }
                        terminal.print(nodes)
                    }
                    warn(view)
                }
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reserve room at a centre.",
            discussion: """
                Examples:
                  onepoint reservation create course --centre hub-1 --project nlp --nodes 4 --start 2026-12-01T08:00:00Z --duration 8h
                  onepoint reservation create demo --centre hub-1 --project nlp --cards 16 --card h100-sxm5 --duration 2h
                  onepoint reservation create power --centre hub-1 --maintenance --whole-centre --start +3d --duration 12h
                """
        )
        @OptionGroup var point: PointOptions
        @Argument(help: "A name for it.") var name: String
        @Option(name: .long, help: "The centre.") var centre: String
        @Option(name: .long, help: "Whose jobs may use it.") var project: String?
        @Flag(name: .long, help: "Nobody's jobs: nothing may last into it.") var maintenance = false
        @Option(
            name: .long,
            help: ArgumentHelp(
                "From when, such as 2026-01-31T09:30:00Z or +90m; without it from now on.",
                valueName: "time"
            )
        )
        var start: String?
        @Option(name: .long, help: ArgumentHelp("Until when, such as 2026-01-31T18:00:00Z.", valueName: "time"))
        var end: String?
        @Option(name: .long, help: ArgumentHelp("For how long, such as 90m, 8h or 2d.", valueName: "time"))
        var duration: String?
        @Option(name: .long, help: "So many whole nodes; with --card those with such cards.") var nodes: Int?
        @Option(name: .long, help: "This node. Repeatable.") var node: [String] = []
        @Flag(name: .long, help: "The whole centre.") var wholeCentre = false
        @Option(name: .long, help: "So many cards, with their parts of their nodes' cores and memory.") var cards: Int?
        @Option(name: .long, help: "The cards' model.") var card: String?
        @Option(name: .long, help: "So many cores, spread over nodes.") var cores: Double?
        @Option(name: .long, help: "With --cores, so much memory in all, such as 256GiB.") var memory: String?
        @Option(name: .long, help: "For people.") var note: String?
        @Flag(name: .long, help: "Accept that runs may last into it; it lacks what they hold until they end.")
        var ignoreRunning = false

        func validate() throws {
            guard (project != nil) != maintenance else {
                throw ValidationError("Say who it is for: --project NAME, or --maintenance.")
            }
            guard (end != nil) != (duration != nil) else {
                throw ValidationError("Say until when by one of --end and --duration.")
            }
            let ways = [nodes != nil, !node.isEmpty, wholeCentre, cards != nil, cores != nil].count { $0 }
            guard ways == 1 else {
                throw ValidationError("Say how much by one of --nodes, --node, --whole-centre, --cards and --cores.")
            }
            if let duration, WireDuration.seconds(duration) == nil {
                throw ValidationError("--duration: write a time such as 90m, 8h or 2d.")
            }
            if let start, instant(start) == nil {
                throw ValidationError("--start: write a time such as 2026-01-31T09:30:00Z, or +90m.")
            }
            if let end, Instant(rfc3339: end) == nil {
                throw ValidationError("--end: write a time such as 2026-01-31T18:00:00Z.")
            }
            if let memory, Bytes(memory) == nil {
                throw ValidationError("--memory: write a size such as 256GiB.")
            }
            if let cores, !(cores > 0 && cores <= 1e9) {
                throw ValidationError("--cores is a number above 0, up to 1000000000.")
            }
        }

        private func instant(_ text: String) -> Instant? {
            guard text.hasPrefix("+") else { return Instant(rfc3339: text) }
            return WireDuration.seconds(String(text.dropFirst())).map { now() + .seconds($0) }
        }

        func json() -> JSON {
            .members(
                ("name", name.json),
                ("centre", centre.json),
                ("project", project?.json),
                ("maintenance", maintenance ? .bool(true) : nil),
                ("starts_at", start.flatMap { instant($0) }?.rfc3339.json),
                ("ends_at", end.flatMap { Instant(rfc3339: $0) }?.rfc3339.json),
                ("duration_seconds", duration.flatMap { WireDuration.seconds($0) }?.json),
                ("nodes", nodes?.json),
                ("node_names", node.isEmpty ? nil : .array(node.map { .string($0) })),
                ("whole_centre", wholeCentre ? .bool(true) : nil),
                ("cards", cards?.json),
                ("card", card?.json),
                ("cores", cores.map { .integer(Int64(($0 * 1000).rounded())) }),
                ("memory", memory.flatMap { Bytes($0) }.map { .integer($0.count) }),
                ("note", note?.json),
                ("ignore_running", ignoreRunning ? .bool(true) : nil)
            )
        }

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(.post, path, json: json())
                try point.show(answer, as: ReservationView.self) { view in
                    terminal.print(table([view]))
                    warn(view)
                }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancel a reservation; its room is free at once.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The reservation's name.") var name: String

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(.delete, path(name))
                try point.show(answer, as: ReservationView.self) { terminal.print(table([$0])) }
            }
        }
    }
}
