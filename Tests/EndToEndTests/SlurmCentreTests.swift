import Core
import Foundation
import Testing
import Wire

/// One point over a real Slurm cluster and processes of this machine.
@Suite(.serialized)
struct SlurmCentreTests {
    static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("scripts/engines").path

    static let isPossible =
        getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/slurmctld")
        && FileManager.default.isExecutableFile(atPath: "/usr/sbin/munged")

    @Test(
        "simulate on Slurm, judge elsewhere; the controller is stopped and the point killed meanwhile",
        .enabled(if: isPossible, "Slurm is not installed, or we are not root")
    )
    func workflow() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-cluster-\(UUID())").path
        let port = 26_000 + 20 * Int.random(in: 0..<250)
        try #require(shell("\(Self.scripts)/slurm-up \(cluster) 2 \(port)") == 0)
        defer { _ = shell("\(Self.scripts)/slurm-down \(cluster); rm -rf \(cluster)") }
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                slurm: {card_aliases: {a100: a100-80gb}, calls_per_minute: 3000}
              - {name: edge-1, tier: edge, cores: 2, memory: 2GiB}
            """,
            environment: ["SLURM_CONF": "\(cluster)/slurm.conf"]
        )
        try await eventually("the cluster's capacity", tail: { point.server.output }) {
            try await point.call("GET", "/v1/centres/hub-1").json["connected"]?.boolValue == true
        }
        let starts = point.folder.appendingPathComponent("starts").path
        let submitted = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: """
                {"workflow": "w", "jobs": [
                  {"name": "simulate", "tasks": 2, "placement": {"tiers": ["hub"]}, "outputs": ["field"],
                   "resources": {"cores": 2, "memory": "64MiB", "cards": 1, "card": "a100-80gb", "time_limit": "2m"},
                   "command": ["/bin/sh", "-c", "echo $RANK >> \(starts); echo rank $RANK of $WORLD_SIZE; sleep 6; if [ $RANK = 0 ]; then echo 42 > $ONEPOINT_OUTPUTS/field; fi"]},
                  {"name": "judge", "placement": {"tiers": ["edge"]}, "command": ["/bin/sh", "-c", "cat $ONEPOINT_INPUTS/field"],
                   "inputs": {"field": {"job": "simulate", "output": "field"}},
                   "resources": {"cores": 1, "memory": "64MiB"}}
                ]}
                """
        )
        try #require(submitted.status == 201, "\(String(decoding: submitted.body, as: UTF8.self))")
        let view: SubmissionView = try submitted.decode()
        let jobs =
            try await point.call("GET", "/v1/jobs?workflow=\(try #require(view.workflow))").json["items"]?.arrayValue
            ?? []
        func id(_ name: String) throws -> JobID {
            let job = jobs.first { $0["name"]?.stringValue == name }
            return try #require(job?["job"]?.stringValue.flatMap { JobID($0) })
        }
        let simulate = try id("simulate")
        try await eventually("the gang to run", tail: { point.server.output }) {
            try await point.job(simulate).runs.first?.state == .running
        }
        try #require(shell("\(Self.scripts)/slurm-down \(cluster) slurmctld") == 0)
        await point.server.kill()
        try #require(shell("\(Self.scripts)/slurm-up \(cluster) restart slurmctld") == 0)
        try await point.restart()
        let detail = try await point.end(of: simulate, within: .seconds(120))
        #expect(detail.summary.state == .succeeded, "\(detail)")
        #expect(detail.runs.count == 1)
        let lines = try String(contentsOfFile: starts, encoding: .utf8).split(separator: "\n")
        #expect(lines.sorted() == ["0", "1"], "each task starts once")
        #expect(try await point.log(of: simulate, task: 1) == "rank 1 of 2\n")
        let judged = try await point.end(of: try id("judge"))
        #expect(judged.summary.state == .succeeded)
        #expect(try await point.log(of: try id("judge")) == "42\n")
        let capacity = String(decoding: try await point.call("GET", "/v1/capacity").body, as: UTF8.self)
        #expect(capacity.contains("\"nameplate\":16"), "\(capacity)")
    }
}
