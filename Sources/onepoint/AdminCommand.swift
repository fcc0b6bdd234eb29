import ArgumentParser
import Core
import Jobs
import Logging
import Store
import Wire

/// `onepoint admin`: what an operator does on the point's own machine, while `serve` is stopped.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin",
        abstract: "Look after a data folder while no point runs on it.",
        subcommands: [Rebuild.self, Check.self, Token.self]
    )

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make all views anew from the event log.",
            discussion: "Interrupted, it goes on at the next start of serve or rebuild."
        )

        @Option(help: "The point's data folder.") var data = "./data"

        func run() async throws {
            let store = try await Assembly(data: try absolute(data), log: makeLogger(.notice)).openStore()
            try await store.rebuild { progress in
                standardError("rebuilt \(progress.done) of \(progress.total) events\n")
            }
            try await store.close()
            print("all views are rebuilt from the log")
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check the database's integrity.")

        @Option(help: "The point's data folder.") var data = "./data"

        func run() async throws {
            let store = try await Assembly(data: try absolute(data), log: makeLogger(.notice)).openStore()
            try await store.checkIntegrity()
            try await store.close()
            print("the database is sound")
        }
    }

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new operator's token, for when all others are lost."
        )

        @Option(help: "The point's data folder.") var data = "./data"
        @Option(help: "The operator's name.") var user = "admin"

        func run() async throws {
            guard let name = UserName(user) else { throw ValidationError("--user: \(UserName.rule)") }
            let point = try await Assembly(data: try absolute(data), log: makeLogger(.notice))
                .open(settings: Point.Settings()).point
            let token = try await point.recoverOperator(name)
            try await point.close()
            print(token.secret)
        }
    }
}
