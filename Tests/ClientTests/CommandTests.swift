import ArgumentParser
import Core
import Foundation
import Testing
import Wire

@testable import Client

private struct Root: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "onepoint", subcommands: Client.subcommands)
}

@Suite struct CommandTests {
    private let repository = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test(
        "the completion scripts are scripts",
        arguments: [("bash", CompletionShell.bash), ("zsh", .zsh), ("fish", .fish)]
    )
    func completion(_ name: String, _ shell: CompletionShell) throws {
        let script = Root.completionScript(for: shell)
        #expect(script.contains("onepoint"))
        let path = "/usr/bin/\(name)"
        guard FileManager.default.isExecutableFile(atPath: path) else { return }
        let file = FileManager.default.temporaryDirectory.appending(path: "onepoint-\(UUID().uuidString)")
        try Data(script.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["-n", file.path(percentEncoded: false)]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("every command has a summary, and parses its own examples")
    func examples() throws {
        func visit(_ command: any ParsableCommand.Type) throws {
            let configuration = command.configuration
            #expect(!configuration.abstract.isEmpty, "\(command)")
            for line in configuration.discussion.split(separator: "\n") {
                let words = line.split(separator: " ").map { String($0) }
                guard words.first == "onepoint" else { continue }
                var arguments: [String] = []
                for word in words.dropFirst() {
                    if ["|", ">", "<", "#"].contains(word) { break }
                    arguments.append(word)
                }
                #expect(throws: Never.self, "\(line)") { _ = try Root.parseAsRoot(arguments) }
            }
            for subcommand in configuration.subcommands { try visit(subcommand) }
        }
        for command in Client.subcommands { try visit(command) }
    }

    @Test("run describes the job that its options ask for")
    func runDocument() throws {
        let arguments = [
            "run", "--cores", "2", "--memory", "4GiB", "--card", "h100-sxm5", "--tier", "region", "--tier", "hub",
            "--time-limit",
            "10m", "--env", "A=b=c", "--project", "demo", "--", "python3", "-c", "print(1)",
        ]
        let command = try #require(try Root.parseAsRoot(arguments) as? RunCommand)
        let document = try command.document()
        guard case .job(let draft) = try SubmissionDraft.read(document) else {
            Issue.record("no job")
            return
        }
        #expect(draft.spec.name == "python3")
        #expect(draft.spec.command == ["python3", "-c", "print(1)"])
        #expect(draft.spec.resources == TaskResources(cores: 2000, memory: .gibi(4), cards: 1, card: "h100-sxm5"))
        #expect(draft.spec.placement.tiers == [.region, .hub])
        #expect(draft.spec.environment == ["A": "b=c"])
        #expect(draft.project?.text == "demo")
        let bare = try #require(try Root.parseAsRoot(["run", "--", "hostname"]) as? RunCommand)
        #expect(try bare.document().text == #"{"name":"hostname","command":["hostname"]}"#)
        #expect(throws: (any Error).self) { try Root.parseAsRoot(["run"]) }
    }

    @Test("failures have the documented exit statuses")
    func statuses() {
        #expect(ExitStatus(.invalid) == .usage)
        #expect(ExitStatus(.unauthenticated) == .denied)
        #expect(ExitStatus(.forbidden) == .denied)
        #expect(ExitStatus(.notFound) == .notFound)
        #expect(ExitStatus(.conflict) == .conflict)
        #expect(ExitStatus(.unavailable) == .unavailable)
        #expect(ExitStatus(.storageExhausted) == .storage)
        #expect(Client.report(Failure(.notFound, "x"), of: Root.self) == 4)
        #expect(Client.report(QuietExit(42), of: Root.self) == 42)
        #expect(Client.report(CancellationError(), of: Root.self) == 130)
        for wrong in [["jobs", "--limit", "0"], ["nonsense"], ["job"], ["completion", "tcsh"]] {
            do {
                _ = try Root.parseAsRoot(wrong)
                Issue.record("\(wrong) was accepted")
            } catch {
                #expect(Client.report(error, of: Root.self) == 2, "\(wrong)")
            }
        }
    }

    @Test("the reference page lists every command and exit status")
    func reference() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/reference/cli.md"), encoding: .utf8)
        for command in Client.subcommands {
            #expect(page.contains("`onepoint \(command.configuration.commandName ?? "")"), "\(command)")
        }
        for status in ExitStatus.allCases { #expect(page.contains("| \(status.rawValue) | \(status.meaning) |")) }
    }

    @Test("the tour is checked with its algorithms, and --set reaches one job")
    func tour() async throws {
        let path = repository.appending(path: "workflows/tour.yaml").path(percentEncoded: false)
        var submission = SubmissionFile(file: try await DocumentFile.load(path))
        try submission.apply(project: "demo", assignments: ["train.steps=50"])
        let manifests = try await submission.check()
        #expect(manifests.count == 6)
        let jobs = try #require(submission.file.json["jobs"]?.arrayValue)
        #expect(jobs.first { $0["name"] == .string("train") }?["parameters"]?["steps"] == .integer(50))
        #expect(submission.file.json["project"] == .string("demo"))
        #expect(throws: Failure.self) { try submission.apply(project: nil, assignments: ["nobody.x=1"]) }
        try submission.apply(project: nil, assignments: ["train.steps=-1", "train.stepz=1"])
        do {
            _ = try await submission.check()
            Issue.record("accepted")
        } catch let failure as LocatedFailure {
            #expect(failure.code == .invalid)
            #expect(failure.lines.count == 2)
            #expect(failure.lines.allSatisfy { $0.hasPrefix(path + ":") })
            #expect(failure.lines.contains { $0.contains("/parameters/steps: must be at least 1") })
            #expect(failure.lines.contains { $0.contains("did you mean 'steps'?") })
        }
    }

    @Test("faults are shown with file, line and column, in the order of the file")
    func places() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "onepoint-\(UUID().uuidString).yaml")
        try Data("name: a\ntasks: 0\nresources:\n  cores: -1\n  coers: 2\ncommand: x\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let path = file.path(percentEncoded: false)
        do {
            _ = try await SubmissionFile(file: try await DocumentFile.load(path)).check()
            Issue.record("accepted")
        } catch let failure as LocatedFailure {
            #expect(
                failure.lines.map { $0.dropFirst(path.count).prefix(22) } == [
                    ":2:1: /tasks: must be ", ":4:3: /resources/cores", ":5:3: /resources/coers",
                ]
            )
        }
    }

