import Core
import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// The processes that prove, and the folder of their databases.
///
/// They are children of this one, which removes the folder once they are no more, however that ended: while they lived
/// they might make files there again, and in memory those would stay for ever. Worlds side by side in one process would
/// be in each other's way in what a process has once: what is known of its memory, SQLite's counts, references to what
/// both use.
///
/// The children are told not to draw the random number that the order of sets and dictionaries depends on: the same
/// seed is to do the same again.
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
    /// - Parameters:
    ///   - count: How many times.
    ///   - arguments: More of them.
    ///   - hear: Told each line that they print; when it throws, they are ended.
    /// - Returns: The first status that was not 0; or, when one of them or this process was ended by a signal, what
    ///   shells report then.
    func run(_ count: Int, adding arguments: [String], _ hear: (String) throws -> Void) throws -> Int32 {
        let children = Children()
        let sources = [SIGINT, SIGTERM].map { number in
            // Ignored by the children too, so that only this process decides.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { children.end(for: number) }
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
        var voices: [Voice] = []
        defer { for voice in voices { voice.close() } }
        do {
            for _ in 0..<count {
                voices.append(try start(arguments + ["--within", folder]))
                children.add(voices[voices.count - 1].process)
            }
            var status: Int32 = 0
            while voices.contains(where: { !$0.isSilent }) {
                for index in try Self.ready(voices) {
                    for line in voices[index].read() { try hear(line) }
                    guard voices[index].isSilent else { continue }
                    let end = children.wait(for: voices[index].process)
                    if status == 0 { status = end }
                    if end != 0 { children.end() }
                }
            }
            return status
        } catch {
            children.end()
            for voice in voices where !voice.isSilent { _ = children.wait(for: voice.process) }
            throw error
        }
    }

    /// What may have to be ended before it is there, and must not be once its number may be another's.
    private final class Children: Sendable {
        private let state = Mutex<(processes: Set<pid_t>, isOver: Bool, reason: Int32?)>(([], false, nil))

        func add(_ process: pid_t) {
            state.withLock { state in
                state.processes.insert(process)
                if state.isOver { kill(process, SIGKILL) }
            }
        }

        /// - Parameter reason: The signal that this process was sent, when it was.
        func end(for reason: Int32? = nil) {
            state.withLock { state in
                (state.isOver, state.reason) = (true, state.reason ?? reason)
                for process in state.processes { kill(process, SIGKILL) }
            }
        }

        func wait(for process: pid_t) -> Int32 {
            var about = siginfo_t()
            while waitid(P_PID, id_t(process), &about, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            let reason = state.withLock { state in
                state.processes.remove(process)
                return state.reason
            }
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            if let reason { return 128 + reason }
            return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        }
    }

    /// What one of them says, and the line that it notices the end of this process by.
    private struct Voice {
        let process: pid_t
        let line: Int32
        let output: Int32
        private var unfinished: [UInt8] = []
        private(set) var isSilent = false

        init(process: pid_t, line: Int32, output: Int32) {
            (self.process, self.line, self.output) = (process, line, output)
        }

        /// The lines that have become whole. Blocks until there is something, or nobody any more.
        mutating func read() -> [String] {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = Glibc.read(output, &bytes, bytes.count)
            if count < 0, errno == EINTR { return [] }
            guard count > 0 else {
                isSilent = true
                return []
            }
            unfinished += bytes[..<count]
            var lines = unfinished.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            unfinished = Array(lines.removeLast())
            return lines.map { String(decoding: $0, as: UTF8.self) }
        }

        func close() {
            Glibc.close(line)
            Glibc.close(output)
        }
    }

    /// Those that have something to say or have fallen silent.
    private static func ready(_ voices: [Voice]) throws -> [Int] {
        var waiting = voices.map { pollfd(fd: $0.isSilent ? -1 : $0.output, events: Int16(POLLIN), revents: 0) }
        while poll(&waiting, nfds_t(waiting.count), -1) < 0 {
            guard errno == EINTR else { throw failure("listen to its children") }
        }
        return waiting.indices.filter { waiting[$0].revents != 0 }
    }

    /// In a child: does something from whose end on it no longer leaves when its parent is no more.
    static func withParent(_ body: () async throws -> Void) async throws {
        let source = DispatchSource.makeReadSource(fileDescriptor: 0, queue: .global())
        // Nobody writes: what can be read is the end of the line.
        source.setEventHandler { _exit(1) }
        source.resume()
        defer { source.cancel() }
        try await body()
    }

    private func start(_ words: [String]) throws -> Voice {
        var (line, output): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        var isStarted = false
        defer {
            for end in [line[0], output[1]] + (isStarted ? [] : [line[1], output[0]]) where end >= 0 { close(end) }
        }
        guard pipe(&line) == 0, pipe(&output) == 0 else { throw Self.failure("have a child") }
        for end in line + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, line[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let arguments = (CommandLine.arguments + words).map { strdup($0) } + [nil]
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_DETERMINISTIC_HASHING"] = "1"
        let environment = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in arguments + environment { free(word) } }
        var process = pid_t()
        let fault = posix_spawn(&process, try Assembly.executable(), &actions, nil, arguments, environment)
        guard fault == 0 else {
            errno = fault
            throw Self.failure("start itself again")
        }
        isStarted = true
        return Voice(process: process, line: line[1], output: output[0])
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
