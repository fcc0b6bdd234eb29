import Foundation
import Testing

/// One point over a real Slurm cluster and processes of this machine.
@Suite(.serialized)
struct SlurmCentreTests {
    static let isPossible =
        getuid() == 0 && EnginesHere.has("/usr/sbin/slurmctld") && EnginesHere.has("/usr/sbin/munged")

    @Test(
        "train on Slurm, judge elsewhere; the controller is stopped and the point killed meanwhile",
        .enabled(if: isPossible, "Slurm is not installed, or we are not root")
    )
    func workflow() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-cluster-\(UUID())").path
        let port = 26_000 + 20 * Int.random(in: 0..<250)
        try #require(shell("\(EnginesHere.scripts)/slurm-up \(cluster) 2 \(port)") == 0)
        defer { _ = shell("\(EnginesHere.scripts)/slurm-down \(cluster); rm -rf \(cluster)") }
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                slurm:
                  config_file: \(cluster)/slurm.conf
                  card_aliases: {a100: a100-80gb}
                  calls_per_minute: 3000
              - {name: edge-1, tier: edge, cores: 2, memory: 2GiB}
            """
        )
        // Slurm lets both tasks of the gang on one node see all cards of the job there: each has five of eight, so that
        // they are on two.
        let workflow = ClusterWorkflow(cards: (5, "a100-80gb"), visibleCards: "0,1,2,3,4", cardsOfCluster: 16)
        try await workflow.check(on: point) {
            try #require(shell("\(EnginesHere.scripts)/slurm-down \(cluster) slurmctld") == 0)
            await point.server.kill()
            try #require(shell("\(EnginesHere.scripts)/slurm-up \(cluster) restart slurmctld") == 0)
            try await point.restart()
        }
    }
}
