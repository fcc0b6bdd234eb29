import ArgumentParser
import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import Wire

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Show balances, bookings and usage.",
        subcommands: [Balances.self, Entries.self, UsageList.self],
        defaultSubcommand: Balances.self
    )

    /// Writes all rows as the point streams them.
    static func printCSV(_ client: PointClient, _ path: String, _ query: [(String, String?)]) async throws {
        let response = try await client.open(
            .get,
            path,
            query + [("format", "csv")],
            headers: [("Accept", "text/csv")],
            secondsMax: 86_400
        )
        do {
            for try await buffer in response.body { terminal.write(buffer.readableBytesView) }
        } catch {
            throw client.unreachable(error)
        }
    }

    struct Balances: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What stands on which account, in credits.")
        @OptionGroup var point: PointOptions

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get("/v1/ledger/balances"), as: [BalanceView].self) { balances in
                    var table = Table([.init("ACCOUNT", shrinks: true), .init("CREDITS", .right)])
                    for balance in balances {
                        table.add(
                            Table.Cell(balance.account),
                            Table.Cell(balance.amount.description, balance.amount < 0 ? .bad : nil)
                        )
                    }
                    terminal.print(table)
                }
            }
        }
    }

    struct Entries: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Every booking, the newest first.")
        @OptionGroup var point: PointOptions
        @OptionGroup var page: PageOptions
        @Option(name: .long, help: "Of this project's accounts.") var project: String?
        @Flag(name: .long, help: "All of them, as CSV.") var csv = false

        func run() async throws {
            try await point.with { client in
                let query: [(String, String?)] = [("project", project)]
                if csv { return try await printCSV(client, "/v1/ledger/entries", query) }
                let (entries, next) = try await point.pages(
                    client,
                    "/v1/ledger/entries",
                    query,
                    limit: page.limit,
                    cursor: page.cursor,
                    of: LedgerEntryView.self
                )
                var table = Table([
                    .init("EVENT", .right), .init("AT"), .init("ACCOUNT", shrinks: true), .init("CREDITS", .right),
                    .init("MEMO", shrinks: true),
                ])
                for entry in entries {
                    table.add(
                        Table.Cell(entry.sequence),
                        Table.Cell(spoken(entry.at)),
                        Table.Cell(entry.account),
                        Table.Cell(entry.amount),
                        Table.Cell(entry.memo)
                    )
                }
                if !point.json { terminal.print(table) }
                point.hint(next)
            }
        }
    }

    struct UsageList: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "usage",
            abstract: "What each run used, the oldest first."
        )
        @OptionGroup var point: PointOptions
        @OptionGroup var page: PageOptions
        @Option(name: .long, help: "Of this project.") var project: String?
        @Option(name: .long, help: "Not before this time, such as 2026-01-31T00:00:00Z.") var from: String?
        @Option(name: .long, help: "Before this time.") var to: String?
        @Flag(name: .long, help: "All of it, as CSV.") var csv = false

        func run() async throws {
            try await point.with { client in
                let query: [(String, String?)] = [("project", project), ("from", from), ("to", to)]
                if csv { return try await printCSV(client, "/v1/ledger/usage", query) }
                let (rows, next) = try await point.pages(
                    client,
                    "/v1/ledger/usage",
                    query,
                    limit: page.limit,
                    cursor: page.cursor,
                    of: UsageView.self
                )
                var table = Table([
                    .init("RUN"), .init("PROJECT", shrinks: true), .init("CENTRE", shrinks: true), .init("METER"),
                    .init("AMOUNT", .right), .init("FROM"), .init("TO"),
                ])
                for row in rows {
                    table.add(
                        Table.Cell(row.run),
                        Table.Cell(row.project),
                        Table.Cell(row.centre),
                        Table.Cell(row.meter.rawValue),
                        Table.Cell(MicroCredits(row.microUnits)),
                        Table.Cell(spoken(row.from)),
                        Table.Cell(spoken(row.to))
                    )
                }
                if !point.json { terminal.print(table) }
                point.hint(next)
            }
        }
    }
}
