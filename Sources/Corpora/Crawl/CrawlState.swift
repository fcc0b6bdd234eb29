import Core
import Curation
import Glibc
import Wire

/// What a crawl knows while it is at work, and the one place where events become records.
final class CrawlState {
    var frontier: CrawlFrontier
    let journal: CrawlJournal
    private var links: LinkReader
    private let file: CrawlFile
    private let now: @Sendable () -> Instant
    private var tally: CrawlRecord
    /// The copy of the rules that each origin's addresses were judged by.
    private var copies: [String: RobotsCopy] = [:]
    /// Of the earlier crawl, by address.
    private var earlier: [String: CrawlLine] = [:]

    /// Evidence for a verdict.
    struct RobotsCopy {
        var time: Instant
        var url: String
        var status: Int?
        var sha256: String?
        var record: String?
    }

    /// What is looked into, unpacked.
    private static let textMaxBytes = Sitemap.bytesMax

    init(_ run: CrawlRun) throws {
        file = run.file
        now = run.now
        frontier = CrawlFrontier(policy: file.policy)
        links = LinkReader(product: file.document.product)
        let folder = file.outputFolder
        let started = now()
        tally = CrawlRecord(crawl: file.document.name, started: started)
        let facts = """
            software: Onepoint\r
            format: WARC File Format 1.1\r
            robots: obey\r
            operator: \(file.document.contact)\r
            http-header-user-agent: \(file.userAgent)\r
            isPartOf: \(file.document.name)\r

            """
        let opened = try CrawlJournal.open(
            folder,
            name: file.document.name,
            facts: facts,
            archiveMaxBytes: run.archiveMaxBytes
        )
        journal = opened.0
        for line in opened.lines { replay(line) }
        if let previous = file.previousFolder {
            try CrawlJournal.read(previous + "/work/" + CrawlJournal.name) { (line, _) throws(Failure) in
                // The latest line that tells of a body, or of one that had not changed, counts.
                let isBody = line.outcome == .unchanged || (line.outcome == .fetched && line.status == 200)
                if let asked = line.asked, isBody {
                    earlier[asked.url] = line
                }
                return true
            }
        }
        // The file may name more than it did in the run before.
        let found = admit(file.seeds)
        if !found.isEmpty { try journal.append(CrawlLine(outcome: .seeds, asked: nil, time: started, found: found)) }
    }

    var record: CrawlRecord {
        var record = tally
        record.pages = frontier.tally.pages
        record.bytes = frontier.tally.bytes
        record.queued = frontier.tally.queued
        record.refused = frontier.tally.refused
        return record
    }

    private func replay(_ line: CrawlLine) {
        for entry in line.found.compactMap(\.entry) { frontier.add(entry) }
        guard let entry = line.asked?.entry else { return }
        if !line.isAgain { frontier.settle(entry, bytes: line.isAnswered ? line.bytes : nil) }
        if line.outcome == .refused { frontier.countRefusal() }
        if let rest = line.rest { frontier.rest(entry.url.host, until: rest) }
    }

    private func admit(_ entries: [CrawlEntry]) -> [CrawlLine.Found] {
        entries.filter { frontier.add($0) == .queued }.map { CrawlLine.Found($0) }
    }

    /// What to ask with the condition that it has changed.
    func known(_ entry: CrawlEntry) -> PageFetcher.Known? {
        guard entry.purpose == .page, let line = earlier[entry.url.text] else { return nil }
        return PageFetcher.Known(entityTag: line.entityTag, lastModified: line.lastModified)
    }

    /// Notes an address that its site's rules forbid.
    func refuse(_ entry: CrawlEntry, _ verdict: RobotsRules.Verdict) throws {
        try journal.collect(collection(entry, now(), "refused", verdict, []))
        try journal.append(CrawlLine(outcome: .refused, asked: .init(entry), time: now()))
    }

    /// Keeps what came and tells the frontier.
    func take(_ exchange: PageFetcher.Exchange) throws {
        tally.requests += 1
        switch exchange.result {
        case .failed(let why): try take(exchange, why)
        case .answered(let answer): try take(exchange, answer)
        }
    }

    private func take(_ exchange: PageFetcher.Exchange, _ why: PageFetcher.Failing) throws {
        let entry = exchange.entry
        // Neither a name without an address nor a forbidden address changes by being asked again.
        let isLasting = why == .privateAddress
        let isAgain = frontier.finish(entry, isLasting ? .settled(bytes: nil) : .unreachable, at: now())
        if !isAgain { tally.failed += 1 }
        if case .robots(let origin) = entry.purpose, !isAgain {
            copies[origin] = RobotsCopy(time: exchange.time, url: entry.url.text)
        }
        try journal.collect(
            collection(entry, exchange.time, why.rawValue, nil, [("attempt", .integer(Int64(entry.attempts + 1)))])
        )
        var line = CrawlLine(outcome: .failed, asked: asked(entry), time: exchange.time, isAgain: isAgain)
        line.rest = frontier.readyAt(entry.url.host)
        try journal.append(line)
    }

