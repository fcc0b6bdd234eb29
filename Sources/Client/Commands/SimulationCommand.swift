import ArgumentParser
import Core
import Wire

struct SimulationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulation",
        abstract: "Look at the simulations that were published at a point.",
        discussion: """
            'onepoint simulate TRACE --publish NAME' publishes one. Everybody signed in sees them, in the console too; \
            only operators publish and delete.

            Examples:
              onepoint simulation list
              onepoint simulation show kth-2026
            """,
        subcommands: [List.self, Show.self, Delete.self],
        defaultSubcommand: List.self
    )

    private static let path = "/v1/simulations"

    static func path(_ name: String) -> String { "\(path)/\(name.percentEncoded)" }

    static func table(_ simulations: [SimulationSummary]) -> Table {
        var table = Table([
            .init("SIMULATION", shrinks: true), .init("TRACE", shrinks: true), .init("JOBS", .right),
            .init("CENTRES", .right), .init("POLICIES", shrinks: true), .init("BY", shrinks: true), .init("WHEN"),
        ])
        for view in simulations {
            table.add(
                Table.Cell(view.name),
                Table.Cell(view.trace),
                Table.Cell(view.jobs),
                Table.Cell(view.centres),
                Table.Cell(view.policies.joined(separator: ", ")),
                Table.Cell(view.user),
                Table.Cell(spoken(view.publishedAt))
            )
        }
        return table
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List simulations, the newest first.")
        @OptionGroup var point: PointOptions
        @OptionGroup var page: PageOptions

        func run() async throws {
            try await point.with { client in
                let (found, next) = try await point.pages(
                    client,
                    path,
                    [],
                    limit: page.limit,
                    cursor: page.cursor,
                    of: SimulationSummary.self
                )
                if !point.json { terminal.print(table(found)) }
                point.hint(next)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a simulation told of its policies.",
            discussion: "With --json also the series that the console draws its charts from."
        )
        @OptionGroup var point: PointOptions
        @Argument(help: "The simulation's name.") var name: String

        func run() async throws {
            try await point.with { client in
                try point.show(try await client.get(path(name)), as: SimulationDetail.self) { detail in
                    terminal.print(table([detail.summary]))
                    terminal.print("")
                    terminal.print(Self.figures(detail.report))
                    for difference in detail.report.differences { terminal.print(Self.line(difference)) }
                }
            }
        }

        private static func figures(_ report: SimulationReport) -> Table {
            let figures = SimulationReport.Figure.allCases.filter { figure in
                report.policies.contains { $0[figure] != nil }
            }
            var table = Table([.init("FIGURE")] + report.policies.map { .init($0.name, .right) })
            func add(_ title: String, _ value: (SimulationReport.Policy) -> Double?) {
                table.add([Table.Cell(title)] + report.policies.map { Table.Cell(value($0).map { shown($0) } ?? "-") })
            }
            add("started") { Double($0.started) }
            for figure in figures {
                add(figure.rawValue.replacing("_", with: " ")) { $0[figure] }
            }
            return table
        }

        private static func line(_ difference: SimulationReport.Comparison) -> String {
            func told(_ difference: SimulationReport.Difference) -> String {
                "\(signed(difference.mean)) (\(signed(difference.low)) to \(signed(difference.high)))"
            }
            return "\(printable(difference.policy)) beside \(printable(difference.base)): wait "
                + "\(told(difference.waitSeconds)) s, slowdown \(told(difference.boundedSlowdown))"
        }

        /// Three places after the point for small figures, none for large ones.
        static func shown(_ value: Double) -> String {
            let places = value.magnitude < 10 ? 1000.0 : value.magnitude < 1000 ? 10.0 : 1.0
            let rounded = (value * places).rounded() / places
            return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
        }

        private static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + shown(value) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a simulation.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The simulation's name.") var name: String

        func run() async throws {
            try await point.with { client in
                _ = try await client.send(.delete, path(name))
                if !point.json { terminal.print("\(printable(name)) deleted") }
            }
        }
    }
}
