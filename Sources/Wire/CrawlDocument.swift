/// What is to be collected from the web, and how politely.
public struct CrawlDocument: Hashable, Sendable, Codable {
    public var name: String
    /// By which sites know the crawler in `robots.txt`: letters, `-` and `_`.
    public var product: String
    /// Where a site's owner reaches whoever runs the crawl: a mail address or the address of a page.
    public var contact: String
    public var seeds: [String] = []
    public var sitemaps: [String] = []
    public var scope = Scope()
    public var limits = Limits()
    /// Seconds between the end of a request and the next to the same host, at least.
    public var delay = 1.0
    /// Where everything is written, from the file's folder.
    public var output = ""
    /// The output of an earlier crawl: what has not changed since is not sent again.
    public var previous: String?

    public struct Scope: Hashable, Sendable, Codable {
        /// None: the hosts of the seeds and of the sitemaps.
        public var hosts: [Host] = []
        /// What a path must begin with, one of them; none: all paths.
        public var paths: [String] = []
    }

    public struct Host: Hashable, Sendable, Codable {
        /// As in addresses, or `*.` and a name for all below it.
        public var name: String
        /// Whether its address may be one of this machine or of a network of its own.
        public var allowPrivate = false
    }

    public struct Limits: Hashable, Sendable, Codable {
        public var pages = 100_000
        public var hostPages = 10_000
        public var depth = 8
        public var bytes = 100 << 30
        /// Of one body; what is longer is cut.
        public var bodyBytes = 16 << 20
        /// Requests under way at a time, each to another host.
        public var requests = 16
        public var attempts = 3
        /// Of one request, in seconds.
        public var seconds = 60
    }

    public init(name: String, product: String, contact: String) {
        self.name = name
        self.product = product
        self.contact = contact
    }
}

/// What a crawl's file may hold.
public enum CrawlLimits {
    public static let seedsMax = 10_000
    public static let hostsMax = 10_000
    public static let pathsMax = 1_000
    public static let addressBytesMax = 2048
    public static let contactBytesMax = 256
    public static let delaySecondsMax = 3600.0
}
