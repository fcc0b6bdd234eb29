import AsyncHTTPClient
import Core
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import Wire

/// From a pipeline on somebody's machine to verdicts in the console, and back into the audit.
@Suite(.serialized)
struct TrainingTests {
    /// A run of the real pipeline, published to a point as its layout says.
    private final class Release: Sendable {
        let folder: URL
        let point: PointUnderTest
        let line: CommandLineUnderTest

        init(_ point: PointUnderTest) throws {
            self.point = point
            line = CommandLineUnderTest(point: point)
            folder = point.folder.appendingPathComponent("training")
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("in"),
                withIntermediateDirectories: true
            )
        }

        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }

        func run(_ arguments: String..., status: Int32 = 0) async throws -> String {
            let outcome = try await line.run(["data"] + arguments)
            try #require(outcome.status == status, "\(arguments): \(outcome.output) \(outcome.errors)")
            return outcome.output
        }

        /// The files of a release, by their paths in its revision.
        func files(withPack: Bool) throws -> [String: Data] {
            var files = ["README.md": Data("---\nlicense: cc-by-4.0\n---\n# Museum\n".utf8)]
            func add(_ folder: String, as prefix: String) throws {
                let url = self.folder.appendingPathComponent(folder)
                for case let file as String in try #require(FileManager.default.enumerator(atPath: url.path)) {
                    var isFolder: ObjCBool = false
                    let full = url.appendingPathComponent(file)
                    guard FileManager.default.fileExists(atPath: full.path, isDirectory: &isFolder),
                        !isFolder.boolValue,
                        !file.hasSuffix(".lock")
                    else { continue }
                    files["\(prefix)/\(file)"] = try Data(contentsOf: full)
                }
            }
            try add("out/data", as: "data")
            try add("out/samples", as: "governance/samples")
            try add("sources", as: "governance/sources")
            if withPack { try add("pack", as: "governance/pack") }
            for name in ["run.json", "blocks.jsonl"] {
                files["governance/\(name)"] = try Data(contentsOf: folder.appendingPathComponent("out/\(name)"))
            }
            files["governance/pipeline.yaml"] = try Data(contentsOf: folder.appendingPathComponent("web.yaml"))
            let blocks = folder.appendingPathComponent("out/work/blocks")
            for case let file as String in try #require(FileManager.default.enumerator(atPath: blocks.path))
            where file.hasSuffix("decisions.jsonl.zst") {
                let key = file.split(separator: "/")[1]
                files["governance/decisions/\(key).jsonl.zst"] = try Data(
                    contentsOf: blocks.appendingPathComponent(file)
                )
            }
            let sample = try JSON(parsing: try #require(files["governance/samples/spot-check.json"]))
            let root = try #require(sample["draw"]?["root"]?.stringValue).replacingOccurrences(of: "sha256:", with: "")
            let count = sample["draw"]?["population"]?.integerValue ?? 0
            files["governance/items.json"] = Data(#"{"root":"\#(root)","records":\#(count),"parts":[]}"#.utf8)
            return files
        }

        /// Commits over the Hub's face, as its client does.
        func publish(withPack: Bool) async throws {
            var lines = #"{"key":"header","value":{"summary":"Publish"}}"# + "\n"
            for (path, data) in try files(withPack: withPack).sorted(by: { $0.key < $1.key }) {
                let value = JSON.object([
                    (key: "path", value: .string(path)), (key: "encoding", value: .string("base64")),
                    (key: "content", value: .string(data.base64EncodedString())),
                ])
                lines += JSON.object([(key: "key", value: .string("file")), (key: "value", value: value)]).text + "\n"
            }
            let answer = try await point.call(
                "POST",
                "/api/datasets/demo/museum/commit/main",
                json: lines,
                headers: [:]
            )
            try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        }
    }

    private static let dossier = """
        name: crawl
        title: Pages of the museum
        kind: self_collected
        origin: https://museum.example.org/
        region: domestic
        languages: [zh, en]
        modalities: [text]
        licence: {at_origin: CC-BY-4.0, as_claimed: CC-BY-4.0}
        owner: The museum
        complaints: data@example.org
        records:
          - {kind: collection, title: collection.jsonl, digest: "sha256:\(String(repeating: "ab", count: 32))"}
        robots:
          - {host: museum.example.org, digest: "sha256:\(String(repeating: "cd", count: 32))", fetched_at: 2026-11-01T09:30:00Z, verdict: allowed}
        personal_data: {presence: ordinary, basis: published}
        assessment: {assessor: li, date: 2026-10-30T00:00:00Z}

        """

    private static let release = """
        name: museum
        version: 1.0.0
        description: {zh: "博物馆网页", en: "Pages of the museum"}
        url: https://museum.example.org/corpus
        licence: CC-BY-4.0
        creator: The museum
        published: 2026-11-28T00:00:00Z
        languages: [zh, en]

        """

    private static func prepare(_ release: Release) async throws {
        var lines = ""
        let english =
            "The old stone bridge over the river is quiet in winter, and the teacher of history walks there with his letter about the village market."
        let chinese = "博物馆旁边的石桥在冬天的傍晚十分安静，老师常常带着学生从桥上走过，讲述这座小城的历史和河流的故事。"
        for number in 0..<40 {
            var text = (number.isMultiple(of: 2) ? english : chinese) + " No. \(number): "
            text += (0..<20).map { "word\(($0 * 7 + number * 13) % 97)" }.joined(separator: " ")
            if number % 5 == 0 { text += " write to anna.\(number)@example.org" }
            lines +=
                JSON.object([
                    (key: "id", value: .string("doc-\(number)")), (key: "text", value: .string(text)),
                    (key: "url", value: .string("https://museum.example.org/\(number)")),
                ]).text + "\n"
        }
        lines += #"{"id":"short","text":"Too short."}"# + "\n" + #"{"id":"short-2","text":"ok"}"# + "\n"
        try release.write("in/a.jsonl", lines)
        try FileManager.default.createDirectory(atPath: release.path("sources"), withIntermediateDirectories: true)
        try release.write("sources/crawl.yaml", dossier)
        try release.write("release.yaml", Self.release)
        try release.write(
            "web.yaml",
            """
            name: museum
            sources:
              - {name: crawl, files: [in], dossier: sources/crawl.yaml}
            rules: {sets: [gopher-quality, chinese], thresholds: {gopher-quality/gopher_short_doc: 8}}
            personal: {action: mask}
            output: {folder: out, format: jsonl.zst}

            """
        )
        _ = try await release.run("run", release.path("web.yaml"))
        _ = try await release.run("sample", release.path("web.yaml"), "--size", "5")
    }

    /// A member of `demo` with a token.
    private static func member(_ name: String, _ point: PointUnderTest, role: String = "member") async throws -> String
    {
        let made = try await point.call("POST", "/v1/users", json: #"{"name": "\#(name)"}"#)
        try #require(made.status == 201)
        if !role.isEmpty {
            let set = try await point.call("PUT", "/v1/projects/demo/members/\(name)", json: #"{"role": "\#(role)"}"#)
            try #require((200..<300).contains(set.status), "\(String(decoding: set.body, as: UTF8.self))")
        }
        let token = try await point.call(
            "POST",
            "/v1/tokens",
            json: #"{"user": "\#(name)", "scopes": ["read", "write"], "label": "test"}"#
        )
        return try #require(token.json["secret"]?.stringValue ?? token.json["token"]?.stringValue)
    }

    /// A page of the console by a session's cookie.
    private static func page(
        _ path: String,
        _ token: String,
        _ point: PointUnderTest,
        language: String = "en"
    ) async throws -> (status: Int, html: String) {
        var request = HTTPClientRequest(url: point.url + path)
        request.headers.add(name: "Cookie", value: "onepoint_session=\(token)")
        request.headers.add(name: "Accept-Language", value: language)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 64 << 20)))
    }

    private static func field(_ name: String, in html: String) throws -> String {
        let found = try html.firstMatch(
            of: Regex("name=\"\(name)\" value=\"([^\"]*)\"", as: (Substring, Substring).self)
        )
        return String(try #require(found, "no field \(name)").output.1)
    }

    /// Sends the form that a judging page has.
    private static func judge(
        _ html: String,
        _ verdict: String,
        _ token: String,
        _ point: PointUnderTest,
        formToken: String? = nil,
        risk: String? = nil
    ) async throws -> Int {
        let action = try #require(
            html.firstMatch(of: /method="post" action="([^"]*samples[^"]*)"/),
            "no form to judge"
        ).output.1
        var form = "place=\(try field("place", in: html))&step=\(try field("step", in: html))&verdict=\(verdict)"
        form += "&form_token=\(try formToken ?? field("form_token", in: html))"
        if let risk { form += "&risk=\(risk)" }
        // By the cookie alone, as a browser does; what the answer leads to is fetched too.
        var request = HTTPClientRequest(url: point.url + String(action).replacingOccurrences(of: "&amp;", with: "&"))
        request.method = .POST
        request.headers.add(name: "Cookie", value: "onepoint_session=\(token)")
        request.headers.add(name: "Origin", value: point.url)
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: form))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        _ = try await response.body.collect(upTo: 64 << 20)
        return Int(response.status.code)
    }

    @Test("people judge a published sample in the console, and their verdicts come back into the audit")
    func circle() async throws {
        let point = try await PointUnderTest()
        let release = try Release(point)
        try await Self.prepare(release)
        let made = try await point.call("POST", "/v1/repositories", json: #"{"kind":"dataset","path":"demo/museum"}"#)
        try #require(made.status == 201, "\(String(decoding: made.body, as: UTF8.self))")
        let id = try #require(made.json["summary"]?["repository"]?.stringValue)
        try await release.publish(withPack: false)
        let (li, wang, stranger) = (
            try await Self.member("li", point), try await Self.member("wang", point),
            try await Self.member("stranger", point, role: "")
        )

        // Tenants apart.
        let base = "/console/repositories/\(id)"
        for path in ["/governance", "/samples", "/samples/spot-check", "/document?id=doc-1"] {
            #expect(try await Self.page(base + path, stranger, point).status == 404, "\(path)")
        }
        #expect(try await !Self.page("/console/training", stranger, point).html.contains("demo/museum"))
        #expect(try await Self.page("/console/training", li, point).html.contains("demo/museum"))

        // li judges everything, and is not asked to review it.
        let judging = base + "/samples/spot-check"
        for _ in 0..<5 {
            let html = try await Self.page(judging, li, point).html
            #expect(html.contains("class=\"record-text\""))
            #expect(try await Self.judge(html, "good", li, point) == 200)
        }
        let done = try await Self.page(judging, li, point).html
        #expect(done.contains("Nothing here waits for you") && !done.contains("name=\"verdict\""))
        // A form that the session did not make is refused.
        let first = try await Self.page(judging, wang, point).html
        #expect(try await Self.judge(first, "good", wang, point, formToken: String(repeating: "0", count: 64)) == 403)
        // li cannot take wang's part, whatever form is sent.
        let own = try Self.field("form_token", in: try await Self.page("/console/tokens", li, point).html)
        #expect(try await Self.judge(first, "good", li, point, formToken: own) == 403)
        for _ in 0..<5 {
            let html = try await Self.page(judging, wang, point).html
            #expect(html.contains("name=\"step\" value=\"review\""))
            #expect(try await Self.judge(html, "good", wang, point) == 200)
        }
        let samples = try await point.call("GET", "/v1/repositories/\(id)/samples").json
        #expect(samples.arrayValue?.first?["settled"]?.integerValue == 5, "\(samples.text)")

        // Back into the run.
        let fetched = try await release.run("verdicts", release.path("web.yaml"), "demo/museum")
        #expect(fetched.contains("10 taken, 0 known, 0 refused; 5 of 5 settled, 0 bad"), "\(fetched)")
        let again = try await release.run("verdicts", release.path("web.yaml"), "demo/museum")
        #expect(again.contains("0 taken, 10 known, 0 refused"), "\(again)")
        _ = try await release.run(
            "audit",
            release.path("web.yaml"),
            "--release",
            release.path("release.yaml"),
            "--out",
            release.path("pack")
        )
        try await release.publish(withPack: true)
        let governance = try await Self.page(base + "/governance", wang, point).html
        #expect(governance.contains("are as the manifest says") && governance.contains("are those that the run wrote"))
        #expect(governance.contains("gopher-quality/gopher_short_doc") || governance.contains("chinese/"))
        #expect(
            try await point.call("GET", "/v1/releases").json["items"]?.arrayValue?.first?["has_pack"]?.boolValue == true
        )
        // The same records: what was said stays said.
        let after = try await point.call("GET", "/v1/repositories/\(id)/samples").json
        #expect(after.arrayValue?.first?["settled"]?.integerValue == 5, "\(after.text)")
        let life = try await Self.page(base + "/document?id=doc-2", wang, point).html
        #expect(life.contains("Written as record") && life.contains("in/a.jsonl"), "\(life)")
        let short = try await Self.page(base + "/document?id=short-2", wang, point).html
        #expect(short.contains("Dropped by"), "\(short)")

        // What was tampered with on the way is refused.
        let texts = release.folder.appendingPathComponent("out/samples/spot-check.jsonl")
        try Data(try String(contentsOf: texts, encoding: .utf8).replacingOccurrences(of: "river", with: "rivet").utf8)
            .write(to: texts)
        let refused = try await release.run("verdicts", release.path("web.yaml"), "demo/museum", status: 1)
        #expect(refused.contains("Another text was shown"), "\(refused)")

        let items = try await point.call("GET", "/v1/repositories/\(id)/samples/spot-check/items").json["items"]
        let place = try #require(items?.arrayValue?.first?["place"]?.integerValue)
        try await Self.look(at: base, place, li, point)
    }

    /// Every page in Chromium, in both languages.
    private static func look(at base: String, _ place: Int64, _ token: String, _ point: PointUnderTest) async throws {
        guard let browser = ConsoleBrowserTests.browser else { return }
        let profile = point.folder.appendingPathComponent("profile").path
        let kept = ProcessInfo.processInfo.environment["ONEPOINT_SCREENSHOTS"]
        for (name, path) in [
            ("training", "/console/training"), ("files", base), ("governance", base + "/governance"),
            ("samples", base + "/samples"), ("judge", base + "/samples/spot-check?place=\(place)"),
            ("document", base + "/document?id=doc-2"),
        ] {
            for language in ["en", "zh"] {
                let (status, html) = try await page(path, token, point, language: language)
                #expect(status == 200, "\(path)")
                if language == "zh" {
                    let rest = html.firstMatch(of: /<span lang="en">[^<]*/)
                    #expect(rest == nil, "\(path) says in English: \(rest.map { String($0.output) } ?? "")")
                }
                let file = point.folder.appendingPathComponent("page.html")
                try html.replacingOccurrences(of: "\"/console/assets/", with: "\"\(point.url)/console/assets/")
                    .write(to: file, atomically: true, encoding: .utf8)
                let dump = try await ConsoleBrowserTests.dumpDOM(browser, profile, "file://\(file.path)", point.folder)
                #expect(dump.contains("<h1"), "\(path) \(language): \(dump.prefix(500))")
                if let kept {
                    try html.replacingOccurrences(of: "\"/console/assets/", with: "\"assets/")
                        .write(toFile: "\(kept)/\(name).\(language).html", atomically: true, encoding: .utf8)
                }
            }
        }
    }
}
