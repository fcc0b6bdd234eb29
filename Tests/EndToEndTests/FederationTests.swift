import Core
import Foundation
import Testing
import Wire

/// The main job and the promise over real clusters of four kinds at once.
@Suite(
    .serialized,
    .enabled(if: Federation.isWanted, "real engines of every kind are tested by scripts/test-engines")
)
struct FederationTests {
    @Test("the tour runs over five engines unchanged: simulate on Slurm by MPI, train on Kubernetes or Ray")
    func tour() async throws {
        let federation = try await Federation()
        defer { federation.end() }
        let point = federation.point
        let line = CommandLineUnderTest(point: point)
        let file = TourTests.repository.appendingPathComponent("workflows/tour.yaml").path
        let outcome = try await line.run("submit", file, "--project", "demo", "--watch")
        let page: Page<WorkflowView> = try await point.call("GET", "/v1/workflows").decode()
        let tour = try #require(page.items.first)
        for node in tour.nodes {
            guard let job = node.job else { continue }
            let detail = try await point.job(job)
            let runs = detail.runs.map { "\($0.centre) \($0.state.rawValue) \($0.outcome?.summary ?? "")" }
            print("federation: \(node.name) \(runs.joined(separator: "; "))")
        }
        try #require(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(tour.state == .succeeded)
        func job(_ name: String) throws -> JobID { try #require(tour.nodes.first { $0.name == name }?.job) }
        let simulate = try job("simulate")
        #expect(try await point.job(simulate).runs.last?.centre.description.hasPrefix("hub-") == true)
        let said = try await point.log(of: simulate)
        #expect(said.contains("2 rank(s) over MPI"), "\(said)")
        #expect(try await point.job(try job("train")).runs.last?.centre.description.hasPrefix("region-") == true)
        #expect(try await point.job(try job("evaluate")).runs.last?.centre.description == "edge-1")
        #expect(try await point.job(try job("sample")).runs.last?.centre.description == "device-1")
        let balances: [BalanceView] = try await point.call("GET", "/v1/ledger/balances").decode()
        #expect(balances.reduce(0) { $0 + $1.amount.count } == 0)
        #expect(tour.charged > 0)
    }

    /// Fewer for a quick look: ONEPOINT_FEDERATION_JOBS=60.
    static let jobs = Int(ProcessInfo.processInfo.environment["ONEPOINT_FEDERATION_JOBS"] ?? "") ?? 500
    static let seed = UInt64(ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"] ?? "") ?? 1

    @Test("kill -9 of point, agents and the engines' own parts loses nothing and starts nothing twice")
    func kills() async throws {
        let federation = try await Federation()
        defer { federation.end() }
        let point = federation.point
        var generator = SplitMix(Self.seed)
        print("federation seed \(Self.seed), \(Self.jobs) jobs")
        let starts = "\(federation.folder)/starts"
        _ = FileManager.default.createFile(atPath: starts, contents: nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: starts)
        // Ray starts a driver for each of its jobs, which takes seconds of processor time.
        let centres = ["hub-1", "hub-2", "region-1", "hub-1", "hub-2", "region-1", "region-2", "edge-1"]
        var accepted: [JobID: String] = [:]
        var waves = Array(FederationFault.allCases).shuffled(using: &generator)[...]
        let between = max(1, Self.jobs / (waves.count + 1))
        for number in 0..<Self.jobs {
            let centre = centres[number % centres.count]
            let command = "echo $ONEPOINT_RUN >> \(starts); sleep \(Int.random(in: 0..<4, using: &generator))"
            let body = """
                {"name": "short-\(number)", "command": ["/bin/sh", "-c", "\(command)"], "isolation": "none",
                 "placement": {"centres": ["\(centre)"]}, "retries": {"limit": 5, "on": ["lost", "node_failure"]},
                 "resources": {"cores": 1, "memory": "16MiB", "time_limit": "5m"}}
                """
            let key = ["Idempotency-Key": "short-\(number)"]
            let view: SubmissionView = try await eventually("a submission") {
                let answer = try? await point.call("POST", "/v1/jobs?project=demo", json: body, headers: key)
                return answer?.status == 201 ? try answer?.decode() : nil
            }
            accepted[try #require(view.job)] = centre
            if number % between == between - 1, let fault = waves.popFirst() {
                try await fault.strike(federation)
                print("federation: after \(number + 1) submissions \(fault.rawValue) was killed and is back")
            }
        }
        #expect(accepted.count == Self.jobs)
        try await eventually("all jobs to end", within: .seconds(1500), tail: { point.server.output }) {
            let overview: OverviewView = try await point.call("GET", "/v1/overview").decode()
            return (overview.jobs["queued"] ?? 0) + (overview.jobs["active"] ?? 0) == 0
        }
        let lines = try String(contentsOfFile: starts, encoding: .utf8).split(separator: "\n").map(String.init)
        let started = Dictionary(grouping: lines) { $0 }.mapValues(\.count)
        #expect(started.filter { $0.value > 1 } == [:], "seed \(Self.seed): a run was started twice")
        var repeated: [String: Int] = [:]
        var known: Set<String> = []
        for (job, centre) in accepted {
            let detail = try await point.job(job)
            #expect(detail.summary.state == .succeeded, "seed \(Self.seed): \(job) at \(centre) is \(detail)")
            for run in detail.runs {
                known.insert(run.run.description)
                if run.outcome?.kind == .succeeded {
                    #expect(started[run.run.description] == 1, "\(run.run) succeeded without a start")
                } else {
                    repeated["\(centre) \(run.outcome?.kind.rawValue ?? "none")", default: 0] += 1
                    // Nobody's code is ended by us: only an engine that died took runs with it.
                    #expect([.lost, .nodeFailure].contains(run.outcome?.kind), "\(run)")
                }
            }
        }
        #expect(Set(started.keys).isSubset(of: known), "what was started, nobody knows")
        print(
            "federation: \(lines.count) starts of \(known.count) runs of \(accepted.count) jobs; repeated: \(repeated)"
        )
    }
}

/// What is killed with SIGKILL, and started again.
private enum FederationFault: String, CaseIterable {
    case point, hubAgent, hub2Agent, kubernetesAgent, rayAgent, edgeAgent
    case slurmctld, slurmrestd, otherSlurmctld, apiserver, controllers, rayHead, pointAndAgents

    func strike(_ federation: Federation) async throws {
        let folder = federation.folder
        switch self {
        case .point:
            await federation.point.server.kill()
            try await federation.point.restart()
        case .hubAgent: try await agents(["hub-1"], federation)
        case .hub2Agent: try await agents(["hub-2"], federation)
        case .kubernetesAgent: try await agents(["region-1"], federation)
        case .rayAgent: try await agents(["region-2"], federation)
        case .edgeAgent: try await agents(["edge-1"], federation)
        case .slurmctld:
            try federation.run("slurm-down \(folder)/slurm slurmctld KILL")
            try federation.run("slurm-up \(folder)/slurm restart slurmctld")
        case .otherSlurmctld:
            try federation.run("slurm-down \(folder)/slurm24 slurmctld KILL")
            try federation.run("slurm-up \(folder)/slurm24 restart slurmctld")
        case .slurmrestd:
            try federation.run("slurm-down \(folder)/slurm24 slurmrestd KILL")
            try federation.run("slurm-up \(folder)/slurm24 restart slurmrestd")
        case .apiserver, .controllers:
            try federation.run("kubernetes-down \(folder)/kubernetes \(rawValue) KILL")
            try federation.run("kubernetes-up \(folder)/kubernetes restart \(rawValue)")
        case .rayHead:
            try federation.run("ray-down \(folder)/ray --kill")
            try federation.startRay()
        case .pointAndAgents:
            await federation.point.server.kill()
            try await agents(federation.members.map(\.name), federation)
            try await federation.point.restart()
        }
    }

    private func agents(_ names: [String], _ federation: Federation) async throws {
        for name in names { await federation.killAgent(name) }
        for name in names { try federation.restartAgent(name) }
    }
}
