public import ArgumentParser
public import Core
public import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The client commands of `onepoint`, and how the executable runs them.
public enum Client {
    /// To be listed among the root command's subcommands, in the order of the help.
    public static var subcommands: [any ParsableCommand.Type] {
        [
            LoginCommand.self, WhoAmICommand.self, SubmitCommand.self, RunCommand.self, EstimateCommand.self,
            JobsCommand.self,
            JobCommand.self, LogsCommand.self, CancelCommand.self, WhyCommand.self, WorkflowCommand.self,
            CentresCommand.self, ReservationCommand.self, CapacityCommand.self, SimulationCommand.self,
            AcceleratorsCommand.self, ProjectsCommand.self,
            UsersCommand.self, TokensCommand.self,
            LedgerCommand.self, ArtifactsCommand.self, RepoCommand.self, LineageCommand.self, EventsCommand.self,
            ConfigCommand.self,
            CompletionCommand.self, ExitCodesCommand.self,
        ]
    }

    /// Parses the arguments, runs the command, prints what went wrong, and ends the process with its exit status.
    ///
    /// - Parameters:
    ///   - root: The root command, with ``subcommands`` among its own.
    ///   - environment: The process's environment variables.
    ///   - checkServerConfiguration: The faults of a server's configuration file, for `config check`.
    public static func main<Root: ParsableCommand & SendableMetatype>(
        _ root: Root.Type,
        arguments: [String]? = nil,
        environment: [String: String],
        checkServerConfiguration: (@Sendable (YAMLDocument) -> [Violation])? = nil
    ) async -> Never {
        let context = ClientContext(
            environment: environment,
            terminal: Terminal(environment: environment),
            completionScript: { shell in
                Root.completionScript(for: CompletionShell(rawValue: shell) ?? .bash)
            },
            checkServerConfiguration: checkServerConfiguration
        )
        let given = arguments ?? Array(CommandLine.arguments.dropFirst())
        let asJSON = given.prefix { $0 != "--" }.contains("--json")
        let status = await ClientContext.$current.withValue(context) {
            do {
                var command = try Root.parseAsRoot(arguments)
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
                return ExitStatus.ok.rawValue
            } catch {
                return report(error, of: Root.self, asJSON: asJSON)
            }
        }
        exit(status)
    }

    /// Prints an error and chooses the exit status.
    ///
    /// - Parameter asJSON: As a problem in one line, in the shape of the API's.
    static func report<Root: ParsableCommand>(
        _ error: any Error,
        of root: Root.Type,
        asJSON: Bool = false
    ) -> Int32 {
        func say(_ code: Failure.Code, _ detail: String, _ faults: [Violation] = []) {
            if asJSON {
                terminal.printError(Problem(ProblemKind(code), detail: detail, violations: faults).json.text)
                return
            }
            terminal.printError("error: \(detail)")
            for fault in faults {
                terminal.printError((fault.pointer.isEmpty ? "" : fault.pointer + ": ") + fault.message)
            }
        }
        switch error {
        case let exit as QuietExit: return exit.status
        case let failure as LocatedFailure:
            say(failure.code, failure.detail, failure.lines.map { Violation("", $0) })
            return ExitStatus(failure.code).rawValue
        case let failure as Failure:
            say(failure.code, failure.detail, failure.violations)
            return ExitStatus(failure.code).rawValue
        case is CancellationError: return ExitStatus.interrupted.rawValue
        default: break
        }
        let code = Root.exitCode(for: error)
        let text = Root.fullMessage(for: error)
        if code == .success {
            if !text.isEmpty { terminal.print(text) }
            return ExitStatus.ok.rawValue
        }
        if let code = error as? ExitCode { return code.rawValue }
        let isUsage = code == .validationFailure
        if isUsage {
            // The parser's own form already begins with "Error:".
            let message = text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text
            say(.malformed, message)
        } else {
            say(.internal, "\(error)")
        }
        return isUsage ? ExitStatus.usage.rawValue : ExitStatus.jobFailed.rawValue
    }
}
