import ArgumentParser
import CSupervise
import Client
import Core
import Foundation
import Glibc
import Wire

/// The platform, its agents and its clients.
struct Onepoint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "onepoint",
        abstract: "One point for many computing centres: compute, algorithms, data, safety.",
        version: productVersion,
        subcommands: [
            ServeCommand.self, AgentCommand.self, AdminCommand.self, ProveCommand.self, SimulateCommand.self,
            DataCommand.self,
        ]
            + Client.subcommands
    )
}

/// One binary, three roles: `serve`, `agent`, and the client verbs; and `supervise`, which it starts itself.
@main
enum Main {
    static func main() async {
        // Before anything else: a supervisor is started with every run and must cost next to nothing.
        if CommandLine.argc == 3, CommandLine.arguments[1] == "supervise" {
            exit(onepoint_supervise(CommandLine.arguments[2]))
        }
        await Client.main(
            Onepoint.self,
            environment: ProcessInfo.processInfo.environment,
            checkServerConfiguration: { ServerConfiguration.read($0.json).1 }
        )
    }
}
