public import Core

/// What a crawl has asked, waits to ask and may ask next. Events go in, the next request comes out; no I/O inside.
///
/// One request at a time goes to a host, and after it ends the host is left alone for the larger of the policy's delay
/// and the host's `Crawl-delay`, longer when it is busy. Before anything of an origin is asked its `robots.txt` is, and
/// again after 24 hours. Sitemaps come first, then seeds and pages of sitemaps, then links by depth, each in the order
/// in which they were found. The same events at the same times give the same requests.
///
/// What survives a restart is the events: whoever keeps them calls ``add(_:)`` and ``settle(_:bytes:)`` for each again.
public struct CrawlFrontier: Sendable {
    public enum Step: Sendable, Equatable {
        case fetch(CrawlEntry)
        /// The rules of its origin forbid it. It will not be asked.
        case refuse(CrawlEntry, RobotsRules.Verdict)
        /// Nothing may be asked before then, unless a request ends earlier.
        case wait(until: Instant)
        /// Nothing may be asked before a request ends.
        case busy
        case finished(End)
    }

    public enum End: String, Sendable {
        case done, pages, bytes
    }

    public enum Admission: String, Sendable {
        case queued, seen, scope, depth, redirects, full
    }

    /// How many addresses each stands for.
    public struct Tally: Sendable, Equatable {
        public var queued = 0
        public var pages = 0
        public var bytes = 0
        public var refused = 0
        /// Left out because their host had its share of pages.
        public var beyond = 0
    }

    public let policy: CrawlPolicy
    public private(set) var tally = Tally()
    private var hosts: [Host] = []
    private var hostsByName: [String: Int] = [:]
    private var origins: [String: Origin] = [:]
    private var seen: Set<UInt64> = []
    private var settled: Set<UInt64> = []
    private var requests = 0
    /// Where the search for a host that may be asked begins, so that none of them waits for the others.
    private var turn = 0

    /// How long rules are believed, and how long it is believed that there are none to be had.
    ///
    /// > Source: RFC 9309, section 2.4.
    public static let robotsAgeMax = Duration.seconds(86_400)
    /// The longest time that a host can ask to be left alone.
    public static let retryAfterMax = Duration.seconds(86_400)
    /// The longest pause that follows from failures alone.
    static let pauseMax = Duration.seconds(600)

    public init(policy: CrawlPolicy) { self.policy = policy }

    /// Takes an address in, unless it is known, out of scope or beyond a limit.
    @discardableResult
    public mutating func add(_ entry: CrawlEntry) -> Admission {
        guard entry.purpose == .sitemap ? policy.includesHost(entry.url) : policy.includes(entry.url) else {
            return .scope
        }
        guard entry.depth <= policy.depthMax else { return .depth }
        guard entry.redirects <= CrawlPolicy.redirectsMax else { return .redirects }
        let hash = entry.hash
        guard !seen.contains(hash) else { return .seen }
        guard tally.queued < policy.queuedMax else { return .full }
        seen.insert(hash)
        tally.queued += 1
        let host = host(entry.url.host)
        hosts[host].push(entry, Self.level(entry))
        return .queued
    }

    /// Notes what an earlier run has done with an address, so that it is not asked again.
    ///
    /// - Parameter bytes: `nil` when there was no answer, or no permission to ask.
    public mutating func settle(_ entry: CrawlEntry, bytes: Int?) {
        let hash = entry.hash
        // What was queued before waits no more; its place in the queue is passed over.
        let isQueued = !seen.insert(hash).inserted
        if settled.insert(hash).inserted, isQueued { tally.queued -= 1 }
        guard let bytes, entry.purpose == .page else { return }
        tally.pages += 1
        tally.bytes += max(0, bytes)
        let host = host(entry.url.host)
        hosts[host].pages += 1
    }

    /// Counts an address that the rules forbade in an earlier run.
    public mutating func countRefusal() { tally.refused += 1 }

    /// What the rules that are known say of an address; `nil` when none are.
    public func verdict(_ url: WebURL) -> RobotsRules.Verdict? { origins[url.origin]?.rules?.verdict(url) }

