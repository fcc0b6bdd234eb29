import Core
import Foundation
import Testing
import Wire

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
        let cluster = try Cluster(nodes: 2)
        defer { cluster.remove() }
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                slurm:
                  config_file: \(cluster.path)/slurm.conf
                  card_aliases: {a100: a100-80gb}
                  calls_per_minute: 3000
              - {name: edge-1, tier: edge, cores: 2, memory: 2GiB}
            """
        )
        // Slurm lets both tasks of the gang on one node see all cards of the job there: each has five of eight, so that
        // they are on two.
        let workflow = ClusterWorkflow(cards: (5, "a100-80gb"), visibleCards: "0,1,2,3,4", cardsOfCluster: 16)
        try await workflow.check(on: point) {
            try #require(shell("\(EnginesHere.scripts)/slurm-down \(cluster.path) slurmctld") == 0)
            await point.server.kill()
            try #require(shell("\(EnginesHere.scripts)/slurm-up \(cluster.path) restart slurmctld") == 0)
            try await point.restart()
        }
    }

    @Test(
        "what the cluster's other users hold is seen; some jobs wait among them, the others here, and all run in the end",
        .enabled(if: isPossible, "Slurm is not installed, or we are not root")
    )
    func others() async throws {
        let cluster = try Cluster(nodes: 2)
        defer { cluster.remove() }
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                slurm: {config_file: \(cluster.path)/slurm.conf, card_aliases: {a100: a100-80gb}, calls_per_minute: 3000}
            """
        )
        func shared() async throws -> JSON? {
            let view = try await point.call("GET", "/v1/centres/hub-1").json
            return view["shared"] ?? .null == .null ? nil : view["shared"]
        }
        // Somebody else takes every card but one, on both nodes.
        for node in ["n1", "n2"] {
            let gpus = node == "n1" ? 8 : 7
            try cluster.occupy("--nodelist=\(node) --gres=gpu:\(gpus)")
        }
        let seen = try await eventually("the others to be seen", tail: { point.server.output }) {
            try await shared().flatMap { $0["cards"]?.integerValue == 15 ? $0 : nil }
        }
        #expect(seen["waiting"]?.integerValue == 0)
        // One fits, four wait among the others, and two here; or five and one, where the first was seen to start soon.
        var jobs: [String] = []
        for index in 0..<7 {
            let view = try await point.submit(
                """
                {"name": "ours-\(index)", "command": ["/bin/sh", "-c", "sleep \(index == 0 ? 4 : 0)"],
                  "resources": {"cards": \(index == 0 ? 1 : 2), "card": "a100-80gb"}}
                """
            )
            jobs.append(try #require(view.job).description)
        }
        _ = try await point.end(of: try #require(JobID(jobs[0])))
        #expect(seen["waiting_max"]?.integerValue == 4)
        try await eventually("as many to wait there as may", tail: { point.server.output }) {
            let view = try await shared()
            guard let waiting = view?["waiting"]?.integerValue else { return false }
            return waiting >= 4 && waiting == view?["waiting_max"]?.integerValue
        }
        let why = try await point.call("GET", "/v1/jobs/\(jobs[6])/why").json
        #expect(why["code"]?.stringValue == "capacity", "\(why.text)")
        let first = try await point.call("GET", "/v1/jobs/\(jobs[1])").json
        #expect(first.text.contains("waits for its turn in hub-1's own queue, whose other users hold 15 of 16 cards"))
        try #require(cluster.ask("scancel --name=theirs") == 0)
        for job in jobs {
            let end = try await point.end(of: try #require(JobID(job)))
            #expect(end.summary.state == .succeeded, "\(end)")
        }
        try await eventually("nobody else to be there", tail: { point.server.output }) { try await shared() == nil }
    }

    @Test(
        "what waits among others is taken back for a centre that opens meanwhile, and runs there",
        .enabled(if: isPossible, "Slurm is not installed, or we are not root")
    )
    func takenBack() async throws {
        let cluster = try Cluster(nodes: 1)
        defer { cluster.remove() }
        let point = try await PointUnderTest(
            """
            centres:
              - name: hub-1
                tier: hub
                slurm: {config_file: \(cluster.path)/slurm.conf, card_aliases: {a100: a100-80gb}, calls_per_minute: 3000}
              - name: region-1
                tier: region
                emulated_cards: {a100-80gb: 2}
            """
        )
        func open(_ isOpen: Bool) async throws {
            let answer = try await point.call("POST", "/v1/centres/region-1/\(isOpen ? "resume" : "drain")")
            try #require(answer.status == 200, "\(answer.json.text)")
        }
        try await open(false)
        try cluster.occupy("--gres=gpu:8")
        try await eventually("the others to be seen", tail: { point.server.output }) {
            try await point.call("GET", "/v1/centres/hub-1").json["shared"]?["cards"]?.integerValue == 8
        }
        let starts = point.folder.appendingPathComponent("starts").path
        var jobs: [JobID] = []
        for index in 0..<2 {
            let view = try await point.submit(
                """
                {"name": "ours-\(index)", "isolation": "none",
                  "command": ["/bin/sh", "-c", "echo $ONEPOINT_JOB >> \(starts)"],
                  "resources": {"cards": 2, "card": "a100-80gb"}, "placement": {"emulated": true}}
                """
            )
            jobs.append(try #require(view.job))
        }
        try await eventually("both to wait there", tail: { point.server.output }) {
            try await point.call("GET", "/v1/centres/hub-1").json["shared"]?["waiting"]?.integerValue == 2
        }
        try await open(true)
        // The strangers never leave.
        for job in jobs {
            let end = try await point.end(of: job)
            #expect(end.summary.state == .succeeded, "\(end)")
            #expect(end.runs.map(\.centre.text) == ["hub-1", "region-1"], "\(end)")
            #expect(end.runs.first?.outcome?.kind == .preempted, "\(end)")
        }
        let lines = try String(contentsOfFile: starts, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines.sorted() == jobs.map(\.description).sorted())
        try await eventually("nothing of ours to be left there") {
            cluster.ask("test -z \"$(squeue --noheader --states=pending)\"") == 0
        }
    }

    @Test(
        "a run that does not heed its stop is ended in time, although its agent was killed and the point is gone",
        .enabled(if: isPossible, "Slurm is not installed, or we are not root")
    )
    func hardEnd() async throws {
        let cluster = try Cluster(nodes: 1)
        defer { cluster.remove() }
        let point = try await PointUnderTest("centres: []")
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "hub-1", "tier": "hub"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        let folder = point.folder.appendingPathComponent("agent")
        let section = point.folder.appendingPathComponent("engine.yaml")
        try "slurm: {config_file: \(cluster.path)/slurm.conf, calls_per_minute: 3000}"
            .write(to: section, atomically: true, encoding: .utf8)
        func agent(_ extra: [String]) throws -> Program {
            try Program(
                ["agent", "--data", folder.path, "--engine-config", section.path] + extra,
                log: point.folder.appendingPathComponent("agent.log")
            )
        }
        let first = try agent(["--join", point.url, "--token", token])
        defer { first.abandon() }
        // It freezes the shells of the script that would end it.
        let frozen = point.folder.appendingPathComponent("frozen").path
        let view = try await point.submit(
            """
            {"name": "deaf", "command": ["/bin/sh", "-c",
              "parent=$PPID; kill -STOP $parent $(cut -d ' ' -f 4 /proc/$parent/stat); : > \(frozen); exec sleep 3600"]}
            """
        )
        let job = try #require(view.job)
        func has(_ name: String) -> Bool { shell("test -n \"$(find \(folder.path) -path '*/runs/*/\(name)')\"") == 0 }
        try await eventually("it to be deaf", within: .seconds(180), tail: { first.output + point.server.output }) {
            FileManager.default.fileExists(atPath: frozen)
        }
        _ = try await point.call("POST", "/v1/jobs/\(job)/cancel")
        try await eventually("its script to be asked", tail: { first.output }) { has("cancel") }
        await point.server.kill()
        await first.kill()
        #expect(!has("exit"))
        let second = try agent([])
        defer { second.abandon() }
        try await eventually("Slurm to end it", within: .seconds(300), tail: { second.output }) { has("exit") }
        await second.terminate()
        try await point.restart()
        let third = try agent([])
        defer { third.abandon() }
        #expect(try await point.end(of: job).summary.state == .cancelled)
    }
}

/// A Slurm of this test alone.
private struct Cluster {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-cluster-\(UUID())").path

    init(nodes: Int) throws {
        let port = 26_000 + 20 * Int.random(in: 0..<250)
        try #require(shell("\(EnginesHere.scripts)/slurm-up \(path) \(nodes) \(port)") == 0)
    }

    func remove() { _ = shell("\(EnginesHere.scripts)/slurm-down \(path); rm -rf \(path)") }

    /// Runs a command that speaks to it; returns its status.
    func ask(_ command: String) -> Int32 { shell("export SLURM_CONF=\(path)/slurm.conf; \(command)") }

    /// Somebody else takes something, for an hour or until a job named `theirs` is cancelled.
    func occupy(_ what: String) throws {
        let script = "\(path)/theirs"
        try "#!/bin/sh\nexec sleep 3600\n".write(toFile: script, atomically: true, encoding: .utf8)
        try #require(ask("sbatch \(what) --output=/dev/null --parsable \(script)") == 0)
    }
}
