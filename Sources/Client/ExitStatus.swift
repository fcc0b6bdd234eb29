public import Core

/// What the command leaves with, so that scripts can tell why it failed.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case ok = 0
    case jobFailed = 1
    case usage = 2
    case denied = 3
    case notFound = 4
    case conflict = 5
    case unavailable = 6
    case storage = 7
    case interrupted = 130

    public init(_ code: Failure.Code) {
        self =
            switch code {
            case .malformed, .invalid, .tooLarge, .rangeNotSatisfiable, .impossible: .usage
            case .unauthenticated, .forbidden: .denied
            case .notFound: .notFound
            case .conflict, .preconditionFailed, .quotaExceeded, .budgetExceeded: .conflict
            case .rateLimited, .unavailable, .internal: .unavailable
            case .digestMismatch, .storageExhausted: .storage
            }
    }

    /// For the reference page and `onepoint help exit-codes`.
    public var meaning: String {
        switch self {
        case .ok: "Done. For run, logs -f and submit --watch: the job succeeded."
        case .jobFailed: "The job failed or was cancelled, and has no exit status of its own to pass on."
        case .usage: "The command line, a file or a value is wrong. Every fault is listed."
        case .denied: "Not logged in, or not allowed."
        case .notFound: "It does not exist, or you may not know that it does."
        case .conflict: "It contradicts the present state: a name taken, a job already over, a quota or budget used up."
        case .unavailable: "The point cannot be reached, is overloaded, or broke; the same command may succeed later."
        case .storage: "A disk is full or read-only here or there, or bytes did not match their digest."
        case .interrupted: "Interrupted by Ctrl-C."
        }
    }

    /// A list, one status a line.
    public static var list: String {
        allCases.map { status in
            let number = "\(status.rawValue)"
            return String(repeating: " ", count: 5 - number.count) + number + "  " + status.meaning
        }.joined(separator: "\n")
    }
}

/// Ends the command with a status that is not ours to interpret, such as the job's own. Nothing is printed.
struct QuietExit: Error {
    var status: Int32

    init(_ status: Int32) { self.status = status }
    init(_ status: ExitStatus) { self.status = status.rawValue }
}

/// A failure whose faults can be shown at their place in files.
struct LocatedFailure: Error {
    var detail: String
    var code: Failure.Code
    /// `file.yaml:12:3: /jobs/0/resources/cores: must be …`, a line each.
    var lines: [String]
}
