public import Core
public import Engines
internal import Glibc
internal import Logging
internal import Synchronization

/// A real Ray cluster, started by `scripts/engines/ray-up` for all tests together, and an engine on a folder of its own.
public final class RayEngineRig: EngineRig {
    public let folder: String
    private let address: String
    private let tokenFile: String
    private let current = Mutex<RayEngine?>(nil)

    /// - Parameter cluster: The folder of a running cluster.
    public init(cluster: String) throws {
        guard let address = LocalEngineRig.text("\(cluster)/address") else {
            throw EngineFault("no Ray cluster runs in \(cluster)")
        }
        self.address = address.filter { !$0.isWhitespace }
        tokenFile = "\(cluster)/token"
        var template = Array("/tmp/onepoint-ray-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw EngineFault("no temporary folder: errno \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public var features: Set<EngineFeature> { [.processes, .gangs, .reopens, .fences] }

    public func engine() async throws -> any Engine { try await ray() }

    /// The engine by its own type.
    public func ray() async throws -> RayEngine {
        if let engine = current.withLock({ $0 }) { return engine }
        let made = try await RayEngine(
            .init(
                address: address,
                tokenFile: tokenFile,
                folder: "\(folder)/centre",
                cardAliases: ["h100": "h100-sxm5"],
                emulatesCards: true
            ),
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        return current.withLock { engine in
            let first = engine ?? made
            engine = first
            return first
        }
    }

    public func reopen() async throws { current.withLock { $0 = nil } }

    public func outputs(_ run: RunKey) -> String { "\(folder)/\(run)/outputs" }

    public func order(_ run: RunKey, program: EngineProgram) async throws -> EngineOrder {
        for name in ["", "/inputs", "/outputs", "/algorithm"] { mkdir("\(folder)/\(run)\(name)", 0o755) }
        return EngineOrder(
            run: run,
            command: ["/bin/sh", "-c", program.shell],
            environment: [:],
            tasks: 1,
            resources: TaskResources(cores: 250, memory: .mebi(64)),
            nodes: [NodeShare(node: "ray", tasks: 1)],
            timeLimitSeconds: 60,
            isolation: .auto,
            algorithmFolder: nil,
            requirements: nil,
            inputsFolder: "\(folder)/\(run)/inputs",
            outputsFolder: outputs(run),
            parameters: "{}"
        )
    }

    public func settle() async throws { try await Task.sleep(for: .milliseconds(100)) }
    public func killSupervisor(of run: RunKey) async throws {}
    public func output(_ name: String, of run: RunKey) async throws -> String? {
        LocalEngineRig.text("\(outputs(run))/\(name)")
    }

    public func isLocked(_ name: String, of run: RunKey) async throws -> Bool {
        let file = open("\(outputs(run))/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return flock(file, LOCK_EX | LOCK_NB) != 0
    }

    /// Ends everything that still runs, takes it out of Ray's memory and removes the folder.
    public func remove() async {
        guard let engine = try? await ray() else { return }
        for run in (try? await engine.list()) ?? [] { try? await engine.cancel(run.run, grace: .zero) }
        for _ in 0..<600 {
            let left = (try? await engine.list()) ?? []
            if left.allSatisfy({ if case .ended = $0.state { true } else { false } }) {
                for run in left { try? await engine.forget(run.run) }
                break
            }
            try? await settle()
        }
        _ = try? LocalEngineRig.shell("rm -rf '\(folder)'")
    }
}
