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
            LoginCommand.self, WhoAmICommand.self, SubmitCommand.self, RunCommand.self, JobsCommand.self,
            JobCommand.self, LogsCommand.self, CancelCommand.self, WhyCommand.self, WorkflowCommand.self,
            CentresCommand.self, CapacityCommand.self, ProjectsCommand.self, UsersCommand.self, TokensCommand.self,
            LedgerCommand.self, ArtifactsCommand.self, EventsCommand.self, ConfigCommand.self,
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
                return report(error, of: Root.self)
            }
        }
        exit(status)
    }

    /// Prints an error and chooses the exit status.
    static func report<Root: ParsableCommand>(_ error: any Error, of root: Root.Type) -> Int32 {
        switch error {
        case let exit as QuietExit: return exit.status
        case let failure as LocatedFailure:
            terminal.printError("error: \(failure.detail)")
            for line in failure.lines { terminal.printError(line) }
            return failure.status.rawValue
        case let failure as Failure:
            terminal.printError("error: \(failure.detail)")
            for violation in failure.violations {
                let place = violation.pointer.isEmpty ? "" : violation.pointer + ": "
                terminal.printError(place + violation.message)
            }
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
            let message = text.hasPrefix("Error:") ? "error:" + text.dropFirst(6) : text
            terminal.printError(message)
        } else {
            terminal.printError("error: \(error)")
        }
        return isUsage ? ExitStatus.usage.rawValue : ExitStatus.jobFailed.rawValue
    }
}
