import Core
import Testing

@testable import Curation

@Suite("crawl frontier")
struct CrawlFrontierTests {
    private let start = Instant(milliseconds: 1_000_000)

    private func policy(_ hosts: [String] = ["a", "b", "*.c"]) -> CrawlPolicy {
        var policy = CrawlPolicy(product: "OnepointTest", hosts: hosts)
        policy.delayMin = .seconds(1)
        return policy
    }

    private func entry(_ text: String, _ purpose: CrawlEntry.Purpose = .page, depth: Int = 0) throws -> CrawlEntry {
        CrawlEntry(try #require(WebURL(text)), purpose: purpose, depth: depth)
    }

    private func rules(_ text: String) -> CrawlOutcome {
        .robots(RobotsAnswer(status: 200, body: Array(text.utf8).span, product: "OnepointTest"))
    }

    /// Runs to the end on a clock that moves only when nothing else can be done; tells what was asked, in order.
    private func drain(
        _ frontier: inout CrawlFrontier,
        from start: Instant,
        answer: (CrawlEntry) -> CrawlOutcome
    ) -> (asked: [String], refused: [String], end: CrawlFrontier.End?) {
        var now = start
        var asked: [String] = []
        var refused: [String] = []
        for _ in 0..<10_000 {
            switch frontier.next(at: now) {
            case .fetch(let entry):
                asked.append(entry.url.text)
                frontier.finish(entry, answer(entry), at: now)
            case .refuse(let entry, _): refused.append(entry.url.text)
            case .wait(let until): now = until
            case .busy: return (asked, refused, nil)
            case .finished(let end): return (asked, refused, end)
            }
        }
        return (asked, refused, nil)
    }

    @Test("rules come first, then sitemaps, seeds and links by depth; what is forbidden is not asked")
    func order() throws {
        var frontier = CrawlFrontier(policy: policy())
        for (text, depth) in [("http://a/deep", 2), ("http://a/link", 1), ("http://a/seed", 0), ("http://a/no", 0)] {
            #expect(frontier.add(try entry(text, depth: depth)) == .queued)
        }
        #expect(frontier.add(try entry("http://a/map", .sitemap)) == .queued)
        let run = drain(&frontier, from: start) { entry in
            if case .robots = entry.purpose { rules("user-agent: *\ndisallow: /no") } else { .settled(bytes: 1) }
        }
        #expect(
            run.asked == ["http://a/robots.txt", "http://a/map", "http://a/seed", "http://a/link", "http://a/deep"]
        )
        #expect(run.refused == ["http://a/no"] && run.end == .done)
        #expect(frontier.tally == .init(queued: 0, pages: 3, bytes: 3, refused: 1))
    }

    @Test("what is known, out of scope, too deep or too much is not queued")
    func admission() throws {
        var policy = policy()
        policy.pathPrefixes = ["/in"]
        policy.depthMax = 1
        policy.queuedMax = 2
        var frontier = CrawlFrontier(policy: policy)
        #expect(frontier.add(try entry("http://a/in/1")) == .queued)
        #expect(frontier.add(try entry("http://A:80/in/./1#x")) == .seen)
        #expect(frontier.add(try entry("http://a/out")) == .scope)
        #expect(frontier.add(try entry("http://c/in")) == .scope)
        #expect(frontier.add(try entry("http://d.evil-c/in")) == .scope)
        #expect(frontier.add(try entry("http://a/in/2", depth: 2)) == .depth)
        var moved = try entry("http://a/in/3")
        moved.redirects = 6
        #expect(frontier.add(moved) == .redirects)
        #expect(frontier.add(try entry("http://d.c/in")) == .queued)
        #expect(frontier.add(try entry("http://a/in/4")) == .full)
    }

