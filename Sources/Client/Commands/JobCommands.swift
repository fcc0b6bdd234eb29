import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List jobs, the newest first.",
        discussion: """
            Examples:
              onepoint jobs --state queued --state active
              onepoint jobs --workflow wf-01k… --limit 500
              onepoint jobs --json | jq -r '.items[].job'
            """
    )

    @OptionGroup var point: PointOptions
    @OptionGroup var page: PageOptions
    @Option(name: .long, help: "Of this project.") var project: String?
    @Option(
        name: .long,
        help: "In this state. Repeatable.",
        completion: .list(JobState.allCases.map(\.rawValue))
    )
    var state: [String] = []
    @Option(name: .long, help: "Whose name begins so.") var name: String?
    @Option(name: .long, help: "Of this workflow.") var workflow: String?
    @Option(name: .long, help: "Of this array.") var array: String?
    @Option(name: .long, help: "Whose current run is at this centre.") var centre: String?

    func run() async throws {
        try await point.with { client in
            let states = state.isEmpty ? nil : state.joined(separator: ",")
            let (jobs, next) = try await point.pages(
                client,
                "/v1/jobs",
                [
                    ("project", project), ("state", states), ("name", name), ("workflow", workflow), ("array", array),
                    ("centre", centre),
                ],
                limit: page.limit,
                cursor: page.cursor,
                of: JobView.self
            )
            if !point.json { terminal.print(Self.table(jobs)) }
            point.hint(next)
        }
    }

    static func table(_ jobs: [JobView]) -> Table {
        var table = Table([
            .init("JOB"), .init("NAME", shrinks: true), .init("PROJECT", shrinks: true), .init("STATE"),
            .init("CENTRE", shrinks: true), .init("AGE", .right), .init("TIME", .right), .init("DETAIL", shrinks: true),
        ])
        let now = now()
        for job in jobs {
            let took = job.startedAt.map { (job.endedAt ?? now) - $0 }
            let index = job.arrayIndex.map { "[\($0)]" } ?? ""
            table.add(
                Table.Cell(job.job),
                Table.Cell(job.name + index),
                Table.Cell(job.project),
                Table.Cell.state(job.unseenSince == nil ? job.state.rawValue : "unseen"),
                Table.Cell(job.centre),
                Table.Cell(spoken(now - job.submittedAt)),
                Table.Cell(took.map { spoken($0) }),
                Table.Cell(job.detail, absent: "")
            )
        }
        return table
    }
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Show one job with its runs, artifacts and cost."
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "The job's id.") var id: String

    func run() async throws {
        try await point.with { client in
            let answer = try await client.get("/v1/jobs/\(id.percentEncoded)")
            try point.show(answer, as: JobDetail.self) { detail in
                Self.print(detail.summary, detail.spec)
                Self.print(detail)
            }
        }
    }

    private static func line(_ title: String, _ text: String?, _ style: Style? = nil) {
        guard let text, !text.isEmpty else { return }
        let padding = String(repeating: " ", count: max(1, 14 - title.count))
        terminal.print(terminal.styled(title, .dim) + padding + terminal.styled(printable(text), style))
    }

    private static func print(_ job: JobView, _ spec: JobSpec) {
        line("job", job.job.description, .strong)
        line("name", job.name + (job.arrayIndex.map { " [\($0)]" } ?? ""))
        line("project", "\(job.project), by \(job.user)")
        line(
            "state",
            job.state.rawValue + (job.cancelRequested && !job.state.isTerminal ? ", to be cancelled" : ""),
            .state(job.state.rawValue)
        )
        line("detail", job.detail)
        line("workflow", job.workflow?.description)
        line("array", job.array?.description)
        line("algorithm", spec.algorithm.map { "\($0.name) \($0.version)" })
        line("command", spec.command.joined(separator: " "))
        let cards = spec.resources.cards > 0 ? ", \(spec.resources.cards) x \(spec.resources.card ?? "any card")" : ""
        line(
            "needs",
            "\(spec.tasks > 1 ? "\(spec.tasks) tasks of " : "")\(spec.resources.cores) \(spec.resources.cores == 1000 ? "core" : "cores"), \(spec.resources.memory)\(cards), "
                + "at most \(WireDuration.text(spec.timeLimitSeconds))"
        )
        line("submitted", spoken(job.submittedAt))
        line("started", job.startedAt.map { spoken($0) })
        line("ended", job.endedAt.map { spoken($0) })
        line("unseen since", job.unseenSince.map { spoken($0) }, .bad)
    }

    private static func print(_ detail: JobDetail) {
        line("cost", "\(detail.charged) credits" + (detail.reserved > 0 ? ", \(detail.reserved) reserved" : ""))
        if let forecast = detail.forecast {
            line("foretold", EstimateCommand.sentence(forecast))
        }
        for dependency in detail.dependencies {
            line("after", "\(dependency.name) (\(dependency.on)): \(spoken(states: dependency.states))")
        }
        if !detail.runs.isEmpty {
            terminal.print("")
            var table = Table([
                .init("RUN", .right), .init("STATE"), .init("CENTRE", shrinks: true), .init("TIER"), .init("STARTED"),
                .init("TIME", .right), .init("CREDITS", .right), .init("WHY THERE, HOW IT ENDED", shrinks: true),
            ])
            for run in detail.runs {
                let took = run.startedAt.map { (run.endedAt ?? now()) - $0 }
                let end = run.summary.map { "; \($0)" } ?? run.waiting.map { "; waits: \($0)" } ?? ""
                table.add(
                    Table.Cell(run.number),
                    Table.Cell.state(run.unseenSince == nil ? run.state.rawValue : "unseen"),
                    Table.Cell(run.centre),
                    Table.Cell(run.tier.rawValue),
                    Table.Cell(spoken(run.startedAt)),
                    Table.Cell(took.map { spoken($0) }),
                    Table.Cell(run.charged),
                    Table.Cell(run.reason + end)
                )
            }
            terminal.print(table)
        }
        if !detail.artifacts.isEmpty {
            terminal.print("")
            terminal.print(ArtifactsCommand.table(detail.artifacts))
        }
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a job printed.",
        discussion: """
            With -f it goes on until the job is over, through broken connections and later attempts, and leaves with the \
            job's exit status.

            With --json, pieces come a line each: run, task, offset in bytes, and text (base64 where it is no UTF-8).

            Examples:
              onepoint logs job-01k…
              onepoint logs -f job-01k… --task 1
            """
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "The job's id.") var id: String
    @Flag(name: .shortAndLong, help: "Go on as it prints more.") var follow = false
    @Option(name: .long, help: "Which task of a gang, from 0.") var task = 0
    @Option(name: .long, help: "Which attempt, from 1; default: the latest.") var run: Int?

    func run() async throws {
        try await point.with { client in
            if follow {
                let follower = LogFollower(client: client, job: id, run: run, task: task, asJSON: point.json)
                let detail = try await follower.follow()
                if detail.summary.state.isTerminal { try Watcher(client: client).finish(detail) }
                return
            }
            var offset: Int64 = 0
            while true {
                let query: [(String, String?)] = [
                    ("run", run.map { "\($0)" }), ("task", "\(task)"), ("offset", "\(offset)"), ("limit", "1048576"),
                ]
                let bytes = try await client.get("/v1/jobs/\(id.percentEncoded)/logs", query)
                if bytes.isEmpty { return }
                if point.json {
                    terminal.print(LogFollower.piece(bytes, run: run, task: task, offset: offset).text)
                } else {
                    terminal.write(bytes)
                }
                offset += Int64(bytes.count)
            }
        }
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Ask jobs, arrays or workflows to stop."
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "Ids: job-…, arr-… or wf-….") var id: [String]

    func run() async throws {
        try await point.with { client in
            for id in id {
                let answer = try await client.send(.post, "/v1/\(try Self.kind(of: id))/\(id.percentEncoded)/cancel")
                if point.json {
                    terminal.write(answer)
                    terminal.print("")
                    continue
                }
                let json = try? JSON(parsing: answer)
                if let asked = json?["asked"]?.integerValue {
                    terminal.print("\(id): asked \(asked) \(asked == 1 ? "job" : "jobs") to stop")
                } else {
                    let state = json?["state"]?.stringValue ?? ""
                    terminal.print("\(id): \(state == "cancelled" ? "cancelled" : "asked to stop, now \(state)")")
                }
            }
        }
    }

    static func kind(of id: String) throws(Failure) -> String {
        if id.hasPrefix("job-") { return "jobs" }
        if id.hasPrefix("arr-") { return "arrays" }
        if id.hasPrefix("wf-") { return "workflows" }
        throw Failure(.invalid, "'\(printable(id))' is no id of a job (job-…), an array (arr-…) or a workflow (wf-…).")
    }
}

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say why a job waits, or why it is where it is."
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "The job's id.") var id: String

    func run() async throws {
        try await point.with { client in
            let answer = try await client.get("/v1/jobs/\(id.percentEncoded)/why")
            try point.show(answer, as: WhyView.self) { why in
                terminal.print(terminal.styled(printable(why.headline), .strong))
                for line in why.evidence { terminal.print("  " + printable(line)) }
                if let wayOut = why.wayOut { terminal.print("Way out: " + printable(wayOut)) }
                if let start = why.predictedStart {
                    let latest = why.predictedStartP90.map { ", 9 of 10 times by \(spoken($0))" } ?? ""
                    terminal.print("Predicted start: \(spoken(start))\(latest)")
                }
                terminal.print(terminal.styled("\(why.state), \(why.code)", .dim))
            }
        }
    }
}
