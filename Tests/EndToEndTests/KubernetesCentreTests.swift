import Core
import Foundation
import Testing
import Wire

/// One point over a real Kubernetes control plane and processes of this machine.
@Suite(.serialized)
struct KubernetesCentreTests {
    @Test(
        "train on Kubernetes, judge elsewhere; the point is killed meanwhile, and nothing starts twice",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "\(RayCentreTests.cache)/kubernetes/kube-scheduler"),
            "Kubernetes is not installed: scripts/setup-engines kubernetes does it"
        )
    )
    func workflow() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-kube-\(UUID())").path
        let up = "CPUS=4 CARDS=4 \(SlurmCentreTests.scripts)/kubernetes-up \(cluster) 25600 2"
        defer { _ = shell("\(SlurmCentreTests.scripts)/kubernetes-down \(cluster); rm -rf \(cluster)") }
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
        try await eventually("the cluster's capacity", tail: { point.server.output }) {
            try await point.call("GET", "/v1/centres/hub-1").json["connected"]?.boolValue == true
        }
        let starts = point.folder.appendingPathComponent("starts").path
        let submitted = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: """
                {"workflow": "w", "jobs": [
                  {"name": "train", "tasks": 2, "placement": {"tiers": ["hub"], "emulated": true}, "outputs": ["loss"],
                   "resources": {"cores": 1, "memory": "64MiB", "cards": 3, "card": "h100-sxm5", "time_limit": "2m"},
                   "command": ["/bin/sh", "-c", "echo $RANK $CUDA_VISIBLE_DEVICES >> \(starts); echo rank $RANK of $WORLD_SIZE; sleep 6; if [ $RANK = 0 ]; then echo 42 > $ONEPOINT_OUTPUTS/loss; fi"]},
                  {"name": "judge", "placement": {"tiers": ["edge"]}, "command": ["/bin/sh", "-c", "cat $ONEPOINT_INPUTS/loss"],
                   "inputs": {"loss": {"job": "train", "output": "loss"}},
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
        let train = try id("train")
        try await eventually("the gang to run", within: .seconds(60), tail: { point.server.output }) {
            try await point.job(train).runs.first?.state == .running
        }
        await point.server.kill()
        try await point.restart()
        let detail = try await point.end(of: train, within: .seconds(120))
        #expect(detail.summary.state == .succeeded, "\(detail)")
        #expect(detail.runs.count == 1)
        let lines = try String(contentsOfFile: starts, encoding: .utf8).split(separator: "\n")
        // Three cards each do not fit twice on a node of four: the gang spans both, and each sees its own node's.
        #expect(lines.sorted() == ["0 0,1,2", "1 0,1,2"], "each task starts once, with cards of its own")
        #expect(try await point.log(of: train, task: 1) == "rank 1 of 2\n")
        let judged = try await point.end(of: try id("judge"))
        #expect(judged.summary.state == .succeeded)
        #expect(try await point.log(of: try id("judge")) == "42\n")
        let capacity = String(decoding: try await point.call("GET", "/v1/capacity").body, as: UTF8.self)
        #expect(capacity.contains("\"nameplate\":8"), "\(capacity)")
    }
}
