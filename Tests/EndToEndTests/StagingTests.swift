import Core
import Foundation
import Synchronization
import Testing
import Wire

/// Large inputs and outputs over bad lines.
@Suite(.serialized)
struct StagingTests {
    @Test("an agent that is killed in the middle of a download fetches the rest of it and no more")
    func killedWhileStaging() async throws {
        let point = try await PointUnderTest()
        let line = try Line(to: point.port)
        line.allow(.down, 4 << 20)
        defer { line.close() }
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "region-1", "tier": "region"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        let folder = point.folder.appendingPathComponent("agent")
        func agent(_ extra: [String]) throws -> Program {
            try Program(
                ["agent", "--data", folder.path, "--cores", "2", "--memory", "1GiB"] + extra,
                log: point.folder.appendingPathComponent("agent.log")
            )
        }
        let first = try agent(["--join", "http://127.0.0.1:\(line.port)", "--token", token])
        defer { first.abandon() }
        let bytes = 16 << 20
        let view = try await point.submit(
            """
            {"workflow": "w", "jobs": [
              {"name": "made", "outputs": ["big"], "isolation": "none", "placement": {"centres": ["hub-1"]},
               "command": ["/bin/sh", "-c", "head -c \(bytes) /dev/urandom > $ONEPOINT_OUTPUTS/big"]},
              {"name": "used", "inputs": {"big": {"job": "made", "output": "big"}}, "isolation": "none",
               "placement": {"centres": ["region-1"]},
               "command": ["/bin/sh", "-c", "test $(wc -c < $ONEPOINT_INPUTS/big) = \(bytes)"]}]}
            """
        )
        let workflow: WorkflowView = try await point.call("GET", "/v1/workflows/\(#require(view.workflow))").decode()
        let used = try #require(workflow.nodes.first { $0.name == "used" }?.job)
        let uploads = folder.appendingPathComponent("cache/uploads").path
        func kept() -> Int {
            let parts = (try? FileManager.default.contentsOfDirectory(atPath: uploads))?.compactMap {
                try? FileManager.default.attributesOfItem(atPath: "\(uploads)/\($0)/part")[.size] as? Int
            }
            return parts?.max() ?? 0
        }
        try await eventually("some of it to come", tail: { first.output + point.server.output }) {
            line.isStalled(.down) && kept() > 1 << 20
        }
        await first.kill()
        let before = kept()
        #expect(before < bytes)
        let stalledAt = line.bytes(.down)
        line.allow(.down, .max)
        let second = try agent([])
        defer { second.abandon() }
        #expect(try await point.end(of: used).summary.state == .succeeded)
        let fetched = line.bytes(.down) - stalledAt
        #expect(fetched >= bytes - before)
        #expect(fetched < bytes - before + 1 << 20, "\(fetched) bytes came although \(before) were here")
    }

    @Test("outputs over a line that is cut again and again, from an agent and to a point that are killed, arrive once")
    func brokenDelivery() async throws {
        let point = try await PointUnderTest()
        let line = try Line(to: point.port)
        defer { line.close() }
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "region-1", "tier": "region"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        func agent(_ extra: [String]) throws -> Program {
            try Program(
                ["agent", "--data", point.folder.path + "/agent", "--cores", "2", "--memory", "1GiB"] + extra,
                log: point.folder.appendingPathComponent("agent.log")
            )
        }
        let first = try agent(["--join", "http://127.0.0.1:\(line.port)", "--token", token])
        defer { first.abandon() }
        let (bytes, piece) = (48 << 20, 1 << 20)
        line.allow(.up, 8 << 20)
        let view = try await point.submit(
            """
            {"name": "made", "outputs": ["big"], "isolation": "none", "placement": {"centres": ["region-1"]},
             "command": ["/bin/sh", "-c",
               "head -c \(bytes) /dev/urandom > $ONEPOINT_OUTPUTS/big && sha256sum < $ONEPOINT_OUTPUTS/big"]}
            """
        )
        let job = try #require(view.job)
        try await eventually("some of it to go", tail: { first.output }) { line.isStalled(.up) }
        // So slowly that how far it is gets told, here and to people.
        let show = CommandLineUnderTest(point: point)
        var allowed = line.bytes(.up)
        try await eventually("a word on its progress", tail: { first.output }) {
            // Less than is carried at once: the words pass between two pieces of the upload, which would else be first
            // each time, and be over before anything is told.
            allowed += 1 << 14
            line.allow(.up, allowed)
            let why: WhyView = try await point.call("GET", "/v1/jobs/\(job)/why").decode()
            return why.headline.hasPrefix(
                "It has ended at 'region-1', its outputs are still to arrive: uploading big: "
            )
        }
        #expect(try await show.run("job", "\(job)").output.contains("waits: uploading big: "))
        // Of a run that is not over, wherever it is killed.
        await first.kill()
        line.allow(.up, line.bytes(.up) + 8 << 20)
        let second = try agent([])
        defer { second.abandon() }
        try await eventually("more of it to go", tail: { second.output }) { line.isStalled(.up) }
        await point.server.kill()
        try await point.restart()
        // Nothing long passes, and the point is told why nothing comes.
        line.cut(.up, after: 256 << 10)
        line.allow(.up, .max)
        try await eventually("a word on what is wrong", tail: { second.output }) {
            let why: WhyView = try await point.call("GET", "/v1/jobs/\(job)/why").decode()
            return why.headline.contains("its outputs do not arrive: ")
        }
        #expect(try await point.job(job).summary.state == .active)
        line.cut(.up, after: 5 * piece / 2)
        let detail = try await point.end(of: job, within: .seconds(300))
        #expect(detail.summary.state == .succeeded)
        let artifact = try #require(detail.artifacts.first)
        #expect(artifact.size == Bytes(Int64(bytes)))
        #expect(try await point.log(of: job).hasPrefix(artifact.digest.hex))
        // What was on its way may be lost at each break, which is a piece at most; the rest is what agents say.
        let breaks = line.cuts + 2
        #expect(line.cuts > 5)
        #expect(line.bytes(.up) < bytes + (breaks + 2) * piece, "\(line.bytes(.up)) bytes, \(line.cuts) cuts")
    }
}