    /// Leaves a host alone until then, as it asked in an earlier run.
    public mutating func rest(_ name: String, until: Instant) {
        let host = host(name)
        hosts[host].readyAt = max(hosts[host].readyAt, until)
    }

    /// What may be done now. A `fetch` is under way from here until ``finish(_:_:at:)``.
    public mutating func next(at now: Instant) -> Step {
        if tally.bytes >= policy.bytesMax { return ending(.bytes) }
        if tally.pages + requests >= policy.pagesMax { return tally.pages >= policy.pagesMax ? ending(.pages) : .busy }
        guard requests < policy.requestsMax else { return .busy }
        var earliest: Instant?
        for offset in 0..<hosts.count {
            let index = (turn + offset) % hosts.count
            guard !hosts[index].isBusy, let entry = peek(index, at: now) else { continue }
            guard hosts[index].readyAt <= now else {
                earliest = min(earliest ?? hosts[index].readyAt, hosts[index].readyAt)
                continue
            }
            let verdict: RobotsRules.Verdict
            if case .robots = entry.purpose {
                verdict = .init(isAllowed: true, line: nil)
            } else {
                verdict = origins[entry.url.origin]?.rules?.verdict(entry.url) ?? .init(isAllowed: false, line: nil)
            }
            hosts[index].pop()
            if entry.purpose.isCounted { tally.queued -= 1 }
            guard verdict.isAllowed else {
                settled.insert(entry.hash)
                tally.refused += 1
                return .refuse(entry, verdict)
            }
            hosts[index].isBusy = true
            requests += 1
            turn = (index + 1) % hosts.count
            return .fetch(entry)
        }
        if let earliest { return .wait(until: earliest) }
        return requests > 0 ? .busy : .finished(.done)
    }

    /// The end of a request.
    ///
    /// - Returns: Whether it will be made again.
    @discardableResult
    public mutating func finish(_ entry: CrawlEntry, _ outcome: CrawlOutcome, at now: Instant) -> Bool {
        let index = host(entry.url.host)
        hosts[index].isBusy = false
        requests = max(0, requests - 1)
        let isAgain: Bool
        var pause = max(policy.delayMin, hosts[index].crawlDelay)
        switch outcome {
        case .settled(let bytes):
            hosts[index].failures = 0
            isAgain = false
            if case .robots = entry.purpose { resolve(entry, .refusingAll, at: now) }
            if let bytes, entry.purpose == .page {
                tally.pages += 1
                tally.bytes += max(0, bytes)
                hosts[index].pages += 1
            }
        case .postponed(let retryAfter):
            pause = max(hosts[index].pause(after: pause), min(retryAfter ?? .zero, Self.retryAfterMax))
            isAgain = again(entry, index, at: now)
        case .unreachable:
            pause = hosts[index].pause(after: pause)
            isAgain = again(entry, index, at: now)
        case .robots(let answer):
            hosts[index].failures = 0
            isAgain = false
            switch answer {
            case .rules(let rules): resolve(entry, rules, at: now)
            case .redirect(let url?) where entry.redirects < CrawlPolicy.redirectsMax:
                let other = host(url.host)
                var next = CrawlEntry(url, purpose: entry.purpose, depth: 0, redirects: entry.redirects + 1)
                next.attempts = 0
                hosts[other].push(next, 0)
            // The standard lets a crawler take this for the absence of rules; evidence should not rest on a doubt.
            case .redirect: resolve(entry, .refusingAll, at: now)
            }
            pause = max(pause, hosts[index].crawlDelay)
        }
        if !isAgain, entry.purpose.isCounted { settled.insert(entry.hash) }
        hosts[index].readyAt = max(hosts[index].readyAt, now + pause)
        return isAgain
    }

    /// When the host may be asked again, for whoever keeps it across a restart.
    public func readyAt(_ name: String) -> Instant? { hostsByName[name].map { hosts[$0].readyAt } }

    private func ending(_ end: End) -> Step { requests > 0 ? .busy : .finished(end) }

