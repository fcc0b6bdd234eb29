import Core
import Curation
import Foundation
import Glibc
import Testing

@testable import Corpora

@Suite("a crawl")
struct CrawlTests {
    /// A line of a crawl's collection record.
    private struct Collected: Decodable {
        var url: String
        var time: Instant
        var purpose: String
        var outcome: String
        var status: Int?
        var sha256: String?
        var archive: String?
        var truncated: String?
        var noindex: Bool?
        var redirect: String?
        var robots: Robots?

        struct Robots: Decodable {
            var allowed: Bool?
            var line: Int?
            var sha256: String?
            var status: Int?
        }
    }

    private func collected(_ file: CrawlFile) throws -> [Collected] {
        let text = try String(contentsOfFile: file.outputFolder + "/collection.jsonl", encoding: .utf8)
        return try text.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)).decode(Collected.self) }
    }

    /// Every response of the archives in a folder: address and status. Checks every digest and that none is damaged.
    private func archived(_ folder: String) throws -> [(url: String, status: Int)] {
        var found: [(url: String, status: Int)] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + name)))
            var reader = WARCReader()
            loop: while true {
                let at = reader.offset
                switch reader.step(bytes.span.extracting(at...), isLast: true) {
                case .record:
                    #expect(reader.checkDigest() == .right)
                    if case .response = reader.record.kind {
                        found.append((reader.text(reader.record.targetURI), reader.record.status))
                    }
                case .end: break loop
                case let step:
                    if reader.offset == at {
                        Issue.record("\(name) at \(at): \(step)")
                        break loop
                    }
                }
            }
        }
        return found
    }

    /// Fails unless each host had one request at a time and was left alone for the delay after each.
    private func expectPolite(_ requests: [CrawlSite.Request], _ delays: [String: Double]) {
        for (host, delay) in delays {
            let own = requests.filter { $0.host == host }
            for (before, after) in zip(own, own.dropFirst()) {
                let gap = after.start - before.end
                #expect(gap >= delay - 0.001, "\(host)\(after.path) came \(gap) s after \(before.path)")
            }
        }
    }

    @Test("asks what it may and no more, one at a time, with the delay, and keeps the evidence")
    func isPolite() async throws {
        let site = try await CrawlSite()
        let file = try site.crawl(
            "polite",
            hosts: [1, 2, 4, 5, 6],
            seeds: [
                "127.0.0.1/", "127.0.0.2/", "127.0.0.4/other", "127.0.0.5/", "127.0.0.5/slow", "127.0.0.5/endless",
                "127.0.0.6/six",
            ],
            delay: 0.02,
            "limits: {timeout: 2, body_bytes: 65536, attempts: 2}"
        )
        let record = try await site.run(file, archiveMaxBytes: 4000)
        #expect(record.end == "done" && record.queued == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: file.outputFolder + "/warc").count > 1)
        let requests = try site.requests()
        expectPolite(requests, ["127.0.0.1": 0.05, "127.0.0.2": 0.02, "127.0.0.4": 0.02, "127.0.0.6": 0.02])
        let slow = requests.filter { $0.host == "127.0.0.5" }
        for (before, after) in zip(slow, slow.dropFirst()) { #expect(after.start - before.start >= 0.5) }

        let paths = requests.filter { $0.host == "127.0.0.1" }.map(\.path)
        let once = [
            "/robots.txt", "/index.xml", "/map.xml.gz", "/map.txt", "/", "/mapped?a=1&b=2", "/listed", "/moved",
            "/target", "/away", "/trap", "/private/open", "/gbk", "/%E9%93%BE%E6%8E%A5", "/packed", "/inner", "/closed",
            "/tagged", "/behind", "/missing",
        ]
        for path in once { #expect(paths.count { $0 == path } == 1, "\(path)") }
        #expect(paths.count { $0 == "/busy" } == 2 && paths.count { $0 == "/down" } == 2)
        #expect(paths.count { $0.hasPrefix("/ring") } == 6)
        #expect(paths.count == once.count + 10)
        let busy = requests.filter { $0.path == "/busy" }
        #expect(busy[1].start - busy[0].end >= 1)
        // Rules that fail forbid everything; rules that moved are followed; nobody out of scope is asked.
        #expect(requests.filter { $0.host == "127.0.0.2" }.map(\.path) == ["/robots.txt"])
        #expect(requests.contains { $0.host == "127.0.0.6" && $0.path == "/six" })
        #expect(!requests.contains { $0.host == "127.0.0.9" })
        #expect(requests.allSatisfy { $0.agent == "OnepointTest/1 (Onepoint; +tests@example.org)" })

        let lines = try collected(file)
        func line(_ path: String) throws -> Collected { try #require(lines.last { $0.url.hasSuffix(path) }, "\(path)") }
        for path in ["/private/x", "/private/mapped", "/private/trapped"] {
            let refused = try line(path)
            #expect(refused.outcome == "refused" && refused.robots?.line == 5 && refused.robots?.sha256?.count == 64)
        }
        #expect(try line("/a.pdf").robots?.line == 6)
        #expect(lines.contains { $0.url.contains("127.0.0.2") && $0.outcome == "refused" && $0.robots?.status == 500 })
        #expect(try line("/closed").noindex == true)
        #expect(try line("/endless").truncated == "length")
        #expect(try line("/slow").truncated == "time")
        #expect(try line("/moved").redirect == "http://127.0.0.1:\(site.port)/target")
        #expect(try line("/missing").status == 404)
        #expect(try line("/down").outcome == "postponed")
        #expect(lines.count == requests.count + record.refused)

        let pages = try archived(file.outputFolder + "/warc")
        let evidence = try archived(file.outputFolder + "/evidence")
        #expect(pages.count + evidence.count == requests.count)
        #expect(evidence.count { $0.url.hasSuffix("/robots.txt") } == 5)
        #expect(!pages.contains { $0.url.hasSuffix("/robots.txt") || $0.url.contains("map.") })

        // Run again, there is nothing left to ask; the rules are not even needed.
        let again = try await site.run(file)
        #expect(again.requests == 0 && again.pages == record.pages && again.refused == record.refused)
    }

    @Test("asks an earlier crawl's pages only for what has changed, and still finds what is behind them")
    func asksAgain() async throws {
        let site = try await CrawlSite()
        let first = try site.crawl("first", hosts: [1], seeds: ["127.0.0.1/tagged"], delay: 0)
        _ = try await site.run(first)
        let count = try site.requests().count
        let second = try site.crawl("second", hosts: [1], seeds: ["127.0.0.1/tagged"], delay: 0, "previous: first")
        let record = try await site.run(second)
        #expect(record.unchanged == 1)
        let requests = try site.requests().dropFirst(count)
        let asked = try #require(requests.first { $0.path == "/tagged" })
        #expect(asked.status == 304 && asked.ifNoneMatch == "\"v1\"")
        #expect(asked.ifModifiedSince == "Sat, 31 Jan 2026 10:00:00 GMT")
        #expect(requests.contains { $0.path == "/behind" && $0.ifNoneMatch.isEmpty })
        // And once more from the second, which never had the body itself.
        let third = try site.crawl("third", hosts: [1], seeds: ["127.0.0.1/tagged"], delay: 0, "previous: second")
        #expect(try await site.run(third).unchanged == 1)
    }

    @Test("a private address is refused unless the file names its host, whatever the name")
    func privateAddresses() async throws {
        let site = try await CrawlSite()
        let path = site.folder + "/private.yaml"
        let yaml = """
            {name: private, product: OnepointTest, contact: a@b, output: private, delay: 0, limits: {attempts: 1},
            seeds: ['http://127.0.0.4:\(site.port)/', 'http://localhost:\(site.port)/', 'http://[::ffff:127.0.0.4]:\(site.port)/']}
            """
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        let file = try CrawlFile(path)
        let record = try await site.run(file)
        #expect(record.pages == 0 && record.refused == 3)
        #expect(try site.requests().isEmpty)
        #expect(
            try collected(file).filter { $0.purpose == "robots" }.allSatisfy {
                ["private_address", "unresolved"].contains($0.outcome)
            }
        )
    }

    @Test("cancelled, it ends cleanly and goes on where it was")
    func isCancelled() async throws {
        let site = try await CrawlSite()
        let file = try site.crawl("cancelled", hosts: [4, 5], seeds: ["127.0.0.4/p0", "127.0.0.5/slow"], delay: 0.01)
        let task = Task { try await site.run(file) }
        try await CrawlSite.eventually("some pages") { ((try? site.requests()) ?? []).count > 6 }
        task.cancel()
        let first = try await task.value
        #expect(first.end == "interrupted")
        #expect(try archived(file.outputFolder + "/warc").count == first.pages)
        let rest = try site.crawl(
            "cancelled",
            hosts: [4, 5],
            seeds: ["127.0.0.4/p0", "127.0.0.5/slow"],
            delay: 0.01,
            "limits: {timeout: 1}"
        )
        let record = try await site.run(rest)
        #expect(record.end == "done" && record.pages == 25)
    }

    @Test("killed at any moment, it loses no more than what was under way, and asks nothing else twice")
    func isKilled() async throws {
        let site = try await CrawlSite()
        let file = try site.crawl("killed", hosts: [4], seeds: ["127.0.0.4/p0"], delay: 0.01)
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        let probe = String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)]) + "/CrawlCrashProbe"
        var kills = 0
        for round in 0..<3 {
            let child = try #require(CrawlSite.launch([probe, file.path], output: site.folder + "/said"), "no probe")
            let enough = (round + 1) * 6
            try await CrawlSite.eventually("\(enough) requests") { ((try? site.requests()) ?? []).count >= enough }
            kill(child, SIGKILL)
            CrawlSite.wait(for: child)
            kills += 1
        }
        let record = try await site.run(file)
        #expect(record.end == "done" && record.pages == 24)
        let pages = try archived(file.outputFolder + "/warc")
        #expect(pages.count == 24 && Set(pages.map(\.url)).count == 24)
        #expect(try collected(file).filter { $0.purpose == "page" }.count == 24)
        // One request at a time to the only host: a kill can cost one page, and every start asks for the rules.
        let asked = try site.requests().filter { $0.path != "/robots.txt" }
        #expect(asked.count <= 24 + kills)

        // A journal that lost its end with the power takes the archives and the collection record back with it.
        let journal = file.outputFolder + "/work/journal.jsonl"
        let whole = try Data(contentsOf: URL(filePath: journal))
        for cut in [1, 700, 5000] {
            try whole.dropLast(cut).write(to: URL(filePath: journal))
            let mended = try await site.run(file, archiveMaxBytes: 4000)
            #expect(mended.end == "done" && mended.pages == 24)
            let pages = try archived(file.outputFolder + "/warc")
            #expect(pages.count == 24 && Set(pages.map(\.url)).count == 24)
            #expect(try collected(file).filter { $0.purpose == "page" }.count == 24)
        }
    }

    @Test("a file's faults are told all at once, with their lines")
    func faults() throws {
        let path = NSTemporaryDirectory() + "onepoint-crawl-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let yaml = """
            name: x
            product: Bot/1.0
            contact: nobody
            seeds: [ftp://a]
            scope: {hosts: [{name: '*.a', allow_private: true}]}
            delay: -1
            speed: 9
            """
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        let failure = #expect(throws: Failure.self) { try CrawlFile(path) }
        #expect(
            Set(failure?.violations.map(\.pointer) ?? []) == [
                "/product", "/contact", "/seeds/0", "/scope/hosts/0/allow_private", "/delay", "/speed", "/output",
            ]
        )
    }
}
