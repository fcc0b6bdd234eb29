import Core
import Foundation
import Testing
import Wire

/// What goes wrong around us: a clear error each time, and nothing that was accepted is lost.
@Suite(.serialized)
struct TroubleTests {
    @Test("a job file of 10 MB, a broken one and a cycle are refused with their place")
    func badFiles() async throws {
        let point = try await PointUnderTest()
        let huge = JSON.object([
            ("name", .string("huge")), ("command", .array([.string("/bin/true")])),
            ("environment", .object([("FILL", .string(String(repeating: "x", count: 10 << 20)))])),
        ])
        let file = point.folder.appendingPathComponent("huge.json")
        try huge.text.write(to: file, atomically: true, encoding: .utf8)
        let refused = try await CommandLineUnderTest(point: point).run("submit", file.path, "--project", "demo")
        #expect(refused.status == 2 && refused.errors.contains("error:"), "\(refused.errors.prefix(500))")
        let broken = try await point.call("POST", "/v1/jobs?project=demo", json: #"{"name": "#)
        #expect(broken.status == 400 && broken.json["detail"]?.stringValue?.isEmpty == false)
        let cycle = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: """
                {"workflow": "w", "jobs": [{"name": "a", "command": ["/bin/true"], "after": ["b"]},
                 {"name": "b", "command": ["/bin/true"], "after": ["a"]}]}
                """
        )
        #expect(cycle.status == 422 && String(decoding: cycle.body, as: UTF8.self).contains("waits for itself"))
        let missing = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: """
                {"name": "a", "command": ["/bin/true"],
                 "inputs": {"x": {"digest": "sha256:\(String(repeating: "0", count: 64))", "kind": "file"}}}
                """
        )
        #expect(
            missing.status == 422 && missing.json["errors"]?.arrayValue?.first?["pointer"]?.stringValue == "/inputs/x"
        )
        // Still in its right mind.
        let job = try #require(try await point.submit(#"{"name": "after", "command": ["/bin/true"]}"#).job)
        #expect(try await point.end(of: job).summary.state == .succeeded)
    }

    @Test("the command line says where in a file the faults are, and leaves with the documented status")
    func commandLine() async throws {
        let point = try await PointUnderTest()
        let line = CommandLineUnderTest(point: point)
        let file = point.folder.appendingPathComponent("job.yaml")
        try "name: a\ncommand: [/bin/true]\nresources:\n  colour: red\n  cores: -3\n"
            .write(to: file, atomically: true, encoding: .utf8)
        let refused = try await line.run("submit", file.path, "--project", "demo")
        #expect(refused.status == 2, "\(refused)")
        #expect(refused.errors.contains("job.yaml:4") && refused.errors.contains("job.yaml:5"), "\(refused.errors)")
        let ran = try await line.run("run", "--memory", "64MiB", "--", "/bin/sh", "-c", "echo out; exit 3")
        #expect(ran.status == 3 && ran.output.contains("out"), "\(ran)")
        #expect(try await line.run("job", "job-00000000000000000000000000").status == 4)
        let unknown = try await line.run("job", "job-00000000000000000000000000", "--json")
        let problem = try JSON(parsing: Array(unknown.errors.utf8))
        #expect(unknown.status == 4 && problem["code"] == .string("not_found"), "\(unknown)")
        let checked = try await line.run("config", "check", "--json", file.path)
        let verdict = try JSON(parsing: Array(checked.output.utf8))
        #expect(checked.status == 2 && verdict["faults"]?.arrayValue?.count == 2, "\(checked)")
        let statuses = try await line.run("exit-codes", "--json")
        #expect(try JSON(parsing: Array(statuses.output.utf8)).arrayValue?.count == 9)
        let printed = try #require(try await point.submit(#"{"name": "p", "command": ["/bin/echo", "x"]}"#).job)
        let followed = try await line.run("logs", "-f", "--json", printed.description)
        let piece = try JSON(parsing: Array(followed.output.utf8))
        #expect(piece["text"] == .string("x\n") && piece["offset"] == .integer(0) && piece["run"] == .integer(1))
        #expect(try await line.run("logs", "--json", printed.description).output.contains(#""text":"x\n""#))
        let models = try await line.run("accelerators")
        #expect(models.status == 0 && models.output.contains("ascend-910b3"), "\(models)")
        let listed = try await line.run("jobs", "--json")
        #expect(listed.status == 0)
        let json = try JSON(parsing: listed.output.utf8)
        #expect((json["items"]?.arrayValue ?? json.arrayValue)?.isEmpty == false)
        for shell in ["bash", "zsh", "fish"] { #expect(try await line.run("completion", shell).output.count > 500) }
    }

    @Test("a full disk refuses new work in clear words and loses nothing that was accepted")
    func fullDisk() async throws {
        guard getuid() == 0 else { return print("skipped: mounting a small disk takes root") }
        let disk = FileManager.default.temporaryDirectory.appendingPathComponent(
            "onepoint-disk-\(UUID().uuidString.prefix(8))"
        )
        try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
        guard shell("mount -t tmpfs -o size=24m tmpfs \(disk.path)") == 0 else {
            return print("skipped: tmpfs cannot be mounted here")
        }
        defer { _ = shell("umount -l \(disk.path); rmdir \(disk.path)") }
        let point = try await PointUnderTest("", dataFolder: disk.appendingPathComponent("data"))
        var accepted: [JobID] = []
        let body =
            #"{"name": "fill", "command": ["/bin/true"], "environment": {"FILL": "\#(String(repeating: "x", count: 30_000))"}}"#
        var refusal: PointUnderTest.Answer?
        for _ in 0..<4000 {
            let answer = try await point.call("POST", "/v1/jobs?project=demo", json: body)
            if answer.status == 201 {
                accepted.append(try #require(try answer.decode(SubmissionView.self).job))
            } else {
                refusal = answer
                break
            }
        }
        #expect(refusal?.status == 507, "\(String(describing: refusal))")
        #expect(refusal?.json["code"]?.stringValue == "storage_exhausted")
        #expect(try await point.call("GET", "/readyz").status == 507)
        #expect(try await point.call("GET", "/healthz").status == 200)
        #expect(!accepted.isEmpty)
        for job in [accepted.first, accepted.last] {
            #expect(try await point.job(try #require(job)).summary.state == .queued)
        }
        await point.server.kill()
        _ = shell("mount -o remount,size=64m \(disk.path)")
        try await point.restart()
        let overview: OverviewView = try await point.call("GET", "/v1/overview").decode()
        #expect((overview.jobs["queued"] ?? 0) >= accepted.count)
        #expect(try await point.call("POST", "/v1/jobs?project=demo", json: body).status == 201)
    }

    @Test("a second point on the same folder, and a damaged database, are refused in words")
    func folders() async throws {
        let point = try await PointUnderTest()
        let data = point.folder.appendingPathComponent("data").path
        let second = try Program(
            ["serve", "--data", data, "--listen", "127.0.0.1:0"],
            log: point.folder.appendingPathComponent("second.log")
        )
        try await eventually("the second to end") { !second.isRunning }
        #expect(await second.terminate() != 0 && second.output.contains("error:"), "\(second.output)")
        // A taken port is told before a token is shown that nobody will find again.
        let elsewhere = point.folder.appendingPathComponent("elsewhere").path
        let third = try Program(
            ["serve", "--data", elsewhere, "--listen", "127.0.0.1:\(point.port)"],
            log: point.folder.appendingPathComponent("third.log")
        )
        try await eventually("the third to end") { !third.isRunning }
        #expect(await third.terminate() == 5 && third.output.contains("another process listens there"))
        #expect(!third.output.contains("token") && !FileManager.default.fileExists(atPath: elsewhere))
        let mode = try FileManager.default.attributesOfItem(atPath: data)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        await point.server.terminate()
        try Data("this is no database".utf8).write(to: URL(fileURLWithPath: data + "/onepoint.sqlite"))
        let damaged = try Program(
            ["serve", "--data", data, "--listen", "127.0.0.1:0"],
            log: point.folder.appendingPathComponent("damaged.log")
        )
        try await eventually("the point on a damaged database to end") { !damaged.isRunning }
        #expect(damaged.output.contains("error:") && !damaged.output.contains("Fatal"), "\(damaged.output)")
    }

    @Test("all views can be made anew from the log, and nothing changes")
    func rebuild() async throws {
        let point = try await PointUnderTest()
        let job = try #require(try await point.submit(#"{"name": "kept", "command": ["/bin/echo", "kept"]}"#).job)
        _ = try await point.end(of: job)
        let before = try await point.call("GET", "/v1/jobs/\(job)").body
        await point.server.terminate()
        let rebuild = try Program(
            ["admin", "rebuild", "--data", point.folder.appendingPathComponent("data").path],
            log: point.folder.appendingPathComponent("rebuild.log")
        )
        try await eventually("the rebuild") { !rebuild.isRunning }
        #expect(await rebuild.terminate() == 0, "\(rebuild.output)")
        try await point.restart()
        #expect(try await point.call("GET", "/v1/jobs/\(job)").body == before)
    }
}

/// Runs a line of shell; for mounting test disks.
func shell(_ line: String) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
}
