import Core
import Wire

/// Stays with what was submitted until it is over.
struct Watcher: Sendable {
    let client: PointClient

    private static let period = Duration.seconds(1)

    /// - Throws: ``QuietExit`` with the job's own status unless everything succeeded.
    func watch(_ made: SubmissionView) async throws {
        if let job = made.job {
            try await watch(job: job.description)
        } else if let array = made.array {
            try await watch(array: array.description)
        } else if let workflow = made.workflow {
            try await watch(workflow: workflow.description)
        }
    }

    /// Shows the job's log to its end. The first Ctrl-C leaves the job alone and ends the watch.
    func watch(job: String) async throws {
        let detail = try await LogFollower(client: client, job: job).follow()
        try finish(detail)
    }

    func finish(_ detail: JobDetail) throws {
        if detail.summary.state != .succeeded {
            let why = detail.summary.detail.map { ": \(printable($0))" } ?? ""
            terminal.printError("\(detail.summary.job) \(detail.summary.state)\(why)")
            throw QuietExit(detail.exitStatus)
        }
    }

    func watch(workflow: String) async throws {
        var screen = Screen()
        var said: [String: String] = [:]
        var failures = 0
        while true {
            do {
                let answer = try await client.get("/v1/workflows/\(workflow.percentEncoded)")
                let view: WorkflowView = try WireJSON.decode(from: answer)
                failures = 0
                if terminal.isInteractive {
                    screen.show(Self.table(view))
                } else {
                    for node in view.nodes where said[node.name] != spoken(states: node.states) {
                        said[node.name] = spoken(states: node.states)
                        terminal.print("\(node.name): \(spoken(states: node.states))\(Self.places(node))")
                    }
                }
                if view.state.isTerminal {
                    terminal.print("\(view.workflow) \(view.state), \(view.charged) credits")
                    if view.state != .succeeded { throw QuietExit(.jobFailed) }
                    return
                }
            } catch let failure as Failure where failure.code == .unavailable && failures < LogFollower.failuresMax {
                failures += 1
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
            }
            try await Task.sleep(for: Self.period)
        }
    }

    static func table(_ view: WorkflowView) -> Table {
        var table = Table([
            .init("JOB", shrinks: true), .init("STATE"), .init("TASKS", .right), .init("CENTRE", shrinks: true),
            .init("TIER"), .init("TIME", .right), .init("CREDITS", .right), .init("AFTER", shrinks: true),
        ])
        for node in view.nodes {
            let took = node.startedAt.map { (node.endedAt ?? now()) - $0 }
            table.add(
                Table.Cell(node.name),
                Table.Cell(spoken(states: node.states), dominant(node.states)),
                Table.Cell("\(node.count > 1 ? "\(node.count) x " : "")\(node.tasks)"),
                Table.Cell(node.centres.isEmpty ? "-" : node.centres.map(\.text).joined(separator: ", ")),
                Table.Cell(node.tiers.isEmpty ? "-" : node.tiers.map(\.rawValue).joined(separator: ", ")),
                Table.Cell(took.map { spoken($0) }),
                Table.Cell(node.charged),
                Table.Cell(node.after.isEmpty ? "-" : node.after.map(\.node).joined(separator: ", "))
            )
        }
        return table
    }

    private static func dominant(_ states: [String: Int]) -> Style? {
        for state in ["failed", "active", "queued", "cancelled", "succeeded"] where (states[state] ?? 0) > 0 {
            return .state(state)
        }
        return nil
    }

    private static func places(_ node: WorkflowView.Node) -> String {
        node.centres.isEmpty ? "" : " at \(node.centres.map(\.text).joined(separator: ", "))"
    }

    func watch(array: String) async throws {
        var said = ""
        while true {
            var states: [String: Int] = [:]
            var cursor: String?
            repeat {
                let query: [(String, String?)] = [("array", array), ("limit", "500"), ("cursor", cursor)]
                let page: Page<JobView> = try WireJSON.decode(from: try await client.get("/v1/jobs", query))
                for job in page.items { states[job.state.rawValue, default: 0] += 1 }
                cursor = page.next
            } while cursor != nil
            let line = spoken(states: states)
            if line != said { terminal.print("\(array): \(line)") }
            said = line
            let live = (states["queued"] ?? 0) + (states["active"] ?? 0)
            if live == 0 {
                if (states["failed"] ?? 0) + (states["cancelled"] ?? 0) > 0 { throw QuietExit(.jobFailed) }
                return
            }
            try await Task.sleep(for: Self.period)
        }
    }
}

/// A part of the terminal that is drawn over.
struct Screen {
    private var lines = 0

    mutating func show(_ table: Table) {
        let text = table.render(width: terminal.width, colours: terminal.colours)
        let up = lines > 0 ? "\u{1B}[\(lines)A\u{1B}[J" : ""
        terminal.write(Array((up + text).utf8))
        lines = text.utf8.count { $0 == 0x0A }
    }
}
