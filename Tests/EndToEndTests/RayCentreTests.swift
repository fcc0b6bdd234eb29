import Foundation
import Testing

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
}