    /// Queues a request again before all others of its host, if it may be made again.
    private mutating func again(_ entry: CrawlEntry, _ index: Int, at now: Instant) -> Bool {
        var entry = entry
        entry.attempts += 1
        guard entry.attempts < policy.attemptsMax else {
            if case .robots = entry.purpose { resolve(entry, .refusingAll, at: now) }
            return false
        }
        if entry.purpose.isCounted { tally.queued += 1 }
        hosts[index].again.append(entry)
        return true
    }

    private mutating func resolve(_ entry: CrawlEntry, _ rules: RobotsRules, at now: Instant) {
        guard case .robots(let name) = entry.purpose else { return }
        origins[name] = Origin(rules: rules, until: now + Self.robotsAgeMax)
        guard let url = WebURL(name), let delay = rules.crawlDelay else { return }
        let index = host(url.host)
        hosts[index].crawlDelay = max(hosts[index].crawlDelay, delay)
    }

    /// What the host is asked next. Puts the question for the rules before it when they are not known.
    private mutating func peek(_ index: Int, at now: Instant) -> CrawlEntry? {
        while let entry = hosts[index].first {
            if case .robots = entry.purpose { return entry }
            let isBeyond = entry.purpose == .page && hosts[index].pages >= policy.hostPagesMax
            let isSettled = entry.attempts == 0 && settled.contains(entry.hash)
            if isBeyond || isSettled {
                if isBeyond, !isSettled { tally.beyond += 1 }
                hosts[index].pop()
                if !isSettled { tally.queued -= 1 }
                continue
            }
            let name = entry.url.origin
            if let origin = origins[name], origin.rules == nil || origin.until > now {
                // Without rules the question is under way, at another host maybe.
                return origin.rules == nil ? nil : entry
            }
            origins[name] = Origin(rules: nil, until: now)
            let question = CrawlEntry(entry.url.robots, purpose: .robots(origin: name))
            hosts[index].push(question, 0)
            return question
        }
        return nil
    }

    private mutating func host(_ name: String) -> Int {
        if let index = hostsByName[name] { return index }
        hostsByName[name] = hosts.count
        hosts.append(Host(levels: policy.depthMax + 3))
        return hosts.count - 1
    }

    private static func level(_ entry: CrawlEntry) -> Int {
        switch entry.purpose {
        case .robots: 0
        case .sitemap: 1
        case .page: 2 + max(0, entry.depth)
        }
    }

    private struct Origin {
        /// `nil` while they are asked for.
        var rules: RobotsRules?
        var until: Instant
    }

    private struct Host {
        var levels: [Queue]
        var again: [CrawlEntry] = []
        var isBusy = false
        var readyAt = Instant(milliseconds: .min)
        var crawlDelay = Duration.zero
        var failures = 0
        var pages = 0

        init(levels: Int) { self.levels = Array(repeating: Queue(), count: levels) }

        var first: CrawlEntry? {
            if !levels[0].isEmpty { return levels[0].first }
            return again.first ?? levels.first { !$0.isEmpty }?.first
        }

        mutating func push(_ entry: CrawlEntry, _ level: Int) { levels[min(level, levels.count - 1)].push(entry) }

        mutating func pop() {
            if levels[0].isEmpty, !again.isEmpty {
                again.removeFirst()
            } else if let level = levels.firstIndex(where: { !$0.isEmpty }) {
                levels[level].pop()
            }
        }

        /// The pause after one more failure: twice as long each time.
        mutating func pause(after delay: Duration) -> Duration {
            failures = min(failures + 1, 16)
            return max(delay, min(max(delay, .seconds(1)) * (1 << failures), CrawlFrontier.pauseMax))
        }
    }

    /// First in, first out; what has left is given back from time to time.
    private struct Queue {
        private var entries: [CrawlEntry] = []
        private var head = 0

        var isEmpty: Bool { head == entries.count }
        var first: CrawlEntry? { head < entries.count ? entries[head] : nil }

        mutating func push(_ entry: CrawlEntry) { entries.append(entry) }

        mutating func pop() {
            head += 1
            if head >= 1024, head * 2 > entries.count {
                entries.removeFirst(head)
                head = 0
            }
        }
    }
}

extension CrawlEntry.Purpose {
    /// Whether it counts among the addresses that wait: questions for rules are ours alone.
    fileprivate var isCounted: Bool { if case .robots = self { false } else { true } }
}
