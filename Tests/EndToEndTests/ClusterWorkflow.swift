import Core
import Foundation
import Testing
import Wire

/// Where the scripts of engines stand, and what they have prepared.
enum EnginesHere {
    static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("scripts/engines").path

    static let cache =
        ProcessInfo.processInfo.environment["ONEPOINT_ENGINES"] ?? NSHomeDirectory() + "/.cache/onepoint-engines"

    static func has(_ program: String) -> Bool { FileManager.default.isExecutableFile(atPath: program) }
}

/// One workflow over a cluster, centre `hub-1`, and processes of this machine, centre `edge-1`: a gang with cards trains
/// on the cluster, and another job judges what it left at the edge.
struct ClusterWorkflow {
    /// Of the gang: how many cards each of its two tasks has, and of which catalogue model.
    var cards: (count: Int, model: String)
    var isEmulated = false
    /// What each task writes down as it starts, after its rank.
    var visibleCards: String
    /// How many cards the cluster has.
    var cardsOfCluster: Int

    /// Three cards each do not fit twice on a node of four: the gang spans both, and each task sees its own node's.
    static let ofTwoNodesOfFour = ClusterWorkflow(
        cards: (3, "h100-sxm5"),
        isEmulated: true,
        visibleCards: "0,1,2",
        cardsOfCluster: 8
    )

    /// Runs it, with `disturb` while the gang runs, and checks that each task started once and the work was done.
    func check(on point: PointUnderTest, disturb: () async throws -> Void) async throws {
        try await eventually("the cluster's capacity", tail: { point.server.output }) {
            try await point.call("GET", "/v1/centres/hub-1").json["connected"]?.boolValue == true
        }
        let starts = point.folder.appendingPathComponent("starts").path
        let submitted = try await point.call("POST", "/v1/jobs?project=demo", json: document(starts))
        try #require(submitted.status == 201, "\(String(decoding: submitted.body, as: UTF8.self))")
        let view: SubmissionView = try submitted.decode()
        let page = try await point.call("GET", "/v1/jobs?workflow=\(try #require(view.workflow))")
        func id(_ name: String) throws -> JobID {
            let job = page.json["items"]?.arrayValue?.first { $0["name"]?.stringValue == name }
            return try #require(job?["job"]?.stringValue.flatMap { JobID($0) })
        }
        let (train, judge) = (try id("train"), try id("judge"))
        try await eventually("the gang to run", tail: { point.server.output }) {
            try await point.job(train).runs.first?.state == .running
        }
        try await disturb()
        let detail = try await point.end(of: train, within: .seconds(120))
        #expect(detail.summary.state == .succeeded, "\(detail)")
        #expect(detail.runs.count == 1)
        let lines = try String(contentsOfFile: starts, encoding: .utf8).split(separator: "\n")
        #expect(
            lines.sorted() == ["0 \(visibleCards)", "1 \(visibleCards)"],
            "each task starts once, with cards of its own"
        )
        #expect(try await point.log(of: train, task: 1) == "rank 1 of 2\n")
        #expect(try await point.end(of: judge).summary.state == .succeeded)
        #expect(try await point.log(of: judge) == "42\n")
        let capacity = String(decoding: try await point.call("GET", "/v1/capacity").body, as: UTF8.self)
        #expect(capacity.contains("\"nameplate\":\(cardsOfCluster)"), "\(capacity)")
    }

    private func document(_ starts: String) -> String {
        """
        {"workflow": "w", "jobs": [
          {"name": "train", "tasks": 2, "placement": {"tiers": ["hub"], "emulated": \(isEmulated)}, "outputs": ["loss"],
           "resources": {"cores": 1, "memory": "64MiB", "cards": \(cards.count), "card": "\(cards.model)", "time_limit": "2m"},
           "command": ["/bin/sh", "-c", "echo $RANK $CUDA_VISIBLE_DEVICES >> \(starts); echo rank $RANK of $WORLD_SIZE; sleep 6; if [ $RANK = 0 ]; then echo 42 > $ONEPOINT_OUTPUTS/loss; fi"]},
          {"name": "judge", "placement": {"tiers": ["edge"]}, "command": ["/bin/sh", "-c", "cat $ONEPOINT_INPUTS/loss"],
           "inputs": {"loss": {"job": "train", "output": "loss"}},
           "resources": {"cores": 1, "memory": "64MiB"}}
        ]}
        """
    }
}
