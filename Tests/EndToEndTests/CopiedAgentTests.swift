import Core
import Foundation
import Testing
import Wire

/// One identity, two processes: what a careless copy of a folder makes.
@Suite(.serialized)
struct CopiedAgentTests {
    @Test("of an agent and its copy one is refused, nothing starts twice, and the other carries on once one is gone")
    func copied() async throws {
        let point = try await PointUnderTest(
            """
            silence_after_seconds: 6
            centres: []
            """
        )
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "region-1", "tier": "region"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        let original = point.folder.appendingPathComponent("agent")
        let copy = point.folder.appendingPathComponent("copy")
        func agent(_ folder: URL, _ extra: [String] = []) throws -> Program {
            try Program(
                ["agent", "--data", folder.path, "--cores", "16", "--memory", "16GiB"] + extra,
                log: point.folder.appendingPathComponent(folder.lastPathComponent + ".log")
            )
        }
        let first = try agent(original, ["--join", point.url, "--token", token])
        defer { first.abandon() }
        try await eventually("the agent to join", tail: { first.output }) {
            try await point.call("GET", "/v1/centres/region-1").json["connected"]?.boolValue == true
        }
        let identity = original.appendingPathComponent("identity.json").path
        try await eventually("the agent to know who it is") { FileManager.default.fileExists(atPath: identity) }
        try FileManager.default.copyItem(at: original, to: copy)
        let second = try agent(copy)
        defer { second.abandon() }
        // The copy, unless the first could not speak for so long that it counts as silent.
        func refusals(_ agents: Program...) -> Int {
            agents.reduce(0) {
                $0 + $1.output.components(separatedBy: "Another process speaks for centre 'region-1'").count - 1
            }
        }
        try await eventually("one of them to be refused", tail: { first.output + second.output }) {
            refusals(first, second) > 0
        }

        let starts = point.folder.appendingPathComponent("starts")
        _ = FileManager.default.createFile(atPath: starts.path, contents: nil)
        func runJobs(_ count: Int) async throws {
            let document = JSON.object([
                ("name", .string("once")), ("isolation", .string("none")), ("array", .integer(Int64(count))),
                ("command", .array([.string("/bin/bash"), .string("-c"), .string("echo x >> \(starts.path)")])),
                ("resources", .object([("cores", .integer(1)), ("memory", .string("16MiB"))])),
            ])
            let array = try #require(try await point.submit(document.text).array)
            try await eventually("all elements to end", tail: { point.server.output }) {
                let page = try await point.call("GET", "/v1/jobs?array=\(array)&state=succeeded&limit=100")
                return page.json["items"]?.arrayValue?.count == count
            }
        }
        try await runJobs(40)
        #expect(try String(contentsOf: starts, encoding: .utf8).split(separator: "\n").count == 40)

        await first.kill()
        try await runJobs(10)
        #expect(try String(contentsOf: starts, encoding: .utf8).split(separator: "\n").count == 50)
        // And the one that was away is the second now.
        let before = refusals(second)
        let again = try agent(original)
        defer { again.abandon() }
        try await eventually("one of them to be refused again", tail: { again.output + second.output }) {
            refusals(again, second) > before
        }
    }
}