    private func asked(_ entry: CrawlEntry) -> CrawlLine.Found? {
        if case .robots = entry.purpose { nil } else { .init(entry) }
    }

    private func take(_ exchange: PageFetcher.Exchange, _ answer: PageFetcher.Answer) throws {
        let entry = exchange.entry
        let kept = try journal.archive(exchange, answer)
        var line = CrawlLine(outcome: .fetched, asked: asked(entry), time: exchange.time)
        let digest = Disk.sha256(answer.body.span).hex
        line.status = answer.status
        line.bytes = answer.body.count
        line.sha256 = digest
        line.record = kept.id
        line.entityTag = answer.field("etag").flatMap { $0.utf8.count <= 256 ? $0 : nil }
        line.lastModified = answer.field("last-modified").flatMap { $0.utf8.count <= 64 ? $0 : nil }
        var facts: [(key: String, value: JSON)] = [
            ("status", .integer(Int64(answer.status))), ("bytes", .integer(Int64(answer.body.count))),
            ("sha256", .string(digest)), ("address", .string(answer.address)), ("archive", .string(kept.file)),
            ("offset", .integer(Int64(kept.offset))), ("record", .string(kept.id)),
        ]
        if let type = answer.field("content-type") { facts.append(("type", .string(type))) }
        if let reason = answer.truncated { facts.append(("truncated", .string(reason))) }
        var found: [CrawlEntry] = []
        var outcome = CrawlOutcome.settled(bytes: answer.body.count)
        if case .robots(let origin) = entry.purpose {
            copies[origin] = RobotsCopy(
                time: exchange.time,
                url: entry.url.text,
                status: answer.status,
                sha256: digest,
                record: kept.id
            )
        }
        let isBusy = answer.status == 429 || answer.status == 503
        if isBusy {
            let time = now()
            outcome = .postponed(retryAfter: answer.field("retry-after").flatMap { RetryAfter.duration($0, at: time) })
            line.outcome = .postponed
            tally.postponed += 1
        } else if case .robots = entry.purpose, answer.status == 200, answer.truncated.map({ $0 != "length" }) == true {
            // Half of the rules are none.
            outcome = .unreachable
            line.outcome = .failed
        } else if case .robots(let origin) = entry.purpose {
            let robots = robots(entry, answer)
            outcome = .robots(robots)
            if case .rules(let rules) = robots, let url = WebURL(origin) {
                found = rules.sitemaps.compactMap { url.resolving($0) }.map { CrawlEntry($0, purpose: .sitemap) }
            }
        } else if let target = redirect(entry, answer) {
            line.outcome = .redirect
            facts.append(("redirect", .string(target.url.text)))
            found = [target]
        } else if answer.status == 304, let before = earlier[entry.url.text] {
            line.outcome = .unchanged
            tally.unchanged += 1
            // It still says what it said, so that the crawl after this one can ask the same way.
            line.entityTag = line.entityTag ?? before.entityTag
            line.lastModified = line.lastModified ?? before.lastModified
            line.sha256 = before.sha256
            line.record = before.record
            if let digest = before.sha256 { facts.append(("unchanged_sha256", .string(digest))) }
            if let record = before.record { facts.append(("unchanged_record", .string(record))) }
            found = before.found.compactMap(\.entry).map { found in
                var found = found
                if found.purpose == .page, entry.purpose == .page { found.depth = entry.depth + 1 }
                return found
            }
        } else if answer.status == 200 {
            found = look(entry, answer, &facts)
        }
        // A page that is left alone now was queued once; what it leads to is as new as before.
        line.found = admit(found)
        line.isAgain = frontier.finish(entry, outcome, at: now())
        line.rest = frontier.readyAt(entry.url.host)
        try journal.collect(collection(entry, exchange.time, line.outcome.rawValue, verdict(entry), facts))
        try journal.append(line)
    }

    private func verdict(_ entry: CrawlEntry) -> RobotsRules.Verdict? { frontier.verdict(entry.url) }

    private func robots(_ entry: CrawlEntry, _ answer: PageFetcher.Answer) -> RobotsAnswer {
        if Self.isRedirect(answer.status) {
            return .redirect(answer.field("location").flatMap { entry.url.resolving($0) })
        }
        let text = decoded(answer)
        return RobotsAnswer(status: answer.status, body: text.span, product: file.document.product)
    }

