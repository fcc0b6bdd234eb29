import Core
import Foundation
import Testing
import Wire

/// One point and six centres of four unlike engines, each real, each joined by an agent's process of its own: Slurm 22.05
/// by its commands, Slurm 24.11 by its REST service, Kubernetes, Ray, and two of this machine's processes.
///
/// `@unchecked Sendable`: a test uses it from one task at a time.
final class Federation: @unchecked Sendable {
    /// A centre and what stands behind it.
    struct Member {
        var name: String
        var tier: Tier
        /// What the agent is told beside its folder.
        var engine: [String]
    }

    static let isWanted = ProcessInfo.processInfo.environment["ONEPOINT_TEST_ENGINES"] != nil

    let point: PointUnderTest
    private(set) var members: [Member] = []
    private(set) var agents: [String: Program] = [:]
    /// Below it each cluster has a folder.
    let folder: String
    static let ports = (slurm: 25_000, slurm24: 25_040, kubernetes: 25_100, ray: 25_200)
    private static let slurm24 = "\(EnginesHere.cache)/debian13"

    /// Starts everything, and waits until every centre's capacity is known.
    init() async throws {
        // Sockets below it have paths of at most 107 characters.
        folder = "/tmp/onepoint-federation-\(ProcessInfo.processInfo.processIdentifier)"
        point = try await PointUnderTest("centres: []")
        try run("slurm-up \(folder)/slurm 2 \(Self.ports.slurm)")
        try run("slurm-up \(folder)/slurm24 2 \(Self.ports.slurm24)", "SLURM_ROOT=\(Self.slurm24)")
        try #require(
            shell(
                "umask 077; SLURM_CONF=\(folder)/slurm24/slurm.conf chroot \(Self.slurm24) scontrol token lifespan=86400 "
                    + "| sed 's/^SLURM_JWT=//' > \(folder)/slurm24/token"
            ) == 0
        )
        try run("kubernetes-up \(folder)/kubernetes \(Self.ports.kubernetes) 2", "CPUS=4 CARDS=4")
        try startRay()
        members = [
            Member(
                name: "hub-1",
                tier: .hub,
                engine: try file("hub-1", "slurm: {config_file: \(folder)/slurm/slurm.conf, calls_per_minute: 3000}")
            ),
            Member(
                name: "hub-2",
                tier: .hub,
                engine: try file(
                    "hub-2",
                    """
                    slurm:
                      rest:
                        address: http://127.0.0.1:\(Self.ports.slurm24 + 1)
                        user: root
                        token_file: \(folder)/slurm24/token
                      calls_per_minute: 3000
                    """
                )
            ),
            Member(
                name: "region-1",
                tier: .region,
                engine: try file(
                    "region-1",
                    "kubernetes: {kubeconfig: \(folder)/kubernetes/agent.kubeconfig, image: here}"
                )
            ),
            Member(
                name: "region-2",
                tier: .region,
                engine: try file(
                    "region-2",
                    "ray: {address: 'http://127.0.0.1:\(Self.ports.ray + 1)', token_file: \(folder)/ray/token}"
                )
            ),
            Member(name: "edge-1", tier: .edge, engine: ["--cores", "2", "--memory", "2GiB"]),
            Member(name: "device-1", tier: .device, engine: ["--cores", "1", "--memory", "1GiB"]),
        ]
        for member in members { try await join(member) }
        for member in members {
            try await eventually("\(member.name)'s capacity", tail: { self.log(of: member.name) }) {
                try await self.point.call("GET", "/v1/centres/\(member.name)").json["connected"]?.boolValue == true
            }
        }
    }

    /// Ends agents and clusters, by their recorded numbers.
    func end() {
        for agent in agents.values { agent.abandon() }
        for (script, cluster) in [
            ("slurm-down", "slurm"), ("slurm-down", "slurm24"), ("kubernetes-down", "kubernetes"), ("ray-down", "ray"),
        ] {
            _ = shell("\(EnginesHere.scripts)/\(script) \(folder)/\(cluster)")
        }
        _ = shell("rm -rf \(folder)")
    }

    // MARK: Agents

    private func data(of name: String) -> String { "\(folder)/agents/\(name)" }
    func log(of name: String) -> String { agents[name]?.output ?? "" }

    private func join(_ member: Member) async throws {
        let body = #"{"name": "\#(member.name)", "tier": "\#(member.tier.rawValue)"}"#
        let view = try await point.call("POST", "/v1/centres", json: body)
        let token = try #require(view.json["token"]?.stringValue, "\(view)")
        try startAgent(member.name, ["--join", point.url, "--token", token] + member.engine)
    }

    private func startAgent(_ name: String, _ arguments: [String]) throws {
        agents[name] = try Program(
            ["agent", "--data", data(of: name)] + arguments,
            log: URL(fileURLWithPath: "\(folder)/\(name).log")
        )
    }

    func killAgent(_ name: String) async { await agents[name]?.kill() }

    /// As a later start is: it knows from its folder who it is and what it schedules with.
    func restartAgent(_ name: String) throws {
        let member = members.first { $0.name == name }
        let isCluster = member?.engine.first == "--engine-config"
        try startAgent(name, isCluster ? [] : member?.engine ?? [])
    }

    // MARK: Clusters

    private func file(_ name: String, _ text: String) throws -> [String] {
        let path = "\(folder)/\(name).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return ["--engine-config", path]
    }

    /// Runs one of the engines' scripts.
    func run(_ command: String, _ variables: String = "") throws {
        try #require(shell("\(variables) \(EnginesHere.scripts)/\(command) > /dev/null") == 0, "\(command) failed")
    }

    func startRay() throws { try run("ray-up \(folder)/ray \(Self.ports.ray) 1", "CPUS=8 GPUS=4") }
}
