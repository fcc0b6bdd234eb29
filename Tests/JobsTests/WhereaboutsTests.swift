import Core
import Testing
import Wire

@testable import Jobs

@Suite struct WhereaboutsTests {
    @Test("a job goes where its inputs are, because a run left them there or took them there, also after a restart")
    func follows() async throws {
        let bench = try await Bench.make()
        // Where a job fits tighter, and where its inputs are.
        let (tight, wide) = (try await bench.centre("tight", cores: 1000), try await bench.centre("wide"))
        let made = try await bench.submitJob("made", #""outputs": ["out"], "placement": {"centres": ["wide"]}"#)
        try await bench.point.place()
        let run = try #require(try await wide.start().first)
        let bytes = try await bench.upload("stands for twelve gibibytes")
        try await wide.end(
            run,
            artifacts: [Artifact(name: "out", kind: .file, digest: bytes, size: .gibi(12))]
        )
        let input = #""inputs": {"in": {"job": "\#(made)", "output": "out"}}"#
        func place(_ more: String) async throws -> Run {
            let job = try await bench.submitJob("used", more)
            try await bench.point.place()
            return try await bench.run(job)
        }
        let near = try await place(input)
        #expect(near.centre == .named("wide"))
        #expect(near.reason.contains("with 12 GiB of its inputs"))
        try await bench.reopen()
        try await bench.point.rememberWhereabouts()
        for agent in [tight, wide] { try await agent.exchange() }
        #expect(try await place(input).centre == .named("wide"))
        #expect(try await place("").centre == .named("tight"))
    }

    @Test("what one project has at a centre says nothing to another's jobs")
    func apart() throws {
        let whereabouts = Whereabouts()
        let digest = JobsTests.digest(of: "bytes")
        whereabouts.note(digest, of: .named("brain"), at: .named("hub-1"))
        func near(_ project: String) -> [CentreName: Bytes] {
            whereabouts.bytes([digest: .gibi(1)], of: .named(project))
        }
        #expect(near("brain") == [.named("hub-1"): .gibi(1)])
        #expect(near("other").isEmpty)
    }
}
