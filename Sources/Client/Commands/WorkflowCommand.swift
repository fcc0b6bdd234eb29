import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct WorkflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workflow",
        abstract: "List, show, watch or cancel workflows.",
        subcommands: [List.self, Show.self, Watch.self, Cancel.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List workflows, the newest first.")
        @OptionGroup var point: PointOptions
        @OptionGroup var page: PageOptions
        @Option(name: .long, help: "Of this project.") var project: String?

        func run() async throws {
            try await point.with { client in
                let (workflows, next) = try await point.pages(
                    client,
                    "/v1/workflows",
                    [("project", project)],
                    limit: page.limit,
                    cursor: page.cursor,
                    of: WorkflowView.self
                )
                var table = Table([
                    .init("WORKFLOW"), .init("NAME", shrinks: true), .init("PROJECT", shrinks: true), .init("STATE"),
                    .init("JOBS", shrinks: true), .init("AGE", .right), .init("CREDITS", .right),
                ])
                for view in workflows {
                    var states: [String: Int] = [:]
                    for node in view.nodes { states.merge(node.states, uniquingKeysWith: +) }
                    table.add(
                        Table.Cell(view.workflow),
                        Table.Cell(view.name),
                        Table.Cell(view.project),
                        Table.Cell.state(view.state.rawValue),
                        Table.Cell(spoken(states: states)),
                        Table.Cell(spoken(now() - view.submittedAt)),
                        Table.Cell(view.charged)
                    )
                }
                if !point.json { terminal.print(table) }
                point.hint(next)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a workflow's jobs and edges.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The workflow's id.") var id: String

        func run() async throws {
            try await point.with { client in
                let answer = try await client.get("/v1/workflows/\(id.percentEncoded)")
                try point.show(answer, as: WorkflowView.self) { view in
                    terminal.print(
                        "\(view.name) (\(view.workflow)), project \(view.project), \(view.state), \(view.charged) credits"
                    )
                    terminal.print(Watcher.table(view))
                }
            }
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stay with a workflow until it is over.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The workflow's id.") var id: String

        func run() async throws {
            try await point.with { client in try await Watcher(client: client).watch(workflow: id) }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ask every job of a workflow to stop.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The workflow's id.") var id: String

        func run() async throws {
            var cancel = CancelCommand()
            cancel.point = point
            cancel.id = [id]
            try await cancel.run()
        }
    }
}
