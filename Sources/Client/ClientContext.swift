import Core
import Wire

/// What the commands need from outside. Handed down as a task-local value, because the argument parser makes the
/// commands itself and has no place to inject anything.
struct ClientContext: Sendable {
    var environment: [String: String] = [:]
    var terminal = Terminal(isInteractive: false, isErrorInteractive: false, width: nil, colours: false)
    var completionScript: @Sendable (String) -> String = { _ in "" }
    /// Finds the faults of a server's configuration file; `nil` when this executable has no server.
    var checkServerConfiguration: (@Sendable (YAMLDocument) -> [Violation])?

    @TaskLocal static var current = ClientContext()
}

/// Where what people read goes to.
var terminal: Terminal { ClientContext.current.terminal }
