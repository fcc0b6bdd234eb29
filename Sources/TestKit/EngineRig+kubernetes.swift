public import Core
public import Engines
internal import Glibc
internal import Logging
internal import Synchronization

/// A real Kubernetes, started by `scripts/engines/kubernetes-up`, and an engine on a folder of its own.
public final class KubernetesEngineRig: EngineRig {
    public let folder: String
    private let access: KubernetesAccess
    private let current = Mutex<KubernetesEngine?>(nil)

    /// - Parameter access: To the cluster, with the rights of an agent.
    public init(access: KubernetesAccess) throws {
        self.access = access
        var template = Array("/tmp/onepoint-kubernetes-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw EngineFault("no temporary folder: errno \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public var features: Set<EngineFeature> { [.processes, .gangs, .reopens, .fences] }

    public func engine() async throws -> any Engine { try await kubernetes() }

    /// The engine by its own type.
    public func kubernetes() async throws -> KubernetesEngine {
        if let engine = current.withLock({ $0 }) { return engine }
        let made = try await KubernetesEngine(
            .init(
                access: access,
                // Of its own, as labels allow it: tests share the namespace.
                centre: String(folder.split(separator: "/").last ?? "centre").lowercased(),
                image: "here",
                folder: "\(folder)/centre",
                mount: folder,
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
            nodes: [NodeShare(node: "virtual-1", tasks: 1)],
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

    /// Ends everything that still runs, deletes its Jobs and removes the folder.
    public func remove() async {
        guard let engine = try? await kubernetes() else { return }
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
