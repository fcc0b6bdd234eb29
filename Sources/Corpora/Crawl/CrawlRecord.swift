public import Core

/// A crawl as it stands: what `crawl.json` in the output folder says.
public struct CrawlRecord: Sendable, Hashable, Codable {
    public var crawl: String
    public var started: Instant
    public var finished: Instant?
    /// Why it ended: `done`, `pages`, `bytes` or `interrupted`; `nil` while it is at work.
    public var end: String?
    /// Answers to requests for pages, earlier runs included, and the bytes of their bodies as they were sent.
    public var pages = 0
    public var bytes = 0
    /// Addresses that wait.
    public var queued = 0
    /// Addresses that `robots.txt` forbids.
    public var refused = 0
    /// Of this run.
    public var requests = 0
    public var unchanged = 0
    public var failed = 0
    public var postponed = 0
}
