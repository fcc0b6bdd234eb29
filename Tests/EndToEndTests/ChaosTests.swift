import AsyncHTTPClient
import Core
import Foundation
import Testing
import Wire

/// The promise, by really killing: no job lost, none run twice, none left running unseen.
@Suite(.serialized)
struct ChaosTests {
    /// Fewer for a quick look: ONEPOINT_CHAOS_SEEDS=1 ONEPOINT_CHAOS_JOBS=100.
    static let seeds = Int(ProcessInfo.processInfo.environment["ONEPOINT_CHAOS_SEEDS"] ?? "") ?? 10
    static let jobs = Int(ProcessInfo.processInfo.environment["ONEPOINT_CHAOS_JOBS"] ?? "") ?? 1000
    static let firstSeed = UInt64(ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"] ?? "") ?? 1

    @Test("kill -9 of point and agent at random moments loses nothing and runs nothing twice", arguments: 0..<seeds)
    func kills(_ index: Int) async throws {
        let seed = Self.firstSeed + UInt64(index)
        print("chaos seed \(seed), \(Self.jobs) jobs")
        var generator = SplitMix(seed)
        // One centre inside the point's process, one in an agent's process of its own.
        let point = try await PointUnderTest(PointUnderTest.oneCentre)
        let agentFolder = point.folder.appendingPathComponent("agent")
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "region-1", "tier": "region"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        func startAgent(_ extra: [String]) throws -> Program {
            try Program(
                ["agent", "--data", agentFolder.path, "--cores", "16", "--memory", "16GiB"] + extra,
                log: point.folder.appendingPathComponent("agent.log")
            )
        }
        var agent = try startAgent(["--join", point.url, "--token", token])
        defer { agent.abandon() }
        try await eventually("the agent to join", tail: { agent.output }) {
            try await point.call("GET", "/v1/centres/region-1").json["connected"]?.boolValue == true
        }

        let starts = point.folder.appendingPathComponent("starts")
        _ = FileManager.default.createFile(atPath: starts.path, contents: nil)
        let command = "echo $ONEPOINT_JOB >> \(starts.path); sleep 0.0$((RANDOM % 10))"
        var accepted: [JobID] = []
        var submitted = 0
        var kills = 0
        while submitted < Self.jobs {
            // A repeat after a lost answer must find the first: the key is the job's number.
            let body = JSON.object([
                ("name", .string("short-\(submitted)")), ("isolation", .string("none")),
                ("command", .array([.string("/bin/bash"), .string("-c"), .string(command)])),
                (
                    "resources",
                    .object([("cores", .integer(1)), ("memory", .string("16MiB")), ("time_limit", .string("1m"))])
                ),
            ])
            if let answer = try? await point.call(
                "POST",
                "/v1/jobs?project=demo",
                json: body.text,
                headers: ["Idempotency-Key": "short-\(submitted)"]
            ),
                answer.status == 201, let view = try? answer.decode(SubmissionView.self), let job = view.job
            {
                accepted.append(job)
                submitted += 1
            }
            if Int.random(in: 0..<max(8, Self.jobs / 25), using: &generator) == 0 {
                kills += 1
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    await point.server.kill()
                    try await point.restart()
                case 1:
                    await agent.kill()
                    agent = try startAgent([])
                default:
                    await point.server.kill()
                    await agent.kill()
                    agent = try startAgent([])
                    try await point.restart()
                }
            }
        }
        #expect(Set(accepted).count == Self.jobs)
        try await eventually("all jobs to end", within: .seconds(300), tail: { point.server.output + agent.output }) {
            let overview: OverviewView = try await point.call("GET", "/v1/overview").decode()
            return (overview.jobs["queued"] ?? 0) + (overview.jobs["active"] ?? 0) == 0
        }
        for job in accepted {
            let detail = try await point.job(job)
            #expect(detail.summary.state == .succeeded, "seed \(seed): \(job) is \(detail.summary)")
        }
        let lines = try String(contentsOf: starts, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(
            lines.count == Self.jobs,
            "seed \(seed): \(lines.count) starts of \(Self.jobs) jobs after \(kills) kills"
        )
        #expect(Set(lines).count == lines.count, "seed \(seed): a job was started twice")
        #expect(Set(lines) == Set(accepted.map(\.description)))
        print("chaos seed \(seed): \(kills) kills, \(lines.count) starts, each once")
    }
}

/// A seeded generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
