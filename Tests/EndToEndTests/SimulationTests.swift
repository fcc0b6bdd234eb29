import Core
import Foundation
import Testing
import Wire

/// A comparison of policies from the command line to the console.
@Suite(.serialized)
struct SimulationTests {
    /// A small machine's log in the Standard Workload Format: more work than it can do at once.
    private static let trace: String = {
        let lines = (0..<300).map { number in
            let (run, processors) = (60 + number * 37 % 1900, 1 + number * 5 % 4)
            return "\(number + 1) \(number * 120) -1 \(run) \(processors) -1 -1 \(processors) 2000 -1 1 "
                + "\(number % 3) 1 1 1 1 -1 -1"
        }
        return "; MaxProcs: 8\n" + lines.joined(separator: "\n") + "\n"
    }()

    @Test("a comparison is published, listed, shown in tables and in both languages of the console, and deleted")
    func publish() async throws {
        let point = try await PointUnderTest()
        let line = CommandLineUnderTest(point: point)
        let trace = point.folder.appendingPathComponent("small.swf")
        try Self.trace.write(to: trace, atomically: true, encoding: .utf8)
        let arguments = ["simulate", trace.path, "--policy", "fcfs,easy,onepoint", "--projects", "user"]
        let made = try await line.run(arguments + ["--publish", "small", "--json"])
        #expect(made.status == 0, "\(made)")
        #expect(made.errors == "published: \(point.url)/console/simulations/small\n")
        let hashes = try JSON(parsing: Data(made.output.utf8))["traces"]?.arrayValue?.first?["policies"]?.arrayValue?
            .compactMap { $0["schedule_hash"]?.stringValue }
        let shown = try await line.run("simulation", "show", "small", "--json")
        let detail: SimulationDetail = try WireJSON.decode(from: Array(shown.output.utf8))
        #expect(detail.report.policies.map(\.scheduleHash) == hashes && detail.summary.jobs == 300)
        #expect(detail.report.trace.name == "small.swf" && detail.report.policies[2].projects.count == 3)
        let table = try await line.run("simulation", "show", "small")
        #expect(
            table.output.contains("mean wait seconds") && table.output.contains("easy beside fcfs: wait "),
            "\(table)"
        )
        let listed = try await line.run("simulation", "list")
        #expect(listed.output.contains("small.swf") && listed.output.contains("fcfs, easy, onepoint"), "\(listed)")
        let expected = [
            ("en", ["Jobs that wait", "Cores in use, by tier"]), ("zh", ["等待中的作业", "各层级核使用率"]),
        ]
        for (language, words) in expected {
            let page = try await point.call(
                "GET",
                "/console/simulations/small",
                headers: ["Accept-Language": language]
            )
            let html = String(decoding: page.body, as: UTF8.self)
            #expect(page.status == 200 && html.contains("<polyline class=\"series-c\""), "\(html.prefix(500))")
            for text in words + ["small.swf", "onepoint"] { #expect(html.contains(text), "\(text)") }
        }
        #expect(try await line.run("simulation", "delete", "small").status == 0)
        let gone = try await line.run("simulation", "show", "small")
        #expect(gone.status == 4 && gone.errors.contains("onepoint simulation list"), "\(gone)")
    }

    @Test("who may not publish, or reaches no point, is told before anything is replayed")
    func early() async throws {
        let point = try await PointUnderTest()
        let line = CommandLineUnderTest(point: point)
        // What is no trace would be found out by reading it.
        let arguments = ["simulate", "/dev/null", "--publish", "small"]
        let nobody = try await line.run(arguments + ["--url", "http://127.0.0.1:1"])
        #expect(nobody.status == 6 && nobody.errors.contains("Cannot reach"), "\(nobody)")
        _ = try await line.run("users", "create", "alice")
        let token = try await point.call(
            "POST",
            "/v1/tokens",
            json: #"{"user":"alice","scopes":["read","write","admin"],"label":"test"}"#
        )
        let secret = try #require(try JSON(parsing: token.body)["secret"]?.stringValue)
        let alice = try await line.run(arguments, environment: ["ONEPOINT_TOKEN": secret])
        #expect(alice.status == 3 && alice.errors.contains("alice is none"), "\(alice)")
        for more in [["--fill", "1"], ["other.swf"], ["--publish", "No Name"]] {
            #expect(try await line.run(arguments + more).status == 2, "\(more)")
        }
    }
}
