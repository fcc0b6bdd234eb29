import ArgumentParser
import Core
import Wire

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check files before they are used.",
        subcommands: [Check.self]
    )

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Find the faults of job, workflow, algorithm and server configuration files.",
            discussion: """
                What a file is shows from its keys. Nothing is sent anywhere.

                Example:
                  onepoint config check workflows/tour.yaml algorithms/collect/algorithm.yaml
                """
        )
        @Flag(name: .long, help: "Print what each file is and its faults as JSON, a file a line.") var json = false
        @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml", "json"])) var file: [String]

        func run() async throws {
            var lines: [String] = []
            var faulty = 0
            for path in file {
                do {
                    let kind = try await check(path)
                    if json { report(path, kind, []) } else { terminal.print("\(path): \(kind.phrase), no faults") }
                } catch let failure as LocatedFailure {
                    faulty += 1
                    lines += failure.lines
                    if json { report(path, nil, failure.lines) }
                }
            }
            if faulty > 0 {
                if json { throw QuietExit(.usage) }
                let what = file.count == 1 ? "\(file[0]) has" : "\(faulty) of \(file.count) files have"
                throw LocatedFailure(detail: "\(what) faults.", code: .invalid, lines: lines)
            }
        }

        private func report(_ path: String, _ kind: DocumentKind?, _ faults: [String]) {
            let line = JSON.object([
                ("file", .string(path)), ("kind", kind.map { .string($0.rawValue) } ?? .null),
                ("faults", .array(faults.map { .string($0) })),
            ])
            terminal.print(line.text)
        }

        /// What the file is.
        private func check(_ path: String) async throws -> DocumentKind {
            let source = try await DocumentFile.load(path)
            let kind = DocumentKind(source.json)
            switch kind {
            case .job, .workflow: _ = try await SubmissionFile(file: source).check()
            case .algorithm:
                do { _ = try AlgorithmManifest.read(source.json) } catch { throw source.located(error) }
            case .configuration:
                guard let check = ClientContext.current.checkServerConfiguration else {
                    throw LocatedFailure(
                        detail: "unknown",
                        code: .invalid,
                        lines: ["\(path):1:1: is neither a job, a workflow nor an algorithm"]
                    )
                }
                let violations = check(source.document)
                if !violations.isEmpty {
                    throw source.located(Failure(.invalid, "\(path) has faults.", violations: violations))
                }
            }
            return kind
        }
    }
}

/// What a file describes, by the keys that only such files have.
enum DocumentKind: String, Sendable {
    case job, workflow, algorithm, configuration

    var phrase: String {
        switch self {
        case .job: "a job"
        case .workflow: "a workflow"
        case .algorithm: "an algorithm"
        case .configuration: "a server configuration"
        }
    }

    init(_ json: JSON) {
        if json["workflow"] != nil || json["jobs"] != nil {
            self = .workflow
        } else if json["entry_point"] != nil {
            self = .algorithm
        } else if json["command"] != nil || json["algorithm"] != nil || json["resources"] != nil {
            self = .job
        } else {
            self = .configuration
        }
    }
}

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a completion script for a shell.",
        discussion: """
            Examples:
              source <(onepoint completion bash)
              onepoint completion zsh > ~/.zfunc/_onepoint
              onepoint completion fish > ~/.config/fish/completions/onepoint.fish
            """
    )

    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"])) var shell: String

    func validate() throws {
        guard ["bash", "zsh", "fish"].contains(shell) else { throw ValidationError("There is bash, zsh and fish.") }
    }

    func run() throws { terminal.print(ClientContext.current.completionScript(shell)) }
}

struct ExitCodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exit-codes",
        abstract: "Explain what the command leaves with.",
        discussion: ExitStatus.list
            + "\n\nrun, logs -f and submit --watch of one job pass the job's own exit status on where it has one; "
            + "a job ended by signal N gives 128 + N."
    )

    @Flag(name: .long, help: "Print them as JSON.") var json = false

    func run() throws {
        guard json else { return terminal.print(Self.configuration.discussion) }
        let rows = ExitStatus.allCases.map { status in
            JSON.object([("status", .integer(Int64(status.rawValue))), ("meaning", .string(status.meaning))])
        }
        terminal.print(JSON.array(rows).text)
    }
}
