import Foundation
import Testing

/// One point over a real Kubernetes control plane and processes of this machine.
@Suite(.serialized)
struct KubernetesCentreTests {
    @Test(
        "train on Kubernetes, judge elsewhere; the point is killed meanwhile, and nothing starts twice",
        .enabled(
            if: EnginesHere.has("\(EnginesHere.cache)/kubernetes/kube-scheduler"),
            "Kubernetes is not installed: scripts/setup-engines kubernetes does it"
        )
    )
    func workflow() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-kube-\(UUID())").path
        let up = "CPUS=4 CARDS=4 \(EnginesHere.scripts)/kubernetes-up \(cluster) 25600 2"
        defer { _ = shell("\(EnginesHere.scripts)/kubernetes-down \(cluster); rm -rf \(cluster)") }
        try #require(shell(up) == 0)
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                kubernetes:
                  kubeconfig: \(cluster)/agent.kubeconfig
                  image: here
                  card_aliases: {nvidia.com/gpu.product=NVIDIA-H100-80GB-HBM3: h100-sxm5}
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
