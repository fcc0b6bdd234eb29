import ArgumentParser
import Core
import Corpora
import Glibc
import UnixSignals

/// `onepoint data crawl`.
struct DataCrawlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crawl",
        abstract: "Collect pages from the web, politely, with evidence.",
        discussion: """
            A crawl is a YAML file: a name, a product token and a contact that sites see, seeds or sitemaps, a scope, \
            limits, a delay and an output folder. Nothing is asked that robots.txt forbids or that it cannot be asked \
            about; a host gets one request at a time, and after each is left alone for the delay, or for longer when it \
            says so. Addresses of private networks are refused unless the scope names the host with allow_private.

            The output folder gets pages in warc/, robots.txt and sitemaps in evidence/, and collection.jsonl with a line \
            for every request: when, by which copy of robots.txt, what came. Interrupted or killed, it goes on when it is \
            run again. Sites are trusted by the system's certificates, or by those of the PEM file that SSL_CERT_FILE \
            names. With 'previous' it asks an earlier crawl's pages only for what has changed.

            Example:
              name: handbook
              product: ExampleBot
              contact: crawl@example.com
              seeds: [https://example.com/handbook/]
              scope: {hosts: [example.com], paths: [/handbook/]}
              limits: {pages: 1000}
              delay: 2
              output: handbook
            """
    )

    @Argument(help: "The crawl's file.", completion: .file(extensions: ["yaml", "yml"])) var crawl: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        var crawlRun = CrawlRun(try CrawlFile(crawl), runtime: SystemRuntime()) { Assembly.now() }
        // As OpenSSL and curl read it: instead of the system's certificates, not beside them.
        if let path = getenv("SSL_CERT_FILE").map({ String(cString: $0) }), !path.isEmpty {
            crawlRun.trustedRoots = path
        }
        let run = crawlRun
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let record = try await withThrowingTaskGroup(of: CrawlRecord?.self) { group in
            group.addTask { try await run.run { ProgressLine.show($0.progressText) } }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            var record: CrawlRecord?
            while record == nil, let next = try await group.next() {
                record = next
                // The signal came first: the crawl ends what is under way and tells how far it got.
                if next == nil { group.cancelAll() }
            }
            group.cancelAll()
            return record
        }
        ProgressLine.clear()
        guard let record else { return }
        print(json ? try JSON(encoding: record).text : record.text)
        if record.end == "interrupted" { throw ExitCode(130) }
    }
}

extension CrawlRecord {
    fileprivate var progressText: String {
        "\(pages) pages, \(byteText(bytes)), \(queued) waiting, \(refused) forbidden, \(failed) failed"
    }

    fileprivate var text: String {
        let how =
            switch end {
            case "done": "everything in its scope was asked for"
            case "pages": "it reached its limit of pages"
            case "bytes": "it reached its limit of bytes"
            default: "it was interrupted; run it again and it goes on"
            }
        let rows = [
            ["", "COUNT"], ["pages", "\(pages)"], ["bytes", byteText(bytes)], ["waiting", "\(queued)"],
            ["forbidden by robots.txt", "\(refused)"], ["requests of this run", "\(requests)"],
            ["  unchanged", "\(unchanged)"], ["  asked to wait", "\(postponed)"], ["  without an answer", "\(failed)"],
        ]
        return "crawl \(crawl): \(how)\n" + aligned(rows)
    }
}
