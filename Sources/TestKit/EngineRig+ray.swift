public import Core
public import Engines
internal import Logging

/// A real Ray cluster, started by `scripts/engines/ray-up` for all tests together, and an engine on a folder of its own.
public final class RayEngineRig: FolderRig {
    public let folder: String
    private let address: String
    private let tokenFile: String
    private let held = Held<RayEngine>()
    public let task = (node: "ray", cores: MilliCores(250), memory: Bytes.mebi(64), isolation: Isolation.auto)

    /// - Parameter cluster: The folder of a running cluster.
    public init(cluster: String) throws {
        guard let address = LocalEngineRig.text("\(cluster)/address") else {
            throw EngineFault("no Ray cluster runs in \(cluster)")
        }
        self.address = address.filter { !$0.isWhitespace }
        tokenFile = "\(cluster)/token"
        folder = try Self.makeFolder("ray")
    }

    public var features: Set<EngineFeature> { [.processes, .gangs, .reopens, .fences] }

    public func engine() async throws -> any Engine { try await ray() }

    /// The engine by its own type.
    public func ray() async throws -> RayEngine {
        try await held.value {
            try await RayEngine(
                .init(
                    address: address,
                    tokenFile: tokenFile,
                    folder: "\(folder)/centre",
                    cardAliases: ["h100": "h100-sxm5"],
                    emulatesCards: true
                ),
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
        }
    }

    public func reopen() async throws { held.drop() }
    public func settle() async throws { try await Task.sleep(for: .milliseconds(100)) }
    public func killSupervisor(of run: RunKey) async throws {}
}
