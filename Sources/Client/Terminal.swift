#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Standard output and standard error, and what they can show.
struct Terminal: Sendable {
    /// Whether somebody looks at standard output.
    var isInteractive: Bool
    var isErrorInteractive: Bool
    /// Columns; `nil` where output is no terminal and lines may be as long as they are.
    var width: Int?
    var colours: Bool

    init(isInteractive: Bool, isErrorInteractive: Bool, width: Int?, colours: Bool) {
        self.isInteractive = isInteractive
        self.isErrorInteractive = isErrorInteractive
        self.width = width
        self.colours = colours
    }

    /// Looks at the process's own streams. Colours follow https://no-color.org.
    init(environment: [String: String]) {
        isInteractive = isatty(1) == 1
        isErrorInteractive = isatty(2) == 1
        let plain = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        colours = isInteractive && !plain
        width = nil
        if isInteractive {
            var size = winsize()
            if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { width = Int(size.ws_col) }
            if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { width = columns }
        }
    }

    func print(_ line: String) { Self.write(Array((line + "\n").utf8), to: 1) }
    func printError(_ line: String) { Self.write(Array((line + "\n").utf8), to: 2) }
    /// Bytes as they are: a job's own output, or the API's JSON.
    func write(_ bytes: some Collection<UInt8>) { Self.write(Array(bytes), to: 1) }
    func writeError(_ text: String) { Self.write(Array(text.utf8), to: 2) }

    func print(_ table: Table) { Self.write(Array(table.render(width: width, colours: colours).utf8), to: 1) }

    func styled(_ text: String, _ style: Style?) -> String {
        guard colours, let style else { return text }
        return style.opening + text + Style.closing
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                // Whoever read is gone, as with `| head`; there is nobody left to tell.
                exit(ExitStatus.ok.rawValue)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, 1000)
            } else if errno != EINTR {
                return
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

/// How a cell or word stands out.
enum Style: Sendable {
    case good, bad, busy, dim, strong

    var opening: String {
        switch self {
        case .good: "\u{1B}[32m"
        case .bad: "\u{1B}[31m"
        case .busy: "\u{1B}[36m"
        case .dim: "\u{1B}[2m"
        case .strong: "\u{1B}[1m"
        }
    }

    static let closing = "\u{1B}[0m"

    /// By the name of a job's, run's or centre's state.
    static func state(_ name: String) -> Style? {
        switch name {
        case "succeeded", "open", "yes": .good
        case "failed", "lost", "removed", "unseen", "no": .bad
        case "active", "running": .busy
        case "cancelled", "preempted", "draining": .dim
        default: nil
        }
    }
}
