import Core
import Foundation
import Testing
import Wire

/// A pipeline over real centres: submitted by the command line, carried out by jobs, disturbed, and held against the run
/// on one machine.
@Suite(.serialized)
struct DataSubmitTests {
    /// A pipeline with its sources, and what one machine made of it.
    private struct Made {
        let folder: URL
        var pipeline: String { folder.appendingPathComponent("web.yaml").path }
        var expected: [String: Data] = [:]
        var blocks = 0
        var record = JSON.null
    }

    private static let words = """
        the of and to in that river stone bridge winter teacher question answer market garden letter evening morning \
        history science village mountain ocean traveller company harbour with from about because never always under
        """.split(separator: " ")

    /// Every file of lines is a block, and so are all pages together.
    private static func make(in folder: URL, files: Int, records: Int, seed: UInt64) async throws -> Made {
        var made = Made(folder: folder)
        var chance = SplitMix(seed)
        for name in ["in", "pages"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name),
                withIntermediateDirectories: true
            )
        }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        var texts: [String] = []
        for file in 0..<files {
            var lines = ""
            for record in 0..<records {
                var text = (0..<80).map { _ in words.randomElement(using: &chance) ?? "the" }.joined(separator: " ")
                switch record % 6 {
                case 0: text = texts.randomElement(using: &chance) ?? text
                case 1: text = (texts.randomElement(using: &chance) ?? text) + " and more"
                case 2: text += " write to anna.\(record)@example.org"
                case 3: text += "\nAll rights reserved by the harbour company of this village."
                default: break
                }
                texts.append(text)
                lines +=
                    JSON.object([
                        (key: "id", value: .string("\(file)-\(record)")), (key: "text", value: .string(text)),
                    ]).text + "\n"
            }
            try write("in/\(file).jsonl", lines)
        }
        for page in 0..<8 {
            let text = (0..<60).map { _ in words.randomElement(using: &chance) ?? "the" }.joined(separator: " ")
            try write("pages/\(page).html", "<html><body><article><p>\(text).</p></article></body></html>")
        }
        try write("words.txt", "harbour\tplaces\n")
        try write(
            "web.yaml",
            """
            name: web-2026
            sources:
              - {name: lines, files: ["in/*.jsonl"]}
              - {name: pages, files: [pages]}
            languages: {keep: [zh, en], probability_min: 0.2}
            keywords: {packs: [words.txt], action: report}
            personal: {action: mask}
            duplicates: {exact: true, near: {jaccard_min: 0.7}, lines: {count_min: 3, bytes_min: 30}}
            output: {folder: out, format: jsonl}

            """
        )
        let log = folder.appendingPathComponent("run.log")
        let run = try Program(["data", "run", made.pipeline, "--json"], log: log)
        try await eventually("one machine's run", within: .seconds(600)) { !run.isRunning }
        let line = try #require(run.output.split(separator: "\n").last { $0.hasPrefix("{") }, "\(run.output)")
        made.record = try JSON(parsing: Data(line.utf8))
        made.expected = try outputs(folder.appendingPathComponent("out/data"))
        made.blocks = Int(made.record["blocks"]?.numberValue ?? 0)
        #expect(made.expected.count > 3 && made.blocks == files + 1)
        return made
    }

    private static func outputs(_ folder: URL) throws -> [String: Data] {
        var outputs: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            outputs[name] = try Data(contentsOf: folder.appendingPathComponent(name))
        }
        return outputs
    }

    /// What a submission has come to, once it is over.
    private struct Outcome {
        var workflow: WorkflowView
        var parts: [JobDetail]
        var join: JobID
    }

    private static func elements(_ point: PointUnderTest, _ workflow: String) async throws -> [JobDetail] {
        let page: Page<JobView> = try await point.call("GET", "/v1/jobs?workflow=\(workflow)&limit=500").decode()
        var details: [JobDetail] = []
        for job in page.items where job.name == "judge" { details.append(try await point.job(job.job)) }
        return details
    }

    private static func end(_ point: PointUnderTest, _ workflow: String) async throws -> Outcome {
        let view: WorkflowView = try await eventually(
            "the workflow to end",
            within: .seconds(600),
            tail: { point.server.output }
        ) {
            let view: WorkflowView = try await point.call("GET", "/v1/workflows/\(workflow)").decode()
            return view.state.isTerminal ? view : nil
        }
        let join = try #require(view.nodes.first { $0.name == "join" }?.job)
        return Outcome(workflow: view, parts: try await elements(point, workflow), join: join)
    }

    /// Holds what the jobs made against what one machine made.
    private static func check(_ outcome: Outcome, _ made: Made, _ point: PointUnderTest) async throws {
        var logs = ""
        for detail in outcome.parts + [try await point.job(outcome.join)] where detail.summary.state != .succeeded {
            logs += "\(detail.summary.job) \(detail.runs.map { $0.outcome?.summary ?? "-" })\n"
            if detail.runs.last?.startedAt != nil { logs += try await point.log(of: detail.summary.job) }
        }
        try #require(outcome.workflow.state == .succeeded, "\(logs)\n\(point.server.output.suffix(3000))")
        let line = CommandLineUnderTest(point: point)
        let folder = made.folder.appendingPathComponent("got-\(outcome.join)")
        let got = try await line.run("artifacts", "get", "\(outcome.join)", "-o", folder.path)
        try #require(got.status == 0, "\(got)")
        for place in ["run/data", "corpus/data"] {
            #expect(try outputs(folder.appendingPathComponent(place)) == made.expected, "\(place)")
        }
        for name in ["blocks.jsonl"] {
            let here = try Data(contentsOf: made.folder.appendingPathComponent("out/\(name)"))
            #expect(try Data(contentsOf: folder.appendingPathComponent("corpus/governance/\(name)")) == here)
        }
        let pipeline = try Data(contentsOf: folder.appendingPathComponent("corpus/governance/pipeline.yaml"))
        #expect(try pipeline == Data(contentsOf: URL(fileURLWithPath: made.pipeline)))
        let text = try Data(contentsOf: folder.appendingPathComponent("corpus/governance/run.json"))
        let record = try JSON(parsing: text)
        for key in ["parts", "summary", "duplicates", "repeats", "configuration"] {
            #expect(record[key] == made.record[key], "\(key)")
        }
        // The join judged nothing, and the parts that succeeded nothing twice.
        #expect(record["blocks_brought"]?.numberValue == Double(made.blocks))
        let arrays = outcome.workflow.nodes.compactMap(\.array)
        let parts = made.folder.appendingPathComponent("parts-\(outcome.join)")
        let fetched = try await line.run("artifacts", "get", "\(try #require(arrays.first))", "-o", parts.path)
        try #require(fetched.status == 0, "\(fetched)")
        var blocks = 0
        for index in outcome.parts.indices {
            let path = parts.appendingPathComponent("\(index)/results/run.json")
            let part = try JSON(parsing: Data(contentsOf: path))
            #expect(part["part"]?.stringValue == "\(index + 1)/\(outcome.parts.count)")
            #expect(part["blocks_reused"]?.numberValue == 0)
            blocks += Int(part["blocks"]?.numberValue ?? 0)
        }
        #expect(blocks == made.blocks)
    }

    @Test("point and agent are killed meanwhile and a part dies: the corpus is that of one machine, and is published")
    func disturbed() async throws {
        let point = try await PointUnderTest(
            """
            centres:
              - {name: hub-1, tier: hub, cores: 1, memory: 1GiB}
              - {name: edge-1, tier: edge, cores: 1, memory: 1GiB}
            """
        )
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "region-1", "tier": "region"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        func agent(_ extra: [String]) throws -> Program {
            try Program(
                ["agent", "--data", point.folder.path + "/agent", "--cores", "1", "--memory", "1GiB"] + extra,
                log: point.folder.appendingPathComponent("agent.log")
            )
        }
        let first = try agent(["--join", point.url, "--token", token])
        defer { first.abandon() }
        try await eventually("the third centre", tail: { first.output }) {
            try await point.call("GET", "/v1/centres/region-1").json["connected"]?.boolValue == true
        }
        let made = try await Self.make(in: point.folder.appendingPathComponent("work"), files: 40, records: 60, seed: 1)
        let line = CommandLineUnderTest(point: point)
        let arguments = [
            "data", "submit", made.pipeline, "--project", "demo", "--parts", "7", "--cores", "1", "--memory", "512MiB",
            "--to", "datasets/demo/web",
        ]
        let dry = try await line.run(arguments + ["--dry-run"])
        try #require(dry.status == 0, "\(dry)")
        #expect(dry.output.contains("array: 7") && dry.output.contains("workflow: curate-web-2026"))
        let submission = try await line.run(arguments + ["--json"])
        try #require(submission.status == 0, "\(submission)")
        let view: SubmissionView = try WireJSON.decode(from: Data(submission.output.utf8))
        let workflow = "\(try #require(view.workflow))"
        #expect(view.count == 8)
        let again = try await line.run(arguments)
        #expect(again.status == 0 && again.output.contains("was submitted before"), "\(again)")

        // A part that runs at the agent's centre dies; then so do the agent and the point.
        let run = try await eventually("a part at region-1", tail: { first.output + point.server.output }) {
            try await Self.elements(point, workflow).lazy.compactMap { detail in
                detail.runs.first { $0.state == .running && "\($0.centre)" == "region-1" }?.run.description
            }.first
        }
        try await eventually("its program to be killed", tail: { first.output }) { Self.killProgram(of: run) }
        await first.kill()
        await point.server.kill()
        try await point.restart()
        let second = try agent([])
        defer { second.abandon() }
        let outcome = try await Self.end(point, workflow)
        let repeated = outcome.parts.filter { $0.runs.count > 1 }
        #expect(repeated.count == 1 && repeated.first?.runs.first?.run.description == run)
        #expect(Set(outcome.parts.flatMap { $0.runs.map { "\($0.centre)" } }).count == 3)
        try await Self.check(outcome, made, point)

        let files = try await eventually("the corpus to be published", tail: { point.server.output }) {
            let tree = try await point.call("GET", "/api/datasets/demo/web/tree/main?recursive=true")
            let paths = tree.json.arrayValue?.compactMap { $0["path"]?.stringValue } ?? []
            return paths.contains("governance/run.json") ? paths : nil
        }
        #expect(Set(files).isSuperset(of: made.expected.keys.map { "data/" + $0 }))
    }

    /// Kills what a part runs, not who supervises it.
    /// - Returns: Whether there was something.
    private static func killProgram(of run: String) -> Bool {
        let mark = Data("ONEPOINT_RUN=\(run)\0".utf8)
        var found = false
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name),
                let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
                environment.range(of: mark) != nil,
                let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline"),
                words.range(of: Data("--part\0".utf8)) != nil
            else { continue }
            found = kill(pid, SIGKILL) == 0 || found
        }
        return found
    }

    @Test("a source may be a revision: its branch is pinned, and the corpus is that of one machine")
    func revision() async throws {
        let point = try await PointUnderTest()
        let made = try await Self.make(in: point.folder.appendingPathComponent("work"), files: 5, records: 20, seed: 2)
        // A job brings the sources into the repository.
        let line = CommandLineUnderTest(point: point)
        let lines = made.folder.appendingPathComponent("in").path
        let put = try await line.run("artifacts", "put", lines, "--project", "demo", "--json")
        let tree = try #require(
            put.output.split(whereSeparator: { "\" ,{}\n".contains($0) }).first { $0.hasPrefix("sha256:") },
            "\(put)"
        )
        let bring = try await point.submit(
            """
            {"name": "bring", "inputs": {"lines": {"digest": "\(tree)", "kind": "tree"}}, "outputs": ["lines"],
             "publish": {"lines": {"repository": "datasets/demo/lines", "path": "v1"}},
             "command": ["/bin/sh", "-c", "cp -R $ONEPOINT_INPUTS/lines $ONEPOINT_OUTPUTS/lines"]}
            """
        )
        #expect(try await point.end(of: try #require(bring.job)).summary.state == .succeeded)
        try await eventually("the sources to be published", tail: { point.server.output }) {
            try await point.call("GET", "/api/datasets/demo/lines/tree/main/v1").status == 200
        }
        try FileManager.default.removeItem(atPath: lines)
        let text = try String(contentsOfFile: made.pipeline, encoding: .utf8)
        let named = text.replacingOccurrences(
            of: #"{name: lines, files: ["in/*.jsonl"]}"#,
            with: #"{name: lines, repository: datasets/demo/lines, files: ["v1/*.jsonl"]}"#
        )
        #expect(named != text)
        try Data(named.utf8).write(to: URL(fileURLWithPath: made.pipeline))
        let blocks = made.folder.appendingPathComponent("out/blocks.jsonl")
        let there = try String(contentsOf: blocks, encoding: .utf8).replacingOccurrences(of: "\"in/", with: "\"v1/")
        try Data(there.utf8).write(to: blocks)
        let arguments = [
            "data", "submit", made.pipeline, "--project", "demo", "--parts", "2", "--cores", "1", "--memory", "512MiB",
        ]
        let dry = try await line.run(arguments + ["--dry-run"])
        #expect(dry.status == 0 && !dry.output.contains("revision: \"main\""), "\(dry)")
        let submission = try await line.run(arguments + ["--json"])
        try #require(submission.status == 0, "\(submission)")
        let view: SubmissionView = try WireJSON.decode(from: Data(submission.output.utf8))
        let outcome = try await Self.end(point, "\(try #require(view.workflow))")
        try await Self.check(outcome, made, point)
        // What was made of it knows the commit that it was.
        let path = made.folder.appendingPathComponent("got-\(outcome.join)/run/work/repositories.json")
        let commit = try #require(
            try JSON(parsing: Data(contentsOf: path)).arrayValue?.first?["revision"]?.stringValue
        )
        #expect(dry.output.contains("revision: \"\(commit)\""), "\(commit) in \(dry)")
    }

    @Test("what is wrong with a submission is said before anything is sent")
    func faults() async throws {
        let point = try await PointUnderTest("centres: []")
        let made = try await Self.make(in: point.folder.appendingPathComponent("work"), files: 3, records: 12, seed: 3)
        let line = CommandLineUnderTest(point: point)
        let cases: [(arguments: [String], words: [String])] = [
            (["--parts", "0"], ["--parts"]), (["--memory", "two apples"], ["memory"]),
            (["--to", "models/demo/web"], ["--to"]), (["--tier", "moon"], ["tiers"]),
        ]
        for fault in cases {
            let outcome = try await line.run(["data", "submit", made.pipeline, "--project", "demo"] + fault.arguments)
            #expect(outcome.status != 0 && outcome.output.isEmpty, "\(outcome)")
            for word in fault.words { #expect(outcome.errors.contains(word), "\(word) in \(outcome.errors)") }
        }
        try Data(
            """
            name: x
            sources: [{name: a, repository: datasets/demo/none, files: ['*']}]
            output: {folder: out}

            """.utf8
        ).write(to: URL(fileURLWithPath: made.pipeline))
        let absent = try await line.run("data", "submit", made.pipeline, "--project", "demo")
        #expect(absent.status != 0 && absent.errors.contains("datasets/demo/none"), "\(absent)")
        try Data("name: x\nsources: [{name: a, files: [../*]}]\noutput: {folder: out}\n".utf8)
            .write(to: URL(fileURLWithPath: made.pipeline))
        let outcome = try await line.run("data", "submit", made.pipeline, "--project", "demo")
        #expect(outcome.status != 0 && outcome.errors.contains("leads out of"), "\(outcome)")
        let jobs: Page<JobView> = try await point.call("GET", "/v1/jobs").decode()
        #expect(jobs.items.isEmpty)
    }

    @Test(
        "parts run behind Slurm, whose nodes have nothing of ours",
        .enabled(if: SlurmCentreTests.isPossible, "Slurm is not installed, or we are not root")
    )
    func slurm() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-cluster-\(UUID())").path
        let port = 26_000 + 20 * Int.random(in: 0..<250)
        try #require(shell("\(EnginesHere.scripts)/slurm-up \(cluster) 2 \(port)") == 0)
        defer { _ = shell("\(EnginesHere.scripts)/slurm-down \(cluster); rm -rf \(cluster)") }
        try await Self.behind("slurm: {config_file: \(cluster)/slurm.conf, calls_per_minute: 3000}", seed: 4)
    }

    @Test(
        "parts run behind Ray",
        .enabled(
            if: EnginesHere.has("\(EnginesHere.cache)/ray/bin/ray"),
            "Ray is not installed: scripts/setup-engines ray does it"
        )
    )
    func ray() async throws {
        let cluster = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-ray-\(UUID())").path
        defer { _ = shell("\(EnginesHere.scripts)/ray-down \(cluster); rm -rf \(cluster)") }
        try #require(shell("CPUS=4 \(EnginesHere.scripts)/ray-up \(cluster) 24500 2") == 0)
        try await Self.behind("ray: {address: \"http://127.0.0.1:24501\", token_file: \(cluster)/token}", seed: 5)
    }

    @Test(
        "parts run isolated, and share the sources",
        .enabled(if: shell("bwrap --unshare-all --ro-bind / / true") == 0, "bubblewrap does not work here")
    )
    func isolated() async throws {
        try await Self.behind("cores: 2, memory: 2GiB", seed: 6, ["--isolated"])
    }

    /// All parts at a centre, and not at the one beside it.
    ///
    /// - Parameter engine: Of the centre, as the configuration has it.
    private static func behind(_ engine: String, seed: UInt64, _ more: [String] = []) async throws {
        let point = try await PointUnderTest(
            """
            centres:
              - {name: hub-1, tier: hub, \(engine)}
              - {name: edge-1, tier: edge, cores: 2, memory: 2GiB}
            """
        )
        try await eventually("the centre", tail: { point.server.output }) {
            try await point.call("GET", "/v1/centres/hub-1").json["connected"]?.boolValue == true
        }
        let folder = point.folder.appendingPathComponent("work")
        let made = try await make(in: folder, files: 8, records: 20, seed: seed)
        let line = CommandLineUnderTest(point: point)
        let arguments = [
            "data", "submit", made.pipeline, "--project", "demo", "--parts", "3", "--cores", "1", "--memory", "512MiB",
            "--centre", "hub-1", "--json",
        ]
        let submission = try await line.run(arguments + more)
        try #require(submission.status == 0, "\(submission)")
        let view: SubmissionView = try WireJSON.decode(from: Data(submission.output.utf8))
        let outcome = try await end(point, "\(try #require(view.workflow))")
        #expect(Set(outcome.parts.flatMap { $0.runs.map { "\($0.centre)" } }) == ["hub-1"])
        try await check(outcome, made, point)
    }
}
