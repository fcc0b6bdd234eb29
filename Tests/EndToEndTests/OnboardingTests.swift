import Core
import Foundation
import Testing
import Wire

/// From nothing to a centre that runs work, by the commands that the platform prints.
@Suite(.serialized)
struct OnboardingTests {
    @Test("the printed commands make a centre, and each check says what it found")
    func join() async throws {
        let point = try await PointUnderTest("centres: []")
        let line = CommandLineUnderTest(point: point)
        let joined = try await line.run("centres", "join", "north", "--tier", "region")
        let commands = joined.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        try #require(joined.status == 0 && commands.count == 2, "\(joined)")
        let folder = point.folder.appendingPathComponent("agent-north").path
        /// As a person would run it, but in the test's own folder.
        func words(_ index: Int) -> [String] { commands[index].dropFirst().map { $0 == "agent-north" ? folder : $0 } }

        let before = try await line.run(words(0) + ["--json"])
        #expect(before.status == 0, "\(before)")
        let verdicts = try checks(before.output)
        #expect(verdicts["data folder"] == "passed" && verdicts["point"] == "passed" && verdicts["clock"] == "passed")
        #expect(verdicts["identity"] == "doubtful" && verdicts["engine"] == "passed", "\(verdicts)")

        let agent = try Program(
            words(1) + ["--engine", "local"],
            log: point.folder.appendingPathComponent("agent.log")
        )
        defer { agent.abandon() }
        let job = try #require(try await point.submit(#"{"name": "first", "command": ["/bin/true"]}"#).job)
        #expect(try await point.end(of: job).summary.state == .succeeded)
        // Later starts need the folder only.
        await agent.kill()
        let later = try Program(["agent", "--data", folder], log: point.folder.appendingPathComponent("later.log"))
        defer { later.abandon() }
        let next = try #require(try await point.submit(#"{"name": "next", "command": ["/bin/true"]}"#).job)
        #expect(try await point.end(of: next).summary.state == .succeeded)
        let kept = try String(contentsOfFile: "\(folder)/engine.yaml", encoding: .utf8)
        #expect(kept == "# processes of this machine\n")
        #expect(try checks(try await line.run(words(0) + ["--json"]).output)["identity"] == "passed")

        // Another joins in its place: the first is told to join anew, and a spent token does not work twice.
        _ = try await line.run("centres", "join", "north")
        let again = try await line.run([
            "agent", "--data", "\(folder)-2", "--join", point.url, "--token", commands[1].last ?? "",
        ])
        #expect(again.status == 3 && again.errors.contains("was used"), "\(again)")
        await point.server.terminate()
        let alone = try await line.run(words(0) + ["--json"])
        #expect(alone.status == 1)
        #expect(try checks(alone.output)["point"] == "failed")
    }

    private func checks(_ output: String) throws -> [String: String] {
        var verdicts: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let json = try JSON(parsing: Array(line.utf8))
            verdicts[json["subject"]?.stringValue ?? ""] = json["verdict"]?.stringValue
        }
        return verdicts
    }
}
