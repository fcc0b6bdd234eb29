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
        @Argument(help: "The files.", completion: .file(extensions: ["yaml", "yml", "json"])) var file: [String]

        func run() async throws {
            var lines: [String] = []
            var faulty = 0
            for path in file {
                do {
                    terminal.print("\(path): \(try await check(path)), no faults")
                } catch let failure as LocatedFailure {
                    faulty += 1
                    lines += failure.lines
                }
            }
            if faulty > 0 {
                let what = file.count == 1 ? "\(file[0]) has" : "\(faulty) of \(file.count) files have"
                throw LocatedFailure(detail: "\(what) faults.", status: .usage, lines: lines)
            }
        }

        /// What the file is.
        private func check(_ path: String) async throws -> String {
            let source = try await DocumentFile.load(path)
            switch DocumentKind(source.json) {
            case .job:
                _ = try await SubmissionFile(file: source).check()
                return "a job"
            case .workflow:
                _ = try await SubmissionFile(file: source).check()
                return "a workflow"
            case .algorithm:
                do { _ = try AlgorithmManifest.read(source.json) } catch { throw source.located(error) }
                return "an algorithm"
            case .configuration:
                guard let check = ClientContext.current.checkServerConfiguration else {
                    throw LocatedFailure(
                        detail: "unknown",
                        status: .usage,
                        lines: ["\(path):1:1: is neither a job, a workflow nor an algorithm"]
                    )
                }
                let violations = check(source.document)
                if !violations.isEmpty {
                    throw source.located(Failure(.invalid, "\(path) has faults.", violations: violations))
                }
                return "a server configuration"
            }
        }
    }
}

/// What a file describes, by the keys that only such files have.
enum DocumentKind: Sendable {
    case job, workflow, algorithm, configuration

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

    func run() throws { terminal.print(Self.configuration.discussion) }
}
