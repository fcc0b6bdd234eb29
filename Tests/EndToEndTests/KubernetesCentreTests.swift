import Core
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
        let sound = try await check(point, cluster, kubeconfig: "\(cluster)/agent.kubeconfig")
        #expect(sound["engine"]?.verdict == "passed" && sound["a job"]?.verdict == "passed", "\(sound)")
        // Expired or mistyped, it is the same to the API server.
        let config = try String(contentsOfFile: "\(cluster)/agent.kubeconfig", encoding: .utf8)
        try config.replacing("/token\"", with: "/stale\"")
            .write(toFile: "\(cluster)/stale.kubeconfig", atomically: true, encoding: .utf8)
        try "stale".write(toFile: "\(cluster)/stale", atomically: true, encoding: .utf8)
        let stale = try await check(point, cluster, kubeconfig: "\(cluster)/stale.kubeconfig")
        #expect(stale["engine"]?.verdict == "failed" && stale["a job"] == nil, "\(stale)")
        #expect(stale["engine"]?.detail.contains("\(cluster)/stale is missing, wrong or expired") == true, "\(stale)")
        try await ClusterWorkflow.ofTwoNodesOfFour.check(on: point) {
            await point.server.kill()
            try await point.restart()
        }
    }

    /// What `onepoint agent check` says of a cluster, by subject.
    private func check(
        _ point: PointUnderTest,
        _ cluster: String,
        kubeconfig: String
    ) async throws -> [String: (verdict: String, detail: String)] {
        let engine = "\(kubeconfig).engine.yaml"
        try "kubernetes: {kubeconfig: \(kubeconfig), image: here}\n"
            .write(toFile: engine, atomically: true, encoding: .utf8)
        let words = ["agent", "check", "--data", "\(cluster)/checked", "--engine-config", engine, "--json"]
        let outcome = try await CommandLineUnderTest(point: point).run(words)
        var checks: [String: (verdict: String, detail: String)] = [:]
        for line in outcome.output.split(separator: "\n") {
            let json = try JSON(parsing: Array(line.utf8))
            func word(_ name: String) -> String { json[name]?.stringValue ?? "" }
            checks[word("subject")] = (word("verdict"), word("detail"))
        }
        return checks
    }
}
