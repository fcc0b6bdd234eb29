public import Core
public import Engines
internal import Glibc
internal import Logging
internal import Synchronization

/// A ``LocalEngine`` in a folder of its own, under `/tmp`.
public final class LocalEngineRig: FolderRig {
    public let folder: String
    private let configuration: LocalEngine.Configuration
    private let isolation: Isolation
    private let held = Held<LocalEngine>()
    public var task: (node: String, cores: MilliCores, memory: Bytes, isolation: Isolation) {
        ("here", 1000, .mebi(256), isolation)
    }

    /// - Parameters:
    ///   - isolation: What the suite's orders ask for.
    ///   - change: Changes the engine's configuration, whose root is `folder/engine`.
    public init(isolation: Isolation, _ change: (inout LocalEngine.Configuration) -> Void = { _ in }) throws {
        let folder = try Self.makeFolder("engine")
        self.folder = folder
        self.isolation = isolation
        var configuration = LocalEngine.Configuration(
            root: "\(folder)/engine",
            executable: try Self.executable(),
            nodeName: "here",
            cores: 8000,
            memory: .gibi(8),
            detectsCards: false,
            stopGrace: .milliseconds(500)
        )
        change(&configuration)
        self.configuration = configuration
    }

    /// The program that supervises: `ONEPOINT_EXECUTABLE`, or the one that was built beside the tests.
    public static func executable() throws -> String {
        if let named = getenv("ONEPOINT_EXECUTABLE") { return String(cString: named) }
        let count = 1 << 20
        let maps = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
            initialized = 0
            while initialized < count {
                let got = Glibc.read(file, buffer.baseAddress.map { $0 + initialized }, count - initialized)
                if got <= 0 { break }
                initialized += got
            }
            close(file)
        }
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
            guard let slash = line.firstIndex(of: "/") else { continue }
            var path = line[slash...]
            while let last = path.lastIndex(of: "/") {
                path = path[..<last]
                for name in ["supervise-probe", "onepoint"] where access("\(path)/\(name)", X_OK) == 0 {
                    var status = stat()
                    if stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                        return "\(path)/\(name)"
                    }
                }
                if !path.contains("/.build") { break }
            }
        }
        throw EngineFault("no executable was built beside the tests; set ONEPOINT_EXECUTABLE")
    }

    public var features: Set<EngineFeature> {
        [.processes, .ownEnvironment, .gangs, .memoryLimits, .reopens, .supervisors, .fences]
    }

    public func engine() async throws -> any Engine { try await local() }

    /// The engine by its own type.
    public func local() async throws -> LocalEngine {
        try await held.value {
            try await LocalEngine(
                configuration,
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
        }
    }

    public func reopen() async throws { held.drop() }

    public func runFolder(_ run: RunKey) -> String { "\(configuration.root)/runs/\(run)" }

    public func settle() async throws { try await Task.sleep(for: .milliseconds(3)) }

    public func killSupervisor(of run: RunKey) async throws {
        let words = Self.text("\(runFolder(run))/claim")?.split(separator: " ") ?? []
        guard words.count > 1, let process = Int32(words[1]) else { throw EngineFault("\(run) has no claim") }
        kill(process, SIGKILL)
    }

    /// A whole small file as text; `nil` when there is none.
    public static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, initialized in
            initialized = max(0, Glibc.read(file, buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a file beside the others of a test.
    public static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw EngineFault("\(path): errno \(errno)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw EngineFault("\(path): errno \(errno)") }
    }

    /// Runs a text of `/bin/sh` to its end.
    ///
    /// - Returns: Its status as `waitpid` gives it.
    public static func shell(_ text: String) throws -> Int32 {
        var process: pid_t = 0
        let words: [UnsafeMutablePointer<CChar>?] = (["/bin/sh", "-c", text] as [String]).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // The calling thread may block signals, without which a shell cannot wait for what it starts.
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        guard posix_spawn(&process, "/bin/sh", nil, &attributes, words, [nil]) == 0 else {
            throw EngineFault("no shell")
        }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return status
    }
}

/// A ``FakeEngine`` that knows the suite's programs.
public final class FakeEngineRig: EngineRig {
    private let programs: Programs
    public let fake: FakeEngine

    private final class Programs: Sendable {
        let known = Mutex<[RunKey: EngineProgram]>([:])
    }

    public init() {
        let programs = Programs()
        self.programs = programs
        fake = FakeEngine { order in
            guard let program = programs.known.withLock({ $0[order.run] }) else { return FakeEngine.Program() }
            let outcome: RunOutcome =
                switch program.end {
                case .exit(0), .never: RunOutcome(.succeeded)
                case .exit(let code): RunOutcome(.exit, code: code)
                case .signal(let number): RunOutcome(.signal, code: number)
                }
            return FakeEngine.Program(
                output: Array(program.prints.utf8),
                duration: program.end == .never ? nil : .milliseconds(20),
                outcome: outcome,
                ignoresStop: program.ignoresStop
            )
        }
    }

    public var features: Set<EngineFeature> { [.reopens, .fences] }
    public func engine() async throws -> any Engine { fake }
    public func reopen() async throws {}

    public func order(_ run: RunKey, program: EngineProgram) async throws -> EngineOrder {
        programs.known.withLock { $0[run] = program }
        return EngineOrder(
            run: run,
            command: ["/bin/true"],
            environment: [:],
            tasks: 1,
            resources: TaskResources(),
            nodes: [NodeShare(node: "fake-1", tasks: 1)],
            timeLimitSeconds: 60,
            isolation: .none,
            algorithmFolder: nil,
            requirements: nil,
            inputsFolder: "/inputs",
            outputsFolder: "/outputs",
            parameters: "{}"
        )
    }

    public func settle() async throws { fake.advance(by: .milliseconds(10)) }
    public func killSupervisor(of run: RunKey) async throws {}
    public func output(_ name: String, of run: RunKey) async throws -> String? { nil }
    public func isLocked(_ name: String, of run: RunKey) async throws -> Bool { false }
}