    @Test("one request at a time for a host, the larger of both delays after its end, other hosts meanwhile")
    func pace() throws {
        var frontier = CrawlFrontier(policy: policy())
        for text in ["http://a/1", "http://a/2", "http://b/1"] { frontier.add(try entry(text)) }
        let robots = try entry("http://a/robots.txt", .robots(origin: "http://a"))
        #expect(frontier.next(at: start) == .fetch(robots))
        guard case .fetch(let other) = frontier.next(at: start) else { return #expect(Bool(false)) }
        #expect(other.url.host == "b")
        #expect(frontier.next(at: start) == .busy)
        frontier.finish(robots, rules("user-agent: *\ncrawl-delay: 7"), at: start + .seconds(5))
        #expect(frontier.next(at: start + .seconds(5)) == .wait(until: start + .seconds(12)))
        guard case .fetch(let first) = frontier.next(at: start + .seconds(12)) else { return #expect(Bool(false)) }
        #expect(first.url.text == "http://a/1")
        #expect(frontier.next(at: start + .seconds(100)) == .busy)
        frontier.finish(first, .settled(bytes: 0), at: start + .seconds(20))
        #expect(frontier.next(at: start + .seconds(20)) == .wait(until: start + .seconds(27)))
    }

    @Test("a busy host is asked again when it said, ahead of its other pages, and not for ever")
    func backOff() throws {
        var frontier = CrawlFrontier(policy: policy())
        for text in ["http://a/1", "http://a/2"] { frontier.add(try entry(text)) }
        var times: [String: [Int64]] = [:]
        var now = start
        loop: while true {
            switch frontier.next(at: now) {
            case .fetch(let entry):
                times[entry.url.path, default: []].append((now - start).milliseconds / 1000)
                if case .robots = entry.purpose {
                    frontier.finish(entry, .robots(.rules(.allowingAll)), at: now)
                } else if entry.url.path == "/1" {
                    frontier.finish(entry, .postponed(retryAfter: .seconds(30)), at: now)
                } else {
                    frontier.finish(entry, .unreachable, at: now)
                }
            case .wait(let until): now = until
            case .refuse, .busy: break loop
            case .finished(let end):
                #expect(end == .done)
                break loop
            }
        }
        // Three failures double the pause up to 8 seconds, below what the host asked; the fourth to the sixth go on.
        #expect(times == ["/robots.txt": [0], "/1": [1, 31, 61], "/2": [91, 107, 139]])
        #expect(frontier.tally.queued == 0)
    }

    @Test("rules that cannot be had forbid everything; redirects of them are followed five times, to other hosts too")
    func rulesOutOfReach() throws {
        var frontier = CrawlFrontier(policy: policy())
        for text in ["http://a/1", "http://b/1", "http://x.c/1"] { frontier.add(try entry(text)) }
        let run = drain(&frontier, from: start) { entry in
            guard case .robots(let origin) = entry.purpose else { return .settled(bytes: 0) }
            switch origin {
            case "http://a": return .unreachable
            case "http://b": return .robots(.redirect(entry.url.resolving("/r\(entry.redirects)")))
            default:
                return entry.redirects == 0
                    ? .robots(.redirect(WebURL("http://elsewhere/robots.txt"))) : rules("user-agent: *\nallow: /")
            }
        }
        #expect(run.refused.sorted() == ["http://a/1", "http://b/1"] && run.end == .done)
        #expect(run.asked.filter { $0.hasPrefix("http://a/") }.count == 3)
        #expect(run.asked.filter { $0.hasPrefix("http://b/") }.count == 6)
        #expect(run.asked.last == "http://x.c/1" || run.asked.contains("http://x.c/1"))
    }

    @Test("rules are asked for again after a day, and limits of pages and bytes end a crawl")
    func ages() throws {
        var frontier = CrawlFrontier(policy: policy())
        func answer(_ entry: CrawlEntry) -> CrawlOutcome {
            if case .robots = entry.purpose { .robots(.rules(.allowingAll)) } else { .settled(bytes: 10) }
        }
        frontier.add(try entry("http://a/1"))
        _ = drain(&frontier, from: start, answer: answer)
        frontier.add(try entry("http://a/2"))
        let soon = drain(&frontier, from: start + .seconds(86_000), answer: answer)
        #expect(soon.asked == ["http://a/2"])
        frontier.add(try entry("http://a/3"))
        let late = drain(&frontier, from: start + .seconds(86_401), answer: answer)
        #expect(late.asked == ["http://a/robots.txt", "http://a/3"])

        for (change, end, asked) in [
            ({ $0.pagesMax = 3 }, CrawlFrontier.End.pages, 3), ({ $0.bytesMax = 15 }, .bytes, 2),
            ({ $0.hostPagesMax = 2 }, .done, 4),
        ] as [((inout CrawlPolicy) -> Void, CrawlFrontier.End, Int)] {
            var policy = policy()
            change(&policy)
            var frontier = CrawlFrontier(policy: policy)
            for number in 0..<9 { frontier.add(try entry("http://a/\(number)")) }
            for number in 0..<2 { frontier.add(try entry("http://b/\(number)")) }
            let run = drain(&frontier, from: start, answer: answer)
            #expect(run.end == end && run.asked.filter { !$0.hasSuffix("robots.txt") }.count == asked)
        }
    }

    @Test("events told again after a restart leave exactly what was not asked, whenever it stopped")
    func resumes() throws {
        var random = DuplicateRandom.ofTests(2)
        for _ in 0..<20 {
            let names = (0..<30).map { "http://\(["a", "b", "x.c"][$0 % 3])/\($0)" }
            var whole = CrawlFrontier(policy: policy())
            for name in names { whole.add(try entry(name)) }
            func answer(_ entry: CrawlEntry) -> CrawlOutcome {
                if case .robots = entry.purpose { .robots(.rules(.allowingAll)) } else { .settled(bytes: 1) }
            }
            let asked = drain(&whole, from: start, answer: answer).asked.filter { !$0.hasSuffix("robots.txt") }
            let stop = Int.random(in: 0...asked.count, using: &random)
            var again = CrawlFrontier(policy: policy())
            for name in names { again.add(try entry(name)) }
            for name in asked[..<stop] { again.settle(try entry(name), bytes: 1) }
            again.rest("a", until: start + .seconds(50))
            let rest = drain(&again, from: start, answer: answer).asked.filter { !$0.hasSuffix("robots.txt") }
            #expect(rest.sorted() == asked[stop...].sorted())
            #expect(again.tally == whole.tally)
        }
    }
}
