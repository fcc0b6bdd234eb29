import Core
import Foundation
import Testing
import Wire

/// The console in a real browser, against a real point.
@Suite(.serialized)
struct ConsoleBrowserTests {
    /// Debian's Chromium.
    static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(
        "every page renders in Chromium, in both languages, without an error in its console",
        .enabled(if: browser != nil)
    )
    func pages() async throws {
        let browser = try #require(Self.browser)
        let point = try await PointUnderTest()
        let view = try await point.submit(
            """
            {"workflow": "w", "jobs": [{"name": "first", "command": ["/bin/echo", "<b>not bold</b>"], "outputs": []},
             {"name": "second", "command": ["/bin/true"], "after": ["first"]}]}
            """
        )
        let workflow: WorkflowView = try await eventually("the workflow to end") {
            let workflow: WorkflowView = try await point.call("GET", "/v1/workflows/\(try #require(view.workflow))")
                .decode()
            return workflow.state.isTerminal ? workflow : nil
        }
        let job = try #require(workflow.nodes.first?.job)
        let failed = try #require(try await point.submit(#"{"name": "f", "command": ["/bin/false"]}"#).job)
        _ = try await point.end(of: failed)
        func submitLarge(_ command: String) async throws -> JobID {
            let document = #"{"name": "w", "command": \#(command), "resources": {"cores": 16, "memory": "64MiB"}}"#
            return try #require(try await point.submit(document).job)
        }
        let running = try await submitLarge(#"["/bin/sleep", "30"]"#)
        try await eventually("the first to run") { try await point.job(running).summary.startedAt != nil }
        let waiting = try await submitLarge(#"["/bin/true"]"#)
        _ = try await point.log(of: job)
        let profile = point.folder.appendingPathComponent("profile").path
        let paths = [
            "/console", "/console/jobs", "/console/jobs/\(job)", "/console/jobs/\(failed)", "/console/jobs/\(running)",
            "/console/jobs/\(waiting)",
            "/console/workflows",
            "/console/workflows/\(workflow.workflow)", "/console/centres", "/console/centres/hub-1", "/console/ledger",
            "/console/projects", "/console/tokens", "/console/submit",
        ]
        for path in paths {
            for language in ["en", "zh"] {
                // Pages are fetched with the session's cookie and handed to the browser as files: it takes no header.
                let page = try await point.call(
                    "GET",
                    path,
                    headers: ["Cookie": "onepoint_session=\(point.token)", "Accept-Language": language]
                )
                #expect(page.status == 200, "\(path) \(language)")
                let html = String(decoding: page.body, as: UTF8.self)
                #expect(html.contains("lang=\"\(language)"), "\(path) is not in \(language)")
                if language == "zh" {
                    let rest = html.firstMatch(of: /<span lang="en">[^<]*/)
                    #expect(rest == nil, "\(path) says in English: \(rest.map { String($0.output) } ?? "")")
                }
                #expect(!html.contains("<b>not bold</b>"), "what a job prints is never markup")
                let file = point.folder.appendingPathComponent("page.html")
                try html.replacingOccurrences(of: "\"/console/assets/", with: "\"\(point.url)/console/assets/")
                    .write(to: file, atomically: true, encoding: .utf8)
                let dump = try await Self.dumpDOM(browser, profile, "file://\(file.path)", point.folder)
                #expect(dump.contains("<h1"), "\(path) \(language): \(dump.prefix(500))")
            }
        }
        let style = try #require(
            String(decoding: try await point.call("GET", "/console/login").body, as: UTF8.self)
                .firstMatch(of: /\/console\/assets\/[^"]+\.css/)?.output
        )
        #expect(try await point.call("GET", String(style)).status == 200)
    }

    static func dumpDOM(_ browser: String, _ profile: String, _ url: String, _ folder: URL) async throws -> String {
        let out = folder.appendingPathComponent("dom-\(UUID())")
        _ = FileManager.default.createFile(atPath: out.path, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: browser)
        process.arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=\(profile)",
            "--virtual-time-budget=2000", "--dump-dom", url,
        ]
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = FileHandle.nullDevice
        try process.run()
        await process.end()
        return try String(contentsOf: out, encoding: .utf8)
    }
}
