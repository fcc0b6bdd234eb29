import Core
import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// The process that proves, and the folder of its databases.
///
/// It is a child of this one, which removes the folder once the child is no more, however that ended: while it lived it
/// might make files there again, and in memory they would stay for ever.
///
/// The child is told not to draw the random number that the order of sets and dictionaries depends on: the same seed is
/// to do the same again.
struct ProofProcess {
    private let scratch: String
    private static let prefix = "onepoint-prove-"

    /// - Parameter scratch: Where to make the folder; in memory, where that is a file system, when `nil`.
    init(scratch: String?) throws {
        let usual = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        self.scratch = try absolute(scratch ?? usual)
    }

    /// Starts this program again with the same arguments and waits for its end. Blocks.
    ///
    /// - Returns: Its status, or, when it or this process was ended by a signal, what shells report then.
    func run() throws -> Int32 {
        let child = Child()
        let sources = [SIGINT, SIGTERM].map { number in
            // Ignored by the child too, so that only this process decides.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { child.end(for: number) }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        removeAbandoned()
        let (folder, lock) = try makeFolder()
        defer {
            try? FileManager.default.removeItem(atPath: folder)
            close(lock)
        }
        let (process, line) = try start(in: folder)
        defer { close(line) }
        return child.wait(for: process)
    }

    /// What may have to be ended before it is there, and must not be once its number may be another's.
    private final class Child: Sendable {
        private let state = Mutex<(process: pid_t?, reason: Int32?)>((nil, nil))

        func end(for reason: Int32) {
            state.withLock { state in
                state.reason = reason
                if let process = state.process { kill(process, SIGKILL) }
            }
        }

        func wait(for process: pid_t) -> Int32 {
            state.withLock { state in
                state.process = process
                if state.reason != nil { kill(process, SIGKILL) }
            }
            var about = siginfo_t()
            while waitid(P_PID, id_t(process), &about, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            let reason = state.withLock { state in
                state.process = nil
                return state.reason
            }
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            if let reason { return 128 + reason }
            return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        }
    }

    /// In the child: does something from whose end on it no longer leaves when its parent is no more.
    static func withParent(_ body: () async throws -> Void) async throws {
        let source = DispatchSource.makeReadSource(fileDescriptor: 0, queue: .global())
        // Nobody writes: what can be read is the end of the line.
        source.setEventHandler { _exit(1) }
        source.resume()
        defer { source.cancel() }
        try await body()
    }

    private func start(in folder: String) throws -> (process: pid_t, line: Int32) {
        var line: [Int32] = [0, 0]
        guard pipe(&line) == 0 else { throw Self.failure("have a child") }
        for end in line { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, line[0], 0)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let arguments = (CommandLine.arguments + ["--within", folder]).map { strdup($0) } + [nil]
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_DETERMINISTIC_HASHING"] = "1"
        let environment = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in arguments + environment { free(word) } }
        var process = pid_t()
        let fault = posix_spawn(&process, try Assembly.executable(), &actions, nil, arguments, environment)
        close(line[0])
        guard fault == 0 else {
            close(line[1])
            errno = fault
            throw Self.failure("start itself again")
        }
        return (process, line[1])
    }

    /// - Returns: The folder, and what tells others as long as it is open that it is ours.
    private func makeFolder() throws -> (path: String, lock: Int32) {
        let number = UInt64.random(in: 0 ... .max)
        let path = "\(scratch)/\(Self.prefix)\(number)"
        // Under its name only when it is ours.
        let draft = "\(scratch)/.\(Self.prefix)\(number)"
        try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
        let lock = open(draft, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0, rename(draft, path) == 0 else {
            defer { rmdir(draft) }
            throw Self.failure("make a folder in \(scratch)")
        }
        return (path, lock)
    }

    /// Removes what processes left that were killed and could not.
    private func removeAbandoned() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: scratch)) ?? []
        where name.hasPrefix(Self.prefix) {
            let path = "\(scratch)/\(name)"
            let lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else { continue }
            defer { close(lock) }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    private static func failure(_ what: String) -> Failure {
        Failure(.internal, "This program cannot \(what): \(String(cString: strerror(errno))).")
    }
}
