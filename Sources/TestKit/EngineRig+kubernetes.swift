public import Core
public import Engines
internal import Logging

/// A real Kubernetes, started by `scripts/engines/kubernetes-up`, and an engine on a folder of its own.
public final class KubernetesEngineRig: FolderRig {
    public let folder: String
    private let access: KubernetesAccess
    private let held = Held<KubernetesEngine>()
    public let task = (node: "virtual-1", cores: MilliCores(250), memory: Bytes.mebi(64), isolation: Isolation.auto)

    /// - Parameter access: To the cluster, with the rights of an agent.
    public init(access: KubernetesAccess) throws {
        self.access = access
        folder = try Self.makeFolder("kubernetes")
    }

    public var features: Set<EngineFeature> { [.processes, .gangs, .reopens, .fences] }

    public func engine() async throws -> any Engine { try await kubernetes() }

    /// The engine by its own type.
    public func kubernetes() async throws -> KubernetesEngine {
        try await held.value {
            try await KubernetesEngine(
                .init(
                    access: access,
                    // Of its own, as labels allow it: tests share the namespace.
                    centre: String(folder.split(separator: "/").last ?? "centre").lowercased(),
                    image: "here",
                    folder: "\(folder)/centre",
                    mount: folder,
                    emulatesCards: true,
                    callsPerMinute: 60_000
                ),
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
        }
    }

    public func reopen() async throws { held.drop() }
    public func settle() async throws { try await Task.sleep(for: .milliseconds(100)) }
    public func killSupervisor(of run: RunKey) async throws {}
}