    private static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    private func redirect(_ entry: CrawlEntry, _ answer: PageFetcher.Answer) -> CrawlEntry? {
        guard Self.isRedirect(answer.status), let url = answer.field("location").flatMap({ entry.url.resolving($0) })
        else { return nil }
        return CrawlEntry(url, purpose: entry.purpose, depth: entry.depth, redirects: entry.redirects + 1)
    }

    /// The body without gzip.
    private func decoded(_ answer: PageFetcher.Answer) -> [UInt8] {
        var text: [UInt8] = []
        let coding = answer.field("content-encoding")?.lowercased() ?? ""
        guard coding.contains("gzip") else { return answer.body }
        var gunzip = Gunzip(cap: ExpansionCap(outputMaxBytes: Self.textMaxBytes, ratioMax: .max))
        var at = 0
        // What could be read of a damaged body was appended, and is looked at as any other.
        while let used = try? gunzip.decompress(
            answer.body.span.extracting(at...),
            isLast: true,
            into: &text,
            outputMax: Self.textMaxBytes
        ) {
            at += used
            if used == 0 || text.count >= Self.textMaxBytes { break }
        }
        return text
    }

    /// Where a page or a sitemap leads.
    private func look(
        _ entry: CrawlEntry,
        _ answer: PageFetcher.Answer,
        _ facts: inout [(key: String, value: JSON)]
    ) -> [CrawlEntry] {
        let text = decoded(answer)
        if entry.purpose == .sitemap {
            let sitemap = Sitemap(text.span)
            if sitemap.isTruncated { facts.append(("sitemap", .string("truncated"))) }
            return sitemap.entries.compactMap { found in
                guard let url = entry.url.resolving(found.location) else { return nil }
                return found.isSitemap
                    ? CrawlEntry(url, purpose: .sitemap, depth: entry.depth + 1) : CrawlEntry(url)
            }
        }
        let type = (answer.field("content-type") ?? "").lowercased()
        var directives = RobotsDirectives()
        for field in answer.fields where field.name.lowercased() == "x-robots-tag" {
            directives.read(Array(field.value.utf8), product: file.document.product)
        }
        var next: [CrawlEntry] = []
        if type.hasPrefix("text/html") || type.hasPrefix("application/xhtml+xml") || type.isEmpty {
            let charset = type.split(separator: ";").lazy.compactMap { part -> String? in
                let part = part.drop { $0 == " " }
                return part.hasPrefix("charset=") ? part.dropFirst(8).filter { $0 != "\"" && $0 != " " } : nil
            }.first
            var page: [UInt8] = []
            _ = Charset.decode(text.span, declared: charset, isHTML: true, into: &page)
            let found = links.read(page.span, at: entry.url)
            if found.directives.isNoIndex { directives.isNoIndex = true }
            if found.directives.isNoFollow { directives.isNoFollow = true }
            if let canonical = found.canonical, canonical != entry.url {
                facts.append(("canonical", .string(canonical.text)))
            }
            if !directives.isNoFollow { next = found.links.map { CrawlEntry($0, depth: entry.depth + 1) } }
        }
        if directives.isNoIndex { facts.append(("noindex", .bool(true))) }
        if directives.isNoFollow { facts.append(("nofollow", .bool(true))) }
        return next
    }

    /// One line of the collection record: what was asked, when, by which permission, and what came.
    private func collection(
        _ entry: CrawlEntry,
        _ time: Instant,
        _ outcome: String,
        _ verdict: RobotsRules.Verdict?,
        _ facts: [(key: String, value: JSON)]
    ) -> JSON {
        var members: [(key: String, value: JSON)] = [
            ("url", .string(entry.url.text)), ("time", .string(time.rfc3339)), ("outcome", .string(outcome)),
        ]
        switch entry.purpose {
        case .page: members.append(("purpose", .string("page")))
        case .sitemap: members.append(("purpose", .string("sitemap")))
        case .robots(let origin):
            members.append(("purpose", .string("robots")))
            members.append(("origin", .string(origin)))
        }
        if case .robots = entry.purpose { return .object(members + facts) }
        var robots: [(key: String, value: JSON)] = []
        if let verdict {
            robots.append(("allowed", .bool(verdict.isAllowed)))
            if let line = verdict.line { robots.append(("line", .integer(Int64(line)))) }
        }
        if let copy = copies[entry.url.origin] {
            robots.append(("url", .string(copy.url)))
            robots.append(("time", .string(copy.time.rfc3339)))
            if let status = copy.status { robots.append(("status", .integer(Int64(status)))) }
            if let digest = copy.sha256 { robots.append(("sha256", .string(digest))) }
            if let record = copy.record { robots.append(("record", .string(record))) }
        }
        members.append(("robots", .object(robots)))
        return .object(members + facts)
    }
}
