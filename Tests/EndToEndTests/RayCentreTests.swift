import Core
import Foundation
import Testing
import Wire

/// One point over a real Ray cluster and processes of this machine.
@Suite(.serialized)
struct RayCentreTests {
    @Test(
        "train on Ray, judge elsewhere; the point is killed meanwhile, and nothing starts twice",
        .enabled(
            if: EnginesHere.has("\(EnginesHere.cache)/ray/bin/ray"),
            "Ray is not installed: scripts/setup-engines ray does it"
        )
    )
    func workflow() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-ray-\(UUID())").path
        let up = "CPUS=4 GPUS=4 RESOURCES='{\"h100\":4}' \(EnginesHere.scripts)/ray-up \(cluster) 24400 2"
        defer { _ = shell("\(EnginesHere.scripts)/ray-down \(cluster); rm -rf \(cluster)") }
        try #require(shell(up) == 0)
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                ray:
                  address: http://127.0.0.1:24401
                  token_file: \(cluster)/token
                  card_aliases: {h100: h100-sxm5}
                  cards_are_emulated: true
              - {name: edge-1, tier: edge, cores: 2, memory: 2GiB}
            """
        )
        try await ClusterWorkflow.ofTwoNodesOfFour.check(on: point) {
            await point.server.kill()
            try await point.restart()
        }
    }

    @Test(
        "an agent on the head of a cluster finds it by itself",
        .enabled(
            if: EnginesHere.has("\(EnginesHere.cache)/ray/bin/ray"),
            "Ray is not installed: scripts/setup-engines ray does it"
        )
    )
    func found() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-ray-\(UUID())").path
        defer { _ = shell("\(EnginesHere.scripts)/ray-down \(cluster); rm -rf \(cluster)") }
        // Its dashboard is where Ray has it by default.
        try #require(shell("\(EnginesHere.scripts)/ray-up \(cluster) 8264 1") == 0)
        let point = try await PointUnderTest("centres: []")
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "hub-1", "tier": "hub"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        let folder = point.folder.appendingPathComponent("agent").path
        let agent = try Program(
            ["agent", "--data", folder, "--join", point.url, "--token", token],
            log: point.folder.appendingPathComponent("agent.log"),
            environment: ["RAY_AUTH_TOKEN_PATH": "\(cluster)/token"]
        )
        defer { agent.abandon() }
        let job = try #require(try await point.submit(#"{"name": "first", "command": ["/bin/true"]}"#).job)
        #expect(try await point.end(of: job).summary.state == .succeeded)
        // Later starts need no variable.
        let kept = try String(contentsOfFile: "\(folder)/engine.yaml", encoding: .utf8)
        #expect(kept == "ray:\n  address: http://127.0.0.1:8265\n  token_file: \"\(cluster)/token\"\n")
        await agent.kill()
        let later = try Program(
            ["agent", "check", "--data", folder],
            log: point.folder.appendingPathComponent("check.log")
        )
        try await eventually("the check to end") { !later.isRunning }
        #expect(later.output.contains("engine: Ray 2") && later.output.contains("ok    a job"), "\(later.output)")
    }
}