    @Test("files are told apart by their keys")
    func kinds() throws {
        func kind(_ text: String) throws -> DocumentKind { DocumentKind(try YAMLDocument.parse(text).json) }
        #expect(try kind("name: a\ncommand: x") == .job)
        #expect(try kind("workflow: a") == .workflow)
        #expect(try kind("name: a\nentry_point: [x]") == .algorithm)
        #expect(try kind("listen: 1") == .configuration)
    }
}

@Suite struct CredentialsTests {
    @Test("credentials are stored for their owner alone, and found again")
    func store() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "onepoint-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let environment = ["XDG_CONFIG_HOME": folder.path(percentEncoded: false)]
        #expect(throws: Failure.self) { try Credentials.find(url: nil, environment: environment) }
        let credentials = Credentials(url: "http://127.0.0.1:1", token: "op_a_b")
        try credentials.store(environment: environment)
        try credentials.store(environment: environment)
        #expect(try Credentials.find(url: nil, environment: environment) == credentials)
        let path = try Credentials.path(environment: environment)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // Another address is another party: the stored token is not for it.
        let other = try Credentials.find(url: "http://127.0.0.1:2", environment: environment)
        #expect(other == Credentials(url: "http://127.0.0.1:2", token: nil))
        let given = environment.merging(["ONEPOINT_URL": "localhost:3/", "ONEPOINT_TOKEN": "t"]) { $1 }
        #expect(
            try Credentials.find(url: nil, environment: given) == Credentials(url: "http://localhost:3", token: "t")
        )
    }

    @Test("addresses are made whole or refused")
    func addresses() throws {
        #expect(try Credentials.normalised("point.example") == "https://point.example")
        #expect(try Credentials.normalised("127.0.0.1:8080") == "http://127.0.0.1:8080")
        #expect(try Credentials.normalised("http://x/base//") == "http://x/base")
        for text in ["", "ftp://x", "http://", "http://a@b", "http://a?b", "https://a b"] {
            #expect(throws: Failure.self, "\(text)") { try Credentials.normalised(text) }
        }
        #expect(Credentials(url: "http://point.example", token: nil).isExposed)
        #expect(!Credentials(url: "http://127.0.0.1:1", token: nil).isExposed)
    }

    @Test("paths and queries are encoded")
    func encoding() {
        #expect("a/b c?é".percentEncoded == "a%2Fb%20c%3F%C3%A9")
        #expect(PointClient.queryText([("a", "1"), ("b", nil), ("c", "x&y")]) == "?a=1&c=x%26y")
    }
}
