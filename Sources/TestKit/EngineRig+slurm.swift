public import Core
public import Engines
internal import Glibc
internal import Logging

/// A real Slurm cluster of `scripts/engines/slurm-up`, in a folder of its own under `/tmp`.
public final class SlurmRig: FolderRig {
    /// How the engine speaks to the cluster.
    public enum Access: Sendable, CaseIterable {
        case commands, service, socket
    }

    public let folder: String
    private let scripts: String
    /// Folder of another Debian whose Slurm it is; empty for this machine's own.
    private let root: String
    private let service: SlurmEngine.Configuration.Service?
    private let held = Held<SlurmEngine>()
    public let task = (node: "n1", cores: MilliCores(1000), memory: Bytes.mebi(256), isolation: Isolation.auto)

    /// What a Slurm cluster of this kind can be asked to show. Without cgroups it limits no memory.
    public static let features: Set<EngineFeature> = [.processes, .gangs, .reopens, .supervisors, .fences]
    public var features: Set<EngineFeature> { Self.features }

    /// Starts a cluster of two nodes.
    ///
    /// - Parameters:
    ///   - scripts: The folder `scripts/engines` of the project.
    ///   - port: The first of twenty that nobody else uses.
    ///   - root: Folder of another Debian whose Slurm it is to be; this machine's own when `nil`.
    ///   - keepsAccounts: Whether it has accounting; then it forgets what ended after ten seconds.
    public init(
        scripts: String,
        port: Int,
        access: Access = .commands,
        root: String? = nil,
        keepsAccounts: Bool = false
    ) throws {
        folder = try Self.makeFolder("slurm")
        self.scripts = scripts
        self.root = root ?? ""
        chmod(folder, 0o755)
        guard
            try LocalEngineRig.shell(
                "\(keepsAccounts ? "ACCOUNTING=1 MIN_JOB_AGE=10 " : "")SLURM_ROOT='\(self.root)' '\(scripts)/slurm-up' '\(folder)/cluster' 2 \(port) > '\(folder)/up.log' 2>&1"
            )
                == 0
        else { throw EngineFault("Slurm did not start: \(LocalEngineRig.text("\(folder)/up.log") ?? "")") }
        let token = "\(folder)/token"
        let address: String? =
            switch access {
            case .commands: nil
            case .service: "http://127.0.0.1:\(port + 1)"
            case .socket: "unix:\(folder)/cluster/rest/sock"
            }
        service = address.map { .init(address: $0, user: "root", tokenFile: token) }
        if address != nil { try renewToken(lifespanSeconds: 3600) }
    }

    /// Writes a fresh token where the engine reads it.
    public func renewToken(lifespanSeconds: Int) throws {
        let line =
            "export PATH=/usr/sbin:/usr/bin:/bin SLURM_CONF='\(folder)/cluster/slurm.conf'; "
            + "\(root.isEmpty ? "" : "chroot '\(root)'") scontrol token lifespan=\(lifespanSeconds) "
            + "| sed s/^SLURM_JWT=// > '\(folder)/token'"
        guard try LocalEngineRig.shell(line) == 0 else { throw EngineFault("no token was made") }
    }

    /// Ends or starts a part, such as `slurmctld`, `slurmrestd`, `slurmd-1`.
    public func end(_ part: String, signal: String = "TERM") throws {
        _ = try LocalEngineRig.shell("'\(scripts)/slurm-down' '\(folder)/cluster' \(part) \(signal)")
    }

    public func start(_ part: String) throws {
        guard
            try LocalEngineRig.shell(
                "'\(scripts)/slurm-up' '\(folder)/cluster' restart \(part) >> '\(folder)/up.log' 2>&1"
            ) == 0
        else { throw EngineFault("\(part) did not start again") }
    }

    /// A command of the cluster's own, such as `squeue`, with its words; what it printed.
    public func command(_ words: String) throws -> String {
        let line =
            "export PATH=/usr/sbin:/usr/bin:/bin SLURM_CONF='\(configFile)'; "
            + "\(root.isEmpty ? "" : "chroot '\(root)'") \(words) > '\(folder)/said' 2>&1"
        let status = try LocalEngineRig.shell(line)
        let said = LocalEngineRig.text("\(folder)/said") ?? ""
        guard status == 0 else { throw EngineFault("\(words): \(said)") }
        return said
    }

    public func remove() {
        _ = try? LocalEngineRig.shell("'\(scripts)/slurm-down' '\(folder)/cluster'; rm -rf '\(folder)'")
    }

    public var configFile: String { "\(folder)/cluster/slurm.conf" }

    public func engine() async throws -> any Engine { try await slurm() }

    /// The engine by its own type.
    public func slurm() async throws -> SlurmEngine {
        try await held.value {
            try await SlurmEngine(
                .init(
                    service: service,
                    configFile: configFile,
                    cardAliases: ["a100": "a100-80gb"],
                    callsPerMinute: 6000
                ),
                sharedFolder: "\(folder)/shared",
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
        }
    }

    public func reopen() async throws { held.drop() }

    private func runFolder(_ run: RunKey) -> String { "\(folder)/shared/runs/\(run)" }

    /// Each look is a call of `squeue`.
    public func settle() async throws { try await Task.sleep(for: .milliseconds(50)) }

    public func killSupervisor(of run: RunKey) async throws {
        // `started <host>.<process>.<time>`
        let words = LocalEngineRig.text("\(runFolder(run))/claim")?.split(separator: ".") ?? []
        guard words.count > 2, let process = Int32(words[words.count - 2]) else {
            throw EngineFault("\(run) has no claim")
        }
        kill(process, SIGKILL)
    }
}
