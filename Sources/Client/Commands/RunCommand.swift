import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command somewhere, right away, as if it were here.",
        discussion: """
            Submits one job, shows what it prints, and leaves with its exit status. Ctrl-C cancels the job; a second Ctrl-C \
            leaves at once.

            Examples:
              onepoint run -- hostname
              onepoint run --cores 2 --memory 4GiB --tier region -- python3 -c 'print(6 * 7)'
              onepoint run --cards 1 --card h100-sxm5 --time-limit 10m -- nvidia-smi
            """
    )

    @OptionGroup var point: PointOptions
    @Option(name: .long, help: "Name of the job; default: the command's.") var name: String?
    @Option(name: .long, help: "Which project pays and sees.") var project: String?
    @Option(name: .long, help: "Cores of each task, such as 2 or 0.5.") var cores: Double?
    @Option(name: .long, help: "Memory of each task, such as 2GiB.") var memory: String?
    @Option(name: .long, help: "Accelerators of each task.") var cards: Int?
    @Option(name: .long, help: "Model of the accelerators, such as h100-sxm5.") var card: String?
    @Flag(name: .long, help: "Emulated accelerators will do.") var emulated = false
    @Option(name: .long, help: "Tasks that start together.") var tasks: Int?
    @Option(name: .long, help: "Only at this tier: hub, region, edge or device. Repeatable.", completion: tierList)
    var tier: [String] = []
    @Option(name: .long, help: "Only at this centre. Repeatable.") var centre: [String] = []
    @Option(name: .long, help: "Stop it after this long, such as 90s, 10m or 2h.") var timeLimit: String?
    @Option(name: .long, help: "0 to 1000; higher goes first.") var priority: Int?
    @Option(name: .long, help: "auto, required or none.") var isolation: String?
    @Option(name: .long, help: ArgumentHelp("Environment variable. Repeatable.", valueName: "name=value"))
    var env: [String] = []
    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, behind --.", valueName: "command"))
    var command: [String]

    func validate() throws {
        if command.isEmpty { throw ValidationError("Say what to run, behind --, as in: onepoint run -- hostname") }
    }

    func run() async throws {
        let document = try document()
        _ = try SubmissionDraft.read(document)
        try await point.with { client in
            let answer = try await client.submit(document, key: randomKey())
            let made: SubmissionView = try WireJSON.decode(from: answer)
            if point.json {
                terminal.write(answer)
                terminal.print("")
            } else {
                terminal.printError("\(made.id) submitted to project \(made.project)")
            }
            let follower = LogFollower(client: client, job: made.id)
            let detail = try await withInterrupts {
                terminal.printError("cancelling \(made.id); Ctrl-C again leaves at once")
                do {
                    try await client.send(.post, "/v1/jobs/\(made.id)/cancel")
                } catch {
                    terminal.printError("error: \((error as? Failure)?.detail ?? "the job could not be cancelled")")
                }
            } _: {
                try await follower.follow()
            }
            if detail.summary.cancelRequested { throw QuietExit(.interrupted) }
            try Watcher(client: client).finish(detail)
        }
    }

    /// The job that the options describe.
    func document() throws -> JSON {
        var environment: [(key: String, value: JSON)] = []
        for assignment in env {
            guard let equals = assignment.firstIndex(of: "=") else {
                throw ValidationError("--env \(assignment) is no assignment; write --env NAME=VALUE.")
            }
            environment.append(
                (String(assignment[..<equals]), .string(String(assignment[assignment.index(after: equals)...])))
            )
        }
        let resources: JSON = .members(
            ("cores", cores.map { .number($0) }),
            ("memory", memory?.json),
            ("cards", (cards ?? (card == nil ? nil : 1))?.json),
            ("card", card?.json),
            ("time_limit", timeLimit?.json)
        )
        let placement: JSON = .members(
            ("tiers", tier.isEmpty ? nil : .array(tier.map(\.json))),
            ("centres", centre.isEmpty ? nil : .array(centre.map(\.json))),
            ("emulated", emulated ? .bool(true) : nil)
        )
        func unlessEmpty(_ json: JSON) -> JSON? { json == .object([]) ? nil : json }
        return .members(
            ("name", .string(name ?? jobName(command[0]))),
            ("project", project?.json),
            ("command", .array(command.map(\.json))),
            ("tasks", tasks?.json),
            ("resources", unlessEmpty(resources)),
            ("placement", unlessEmpty(placement)),
            ("priority", priority?.json),
            ("isolation", isolation?.json),
            ("environment", environment.isEmpty ? nil : .object(environment))
        )
    }
}

let tierList = CompletionKind.list(Tier.allCases.map(\.rawValue))

/// The program's own name as far as it can be a job's.
func jobName(_ program: String) -> String {
    let last = program.split(separator: "/").last ?? ""
    let label = last.lowercased().utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        default: UInt8(ascii: "-")
        }
    }
    let parts = String(decoding: label, as: UTF8.self).split(separator: "-").joined(separator: "-").prefix(63)
    let name = parts.last == "-" ? parts.dropLast() : parts
    return name.isEmpty ? "run" : String(name)
}
