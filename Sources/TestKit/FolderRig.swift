public import Core
public import Engines
internal import Glibc
internal import Synchronization

/// A rig whose runs have their inputs and outputs below one folder of this machine.
public protocol FolderRig: EngineRig {
    var folder: String { get }
    /// What one task of the suite's orders asks for, and the node that the order names.
    var task: (node: String, cores: MilliCores, memory: Bytes, isolation: Isolation) { get }
}

extension FolderRig {
    /// A new folder under `/tmp`.
    static func makeFolder(_ name: String) throws -> String {
        var template = Array("/tmp/onepoint-\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw EngineFault("no temporary folder: errno \(errno)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public func outputs(_ run: RunKey) -> String { "\(folder)/\(run)/outputs" }

    public func order(_ run: RunKey, program: EngineProgram) async throws -> EngineOrder {
        for name in ["", "/inputs", "/outputs", "/algorithm"] { mkdir("\(folder)/\(run)\(name)", 0o755) }
        return EngineOrder(
            run: run,
            command: ["/bin/sh", "-c", program.shell],
            environment: [:],
            tasks: 1,
            resources: TaskResources(cores: task.cores, memory: task.memory),
            nodes: [NodeShare(node: task.node, tasks: 1)],
            timeLimitSeconds: 60,
            isolation: task.isolation,
            algorithmFolder: nil,
            requirements: nil,
            inputsFolder: "\(folder)/\(run)/inputs",
            outputsFolder: outputs(run),
            parameters: "{}"
        )
    }

    public func output(_ name: String, of run: RunKey) async throws -> String? {
        LocalEngineRig.text("\(outputs(run))/\(name)")
    }

    public func isLocked(_ name: String, of run: RunKey) async throws -> Bool {
        let file = open("\(outputs(run))/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_EX | LOCK_NB) != 0
    }

    /// Ends everything that still runs, makes the engine forget it, and removes the folder.
    public func remove() async {
        await forgetAll()
        _ = try? LocalEngineRig.shell("chmod -R u+rwX '\(folder)'; rm -rf '\(folder)'")
    }

    /// Ends everything that still runs and makes the engine forget it.
    public func forgetAll() async {
        if let engine = try? await engine() {
            for run in (try? await engine.list()) ?? [] { try? await engine.cancel(run.run, grace: .zero) }
            for _ in 0..<2000 {
                let left = (try? await engine.list()) ?? []
                if left.allSatisfy({ if case .ended = $0.state { true } else { false } }) {
                    for run in left { try? await engine.forget(run.run) }
                    break
                }
                try? await settle()
            }
        }
    }

    /// Ends, by their ids, processes that the runs have left on this machine.
    ///
    /// - Returns: Their command lines: none when everybody clears up within some hundred looks.
    public func endLeft() async -> [String] {
        for _ in 0..<600 where !left.isEmpty { try? await settle() }
        return left.map { process, command in
            kill(process, SIGKILL)
            return "\(process): \(command)"
        }
    }

    /// The processes that name the folder in their words or variables.
    private var left: [(process: pid_t, command: String)] {
        guard let processes = opendir("/proc") else { return [] }
        defer { closedir(processes) }
        var left: [(pid_t, String)] = []
        while let entry = readdir(processes) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let process = pid_t(name), process != getpid(),
                let command = LocalEngineRig.text("/proc/\(name)/cmdline"),
                let variables = LocalEngineRig.text("/proc/\(name)/environ"),
                (command + variables).contains("\(folder)/")
            else { continue }
            left.append((process, command.split(separator: "\0").joined(separator: " ")))
        }
        return left
    }
}

/// The engine of a rig: made at its first use, and the same until it is thrown away.
final class Held<Made: Engine>: Sendable {
    private let current = Mutex<Made?>(nil)

    func value(_ make: () async throws -> Made) async throws -> Made {
        if let known = current.withLock({ $0 }) { return known }
        let made = try await make()
        return current.withLock { current in
            let first = current ?? made
            current = first
            return first
        }
    }

    func drop() { current.withLock { $0 = nil } }
}
