import ArgumentParser
import Core
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Remember a point and a token for it.",
        discussion: """
            The token is asked for, read from a file, or from standard input when that is no terminal. It is kept in \
            $XDG_CONFIG_HOME/onepoint/credentials.json, readable by you alone. ONEPOINT_URL and ONEPOINT_TOKEN override it.

            Examples:
              onepoint login http://127.0.0.1:7070
              onepoint login point.example --token-file ~/token
              pass onepoint | onepoint login point.example
            """
    )

    @Argument(help: "Address of the point.") var address: String
    @Option(name: .long, help: "File that holds the token.", completion: .file()) var tokenFile: String?

    func run() async throws {
        let path = tokenFile
        let token = try await NIOThreadPool.singleton.runIfActive { () -> String in
            let bytes: [UInt8]
            if let path {
                bytes = try contents(of: path, bytesMax: 4096)
            } else if isatty(0) == 1 {
                bytes = try promptForToken()
            } else {
                bytes = try readAll(0, "standard input", bytesMax: 4096)
            }
            return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init)
                ?? ""
        }
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(.invalid, "There is no token in what was given.")
        }
        let credentials = Credentials(url: try Credentials.normalised(address), token: token)
        let me: WhoAmI = try await PointClient.with(credentials) { client in
            try WireJSON.decode(from: try await client.get("/v1/whoami"))
        }
        try credentials.store(environment: ClientContext.current.environment)
        if credentials.isExposed {
            terminal.printError(
                "warning: \(credentials.url) is not encrypted; whoever watches the network can take the token."
            )
        }
        terminal.print("Logged in to \(credentials.url) as \(me.user)\(me.operator ? ", an operator" : "").")
    }
}

/// Asks on the terminal without showing what is typed. Blocks.
private func promptForToken() throws(Failure) -> [UInt8] {
    terminal.writeError("Token: ")
    var settings = termios()
    tcgetattr(0, &settings)
    let before = settings
    settings.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(0, TCSAFLUSH, &settings)
    defer {
        var before = before
        tcsetattr(0, TCSAFLUSH, &before)
        terminal.writeError("\n")
    }
    guard let line = readLine() else { throw Failure(.invalid, "No token was given.") }
    return Array(line.utf8)
}

struct WhoAmICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "whoami", abstract: "Show who you are to the point.")

    @OptionGroup var point: PointOptions

    func run() async throws {
        try await point.with { client in
            try point.show(try await client.get("/v1/whoami"), as: WhoAmI.self) { me in
                terminal.print("\(me.user)\(me.operator ? ", an operator" : "") at \(client.credentials.url)")
                terminal.print("token may: \(me.scopes.map(\.rawValue).joined(separator: ", "))")
                for membership in me.projects { terminal.print("\(membership.role) of \(membership.project)") }
            }
        }
    }
}
