import Core
import Foundation
import Testing
import Wire

/// `onepoint data publish` as people use it: against a running point, with `datasets` of PyPI for a reader.
@Suite(.serialized)
struct PublishTests {
    /// A folder with a pipeline and its sources, and a point to publish to.
    private final class Scene: Sendable {
        let point: PointUnderTest
        let url: URL
        let client: CommandLineUnderTest

        init() async throws {
            point = try await PointUnderTest()
            client = CommandLineUnderTest(point: point)
            url = point.folder.appendingPathComponent("work")
            for name in ["in", "dossiers"] {
                try FileManager.default.createDirectory(
                    at: url.appendingPathComponent(name),
                    withIntermediateDirectories: true
                )
            }
        }

        func path(_ name: String) -> String { url.appendingPathComponent(name).path }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: url.appendingPathComponent(name))
        }

        func data(_ arguments: String...) async throws -> CommandLineUnderTest.Outcome {
            try await client.run(["data"] + arguments)
        }

        /// Runs the pipeline to its end.
        func run() async throws {
            let outcome = try await data("run", path("web.yaml"))
            try #require(outcome.status == 0, "\(outcome.errors)")
        }

        func publish(_ arguments: String...) async throws -> JSON {
            let outcome = try await client.run(["data", "publish", path("web.yaml")] + arguments + ["--json"])
            try #require(outcome.status == 0, "\(outcome.errors)\n\(point.server.output.suffix(2000))")
            return try JSON(parsing: Array(outcome.output.utf8))
        }

        /// The files of a revision with their sizes.
        func tree(_ dataset: String, _ revision: String = "main") async throws -> [String: Int64] {
            let answer = try await point.call("GET", "/api/datasets/\(dataset)/tree/\(revision)?recursive=true")
            var files: [String: Int64] = [:]
            for item in answer.json.arrayValue ?? [] where item["type"] == .string("file") {
                files[item["path"]?.stringValue ?? ""] = item["size"]?.integerValue
            }
            return files
        }

        func file(_ dataset: String, _ path: String, _ revision: String = "main") async throws -> Data {
            let answer = try await point.call("GET", "/datasets/\(dataset)/resolve/\(revision)/\(path)")
            try #require(answer.status == 200, "\(path): \(answer.status)")
            return answer.body
        }

        func commits(_ dataset: String, _ revision: String = "main") async throws -> [String] {
            try await point.call("GET", "/api/datasets/\(dataset)/commits/\(revision)").json.arrayValue?
                .compactMap { $0["id"]?.stringValue } ?? []
        }
    }

    private static let words = """
        the of and to in that river stone bridge winter teacher question answer market garden letter evening morning
        """.split(separator: " ")

    /// A line of JSON Lines.
    private static func line(_ id: String, _ number: Int, more: String = "") -> String {
        let text = (0..<30).map { words[($0 * 7 + number * (5 + $0 % 3)) % words.count] }.joined(separator: " ")
        return #"{"id":"\#(id)","text":"\#(text) \#(number)"\#(more)}"# + "\n"
    }

    private static func yaml(_ format: String, lists: String = "[in/crawl-*.jsonl]") -> String {
        """
        name: web
        sources:
          - {name: crawl, files: \(lists), dossier: dossiers/crawl.yaml}
          - {name: news, files: [in/news.jsonl]}
          - {name: old, files: [in/old.jsonl], reference: true}
        keywords: {packs: [words.txt]}
        personal: {action: mask}
        duplicates: {exact: true}
        output: {folder: out, format: \(format)}

        """
    }

    private static let dossier = """
        name: crawl
        title: Pages of a museum | with a bar
        kind: self_collected
        origin: https://museum.example.org/
        region: domestic
        languages: [zh, en]
        modalities: [text]
        licence: {at_origin: CC-BY-4.0, as_claimed: MIT}
        personal_data: {presence: none}

        """

    /// Three files of one source, one of another whose records have other members, one that is only compared with.
    private static func fill(_ scene: Scene, format: String) throws {
        for file in 0..<3 {
            try scene.write(
                "in/crawl-\(file).jsonl",
                (0..<20).map { line("c\(file)-\($0)", file * 20 + $0) }.joined()
            )
        }
        let news = (0..<20).map { number in
            line(
                "n\(number)",
                100 + number,
                more: number % 2 == 0 ? #","score":\#(number),"tags":["a","b"]"# : #","date":"2024-01-01","score":0.5"#
            )
        }
        try scene.write(
            "in/news.jsonl",
            news.joined() + line("c-twice", 3) + line("bad", 200).replacing(" 200", with: " casino")
        )
        try scene.write("in/old.jsonl", line("o1", 7))
        try scene.write("words.txt", "casino\tgambling\t2\n")
        try scene.write("dossiers/crawl.yaml", dossier)
        try scene.write("web.yaml", yaml(format))
    }

    private static let python = HubClientTests.python("datasets")

    /// What `datasets` makes of a release.
    private static func load(_ scene: Scene, _ dataset: String, _ revision: String? = nil) async throws -> JSON {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["\(HubClientTests.programs)/release.py", dataset] + (revision.map { [$0] } ?? [])
        process.environment = ProcessInfo.processInfo.environment.merging([
            "HF_ENDPOINT": scene.point.url, "HF_TOKEN": scene.point.token, "HF_HOME": scene.path("home-\(UUID())"),
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1",
            "HF_XET_TELEMETRY_ENABLED": "0",
        ]) { $1 }
        let log = scene.url.appendingPathComponent("python-\(UUID()).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        await process.end()
        let text = try String(contentsOf: log, encoding: .utf8)
        let result = text.split(separator: "\n").last { $0.hasPrefix("RESULT ") }
        return try JSON(parsing: Array(try #require(result, "\(text.suffix(4000))").dropFirst(7).utf8))
    }

    @Test(
        "datasets loads a release in every format, at once and streamed, and nothing but its records",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: python),
            "datasets is not installed: scripts/setup-clients datasets does it"
        )
    )
    func load() async throws {
        let scene = try await Scene()
        var texts: Set<JSON> = []
        for format in ["jsonl", "jsonl.zst", "parquet"] {
            try Self.fill(scene, format: format)
            try await scene.run()
            let dataset = "demo/web-\(format.prefix { $0 != "." })-\(format.count)"
            let published = try await scene.publish(dataset)
            let loaded = try await Self.load(scene, dataset)
            // One of the duplicates and the one that the reference has are gone.
            let whole = try #require(loaded["whole"]?.arrayValue)
            #expect(whole.count == 79 && published["records"] == .integer(79))
            #expect(loaded["streamed"] == loaded["whole"])
            let ids = whole.compactMap { $0.arrayValue?.first?.stringValue }
            for id in ["c-twice", "c0-7", "o1", "bad"] { #expect(!ids.contains(id), "\(id)") }
            let columns = loaded["columns"]?.arrayValue?.compactMap(\.stringValue)
            #expect(
                columns
                    == (format == "parquet"
                        ? ["id", "metadata", "text", "url"] : ["date", "id", "score", "tags", "text"])
            )
            let dates = Set(whole.compactMap { $0.arrayValue?[2].stringValue })
            #expect(dates == (format == "parquet" ? [] : ["2024-01-01"]))
            texts.insert(.array(whole.map { .array(Array(($0.arrayValue ?? []).prefix(2))) }))
        }
        #expect(texts.count == 1)
    }

    @Test("a release has its layout, one commit, and lineage to files and rules that the point tells")
    func layout() async throws {
        let scene = try await Scene()
        try Self.fill(scene, format: "jsonl.zst")
        try scene.write(
            "release.yaml",
            """
            name: Museum
            version: 1.2.0
            description: {zh: 演示, en: A demonstration.}
            url: https://corpus.example/demo
            licence: CC-BY-4.0
            creator: Example Lab
            published: 2026-11-29
            languages: [zh, en]
            keywords: ["museum: pages"]

            """
        )
        try scene.write(
            "web.yaml",
            Self.yaml("jsonl.zst").replacing("news.jsonl]}", with: "news.jsonl], dossier: dossiers/news.yaml}")
        )
        try scene.write("dossiers/news.yaml", Self.dossier.replacing("museum | with a bar", with: "a paper"))
        try await scene.run()
        for arguments in [
            ["sample", scene.path("web.yaml"), "--size", "5"],
            ["audit", scene.path("web.yaml"), "--release", scene.path("release.yaml"), "--out", scene.path("pack")],
        ] {
            let outcome = try await scene.client.run(["data"] + arguments)
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        let published = try await scene.publish(
            "demo/web",
            "--release",
            scene.path("release.yaml"),
            "--pack",
            scene.path("pack"),
            "--visibility",
            "internal",
            "--message",
            "First"
        )
        let revision = try #require(published["revision"]?.stringValue)
        #expect(published["new"] == .bool(true))
        // The Hub's clients make a repository with a commit of its own.
        #expect(try await scene.commits("demo/web").count == 2)
        let files = try await scene.tree("demo/web", revision)
        let names = Set(files.keys)
        let fixed = ["pipeline.yaml", "run.json", "blocks.jsonl", "items.json", "lineage.json"].map {
            "governance/\($0)"
        }
        #expect(
            names.isSuperset(
                of: fixed + ["README.md", "governance/sources/crawl.yaml", "governance/sources/news.yaml"]
            )
        )
        #expect(names.isSuperset(of: ["governance/samples/spot-check.json", "governance/samples/spot-check.jsonl"]))
        #expect(names.isSuperset(of: ["governance/pack/manifest.json", "governance/pack/croissant.json"]))
        #expect(names.contains("data/part-000001.jsonl.zst") && names.filter { $0.hasPrefix("data/") }.count == 4)
        // Not of what is only compared with.
        #expect(names.filter { $0.hasPrefix("governance/decisions/") }.count == 4)
        for (name, size) in files where name.hasPrefix("data/") {
            let bytes = try Data(contentsOf: scene.url.appendingPathComponent("out/\(name)"))
            #expect(Int64(bytes.count) == size)
            #expect(try await scene.file("demo/web", name) == bytes)
        }
        let items = try JSON(parsing: try await scene.file("demo/web", "governance/items.json"))
        #expect(items["root"] == published["root"] && items["records"] == .integer(79))
        #expect(items["parts"]?.arrayValue?.count == 4)
        // Nobody's folders leave the machine.
        for name in ["blocks.jsonl", "lineage.json", "run.json", "items.json"] {
            let text = String(decoding: try await scene.file("demo/web", "governance/\(name)"), as: UTF8.self)
            #expect(!text.contains(scene.url.path), "\(name)")
        }
        let card = String(decoding: try await scene.file("demo/web", "README.md"), as: UTF8.self)
        #expect(card.contains("museum \\| with a bar | self_collected | CC-BY-4.0 | MIT"))
        #expect(card.contains("pretty_name: \"Museum 1.2.0\"") && card.contains("license: \"cc-by-4.0\""))
        #expect(card.contains(published["root"]?.stringValue ?? "?"))

        let outcome = try await scene.client.run("lineage", "datasets/demo/web", "--json")
        let view: LineageView = try WireJSON.decode(from: Array(outcome.output.utf8))
        let release = try #require(view.release)
        #expect(release.author.text == "operator" || !release.author.text.isEmpty)
        #expect(release.lineage.pipeline.name == "web" && release.lineage.root == published["root"]?.stringValue)
        #expect(release.lineage.sources.map(\.name) == ["crawl", "news", "old"])
        #expect(release.lineage.sources.map(\.isReference) == [false, false, true])
        #expect(release.lineage.sources.first?.licenceAtOrigin == "CC-BY-4.0")
        let crawled = try Data(contentsOf: scene.url.appendingPathComponent("in/crawl-1.jsonl"))
        let file = try #require(release.lineage.files?.first { $0.path == "in/crawl-1.jsonl" })
        #expect(file.bytes == crawled.count && file.source == "crawl")
        #expect(release.lineage.rules.contains { $0.name == "duplicates/exact" && $0.documents == 2 })
        #expect(release.lineage.rules.contains { $0.name == "keywords/weight" && $0.documents == 1 })
        #expect(release.lineage.models.map(\.path) == ["words.txt"])
        #expect(release.lineage.blocks == nil && release.lineage.pack != nil)
        let text = try await scene.client.run("lineage", "datasets/demo/web")
        #expect(
            text.status == 0 && text.output.contains("in/crawl-1.jsonl") && text.output.contains("duplicates/exact")
        )
        let page = try await scene.point.call("GET", "/console/repositories/\(try await id(scene))")
        #expect(page.status == 200 || page.status == 303)
    }

    private func id(_ scene: Scene) async throws -> String {
        let answer = try await scene.point.call("GET", "/v1/repositories?shelf=datasets")
        return answer.json["items"]?.arrayValue?.first?["repository"]?.stringValue ?? ""
    }

    @Test("what has not changed is no commit; what has takes old parts away and leaves what is somebody's own")
    func again() async throws {
        let scene = try await Scene()
        try Self.fill(scene, format: "jsonl.zst")
        try await scene.run()
        let first = try await scene.publish("demo/web")
        let own = try await scene.point.call(
            "POST",
            "/api/datasets/demo/web/commit/main",
            json: #"{"key":"header","value":{"summary":"mine"}}"# + "\n"
                + #"{"key":"file","value":{"path":"governance/notes.md","content":"mine"}}"# + "\n"
                + #"{"key":"file","value":{"path":"data/extra.txt","content":"mine"}}"# + "\n"
        )
        try #require(own.status == 200)
        let head = try #require(own.json["commitOid"]?.stringValue)
        let same = try await scene.publish("demo/web")
        #expect(same["new"] == .bool(false) && same["revision"]?.stringValue == head)
        #expect(same["root"] == first["root"])
        // Running it again changes when it was run, and nothing else.
        try await scene.run()
        #expect(try await scene.publish("demo/web")["new"] == .bool(false))
        let said = try await scene.data("publish", scene.path("web.yaml"), "demo/web")
        #expect(said.output.hasPrefix("Nothing has changed") && said.status == 0)
        #expect(try await scene.commits("demo/web").first == head)

        try FileManager.default.removeItem(atPath: scene.path("in/crawl-2.jsonl"))
        try scene.write("in/crawl-0.jsonl", Self.line("new", 999))
        try await scene.run()
        let second = try await scene.publish("demo/web", "--revision", "next")
        #expect(second["new"] == .bool(true) && (second["files_deleted"]?.integerValue ?? 0) > 0)
        let files = Set(try await scene.tree("demo/web", "next").keys)
        let parts = files.filter { $0.hasPrefix("data/part-") }
        #expect(parts.count == 3 && files.isSuperset(of: ["governance/notes.md", "data/extra.txt"]))
        #expect(files.filter { $0.hasPrefix("governance/decisions/") }.count == 3)
        #expect(try await scene.commits("demo/web").first == head)
        // Back on main it is another commit, for which nothing has to be sent.
        let third = try await scene.publish("demo/web")
        #expect(third["new"] == .bool(true) && third["files_sent"] == .integer(0))

        // Another pipeline's release does not take its place.
        try scene.write("web.yaml", Self.yaml("jsonl.zst").replacing("name: web", with: "name: other"))
        try await scene.run()
        let refused = try await scene.data("publish", scene.path("web.yaml"), "demo/web")
        #expect(refused.status == 5 && refused.errors.contains("a repository of its own"))
        let visible = try await scene.data("publish", scene.path("web.yaml"), "demo/web", "--visibility", "public")
        #expect(visible.status == 5)
    }

    @Test("a run that is unfinished, at work, or not what is on the disk any more is refused")
    func refused() async throws {
        let scene = try await Scene()
        try Self.fill(scene, format: "jsonl")
        func refusal(_ arguments: String...) async throws -> (status: Int32, errors: String) {
            let outcome = try await scene.client.run(
                ["data", "publish", scene.path("web.yaml"), "demo/web"] + arguments
            )
            return (outcome.status, outcome.errors)
        }
        let none = try await refusal()
        #expect(none.status == 4 && none.errors.contains("has no run"))
        try await scene.run()
        let run = scene.path("out/run.json")
        let record = try String(contentsOfFile: run, encoding: .utf8)

        // What a run that was killed leaves behind.
        guard case .object(let members) = try JSON(parsing: Array(record.utf8)) else { return }
        try scene.write("out/run.json", JSON.object(members.filter { $0.key != "finished" }).text)
        let unfinished = try await refusal()
        #expect(unfinished.status == 5 && unfinished.errors.contains("not finished"))
        try scene.write("out/run.json", record)

        let lock = open(scene.path("out/work/lock"), O_RDWR)
        try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        let held = try await refusal()
        #expect(held.status == 5 && held.errors.contains("at work"))
        close(lock)

        let part = scene.path("out/data/part-000001.jsonl")
        let bytes = try String(contentsOfFile: part, encoding: .utf8)
        try scene.write("out/data/part-000001.jsonl", bytes.replacing("river", with: "lake!"))
        let changed = try await refusal()
        #expect(changed.status == 5 && changed.errors.contains("part-000001.jsonl has changed"))
        try scene.write("out/data/part-000001.jsonl", bytes)

        let source = try String(contentsOfFile: scene.path("in/crawl-1.jsonl"), encoding: .utf8)
        try scene.write("in/crawl-1.jsonl", source + Self.line("late", 500))
        let later = try await refusal()
        #expect(later.status == 5 && later.errors.contains("crawl-1.jsonl has changed"))
        try scene.write("in/crawl-1.jsonl", source)
        try scene.write("in/crawl-3.jsonl", Self.line("late", 500))
        #expect(try await refusal().status == 5)
        try FileManager.default.removeItem(atPath: scene.path("in/crawl-3.jsonl"))

        let yaml = try String(contentsOfFile: scene.path("web.yaml"), encoding: .utf8)
        try scene.write("web.yaml", yaml.replacing("action: mask", with: "action: drop"))
        let edited = try await refusal()
        #expect(edited.status == 5 && edited.errors.contains("other sources or operators"))
        try scene.write("web.yaml", yaml)
        #expect(try await refusal("--revision", "a..b").status == 2)
        #expect(try await scene.publish("demo/web")["new"] == .bool(true))
    }

    /// Files of which the point has some when so many bytes have passed.
    private static func slow(_ scene: Scene) throws {
        var chance = SystemRandomNumberGenerator()
        for file in 0..<12 {
            var text = ""
            for record in 0..<20 {
                let noise = (0..<400).map { _ in String(UInt64.random(in: 0 ... .max, using: &chance), radix: 36) }
                text += #"{"id":"\#(file)-\#(record)","text":"\#(noise.joined(separator: " "))"}"# + "\n"
            }
            try scene.write("in/\(file).jsonl", text)
        }
        try scene.write(
            "web.yaml",
            """
            name: web
            sources: [{name: all, files: [in/*.jsonl]}]
            output: {folder: out, format: jsonl}

            """
        )
    }

    @Test("killed or interrupted in the middle nothing is committed, and a repetition sends only what is missing")
    func interrupted() async throws {
        let scene = try await Scene()
        try Self.slow(scene)
        try await scene.run()
        let parts = try FileManager.default.contentsOfDirectory(atPath: scene.path("out/data")).count
        try #require(parts == 12)
        let line = try Line(to: scene.point.port)
        defer { line.close() }
        func begin(_ log: String) throws -> Program {
            try Program(
                ["data", "publish", scene.path("web.yaml"), "demo/web", "--json"],
                log: scene.url.appendingPathComponent(log),
                environment: [
                    "ONEPOINT_URL": "http://127.0.0.1:\(line.port)", "ONEPOINT_TOKEN": scene.point.token,
                    "XDG_CONFIG_HOME": scene.path("client"),
                ]
            )
        }
        // Each file has about 0.1 MB: four are under way at a time.
        line.allow(.up, 600 << 10)
        let first = try begin("first.log")
        try await eventually("the line to be full", tail: { first.output }) { line.isStalled(.up) }
        await first.kill()
        #expect(try await scene.tree("demo/web").keys.allSatisfy { !$0.hasPrefix("data/") })

        line.allow(.up, line.bytes(.up) + 512 << 10)
        let second = try begin("second.log")
        try await eventually("the line to be full again", tail: { second.output }) { line.isStalled(.up) }
        #expect(await second.interrupt() == 130)
        #expect(second.output.contains("the same command sends the rest"), "\(second.output)")
        #expect(try await scene.commits("demo/web").count == 1)

        line.allow(.up, .max)
        let last = try await scene.publish("demo/web")
        let sent = try #require(last["files_sent"]?.integerValue)
        // All parts and the decisions of each, without those that had come.
        #expect(sent > 0 && sent < 24)
        #expect(try await scene.commits("demo/web").count == 2)
        #expect(try await scene.tree("demo/web").keys.filter { $0.hasPrefix("data/part-") }.count == 12)
    }

    @Test("a pipeline reads revisions of the repository, and its release names their commits")
    func fromRepository() async throws {
        let scene = try await Scene()
        try Self.fill(scene, format: "jsonl.zst")
        try await scene.run()
        let first = try #require(try await scene.publish("demo/web")["revision"]?.stringValue)
        try scene.write(
            "next.yaml",
            """
            name: next
            sources: [{name: web, repository: datasets/demo/web, files: ["data/part-*"]}]
            output: {folder: next, format: jsonl}

            """
        )
        let early = try await scene.data("status", scene.path("next.yaml"))
        #expect(early.status == 4 && early.errors.contains("onepoint data run"))
        let run = try await scene.data("run", scene.path("next.yaml"), "--json")
        try #require(run.status == 0, "\(run.errors)")
        #expect(try JSON(parsing: Array(run.output.utf8))["written"]?["count"] == .integer(79))
        let published = try await scene.client.run(
            "data",
            "publish",
            scene.path("next.yaml"),
            "demo/next",
            "--json"
        )
        try #require(published.status == 0, "\(published.errors)")
        let outcome = try await scene.client.run("lineage", "datasets/demo/next", "--json")
        let view: LineageView = try WireJSON.decode(from: Array(outcome.output.utf8))
        let source = try #require(view.release?.lineage.sources.first)
        #expect(source.repository == "datasets/demo/web" && source.revision == first)
        #expect(view.release?.repositories.keys.sorted() == ["datasets/demo/web"])
        #expect(view.release?.lineage.files?.first?.path == "data/part-000000.jsonl.zst")
        // And the revision knows its release.
        let back = try await scene.client.run("lineage", "datasets/demo/web", "--json")
        let uses: LineageView = try WireJSON.decode(from: Array(back.output.utf8))
        #expect(uses.releases.map(\.path) == ["datasets/demo/next"])
        let spoken = try await scene.client.run("lineage", "datasets/demo/web")
        #expect(spoken.status == 0 && spoken.output.contains("datasets/demo/next"), "\(spoken)")
        let parts = try FileManager.default.contentsOfDirectory(atPath: scene.path("next/data")).sorted()

        // As in a job, whose inputs are there already; the commit is the one that the pipeline names.
        try scene.write(
            "job.yaml",
            try String(contentsOfFile: scene.path("next.yaml"), encoding: .utf8)
                .replacing("datasets/demo/web,", with: "datasets/demo/web, revision: \(first),")
                .replacing("folder: next", with: "folder: job")
        )
        let folder = scene.path("next/work/repositories/datasets/demo/web/\(first)")
        let brought = try await scene.data("run", scene.path("job.yaml"), "--source", "web=\(folder)")
        try #require(brought.status == 0, "\(brought.errors)")
        for name in parts {
            let (one, other) = (scene.path("next/data/\(name)"), scene.path("job/data/\(name)"))
            #expect(FileManager.default.contents(atPath: one) == FileManager.default.contents(atPath: other))
        }

        // The branch has moved: the next run is of the new commit.
        try scene.write("in/crawl-0.jsonl", Self.line("new", 999))
        try await scene.run()
        _ = try await scene.publish("demo/web")
        let again = try await scene.data("run", scene.path("next.yaml"), "--json")
        #expect(try JSON(parsing: Array(again.output.utf8))["written"]?["count"] == .integer(62))
        let absent = try await scene.data("run", scene.path("web.yaml"), "--source", "crawl=\(folder)")
        #expect(absent.status == 2)
    }
}
