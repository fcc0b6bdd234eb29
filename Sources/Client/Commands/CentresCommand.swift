import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct CentresCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "centres",
        abstract: "List, join, drain, resume or remove centres, and set what they charge.",
        subcommands: [List.self, Show.self, Join.self, Drain.self, Resume.self, Remove.self, Prices.self],
        defaultSubcommand: List.self
    )

    static func path(_ name: String) -> String { "/v1/centres/\(name.percentEncoded)" }

    static func table(_ centres: [CentreView]) -> Table {
        var table = Table([
            .init("CENTRE", shrinks: true), .init("TIER"), .init("STATE"), .init("HEARD", .right), .init("ENGINE"),
            .init("NODES", .right), .init("CORES FREE", .right), .init("CARDS FREE", .right), .init("PFLOPS", .right),
            .init("RUNS", .right),
        ])
        for centre in centres {
            let heard = centre.connected ? "now" : centre.lastSeen.map { spoken(now() - $0) + " ago" } ?? "never"
            let figures = centre.capacity
            let emulated =
                figures.emulatedCards.nameplate > 0 ? " +\(spoken(figures.emulatedCards.nameplate)) emulated" : ""
            table.add(
                Table.Cell(centre.name),
                Table.Cell(centre.tier.rawValue),
                Table.Cell.state(centre.state.rawValue),
                Table.Cell(heard, centre.connected ? nil : .bad),
                Table.Cell(centre.engine.map(\.rawValue)),
                Table.Cell(centre.nodes.count),
                Table.Cell("\(spoken(figures.cores.free))/\(spoken(figures.cores.nameplate))"),
                Table.Cell("\(spoken(figures.cards.free))/\(spoken(figures.cards.nameplate))\(emulated)"),
                Table.Cell(spoken(figures.pflops.nameplate)),
                Table.Cell("\(centre.liveRuns)\(centre.unseenRuns > 0 ? " (\(centre.unseenRuns) unseen)" : "")")
            )
        }
        return table
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List centres.")
        @OptionGroup var point: PointOptions

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get("/v1/centres"), as: [CentreView].self) { terminal.print(table($0)) }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a centre with its nodes.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The centre's name.") var name: String

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get(path(name)), as: CentreView.self) { centre in
                    terminal.print(table([centre]))
                    terminal.print("")
                    var nodes = Table([
                        .init("NODE", shrinks: true), .init("PARTITION", shrinks: true), .init("UP"),
                        .init("CORES FREE", .right), .init("MEMORY FREE", .right), .init("CARDS FREE", .right),
                        .init("CARDS", shrinks: true), .init("MEASURED GFLOPS", .right), .init("RUNS", .right),
                    ])
                    for view in centre.nodes {
                        let cards = view.node.cards.map {
                            "\($0.count) x \($0.model)\($0.emulated ? " (emulated)" : "")"
                        }
                        nodes.add(
                            Table.Cell(view.node.name),
                            Table.Cell(view.node.partition),
                            Table.Cell.state(view.node.schedulable ? "yes" : "no"),
                            Table.Cell("\(view.freeCores)/\(view.node.cores)"),
                            Table.Cell("\(view.freeMemory) of \(view.node.memory)"),
                            Table.Cell("\(view.freeCards)/\(view.node.cards.reduce(0) { $0 + $1.count })"),
                            Table.Cell(cards.isEmpty ? "-" : cards.joined(separator: ", ")),
                            Table.Cell(view.node.measured.map { spoken($0.fp32Gflops) }),
                            Table.Cell(view.runs.count)
                        )
                    }
                    terminal.print(nodes)
                    if let shared = centre.shared {
                        terminal.print("")
                        terminal.print(
                            "others hold \(shared.cores) cores, \(shared.memory) of memory and \(shared.cards) cards; "
                                + "\(shared.waiting) of at most \(shared.waitingMax) of our runs wait among them"
                                + (shared.waitSeconds.map { ", which took \(spoken(.seconds($0))) of late" } ?? "")
                        )
                    }
                    let prices = centre.prices
                    terminal.print("")
                    terminal.print("credits an hour: \(prices.coreHour) a core, \(prices.cardHourDefault) a card")
                    for (card, rate) in prices.cardHour.sorted(by: { $0.key < $1.key }) {
                        terminal.print("  \(rate) a \(printable(card))")
                    }
                    if let link = centre.link {
                        terminal.print(
                            "inputs come at \(spoken(link.megabitsPerSecond)) Mbit/s after \(link.latencyMilliseconds) ms, "
                                + "for \(link.egressGib) credits a GiB"
                        )
                    }
                }
            }
        }
    }

    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a centre, and show what to run there; without --tier for one that exists already.",
            discussion: """
                Examples:
                  onepoint centres join north --tier region
                  onepoint centres join north            # a new token, for a new machine or a lost key
                """
        )
        @OptionGroup var point: PointOptions
        @Argument(help: "The centre's name.") var name: String
        @Option(name: .long, help: "hub, region, edge or device.", completion: tierList) var tier: String?

        func run() async throws {
            try await point.with { client in
                let answer =
                    if let tier {
                        try await client.send(
                            .post,
                            "/v1/centres",
                            json: .members(("name", name.json), ("tier", tier.json))
                        )
                    } else {
                        try await client.send(.post, path(name) + "/join")
                    }
                let centre: CentreView = try WireJSON.decode(from: try await client.get(path(name)))
                if centre.connected {
                    terminal.printError(
                        "warning: \(name) has an agent that is heard now; whoever joins with this token takes its place."
                    )
                }
                try point.show(answer, as: JoinView.self) { join in
                    terminal.printError("Put the onepoint executable on a machine of \(join.centre) and run there:")
                    terminal.printError("")
                    let start = "--data agent-\(join.centre) --join \(client.credentials.url)"
                    terminal.print("onepoint agent check \(start)")
                    terminal.print("onepoint agent \(start) --token \(join.token)")
                    terminal.printError("")
                    terminal.printError("The token works once, until \(spoken(join.expiresAt)).")
                }
            }
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a centre no new work.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The centre's name.") var name: String
        @Flag(name: .long, help: "Also move away what runs there and is preemptible.") var evict = false

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(
                    .post,
                    path(name) + "/drain",
                    json: .members(("evict", .bool(evict)))
                )
                try point.show(answer, as: CentreView.self) { terminal.print(table([$0])) }
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a centre work again.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The centre's name.") var name: String

        func run() async throws {
            try await point.with { client in
                let answer = try await client.send(.post, path(name) + "/resume")
                try point.show(answer, as: CentreView.self) { terminal.print(table([$0])) }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a centre on which nothing lives any more.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The centre's name.") var name: String

        func run() async throws {
            try await point.with { client in
                try await client.send(.delete, path(name))
                if !point.json { terminal.print("\(name) removed") }
            }
        }
    }

    struct Prices: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set what a centre charges from now on, in credits an hour. What is not given stays.",
            discussion: """
                Example:
                  onepoint centres prices north --core 0.02 --card 1 --card-model h100-sxm5=2.5
                """
        )
        @OptionGroup var point: PointOptions
        @Argument(help: "The centre's name.") var name: String
        @Option(name: .long, help: "For a core.") var core: String?
        @Option(name: .long, help: "For a card of a model without its own price.") var card: String?
        @Option(name: .long, help: ArgumentHelp("For a card of a model. Repeatable.", valueName: "model=credits"))
        var cardModel: [String] = []

        func run() async throws {
            try await point.with { client in
                let centre: CentreView = try WireJSON.decode(from: try await client.get(path(name)))
                var prices = centre.prices
                if let core { prices.coreHour = try rate(core) }
                if let card { prices.cardHourDefault = try rate(card) }
                for assignment in cardModel {
                    let parts = assignment.split(separator: "=", maxSplits: 1).map(String.init)
                    guard parts.count == 2 else {
                        throw Failure(.invalid, "--card-model \(assignment) is no price; write MODEL=CREDITS.")
                    }
                    prices.cardHour[parts[0]] = try rate(parts[1])
                }
                let cards = prices.cardHour.sorted { $0.key < $1.key }
                    .map { (key: $0.key, value: JSON.integer($0.value.count)) }
                let json: JSON = .members(
                    ("core_hour", .integer(prices.coreHour.count)),
                    ("card_hour_default", .integer(prices.cardHourDefault.count)),
                    ("card_hour", .object(cards))
                )
                let answer = try await client.send(.put, path(name) + "/prices", json: json)
                try point.show(answer, as: CentreView.self) { terminal.print(table([$0])) }
            }
        }

        private func rate(_ text: String) throws(Failure) -> MicroCredits {
            guard let rate = credits(text), rate >= 0 else {
                throw Failure(.invalid, "'\(text)' is no price; write credits with at most six decimals, such as 0.02.")
            }
            return rate
        }
    }
}
